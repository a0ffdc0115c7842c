//! What the reader of a text is after.
//!
//! A [`Query`] is read from a question: the user's text and the tool call that led to a tool's result. Its words rank
//! units by BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009); its ids and quoted words are
//! looked for exactly.

use std::ops::Range;

use memchr::memmem::{Finder, FinderBuilder};

use super::form::value;
use super::words::{WordHash, boundary, words};
use crate::cancel;

/// Most words that rank, and most needles: a question has a few, and what has more is no question.
const MAX_WORDS: usize = 64;
const MAX_NEEDLES: usize = 24;
/// Bytes of a question that are looked at.
const MAX_TEXT: usize = 16 << 10;
/// Bytes of a needle.
const NEEDLE: std::ops::RangeInclusive<usize> = 3..=120;

/// BM25's constants, at their usual values.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// Words that say nothing about what is asked for.
const STOP_WORDS: &[&str] = &[
    "a", "about", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by",
    "can", "could", "did", "do", "does", "find", "for", "from", "get", "give", "had", "has", "have", "he",
    "her", "here", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "know", "let",
    "like", "list", "look", "me", "my", "need", "no", "not", "of", "ok", "on", "one", "or", "our", "out",
    "please", "she", "should", "show", "so", "some", "tell", "than", "thank", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "to", "up", "us", "use", "want", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "would", "yes", "you", "your",
];

/// Words, ids and quoted words of a question.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Distinct words, by hash.
    words: Vec<WordHash>,
    /// Slots by the low bits of a hash: the place of a word, from 1.
    table: Vec<u8>,
    needles: Vec<Needle>,
}

/// What is looked for exactly.
#[derive(Clone, Debug)]
struct Needle {
    finder: Finder<'static>,
    /// Whether it must not be part of a longer word on this side.
    bounded: (bool, bool),
}

impl Needle {
    fn new(text: &str) -> Self {
        let ends = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
        let bytes = text.as_bytes();
        Self {
            finder: FinderBuilder::new().build_forward(bytes).into_owned(),
            bounded: (ends(bytes.first()), ends(bytes.last())),
        }
    }

    fn len(&self) -> usize {
        self.finder.needle().len()
    }

