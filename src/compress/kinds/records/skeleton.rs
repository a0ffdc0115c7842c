//! What the lines of many records have in common.
//!
//! Records with the same prefixes and suffixes have one *skeleton*: its lines are written once, each behind `>` and its
//! letter, with a mark for a value, or the value itself where it is always the same. A record is its skeleton's letter and
//! its values then, each behind a bar that is in no value. Every other line is written as it was, behind a backslash where it
//! could be taken for something else.

use std::collections::HashMap;

use super::read::{Line, Reading};
use crate::compress::tokens;

/// What every legend begins with.
pub const LEGEND: &str = "[records: their lines after >";

/// Skeletons have letters.
const MOST: usize = 26;
/// Records that a skeleton must have to be worth its lines.
const LEAST: usize = 4;
/// Lines of a skeleton.
const MOST_LINES: u32 = 200;
/// What may stand for a value, and between values; those that do not occur otherwise are taken.
const MARKS: [char; 3] = ['*', '¤', '§'];
const BARS: [char; 4] = ['|', '¦', ';', '~'];

#[derive(Debug)]
pub struct Skeletons<'a> {
    all: Vec<Skeleton<'a>>,
    /// The skeleton of each record.
    of: Vec<Option<u8>>,
    mark: char,
    bar: char,
}

#[derive(Debug)]
struct Skeleton<'a> {
    /// Prefix, value where it is always the same, suffix.
    lines: Vec<(&'a str, Option<&'a str>, &'a str)>,
}

impl<'a> Skeletons<'a> {
    pub fn new(text: &'a str, records: &Reading) -> Self {
        let lines = |record: usize| {
            let range = records.records[record].clone();
            &records.lines[range.start as usize..range.end as usize]
        };
        let mut members: HashMap<u64, Vec<usize>> = HashMap::new();
        for (record, range) in records.records.iter().enumerate() {
            // The last one has what follows the records.
            if range.len() as u32 <= MOST_LINES && record + 1 < records.records.len() {
                members.entry(signature(text, lines(record))).or_default().push(record);
            }
        }
        let mut groups: Vec<Vec<usize>> =
            members.into_values().filter(|group| group.len() >= LEAST).collect();
        groups.sort_by_key(|group| (usize::MAX - group.len(), group[0]));
        groups.truncate(MOST);
        let mut skeletons =
            Self { all: Vec::new(), of: vec![None; records.records.len()], mark: MARKS[0], bar: BARS[0] };
        for group in groups {
            let skeleton = Skeleton::new(text, lines(group[0]), &group, lines);
            // Another record of the same signature is one by chance: hashes are not compared any further.
            let letter = skeletons.all.len() as u8;
            for record in group {
                if skeleton.fits(text, lines(record)) {
                    skeletons.of[record] = Some(letter);
                }
            }
            skeletons.all.push(skeleton);
        }
        skeletons.choose_marks(text, records);
        skeletons
    }

    /// Without marks that are nowhere else there are no skeletons.
    fn choose_marks(&mut self, text: &str, records: &Reading) {
        let shared = |mark: &char| {
            let has = |part: &str| part.contains(*mark);
            let mut lines = self.all.iter().flat_map(|skeleton| &skeleton.lines);
            !lines.any(|(prefix, value, suffix)| has(prefix) || value.is_some_and(has) || has(suffix))
        };
        let between = |bar: &char| {
            let mut members = records.records.iter().zip(&self.of).filter(|(_, of)| of.is_some());
            !members.any(|(range, _)| {
                records_lines(records, range).iter().any(|line| line.value(text).contains(*bar))
            })
        };
        let (mark, bar) = (MARKS.iter().find(|mark| shared(mark)), BARS.iter().find(|bar| between(bar)));
        if let (Some(mark), Some(bar)) = (mark, bar) {
            (self.mark, self.bar) = (*mark, *bar);
        } else {
            self.all.clear();
            self.of.fill(None);
        }
    }

    /// Tokens of a record as it is written.
    pub fn cost(&self, text: &str, lines: &[Line], record: usize) -> u32 {
        match self.of[record] {
            None => lines.iter().map(|line| tokens::by_bytes(line.all(text)) + 1).sum(),
            Some(letter) => {
                let skeleton = &self.all[usize::from(letter)];
                let own = skeleton.lines.iter().zip(lines).filter(|((_, value, _), _)| value.is_none());
                2 + own.map(|(_, line)| tokens::by_bytes(line.value(text)) + 1).sum::<u32>()
            }
        }
    }

