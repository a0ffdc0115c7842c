//! A text with its index: what documents share.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::account::{Account, Held};
use super::cursor::Cursor;
use super::index::{Container, Entry, Index, Key, Stop, index};
use super::keys::{Keys, MANY, hash_plain, hash_token, hash_units};
use super::pointer::Token;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};
use crate::json::number::{self, Number};
use crate::json::simd::{self, Kernel, Lanes, detected};
use crate::json::strings::Characters;
use crate::json::text::Text;
use crate::json::unescape;
use crate::json::{escape, scan};
use crate::memory::{Block, Padded, Sealed};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

/// Immutable JSON text, valid UTF-8, with its index.
#[derive(Debug)]
pub struct Source {
    text: Sealed,
    index: Index,
    /// Of large objects, by the number of the container.
    keys: HashMap<usize, Keys>,
    held: Held,
    /// No other text of the process has it.
    serial: u64,
}

/// How many texts there have been.
static TEXTS: AtomicU64 = AtomicU64::new(0);

impl Source {
    /// Reads a text; what `parse` rejects is rejected with the same error.
    pub fn read(text: Text, account: &Arc<Account>, cancel: &CancelToken) -> Result<Arc<Self>, Error> {
        let is_from_js = matches!(text, Text::Units(_));
        let text = text.into_utf8().seal();
        let index = index_or_explain(text.padded(), cancel)?;
        if is_from_js && let Some(escaped) = escape_surrogates(text.as_slice()) {
            return Self::read(Text::Bytes(escaped), account, cancel);
        }
        let held = Held::bytes(account, text.footprint() + index.footprint());
        let serial = TEXTS.fetch_add(1, Ordering::Relaxed);
        let mut source = Self { text, index, keys: HashMap::new(), held, serial };
        source.make_keys(cancel)?;
        Ok(Arc::new(source))
    }

    fn make_keys(&mut self, cancel: &CancelToken) -> Result<(), Error> {
        let mut keys = HashMap::new();
        for number in self.index.large(2 * MANY) {
            let container = self.container(number);
            if self.text()[container.start as usize] == b'{' {
                cancel.check()?;
                keys.insert(number, self.keys_of(container));
            }
        }
        let footprint = keys.values().map(Keys::footprint).sum::<usize>();
        if footprint > 0 {
            self.held.add(footprint);
            self.keys = keys;
        }
        Ok(())
    }

    fn keys_of(&self, object: &Container) -> Keys {
        let key = |member| self.member(object, member).map(|(key, _)| key);
        let hash = |member| match key(member) {
            Some(key) if key.has_escapes() => hash_units(&self.units(key.offset())),
            Some(key) => hash_plain(self.literal(key.offset())),
            None => 0,
        };
        let same = |one, other| match (key(one), key(other)) {
            (Some(one), Some(other)) if one.has_escapes() || other.has_escapes() => {
                self.units(one.offset()) == self.units(other.offset())
            }
            (Some(one), Some(other)) => self.literal(one.offset()) == self.literal(other.offset()),
            _ => false,
        };
        Keys::new(Index::len_of_object(object), hash, same)
    }

    pub fn account(&self) -> &Arc<Account> {
        self.held.account()
    }

    pub fn serial(&self) -> u64 {
        self.serial
    }

    pub fn text(&self) -> &[u8] {
        self.text.as_slice()
    }

