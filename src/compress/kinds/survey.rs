//! What is unlike the rest, in lines that need not be a log's: rare shapes, and numbers out of the ordinary.
//!
//! A line's shape are its plain words, with whatever else between them (ids, paths, numbers, names in code) as one blank.
//! Shapes that agree in most words are one family. Numbers are compared with those that stand between the same words,
//! and with those in the same place of the same family.

use std::collections::HashMap;

use super::log::mix;
use super::numbers::{self, Series};
use crate::cancel;
use crate::compress::form::value;

/// Families of at most so many lines are rare.
const RARE: u32 = 3;
/// Where more of the lines than this are rare, none is.
const COMMON_SHARE: f32 = 0.3;
/// Fewer lines have no rule that one could be an exception of.
const FEWEST_LINES: usize = 12;
/// A shape is compared with so many others at most, and one with more words with none.
const MOST_CANDIDATES: usize = 24;
const MOST_WORDS: usize = 48;
/// Numbers looked at, in a line and in all: bounds memory.
const MOST_IN_LINE: usize = 32;
const MOST_NUMBERS: usize = 1 << 20;

/// What makes each line worth more than others, 0 for most; and its family.
pub(super) fn survey<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(f32, u32)> {
    let survey = Survey::of(lines.map(|line| (line, 1)));
    let mut worth = vec![0.0; survey.lines.len()];
    let families = survey.families();
    if survey.lines.len() >= FEWEST_LINES {
        survey.by_rarity(&families, &mut worth);
        survey.by_numbers(&families, &mut worth);
    }
    worth.into_iter().zip(&survey.lines).map(|(worth, shape)| (worth, families[*shape as usize].0)).collect()
}

/// How rare each of some lines is, given how often it comes: for lines that stand for many.
pub(super) fn rarity<'a>(lines: impl Iterator<Item = (&'a str, u32)>) -> Vec<f32> {
    let survey = Survey::of(lines);
    let families = survey.families();
    (0..survey.lines.len()).map(|line| survey.rarity(&families, line)).collect()
}

/// Which of some lines have numbers out of the ordinary, and what that is worth.
pub(super) fn numbers<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<f32> {
    let survey = Survey::of(lines.map(|line| (line, 1)));
    let mut worth = vec![0.0; survey.lines.len()];
    let families = survey.families();
    survey.by_numbers(&families, &mut worth);
    worth
}

#[derive(Default)]
struct Survey {
    /// The shape of each line.
    lines: Vec<u32>,
    shapes: Vec<Shape>,
    known: HashMap<u64, u32>,
    /// The words of all shapes, by hash.
    words: Vec<u32>,
    numbers: Vec<Number>,
    /// How many lines begin in each way.
    beginnings: HashMap<u32, u32>,
}

struct Shape {
    words: std::ops::Range<usize>,
    beginning: u32,
    count: u32,
}

struct Number {
    line: u32,
    /// Its place among the numbers of its line.
    place: u32,
    value: f64,
    /// The words before and after it, [`BLANK`] where there are none.
    before: u32,
    after: u32,
}

/// What a part of a line is.
enum Atom {
    Word(u32),
    Number(f64),
    Other,
}

const BLANK: u32 = 0;

