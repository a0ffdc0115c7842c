//! How bad a line of output says things are: its level where it has one, else what its words say.
//!
//! Words count as whole words, in any case, and not where the text itself takes them back (`no errors`, `errors=0`,
//! `"error": null`) or only names a thing by them (`error.log`, `error_handler`, `on-error`).

mod lexicon;

use std::ops::Range;

use self::lexicon::{Sense, Words};

/// From what is normal to what ends a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    #[default]
    Ordinary,
    Warning,
    Error,
    Fatal,
}

/// Severity of a line. Of several opinions the level counts, and exceptions always do: an `INFO` line that tells of a
/// failure is worth a warning.
pub fn severity(line: &str) -> Severity {
    judge(line).0
}

/// The severity of a line, and whether other lines may differ that are like it but for their numbers (`errors=0`).
pub fn judge(line: &str) -> (Severity, bool) {
    let bytes = line.as_bytes();
    let (mut level, mut varies) = prefix_level(bytes);
    let mut words = Severity::Ordinary;
    for (range, sense) in Words::new(bytes) {
        let named = level.is_none() && is_level(bytes, &range) && !is_none_after(bytes, range.end);
        match sense {
            Sense::Calm if named => level = Some(Severity::Ordinary),
            Sense::Calm => {}
            Sense::Status(severity) => {
                words = words.max(severity);
                varies = true;
            }
            Sense::Bad(severity) if named => level = Some(severity),
            Sense::Bad(_) if is_part_of_name(bytes, &range) => varies |= is_counted(bytes, &range),
            Sense::Bad(_) | Sense::Exception if is_taken_back(bytes, &range) => varies = true,
            Sense::Exception => return (Severity::Error.max(level.unwrap_or_default()), varies),
            Sense::Bad(severity) => {
                varies |= is_counted(bytes, &range);
                words = words.max(severity);
            }
        }
    }
    (level.map_or(words, |level| level.max(words.min(Severity::Warning))), varies)
}

/// Where the words stand that make a text more than ordinary; at most `limit` of them.
pub fn spans(text: &str, limit: usize) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    Words::new(bytes)
        .filter(|(range, sense)| {
            !matches!(sense, Sense::Calm | Sense::Status(Severity::Ordinary))
                && !is_taken_back(bytes, range)
                && !is_part_of_name(bytes, range)
        })
        .map(|(range, _)| range)
        .take(limit)
        .collect()
}

/// Levels that need no word: klog (`E0102 …`), syslog priorities (`<3>…`), logcat (`E/Tag`), pino (`"level":50`); and
/// whether they are in numbers.
fn prefix_level(line: &[u8]) -> (Option<Severity>, bool) {
    match line {
        [letter @ (b'I' | b'W' | b'E' | b'F'), rest @ ..]
            if rest.len() > 5 && rest[..4].iter().all(u8::is_ascii_digit) && rest[4] == b' ' =>
        {
            (Some(of_letter(*letter)), false)
        }
        [letter @ (b'V' | b'D' | b'I' | b'W' | b'E' | b'F'), b'/', tag, ..] if tag.is_ascii_alphabetic() => {
            (Some(of_letter(*letter)), false)
        }
        [b'<', digit @ b'0'..=b'7', b'>', ..] => {
            let severity = match digit {
                b'0'..=b'2' => Severity::Fatal,
                b'3' => Severity::Error,
                b'4' => Severity::Warning,
                _ => Severity::Ordinary,
            };
            (Some(severity), true)
        }
        [b'{', ..] => {
            let Some(at) = memchr::memmem::find(line, b"\"level\":") else { return (None, false) };
            match &line[at + 8..] {
                [b'4', b'0'..=b'9', ..] => (Some(Severity::Warning), true),
                [b'5', b'0'..=b'9', ..] => (Some(Severity::Error), true),
                [b'6'..=b'9', b'0'..=b'9', ..] => (Some(Severity::Fatal), true),
                [b'1'..=b'3', b'0'..=b'9', ..] => (Some(Severity::Ordinary), true),
                _ => (None, false),
            }
        }
        _ => (None, false),
    }
}

fn of_letter(letter: u8) -> Severity {
    match letter {
        b'W' => Severity::Warning,
        b'E' => Severity::Error,
        b'F' => Severity::Fatal,
        _ => Severity::Ordinary,
    }
}

