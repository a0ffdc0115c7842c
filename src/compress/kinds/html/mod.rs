//! HTML. There is no shorter way to write a page without losing anything, so the lossless tier leaves it as it is; the lossy
//! one gives its text: blocks without the markup, rows of tables as cells between bars.

mod read;

use crate::cancel::CancelToken;
use crate::compress::form::{Form, Kept, Unit, value};
use crate::compress::kinds::cells::{Cell, Sort};
use crate::compress::kinds::columns::Rows;
use crate::compress::marker;
use crate::compress::query::Query;
use crate::compress::signal::{self, Severity};
use crate::compress::tokens;
use crate::error::Error;
use read::{Block, Page, Role};

/// What a block in a menu or a footer is worth beside others.
const FRAME: f32 = 0.15;
/// Rows that are judged as a table, and columns of them.
const LEAST_ROWS: usize = 8;
const MOST_COLUMNS: usize = 64;
/// Distinct errors that are kept whatever the budget.
const MOST_ERRORS: usize = 64;

/// Understands a page.
pub fn understand(text: &str) -> Option<Box<dyn Form + '_>> {
    let page = read::read(text);
    (page.blocks.len() > 1).then(|| Box::new(Html { text, page }) as Box<dyn Form>)
}

#[derive(Debug)]
struct Html<'a> {
    text: &'a str,
    page: Page,
}

impl Html<'_> {
    fn blocks(&self) -> &[Block] {
        &self.page.blocks
    }

    /// Evidence in the rows of tables, by their columns.
    fn judge_tables(&self, units: &mut [Unit]) {
        let blocks = self.blocks();
        let mut at = 0;
        while at < blocks.len() {
            let Role::Row(table) = blocks[at].role else {
                at += 1;
                continue;
            };
            let rows = blocks[at..].iter().take_while(|block| block.role == Role::Row(table)).count();
            let head = usize::from(blocks[at].has_head_cells);
            if rows - head >= LEAST_ROWS {
                judge_rows(&blocks[at], &blocks[at + head..at + rows], &mut units[at + head..at + rows]);
            }
            if head == 1 {
                units[at].value += value::NOTABLE;
            }
            at += rows;
        }
    }

    /// Numbers that are far from all others of the text.
    fn judge_numbers(&self, units: &mut [Unit]) {
        let is_text = |block: &Block| !matches!(block.role, Role::Row(_));
        let largest = |block: &Block| is_text(block).then(|| largest_number(&block.text)).flatten();
        let numbers: Vec<Option<Cell<'_>>> = self
            .blocks()
            .iter()
            .map(|block| largest(block).map(|range| Cell { text: &block.text[range], sort: Sort::Number }))
            .collect();
        let present: Vec<usize> = (0..numbers.len()).filter(|at| numbers[*at].is_some()).collect();
        if present.len() < LEAST_ROWS {
            return;
        }
        let cells: Vec<_> = present.iter().map(|at| numbers[*at]).collect();
        let mut rows = Rows::new(cells.len());
        rows.add("", &cells, false);
        for (row, at) in present.into_iter().enumerate() {
            units[at].value += rows.value[row] - value::ORDINARY;
            units[at].must |= rows.must[row];
        }
    }

    fn judge_signals(&self, units: &mut [Unit]) {
        let mut errors = 0;
        for (block, unit) in self.blocks().iter().zip(units) {
            let severity = signal::severity(&block.text);
            if severity == Severity::Ordinary || matches!(block.role, Role::Row(_)) {
                continue;
            }
            unit.value += if severity == Severity::Warning { value::NOTABLE } else { value::ERROR };
            if severity > Severity::Warning && errors < MOST_ERRORS {
                errors += 1;
                unit.must = true;
            }
        }
    }

    fn write_head(&self, out: &mut String) {
        let shown: usize = self.blocks().iter().map(|block| block.text.len()).sum();
        let kilobytes = self.text.len().saturating_sub(shown) / 1000;
        let Page { scripts, styles, .. } = self.page;
        let mut parts = Vec::new();
        for (count, name) in [(scripts, "script"), (styles, "style")] {
            if count > 0 {
                parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
            }
        }
        parts.push(format!("{kilobytes} KB of markup"));
        out.push_str("[text of an HTML page; left out: ");
        out.push_str(&parts.join(", "));
        out.push_str("]\n");
    }
}