    /// A value of the text, for a scanner.
    pub fn padded(&self, entry: Entry) -> Padded<'_> {
        self.text.padded().value(self.span(entry))
    }

    /// The whole text.
    pub fn whole(&self) -> Padded<'_> {
        self.text.padded()
    }

    pub fn root(&self) -> Entry {
        self.index.root
    }

    pub fn container(&self, number: usize) -> &Container {
        self.index.container(number)
    }

    pub fn item(&self, container: &Container, index: usize) -> Option<Entry> {
        self.index.item(container, index)
    }

    pub fn member(&self, container: &Container, index: usize) -> Option<(Key, Entry)> {
        self.index.member(container, index)
    }

    pub fn start(&self, entry: Entry) -> usize {
        entry.container().map_or_else(|| entry.offset(), |number| self.container(number).start as usize)
    }

    pub fn end(&self, entry: Entry) -> usize {
        match entry.container() {
            Some(number) => self.container(number).end as usize,
            None => self.scalar_end(entry.offset()),
        }
    }

    pub fn span(&self, entry: Entry) -> Range<usize> {
        self.start(entry)..self.end(entry)
    }

    /// Bytes of the value's text without white space.
    pub fn compact_length(&self, entry: Entry) -> usize {
        let spaces = entry.container().map_or(0, |number| self.container(number).spaces as usize);
        self.span(entry).len() - spaces
    }

    pub fn kind(&self, entry: Entry) -> Kind {
        match self.text()[self.start(entry)] {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::String,
            b't' => Kind::True,
            b'f' => Kind::False,
            b'n' => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// Behind the string, number or literal at `start`.
    pub fn scalar_end(&self, start: usize) -> usize {
        detected(ScalarEnd(Cursor::new(self.whole(), start)))
    }

    pub fn key_is(&self, key: Key, token: &Token) -> bool {
        if key.has_escapes() {
            return self.units(key.offset()) == token.units();
        }
        let Some(plain) = token.plain() else { return false };
        let rest = &self.text()[key.offset() + 1..];
        // The closing quote comes first: most keys differ in length.
        rest.get(plain.len()) == Some(&b'"') && rest.starts_with(plain.as_bytes())
    }

    /// The same for a key that needs no escapes.
    pub fn key_is_plain(&self, key: Key, name: &str) -> bool {
        if key.has_escapes() {
            return self.units(key.offset()) == name.encode_utf16().collect::<Vec<_>>();
        }
        let rest = &self.text()[key.offset() + 1..];
        rest.get(name.len()) == Some(&b'"') && rest.starts_with(name.as_bytes())
    }

    /// The place of an object's last member with this key: of several, `JSON.parse` keeps the last.
    pub fn find(&self, number: usize, token: &Token) -> Option<usize> {
        let object = self.container(number);
        let is_it = |index: usize| self.member(object, index).is_some_and(|(key, _)| self.key_is(key, token));
        match self.keys.get(&number) {
            Some(keys) => keys.find(hash_token(token), is_it),
            None => (0..Index::len_of_object(object)).rev().find(|&index| is_it(index)),
        }
    }

    /// Whether several members of an object may have the same key.
    pub fn may_repeat(&self, number: usize) -> bool {
        self.keys.get(&number).is_none_or(|keys| keys.has_duplicates)
    }

    /// What stands between the quotes of the string at `start`.
    pub fn literal(&self, start: usize) -> &[u8] {
        &self.text()[start + 1..self.scalar_end(start) - 1]
    }

    /// What stands between the quotes of the string at `start`, and how many UTF-16 units it is.
    pub fn measured(&self, start: usize) -> (&[u8], usize) {
        detected(Measure { text: self.whole(), start: start + 1 })
    }

    /// Units of the string whose opening quote is at `start`.
    pub fn units(&self, start: usize) -> Vec<u16> {
        detected(Units(self.literal(start)))
    }

    /// Whether the string at `start` is this one; `text` must need no escapes.
    pub fn string_is(&self, start: usize, text: &str) -> bool {
        let rest = &self.text()[start + 1..];
        if rest.get(text.len()) == Some(&b'"') && rest.starts_with(text.as_bytes()) {
            return true;
        }
        let has_escapes = memchr::memchr(b'\\', self.literal(start)).is_some();
        has_escapes && self.units(start) == text.encode_utf16().collect::<Vec<_>>()
    }

    /// The value of a number.
    pub fn number(&self, entry: Entry) -> f64 {
        // SAFETY: a number starts here, as the index has seen, in padded text.
        match unsafe { number::parse(self.text().as_ptr().add(entry.offset())) } {
            Ok((Number::Integer(value), _)) => value as f64,
            Ok((Number::Float(value), _)) => value,
            Err(_) => f64::NAN,
        }
    }

    /// The characters of the string at `start`.
    pub fn characters(&self, start: usize) -> Characters {
        detected(Narrow(self.literal(start))).map_or_else(
            || Characters::Utf16(self.units(start).into()),
            |text| Characters::Latin1(text.into()),
        )
    }
}

fn index_or_explain(text: Padded<'_>, cancel: &CancelToken) -> Result<Index, Error> {
    match index(text, cancel) {
        Ok(index) => Ok(index),
        Err(Stop::Interrupted(interrupt)) => Err(interrupt.into()),
        // The scanner finds the same fault, and has the words for it.
        Err(Stop::Malformed) => {
            scan::parse(text, cancel)?;
            Err(Error::new(ErrorKind::TooLarge, "the JSON text is longer than a Document can be"))
        }
    }
}

/// Text with escapes in place of lone surrogates, which UTF-8 cannot have; nothing if there are none.
///
/// The text is JSON, so they are in strings, where escapes mean the same.
fn escape_surrogates(text: &[u8]) -> Option<Block> {
    let is_surrogate = |at: &usize| text[at + 1] >= 0xa0;
    let count = memchr::memchr_iter(0xed, text).filter(is_surrogate).count();
    if count == 0 {
        return None;
    }
    let mut block = Block::with_capacity(text.len() + 3 * count);
    let mut done = 0;
    for at in memchr::memchr_iter(0xed, text).filter(is_surrogate) {
        let unit = 0xd000 | u16::from(text[at + 1] & 0x3f) << 6 | u16::from(text[at + 2] & 0x3f);
        block.extend(&text[done..at]);
        block.extend(format!("\\u{unit:04x}").as_bytes());
        done = at + 3;
    }
    block.extend(&text[done..]);
    Some(block)
}

/// What stands for these units in a JSON string, with its quotes.
pub fn quote(units: &[u16]) -> Box<[u8]> {
    let mut out = Vec::with_capacity(units.len() + 2);
    <escape::Utf8 as escape::Text>::ascii(&mut out, b"\"");
    <escape::Utf8 as escape::Text>::escaped(&mut out, units, &mut Vec::new());
    <escape::Utf8 as escape::Text>::ascii(&mut out, b"\"");
    out.into_boxed_slice()
}

struct ScalarEnd<'a>(Cursor<'a>);

