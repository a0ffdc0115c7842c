//! Tables in text: where they begin and end, and what their cells are.

use crate::cancel;

/// How the cells of a line are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Separated by a character; cells with quotes may have it within, and line breaks.
    Separated(u8),
    /// By pipes, as in Markdown and what databases' shells print.
    Pipes,
    /// By spaces, so that columns stand below their names.
    Aligned,
}

/// A row: its text, and its cells among all.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub start: u32,
    pub end: u32,
    pub first: u32,
    pub cells: u32,
}

/// A table, taken apart.
#[derive(Debug)]
pub struct Split<'a> {
    pub style: Style,
    pub names: Vec<&'a str>,
    pub rows: Vec<Row>,
    pub cells: Vec<&'a str>,
    /// Bytes of the text that are the table.
    pub end: usize,
}

/// Fewest rows of a table, and of one of two columns.
const MIN_ROWS: usize = 3;
const MIN_ROWS_OF_TWO: usize = 6;
const MAX_COLUMNS: usize = 512;
/// Longest cell with quotes.
const QUOTED: usize = 8 << 10;

/// The table that a text begins with.
pub fn split(text: &str) -> Option<Split<'_>> {
    let bytes = text.as_bytes();
    let style = style(text)?;
    let mut split = Split { style, names: Vec::new(), rows: Vec::new(), cells: Vec::new(), end: 0 };
    let mut starts = Vec::new();
    let mut at = 0;
    let mut odd = 0;
    let mut check_at = 0;
    while at < bytes.len() {
        if at >= check_at {
            check_at = at + (64 << 10);
            if cancel::is_interrupted() {
                return None;
            }
        }
        let first = split.cells.len();
        let end = match style {
            Style::Separated(separator) => record(text, at, separator, &mut split.cells),
            _ => line_end(bytes, at),
        };
        let line = text[at..end].trim_end_matches(['\n', '\r']);
        match style {
            Style::Separated(_) => {}
            _ if is_rule(line) => {
                at = end;
                split.end = end;
                continue;
            }
            Style::Pipes => pipes(line, &mut split.cells),
            Style::Aligned if split.names.is_empty() => {
                starts = columns_of(line);
                aligned(line, &starts, &mut split.cells);
            }
            Style::Aligned => {
                if !aligned(line, &starts, &mut split.cells) {
                    split.cells.truncate(first);
                }
            }
        }
        let mut count = split.cells.len() - first;
        if style == Style::Separated(b'\t') && (2..split.names.len()).contains(&count) {
            // White space at the end of a line goes easily.
            split.cells.resize(first + split.names.len(), "");
            count = split.names.len();
        }
        if split.names.is_empty() {
            split.names = split.cells.drain(..).collect();
            if split.names.len() > MAX_COLUMNS {
                return None;
            }
        } else {
            if line.trim().is_empty() || count <= 1 && count != split.names.len() {
                split.cells.truncate(first);
                break;
            }
            if count != split.names.len() {
                odd += 1;
                // One line that does not fit may be a table's; more of them are another text.
                if odd * 8 > split.rows.len() + 8 {
                    split.cells.truncate(first);
                    break;
                }
            }
            split.rows.push(Row {
                start: at as u32,
                end: (at + line.len()) as u32,
                first: first as u32,
                cells: count as u32,
            });
        }
        at = end;
        split.end = end;
    }
    let fewest = if split.names.len() > 2 || style == Style::Pipes { MIN_ROWS } else { MIN_ROWS_OF_TWO };
    let fitting = split.rows.iter().filter(|row| row.cells as usize == split.names.len()).count();
    (split.rows.len() >= fewest && fitting * 10 >= split.rows.len() * 9).then_some(split)
}

/// How a table is written that a text begins with, by its first lines.
fn style(text: &str) -> Option<Style> {
    let bytes = text.as_bytes();
    let mut first = &text[..line_end(bytes, 0)];
    let mut rest = &text[first.len()..];
    // The frame that some shells put around a table.
    if first.starts_with('+') && is_rule(first.trim_end()) {
        first = &rest[..line_end(rest.as_bytes(), 0)];
        rest = &rest[first.len()..];
    }
    let second = rest[..line_end(rest.as_bytes(), 0)].trim_end();
    let first = first.trim_end();
    if first.contains('|') && is_rule(second) && second.contains(['|', '+']) {
        return Some(Style::Pipes);
    }
    for separator in [b'\t', b',', b';', b'|'] {
        let mut names = Vec::new();
        record(first, 0, separator, &mut names);
        if names.len() < 2 || !names.iter().all(|name| is_name(name)) {
            continue;
        }
        let mut cells = Vec::new();
        let end = record(rest, 0, separator, &mut cells);
        let one = cells.len();
        record(rest, end.min(rest.len()), separator, &mut cells);
        let fits =
            |count: usize| count == names.len() || (separator == b'\t' && (2..names.len()).contains(&count));
        if fits(one) && fits(cells.len() - one) {
            return Some(Style::Separated(separator));
        }
    }
    let starts = columns_of(first);
    let is_head =
        starts.len() >= 3 && first.is_ascii() && !first.bytes().any(|byte| byte.is_ascii_lowercase());
    let mut lines = rest.lines();
    let fits = |line: Option<&str>| line.is_some_and(|line| aligned(line, &starts, &mut Vec::new()));
    (is_head && fits(lines.next()) && fits(lines.next())).then_some(Style::Aligned)
}

