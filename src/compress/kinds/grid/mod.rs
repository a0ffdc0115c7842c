//! Tables in text: CSV and its kin, Markdown, what shells of databases and `kubectl get` print.
//!
//! Written without padding, and with columns that have one value said once: `name=value` in the head. Rows are units,
//! weighed by their columns.

mod split;

use std::fmt::Write as _;
use std::ops::Range;

use self::split::{Row, Split, Style, unquote};
use super::cells::{Cell, Sort};
use super::columns::Rows;
use super::summary::{Details, Summary};
use crate::cancel::CancelToken;
use crate::compress::form::{Form, Kept, Unit, value};
use crate::compress::kind::Kind;
use crate::compress::marker;
use crate::compress::query::Query;
use crate::compress::tokens;
use crate::error::Error;

/// Gaps that are described one by one.
const MOST_TOLD_APART: usize = 6;

/// Understands a text that is a table.
pub fn understand(text: &str) -> Option<Box<dyn Form + '_>> {
    let split = split::split(text)?;
    Some(Box::new(Grid::new(text, split)))
}

/// The table that begins at `at`, which is the beginning of a line.
pub fn span_at(text: &str, at: usize) -> Option<(Kind, Range<usize>)> {
    let split = split::split(&text[at..])?;
    let kind = if split.style == Style::Pipes { Kind::MarkdownTable } else { Kind::Csv };
    Some((kind, at..at + split.end))
}

#[derive(Debug)]
struct Grid<'a> {
    text: &'a str,
    split: Split<'a>,
    /// Columns that have one value.
    constants: Vec<bool>,
    joint: &'static str,
}

impl<'a> Grid<'a> {
    fn new(text: &'a str, split: Split<'a>) -> Self {
        let mut grid = Self { text, constants: vec![false; split.names.len()], joint: "|", split };
        grid.joint = grid.find_joint();
        let is_even = (0..grid.split.rows.len()).all(|row| grid.fits(row));
        if is_even && !grid.split.names.iter().any(|name| name.contains('=')) {
            grid.constants = (0..grid.split.names.len()).map(|column| grid.is_constant(column)).collect();
            if grid.constants.iter().all(|constant| *constant) {
                grid.constants[0] = false;
            }
        }
        grid
    }

    fn fits(&self, row: usize) -> bool {
        self.split.rows[row].cells as usize == self.split.names.len()
    }

    fn cells(&self, row: usize) -> &[&'a str] {
        let Row { first, cells, .. } = self.split.rows[row];
        &self.split.cells[first as usize..(first + cells) as usize]
    }

    fn line(&self, row: usize) -> &'a str {
        let Row { start, end, .. } = self.split.rows[row];
        &self.text[start as usize..end as usize]
    }

    fn is_constant(&self, column: usize) -> bool {
        let first = self.cells(0)[column];
        !first.is_empty()
            && !first.contains(self.joint)
            && (1..self.split.rows.len()).all(|row| self.cells(row)[column] == first)
    }

    /// What parts the cells of a row.
    fn find_joint(&self) -> &'static str {
        match self.split.style {
            Style::Separated(b'\t') => "\t",
            Style::Separated(b';') => ";",
            Style::Separated(b',') => ",",
            Style::Separated(_) | Style::Pipes => "|",
            Style::Aligned => {
                let all = || self.split.cells.iter().chain(&self.split.names);
                if all().all(|cell| !cell.is_empty() && !cell.contains(' ')) {
                    " "
                } else if all().all(|cell| !cell.is_empty() && !cell.contains("  ")) {
                    "  "
                } else {
                    "|"
                }
            }
        }
    }

    fn head(&self, out: &mut String) {
        for (column, name) in self.split.names.iter().enumerate() {
            if column > 0 {
                out.push_str(self.joint);
            }
            out.push_str(name);
            if self.constants[column] {
                out.push('=');
                out.push_str(self.cells(0)[column]);
            }
        }
        if self.split.style == Style::Pipes {
            // So that it is read as a table.
            out.push_str("\n-|-");
        }
    }

    fn row(&self, row: usize, out: &mut String) {
        if matches!(self.split.style, Style::Separated(_)) && !self.constants.contains(&true)
            || !self.fits(row)
        {
            return out.push_str(self.line(row));
        }
        let mut first = true;
        for (cell, constant) in self.cells(row).iter().zip(&self.constants) {
            if *constant {
                continue;
            }
            if !std::mem::replace(&mut first, false) {
                out.push_str(self.joint);
            }
            out.push_str(cell);
        }
    }

    /// Ranges and counts of the columns of some rows.
    fn details(&self, rows: &(impl Iterator<Item = usize> + Clone)) -> String {
        let mut details = Details::default();
        for (column, name) in self.split.names.iter().enumerate() {
            if details.is_full() || self.constants[column] {
                continue;
            }
            let mut values = Summary::default();
            for row in rows.clone().filter(|row| self.fits(*row)) {
                let cell = unquote(self.cells(row)[column]);
                if !cell.is_empty() {
                    values.add(cell, sort(cell) == Sort::Number);
                }
                if values.says_nothing() {
                    break;
                }
            }
            details.add(unquote(name), &values);
        }
        details.text()
    }

    fn write_some(&self, kept: Kept<'_>, out: &mut String) {
        let hidden = |row: usize| !kept.has(row);
        let count = self.split.rows.len();
        let gaps = (0..count).filter(|row| hidden(*row) && (*row == 0 || !hidden(row - 1))).count();
        let mut row = 0;
        while row < count {
            out.push('\n');
            if !hidden(row) {
                self.row(row, out);
                row += 1;
                continue;
            }
            let end = (row..count).find(|row| !hidden(*row)).unwrap_or(count);
            if gaps <= MOST_TOLD_APART {
                marker::gap(out, end - row, "row", &self.details(&(row..end)));
            } else {
                // Writing to a string does not fail.
                let _ = write!(out, "…{}", end - row);
            }
            row = end;
        }
        if gaps > MOST_TOLD_APART {
            let rows = (0..count).filter(|row| hidden(*row));
            let details = format!("…n stands for n of them; {}", self.details(&rows));
            out.push('\n');
            marker::gap(out, rows.count(), "row", details.trim_end_matches("; "));
        }
    }
}