impl Form for Html<'_> {
    fn transforms(&self) -> &'static [&'static str] {
        &["html_text"]
    }

    fn len(&self) -> usize {
        self.blocks().len()
    }

    fn weigh(&self, query: &Query, cancel: &CancelToken) -> Result<Vec<Unit>, Error> {
        let mut group = 0;
        let mut units: Vec<Unit> = self
            .blocks()
            .iter()
            .map(|block| {
                let worth = match block.role {
                    Role::Heading(_) => value::ORDINARY + value::CONTEXT,
                    _ => value::ORDINARY,
                };
                // Rows of a table are alike, other blocks are not.
                group += 1;
                let group = if let Role::Row(table) = block.role { u32::MAX - table } else { group };
                let value = if block.is_frame { worth * FRAME } else { worth };
                Unit { cost: tokens::by_bytes(&block.text) + 2, value, must: false, group }
            })
            .collect();
        cancel.check()?;
        self.judge_signals(&mut units);
        cancel.check()?;
        self.judge_tables(&mut units);
        self.judge_numbers(&mut units);
        cancel.check()?;
        let found = query.matches(self.blocks().iter().map(|block| block.text.as_str()));
        for (unit, found) in units.iter_mut().zip(found) {
            unit.add(found);
        }
        cancel.check()?;
        Ok(units)
    }

    fn write(&self, kept: Kept<'_>, out: &mut String) {
        if let Kept::All = kept {
            return out.push_str(self.text);
        }
        self.write_head(out);
        let blocks = self.blocks();
        let mut at = 0;
        while at < blocks.len() {
            if kept.has(at) {
                write_block(&blocks[at], at > 0 && kept.has(at - 1), out);
                at += 1;
                continue;
            }
            let count = (at..blocks.len()).take_while(|at| !kept.has(*at)).count();
            let rows =
                blocks[at..at + count].iter().filter(|block| matches!(block.role, Role::Row(_))).count();
            let (unit, details) =
                if rows == count { ("row", String::new()) } else { ("block", of_rows(rows)) };
            end_line(out);
            marker::gap(out, count, unit, &details);
            out.push('\n');
            at += count;
        }
        end_line(out);
    }
}

fn of_rows(rows: usize) -> String {
    if rows == 0 { String::new() } else { format!("{rows} of them rows") }
}

fn end_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

fn write_block(block: &Block, follows: bool, out: &mut String) {
    if block.continues && follows {
        out.push(' ');
    } else {
        end_line(out);
        match block.role {
            Role::Heading(level) => {
                (0..level).for_each(|_| out.push('#'));
                out.push(' ');
            }
            Role::Item if !block.continues => out.push_str("- "),
            _ => {}
        }
    }
    out.push_str(&block.text);
}

fn judge_rows(head: &Block, rows: &[Block], units: &mut [Unit]) {
    let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).min(MOST_COLUMNS);
    let mut judged = Rows::new(rows.len());
    for column in 0..width {
        let name = if head.has_head_cells { head.cell(column).unwrap_or("") } else { "" };
        let cells: Vec<Option<Cell<'_>>> = rows.iter().map(|row| row.cell(column).map(to_cell)).collect();
        judged.add(name, &cells, true);
    }
    judged.finish();
    for (row, unit) in units.iter_mut().enumerate() {
        unit.value += judged.value[row] - value::ORDINARY;
        unit.must |= judged.must[row];
        unit.group = unit.group.wrapping_add(judged.signature[row]);
    }
}

fn to_cell(text: &str) -> Cell<'_> {
    let sort = match text {
        "" => Sort::Null,
        "true" => Sort::True,
        "false" => Sort::False,
        _ if text.len() < 32 && fast_float2::parse::<f64, _>(text).is_ok() => Sort::Number,
        _ => Sort::Text,
    };
    Cell { text, sort }
}