    /// Where it is first, from `from` on.
    fn find(&self, text: &[u8], mut from: usize) -> Option<usize> {
        loop {
            let at = from + self.finder.find(&text[from..])?;
            let before = at.checked_sub(1).is_some_and(|before| is_word(text[before]));
            let after = text.get(at + self.len()).is_some_and(|after| is_word(*after));
            if !(self.bounded.0 && before || self.bounded.1 && after) {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

impl Query {
    pub fn new(text: &str) -> Self {
        let text = &text[..boundary(text, MAX_TEXT)];
        let mut query = Self::default();
        for (range, hash) in words(text.as_bytes()) {
            let word = text[range].to_ascii_lowercase();
            let says_nothing = word.len() < 2 || STOP_WORDS.binary_search(&word.as_str()).is_ok();
            if !says_nothing && query.words.len() < MAX_WORDS && !query.words.contains(&hash) {
                query.words.push(hash);
            }
        }
        query.make_table();
        for needle in quoted(text).chain(ids(text)) {
            query.add_needle(needle);
        }
        query
    }

    fn make_table(&mut self) {
        if self.words.is_empty() {
            return;
        }
        self.table = vec![0; 4 * MAX_WORDS];
        for (place, word) in self.words.iter().enumerate() {
            let mut slot = word.slot(self.table.len());
            while self.table[slot] != 0 {
                slot = (slot + 1) % self.table.len();
            }
            self.table[slot] = place as u8 + 1;
        }
    }

    fn add_needle(&mut self, text: &str) {
        let is_known = self.needles.iter().any(|needle| needle.finder.needle() == text.as_bytes());
        if NEEDLE.contains(&text.len()) && !is_known && self.needles.len() < MAX_NEEDLES {
            self.needles.push(Needle::new(text));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.needles.is_empty()
    }

    /// The place of a word among those of the query.
    fn place(&self, word: WordHash) -> Option<usize> {
        let mut slot = word.slot(self.table.len());
        while self.table[slot] != 0 {
            let place = usize::from(self.table[slot]) - 1;
            if self.words[place] == word {
                return Some(place);
            }
            slot = (slot + 1) % self.table.len();
        }
        None
    }

    /// BM25 of each unit over all of them, scaled to at most 1; all 0 where nothing matches, or once the thread's work is
    /// interrupted.
    pub fn rank<'a>(&self, units: impl Iterator<Item = &'a str>) -> Vec<f32> {
        if self.words.is_empty() {
            return units.map(|_| 0.0).collect();
        }
        let mut lengths: Vec<u32> = Vec::with_capacity(units.size_hint().0);
        let mut hits: Vec<Hit> = Vec::new();
        let mut containing = [0u32; MAX_WORDS];
        let (mut bytes, mut stopped) = (0, false);
        for (unit, text) in units.enumerate() {
            bytes += text.len();
            if bytes > 64 << 10 {
                bytes = 0;
                stopped = stopped || cancel::is_interrupted();
            }
            let mut length = 0;
            let first = hits.len();
            if !stopped {
                for (_, hash) in words(text.as_bytes()) {
                    length += 1;
                    if let Some(word) = self.place(hash) {
                        count(&mut hits, first, unit, word);
                    }
                }
            }
            for hit in &hits[first..] {
                containing[usize::from(hit.word)] += 1;
            }
            lengths.push(length);
        }
        self.score(&lengths, &hits, &containing)
    }

    fn score(&self, lengths: &[u32], hits: &[Hit], containing: &[u32]) -> Vec<f32> {
        let mut scores = vec![0.0f32; lengths.len()];
        if hits.is_empty() {
            return scores;
        }
        let count = lengths.len() as f32;
        let mean = (lengths.iter().map(|length| u64::from(*length)).sum::<u64>() as f32 / count).max(1.0);
        let rarity = |containing: u32| {
            let containing = containing as f32;
            ((count - containing + 0.5) / (containing + 0.5)).ln_1p()
        };
        let weights: Vec<f32> = containing[..self.words.len()].iter().map(|&n| rarity(n)).collect();
        for hit in hits {
            let times = f32::from(hit.times);
            let long = 1.0 - B + B * lengths[hit.unit as usize] as f32 / mean;
            scores[hit.unit as usize] +=
                weights[usize::from(hit.word)] * times * (K1 + 1.0) / (times + K1 * long);
        }
        let best = scores.iter().copied().fold(0.0, f32::max);
        // A unit that has only what most have is no match, however much it is the best one.
        let all: f32 =
            containing.iter().zip(&weights).filter(|(n, _)| **n > 0).map(|(_, weight)| weight).sum();
        let scale = best.max(0.5 * all).max(f32::MIN_POSITIVE);
        for score in &mut scores {
            *score /= scale;
        }
        scores
    }

    /// What the query makes of units, one by one; nothing at all where it is empty.
    ///
    /// A unit that has what the query names must be kept, unless so many have it that it tells nothing.
    pub fn matches<'a>(&self, units: impl Iterator<Item = &'a str> + Clone) -> Vec<Match> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut matches: Vec<Match> = self
            .rank(units.clone())
            .into_iter()
            .map(|rank| Match { worth: rank * value::QUERY, must: false })
            .collect();
        let named: Vec<usize> =
            units.enumerate().filter(|(_, text)| self.names(text)).map(|(unit, _)| unit).collect();
        let tells = Self::tells(named.len(), matches.len());
        for unit in named {
            matches[unit].worth += value::QUERY;
            matches[unit].must = tells;
        }
        matches
    }

    /// Whether what the query names tells anything, given how many of the units have it.
    pub fn tells(named: usize, units: usize) -> bool {
        named <= (units / 8).clamp(8, 64)
    }

    /// Whether a text has one of the ids or quoted words of the query, exactly.
    pub fn names(&self, text: &str) -> bool {
        self.needles.iter().any(|needle| needle.find(text.as_bytes(), 0).is_some())
    }

    /// Where they are, in bytes: in order, none inside another.
    pub fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        for needle in &self.needles {
            let mut from = 0;
            while let Some(at) = needle.find(text.as_bytes(), from) {
                from = at + needle.len();
                spans.push(at..from);
            }
        }
        spans.sort_unstable_by_key(|span| (span.start, usize::MAX - span.end));
        let mut end = 0;
        spans.retain(|span| {
            let is_outside = span.end > end;
            end = end.max(span.end);
            is_outside
        });
        spans
    }
}

/// What the query makes of a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// What it adds to the unit's value.
    pub worth: f32,
    /// Whether the unit is kept whatever the budget.
    pub must: bool,
}

/// A word of the query in a unit.
#[derive(Clone, Copy, Debug)]
struct Hit {
    unit: u32,
    word: u8,
    times: u8,
}