    /// Writes the skeletons that some of the records have which are written.
    pub fn write_head(&self, out: &mut String, is_written: impl Fn(usize) -> bool) {
        if self.all.is_empty() {
            return;
        }
        let mut used = [false; MOST];
        for (record, of) in self.of.iter().enumerate() {
            if let Some(letter) = of
                && is_written(record)
            {
                used[usize::from(*letter)] = true;
            }
        }
        out.push_str(&legend(self.mark, self.bar));
        for (number, skeleton) in self.all.iter().enumerate().filter(|(number, _)| used[*number]) {
            for (prefix, value, suffix) in &skeleton.lines {
                out.push('>');
                out.push(letter(number as u8));
                out.push_str(prefix);
                match value {
                    Some(value) => out.push_str(value),
                    None => out.push(self.mark),
                }
                out.push_str(suffix);
                out.push('\n');
            }
        }
    }

    pub fn write_record(&self, text: &str, lines: &[Line], record: usize, out: &mut String) {
        let Some(number) = self.of[record] else {
            for line in lines {
                self.write_line(line.all(text), out);
            }
            return;
        };
        out.push(letter(number));
        let skeleton = &self.all[usize::from(number)];
        for ((_, value, _), line) in skeleton.lines.iter().zip(lines) {
            if value.is_none() {
                out.push(self.bar);
                out.push_str(line.value(text));
            }
        }
        if skeleton.lines.iter().all(|(_, value, _)| value.is_some()) {
            out.push(self.bar);
        }
        out.push('\n');
    }

    /// A line that is of no skeleton.
    pub fn write_line(&self, line: &str, out: &mut String) {
        let mut letters = line.chars();
        let (first, second) = (letters.next(), letters.next());
        let is_taken = match first {
            Some('>' | '\\') => true,
            Some('A'..='Z') => second == Some(self.bar),
            _ => false,
        };
        if is_taken && !self.all.is_empty() {
            out.push('\\');
        }
        out.push_str(line);
        out.push('\n');
    }
}

fn legend(mark: char, bar: char) -> String {
    format!("{LEGEND}, with {mark} for a value; then the values of each after {bar}]\n")
}

fn letter(number: u8) -> char {
    char::from(b'A' + number)
}

fn records_lines<'r>(records: &'r Reading, range: &std::ops::Range<u32>) -> &'r [Line] {
    &records.lines[range.start as usize..range.end as usize]
}

impl<'a> Skeleton<'a> {
    fn new<'r>(
        text: &'a str,
        first: &[Line],
        members: &[usize],
        lines: impl Fn(usize) -> &'r [Line],
    ) -> Self {
        let is_constant = |at: usize, value: &str| {
            members.iter().all(|member| lines(*member).get(at).is_some_and(|line| line.value(text) == value))
        };
        let line = |(at, line): (usize, &Line)| {
            let value = line.value(text);
            (line.prefix(text), is_constant(at, value).then_some(value), line.suffix(text))
        };
        Self { lines: first.iter().enumerate().map(line).collect() }
    }

    fn fits(&self, text: &str, lines: &[Line]) -> bool {
        self.lines.len() == lines.len()
            && self.lines.iter().zip(lines).all(|((prefix, value, suffix), line)| {
                *prefix == line.prefix(text)
                    && *suffix == line.suffix(text)
                    && value.is_none_or(|value| value == line.value(text))
            })
    }
}

/// A hash of all prefixes and suffixes.
fn signature(text: &str, lines: &[Line]) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    for line in lines {
        hasher.write(line.prefix(text).as_bytes());
        hasher.write_u8(0xff);
        hasher.write(line.suffix(text).as_bytes());
        hasher.write_u8(0xfe);
    }
    hasher.finish()
}

/// The text that was written.
#[cfg(test)]
pub fn decode(written: &str) -> String {
    let marks = || MARKS.iter().flat_map(|mark| BARS.iter().map(move |bar| (*mark, *bar)));
    let Some((mark, bar)) = marks().find(|(mark, bar)| written.starts_with(&legend(*mark, *bar))) else {
        return written.to_owned();
    };
    let mut skeletons: HashMap<char, Vec<&str>> = HashMap::new();
    let mut lines: Vec<String> = Vec::new();
    for line in written.split('\n').skip(1) {
        if let Some(part) = line.strip_prefix('>') {
            skeletons.entry(part.chars().next().unwrap()).or_default().push(&part[1..]);
            continue;
        }
        let mut letters = line.chars();
        let record = letters
            .next()
            .zip(letters.next())
            .filter(|(_, second)| *second == bar)
            .and_then(|(letter, _)| skeletons.get(&letter));
        if let Some(skeleton) = record {
            let mut values = line[1..].split(bar).skip(1);
            for part in skeleton {
                lines.push(match part.split_once(mark) {
                    Some((prefix, suffix)) => format!("{prefix}{}{suffix}", values.next().unwrap()),
                    None => (*part).to_owned(),
                });
            }
            continue;
        }
        lines.push(line.strip_prefix('\\').unwrap_or(line).to_owned());
    }
    lines.join("\n")
}
