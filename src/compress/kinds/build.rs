//! Output of builds, installers and test runs: cargo, npm, pip, make, pytest, jest, go, tsc, eslint, git.
//!
//! What passed is counted; what failed is kept with what stands below it, and so are summaries.

use super::fold;
use super::log;
use super::pieces::{Piece, Pieces, Strategy, lines};
use super::{begins_with_any, has};
use crate::compress::form::{Form, Kept, Unit, value};

#[derive(Debug)]
pub(super) struct Build;

const OTHER: u8 = 0;
const PASSED: u8 = 1;
const STEP: u8 = 2;
const FAILED: u8 = 3;
const SUMMARY: u8 = 4;

/// Lines below a failure that explain it.
const EXPLANATION: usize = 14;
/// So many failures and summaries are kept whatever the budget.
const MOST_FIRSTS: usize = 96;

/// Steps, by how their lines begin.
const STEPS: [&str; 44] = [
    "Compiling ",
    "Downloaded ",
    "Downloading ",
    "Checking ",
    "Fresh ",
    "Updating ",
    "Adding ",
    "Locking ",
    "Blocking ",
    "Requirement already satisfied",
    "Collecting ",
    "Installing ",
    "Using cached ",
    "Building ",
    "Preparing ",
    "Created wheel",
    "Stored in directory",
    "Successfully ",
    "gcc ",
    "cc ",
    "g++ ",
    "clang ",
    "ar ",
    "rm ",
    "mkdir ",
    "make[",
    "make: Entering",
    "=== RUN",
    "=== PAUSE",
    "=== CONT",
    "Step ",
    "remote: ",
    "Receiving objects",
    "Resolving deltas",
    "npm http",
    "Get:",
    "Hit:",
    "Unpacking ",
    "Setting up ",
    "Selecting ",
    "Reading ",
    "Obtaining ",
    "Getting ",
    "Running setup",
];

/// What a line of a build is.
pub(super) fn classify(line: &str) -> u8 {
    let trimmed = line.trim();
    let bytes = trimmed.as_bytes();
    let Some(first) = bytes.first() else { return OTHER };
    if is_summary(trimmed) {
        return SUMMARY;
    }
    if is_failed(trimmed, *first) {
        return FAILED;
    }
    if is_passed(trimmed) {
        return PASSED;
    }
    let percent =
        *first == b'[' && trimmed.get(1..6).is_some_and(|head| head.contains('%') || head.contains('/'));
    if percent || begins_with_any(trimmed, &STEPS) {
        return STEP;
    }
    OTHER
}

fn is_passed(line: &str) -> bool {
    has(line, b'P', " PASSED")
        || line.ends_with(" ... ok")
        || line.ends_with(" ... ignored")
        || line.starts_with("--- PASS")
        || line.starts_with(['✓', '✔', '√'])
        || line.starts_with("PASS ")
        || line.starts_with("ok  \t")
        || line.starts_with("ok ") && line.as_bytes()[3].is_ascii_digit()
        || line.ends_with(" ok") && line.starts_with("test ")
}

fn is_failed(line: &str, first: u8) -> bool {
    match first {
        b'F' => line.starts_with("FAIL ") || line.starts_with("FAIL\t") || line.starts_with("FAILED "),
        b'-' => line.starts_with("--- FAIL"),
        b'e' => line.starts_with("error: ") || line.starts_with("error[") || line.starts_with("error TS"),
        b'n' => line.starts_with("npm ERR!") || line.starts_with("npm error ") || line.starts_with("not ok "),
        b'E' => line.starts_with("E   "),
        b'w' => false,
        _ => {
            first > 0x7F && line.starts_with(['✕', '✗', '✘', '×', '●'])
                || has(line, b'F', " FAILED")
                || has(line, b'*', "*** [")
                || has(line, b'`', "undefined reference to")
                || is_diagnostic(line) && (line.contains(": error") || line.contains(": fatal error: "))
        }
    }
}

fn is_summary(line: &str) -> bool {
    const BEGINNINGS: [&str; 18] = [
        "test result: ",
        "Tests: ",
        "Test Suites: ",
        "Tests:  ",
        "Snapshots: ",
        "Ran ",
        "Finished ",
        "BUILD ",
        "added ",
        "Found ",
        "error: could not compile",
        "error: aborting",
        "error: test failed",
        "failures:",
        "short test summary",
        "FAILED (",
        "OK (",
        "make: *** ",
    ];
    if begins_with_any(line, &BEGINNINGS) {
        return line.bytes().any(|byte| byte.is_ascii_digit())
            || line.starts_with("error")
            || line.ends_with(':')
            || line.starts_with("BUILD");
    }
    line.starts_with("===") && line.ends_with("===") && line.contains(" in ")
        || line.len() < 120 && (line.contains(" problems (") || line.contains(" passing ("))
        || line.ends_with(" passing")
        || line.ends_with(" failing")
        || line.starts_with("# pass ")
        || line.starts_with("# fail ")
        || line.starts_with("# tests ")
}

