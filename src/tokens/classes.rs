//! What the tokenizers' patterns ask of a character. `scripts/unicode-classes.js` writes the table.

/// `\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}`: what a word may begin with.
pub const UPPER: u8 = 1;
/// `\p{Ll}\p{Lm}\p{Lo}\p{M}`: what it may go on with.
pub const LOWER: u8 = 1 << 1;
/// `\p{L}`
pub const LETTER: u8 = 1 << 2;
/// `\p{N}`
pub const NUMBER: u8 = 1 << 3;
/// `\s`, as JavaScript has it.
pub const SPACE: u8 = 1 << 4;
/// `[\r\n]`
pub const NEWLINE: u8 = 1 << 5;
/// `\p{M}`
pub const MARK: u8 = 1 << 6;

const BLOCK: usize = 128;
const BLOCKS: usize = 0x11_0000 / BLOCK;
static TABLE: &[u8] = include_bytes!("classes.bin");

/// Of ASCII, the first block.
static ASCII: [u8; BLOCK] = {
    let mut ascii = [0; BLOCK];
    let mut at = 0;
    while at < BLOCK {
        ascii[at] = TABLE[BLOCKS + TABLE[0] as usize * BLOCK + at];
        at += 1;
    }
    ascii
};

fn of_point(point: usize) -> u8 {
    TABLE[BLOCKS + usize::from(TABLE[point / BLOCK]) * BLOCK + point % BLOCK]
}

/// The class of the character at `at` and its bytes; no class and no bytes at the end of the text.
#[inline(always)]
pub fn at(text: &[u8], at: usize) -> (u8, usize) {
    match text.get(at) {
        None => (0, 0),
        Some(&byte) if byte < 0x80 => (ASCII[usize::from(byte)], 1),
        Some(_) => beyond_ascii(text, at),
    }
}

/// `text` is UTF-8 and a character starts at `at`.
fn beyond_ascii(text: &[u8], at: usize) -> (u8, usize) {
    let byte = |offset: usize| usize::from(text.get(at + offset).copied().unwrap_or(0x80) & 0x3F);
    let lead = usize::from(text[at]);
    let (point, length) = match lead {
        0..0xE0 => ((lead & 0x1F) << 6 | byte(1), 2),
        0xE0..0xF0 => ((lead & 0xF) << 12 | byte(1) << 6 | byte(2), 3),
        _ => ((lead & 7) << 18 | byte(1) << 12 | byte(2) << 6 | byte(3), 4),
    };
    (of_point(point.min(0x10_FFFF)), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library_where_it_has_a_word() {
        for character in '\0'..=char::MAX {
            let mut bytes = [0; 4];
            let text = character.encode_utf8(&mut bytes);
            let (class, length) = at(text.as_bytes(), 0);
            assert_eq!(length, text.len());
            // JavaScript's `\s` has the byte order mark, and not NEL.
            let space = character.is_whitespace() && character != '\u{85}' || character == '\u{FEFF}';
            assert_eq!(class & SPACE != 0, space, "{character:?}");
            assert_eq!(class & NEWLINE != 0, matches!(character, '\r' | '\n'), "{character:?}");
            if character.is_ascii() {
                assert_eq!(class & LETTER != 0, character.is_ascii_alphabetic(), "{character:?}");
                assert_eq!(class & NUMBER != 0, character.is_ascii_digit(), "{character:?}");
                assert_eq!(class & UPPER != 0, character.is_ascii_uppercase(), "{character:?}");
                assert_eq!(class & LOWER != 0, character.is_ascii_lowercase(), "{character:?}");
            }
        }
    }
}