impl Kernel for ScalarEnd<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<V: Lanes>(mut self) -> usize {
        // The text has been checked.
        let _ = self.0.scalar::<V>();
        self.0.at
    }
}

/// Finds the end of a literal whose inside begins at `start`, and counts its UTF-16 units.
struct Measure<'a> {
    text: Padded<'a>,
    start: usize,
}

impl<'a> Kernel for Measure<'a> {
    type Output = (&'a [u8], usize);

    #[inline(always)]
    fn run<V: Lanes>(self) -> Self::Output {
        let text = self.text.as_slice();
        let mut at = self.start;
        // Bytes of escapes beyond one each, and whether all bytes are ASCII.
        let (mut surplus, mut ascii) = (0, true);
        // 1 when the vector before ended in a backslash that escapes the first byte of this one.
        let mut carried = 0;
        loop {
            assert!(at < text.len(), "a literal of a text that was read has an end");
            // SAFETY: within the text, whose padding is wider than a vector.
            let lanes = unsafe { V::load(text.as_ptr().add(at)) };
            let escaped = escaped(lanes.backslashes(), carried);
            let quotes = lanes.quotes() & !escaped;
            let length = (quotes.trailing_zeros() as usize).min(V::WIDTH);
            if escaped != 0 {
                let inside = simd::before(escaped, length);
                // An escape has two bytes, and four more when it is `\uXXXX`.
                surplus += inside.count_ones() + 4 * (inside & lanes.equal(b'u')).count_ones();
            }
            ascii &= simd::before(lanes.high(), length) == 0;
            at += length;
            if quotes != 0 {
                let literal = &text[self.start..at];
                let characters = if ascii { literal.len() } else { units_of_characters(literal) };
                return (literal, characters - surplus as usize);
            }
            carried = escaped >> V::WIDTH;
        }
    }
}

/// Bytes that a backslash before them escapes, up to the one behind the vector. `carried` is 1 when the first byte is.
#[inline(always)]
fn escaped(backslashes: u64, carried: u64) -> u64 {
    let followers = backslashes << 1 | carried;
    if backslashes & followers == 0 {
        return followers;
    }
    // Of backslashes in a row every other one escapes.
    let mut escaped = carried;
    let mut left = backslashes & !carried;
    while left != 0 {
        let first = left & left.wrapping_neg();
        escaped |= first << 1;
        left &= !(first | first << 1);
    }
    escaped
}

/// Units of text without escapes: one per lead byte, one more for characters of four bytes.
fn units_of_characters(text: &[u8]) -> usize {
    // At most 2 × 127 a chunk, so that a byte can count them.
    let chunk = |chunk: &[u8]| -> u8 {
        chunk.iter().map(|&byte| u8::from(byte & 0xc0 != 0x80) + u8::from(byte >= 0xf0)).sum()
    };
    text.chunks(127).map(|bytes| usize::from(chunk(bytes))).sum()
}

/// The inside of a literal of a [`Source`]'s text.
struct Units<'a>(&'a [u8]);