fn count(hits: &mut Vec<Hit>, first: usize, unit: usize, word: usize) {
    match hits[first..].iter_mut().find(|hit| usize::from(hit.word) == word) {
        Some(hit) => hit.times = hit.times.saturating_add(1),
        None => hits.push(Hit { unit: unit as u32, word: word as u8, times: 1 }),
    }
}

/// What stands between quotes or backquotes. A quote counts where it could begin a word, so that apostrophes do not; what
/// stands before a colon is a key, which most of what is searched has.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let found = at + memchr::memchr3(b'"', b'\'', b'`', &bytes[at..])?;
            at = found + 1;
            if found > 0 && is_word(bytes[found - 1]) {
                continue;
            }
            let inside = &text[at..];
            let length = inside.len().min(NEEDLE.end() + 1);
            let Some(length) = memchr::memchr(bytes[found], &inside.as_bytes()[..length]) else { continue };
            let closing = at + length;
            let is_key = bytes[closing + 1..].trim_ascii_start().first() == Some(&b':');
            let is_open = bytes.get(closing + 1).is_none_or(|next| !is_word(*next));
            if is_open && !inside[..length].contains('\n') {
                at = closing + 1;
                if !is_key {
                    return Some(&inside[..length]);
                }
            }
        }
        None
    })
}

/// Words that are names rather than language: with digits, underscores, dots, slashes or inner capitals.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    let is_part =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | '#' | '\\');
    let words = text.split(move |c: char| !is_part(c));
    let words = words.map(|word| word.trim_matches(['.', ':', '-', '/', '#', '@']));
    words.filter(|word| {
        let bytes = word.as_bytes();
        let has = |test: fn(&u8) -> bool| bytes.iter().any(test);
        let inner_capital =
            bytes.windows(2).any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase());
        let joined = bytes.windows(3).any(|three| {
            matches!(three[1], b'_' | b'/' | b'.' | b'\\' | b'@')
                && is_word(three[0])
                && three[2].is_ascii_alphanumeric()
        });
        // A short number is in everything.
        let has_digits = has(u8::is_ascii_digit) && (bytes.len() > 4 || has(u8::is_ascii_alphabetic));
        has_digits || joined || inner_capital
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(text: &str) -> Vec<String> {
        let query = Query::new(text);
        query
            .needles
            .iter()
            .map(|needle| String::from_utf8_lossy(needle.finder.needle()).into_owned())
            .collect()
    }

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn ids_and_quoted_words_are_looked_for_exactly() {
        assert_eq!(
            needles(
                r#"I don't see it's "Foo bar" or `x.y` in reservation G72NSF, ivan_muller_7015 (src/main.rs)."#
            ),
            ["Foo bar", "x.y", "G72NSF", "ivan_muller_7015", "src/main.rs"]
        );
        assert_eq!(
            needles(r#"search {"reservation_id":"G72NSF", "cabin": "economy"}"#),
            ["G72NSF", "economy", "reservation_id"]
        );
        assert_eq!(needles("the 12 errors of 2024."), Vec::<String>::new());
    }

    #[test]
    fn an_id_is_not_found_within_a_longer_one() {
        let query = Query::new("what about HAT09?");
        assert!(query.names("flight HAT09, late"));
        assert!(!query.names("flight HAT097, late"));
        assert_eq!(query.spans("HAT097 HAT09 HAT09"), [7..12, 13..18]);
    }

    #[test]
    fn rare_words_rank_higher_than_common_ones() {
        let query = Query::new("Which invoices of the customer were refunded?");
        let units =
            ["customer one", "customer two", "invoice refunded to a customer", "nothing here", "Customers"];
        let ranks = query.rank(units.into_iter());
        assert!(ranks[2] > 0.9 && ranks[2] <= 1.0, "{ranks:?}");
        assert!(ranks[0] < 0.3 && ranks[0] > 0.0);
        assert!(ranks[3] <= 0.0);
        assert!(ranks[4] > 0.0, "the plural matches");
        assert!(Query::new("").rank(units.into_iter()).iter().all(|rank| *rank <= 0.0));
    }

    #[test]
    fn any_text_is_a_query() {
        for text in ["", "\"", "''", "`a", "é\"é\"é", "\u{1F600}", "\\\\\"x\"", &"\"a ".repeat(10_000)] {
            let query = Query::new(text);
            query.rank([text].into_iter());
            query.spans(text);
        }
    }
}
