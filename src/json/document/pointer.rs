//! JSON Pointers (RFC 6901).

use std::fmt;

/// Most tokens of a pointer that names a change. Deeper changes would nest deeper than the stack allows for.
pub const MAX_CHANGE_DEPTH: usize = 500;

/// A pointer: the tokens on the way from the root.
#[derive(Clone, Debug)]
pub struct Pointer {
    tokens: Vec<Token>,
}

/// One step of a pointer.
#[derive(Clone, Debug)]
pub struct Token {
    units: Vec<u16>,
    /// The token in UTF-8, unless it has characters that a JSON string escapes: then no key without escapes equals it.
    plain: Option<String>,
}

/// The text is not a JSON Pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPointer;

impl Pointer {
    /// Reads a pointer of UTF-16 units.
    pub fn parse(units: &[u16]) -> Result<Self, NotAPointer> {
        let mut tokens = Vec::new();
        if let Some((&first, rest)) = units.split_first() {
            if first != u16::from(b'/') {
                return Err(NotAPointer);
            }
            for token in rest.split(|&unit| unit == u16::from(b'/')) {
                tokens.push(Token::parse(token)?);
            }
        }
        Ok(Self { tokens })
    }

    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

impl From<Vec<Token>> for Pointer {
    fn from(tokens: Vec<Token>) -> Self {
        Self { tokens }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            let text = String::from_utf16_lossy(&token.units);
            write!(f, "/{}", text.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

impl Token {
    fn parse(escaped: &[u16]) -> Result<Self, NotAPointer> {
        let mut units = Vec::with_capacity(escaped.len());
        let mut rest = escaped.iter();
        while let Some(&unit) = rest.next() {
            units.push(if unit == u16::from(b'~') {
                match rest.next().and_then(|&unit| u8::try_from(unit).ok()) {
                    Some(b'0') => u16::from(b'~'),
                    Some(b'1') => u16::from(b'/'),
                    _ => return Err(NotAPointer),
                }
            } else {
                unit
            });
        }
        Ok(Self::new(units))
    }

    pub fn new(units: Vec<u16>) -> Self {
        let escapes = |&unit: &u16| unit < 0x20 || unit == u16::from(b'"') || unit == u16::from(b'\\');
        let plain = if units.iter().any(escapes) { None } else { String::from_utf16(&units).ok() };
        Self { units, plain }
    }

    /// A token of ASCII.
    pub fn ascii(name: &str) -> Self {
        Self::new(name.encode_utf16().collect())
    }

    pub fn units(&self) -> &[u16] {
        &self.units
    }

    pub fn plain(&self) -> Option<&str> {
        self.plain.as_deref()
    }

    /// The token as an array index: digits without a leading zero.
    pub fn index(&self) -> Option<usize> {
        let digits = self.plain.as_deref()?;
        let canonical = digits == "0" || !digits.starts_with('0');
        let is_index = canonical && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_index { digits.parse().ok() } else { None }
    }

    /// Whether it names the place behind an array's last item.
    pub fn is_end(&self) -> bool {
        self.plain.as_deref() == Some("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<String>, NotAPointer> {
        let pointer = Pointer::parse(&text.encode_utf16().collect::<Vec<_>>())?;
        Ok(pointer.tokens().iter().map(|token| String::from_utf16_lossy(token.units())).collect())
    }

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(tokens("").unwrap(), Vec::<String>::new());
        assert_eq!(tokens("/foo/0").unwrap(), ["foo", "0"]);
        assert_eq!(tokens("/").unwrap(), [""]);
        assert_eq!(tokens("/a~1b").unwrap(), ["a/b"]);
        assert_eq!(tokens("/m~0n").unwrap(), ["m~n"]);
        assert_eq!(tokens("/~01").unwrap(), ["~1"]);
        assert_eq!(tokens("/k\"l/ /").unwrap(), ["k\"l", " ", ""]);
    }

    #[test]
    fn what_is_no_pointer() {
        for text in ["a", "#/a", "/~", "/~2", "/a~/b", " /a"] {
            assert_eq!(tokens(text), Err(NotAPointer), "{text}");
        }
    }

    #[test]
    fn array_indexes_have_no_leading_zeros() {
        let index = |text: &str| Token::ascii(text).index();
        assert_eq!(index("0"), Some(0));
        assert_eq!(index("10"), Some(10));
        for text in ["", "01", "00", "-1", "1.0", "1e0", " 1", "-", "99999999999999999999999"] {
            assert_eq!(index(text), None, "{text}");
        }
        assert!(Token::ascii("-").is_end());
    }
}
