//! Texts cut into pieces whose tokens are those of the text.

/// Bytes of a piece at most: a longer one is cut wherever it may be, so that hostile texts cost time and memory in proportion.
const LONGEST: usize = 16 << 10;

/// Where texts may be cut without changing their tokens.
pub enum Cuts {
    /// Nowhere.
    None,
    /// Where white space begins.
    Spaces,
    /// Between two ASCII characters that no token has side by side.
    Pairs(Pairs),
}

/// Which ASCII characters stand side by side in tokens: for the first, those that may follow as bits.
pub struct Pairs(Box<[u128; 128]>);

impl Pairs {
    pub fn of<'a>(tokens: impl Iterator<Item = &'a str>) -> Self {
        let mut pairs = Box::new([0; 128]);
        for token in tokens {
            for pair in token.as_bytes().windows(2) {
                if pair[0] < 128 && pair[1] < 128 {
                    pairs[usize::from(pair[0])] |= 1 << pair[1];
                }
            }
        }
        Self(pairs)
    }

    #[inline(always)]
    fn may_part(&self, before: u8, after: u8) -> bool {
        before < 128 && after < 128 && self.0[usize::from(before)] >> after & 1 == 0
    }
}

impl Cuts {
    /// The pieces of a text, one after the other.
    pub fn pieces<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let end = match self {
                Self::None => rest.len(),
                Self::Spaces => end_of(rest, |before, after| before != b' ' && after == b' '),
                Self::Pairs(pairs) => end_of(rest, |before, after| pairs.may_part(before, after)),
            };
            let end = if end > LONGEST { cut_long(&rest[..end]) } else { end };
            let piece;
            (piece, rest) = rest.split_at(end);
            Some(piece)
        })
    }
}

#[inline(always)]
fn end_of(text: &str, may_part: impl Fn(u8, u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    // Farther than that does not matter.
    let window = &bytes[..bytes.len().min(LONGEST + 1)];
    let parted = window.windows(2).position(|pair| may_part(pair[0], pair[1]));
    parted.map_or(bytes.len(), |at| at + 1)
}

/// Where a long piece is cut: at its last blank, if it has one in its second half.
fn cut_long(text: &str) -> usize {
    let end = (0..=LONGEST).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(LONGEST);
    let blank = memchr::memrchr(b' ', &text.as_bytes()[LONGEST / 2..end]);
    blank.map_or(end, |at| LONGEST / 2 + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_text() {
        let long = "é".repeat(LONGEST) + &" word".repeat(LONGEST) + "  end ";
        for cuts in [Cuts::None, Cuts::Spaces, Cuts::Pairs(Pairs::of(["or", "rd", "w d"].into_iter()))] {
            for text in ["", "a", "one two  three", &long] {
                let pieces: Vec<&str> = cuts.pieces(text).collect();
                assert_eq!(pieces.concat(), text);
                assert!(pieces.iter().all(|piece| (1..=LONGEST).contains(&piece.len())));
            }
        }
    }

    #[test]
    fn cuts_where_it_may() {
        let pieces = |cuts: Cuts, text| cuts.pieces(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(pieces(Cuts::None, "a b"), ["a b"]);
        assert_eq!(pieces(Cuts::Spaces, " a  bc,d e "), [" a", "  bc,d", " e", " "]);
        let pairs = Cuts::Pairs(Pairs::of(["bc", " a", "é,"].into_iter()));
        assert_eq!(pieces(pairs, " a  bcé,d"), [" a", " ", " ", "bcé,", "d"]);
    }
}