/// Whether a word stands where a log format has its level: in capitals near the beginning, in brackets, after `level=`.
fn is_level(bytes: &[u8], range: &Range<usize>) -> bool {
    let word = &bytes[range.clone()];
    let before = &bytes[..range.start];
    let after = bytes.get(range.end).copied().unwrap_or(b' ');
    if !matches!(
        word.to_ascii_lowercase().as_slice(),
        b"fatal"
            | b"emerg"
            | b"emergency"
            | b"critical"
            | b"crit"
            | b"error"
            | b"err"
            | b"eror"
            | b"severe"
            | b"panic"
            | b"warn"
            | b"warning"
            | b"alert"
            | b"info"
            | b"debug"
            | b"trace"
            | b"notice"
            | b"verbose"
    ) {
        return false;
    }
    let last = before.last().copied().unwrap_or(b' ');
    if word[0].is_ascii_uppercase() && word[word.len() - 1].is_ascii_uppercase() {
        // `ERROR` alone, `[ERROR]`, `npm ERR!`, `E ERROR:`; not `MAX_ERROR` nor `ERROR_HANDLER`.
        return range.start < 160 && !is_word(last) && last != b'-' && !is_word(after) && after != b'-';
    }
    match (last, after) {
        (b'[', b']') | (b'<', b'>') | (b'(', b')') => range.start < 160,
        _ => {
            let trimmed = before.trim_ascii_end();
            let trimmed = trimmed.strip_suffix(b"\"").unwrap_or(trimmed).trim_ascii_end();
            let Some(name) = trimmed.strip_suffix(b"=").or_else(|| trimmed.strip_suffix(b":")) else {
                return range.start == 0 && after == b':';
            };
            let name = name.strip_suffix(b"\"").unwrap_or(name);
            [&b"level"[..], b"lvl", b"severity", b"loglevel", b"level_name", b"levelname"]
                .iter()
                .any(|key| name.ends_with(key))
        }
    }
}

/// Whether a word is said not to be so: `no error`, `0 failed`, `errors=0`, `"error": null`.
fn is_taken_back(bytes: &[u8], range: &Range<usize>) -> bool {
    is_none_before(bytes, range.start) || is_none_after(bytes, range.end)
}

fn is_none_before(bytes: &[u8], start: usize) -> bool {
    let mut rest = bytes[..start].trim_ascii_end();
    for _ in 0..2 {
        let from = rest.iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1);
        let word = &rest[from..];
        if word == b"0" {
            // Not the end of `10.0` nor of `1,0`.
            return from == 0 || !matches!(rest[from - 1], b'.' | b',');
        }
        if [&b"no"[..], b"zero", b"without", b"not", b"non", b"never", b"any"]
            .iter()
            .any(|none| word.eq_ignore_ascii_case(none))
        {
            return true;
        }
        // `not an error`, `no such error`
        if !matches!(word, b"a" | b"an" | b"known" | b"new" | b"more" | b"other") {
            return false;
        }
        rest = rest[..from].trim_ascii_end();
    }
    false
}

fn is_none_after(bytes: &[u8], end: usize) -> bool {
    let mut rest = &bytes[end..];
    // The rest of a name: `errors_total`, `errorCount`.
    let name = rest.iter().take_while(|byte| is_word(**byte)).count();
    rest = &rest[name..];
    for quote in [&b"\\\""[..], b"\"", b"'"] {
        rest = rest.strip_prefix(quote).unwrap_or(rest);
    }
    rest = rest.trim_ascii_start();
    let Some(value) = rest.strip_prefix(b"=").or_else(|| rest.strip_prefix(b":")) else { return false };
    let value = value.trim_ascii_start();
    if value.first() == Some(&b'0') {
        let number = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        return value[..number].iter().all(|byte| matches!(byte, b'0' | b'.'))
            && value.get(number).is_none_or(|next| !is_word(*next) || *next == b's' || *next == b'%');
    }
    let word = value.iter().take_while(|byte| is_word(**byte)).count();
    match &value[..word] {
        b"" => [&b"\"\""[..], b"''", b"[]", b"{}", b"<nil>", b"-"].iter().any(|empty| {
            value.strip_prefix(*empty).is_some_and(|after| after.first().is_none_or(|next| !is_word(*next)))
        }),
        word => [&b"null"[..], b"none", b"nil", b"false", b"no", b"undefined", b"ok"]
            .iter()
            .any(|none| word.eq_ignore_ascii_case(none)),
    }
}

/// Whether a number says how many: `3 errors`, `errors=3`.
fn is_counted(bytes: &[u8], range: &Range<usize>) -> bool {
    let before = bytes[..range.start].trim_ascii_end();
    if before.len() < range.start && before.last().is_some_and(u8::is_ascii_digit) {
        return true;
    }
    let rest = &bytes[range.end..];
    let name = rest.iter().take_while(|byte| is_word(**byte)).count();
    let rest = &rest[name..];
    let value = rest.iter().take_while(|byte| matches!(byte, b'"' | b'\'' | b' ' | b'=' | b':')).count();
    value > 0 && rest.get(value).is_some_and(u8::is_ascii_digit)
}

