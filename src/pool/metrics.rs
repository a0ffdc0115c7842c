//! What the pool counts, and how long its tasks wait and run.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;

/// A counter that only ever grows. Relaxed: it orders nothing.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a task ended that ran to its end in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Well,
    Failed,
    Panicked,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Taken up by a thread that came from another task: all had been busy.
    pub(super) delayed: Counter,
    pub(super) refused: Counter,
    pub(super) aborted: Counter,
    pub(super) timed_out: Counter,
    pub(super) closed: Counter,
    pub(super) restarted: Counter,
}

/// Nanoseconds, two significant digits: 1 % is closer than any two runs are.
const SIGNIFICANT_DIGITS: u8 = 2;

#[derive(Debug)]
struct Times {
    wait: Timer,
    run: Timer,
}

/// Histograms forget the sum.
#[derive(Debug)]
struct Timer {
    histogram: Histogram<u32>,
    sum: Duration,
}

impl Timer {
    fn new() -> Self {
        Self {
            histogram: Histogram::new(SIGNIFICANT_DIGITS).expect("two digits are in range"),
            sum: Duration::ZERO,
        }
    }

    fn record(&mut self, time: Duration) {
        // Grows on demand, so that nothing is out of range.
        let _ = self.histogram.record(nanos(time));
        self.sum += time;
    }

    fn add(&mut self, other: &Self) {
        // As above.
        let _ = self.histogram.add(&other.histogram);
        self.sum += other.sum;
    }
}

impl Times {
    fn new() -> Self {
        Self { wait: Timer::new(), run: Timer::new() }
    }

    fn record(&mut self, wait: Duration, run: Duration) {
        self.wait.record(wait);
        self.run.record(run);
    }
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[derive(Debug, Default)]
struct Recorded {
    /// A handful of names: a list beats a map.
    times: Vec<(&'static str, Times)>,
    succeeded: u64,
    failed: u64,
    panicked: u64,
    run_time: Duration,
}

/// One thread's records: its own lock, so that recording never waits but for a reader.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Recorded>);

impl Recorder {
    pub(super) fn record(&self, operation: &'static str, wait: Duration, run: Duration, verdict: Verdict) {
        let mut recorded = super::lock(&self.0);
        match verdict {
            Verdict::Well => recorded.succeeded += 1,
            Verdict::Failed => recorded.failed += 1,
            Verdict::Panicked => recorded.panicked += 1,
        }
        recorded.run_time += run;
        let index = recorded.times.iter().position(|(name, _)| *name == operation);
        let index = index.unwrap_or_else(|| {
            recorded.times.push((operation, Times::new()));
            recorded.times.len() - 1
        });
        recorded.times[index].1.record(wait, run);
    }
}

/// A distribution of times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}

impl Quantiles {
    fn of(Timer { histogram, .. }: &Timer) -> Self {
        let quantile = |q| Duration::from_nanos(histogram.value_at_quantile(q));
        Self { p50: quantile(0.5), p99: quantile(0.99), max: Duration::from_nanos(histogram.max()) }
    }
}

/// The times of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperationStats {
    pub count: u64,
    pub wait: Quantiles,
    pub run: Quantiles,
}

/// Everything that was counted, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub size: usize,
    /// Threads that exist.
    pub threads: usize,
    /// Threads at work on a task.
    pub active: usize,
    /// Tasks waiting for a thread.
    pub waiting: usize,
    /// Tasks waiting or running.
    pub in_flight: usize,
    /// Bytes held by the tasks in flight.
    pub bytes: usize,
    pub accepted: u64,
    pub delayed: u64,
    pub refused: u64,
    pub succeeded: u64,
    /// Tasks whose work gave an error.
    pub failed: u64,
    pub panicked: u64,
    pub aborted: u64,
    pub timed_out: u64,
    /// Tasks rejected by a shutdown.
    pub closed: u64,
    pub restarted: u64,
    /// Of all tasks that ran to their end.
    pub run_time: Duration,
    pub operations: BTreeMap<&'static str, OperationStats>,
}

/// How times spread over classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// For each bound, how many times are at most so long.
    pub counts: Vec<u64>,
    pub count: u64,
    pub sum: Duration,
}

impl Spread {
    fn of(Timer { histogram, sum }: &Timer, bounds: &[Duration]) -> Self {
        let mut counts = vec![0; bounds.len()];
        for class in histogram.iter_recorded() {
            let at = bounds.partition_point(|bound| nanos(*bound) < class.value_iterated_to());
            if let Some(count) = counts.get_mut(at) {
                *count += class.count_since_last_iteration();
            }
        }
        let mut total = 0;
        for count in &mut counts {
            total += *count;
            *count = total;
        }
        Self { counts, count: histogram.len(), sum: *sum }
    }
}

/// The times of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spreads {
    pub operation: &'static str,
    pub wait: Spread,
    pub run: Spread,
}

pub(super) fn spreads<'a>(
    recorders: impl Iterator<Item = &'a Recorder>,
    bounds: &[Duration],
) -> Vec<Spreads> {
    let mut all = BTreeMap::new();
    for recorder in recorders {
        add_times(&super::lock(&recorder.0), &mut all);
    }
    all.into_iter()
        .map(|(operation, Times { wait, run })| {
            let (wait, run) = (Spread::of(&wait, bounds), Spread::of(&run, bounds));
            Spreads { operation, wait, run }
        })
        .collect()
}

fn add_times(recorded: &Recorded, all: &mut BTreeMap<&'static str, Times>) {
    for (name, times) in &recorded.times {
        let sum = all.entry(name).or_insert_with(Times::new);
        sum.wait.add(&times.wait);
        sum.run.add(&times.run);
    }
}

/// Sums up the threads' records.
pub(super) fn summarise<'a>(recorders: impl Iterator<Item = &'a Recorder>, stats: &mut Stats) {
    let mut all = BTreeMap::new();
    for recorder in recorders {
        let recorded = super::lock(&recorder.0);
        stats.succeeded += recorded.succeeded;
        stats.failed += recorded.failed;
        stats.panicked += recorded.panicked;
        stats.run_time += recorded.run_time;
        add_times(&recorded, &mut all);
    }
    stats.operations = all
        .into_iter()
        .map(|(name, times)| {
            let (wait, run) = (Quantiles::of(&times.wait), Quantiles::of(&times.run));
            (name, OperationStats { count: times.run.histogram.len(), wait, run })
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_spread_over_classes() {
        let recorder = Recorder::default();
        for ms in [1, 5, 5, 40, 9000] {
            recorder.record("x", Duration::from_micros(ms), Duration::from_millis(ms), Verdict::Well);
        }
        let bounds = [2, 6, 100].map(Duration::from_millis);
        let all = spreads([&recorder, &recorder].into_iter(), &bounds);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].operation, "x");
        assert_eq!(
            all[0].run,
            Spread { counts: vec![2, 6, 8], count: 10, sum: Duration::from_millis(18_102) }
        );
        assert_eq!(
            all[0].wait,
            Spread { counts: vec![8, 8, 10], count: 10, sum: Duration::from_micros(18_102) }
        );
    }
}