impl Kernel for Units<'_> {
    type Output = Vec<u16>;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Vec<u16> {
        let Range { start, end } = self.0.as_ptr_range();
        let mut units = Vec::with_capacity(self.0.len() + unescape::SLACK);
        // SAFETY: the literal lies in padded text behind its opening and before its closing quote, is valid UTF-8, and
        // there is room.
        unsafe {
            let length = unescape::utf16::<V>(start, end, units.as_mut_ptr()).unwrap_or(0);
            units.set_len(length);
        }
        units
    }
}

/// As [`Units`]; nothing if a character does not fit a byte.
struct Narrow<'a>(&'a [u8]);

impl Kernel for Narrow<'_> {
    type Output = Option<Vec<u8>>;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Option<Vec<u8>> {
        let Range { start, end } = self.0.as_ptr_range();
        let mut bytes = Vec::with_capacity(self.0.len() + unescape::SLACK);
        // SAFETY: as above.
        unsafe {
            let length = unescape::latin1::<V>(start, end, bytes.as_mut_ptr()).ok()?;
            bytes.set_len(length);
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_literal_is_measured_as_the_string_it_means(
            parts in prop::collection::vec(prop_oneof![any::<String>(), "[\\\\\"\\nu]{0,40}", "[ -~]{0,40}"], 0..6),
            escape_all in any::<bool>(),
        ) {
            let text = parts.concat();
            let units: Vec<u16> = text.encode_utf16().collect();
            let literal = if escape_all {
                let escapes: Vec<String> = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
                format!("\"{}\"", escapes.concat())
            } else {
                serde_json::to_string(&text).unwrap()
            };
            let before = r#"["\\\"", "#;
            let json = format!(r#"{before}{literal}, "\\"]"#);
            let block = Block::from_bytes(json.as_bytes());
            let source = Source::read(Text::Bytes(block), &Arc::default(), &CancelToken::new()).unwrap();
            let start = before.len();
            let (inside, length) = source.measured(start);
            prop_assert_eq!(inside, source.literal(start));
            prop_assert_eq!(length, source.units(start).len());
        }
    }
}
