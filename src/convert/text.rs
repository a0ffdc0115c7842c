//! Strings of bodies: as they stand there, or made.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::json::document::{Kind, Node, Source, unescaped};
use crate::json::escape::escape_text;

/// A string.
#[derive(Clone, Debug)]
pub enum Text {
    /// Part of what stands between the quotes of a string of a text.
    Part(Arc<Source>, Range<usize>),
    Made(String),
    /// Texts, a line each.
    Lines(Vec<Text>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Made(String::new())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Made(text.to_owned())
    }
}

impl Text {
    /// A string of a document.
    pub fn of(node: &Node) -> Option<Self> {
        let Node::Part(source, entry) = node else { return None };
        if source.kind(*entry) != Kind::String {
            return None;
        }
        let start = entry.offset() + 1;
        Some(Self::Part(Arc::clone(source), start..start + source.literal(entry.offset()).len()))
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Self::Part(_, range) => range.is_empty(),
            Self::Made(text) => text.is_empty(),
            Self::Lines(lines) => matches!(&lines[..], [] | [_]) && lines.iter().all(Self::is_empty),
        }
    }

    /// As it reads, U+FFFD in place of lone surrogates.
    pub fn read(&self) -> Cow<'_, str> {
        match self {
            Self::Part(source, range) => unescaped(&source.text()[range.clone()]),
            Self::Made(text) => Cow::Borrowed(text),
            Self::Lines(lines) => lines.iter().map(Self::read).collect::<Vec<_>>().join("\n").into(),
        }
    }

    /// Its UTF-16 units, where it may have lone surrogates.
    pub fn units(&self) -> Option<Vec<u16>> {
        match self {
            Self::Part(source, range) if memchr::memchr(b'\\', &source.text()[range.clone()]).is_some() => {
                Some(source.units(range.start - 1))
            }
            _ => None,
        }
    }

    pub fn is(&self, text: &str) -> bool {
        self.read() == text
    }

    /// Appends what stands for it between the quotes of a JSON string.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Part(source, range) => out.extend_from_slice(&source.text()[range.clone()]),
            Self::Made(text) => escape_text(out, text.as_bytes()),
            Self::Lines(lines) => {
                for (index, line) in lines.iter().enumerate() {
                    if index > 0 {
                        out.extend_from_slice(b"\\n");
                    }
                    line.write(out);
                }
            }
        }
    }

    /// The parts of a `data:` URL that is base64: its media type with its parameters, and what it has.
    pub fn data_url(&self) -> Option<(Self, Self)> {
        let text = self.read();
        let header = data_url_header(&text)?;
        let (media, data) = match (self, &text) {
            (Self::Part(source, range), Cow::Borrowed(_)) => {
                let part = |start, end| Self::Part(Arc::clone(source), start..end);
                let start = range.start + SCHEME.len();
                (part(start, start + header.media), part(range.start + header.length, range.end))
            }
            (_, text) => {
                let start = SCHEME.len();
                (Self::from(&text[start..start + header.media]), Self::from(&text[header.length..]))
            }
        };
        Some((if header.media == 0 { Self::from("application/octet-stream") } else { media }, data))
    }
}

/// Bytes of the media type with its parameters, and of all that comes before the data.
struct Header {
    media: usize,
    length: usize,
}

const SCHEME: &str = "data:";
/// Bytes of a header at most.
const HEADER: usize = 200;

/// `data:<media type>[;<parameter>]…;base64,`
fn data_url_header(text: &str) -> Option<Header> {
    let rest = text.strip_prefix(SCHEME)?;
    let comma = memchr::memchr(b',', &rest.as_bytes()[..rest.len().min(HEADER)])?;
    let media = rest[..comma].strip_suffix(";base64")?.len();
    Some(Header { media, length: SCHEME.len() + comma + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_taken_apart() {
        let parts = |url: &str| {
            let (media, data) = Text::from(url).data_url()?;
            Some((media.read().into_owned(), data.read().into_owned()))
        };
        let some = |media: &str, data: &str| Some((media.to_owned(), data.to_owned()));
        assert_eq!(parts("data:image/png;base64,iVBO"), some("image/png", "iVBO"));
        assert_eq!(
            parts("data:text/plain;charset=utf-8;base64,aGk="),
            some("text/plain;charset=utf-8", "aGk=")
        );
        assert_eq!(parts("data:;base64,aGk="), some("application/octet-stream", "aGk="));
        assert_eq!(parts("data:text/plain,hi"), None);
        assert_eq!(parts("https://example.com/a;base64,b"), None);
        assert_eq!(parts(&format!("data:{};base64,b", "x".repeat(300))), None);
    }
}