/// Whether a word is but a part of a name: `error.log`, `error_page`, `/errors/`, `on-error`.
fn is_part_of_name(bytes: &[u8], range: &Range<usize>) -> bool {
    let before = range.start.checked_sub(1).map_or(b' ', |at| bytes[at]);
    let after = bytes.get(range.end).copied().unwrap_or(b' ');
    let next = bytes.get(range.end + 1).copied().unwrap_or(b' ');
    let filled = [&b"_code"[..], b"_message", b"_msg", b"_reason", b"Code", b"Message"];
    if filled.iter().any(|rest| bytes[range.end..].starts_with(rest)) {
        return false;
    }
    is_word(before)
        || matches!(before, b'/' | b'\\' | b'-' | b'.' | b'$' | b'@')
        || is_word(after)
        || (matches!(after, b'.' | b'-' | b'/' | b'\\') && is_word(next))
        || after == b'('
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use Severity::{Error, Fatal, Ordinary, Warning};

    #[test]
    fn levels_of_common_formats() {
        for (expected, line) in [
            (
                Ordinary,
                "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_38 terminating",
            ),
            (Warning, "17/06/09 20:10:40 WARN executor.Executor: slow"),
            (Error, "2024-05-01T10:00:00.123Z ERROR server: it broke"),
            (Error, "[Sun Dec 04 04:47:44 2005] [error] mod_jk child workerEnv in state 6"),
            (Ordinary, "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok"),
            (Fatal, "2024-05-01 10:00:00,123 - root - CRITICAL - gone"),
            (Error, "E0501 10:00:00.123456   12 main.go:10] it broke"),
            (Warning, "W0501 10:00:00.123456   12 main.go:10] odd"),
            (Error, "<3>kernel: it broke"),
            (Error, "E/ActivityManager( 123): it broke"),
            (Error, "npm ERR! code ELIFECYCLE"),
            (Warning, "npm WARN old package"),
            (Error, r#"{"level":50,"time":1,"msg":"it broke"}"#),
            (Ordinary, r#"{"level":30,"time":1,"msg":"fine"}"#),
            (Error, r#"{"level":"error","msg":"it broke"}"#),
            (Error, "time=2024 level=error msg=\"it broke\""),
            (Error, "web-1  | ERROR it broke"),
            (Error, "error: cannot find type `X`"),
            (Error, "error[E0308]: mismatched types"),
            (Warning, "warning: unused variable"),
            (Error, "2024-05-01 10:00:00.123 25746 ERROR nova.compute.manager [req-1] it broke"),
        ] {
            assert_eq!(severity(line), expected, "{line}");
        }
    }

    #[test]
    fn words() {
        for (expected, line) in [
            (
                Error,
                "Dec 10 06:55:48 LabSZ sshd[24200]: Failed password for root from 173.234.31.186 port 38926 ssh2",
            ),
            (Error, "authentication failure; logname= uid=0"),
            (Error, "java.lang.NullPointerException: x"),
            (Error, "TypeError: x is not a function"),
            (Error, "INFO got java.io.IOException while reading"),
            (Error, "Traceback (most recent call last):"),
            (Error, "thread 'main' panicked at src/main.rs:1:1"),
            (Error, "Caused by: java.net.SocketTimeoutException"),
            (Fatal, "kernel: Out of memory: Kill process 1"),
            (Warning, "connect ECONNREFUSED: connection refused"),
            (Warning, "request timed out after 30 s"),
            (Warning, "INFO job 7 failed, will be tried again"),
            (Error, "status: 3 errors"),
            (Error, "error_code=17"),
            (Error, "10.0.0.1 - - [01/May/2024:10:00:00 +0000] \"GET /a HTTP/1.1\" 503 12 \"-\""),
            (Error, "GET /a status: 500 len: 3"),
            (Error, "{\"status_code\": 502}"),
            (Error, "#9 10.31 E: Unable to locate package libx-dev"),
            (Error, "(ImportBailout.Error:1331) Asked to exit for Diskarb"),
            (Error, "\"error\": \"quota\""),
        ] {
            assert_eq!(severity(line), expected, "{line}");
        }
    }

    #[test]
    fn no_alarm_without_a_cause() {
        for line in [
            "errors=0",
            "10.0.0.1 - - [01/May/2024:10:00:00 +0000] \"GET /a HTTP/1.1\" 200 503 \"-\"",
            "status: 200 len: 500",
            "status of 500 files",
            "errors: 0, warnings: 0",
            "error_count: 0",
            "errorCount=0",
            "no error",
            "No errors found",
            "0 failed, 12 passed",
            "finished with 0 errors and 0 warnings",
            "without error",
            "this is not an error",
            "\"error\": null",
            "\"errors\":[]",
            "error=nil",
            "err=<nil>",
            "{\"failed\":false}",
            "GET /errors/index.html 200",
            "wrote error.log",
            "error_handler installed",
            "on-error hook",
            "terror in the mirror",
            "INFO ErrorHandler started",
            "failures=0.00%",
            "err: \"\"",
        ] {
            assert_eq!(severity(line), Ordinary, "{line}");
        }
    }

    #[test]
    fn spans_are_the_words() {
        let text = "a no error; then it failed: IOException";
        let found: Vec<&str> = spans(text, 9).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["failed", "IOException"]);
        assert_eq!(spans(&"error ".repeat(100), 7).len(), 7);
    }
}
