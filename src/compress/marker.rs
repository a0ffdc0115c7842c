//! What stands in a compressed text in place of what was left out.

use std::fmt::Write;

/// Says in place that units were left out: `[… 132 rows left out: …]`. `unit` is their name in the singular.
pub fn gap(out: &mut String, count: usize, unit: &str, details: &str) {
    let plural = if count == 1 { "" } else { "s" };
    // Writing to a string does not fail.
    let _ = write!(out, "[… {count} {unit}{plural} left out");
    if !details.is_empty() {
        out.push_str(": ");
        out.push_str(details);
    }
    out.push(']');
}