fn sort(cell: &str) -> Sort {
    match cell {
        "true" | "True" | "TRUE" => Sort::True,
        "false" | "False" | "FALSE" => Sort::False,
        "null" | "NULL" | "None" | "nil" => Sort::Null,
        _ if super::json::number_length(cell.as_bytes()) == Some(cell.len()) => Sort::Number,
        _ => Sort::Text,
    }
}

impl Form for Grid<'_> {
    fn transforms(&self) -> &'static [&'static str] {
        &["table"]
    }

    fn len(&self) -> usize {
        self.split.rows.len()
    }

    fn weigh(&self, query: &Query, cancel: &CancelToken) -> Result<Vec<Unit>, Error> {
        let count = self.split.rows.len();
        let mut rows = Rows::new(count);
        let mut cells = Vec::with_capacity(count);
        for (column, name) in self.split.names.iter().enumerate() {
            if self.constants[column] {
                continue;
            }
            cancel.check()?;
            cells.clear();
            cells.extend((0..count).map(|row| {
                let text = self
                    .fits(row)
                    .then(|| unquote(self.cells(row)[column]))
                    .filter(|text| !text.is_empty())?;
                Some(Cell { text, sort: sort(text) })
            }));
            rows.add(unquote(name), &cells, true);
        }
        rows.finish();
        for row in [0, 1, count.saturating_sub(2), count.saturating_sub(1)] {
            rows.value[row] += value::CONTEXT;
        }
        for (row, found) in query.matches((0..count).map(|row| self.line(row))).into_iter().enumerate() {
            rows.value[row] += found.worth;
            rows.must[row] |= found.must;
        }
        let unit = |row: usize| Unit {
            cost: 1 + self.cells(row).iter().map(|cell| tokens::by_bytes(cell) + 1).sum::<u32>(),
            value: rows.value[row],
            must: rows.must[row],
            group: rows.signature[row],
        };
        Ok((0..count).map(unit).collect())
    }

    fn write(&self, kept: Kept<'_>, out: &mut String) {
        self.head(out);
        if kept.is_all() {
            for row in 0..self.split.rows.len() {
                out.push('\n');
                self.row(row, out);
            }
        } else {
            self.write_some(kept, out);
        }
        // What follows the table, as far as it is no padding.
        let rest = &self.text[self.split.end..];
        if self.text[..self.split.end].ends_with('\n') {
            out.push('\n');
        }
        out.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> Option<String> {
        let mut out = String::new();
        understand(text)?.write(Kept::All, &mut out);
        Some(out)
    }

    /// The cells that were written, of all columns, with their head.
    fn decode(text: &str, joint: &str) -> Vec<Vec<String>> {
        let mut lines = text.lines();
        let head: Vec<(String, Option<String>)> = lines
            .next()
            .unwrap()
            .split(joint)
            .map(|name| match name.split_once('=') {
                Some((name, value)) => (name.to_string(), Some(value.to_string())),
                None => (name.to_string(), None),
            })
            .collect();
        let mut rows = vec![head.iter().map(|(name, _)| name.clone()).collect()];
        for line in lines.filter(|line| *line != "-|-") {
            let mut cells = line.split(joint);
            let cell = |(_, constant): &(String, Option<String>)| match constant {
                Some(value) => value.clone(),
                None => cells.next().unwrap().to_string(),
            };
            rows.push(head.iter().map(cell).collect());
        }
        rows
    }

    #[test]
    fn tables_of_all_styles() {
        for (text, expected) in [
            ("id,kind,n\n1,a,5\n2,a,6\n3,a,7\n", "id,kind=a,n\n1,5\n2,6\n3,7\n"),
            ("id\tx y\tn\n1\ta b\t5\n2\tc\t6\n3\td\t7", "id\tx y\tn\n1\ta b\t5\n2\tc\t6\n3\td\t7"),
            ("a\tb\tc\n1\tx\ty\n2\tx\n3\tx\tz\n", "a\tb=x\tc\n1\ty\n2\t\n3\tz\n"),
            ("| a | b |\n|---|:-:|\n| 1  | x |\n| 2 | |\n| 3 | z |\n", "a|b\n-|-\n1|x\n2|\n3|z\n"),
            (
                " a  | b\n----+---\n 1  | x\n 22 | y\n 3  | z\n(3 rows)\n",
                "a|b\n-|-\n1|x\n22|y\n3|z\n(3 rows)\n",
            ),
            (
                "+---+---+\n| a | b |\n+---+---+\n| 1 | x |\n| 2 | y |\n| 3 | z |\n+---+---+\n",
                "a|b\n-|-\n1|x\n2|y\n3|z\n",
            ),
            (
                "NAME    READY   AGE\npod-a   1/1     5d\npod-bc  0/1     6h\npod-d   1/1     9d\n",
                "NAME READY AGE\npod-a 1/1 5d\npod-bc 0/1 6h\npod-d 1/1 9d\n",
            ),
        ] {
            assert_eq!(written(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_tables() {
        for text in [
            "",
            "a",
            "a,b",
            "Hello, you,\nhow, are\nyou, there\nthen, so\n",
            "foo(a, b);\nbar(c, d);\nbaz(e, f);\nx(g, h);\n",
            "2024-05-01 10:00:00,123 INFO a\n2024-05-01 10:00:00,124 INFO b\n2024-05-01 10:00:00,125 INFO c\n",
            "1,2,3\n4,5,6\n7,8,9\n",
        ] {
            assert!(written(text).is_none(), "{text}");
        }
    }

    #[test]
    fn rows_left_out_are_described() {
        let mut text = "id,kind,price\n".to_string();
        for row in 0..60 {
            let _ = writeln!(
                text,
                "{row},{},{}",
                ["a", "b"][row % 2],
                if row == 40 { 9000 } else { 10 + row * 7 % 13 }
            );
        }
        let form = understand(&text).unwrap();
        let units = form.weigh(&Query::new("row"), &CancelToken::new()).unwrap();
        let best = (0..60).max_by(|a, b| units[*a].value.total_cmp(&units[*b].value)).unwrap();
        assert_eq!(best, 40);
        let mut kept = vec![false; 60];
        kept[best] = true;
        let mut out = String::new();
        form.write(Kept::Some(&kept), &mut out);
        assert_eq!(
            out,
            "id,kind,price\n[… 40 rows left out: id 0…39; kind a ×20, b ×20; price 10…22]\n40,a,9000\n\
             [… 19 rows left out: id 41…59; kind b ×10, a ×9; price 10…22]\n"
        );
    }

    proptest! {
        #[test]
        fn cells_can_be_read_back(
            rows in proptest::collection::vec(proptest::collection::vec("[ab1.x]{1,3}", 3), 4..12),
            style in 0usize..4,
        ) {
            let names = ["NAME", "KIND", "N"].map(str::to_string).to_vec();
            let table: Vec<Vec<String>> = std::iter::once(names).chain(rows).collect();
            let joint = ["|", ",", "\t", "|"][style];
            let (text, joint) = match style {
                0 => {
                    let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
                    (format!("{}|---|---|---|\n{}", line(&table[0]), table[1..].iter().map(line).collect::<String>()), joint)
                }
                3 => {
                    let line = |row: &Vec<String>| format!("{:<9}{:<8}{}\n", row[0], row[1], row[2]);
                    (table.iter().map(line).collect(), " ")
                }
                _ => (table.iter().map(|row| row.join(joint) + "\n").collect::<String>(), joint),
            };
            let out = written(&text).unwrap();
            prop_assert_eq!(decode(&out, joint), table);
        }

        #[test]
        fn any_text_is_survived(text in "[a,|\t\n \"+-]{0,60}") {
            if let Some(form) = understand(&text) {
                let mut out = String::new();
                form.write(Kept::All, &mut out);
                form.weigh(&Query::new("a"), &CancelToken::new()).unwrap();
                let kept: Vec<bool> = (0..form.len()).map(|row| row % 2 == 0).collect();
                form.write(Kept::Some(&kept), &mut out);
            }
        }
    }
}
