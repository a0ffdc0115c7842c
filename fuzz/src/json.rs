//! Scanning and the tape, against `serde_json`.

use offloop::cancel::CancelToken;
use offloop::error::{Error, ErrorKind};
use offloop::json::{self, Tape, Text};
use offloop::memory::Block;
use serde_json::Value;

use crate::tape_model::{Reader, beyond_serde, doubles};

/// Deeper texts would overflow the stack of the models, not of what is tested.
const MODELS_DEPTH: usize = 500;
/// Slices are cut at a megabyte of tape.
const LONGEST: usize = 4 << 20;

fn scan(text: Text) -> Result<Vec<Tape>, Error> {
    json::parse(text.into_utf8().padded(), &CancelToken::new())
}

fn depth(text: &[u8]) -> usize {
    let opens = |byte: &&u8| matches!(byte, b'[' | b'{');
    text.iter().filter(opens).count()
}

/// Texts as they come, mostly malformed: what `JSON.parse` takes is taken, with the same value, and what it rejects is
/// rejected with a place inside of the text; by the scanner of values and by that of documents alike.
///
/// # Panics
///
/// On a difference.
pub fn parse(data: &[u8]) {
    let found = scan(Text::Bytes(Block::from_bytes(data)));
    let text = String::from_utf8_lossy(data);
    let document = json::document::Document::load(
        Text::Bytes(Block::from_bytes(data)),
        &std::sync::Arc::default(),
        &CancelToken::new(),
    );
    match (&found, document) {
        (Ok(_), Ok(_)) => {}
        (Err(error), Err(other)) => assert_eq!(*error, other, "{text}"),
        (found, document) => panic!("{:?}, a document {document:?}: {text}", found.is_ok()),
    }
    if let Err(error) = &found {
        assert_eq!(error.kind, ErrorKind::Syntax);
        let place = error.place.expect("malformed text is malformed somewhere");
        assert!(place.position <= text.encode_utf16().count(), "{place:?}: {text}");
        assert!(place.line >= 1 && place.column >= 1, "{place:?}: {text}");
    }
    if depth(data) > MODELS_DEPTH {
        return;
    }
    match (found, serde_json::from_str::<Value>(&text)) {
        (Ok(tapes), Ok(value)) => assert!(Reader::read(&tapes) == doubles(value), "{text}"),
        (Ok(_), Err(error)) => assert!(beyond_serde(&error.to_string()), "{error}: {text}"),
        (Err(error), Ok(_)) => panic!("{error}: {text}"),
        (Err(_), Err(_)) => {}
    }
}

/// Values large enough to be cut into slices, from UTF-8 and from UTF-16. The first two bytes say how often the text
/// that follows is repeated, and how.
///
/// # Panics
///
/// On a difference.
pub fn tape(data: &[u8]) {
    let Some((&[times, how], text)) = data.split_first_chunk::<2>() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    if depth(text.as_bytes()) > MODELS_DEPTH {
        return;
    }
    let times = usize::from(times) * if how & 1 == 0 { 1 } else { 64 };
    let times = times.clamp(1, 1 + LONGEST / text.len().max(16));
    let (mut whole, expected) = repeated(text, &doubles(value), times, how & 2 != 0);
    whole.push_str(["", " ", "\n\t", "\r\n   "][usize::from(how >> 4 & 3)]);
    let block = if how & 4 == 0 {
        Text::Bytes(Block::from_bytes(whole.as_bytes()))
    } else {
        let units: Vec<u8> = whole.encode_utf16().flat_map(u16::to_ne_bytes).collect();
        Text::Units(Block::from_bytes(&units))
    };
    let tapes = scan(block).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(Reader::read(&tapes) == expected, "{times} times, {how}: {text}");
}

/// A list of the same value, or an object with a key for each.
fn repeated(text: &str, value: &Value, times: usize, is_object: bool) -> (String, Value) {
    let mut whole = String::with_capacity(times * (text.len() + 12));
    whole.push(if is_object { '{' } else { '[' });
    for time in 0..times {
        if time > 0 {
            whole.push(',');
        }
        if is_object {
            whole.push_str(&format!("\"key {time}\":"));
        }
        whole.push_str(text);
    }
    whole.push(if is_object { '}' } else { ']' });
    let expected = if is_object {
        Value::Object((0..times).map(|time| (format!("key {time}"), value.clone())).collect())
    } else {
        Value::Array(vec![value.clone(); times])
    };
    (whole, expected)
}
