//! Counts and estimates against what tiktoken counts, on the corpus, and how fast they are.

use std::path::PathBuf;

use offloop::tokens::{Encoding, count, estimate};
use serde_json::Value;

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