impl Survey {
    /// Of lines and how often each comes; of the first ones only once the thread's work is interrupted.
    fn of<'a>(lines: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut survey = Self::default();
        for (index, (line, count)) in lines.enumerate() {
            if index % 1024 == 0 && cancel::is_interrupted() {
                break;
            }
            survey.add(line, count);
        }
        survey
    }

    fn add(&mut self, line: &str, count: u32) {
        let index = self.lines.len() as u32;
        let from = self.words.len();
        let mut hash = 0;
        let numbers_from = self.numbers.len();
        let mut before = 0;
        let mut is_after_number = false;
        for atom in atoms(line) {
            let word = match atom {
                Atom::Word(word) => word,
                _ => BLANK,
            };
            if is_after_number && let Some(number) = self.numbers.last_mut() {
                number.after = word;
                is_after_number = false;
            }
            if let Atom::Number(value) = atom
                && self.numbers.len() < MOST_NUMBERS
                && self.numbers.len() - numbers_from < MOST_IN_LINE
            {
                let place = (self.numbers.len() - numbers_from) as u32;
                self.numbers.push(Number { line: index, place, value, before, after: BLANK });
                is_after_number = true;
            }
            before = word;
            if word == BLANK && self.words.len() > from && self.words.last() == Some(&BLANK) {
                continue;
            }
            if self.words.len() - from < MOST_WORDS {
                self.words.push(word);
            }
            hash = mix(hash, &word.to_le_bytes());
        }
        let new = self.shapes.len() as u32;
        let shape = *self.known.entry(hash).or_insert(new);
        if shape == new {
            self.shapes.push(Shape { words: from..self.words.len(), beginning: beginning(line), count: 0 });
        } else {
            self.words.truncate(from);
        }
        let shape_of = &mut self.shapes[shape as usize];
        shape_of.count += count;
        *self.beginnings.entry(shape_of.beginning).or_default() += count;
        self.lines.push(shape);
    }

    /// The family of each shape, and how many lines that has.
    fn families(&self) -> Vec<(u32, u32)> {
        struct Family {
            words: std::ops::Range<usize>,
            mask: u64,
            members: Vec<u32>,
        }
        let mut families: Vec<Family> = Vec::new();
        let mut buckets: HashMap<usize, Vec<u32>> = HashMap::new();
        for (id, shape) in self.shapes.iter().enumerate() {
            let words = &self.words[shape.words.clone()];
            let bucket = buckets.entry(words.len()).or_default();
            let found = bucket.iter().copied().find_map(|index| {
                let family: &Family = &families[index as usize];
                let mask = alike(&self.words[family.words.clone()], words, family.mask)?;
                Some((index, mask))
            });
            if let Some((index, mask)) = found {
                families[index as usize].mask = mask;
                families[index as usize].members.push(id as u32);
            } else {
                if bucket.len() < MOST_CANDIDATES && words.len() < MOST_WORDS {
                    bucket.push(families.len() as u32);
                }
                families.push(Family { words: shape.words.clone(), mask: 0, members: vec![id as u32] });
            }
        }
        let mut of_shape = vec![(0, 0); self.shapes.len()];
        for (id, family) in families.iter().enumerate() {
            let count = family.members.iter().map(|member| self.shapes[*member as usize].count).sum::<u32>();
            for member in &family.members {
                // Two or three of a kind may as well be two or three kinds.
                let own = self.shapes[*member as usize].count;
                of_shape[*member as usize] =
                    (id as u32, if family.members.len() > RARE as usize { count } else { own });
            }
        }
        of_shape
    }

    fn by_rarity(&self, families: &[(u32, u32)], worth: &mut [f32]) {
        let count = |line: usize| families[self.lines[line] as usize].1;
        let rare = (0..worth.len()).filter(|line| count(*line) <= RARE).count();
        let share = rare as f32 / worth.len() as f32;
        if share >= COMMON_SHARE {
            return;
        }
        let weight = (1.0 - share / COMMON_SHARE).sqrt() * 1.05;
        for (line, worth) in worth.iter_mut().enumerate() {
            *worth += weight * self.rarity(families, line);
        }
    }

    /// What a line is worth for being one of few, more so where even its beginning is rare; 0 for most.
    fn rarity(&self, families: &[(u32, u32)], line: usize) -> f32 {
        let shape = self.lines[line] as usize;
        let worth = match families[shape].1 {
            1 => value::RARE * 1.25,
            2..=RARE => value::RARE,
            _ => return 0.0,
        };
        if self.beginnings[&self.shapes[shape].beginning] <= RARE { worth * 1.4 } else { worth }
    }

    fn by_numbers(&self, families: &[(u32, u32)], worth: &mut [f32]) {
        let mut series: HashMap<u64, Vec<u32>> = HashMap::new();
        for (index, number) in self.numbers.iter().enumerate() {
            let (before, after) = (u64::from(number.before), u64::from(number.after));
            let family = u64::from(families[self.lines[number.line as usize] as usize].0);
            let keys = [
                (before << 32 | after, before > 0 && after > 0),
                (before << 32, before > 0),
                (after, after > 0),
                (1 << 63 | family << 8 | u64::from(number.place), true),
            ];
            for (key, _) in keys.into_iter().filter(|(_, is_known)| *is_known) {
                series.entry(key).or_default().push(index as u32);
            }
        }
        for members in series.values().filter(|members| members.len() >= FEWEST_LINES) {
            let numbers: Vec<Option<f64>> =
                members.iter().map(|index| Some(self.numbers[*index as usize].value)).collect();
            for (index, bonus) in Series::new(&numbers).outliers() {
                let worth = &mut worth[self.numbers[members[index] as usize].line as usize];
                // Both ways of comparing may find the same.
                *worth = worth.max(bonus);
            }
        }
    }
}

