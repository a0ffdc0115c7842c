//! Evidence in the columns of a table: what makes a row worth more than its neighbours.
//!
//! A column is judged by itself: numbers far from the others (robust z-scores, Iglewicz and Hoaglin), values that
//! hardly ever come, members that are missing or there for once, words of failure, codes and flags that mean one. A row's
//! value is the sum.

use std::collections::HashMap;

use super::cells::{Cell, Sort, Values, has_words, numbers_of};
use super::failures::Name;
use super::numbers::Series;
use super::spread::{Spread, is_monotone, logarithm};
use super::survey::survey;
use crate::compress::form::value;
use crate::compress::signal::Severity;
use crate::compress::words::boundary;

/// A value that comes at most so often, among at least so many, is rare.
const RARE_COUNT: u32 = 3;
const RARE_AMONG: usize = 20;
/// Rows of a column's errors that must be kept, one for each kind.
const MOST_MUST: usize = 24;
/// Robust z-scores.
const MODERATE: f64 = 5.0;
const STRONG: f64 = 9.0;
const EXTREME: f64 = 25.0;
/// Rows that must be kept as extremes of one column.
const MOST_EXTREMES: usize = 6;
/// Bytes of a cell that are looked at.
const REACH: usize = 4 << 10;

/// What is known of the rows of a table.
#[derive(Debug)]
pub struct Rows {
    pub value: Vec<f32>,
    pub must: Vec<bool>,
    /// A hash of the values that come often and of the templates of texts: rows alike have the same.
    pub signature: Vec<u32>,
    /// Of the templates of texts alone.
    template: Vec<u32>,
    /// Whether a cell says that something went wrong.
    failed: Vec<bool>,
}

impl Rows {
    pub fn new(count: usize) -> Self {
        Self {
            value: vec![value::ORDINARY; count],
            must: vec![false; count],
            signature: vec![0; count],
            template: vec![0; count],
            failed: vec![false; count],
        }
    }

