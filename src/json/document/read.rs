//! Looking into values: fields, members, texts.

use std::borrow::Cow;

use super::node::Node;
use super::pointer::Token;
use super::source::Kind;
use super::write::write;
use crate::cancel::{CancelToken, Interrupt};
use crate::memory::Block;

impl Node {
    /// The value of an object's member; `name` must need no escapes.
    pub fn field(&self, name: &str) -> Option<Self> {
        if self.kind() == Kind::Object { self.child(&Token::ascii(name)) } else { None }
    }

    /// The values of several members, found in one pass over the keys; `names` must need no escapes.
    pub fn fields<const N: usize>(&self, names: [&str; N]) -> [Option<Self>; N] {
        let Self::Part(source, entry) = self else { return names.map(|name| self.field(name)) };
        let mut found = [const { None }; N];
        let Some(number) = entry.container().filter(|_| self.kind() == Kind::Object) else { return found };
        let container = source.container(number);
        for (key, value) in (0..).map_while(|index| source.member(container, index)) {
            let place = names.iter().position(|name| source.key_is_plain(key, name));
            if let Some(place) = place {
                // Of several, `JSON.parse` keeps the last.
                found[place] = Some(Self::Part(source.clone(), value));
            }
        }
        found
    }

    /// What stands between the quotes of a string.
    pub fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::Part(source, entry) if source.kind(*entry) == Kind::String => {
                Some(source.literal(entry.offset()))
            }
            _ => None,
        }
    }

    /// The text of a string, U+FFFD in place of lone surrogates.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.literal().map(unescaped)
    }

    /// Whether it is this string; `text` must need no escapes.
    pub fn is_text(&self, text: &str) -> bool {
        match self {
            Self::Part(source, entry) if source.kind(*entry) == Kind::String => {
                source.string_is(entry.offset(), text)
            }
            _ => false,
        }
    }

    /// Whether a member is this string.
    pub fn has(&self, name: &str, text: &str) -> bool {
        self.field(name).is_some_and(|field| field.is_text(text))
    }

    /// Keys, as JSON text, and values of an object, in order; none of anything else.
    pub fn members(&self) -> Vec<(Box<[u8]>, Self)> {
        match self {
            Self::Part(source, entry) => match entry.container() {
                Some(number) if source.kind(*entry) == Kind::Object => {
                    let container = source.container(number);
                    let members = (0..).map_while(|index| source.member(container, index));
                    members
                        .map(|(key, value)| {
                            let start = key.offset();
                            let text = &source.text()[start..source.scalar_end(start)];
                            (text.into(), Self::Part(source.clone(), value))
                        })
                        .collect()
                }
                _ => Vec::new(),
            },
            Self::Object(object) => object.members(),
            Self::Array(_) => Vec::new(),
        }
    }

    /// Its JSON text as it stands, if it stands without white space in a text.
    pub fn span(&self) -> Option<&[u8]> {
        let Self::Part(source, entry) = self else { return None };
        let is_compact = entry.container().is_none_or(|number| source.container(number).spaces == 0);
        is_compact.then(|| &source.text()[source.span(*entry)])
    }

    /// Which text it is in, of all of the process, and where: nothing else was or will be there.
    pub fn place(&self) -> Option<[u64; 2]> {
        let Self::Part(source, entry) = self else { return None };
        Some([source.serial(), source.start(*entry) as u64])
    }

    /// Its JSON text, without white space.
    pub fn write(&self, cancel: &CancelToken) -> Result<Block, Interrupt> {
        write(self, cancel)
    }
}

/// The text of what stands between the quotes of a string, U+FFFD in place of lone surrogates.
pub fn unescaped(literal: &[u8]) -> Cow<'_, str> {
    match memchr::memchr(b'\\', literal) {
        None => String::from_utf8_lossy(literal),
        Some(first) => Cow::Owned(unescape(literal, first)),
    }
}

/// The text of a literal whose first backslash is at `first`.
fn unescape(literal: &[u8], first: usize) -> String {
    let mut text = Vec::with_capacity(literal.len());
    text.extend_from_slice(&literal[..first]);
    let mut at = first;
    while let Some(&byte) = literal.get(at) {
        if byte != b'\\' {
            // Escapes stand close together where there are any: JSON in JSON.
            text.push(byte);
            at += 1;
            continue;
        }
        let plain = match literal.get(at + 1) {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'u') => {
                let (character, length) = escaped_character(literal, at);
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                at += length;
                continue;
            }
            Some(&other) => other,
            None => break,
        };
        text.push(plain);
        at += 2;
    }
    String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The character that `\u` and, of a pair, its second half make, and their bytes.
fn escaped_character(literal: &[u8], at: usize) -> (char, usize) {
    let unit = |at: usize| {
        let digits = literal.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
    };
    let units = [unit(at).unwrap_or(0xfffd), unit(at + 6).unwrap_or(0)];
    match char::decode_utf16(units).next() {
        Some(Ok(character)) if character > '\u{ffff}' => (character, 12),
        Some(Ok(character)) => (character, 6),
        _ => (char::REPLACEMENT_CHARACTER, 6),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::json::Text;
    use crate::json::document::Document;

    fn load(json: &str) -> Document {
        Document::load(Text::Bytes(Block::from_bytes(json.as_bytes())), &Arc::default(), &CancelToken::new())
            .unwrap()
    }

    proptest! {
        #[test]
        fn texts_are_those_of_the_strings(text in any::<String>(), units in prop::collection::vec(prop_oneof![0xd7f0u16..0xe010, 0x20u16..0x180], 0..20)) {
            let json = serde_json::to_string(&text).unwrap();
            let document = load(&json);
            prop_assert_eq!(document.root().text().unwrap(), text);
            let escapes = units.iter().fold(String::new(), |text, unit| format!("{text}\\u{unit:04X}"));
            let document = load(&format!("\"{escapes}\""));
            prop_assert_eq!(document.root().text().unwrap(), String::from_utf16_lossy(&units));
        }
    }

    #[test]
    fn fields_are_found_in_one_pass() {
        let document = load(r#"{"a":1,"b":"x","\u0061c":[],"b":"y","d":{}}"#);
        let [a, ac, b, missing] = document.root().fields(["a", "ac", "b", "no"]);
        assert_eq!(a.unwrap().kind(), Kind::Number);
        assert_eq!(ac.unwrap().kind(), Kind::Array);
        assert!(b.unwrap().is_text("y"), "of several, the last");
        assert!(missing.is_none());
        assert!(
            document.root().fields(["b"])[0].as_ref().unwrap().fields(["b"])[0].is_none(),
            "a string has none"
        );
        assert_eq!(document.root().members().len(), 5);
    }

    #[test]
    fn members_of_changed_objects() {
        use crate::json::document::{Change, Pointer};
        let document = load(r#"{"a":1,"b":2,"c":3}"#);
        let pointer = |text: &str| Pointer::parse(&text.encode_utf16().collect::<Vec<_>>()).unwrap();
        let set = Change::Set(load("[7]").root().clone());
        let changed = document
            .with([(pointer("/a"), Change::Remove), (pointer("/b"), set.clone()), (pointer("/d"), set)])
            .unwrap();
        let keys: Vec<_> =
            changed.root().members().into_iter().map(|(key, value)| (key, value.kind())).collect();
        let expected = [(r#""b""#, Kind::Array), (r#""c""#, Kind::Number), (r#""d""#, Kind::Array)];
        assert_eq!(keys, expected.map(|(key, kind)| (key.as_bytes().into(), kind)));
    }
}