/// What compilers say about a place: `a.c:1:2: warning: …`, `a.ts(1,2): error TS1: …`.
pub(super) fn is_diagnostic(line: &str) -> bool {
    let bytes = line.as_bytes();
    let head = &bytes[..bytes.len().min(300)];
    let Some(at) = memchr::memchr_iter(b':', head).find(|at| bytes.get(at + 1) == Some(&b' ')) else {
        return false;
    };
    let (place, said) = (&line[..at], &line[at + 2..]);
    let says = ["warning", "error", "note", "fatal error", "info"].iter().any(|word| said.starts_with(word));
    says && place.ends_with(|c: char| c.is_ascii_digit() || c == ')') && !place.contains(' ')
}

/// Whether a line is a sure sign of a build.
pub(super) fn is_sign(line: &str) -> bool {
    matches!(classify(line), PASSED | STEP | FAILED)
        || line.starts_with("warning: ")
        || line.starts_with("npm WARN")
        || line.starts_with("npm warn ")
        || line.starts_with("test result: ")
        || line.starts_with("===") && line.ends_with("===") && line.len() > 20
}

impl Strategy for Build {
    const LABELS: &'static [&'static str] = &["", "passed", "steps", "failed", ""];
    const SURVEYED: bool = true;
    const TRANSFORMS: &'static [&'static str] = &["repeats"];

    fn cut(text: &str) -> Vec<Piece> {
        lines(text, classify)
    }

    fn write(text: &str, out: &mut String) {
        match log::understand_if_alike(text) {
            Some(log) => log.write(Kept::All, out),
            None => fold::write(text, out),
        }
    }

    fn weigh(pieces: &Pieces<'_, Self>, units: &mut [Unit]) {
        let mut explained = 0;
        let mut firsts = 0;
        for (index, unit) in units.iter_mut().enumerate() {
            match pieces.list[index].label {
                label @ (FAILED | SUMMARY) => {
                    unit.value += if label == FAILED { value::ERROR } else { value::NOTABLE };
                    if firsts < MOST_FIRSTS {
                        unit.must = true;
                        firsts += 1;
                    }
                    explained = if label == FAILED { EXPLANATION } else { 0 };
                }
                label @ (PASSED | STEP) => {
                    unit.value = value::ORDINARY / 5.0;
                    unit.group = u32::MAX - u32::from(label);
                    explained = 0;
                }
                _ => {
                    if unit.value > value::NOTABLE {
                        explained = EXPLANATION;
                    }
                    if explained > 0 {
                        unit.value += value::CONTEXT * 2.0;
                        explained -= 1;
                    }
                }
            }
        }
    }

    fn heeds_signals(label: u8) -> bool {
        !matches!(label, PASSED | STEP)
    }
}

#[cfg(test)]
#[allow(clippy::format_push_string, clippy::format_collect)] // texts of a few lines
mod tests {
    use super::*;
    use crate::cancel::CancelToken;
    use crate::compress::query::Query;

    #[test]
    fn lines_of_common_tools() {
        for (expected, line) in [
            (PASSED, "test pool::tests::drains ... ok"),
            (FAILED, "test pool::tests::drains ... FAILED"),
            (SUMMARY, "test result: FAILED. 3 passed; 1 failed; 0 ignored"),
            (PASSED, "tests/test_a.py::test_error_handling PASSED    [ 10%]"),
            (FAILED, "tests/test_a.py::test_x FAILED    [ 10%]"),
            (FAILED, "E   assert 1 == 2"),
            (SUMMARY, "=== 1 failed, 10 passed in 0.12s ==="),
            (PASSED, "  ✓ adds (3 ms)"),
            (FAILED, "  ✕ adds (3 ms)"),
            (SUMMARY, "Tests:       1 failed, 10 passed, 11 total"),
            (PASSED, "--- PASS: TestX (0.00s)"),
            (FAILED, "--- FAIL: TestX (0.00s)"),
            (PASSED, "ok  \tgithub.com/a/b\t0.1s"),
            (STEP, "   Compiling serde v1.0.1"),
            (FAILED, "error[E0308]: mismatched types"),
            (STEP, "Requirement already satisfied: pytz in /x"),
            (FAILED, "src/a.ts(1,2): error TS2322: no"),
            (FAILED, "a.c:1:2: error: expected ';'"),
            (FAILED, "npm ERR! code ELIFECYCLE"),
            (STEP, "[ 12%] Building C object x.o"),
            (OTHER, "hello world"),
        ] {
            assert_eq!(classify(line), expected, "{line}");
        }
    }

    #[test]
    fn failures_stay_and_what_passed_is_counted() {
        let mut text = String::new();
        for index in 0..200 {
            text.push_str(&format!("tests/test_a.py::test_error_{index} PASSED\n"));
        }
        text.push_str("tests/test_a.py::test_x FAILED\n");
        text.push_str(&text.clone());
        text.push_str("E   assert 1 == 2\n=== 1 failed, 200 passed in 0.12s ===\n");
        let pieces = Pieces::<Build>::new(&text).unwrap();
        let units = pieces.weigh(&Query::default(), &CancelToken::new()).unwrap();
        let flags: Vec<bool> = units.iter().map(|unit| unit.must).collect();
        let mut out = String::new();
        pieces.write(Kept::Some(&flags), &mut out);
        assert_eq!(
            out,
            "[… 200 lines left out: 200 passed]\ntests/test_a.py::test_x FAILED\n[… 200 lines left out: 200 passed]\n\
             tests/test_a.py::test_x FAILED\nE   assert 1 == 2\n=== 1 failed, 200 passed in 0.12s ===\n"
        );
    }
}
