//! What the values of rows were that are left out: ranges and counts, in a few words.

use std::fmt::Write as _;
use std::ops::Range;

/// Bytes of a description, more or less.
const LONGEST: usize = 400;
/// Values of a column that are counted, and those that are named.
const COUNTED: usize = 12;
const NAMED: usize = 4;
/// Longest value that is named.
const LONGEST_VALUE: usize = 40;

/// A few words for each column.
#[derive(Debug, Default)]
pub struct Details {
    parts: Vec<String>,
    length: usize,
}

impl Details {
    pub fn is_full(&self) -> bool {
        self.length > LONGEST
    }

    pub fn add(&mut self, name: &str, values: &Summary<'_>) {
        if let Some(text) = values.text() {
            self.length += name.len() + text.len() + 3;
            self.parts.push(if name.is_empty() { text } else { format!("{name} {text}") });
        }
    }

    pub fn text(&self) -> String {
        self.parts.join("; ")
    }
}

/// Writes a value, with quotes where it has spaces.
fn name(value: &str, out: &mut String) {
    if value.is_empty() || value.contains([' ', ',', ';']) {
        out.extend(["\"", value, "\""]);
    } else {
        out.push_str(value);
    }
}

/// What the values of a column were: how many of each, from where to where.
#[allow(clippy::struct_excessive_bools)] // what is not, or no longer, true of the values
#[derive(Debug, Default)]
pub struct Summary<'a> {
    counts: Vec<(&'a str, u32)>,
    /// More than are counted.
    many: bool,
    not_numbers: bool,
    not_ordered: bool,
    least: Option<(f64, &'a str)>,
    most: Option<(f64, &'a str)>,
    first: Option<&'a str>,
    last: Option<&'a str>,
    /// There are values of which nothing can be said.
    pub nothing: bool,
}

impl<'a> Summary<'a> {
    pub fn add(&mut self, text: &'a str, is_number: bool) {
        if !self.many {
            if let Some((_, count)) = self.counts.iter_mut().find(|(value, _)| *value == text) {
                *count += 1;
            } else if self.counts.len() < COUNTED && text.len() <= LONGEST_VALUE {
                self.counts.push((text, 1));
            } else {
                self.many = true;
            }
        }
        if is_number {
            if !self.not_numbers
                && let Ok(number) = fast_float2::parse::<f64, _>(text)
            {
                if self.least.is_none_or(|(least, _)| number < least) {
                    self.least = Some((number, text));
                }
                if self.most.is_none_or(|(most, _)| number > most) {
                    self.most = Some((number, text));
                }
            }
        } else {
            self.not_numbers = true;
            // Times, and ids that are in order.
            if !self.not_ordered {
                let is_time = is_time(text);
                if self.first.is_none_or(|first| is_time && text < first) {
                    self.first = Some(text);
                }
                if self.last.is_some_and(|last| text < last) {
                    self.not_ordered = !is_time;
                } else {
                    self.last = Some(text);
                }
            }
        }
    }

    pub fn says_nothing(&self) -> bool {
        self.nothing || (self.many && self.not_numbers && self.not_ordered)
    }

    pub fn text(&self) -> Option<String> {
        if self.nothing {
            return None;
        }
        if !self.many {
            return self.named();
        }
        let (from, to) = if self.not_numbers {
            (self.first?, self.last.filter(|_| !self.not_ordered && self.least.is_none())?)
        } else {
            (self.least?.1, self.most?.1)
        };
        (from.len() <= LONGEST_VALUE && to.len() <= LONGEST_VALUE).then(|| format!("{from}…{to}"))
    }

    /// The values that come most, with how often.
    fn named(&self) -> Option<String> {
        let mut counts: Vec<&(&str, u32)> = self.counts.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let (first, _) = counts.first()?;
        let mut text = String::new();
        if counts.len() == 1 {
            name(first, &mut text);
            return Some(text);
        }
        if let (Some((_, least)), Some((_, most)), false) = (self.least, self.most, self.not_numbers)
            && counts.len() > NAMED
        {
            return Some(format!("{least}…{most}"));
        }
        for (place, (value, count)) in counts.iter().take(NAMED).enumerate() {
            if place > 0 {
                text.push_str(", ");
            }
            name(value, &mut text);
            let _ = write!(text, " ×{count}");
        }
        if counts.len() > NAMED {
            text.push_str(", …");
        }
        Some(text)
    }
}

fn is_time(text: &str) -> bool {
    let digits = |range: Range<usize>| {
        text.as_bytes().get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let at = |at: usize, byte: u8| text.as_bytes().get(at) == Some(&byte);
    (digits(0..4) && at(4, b'-') && digits(5..7)) || (digits(0..2) && at(2, b':') && digits(3..5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&'static str], numbers: bool) -> Option<String> {
        let mut summary = Summary::default();
        for value in values {
            summary.add(value, numbers);
        }
        summary.text()
    }

    #[test]
    fn columns_in_a_few_words() {
        assert_eq!(text(&["a"; 3], false).as_deref(), Some("a"));
        assert_eq!(text(&["a", "b c", "a"], false).as_deref(), Some("a ×2, \"b c\" ×1"));
        assert_eq!(text(&["3", "10", "3", "4", "5", "6"], true).as_deref(), Some("3…10"));
        let days: Vec<&'static str> = (10..30).map(|day| &*format!("2024-05-{}", 39 - day).leak()).collect();
        assert_eq!(text(&days, false).as_deref(), Some("2024-05-10…2024-05-29"));
        let words: Vec<&'static str> = (10..30).map(|day| &*format!("w{}", day * 7 % 20).leak()).collect();
        assert_eq!(text(&words, false), None);
    }
}
