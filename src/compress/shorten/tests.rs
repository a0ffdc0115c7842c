use std::sync::atomic::Ordering::Relaxed;

use super::*;

fn goal(allowance: Option<u32>, query: &Query) -> Goal<'_> {
    Goal { allowance, query, reversible: true }
}

fn text(lines: usize) -> String {
    let line = |line| format!("line {line} of this text says nothing in particular");
    (0..lines).map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn a_long_text_comes_down_to_its_allowance() {
    let text = text(1000) + "here is an error\n" + &text(1000);
    let query = Query::new("");
    let before = tokens::estimate(&text) as u32;
    let short = shorten(&text, before, goal(Some(1000), &query), &CancelToken::new()).unwrap();
    assert_eq!(short.how, How::Lossy);
    assert!(short.after <= 1100, "{}", short.after);
    let written = short.text.unwrap();
    assert!(written.contains("here is an error") && marker::id(&written) == Some(Id::of(&text)));
}

#[test]
fn without_an_allowance_nothing_is_lost() {
    let text = text(1000);
    let query = Query::new("");
    let short = shorten(&text, 12_000, goal(None, &query), &CancelToken::new()).unwrap();
    assert_ne!(short.how, How::Lossy);
}

/// A long text for each kind, of about half a megabyte.
fn long_texts() -> Vec<(&'static str, String)> {
    let all = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let row = |at: usize| {
        format!("{{\"id\":{at},\"name\":\"n{}\",\"sum\":{},\"ok\":true}}", at * 31 % 977, at * 7919)
    };
    let rows = |count, between: &str| all(count, &|at| row(at) + between);
    let listed = |items: String| format!("[{}]", items.trim_end_matches(','));
    let clock = |at: usize| format!("10:{:02}:{:02}", at / 60 % 60, at % 60);
    let word = |at: usize| ["cart", "order", "user", "stock", "price", "label", "token"][at % 7];
    vec![
        (
            "log",
            all(10_000, &|at| format!("2024-05-01 {} INFO GET /users/{at} {} ms\n", clock(at), at * 7 % 991)),
        ),
        ("table", listed(rows(10_000, ","))),
        ("lines of JSON", rows(10_000, "\n")),
        ("items", listed(all(10_000, &|at| format!("\"a text, the {at}th, that is like no other one\",")))),
        ("nested", listed(all(2_000, &|at| format!("{{\"id\":{at},\"of\":{}}},", listed(rows(6, ",")))))),
        (
            "texts in JSON",
            listed(all(40, &|at| format!("{{\"id\":{at},\"text\":\"{}\"}},", "some words. ".repeat(1000)))),
        ),
        (
            "grid",
            format!("id,name,sum\n{}", all(20_000, &|at| format!("{at},n{},{}\n", at * 31 % 977, at * 7919))),
        ),
        ("pipes", format!("|id|name|\n|-|-|\n{}", all(20_000, &|at| format!("|{at}|n{}|\n", at * 31 % 977)))),
        (
            "prose",
            all(6_000, &|at| format!("The {at}th sentence of this text says {}. And so on.\n", at * 7919)),
        ),
        ("one line", "some words without an end, ".repeat(20_000)),
        ("code", all(9_000, &|at| format!("{at}:    let value_{at} = compute(value_{}, {at});\n", at / 2))),
        (
            "diff",
            format!(
                "diff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,9000 +1,9000 @@\n{}",
                all(9_000, &|at| format!("{}let value_{at} = compute({at});\n", ["-", "+", " "][at % 3]))
            ),
        ),
        (
            "search",
            all(9_000, &|at| {
                format!("src/{}/{}.rs:{at}:let value = compute({at});\n", word(at), word(at / 7))
            }),
        ),
        ("listing", all(12_000, &|at| format!("./src/{}/{}/file-{at}.rs\n", word(at / 700), word(at / 100)))),
        (
            "build",
            all(9_000, &|at| {
                format!(
                    "test {}::{}_{at} ... ok\n   Compiling {} v0.{at}.0\n",
                    word(at),
                    word(at / 7),
                    word(at)
                )
            }),
        ),
        (
            "trace",
            all(4_000, &|at| {
                format!(
                    "java.io.IOException: {at}\n\tat a.b.{}(C.java:{at})\n\tat java.util.{}(D.java:1)\n",
                    word(at),
                    word(at / 7)
                )
            }),
        ),
        (
            "records",
            all(6_000, &|at| {
                format!("- id: {at}\n  name: {}\n  sum: {}\n  tags:\n    - x{at}\n", word(at), at * 7919)
            }),
        ),
        (
            "page",
            format!(
                "<html><body>{}</body></html>",
                all(6_000, &|at| format!(
                    "<p>The {at}th <b>paragraph</b> says {}.</p>\n<table><tr><td>{at}</td></tr></table>",
                    at * 7919
                ))
            ),
        ),
    ]
}

#[test]
fn an_interrupted_text_stops_wherever_it_is() {
    let query = Query::new("what of n77?");
    let run = |text: &str, most: usize| {
        let (cancel, looks) = CancelToken::after(most);
        let done = cancel.scope(|| shorten(text, 100_000, goal(Some(2000), &query), &cancel));
        (done.is_ok(), looks.before.load(Relaxed), looks.after.load(Relaxed))
    };
    for (name, text) in long_texts() {
        let (done, looks, _) = run(&text, usize::MAX);
        assert!(
            done && looks > 2 * text.len() / MOST_BETWEEN,
            "{name}: {looks} looks at {} bytes",
            text.len()
        );
        for tenth in 0..10 {
            let (done, _, after) = run(&text, looks * tenth / 10);
            assert!(
                !done && after <= MOST_AFTER,
                "{name}: {after} looks after that at {tenth}/10 of {looks}"
            );
        }
    }
}

/// Bytes of a text for each look at whether to stop, and looks after one has said so.
const MOST_BETWEEN: usize = 64 << 10;
const MOST_AFTER: usize = 40;

#[test]
fn an_interrupted_text_stops() {
    let cancel = CancelToken::new();
    cancel.cancel(crate::cancel::Interrupt::Aborted);
    let query = Query::new("");
    assert!(shorten("some text", 3, goal(None, &query), &cancel).is_err());
}
