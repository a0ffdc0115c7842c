//! The lossless forms of JSON and of logs, written and read back. For the fuzz targets: nothing else has a use for readers.

use super::json::decode::Value;
use super::{json, log};
use crate::compress::form::{Form, Kept};

fn written(form: &dyn Form) -> String {
    let mut out = String::new();
    form.write(Kept::All, &mut out);
    out
}

/// What the form of a JSON text was written as, unless that stands for the text.
///
/// # Panics
///
/// Where what was written cannot be read.
pub fn wrong_json(text: &str) -> Option<String> {
    // What breaks off has no value to compare with.
    let value = Value::read(text)?;
    let out = written(&*json::understand(text, 0)?);
    let stands = json::decode::decode(out.trim_end_matches('\n')).stands_for(&value);
    (!stands).then_some(out)
}

/// What a text's form as a log was written as, unless that is the text or reads back as it.
///
/// # Panics
///
/// Where what was written cannot be read.
pub fn wrong_log(text: &str) -> Option<String> {
    let out = written(&log::understand(text)?);
    (out != text && log::decode::decode(&out) != text).then_some(out)
}