/// Whether a cell may be the name of a column.
fn is_name(cell: &str) -> bool {
    let cell = unquote(cell).trim();
    let is_part =
        |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b" _-./%#()[]:$&@".contains(&byte);
    !cell.is_empty()
        && cell.len() <= 48
        && cell.bytes().all(is_part)
        && cell.bytes().any(|byte| byte.is_ascii_alphabetic() || byte >= 0x80)
        && !cell.as_bytes()[0].is_ascii_digit()
        && cell.split(' ').count() <= 5
        && !cell.ends_with('.')
}

/// What stands between a cell's quotes.
pub fn unquote(cell: &str) -> &str {
    cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')).unwrap_or(cell)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1)
}

/// A line that draws a line.
fn is_rule(line: &str) -> bool {
    line.len() >= 3
        && line.bytes().all(|byte| b"-+|:= ".contains(&byte))
        && line.contains(['-', '='])
        && (line.contains("--") || line.contains("==") || line.contains('|'))
}

/// Reads one record (RFC 4180): where the next one begins.
fn record<'a>(text: &'a str, start: usize, separator: u8, cells: &mut Vec<&'a str>) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let cell = at;
        if bytes.get(at) == Some(&b'"')
            && let Some(end) = closing_quote(bytes, at)
        {
            at = end;
        }
        let found = memchr::memchr2(separator, b'\n', &bytes[at..]).map(|found| at + found);
        let end = found.unwrap_or(bytes.len());
        let is_last = found.is_none_or(|found| bytes[found] == b'\n');
        let text = &text[cell..end];
        cells.push(if is_last { text.strip_suffix('\r').unwrap_or(text) } else { text });
        if is_last {
            return (end + 1).min(bytes.len());
        }
        at = end + 1;
    }
}

/// Behind the quote that ends a cell, within reason.
fn closing_quote(bytes: &[u8], start: usize) -> Option<usize> {
    let window = &bytes[..bytes.len().min(start + QUOTED)];
    let mut at = start + 1;
    loop {
        at += memchr::memchr(b'"', &window[at..])? + 1;
        if window.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// The cells of a line between pipes.
fn pipes<'a>(line: &'a str, cells: &mut Vec<&'a str>) {
    let mut line = line.trim();
    if let Some(rest) = line.strip_prefix('|') {
        line = rest.strip_suffix('|').filter(|rest| !rest.ends_with('\\')).unwrap_or(rest);
    }
    let mut start = 0;
    for at in memchr::memchr_iter(b'|', line.as_bytes()).chain([line.len()]) {
        if at > 0 && at < line.len() && line.as_bytes()[at - 1] == b'\\' {
            continue;
        }
        cells.push(line[start..at].trim());
        start = at + 1;
    }
}

/// Where the names of columns begin that stand apart by two spaces or more.
fn columns_of(line: &str) -> Vec<usize> {
    let bytes = line.as_bytes();
    let begins = |at: usize| {
        bytes[at] != b' ' && (at == 0 || (bytes[at - 1] == b' ' && (at == 1 || bytes[at - 2] == b' ')))
    };
    if bytes.contains(&b'\t') {
        return Vec::new();
    }
    (0..bytes.len()).filter(|at| begins(*at)).collect()
}

/// The cells of a line that stand below names; whether it has them there.
fn aligned<'a>(line: &'a str, starts: &[usize], cells: &mut Vec<&'a str>) -> bool {
    let bytes = line.as_bytes();
    if starts.is_empty() || starts[0] != 0 || bytes.first().is_none_or(|first| *first == b' ') {
        return false;
    }
    for (place, start) in starts.iter().enumerate() {
        let end = starts.get(place + 1).map_or(bytes.len(), |end| (*end).min(bytes.len()));
        let start = (*start).min(bytes.len());
        if place > 0 && start < bytes.len() && bytes[start - 1] != b' ' {
            return false;
        }
        let Some(cell) = line.get(start..end) else { return false };
        if cell.starts_with(' ') && !cell.trim().is_empty() {
            return false;
        }
        cells.push(cell.trim_end());
    }
    true
}
