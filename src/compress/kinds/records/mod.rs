//! Records of several lines: the lines that many have in common once, with a mark where they differ, then each record as its
//! values. Units are records; they are weighed by their keys, as rows of a table by their columns.

mod read;
mod skeleton;

use std::collections::HashMap;

use crate::cancel::CancelToken;
use crate::compress::form::{Form, Kept, Unit, value};
use crate::compress::kinds::cells::{Cell, Sort};
use crate::compress::kinds::columns::Rows;
use crate::compress::marker;
use crate::compress::query::Query;
use crate::compress::signal::{self, Severity};
use crate::error::Error;
use read::{Line, Reading};
use skeleton::Skeletons;

pub use read::fits;

/// A key that this part of all records has is a column.
const COLUMN_SHARE: usize = 5;
const MOST_COLUMNS: usize = 128;
/// Keys that at most so many records have are rare.
const RARE_COUNT: usize = 3;
const RARE_AMONG: usize = 20;
/// Records that are kept for their errors whatever the budget.
const MOST_ERRORS: usize = 48;

/// Understands a text of records.
pub fn understand(text: &str) -> Option<Box<dyn Form + '_>> {
    let records = read::read(text)?;
    if text.contains(skeleton::LEGEND) {
        return None;
    }
    let skeletons = Skeletons::new(text, &records);
    Some(Box::new(List { text, records, skeletons }))
}

#[derive(Debug)]
struct List<'a> {
    text: &'a str,
    records: Reading,
    skeletons: Skeletons<'a>,
}

impl<'a> List<'a> {
    fn count(&self) -> usize {
        self.records.records.len()
    }

    fn lines(&self, record: usize) -> &[Line] {
        let lines = self.records.records[record].clone();
        &self.records.lines[lines.start as usize..lines.end as usize]
    }

    fn text_of(&self, record: usize) -> &'a str {
        let lines = self.lines(record);
        &self.text[lines[0].start as usize..lines[lines.len() - 1].end as usize]
    }

    /// The first value of each record for each key that many have, and what is said in lines of other keys.
    fn judge(&self, cancel: &CancelToken) -> Result<Rows, Error> {
        let mut columns: HashMap<&str, Vec<(u32, Line)>> = HashMap::new();
        let mut order = Vec::new();
        for record in 0..self.count() {
            for line in self.lines(record) {
                let cells = columns.entry(line.prefix(self.text)).or_insert_with(|| {
                    order.push(line.prefix(self.text));
                    Vec::new()
                });
                if cells.last().is_none_or(|(last, _)| *last != record as u32) {
                    cells.push((record as u32, *line));
                }
            }
        }
        let mut rows = Rows::new(self.count());
        let mut seldom = Vec::new();
        for (number, prefix) in order.into_iter().enumerate() {
            cancel.check()?;
            let cells = &columns[prefix];
            let name = prefix.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
            if cells.len() * COLUMN_SHARE >= self.count() && number < MOST_COLUMNS {
                let mut column = vec![None; self.count()];
                for (record, line) in cells {
                    column[*record as usize] = Some(to_cell(line.value(self.text)));
                }
                rows.add(name, &column, true);
            } else if cells.len() <= RARE_COUNT && self.count() >= RARE_AMONG && !name.is_empty() {
                seldom.extend(cells.iter().map(|(record, _)| *record as usize));
            }
        }
        rows.finish();
        for record in seldom {
            rows.value[record] += value::RARE;
        }
        Ok(rows)
    }

    fn judge_signals(&self, units: &mut [Unit], cancel: &CancelToken) -> Result<(), Error> {
        let mut errors = 0;
        for (record, unit) in units.iter_mut().enumerate() {
            if record % 256 == 0 {
                cancel.check()?;
            }
            let worst = self.lines(record).iter().map(|line| signal::severity(line.all(self.text))).max();
            match worst.unwrap_or_default() {
                Severity::Ordinary => {}
                Severity::Warning => unit.value += value::NOTABLE,
                Severity::Error | Severity::Fatal => {
                    unit.value += value::ERROR;
                    errors += 1;
                }
            }
        }
        // Where most have an error it is how things are.
        if errors <= MOST_ERRORS.min(self.count() / 4 + 1) {
            for unit in units.iter_mut().filter(|unit| unit.value >= value::ERROR) {
                unit.must = true;
            }
        }
        Ok(())
    }
}

