//! Texts that nobody would write: pieces of all kinds, cut, mixed, repeated and damaged. None may panic, take longer than its
//! length allows, or come back as something else.
//!
//! `OFFLOOP_CASES=100000 cargo test --release --no-default-features --test compress_fuzz` runs it for long.

use std::time::{Duration, Instant};

use offloop::cancel::CancelToken;
use offloop::compress::options::Options;
use offloop::compress::pipeline::{Action, Before, Outcome, Piece, Purpose, Reason, run};
use offloop::compress::store::Store;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// What a megabyte may take without optimisation, on a busy machine: far less than what grows faster than its text.
const PER_MEGABYTE: Duration = Duration::from_secs(60);

/// Beginnings of all that is recognised.
const SEEDS: &[&str] = &[
    "{\"id\": 1, \"name\": \"a\", \"list\": [1, 2.5, null], \"deep\": {\"x\": \"{\\\"y\\\": 1}\"}}",
    "[{\"a\": 1}, {\"a\": 2, \"b\": \"error\"}, {\"a\": 99999}]",
    "[[1, 2], [3, 4], [5, \"x\"]]\n",
    "2024-05-01 10:00:00,123 INFO [worker-1] com.x.Y: did 17 of 20 in 3.5 ms\n",
    "May  1 10:00:00 host sshd[123]: Failed password for root from 10.0.0.1 port 22\n",
    "127.0.0.1 - - [01/May/2024:10:00:00 +0000] \"GET /x HTTP/1.1\" 500 12\n",
    "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    x()\nValueError: no\n",
    "java.lang.IllegalStateException: x\n\tat a.b.C.d(C.java:1)\n\t... 12 more\n",
    "error[E0308]: mismatched types\n --> src/a.rs:1:2\n  |\n1 | x\n  | ^ expected\n\n",
    "FAIL src/a.test.js\n  \u{25cf} adds\n    expect(received).toBe(expected)\n",
    "src/a.rs:12:  let x = 1;\nsrc/a.rs-13-\n--\n",
    "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n",
    "drwxr-xr-x 2 root root 4096 May  1 10:00 src\n-rw-r--r-- 1 root root 12 May  1 10:00 a.rs\n",
    "<table><tr><td>1</td><td>x</td></tr></table>\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "id,name,value\n1,a,2.5\n2,\"b, c\",3\n",
    "fn main() {\n    println!(\"x\");\n}\n",
    "- name: a\n  value: 1\n- name: b\n  value: 2\n",
    "A sentence that says little. Another one, with the number 17.\n",
    "\u{1b}[31mred\u{1b}[0m  \r\n",
    "[offloop:0123456789abcdef 1 of 2 parts left out]\n",
    "\u{1F600}\u{0}\u{FFFD}\u{2028}é",
    "{[\"'`<|,:\\",
];

/// A piece: a seed, where it is cut, how often it is repeated with another number in it.
fn piece() -> impl Strategy<Value = String> {
    let seed = prop_oneof![
        9 => prop::sample::select(SEEDS).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    (seed, any::<prop::sample::Index>(), any::<bool>(), 1usize..80).prop_map(|(seed, cut, is_cut, times)| {
        let end = if is_cut { cut.index(seed.len() + 1) } else { seed.len() };
        let seed: String = seed.char_indices().take_while(|(at, _)| *at < end).map(|(_, c)| c).collect();
        (0..times).map(|time| seed.replace('1', &(time * 7).to_string())).collect()
    })
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..6).prop_map(|pieces| pieces.concat())
}

fn outcomes(text: &str, options: &Options) -> Vec<Outcome> {
    let question = "which one is 17? look for \"error\" in src/a.rs";
    let piece = |text, purpose, led_by| Piece { text, purpose, message: 0, led_by };
    let pieces = [piece(question, Purpose::Count, [None; 2]), piece(text, Purpose::Result, [Some(0), None])];
    run(&pieces, Before::default(), options, &Store::shared(), &CancelToken::new()).unwrap()
}

#[test]
fn any_text_is_shortened_or_left_alone() {
    let cases = std::env::var("OFFLOOP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200);
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    let ratios = prop::option::of(0.01f32..1.0);
    let checked = runner.run(&(text(), ratios), |(text, target_ratio)| {
        let options = Options { target_ratio, cache: false, ..Options::default() };
        let started = Instant::now();
        let [_, outcome] = <[Outcome; 2]>::try_from(outcomes(&text, &options)).unwrap();
        let megabytes = text.len() as f64 / f64::from(1 << 20);
        prop_assert!(started.elapsed() < Duration::from_secs(2) + PER_MEGABYTE.mul_f64(megabytes));
        prop_assert!(!matches!(outcome.reason, Reason::Failed(_) | Reason::Deadline), "{:?}", outcome.reason);
        prop_assert!(outcome.after <= outcome.before);
        match outcome.action {
            Action::Kept => prop_assert!(outcome.text.is_none()),
            Action::Lossy => {
                let original = Store::shared().get(outcome.id.unwrap()).unwrap();
                prop_assert_eq!(original.as_deref(), Some(&*text));
            }
            _ => prop_assert!(outcome.text.is_some()),
        }
        Ok(())
    });
    checked.unwrap();
}