/// Where the number with most digits before the point is that is a word of its own.
fn largest_number(text: &str) -> Option<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let is_word = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    let mut best: Option<(usize, std::ops::Range<usize>)> = None;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit()
            || at > 0 && (is_word(at - 1) || matches!(bytes[at - 1], b'-' | b'.' | b':'))
        {
            at += 1;
            continue;
        }
        let start = at;
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        at += digits;
        if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            at += 1 + bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        }
        if !is_word(at) && best.as_ref().is_none_or(|(most, _)| digits > *most) {
            best = Some((digits, start..at));
        }
    }
    best.map(|(_, range)| range)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: &str = "<!DOCTYPE html><html><head><title>A &amp; B</title><script>if (a < b) { x(\"</p>\") }</script>\
        <style>p { margin: 0 }</style></head><body><nav><ul><li><a href='/x'>Home</a></li></ul></nav>\
        <!-- <p>hidden</p> --><h2 class=\"a>b\">Results</h2><p>First <b>bold</b>\n  word.</p>\
        <table><tr><th>name</th><th>size</th></tr><tr><td>x</td><td>1 &lt; 2</td></tr></table>\
        <pre>one\n  two</pre></body></html>";

    fn blocks(text: &str) -> Vec<(Role, String)> {
        read::read(text).blocks.into_iter().map(|block| (block.role, block.text)).collect()
    }

    #[test]
    fn what_is_shown_is_read() {
        let expected = [
            (Role::Heading(1), "A & B"),
            (Role::Item, "Home"),
            (Role::Heading(2), "Results"),
            (Role::Text, "First bold word."),
            (Role::Row(1), "name | size"),
            (Role::Row(1), "x | 1 < 2"),
            (Role::Lines, "one"),
            (Role::Lines, "  two"),
        ];
        assert_eq!(blocks(PAGE), expected.map(|(role, text)| (role, text.to_owned())));
        let page = read::read(PAGE);
        assert_eq!((page.scripts, page.styles, page.comments, page.tables), (1, 1, 1, 1));
        assert!(page.blocks[1].is_frame && !page.blocks[2].is_frame);
        assert_eq!((page.blocks[5].cell(0), page.blocks[5].cell(1)), (Some("x"), Some("1 < 2")));
    }

    #[test]
    fn what_is_left_out_is_said() {
        let form = understand(PAGE).unwrap();
        let mut flags = vec![false; form.len()];
        flags[3] = true;
        let mut out = String::new();
        form.write(Kept::Some(&flags), &mut out);
        assert_eq!(
            out,
            "[text of an HTML page; left out: 1 script, 1 style, 0 KB of markup]\n[… 3 blocks left out]\n\
             First bold word.\n[… 4 blocks left out: 2 of them rows]\n"
        );
    }

    #[test]
    fn nothing_is_lost_with_all() {
        let mut out = String::new();
        understand(PAGE).unwrap().write(Kept::All, &mut out);
        assert_eq!(out, PAGE);
    }

    #[test]
    fn evidence_is_worth_more() {
        let row = |at: usize| match at {
            40 => "<tr><td>x</td><td>98000</td><td>ok</td></tr>".to_owned(),
            60 => "<tr><td>y</td><td>14</td><td>failed: error 7</td></tr>".to_owned(),
            _ => format!("<tr><td>n{at}</td><td>{}</td><td>ok</td></tr>", 10 + at % 9),
        };
        let rows: String = (0..90).map(row).collect();
        let text =
            format!("<table><tr><th>a</th><th>b</th><th>c</th></tr>{rows}</table><p>The quince is ripe.</p>");
        let form = understand(&text).unwrap();
        let units = form.weigh(&Query::new("where is the \"quince\"?"), &CancelToken::new()).unwrap();
        let must: Vec<usize> = (0..units.len()).filter(|at| units[*at].must).collect();
        assert_eq!(must, [41, 61, 91]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(
            parts in prop::collection::vec(
                prop::sample::select(vec!["<", ">", "</", "p", "td", "tr", "table", "script", "'", "\"", "=", "&lt;", "&#x41;", "&#0;",
                    "<!--", "-->", " ", "\n", "é", "<li>", "<pre>", "</pre>", "<td>", "x"]), 0..60),
        ) {
            let text = parts.concat();
            let page = read::read(&text);
            prop_assert!(page.blocks.iter().all(|block| !block.text.trim().is_empty()));
            prop_assert!(page.blocks.iter().all(|block| block.source.end <= text.len()));
            for block in &page.blocks {
                (0..block.cells.len()).for_each(|cell| { block.cell(cell); });
            }
        }
    }
}
