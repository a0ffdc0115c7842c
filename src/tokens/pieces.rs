//! Cutting text into the pieces that are encoded one by one: what the regular expressions of the encodings match, written out.
//!
//! The expressions are tried in this order at each place (`cl100k_base` has the contractions first, and takes letters of any case):
//!
//! ```text
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+('s|'t|'re|'ve|'m|'ll|'d)?
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*('s|'t|'re|'ve|'m|'ll|'d)?
//! \p{N}{1,3}
//!  ?[^\s\p{L}\p{N}]+[\r\n/]*
//! \s*[\r\n]+
//! \s+(?!\S)
//! \s+
//! ```

use super::Encoding;
use super::classes::{self, LETTER, LOWER, MARK, NEWLINE, NUMBER, SPACE, UPPER};

/// The end of the piece that starts at `start`, which must be in the text.
#[inline(always)]
pub fn piece_end(encoding: Encoding, text: &[u8], start: usize) -> usize {
    let (class, length) = classes::at(text, start);
    let next = start + length;
    if class & LETTER != 0 {
        return word(encoding, text, start).unwrap_or(next);
    }
    if class & NUMBER != 0 {
        return numbers(text, next);
    }
    if encoding == Encoding::Cl100k && text[start] == b'\'' {
        let end = behind_contraction(text, start);
        if end > start {
            return end;
        }
    }
    if class & MARK != 0 && encoding == Encoding::O200k {
        // The first expression, with the mark before the word or as its first letter, comes before the second.
        return cased_word(text, next, false).or_else(|| cased_word(text, start, false)).unwrap_or(next);
    }
    if class & NEWLINE == 0 {
        if let Some(end) = word(encoding, text, next) {
            return end;
        }
        if class & SPACE == 0 {
            return signs(encoding, text, next);
        }
        let (following, length) = classes::at(text, next);
        if text[start] == b' ' && length > 0 && following & (SPACE | LETTER | NUMBER) == 0 {
            return signs(encoding, text, next + length);
        }
    }
    white_space(text, start)
}

/// The end of the word that starts at `start`, if one does.
#[inline(always)]
fn word(encoding: Encoding, text: &[u8], start: usize) -> Option<usize> {
    match encoding {
        Encoding::O200k => cased_word(text, start, true),
        Encoding::Cl100k => {
            let end = behind(text, start, LETTER);
            (end > start).then_some(end)
        }
    }
}

/// The first two expressions without what may stand before the word.
///
/// The first one wants its last letters to be lower case, so capitals that none follow give back what is behind the last letter that is of
/// both kinds; when there is none, the second one, if it is asked for, takes them all.
#[inline(always)]
fn cased_word(text: &[u8], start: usize, second: bool) -> Option<usize> {
    let mut at = start;
    let mut behind_both = None;
    let mut class;
    loop {
        let length;
        (class, length) = classes::at(text, at);
        if class & UPPER == 0 {
            break;
        }
        at += length;
        if class & LOWER != 0 {
            behind_both = Some(at);
        }
    }
    let end = if class & LOWER != 0 {
        behind(text, at, LOWER)
    } else if let Some(end) = behind_both {
        end
    } else if second && at > start {
        at
    } else {
        return None;
    };
    Some(behind_contraction(text, end))
}

/// Behind all characters from `at` on that have one of these classes.
#[inline(always)]
fn behind(text: &[u8], mut at: usize, classes: u8) -> usize {
    loop {
        let (class, length) = classes::at(text, at);
        if class & classes == 0 {
            return at;
        }
        at += length;
    }
}

/// Behind `'s` and its like, if that is what stands at `at`.
#[inline(always)]
fn behind_contraction(text: &[u8], at: usize) -> usize {
    if text.get(at) != Some(&b'\'') {
        return at;
    }
    let letter = |offset: usize| text.get(at + offset).map_or(0, u8::to_ascii_lowercase);
    match (letter(1), letter(2)) {
        (b's' | b't' | b'm' | b'd', _) => at + 2,
        (b'r' | b'v', b'e') | (b'l', b'l') => at + 3,
        _ => at,
    }
}

/// Up to three numbers, of which one was read.
#[inline(always)]
fn numbers(text: &[u8], mut at: usize) -> usize {
    for _ in 0..2 {
        let (class, length) = classes::at(text, at);
        if class & NUMBER == 0 {
            break;
        }
        at += length;
    }
    at
}

/// Signs, of which one was read, and the line breaks behind them.
#[inline(always)]
fn signs(encoding: Encoding, text: &[u8], mut at: usize) -> usize {
    loop {
        let (class, length) = classes::at(text, at);
        if class & (SPACE | LETTER | NUMBER) != 0 || length == 0 {
            break;
        }
        at += length;
    }
    let slash = encoding == Encoding::O200k;
    while let Some(&byte) = text.get(at)
        && (byte == b'\n' || byte == b'\r' || (slash && byte == b'/'))
    {
        at += 1;
    }
    at
}

/// White space: up to the last line break in it; if there is none, all but the character before what follows.
#[inline(always)]
fn white_space(text: &[u8], start: usize) -> usize {
    let mut at = start;
    let mut last = start;
    let mut behind_newline = start;
    loop {
        let (class, length) = classes::at(text, at);
        if class & SPACE == 0 {
            break;
        }
        last = at;
        at += length;
        if class & NEWLINE != 0 {
            behind_newline = at;
        }
    }
    if behind_newline > start {
        behind_newline
    } else if at == text.len() || last == start {
        at
    } else {
        last
    }
}