    /// Judges one more column. `is_series` tells that the order of the rows means something.
    pub fn add(&mut self, name: &str, cells: &[Option<Cell<'_>>], is_series: bool) {
        debug_assert_eq!(cells.len(), self.value.len());
        self.presence(cells);
        let values = Values::new(cells);
        let numbers = numbers_of(cells);
        if let Some(numbers) = &numbers {
            if values.as_ref().is_none_or(|values| values.texts.len() > 8) {
                self.outliers(numbers);
            }
            if is_series && let Some(place) = Series::new(numbers).change() {
                self.value[place] += value::RARE;
                self.value[place - 1] += value::CONTEXT;
            }
        }
        match &values {
            Some(values) => {
                if numbers.is_none() || values.texts.len() * 8 <= cells.len() {
                    self.rarity(values);
                }
                self.value_failures(Name::of(name), values);
                if values.texts.len() <= 12 {
                    self.sign(values);
                }
            }
            None if numbers.is_none() => self.texts(Name::of(name), cells),
            None => self.numeric_failures(Name::of(name), cells),
        }
    }

    /// Ends the judgement: of each kind of failed row one must be kept.
    pub fn finish(&mut self) {
        let mut met = HashMap::new();
        for row in 0..self.value.len() {
            self.signature[row] = mix(self.signature[row], self.template[row]);
            if !self.failed[row] {
                continue;
            }
            let count: &mut u32 = met.entry(self.template[row]).or_default();
            *count += 1;
            if *count == 1 && met.len() <= 2 * MOST_MUST {
                self.must[row] = true;
            }
        }
    }

    /// Members that nearly all rows have, or hardly any, and cells of another sort than the others.
    fn presence(&mut self, cells: &[Option<Cell<'_>>]) {
        if cells.len() < RARE_AMONG {
            return;
        }
        let mut counts = [0u32; 7];
        let sort = |cell: &Option<Cell<'_>>| cell.map_or(6, |cell| cell.sort as usize);
        for cell in cells {
            counts[sort(cell)] += 1;
        }
        // One flag among others is no other sort.
        let flags = counts[Sort::True as usize] + counts[Sort::False as usize];
        (counts[Sort::True as usize], counts[Sort::False as usize]) = (flags, flags);
        if !counts.iter().any(|count| (1..=RARE_COUNT).contains(count)) {
            return;
        }
        for (row, cell) in cells.iter().enumerate() {
            if counts[sort(cell)] <= RARE_COUNT {
                self.value[row] += value::RARE;
            }
        }
    }

    fn outliers(&mut self, numbers: &[Option<f64>]) {
        if numbers.len() < 8 || is_monotone(numbers, 50) {
            return;
        }
        let plain = Spread::of(numbers.iter().flatten().copied());
        if plain.spread <= 0.0 {
            return self.exceptions(numbers, plain.median);
        }
        let mut found: Vec<(u32, f64)> = Vec::new();
        let mut logs = None;
        for (row, number) in numbers.iter().enumerate() {
            let Some(number) = *number else { continue };
            let score = plain.score(number);
            if score < MODERATE {
                continue;
            }
            // A long tail is judged by its logarithms, too.
            let logs =
                logs.get_or_insert_with(|| Spread::of(numbers.iter().flatten().map(|n| logarithm(*n))));
            let score =
                if logs.spread > 0.0 { score.min(logs.score(logarithm(number)) * 2.0) } else { score };
            if score >= MODERATE {
                found.push((row as u32, score));
            }
        }
        // More than a few are no outliers but how these numbers are.
        let few = 12.max(numbers.len() / 50);
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let many = found.len() > few;
        found.truncate(few);
        for (place, (row, score)) in found.into_iter().enumerate() {
            let row = row as usize;
            let worth = if score >= STRONG { value::NOTABLE + 1.0 } else { value::RARE };
            self.value[row] += if many && place >= 12 { worth / 2.0 } else { worth };
            if score >= EXTREME && place < MOST_EXTREMES {
                self.must[row] = true;
            }
        }
    }

    /// Where most are the same: the few that are not.
    fn exceptions(&mut self, numbers: &[Option<f64>], median: f64) {
        let is_other = |number: &Option<f64>| number.is_some_and(|number| (number - median).abs() > 0.0);
        let count = numbers.iter().filter(|number| is_other(number)).count();
        if count > 3.max(numbers.len() / 50) {
            return;
        }
        for (row, number) in numbers.iter().enumerate() {
            if is_other(number) {
                self.value[row] += value::NOTABLE;
            }
        }
    }

    /// Values that hardly ever come.
    fn rarity(&mut self, values: &Values<'_>) {
        let rare = values.counts.iter().filter(|count| **count <= RARE_COUNT).count();
        if values.codes.len() < RARE_AMONG || rare == 0 || values.texts.len() * 3 > values.codes.len() {
            return;
        }
        // Where many are rare, it says little.
        let worth = value::RARE * (8.0 / rare as f32).min(1.0);
        for (row, code) in values.codes.iter().enumerate() {
            if let Some(count) = values.counts.get(*code as usize)
                && *count <= RARE_COUNT
            {
                self.value[row] += worth;
            }
        }
    }

    fn value_failures(&mut self, name: Name, values: &Values<'_>) {
        let present: u32 = values.counts.iter().sum();
        let judge = |(cell, count): (&Cell<'_>, &u32)| {
            let severity = name.judge(*cell);
            // What most rows have is how things are here.
            if *count * 2 > present && severity > Severity::Ordinary { Severity::Ordinary } else { severity }
        };
        let severities: Vec<Severity> = values.texts.iter().zip(&values.counts).map(judge).collect();
        if severities.iter().all(|severity| *severity == Severity::Ordinary) {
            return;
        }
        for (row, code) in values.codes.iter().enumerate() {
            if let Some(severity) = severities.get(*code as usize) {
                self.fail(row, *severity);
            }
        }
    }

    fn fail(&mut self, row: usize, severity: Severity) {
        match severity {
            Severity::Ordinary => {}
            Severity::Warning => self.value[row] += value::NOTABLE,
            Severity::Error | Severity::Fatal => {
                // Several cells of a row tell of one failure.
                self.value[row] += if self.failed[row] { value::RARE } else { value::ERROR };
                self.failed[row] = true;
            }
        }
    }

    fn sign(&mut self, values: &Values<'_>) {
        for (row, code) in values.codes.iter().enumerate() {
            self.signature[row] = mix(self.signature[row], code.wrapping_add(1));
        }
    }

    fn numeric_failures(&mut self, name: Name, cells: &[Option<Cell<'_>>]) {
        if name == Name::Other {
            return;
        }
        for (row, cell) in cells.iter().enumerate() {
            if let Some(cell) = cell {
                self.fail(row, name.judge(*cell));
            }
        }
    }

    /// Texts of which each is another: their templates tell, which are what they have without their numbers.
    fn texts(&mut self, name: Name, cells: &[Option<Cell<'_>>]) {
        let templates: Vec<u32> =
            cells.iter().map(|cell| cell.map_or(0, |cell| template(cell.text))).collect();
        let mut met: HashMap<u32, (u32, Severity, bool)> = HashMap::new();
        let mut severities: Vec<Severity> = Vec::with_capacity(cells.len());
        for (cell, template) in cells.iter().zip(&templates) {
            let Some(cell) = cell else {
                severities.push(Severity::Ordinary);
                continue;
            };
            let entry = met.entry(*template).or_insert((0, Severity::Ordinary, true));
            entry.0 += 1;
            if entry.2 {
                let (severity, varies) = name.judge_text(*cell);
                (entry.1, entry.2) = (severity, varies);
            }
            severities.push(entry.1);
        }
        let failed = severities.iter().filter(|severity| **severity >= Severity::Error).count();
        if failed * 2 <= cells.len() {
            for (row, severity) in severities.iter().enumerate() {
                self.fail(row, *severity);
            }
        }
        if has_words(cells) {
            return self.sentences(cells);
        }
        let rare = met.values().filter(|(count, ..)| *count <= RARE_COUNT).count();
        let alike = met.len() * 3 <= cells.len();
        let says = cells.len() >= RARE_AMONG && alike;
        let worth = value::RARE * (8.0 / rare.max(1) as f32).min(1.0);
        for (row, template) in templates.iter().enumerate().filter(|(row, _)| cells[*row].is_some()) {
            if says && met[template].0 <= RARE_COUNT {
                self.value[row] += worth;
            }
            if alike || severities[row] >= Severity::Error {
                self.template[row] = mix(self.template[row], *template);
            }
        }
    }

    /// Texts of several words are judged as lines of a log are.
    fn sentences(&mut self, cells: &[Option<Cell<'_>>]) {
        let texts = cells.iter().map(|cell| cell.map_or("", |cell| &cell.text[..boundary(cell.text, REACH)]));
        for (row, (worth, family)) in survey(texts).into_iter().enumerate() {
            if cells[row].is_some() {
                self.value[row] += worth;
                self.template[row] = mix(self.template[row], family + 1);
            }
        }
    }
}

fn mix(hash: u32, value: u32) -> u32 {
    (hash.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b1)
}

/// A hash of a text without what varies: of a word that has digits only its place counts.
fn template(text: &str) -> u32 {
    let bytes = &text.as_bytes()[..text.len().min(512)];
    let mut hash = 1;
    let mut at = 0;
    while at < bytes.len() {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
        if !is_word(bytes[at]) {
            hash = mix(hash, u32::from(bytes[at]));
            at += 1;
            continue;
        }
        let (mut word, mut digits) = (2, false);
        while at < bytes.len() && is_word(bytes[at]) {
            digits |= bytes[at].is_ascii_digit();
            word = mix(word, u32::from(bytes[at]));
            at += 1;
        }
        hash = mix(hash, if digits { 3 } else { word });
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(name: &str, cells: &[&'static str]) -> Rows {
        let cell = |text: &'static str| {
            let sort = match text {
                "true" => Sort::True,
                "false" => Sort::False,
                "null" => Sort::Null,
                _ if text.parse::<f64>().is_ok() => Sort::Number,
                _ => Sort::Text,
            };
            (text != "~").then_some(Cell { text, sort })
        };
        let cells: Vec<_> = cells.iter().map(|text| cell(text)).collect();
        let mut rows = Rows::new(cells.len());
        rows.add(name, &cells, true);
        rows.finish();
        rows
    }

    /// Rows that are worth something.
    fn found(name: &str, cells: &[&'static str]) -> Vec<usize> {
        let rows = rows(name, cells);
        (0..cells.len()).filter(|row| rows.value[*row] > 1.0).collect()
    }

    fn with(usual: &[&'static str], count: usize, at: usize, odd: &'static str) -> Vec<&'static str> {
        (0..count).map(|row| if row == at { odd } else { usual[row * 7 % usual.len()] }).collect()
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_found() {
        let numbers = ["12", "15", "11", "14", "13", "17", "16", "12.5", "13.5", "10", "18"];
        assert_eq!(found("price", &with(&numbers, 60, 33, "900")), [33]);
        assert_eq!(
            found(
                "took",
                &with(&["12ms", "15ms", "13ms", "11ms", "14ms", "16ms", "17ms", "18ms", "19ms"], 60, 5, "9s")
            ),
            [5]
        );
        assert_eq!(found("x", &with(&["0"], 60, 33, "1")), [33]);
        assert_eq!(found("kind", &with(&["a", "b"], 60, 33, "c")), [33]);
        assert_eq!(found("kind", &with(&["a", "b"], 60, 33, "~")), [33]);
        assert_eq!(found("kind", &with(&["~"], 60, 33, "a")), [33]);
        assert_eq!(found("kind", &with(&["1", "2", "3"], 60, 33, "null")), [33]);
        assert_eq!(found("state", &with(&["done", "failed", "open"], 9, 4, "failed")).len(), 3);
        assert_eq!(found("error", &with(&["null"], 9, 4, "no route")), [4]);
        assert_eq!(found("success", &with(&["true"], 9, 4, "false")), [4]);
        assert_eq!(found("status", &with(&["200", "201"], 12, 4, "503")), [4]);
        assert_eq!(found("exit_code", &with(&["0"], 12, 4, "137")), [4]);
    }

    #[test]
    fn what_is_usual_is_not() {
        assert_eq!(found("ok", &with(&["false"], 40, 0, "false")), [0usize; 0]);
        assert_eq!(found("n", &with(&["1", "5", "9", "7", "3", "2"], 40, 0, "1")), [0usize; 0]);
        let ids: Vec<&'static str> = (0..60).map(|id| &*format!("user-{id}").leak()).collect();
        assert_eq!(found("id", &ids), [0usize; 0]);
        let counter: Vec<&'static str> = (0..60).map(|id| &*(id * id * 10).to_string().leak()).collect();
        assert_eq!(found("id", &counter), [0usize; 0]);
    }

    #[test]
    fn one_of_each_failure_must_be_kept() {
        let messages =
            ["ok 1", "ok 2", "connection 5 refused: error", "connection 6 refused: error", "disk error"];
        let many: Vec<&'static str> = (0..80)
            .map(|row| if row % 9 == 4 { messages[2 + row / 9 % 3] } else { messages[row % 2] })
            .collect();
        let many: Vec<&'static str> =
            many.iter().enumerate().map(|(row, text)| &*format!("{text} {row}").leak()).collect();
        let rows = rows("message", &many);
        assert_eq!(rows.must.iter().filter(|must| **must).count(), 2);
    }
}
