//! Counts and estimates against what tiktoken counts, on the corpus, and how fast they are; what is counted in conversations.

use std::path::PathBuf;
use std::sync::Arc;

use offloop::cancel::{CancelToken, Interrupt};
use offloop::error::{Error, ErrorKind};
use offloop::json::Text;
use offloop::json::document::{Change, Document, Pointer};
use offloop::memory::Block;
use offloop::tokens::{Counts, Encoding, Use, count, count_value, estimate, is_known};
use serde_json::{Value, json};

/// Whether the strings in the messages are meant (one by one) or the whole file, the file, and the tokens that tiktoken counts.
#[rustfmt::skip]
const EXACT: &[(bool, &str, usize)] = &[
    (true, "requests/chat-100k.json", 23_074),
    (false, "requests/chat-100k.json", 29_917),
    (true, "requests/chat-1m.json", 247_670),
    (false, "requests/chat-1m.json", 290_481),
    (true, "requests/chat-20k.json", 1_249),
    (false, "requests/chat-20k.json", 5_296),
    (true, "requests/chat-250k.json", 57_931),
    (false, "requests/chat-250k.json", 71_192),
    (true, "requests/chat-4m.json", 1_005_758),
    (false, "requests/chat-4m.json", 1_167_901),
    (true, "requests/chat-unicode.json", 140_332),
    (false, "requests/chat-unicode.json", 150_182),
    (true, "requests/coding-agent.json", 93_155),
    (false, "requests/coding-agent.json", 108_667),
    (true, "requests/messages-100k.json", 19_501),
    (false, "requests/messages-100k.json", 28_190),
    (true, "requests/messages-1m.json", 240_336),
    (false, "requests/messages-1m.json", 297_056),
    (true, "requests/tool-json-2m.json", 453_471),
    (false, "requests/tool-json-2m.json", 466_797),
    (true, "requests/tool-logs.json", 701_500),
    (false, "requests/tool-logs.json", 720_755),
    (false, "json/canada.json", 938_119),
    (false, "json/citm_catalog.json", 270_855),
    (false, "json/flights.json", 629_850),
    (false, "json/twitter.json", 163_117),
    (false, "logs/Apache_2k.log", 64_500),
    (false, "logs/HDFS_2k.log", 96_898),
    (false, "logs/Linux_2k.log", 86_361),
    (false, "logs/OpenSSH_2k.log", 84_716),
    (false, "logs/OpenStack_2k.log", 298_337),
    (false, "logs/Spark_2k.log", 70_536),
];

fn corpus() -> PathBuf {
    std::env::var_os("OFFLOOP_CORPUS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus")),
        PathBuf::from,
    )
}

fn strings<'v>(value: &'v Value, out: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => out.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(members) => members.values().for_each(|member| strings(member, out)),
        _ => {}
    }
}

/// Adds up what `measure` makes of the texts of an entry.
fn total(messages: bool, name: &str, measure: impl Fn(&str) -> usize) -> usize {
    let text = std::fs::read_to_string(corpus().join(name)).expect(name);
    if !messages {
        return measure(&text);
    }
    let body: Value = serde_json::from_str(&text).expect(name);
    let mut found = Vec::new();
    strings(&body["messages"], &mut found);
    found.into_iter().map(measure).sum()
}

fn is_missing() -> bool {
    let missing = !corpus().exists();
    if missing {
        eprintln!("skipped: there is no corpus at {}", corpus().display());
    }
    missing
}

#[test]
fn counts_are_exact_on_the_corpus() {
    if is_missing() {
        return;
    }
    for &(messages, name, exact) in EXACT {
        assert_eq!(total(messages, name, |text| count(text, Encoding::O200k).unwrap()), exact, "{name}");
    }
}

#[test]
fn estimates_are_within_three_percent_on_the_corpus() {
    if is_missing() {
        return;
    }
    for &(messages, name, exact) in EXACT {
        let estimated = total(messages, name, estimate);
        let error = 100.0 * (estimated as f64 - exact as f64) / exact as f64;
        println!("{name}{}: {estimated} for {exact}, {error:+.2} %", if messages { " (texts)" } else { "" });
        assert!(error.abs() <= 3.0, "{name}: {estimated} for {exact} tokens, {error:+.2} %");
    }
}