impl Form for List<'_> {
    fn transforms(&self) -> &'static [&'static str] {
        &["records"]
    }

    fn len(&self) -> usize {
        self.count()
    }

    fn weigh(&self, query: &Query, cancel: &CancelToken) -> Result<Vec<Unit>, Error> {
        let rows = self.judge(cancel)?;
        let last = self.count() - 1;
        let mut units: Vec<Unit> = (0..self.count())
            .map(|record| {
                let edge = if record < 2 || record == last { value::CONTEXT } else { 0.0 };
                Unit {
                    cost: self.skeletons.cost(self.text, self.lines(record), record),
                    value: rows.value[record] + edge,
                    must: rows.must[record],
                    group: rows.signature[record],
                }
            })
            .collect();
        self.judge_signals(&mut units, cancel)?;
        let found = query.matches((0..self.count()).map(|record| self.text_of(record)));
        for (unit, found) in units.iter_mut().zip(found) {
            unit.add(found);
        }
        cancel.check()?;
        Ok(units)
    }

    fn write(&self, kept: Kept<'_>, out: &mut String) {
        self.skeletons.write_head(out, |record| kept.has(record));
        for line in &self.records.lines[..self.records.head] {
            self.skeletons.write_line(line.all(self.text), out);
        }
        let mut record = 0;
        while record < self.count() {
            if kept.has(record) {
                self.skeletons.write_record(self.text, self.lines(record), record, out);
                record += 1;
                continue;
            }
            let end = (record..self.count()).find(|at| kept.has(*at)).unwrap_or(self.count());
            let details = format!("{} to {} of {}", record + 1, end, self.count());
            marker::gap(out, end - record, "record", &details);
            out.push('\n');
            record = end;
        }
        // The line feeds stand between lines, not behind them.
        out.pop();
    }
}

fn to_cell(text: &str) -> Cell<'_> {
    let sort = match text {
        "" | "null" | "~" => Sort::Null,
        "true" => Sort::True,
        "false" => Sort::False,
        _ if text.len() < 32 && fast_float2::parse::<f64, _>(text).is_ok() => Sort::Number,
        _ => Sort::Text,
    };
    Cell { text, sort }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str, kept: Kept<'_>) -> Option<String> {
        let mut out = String::new();
        understand(text)?.write(kept, &mut out);
        Some(out)
    }

    fn check(text: &str) -> Option<String> {
        let out = written(text, Kept::All)?;
        assert_eq!(skeleton::decode(&out), text, "{out}");
        Some(out)
    }

    fn list(count: usize, record: impl Fn(usize) -> String) -> String {
        format!("items:\n{}", (0..count).map(record).collect::<String>())
    }

    fn yaml(at: usize) -> String {
        format!("  - id: {at}\n    name: \"n{}\"\n    state: up\n    size: {}\n", at * 7 % 13, 10 + at % 11)
    }

    #[test]
    fn what_records_share_is_written_once() {
        let out = check(&list(40, yaml)).unwrap();
        assert!(out.starts_with(
            "[records: their lines after >, with * for a value; then the values of each after |]\n>A  - id: *\n>A    name: \"*\"\n\
             >A    state: up\n>A    size: *\nitems:\nA|0|n0|10\nA|1|n7|11\n"
        ), "{out}");
        assert!(out.len() < 900);
    }

    #[test]
    fn other_records_and_odd_characters_are_kept() {
        let text = list(40, |at| match at {
            7 => "  - id: 7\n    name: a|b*\n    other:\n      - x\n".to_owned(),
            9 => "  - id: 9\n    name: \"x|y\"\n    state: up\n    size: 1\nA|1|2\n>x\n\\A|\n".to_owned(),
            _ => yaml(at),
        });
        check(&text);
        check(&text.replace('\n', "\r\n"));
        check(text.trim_end());
        check(&text.replace("up", "a*¤§"));
        check(&text.replace("up", "|¦;\t~"));
    }

    #[test]
    fn evidence_is_kept() {
        let text = list(120, |at| match at {
            30 => yaml(at).replace("size: 1", "size: 99000"),
            50 => yaml(at).replace("up", "failed: disk error"),
            70 => yaml(at).replace("up", "quarantined"),
            90 => yaml(at).replace("name: \"n", "name: \"needle-4711-n"),
            _ => yaml(at),
        });
        let form = understand(&text).unwrap();
        let units = form.weigh(&Query::new("what of needle-4711-n4?"), &CancelToken::new()).unwrap();
        let mut order: Vec<usize> = (0..units.len()).collect();
        order.sort_by(|a, b| units[*b].value.total_cmp(&units[*a].value));
        order.truncate(4);
        order.sort_unstable();
        assert_eq!(order, [30, 50, 70, 90]);
        assert!(units[50].must && units[30].must);
    }

    #[test]
    fn what_is_left_out_is_said() {
        let text = list(40, yaml);
        let mut flags = vec![false; 40];
        flags[3] = true;
        let out = written(&text, Kept::Some(&flags)).unwrap();
        assert!(out.ends_with(
            "items:\n[… 3 records left out: 1 to 3 of 40]\nA|3|n8|13\n[… 36 records left out: 5 to 40 of 40]"
        ), "{out}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn any_records_can_be_read_back(
            records in prop::collection::vec(
                (0..4usize, prop::sample::select(vec!["1", "x y", "|", "*", "¤", "a|b", "\"q\"", "", "A|", "é"]),
                    prop::sample::select(vec!["    state: up", "    state: down", "", "A|x", ">A", "\\", "\\A|", "    free"])), 4..40),
            head in "[a-z:\n|>A]{0,12}",
        ) {
            let mut body = String::new();
            for (more, value, line) in &records {
                body.push_str(&["  - id: ", value, "\n    name: ", value, "\n    kind: k\n"].concat());
                body.push_str(&"    more: m\n".repeat(*more));
                body.push_str(&[line, "\n"].concat());
            }
            check(&format!("{head}\n{body}"));
        }
    }
}
