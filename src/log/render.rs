//! A record's line.

use super::layout::record;
use super::ring::Record;
use crate::json::escape::escape_text;

/// Appends what the record says; `false` where it makes no sense, with nothing appended.
pub fn render(record: &Record<'_>, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let is_whole = match record.kind {
        record::LINE | record::MORE | record::LARGE => {
            out.extend_from_slice(record.payload);
            true
        }
        record::PIECES => pieces(record.payload, out).is_some(),
        _ => false,
    };
    if !is_whole {
        out.truncate(start);
    }
    is_whole
}

/// Text with strings in it that are to be quoted and escaped.
fn pieces(payload: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (count, rest) = payload.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let [count, length] = [count, length].map(|word| u32::from_ne_bytes(*word) as usize);
    let (mut text, _) = rest.split_at_checked(length)?;
    let table = rest.get(length.next_multiple_of(4)..)?;
    if table.len() != count.checked_mul(8)? {
        return None;
    }
    out.reserve(text.len() + count * 2);
    // Offsets count UTF-16 units. Mostly these are bytes.
    let is_ascii = text.is_ascii();
    let (spans, _) = table.as_chunks::<8>();
    for span in spans {
        let [plain, string] = [&span[..4], &span[4..]].map(|word| word.try_into().map(u32::from_ne_bytes));
        out.extend_from_slice(split(&mut text, plain.ok()? as usize, is_ascii)?);
        out.push(b'"');
        escape_text(out, split(&mut text, string.ok()? as usize, is_ascii)?);
        out.push(b'"');
    }
    out.extend_from_slice(text);
    Some(())
}

/// Splits so many UTF-16 units off the start of UTF-8 text.
fn split<'a>(text: &mut &'a [u8], units: usize, is_ascii: bool) -> Option<&'a [u8]> {
    let bytes = if is_ascii { units } else { bytes_of(text, units)? };
    let (front, rest) = text.split_at_checked(bytes)?;
    *text = rest;
    Some(front)
}

/// The length of `units` UTF-16 units at the start of UTF-8 text.
fn bytes_of(text: &[u8], units: usize) -> Option<usize> {
    let mut left = units;
    let mut at = 0;
    while left > 0 {
        let run = text[at..].iter().take(left).take_while(|byte| byte.is_ascii()).count();
        (at, left) = (at + run, left - run);
        if left == 0 {
            break;
        }
        let (length, takes) = match *text.get(at)? {
            ..0x80 => (1, 1),
            0x80..0xe0 => (2, 1),
            0xe0..0xf0 => (3, 1),
            0xf0.. => (4, 2),
        };
        left = left.checked_sub(takes)?;
        at += length;
    }
    (at <= text.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(kind: u32, payload: &[u8]) -> Record<'_> {
        Record { kind, continues: false, payload, next: 0 }
    }

    fn encode(pieces: &[(String, String)], end: &str) -> Vec<u8> {
        let units = |text: &str| (text.encode_utf16().count() as u32).to_ne_bytes();
        let mut text: String = pieces.iter().flat_map(|(plain, string)| [plain.as_str(), string]).collect();
        text.push_str(end);
        let mut payload = (pieces.len() as u32).to_ne_bytes().to_vec();
        payload.extend((text.len() as u32).to_ne_bytes());
        payload.extend(text.as_bytes());
        payload.resize(payload.len().next_multiple_of(4), 0);
        for (plain, string) in pieces {
            payload.extend(units(plain));
            payload.extend(units(string));
        }
        payload
    }

    proptest! {
        #[test]
        fn pieces_are_what_serde_makes_of_them(pieces in prop::collection::vec((".{0,40}", "(.|\\n|\"|\\\\|[\u{0}-\u{1f}]){0,80}"), 0..6), end in ".{0,9}") {
            let mut expected = String::new();
            for (plain, string) in &pieces {
                expected.push_str(plain);
                expected.push_str(&serde_json::to_string(string).unwrap());
            }
            expected.push_str(&end);
            let mut out = Vec::new();
            prop_assert!(render(&record(record::PIECES, &encode(&pieces, &end)), &mut out));
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }

        #[test]
        fn nonsense_gives_nothing(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut out = b"before".to_vec();
            let is_whole = render(&record(record::PIECES, &payload), &mut out);
            prop_assert!(is_whole || out == b"before");
        }
    }
}