fn megabytes_per_second(text: &str, measure: impl Fn(&str) -> usize) -> f64 {
    let times = (0..10).map(|_| {
        let start = std::time::Instant::now();
        std::hint::black_box(measure(std::hint::black_box(text)));
        start.elapsed().as_secs_f64()
    });
    text.len() as f64 / times.fold(f64::MAX, f64::min) / 1e6
}

#[test]
#[ignore = "a measurement: cargo test --profile faults --no-default-features --test tokens -- --ignored --nocapture"]
fn throughput() {
    for encoding in [Encoding::O200k, Encoding::Cl100k] {
        let start = std::time::Instant::now();
        count("a", encoding).unwrap();
        println!("{}: first count after {:.1} ms", encoding.name(), start.elapsed().as_secs_f64() * 1e3);
    }
    let mut texts: Vec<(String, String)> = EXACT
        .iter()
        .filter(|(messages, _, _)| !messages)
        .map(|(_, name, _)| ((*name).to_owned(), std::fs::read_to_string(corpus().join(name)).expect(name)))
        .collect();
    for unit in ["a", " ", "=", "0", "\n", "\u{4e00}", "\u{1f600}", "\u{301}", "ab", "'"] {
        texts.push((format!("1 MB of {unit:?}"), unit.repeat(1_000_000 / unit.len())));
    }
    let mut state = 1u64;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + (state >> 33) as u8 % 26)
    });
    texts.push(("1 MB of letters at random".to_owned(), letters.take(1_000_000).collect()));
    for (name, text) in &texts {
        let exact = |encoding| megabytes_per_second(text, |text| count(text, encoding).unwrap());
        let estimated = megabytes_per_second(text, estimate);
        let (o200k, cl100k) = (exact(Encoding::O200k), exact(Encoding::Cl100k));
        println!("{name}: o200k {o200k:.0} MB/s, cl100k {cl100k:.0} MB/s, estimate {estimated:.0} MB/s");
    }
}

fn load(text: &str) -> Document {
    let text = Text::Bytes(Block::from_bytes(text.as_bytes()));
    Document::load(text, &Arc::default(), &CancelToken::new()).expect("JSON")
}

fn count_of(document: &Document, used: Use, limit: usize) -> Result<Option<Counts>, Error> {
    count_value(document.root(), used, Encoding::O200k, limit, &CancelToken::new())
}

/// The texts of a message or body, besides 3 tokens for each message and for the reply, and other `extra` ones.
fn expected(messages: usize, extra: usize, texts: &[&str]) -> usize {
    3 * messages + extra + texts.iter().map(|text| count(text, Encoding::O200k).unwrap()).sum::<usize>()
}

/// Values, and what is counted in them.
fn conversations() -> Vec<(Value, usize)> {
    let long = "the quick brown fox jumps over the lazy dog ".repeat(20);
    let schema = json!({ "type": "object", "properties": {
        "city": { "type": "string", "description": "Where." },
        "unit": { "type": "string", "enum": ["c", "f"] },
        "days": { "type": "array", "items": { "properties": { "day": { "type": "number" } } } },
    } });
    let tool = json!({ "name": "weather", "description": "The weather.", "parameters": schema });
    let properties = ["city:string:Where", "unit:string:", "c", "f", "days:array:", "day:number:"];
    vec![
        (json!("one text"), expected(0, 0, &["one text"])),
        (json!([]), expected(1, 0, &[])),
        (json!([{ "role": "user", "content": long }]), expected(2, 0, &["user", &long])),
        (
            json!([{ "role": "user", "name": "Jo", "content": [{ "type": "text", "text": "Hi" }, { "type": "image_url" }, "bare"] }]),
            expected(2, 1 + 85, &["user", "Jo", "Hi", "bare"]),
        ),
        (
            json!([{ "role": "assistant", "refusal": "No.", "content": null, "tool_calls": [
                { "function": { "name": "f", "arguments": "{\"a\":1}" } }, { "custom": { "name": "g", "input": "raw" } },
            ] }]),
            expected(2, 0, &["assistant", "No.", "f", "{\"a\":1}", "g", "raw"]),
        ),
        (
            json!([{ "role": "assistant", "content": [
                { "type": "thinking", "thinking": "Hm.", "signature": "not counted" },
                { "type": "tool_use", "id": "not counted", "name": "f", "input": { "a": [1, "b"] } },
            ] }]),
            expected(2, 0, &["assistant", "Hm.", "f", "{\"a\":[1,\"b\"]}"]),
        ),
        (
            json!([{ "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "t", "content": [{ "type": "text", "text": "done" }, { "type": "image" }] },
                { "type": "document", "title": "T", "source": { "type": "text", "data": "words" } },
                { "type": "document", "source": { "type": "base64", "data": "not counted" } },
            ] }]),
            expected(2, 85, &["user", "done", "T", "words"]),
        ),
        (
            json!({ "instructions": "Be brief.", "input": [
                { "type": "function_call", "call_id": "not counted", "name": "f", "arguments": "{}" },
                { "type": "function_call_output", "output": "out" },
                { "type": "reasoning", "summary": [{ "type": "summary_text", "text": "so" }] },
            ] }),
            expected(5, 0, &["system", "Be brief.", "f", "{}", "out", "so"]),
        ),
        (json!({ "input": "Hi" }), expected(2, 0, &["user", "Hi"])),
        (
            json!({ "messages": [], "tools": [{ "type": "function", "function": tool }] }),
            // The tool, two runs of properties, four properties, an enumeration of two, the end.
            expected(1, 7 + 2 * 3 + 4 * 3 + 3 + 12, &[&["weather:The weather"][..], &properties].concat()),
        ),
    ]
}

