//! Keys that reach for prototypes: `__proto__` and `constructor`, however they are escaped.
//!
//! Text that has neither, which is nearly all, is told by three substring searches (memchr's). What they find is looked
//! at from the quote on, so that a word within a string, or an escape of something else, costs nothing more.

use memchr::memmem;

const WORDS: [&[u8]; 2] = [b"__proto__", b"constructor"];

/// The most bytes of a word that is escaped throughout, with its quotes.
const LONGEST: usize = 6 * b"constructor".len() + 2;

/// Whether the JSON text that the chunks make together has such a key. Says yes where the text ends, or is too spread out to
/// tell.
#[must_use]
pub fn has_poison(chunks: &[&[u8]]) -> bool {
    let finders = [
        memmem::Finder::new(b"__proto__\""),
        memmem::Finder::new(b"constructor\""),
        memmem::Finder::new(b"\\u00"),
    ];
    let search = |text: &[u8]| finders.iter().any(|finder| finder.find_iter(text).any(|at| is_key(text, at)));
    if chunks.iter().any(|chunk| search(chunk)) {
        return true;
    }
    // What lies across chunks; short ones are joined until there is enough.
    let mut seam: Vec<u8> = Vec::with_capacity(4 * LONGEST);
    for chunk in chunks {
        seam.extend_from_slice(&chunk[..chunk.len().min(LONGEST)]);
        if search(&seam) {
            return true;
        }
        if chunk.len() > LONGEST {
            seam.clear();
            seam.extend_from_slice(&chunk[chunk.len() - LONGEST..]);
        } else if seam.len() > 2 * LONGEST {
            seam.drain(..seam.len() - LONGEST);
        }
    }
    false
}

/// Whether what was found at `at` belongs to one of the keys: its quote is a few plain letters before.
fn is_key(text: &[u8], at: usize) -> bool {
    let earliest = at.saturating_sub(WORDS[1].len());
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let letters = text[earliest..at].iter().rev().take_while(|byte| is_letter(byte)).count();
    let start = at - letters;
    start > 0 && text[start - 1] == b'"' && WORDS.iter().any(|word| spells(&text[start..], word))
}

/// Whether the text goes on with the word, a quote and a colon.
fn spells(mut text: &[u8], word: &[u8]) -> bool {
    for &letter in word {
        let Some(rest) = without(text, letter) else { return false };
        text = rest;
    }
    let Some((b'"', rest)) = text.split_first() else { return text.is_empty() };
    !matches!(rest.iter().find(|byte| !b" \t\r\n".contains(byte)), Some(byte) if *byte != b':')
}

/// The text behind a letter, which may be escaped.
fn without(text: &[u8], letter: u8) -> Option<&[u8]> {
    match text {
        [first, rest @ ..] if *first == letter => Some(rest),
        [b'\\', b'u', b'0', b'0', high, low, rest @ ..] => {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            (digit(*high)? * 16 + digit(*low)? == u32::from(letter)).then_some(rest)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::has_poison;
    use proptest::prelude::*;

    #[test]
    fn keys_are_found_plain_and_escaped() {
        for text in [
            r#"{"__proto__":1}"#,
            r#"{"a":{"__proto__" : 1}}"#,
            r#"{"\u005f_proto__":1}"#,
            r#"{"_\u005F\u0070\u0072\u006f\u0074\u006F_\u005f"  :1}"#,
            r#"{"constructor":{"prototype":1}}"#,
            r#"{"c\u006fnstructor":{"prototype":1}}"#,
            "{\"__proto__\"\n:1}",
        ] {
            assert!(has_poison(&[text.as_bytes()]), "{text}");
        }
    }

    #[test]
    fn other_text_is_not() {
        for text in [
            "",
            r#"{"proto":1,"__proto":2,"_proto__":3}"#,
            r#"["__proto__","constructor","\u005f_proto__"]"#,
            r#"{"a":"the constructor","b":"say \"__proto__\" and \"constructor\": no"}"#,
            r#"{"x__proto__":1,"\u0041":2,"\u001b[0m":3}"#,
            r#"{"my constructor":1,"\\u005f_proto__":1}"#,
        ] {
            assert!(!has_poison(&[text.as_bytes()]), "{text}");
        }
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(cuts in proptest::collection::vec(0_usize..260, 0..6), poisoned: bool, lead in 0_usize..120) {
            let key = if poisoned { r#""\u005f_prot\u006f__""# } else { r#""\u005f_prot\u006f_""# };
            let text = format!("{{\"{}\":1,{key}:2,\"{}\":3}}", "x".repeat(lead), "y".repeat(90));
            let mut places: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let chunks: Vec<&[u8]> = places.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
            prop_assert_eq!(has_poison(&chunks), poisoned);
        }
    }
}
