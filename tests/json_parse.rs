//! The tape against `serde_json`: a small reader turns a tape back into a value.

use offloop::cancel::{CancelToken, Interrupt};
use offloop::error::ErrorKind;
use offloop::json::layout::word;
use offloop::json::{Tape, Text, parse};
use offloop::memory::Block;
use proptest::prelude::*;
use serde_json::Value;

#[path = "model/tape.rs"]
mod tape;

use tape::{Reader, beyond_serde, doubles};

fn scan(text: &[u8]) -> Result<Vec<Tape>, offloop::error::Error> {
    let mut utf8 = Text::Bytes(Block::from_bytes(text)).into_utf8();
    parse(utf8.padded(), &CancelToken::new())
}

fn read(text: &[u8]) -> Value {
    Reader::read(&scan(text).unwrap())
}

fn agrees(text: &[u8]) {
    let expected: Value = serde_json::from_slice(text).unwrap();
    assert!(read(text) == doubles(expected), "{}", String::from_utf8_lossy(&text[..text.len().min(400)]));
}

fn corpus() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("OFFLOOP_CORPUS")
        .map_or_else(|| "../shared/corpus".into(), std::path::PathBuf::from);
    if !folder.exists() {
        eprintln!("skipped: no corpus at {}", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn the_corpus() {
    let Some(corpus) = corpus() else { return };
    for folder in ["requests", "json"] {
        for entry in std::fs::read_dir(corpus.join(folder)).unwrap() {
            agrees(&std::fs::read(entry.unwrap().path()).unwrap());
        }
    }
}

#[test]
fn every_proper_prefix_of_a_text_is_rejected_at_its_end() {
    let text = r#"{"a": [1, -2.5e3, "x\n\u00e9é", {"b": null, "c": [true, false, []]}], "d": {}}"#.as_bytes();
    agrees(text);
    for end in 0..text.len() {
        let error = scan(&text[..end]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Syntax);
        let place = error.place.unwrap();
        assert!(
            place.position >= String::from_utf8_lossy(&text[..end]).encode_utf16().count().saturating_sub(6),
            "{end}: {error}"
        );
    }
}

#[test]
fn strings_of_every_length_around_the_vectors_and_blocks() {
    for length in (0..140).chain([4000, 4095, 4096, 4097, 32_767, 32_768, 40_000]) {
        for tail in ["", "\\n", "é", "€", "😀", "\\u0041", "\\ud83d\\ude00", "\\\"", "\\\\"] {
            let literal = format!("\"{}{tail}{}\"", "x".repeat(length), "y".repeat(length % 7));
            agrees(format!("[{literal},{literal}, {{{literal}:1,\"k\":{literal}}}]").as_bytes());
        }
    }
}

#[test]
fn many_strings_fill_many_blocks() {
    let items: Vec<String> =
        (0..20_000).map(|i| format!("\"item {i} {}\"", if i % 3 == 0 { "ж" } else { "é" })).collect();
    agrees(format!("[{}]", items.join(",")).as_bytes());
}

#[test]
fn hundreds_of_thousands_of_levels() {
    let depth = 300_000;
    let text = "[".repeat(depth) + &"]".repeat(depth);
    let slices = scan(text.as_bytes()).unwrap();
    let mut reader = Reader::default();
    reader.load(slices.last().unwrap());
    assert_eq!(reader.words[word::DEPTH] as usize, depth);
    assert!(scan(&text.as_bytes()[..2 * depth - 1]).is_err());
}

#[test]
fn a_cancelled_scan_stops() {
    let text = format!("[{}1]", "1,".repeat(1 << 20));
    let mut block = Block::from_bytes(text.as_bytes());
    let cancel = CancelToken::new();
    cancel.cancel(Interrupt::TimedOut);
    assert_eq!(parse(block.padded(), &cancel).unwrap_err().kind, ErrorKind::TaskTimeout);
    assert!(parse(block.padded(), &CancelToken::new()).is_ok(), "the next scan starts afresh");
}

#[test]
fn large_texts_are_cut_into_slices_wherever_a_cut_falls() {
    let row = |i: usize| {
        format!(
            r#"{{"id":{i},"name":"row {i}","at":[{i}.5,{i},-1.25],"tags":["a","b{}"],"o":{{}},"e":[]}}"#,
            i % 7
        )
    };
    for padding in 0..40 {
        let rows: Vec<String> = (0..9000).map(row).collect();
        let object: Vec<String> = (0..9000).map(|i| format!("\"key {i}\":{}", row(i))).collect();
        let text = format!(
            "{{\"pad\":\"{}\",\"deep\":[[[{{\"rows\":[{}],\"more\":1}}]]],\"object\":{{{}}},\"tail\":null}}",
            "x".repeat(padding * 97),
            rows.join(","),
            object.join(",")
        );
        assert!(scan(text.as_bytes()).unwrap().len() >= 3);
        agrees(text.as_bytes());
        if cfg!(debug_assertions) {
            break;
        }
    }
}

#[test]
fn no_text_outgrows_a_slice() {
    let many =
        |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().concat();
    for text in [
        format!("[{}1]", "1,".repeat(1 << 20)),
        format!("[{}1]", "[],".repeat(1 << 19)),
        format!("[{}1]", "1.5,".repeat(1 << 19)),
        format!("[{}1]", many(1 << 18, &|i| format!("\"{i:x}\","))),
        format!("[{}1]", many(1 << 18, &|i| format!("{{\"{i:x}\":1}},"))),
        format!("{{{}\"\":1}}", many(1 << 18, &|i| format!("\"{i:x}\":1,"))),
        format!("{}1{}", "[".repeat(1 << 19), "]".repeat(1 << 19)),
        format!("{}1{}", "{\"\":".repeat(1 << 18), "}".repeat(1 << 18)),
        format!("{}1{}", many(1 << 17, &|i| format!("{{\"{i:x}\":")), "}".repeat(1 << 17)),
        format!("{}1{}", "[0,{\"a\":[],\"b\":[".repeat(1 << 16), "]}]".repeat(1 << 16)),
    ] {
        let mut reader = Reader::default();
        for slice in &scan(text.as_bytes()).unwrap() {
            reader.load(slice);
        }
    }
}

/// JSON text of every kind, with odd white space and escapes.
fn text() -> impl Strategy<Value = String> {
    let string = prop_oneof![
        "[ -~é-ж€\u{1f600}-\u{1f64f}]{0,40}".prop_map(|text| Value::from(text).to_string()),
        Just("\"\\u0061\\/\\b\\f\\n\\r\\t\\\"\\\\\\uD83D\\uDE00\\u00E9\\u20AC\"".to_string()),
    ];
    let number = "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,19})?([eE][-+]?[0-9]{1,2})?";
    let leaf =
        prop_oneof![string.clone(), number, Just("null".into()), Just("true".into()), Just("false".into())];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        let space = "[ \n\r\t]{0,20}";
        let key = prop_oneof![string.clone(), "[ab]".prop_map(|key| format!("\"{key}\""))];
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..8), space).prop_map(|(items, space)| format!(
                "[{space}{}{space}]",
                items.join(&format!("{space},{space}"))
            )),
            (prop::collection::vec((key, inner), 0..8), space).prop_map(|(pairs, space)| {
                let pairs: Vec<String> =
                    pairs.into_iter().map(|(key, value)| format!("{key}{space}:{space}{value}")).collect();
                format!("{{{}}}", pairs.join(&format!(",{space}")))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn generated_texts(text in text()) {
        agrees(text.as_bytes());
    }

    #[test]
    fn damaged_texts_are_judged_alike(text in text(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut damaged = text.into_bytes();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        let repaired = String::from_utf8_lossy(&damaged).into_owned();
        let expected = serde_json::from_str::<Value>(&repaired);
        match scan(&damaged) {
            Ok(slices) => match expected {
                Ok(expected) => prop_assert!(Reader::read(&slices) == doubles(expected)),
                Err(error) => prop_assert!(beyond_serde(&error.to_string()), "{error}: {repaired}"),
            },
            Err(error) => prop_assert!(expected.is_err(), "{error}: {repaired}"),
        }
    }
}
