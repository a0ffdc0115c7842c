//! The words that tell how bad things are, in any case and as whole words; not what stands around them.

use std::ops::Range;

use super::{Severity, is_word};

/// What a word says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Something is wrong.
    Bad(Severity),
    /// An exception or a panic, which no level makes harmless.
    Exception,
    /// The name of a level that is no warning.
    Calm,
    /// The status of an HTTP response; other lines have others.
    Status(Severity),
}

/// The words of a line that mean something, with what they mean.
pub(super) struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl Iterator for Words<'_> {
    type Item = (Range<usize>, Sense);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.bytes;
        while self.at < bytes.len() {
            if !bytes[self.at].is_ascii_alphabetic() {
                self.at += 1;
                continue;
            }
            let start = self.at;
            let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            self.at = start + length;
            if let Some(sense) = sense(bytes, start, length) {
                return Some((start..start + length, sense));
            }
        }
        None
    }
}

/// First letters of the words in [`sense`], a bit for each.
const INITIALS: u32 = {
    let letters = b"abcdefhiklnoprstuvw";
    let mut mask = 0;
    let mut index = 0;
    while index < letters.len() {
        mask |= 1 << (letters[index] - b'a');
        index += 1;
    }
    mask
};

fn sense(bytes: &[u8], start: usize, length: usize) -> Option<Sense> {
    use Severity::{Error, Fatal, Warning};
    let word = &bytes[start..start + length];
    if length > 5 && (word.ends_with(b"Error") || word.ends_with(b"Exception")) {
        return (length > 9 || word.ends_with(b"Error")).then_some(Sense::Exception);
    }
    if matches!(word, b"Error" | b"Exception") && start > 0 && bytes[start - 1] == b'.' {
        // `Import.Error: …`, not `errors.Error.new`.
        let ends = bytes.get(start + length).is_none_or(|next| matches!(next, b':' | b' ' | b')' | b']'));
        return ends.then_some(Sense::Exception);
    }
    if length == 1 {
        return of_apt(bytes, start);
    }
    let initial = (word[0] | 0x20) - b'a';
    if !(2..=12).contains(&length) || INITIALS & (1 << initial) == 0 {
        return None;
    }
    let mut lower = [0; 12];
    for (to, from) in lower.iter_mut().zip(word) {
        *to = from | 0x20;
    }
    let after = &bytes[start + length..];
    let bad = match &lower[..length] {
        b"fatal" | b"emerg" | b"emergency" | b"critical" | b"crit" | b"segfault" | b"oom" => Fatal,
        b"error" | b"errors" | b"err" | b"eror" | b"severe" | b"fail" | b"failed" | b"fails" | b"failure"
        | b"failures" | b"failing" | b"crash" | b"crashed" | b"crashes" | b"corrupt" | b"corrupted"
        | b"corruption" | b"abort" | b"aborted" | b"aborting" | b"deadlock" | b"killed" | b"unhandled"
        | b"uncaught" | b"fault" => Error,
        b"panic" | b"panicked" | b"panics" | b"traceback" | b"exception" | b"exceptions" => {
            return Some(Sense::Exception);
        }
        b"caused" if after.starts_with(b" by: ") => return Some(Sense::Exception),
        b"out" if after.starts_with(b" of memory") => Fatal,
        b"core" if after.starts_with(b" dumped") => Fatal,
        b"warn" | b"warning" | b"warnings" | b"alert" | b"denied" | b"refused" | b"unreachable"
        | b"timeout" | b"timeouts" | b"unable" | b"cannot" | b"invalid" | b"unavailable" | b"rejected"
        | b"violation" | b"forbidden" | b"unauthorized" | b"lost" | b"broken" | b"expired" | b"degraded"
        | b"unexpected" | b"stuck" | b"throttled" => Warning,
        b"timed" if after.starts_with(b" out") => Warning,
        b"not" if after.starts_with(b" found") || after.starts_with(b" responding") => Warning,
        b"could" | b"can" | b"did" if after.starts_with(b" not ") => Warning,
        b"no" if after.starts_with(b" such ") => Warning,
        b"break" if after.starts_with(b"-in ") || after.starts_with(b"-IN ") => Warning,
        b"http" | b"status" => return status(after).map(Sense::Status),
        b"info" | b"debug" | b"trace" | b"notice" | b"verbose" => return Some(Sense::Calm),
        _ => return None,
    };
    Some(Sense::Bad(bad))
}

/// The status after `HTTP` or `status`: `HTTP/1.1" 503`, `status=503`, `"status_code": 503`.
fn status(after: &[u8]) -> Option<Severity> {
    let mut rest = after;
    if let Some(version) = rest.strip_prefix(b"/") {
        let length = version.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        rest = &version[length..];
    } else {
        for name in [&b"_code"[..], b"Code", b" code"] {
            rest = rest.strip_prefix(name).unwrap_or(rest);
        }
    }
    let marks = rest.iter().take(4).take_while(|byte| matches!(byte, b'"' | b' ' | b':' | b'=')).count();
    match &rest[marks..] {
        [class @ b'1'..=b'5', b'0'..=b'9', b'0'..=b'9', end @ ..]
            if marks > 0 && end.first().is_none_or(|next| !is_word(*next) && *next != b'.') =>
        {
            Some(if *class == b'5' { Severity::Error } else { Severity::Ordinary })
        }
        _ => None,
    }
}

/// `E: …` and `W: …`, as apt and others have it.
fn of_apt(bytes: &[u8], start: usize) -> Option<Sense> {
    let begins = start == 0 || matches!(bytes[start - 1], b' ' | b'\t');
    if !begins || !bytes[start + 1..].starts_with(b": ") {
        return None;
    }
    match bytes[start] {
        b'E' => Some(Sense::Bad(Severity::Error)),
        b'W' => Some(Sense::Bad(Severity::Warning)),
        _ => None,
    }
}
