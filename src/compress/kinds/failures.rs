//! Cells that tell of failure, by their words and by what their column is called.

use super::cells::{Cell, Sort};
use crate::compress::signal::{self, Severity};
use crate::compress::words::boundary;

/// Bytes of a cell that are looked at.
const REACH: usize = 4 << 10;

/// What a column's name says of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// Something that is there where something went wrong.
    Failure,
    /// A flag that is false, or true, where something went wrong.
    Good,
    Status,
    Exit,
    Level,
    Other,
}

impl Name {
    pub fn of(name: &str) -> Self {
        let mut lower = [0u8; 24];
        let Some(lower) = lower.get_mut(..name.len()) else { return Self::Other };
        let mut length = 0;
        for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
            lower[length] = byte.to_ascii_lowercase();
            length += 1;
        }
        match &lower[..length] {
            b"error" | b"errors" | b"err" | b"exception" | b"exceptions" | b"failure" | b"failures"
            | b"failed" | b"iserror" | b"haserror" | b"haserrors" | b"errormessage" | b"errorcode"
            | b"errormsg" | b"failurereason" | b"traceback" | b"stacktrace" | b"crashed" | b"timedout"
            | b"fault" | b"lasterror" => Self::Failure,
            b"success" | b"ok" | b"passed" | b"succeeded" | b"healthy" | b"successful" | b"issuccess" => {
                Self::Good
            }
            b"status" | b"statuscode" | b"httpstatus" | b"httpcode" | b"httpstatuscode" | b"responsecode"
            | b"responsestatus" => Self::Status,
            b"exitcode" | b"exitstatus" | b"returncode" | b"rc" | b"exit" => Self::Exit,
            b"level" | b"severity" | b"loglevel" | b"lvl" | b"priority" => Self::Level,
            _ => Self::Other,
        }
    }

    pub fn judge(self, cell: Cell<'_>) -> Severity {
        self.judge_text(cell).0
    }

    /// How bad a cell is, and whether others may differ that are like it but for their numbers.
    pub fn judge_text(self, cell: Cell<'_>) -> (Severity, bool) {
        let empty = matches!(cell.sort, Sort::Null | Sort::False)
            || matches!(cell.text, "" | "0" | "[]" | "{}" | "none" | "None" | "null" | "-" | "0.0");
        match (self, cell.sort) {
            (_, Sort::Null) => (Severity::Ordinary, false),
            (Self::Failure, _) | (Self::Exit, Sort::Number) => {
                (if empty { Severity::Ordinary } else { Severity::Error }, true)
            }
            (Self::Good, Sort::False) => (Severity::Error, false),
            (Self::Status, Sort::Number | Sort::Text) if cell.text.len() == 3 => match cell.text.as_bytes() {
                [b'5', b'0'..=b'9', b'0'..=b'9'] => (Severity::Error, true),
                [b'4', b'0'..=b'9', b'0'..=b'9'] => (Severity::Warning, true),
                _ => (signal::severity(cell.text), true),
            },
            (Self::Level, Sort::Number) => match cell.text {
                "40" => (Severity::Warning, true),
                "50" | "60" => (Severity::Error, true),
                _ => (Severity::Ordinary, true),
            },
            (_, Sort::Text | Sort::Other) => signal::judge(&cell.text[..boundary(cell.text, REACH)]),
            _ => (Severity::Ordinary, true),
        }
    }
}