#[test]
fn conversations_are_counted_in_each_form() {
    for (value, exact) in conversations() {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let document = load(&text);
            for used in [Use::Once, Use::Again, Use::Again] {
                let total = |limit| count_of(&document, used, limit).unwrap().map(|counts| counts.total());
                assert_eq!(total(usize::MAX), Some(exact), "{text}");
                assert_eq!(total(exact), Some(exact), "{text}");
                assert_eq!(exact.checked_sub(1).and_then(total), None, "{text}");
            }
        }
    }
}

#[test]
fn a_changed_document_is_counted_anew_where_it_changed() {
    let document = load(r#"[{"role":"user","content":"one"},{"role":"user","content":"two"}]"#);
    let pointer = |text: &str| Pointer::parse(&text.encode_utf16().collect::<Vec<_>>()).unwrap();
    let count = |document: &Document, used| count_of(document, used, usize::MAX).unwrap().unwrap();
    let before = count(&document, Use::Once);
    assert_eq!(before.messages.len(), 2);
    assert_eq!(count(&document, Use::Again).total(), before.total());
    let set = Change::Set(load(r#""one and some more""#).root().clone());
    let changed = document.with([(pointer("/0/content"), set)]).unwrap();
    assert_eq!(count(&changed, Use::Once).messages, [before.messages[0] + 3, before.messages[1]]);
    for _ in 0..2 {
        assert_eq!(count(&changed, Use::Again).total(), before.total() + 3);
        assert_eq!(count(&document, Use::Again).total(), before.total());
    }
}

#[test]
fn what_was_counted_is_known() {
    let text = "lorem ipsum ".repeat(100);
    let message = format!(r#"{{"role":"user","content":"{text}"}}"#);
    let document = load(&format!(r#"{{"system":"{text}","messages":[{message},{message}]}}"#));
    let pointer = |text: &str| Pointer::parse(&text.encode_utf16().collect::<Vec<_>>()).unwrap();
    let add = |text: &str| (pointer("/messages/-"), Change::Set(load(text).root().clone()));
    let knows = |document: &Document, bytes| is_known(document.root(), Encoding::O200k, bytes);
    assert!(!knows(&document, 2000));
    count_of(&document, Use::Again, usize::MAX).unwrap();
    assert!(knows(&document, 0));
    let short = r#"{"role":"user","content":"one more"}"#;
    let grown = document.with([add(short)]).unwrap();
    assert!(knows(&grown, short.len()) && !knows(&grown, short.len() - 1));
    assert!(!knows(&grown.with([add(&message)]).unwrap(), 1000));
    assert!(!knows(&document.with([(pointer("/messages/0"), Change::Remove)]).unwrap(), 2000));
}

#[test]
fn what_is_not_countable_is_said() {
    for text in ["7", "null", "{}", r#"{"model":"m"}"#] {
        let error = count_of(&load(text), Use::Once, usize::MAX).expect_err(text);
        assert_eq!(error.kind, ErrorKind::InvalidArg);
    }
    let cancel = CancelToken::new();
    cancel.cancel(Interrupt::Aborted);
    let document = load(r#"[{"role":"user"}]"#);
    let error = count_value(document.root(), Use::Once, Encoding::O200k, usize::MAX, &cancel);
    assert_eq!(error.expect_err("cancelled").kind, ErrorKind::Aborted);
}
