//! The executor: threads, queues, cancellation, completions, metrics.