/// The words in which two shapes differ, if those are few.
fn alike(a: &[u32], b: &[u32], mask: u64) -> Option<u64> {
    let mut mask = mask;
    let mut same = 0;
    let mut different = 0;
    for (index, (a, b)) in a.iter().zip(b).enumerate() {
        if mask >> index & 1 != 0 {
            continue;
        }
        if a != b {
            mask |= 1 << index;
            different += 1;
        } else if *a != BLANK {
            same += 1;
        }
    }
    (different * 3 <= same * 2 && mask.count_ones() <= 4).then_some(mask)
}

/// The parts of a line between white space; `key=value` is two.
fn atoms(line: &str) -> impl Iterator<Item = Atom> + '_ {
    line.split_ascii_whitespace().flat_map(|part| {
        let core = part.trim_matches(is_mark);
        let split =
            core.find('=').filter(|at| *at > 0 && core[..*at].bytes().all(|byte| byte.is_ascii_alphabetic()));
        let (key, rest) = match split {
            Some(at) => (Some(atom(&core[..at])), core[at + 1..].trim_start_matches(is_mark)),
            None => (None, core),
        };
        let rest = if rest.is_empty() && key.is_some() { None } else { Some(atom(rest)) };
        key.into_iter().chain(rest)
    })
}

/// Punctuation around a word, but for the sign of a number.
fn is_mark(c: char) -> bool {
    c.is_ascii_punctuation() && c != '-'
}

/// How a line begins: its first word, or the mark before whatever else is first.
fn beginning(line: &str) -> u32 {
    let first = line.split_ascii_whitespace().next().unwrap_or_default();
    match atom(first.trim_matches(is_mark)) {
        Atom::Word(word) => word,
        _ => u32::from(first.bytes().next().filter(u8::is_ascii_punctuation).unwrap_or(0)),
    }
}

fn atom(text: &str) -> Atom {
    let bytes = text.as_bytes();
    if bytes.iter().all(u8::is_ascii_alphabetic) && !bytes.is_empty() {
        // Names in code have capitals within.
        let is_name =
            bytes.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
        return if is_name { Atom::Other } else { Atom::Word((mix(5, bytes) as u32).max(1)) };
    }
    numbers::parse(text).map_or(Atom::Other, Atom::Number)
}

#[cfg(test)]
#[allow(clippy::format_push_string, clippy::format_collect)] // texts of a few lines
mod tests {
    use super::*;

    fn found(lines: &[String]) -> Vec<usize> {
        let worth = survey(lines.iter().map(String::as_str));
        (0..lines.len()).filter(|index| worth[*index].0 >= value::RARE * 0.8).collect()
    }

    #[test]
    fn odd_ones_among_tests() {
        let names = ["cart", "order", "user", "stock", "price", "label", "token"];
        let mut lines: Vec<String> = (0..300)
            .map(|index| {
                format!(
                    "tests/{}_test.py::test_{}_{} PASSED [ {}%]",
                    names[index % 7],
                    names[index % 5],
                    index,
                    index / 3
                )
            })
            .collect();
        lines[120] = "tests/cart_test.py::test_x XPASS (flaky since pz87597)".to_owned();
        assert_eq!(found(&lines), [120]);
    }

    #[test]
    fn numbers_between_the_same_words() {
        let places = ["Rome", "Oslo", "Lima", "Cairo"];
        let mut lines: Vec<String> = (0..40)
            .map(|index| {
                format!(
                    "In {} the {} house had a cost of {} euro.",
                    places[index % 4],
                    ["old", "new", "tall"][index % 3],
                    100 + index * 37 % 800
                )
            })
            .collect();
        lines.extend((0..40).map(|index| {
            format!(
                "Nothing happened in {} that year, says the {} report.",
                places[index % 4],
                ["old", "new"][index % 2]
            )
        }));
        lines[17] = "That quarter alone had a cost of 602164897 euro.".to_owned();
        assert_eq!(found(&lines), [17]);
    }

    #[test]
    fn prose_has_no_rule() {
        let lines: Vec<String> = (0..60)
            .map(|index| {
                format!("{}one {} sentence like no other", "so ".repeat(index), "and ".repeat(60 - index))
            })
            .collect();
        assert_eq!(found(&lines), Vec::<usize>::new());
    }
}
