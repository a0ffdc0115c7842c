//! Times in a column: what all have in common is said once.
//!
//! `day{* departed=*T…:00}` says that a cell `06:26` of the row `2024-05-01` is `2024-05-01T06:26:00`.

use super::notation;
use super::plan::{Column, List, NONE};
use super::tree::{Kind, Tree};

/// Cells that make a column worth a word on what they have in common, and bytes of that.
const MIN_CELLS: usize = 4;
const MIN_BYTES: usize = 5;
/// Cells that are looked at.
const MOST_CELLS: usize = 512;

/// In place of what differs.
pub const DIFFERS: char = '…';

/// What the times of a column begin and end with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Whether the row's key comes first.
    pub key: bool,
    pub prefix: String,
    pub suffix: String,
}

impl Template {
    /// Of a column; `keys` are the rows', where a column can refer to them.
    pub fn of(tree: &Tree<'_>, list: &List, column: &Column, has_keys: bool) -> Option<Self> {
        // A cell that is another string is quoted; numbers would be taken for what differs.
        let present = || column.cells.iter().filter(|cell| **cell != NONE).map(|cell| tree.node(*cell).kind);
        let first = present().find(|kind| *kind != Kind::Null)?;
        if first != (Kind::String { escapes: false })
            || !present().all(|kind| matches!(kind, Kind::String { .. } | Kind::Null))
        {
            return None;
        }
        let is_time = |row: &usize| {
            column.cells[*row] != NONE
                && tree.node(column.cells[*row]).kind == (Kind::String { escapes: false })
                && begins_with_date(tree.literal(column.cells[*row]))
        };
        // Some speak for all.
        let step = column.cells.len().div_ceil(MOST_CELLS).max(1);
        let rows: Vec<usize> = (0..column.cells.len()).step_by(step).filter(is_time).collect();
        let times = || rows.iter().map(|row| (*row, tree.literal(column.cells[*row])));
        let count = times().count();
        if count < MIN_CELLS {
            return None;
        }
        let mut template = Self { key: false, prefix: String::new(), suffix: String::new() };
        if has_keys && let Some(joint) = joint(tree, list, times()) {
            template.key = true;
            template.prefix.push(joint);
        } else {
            let (_, first) = times().next()?;
            let common = times().fold(first.len(), |length, (_, time)| common_prefix(&first[..length], time));
            template.prefix.push_str(&first[..after_number(&first[..common])]);
        }
        let fits = |(row, time): (usize, &'_ str)| -> bool { template.rest(tree, list, row, time).is_some() };
        let mut rests = times().filter_map(|(row, time)| template.rest(tree, list, row, time));
        let first = rests.next()?;
        let common =
            rests.fold(first.len(), |length, rest| common_suffix(&first[first.len() - length..], rest));
        let suffix = before_number(&first[first.len() - common..]);
        let fitting = times().filter(|time| fits(*time)).count();
        template.suffix = suffix.to_string();
        let bytes = template.prefix.len() + template.suffix.len() + if template.key { MIN_BYTES } else { 0 };
        let pays = fitting * 5 >= count * 4 && bytes >= MIN_BYTES;
        pays.then_some(template)
    }

    /// What a cell has of its own; nothing where it is not like the others.
    pub fn rest<'a>(&self, tree: &Tree<'_>, list: &List, row: usize, time: &'a str) -> Option<&'a str> {
        let time = if self.key { time.strip_prefix(tree.key(list.keys[row]))? } else { time };
        let rest = time.strip_prefix(&*self.prefix)?.strip_suffix(&*self.suffix)?;
        let digits = rest.starts_with(|first: char| first.is_ascii_digit());
        (digits && notation::is_word(rest)).then_some(rest)
    }

    /// Writes what follows a column's name.
    pub fn write(&self, out: &mut String) {
        out.push('=');
        if self.key {
            out.push_str(notation::ROW_KEY);
        }
        notation::piece(&self.prefix, out);
        out.push(DIFFERS);
        notation::piece(&self.suffix, out);
    }
}

/// What stands between the rows' keys and the rest of the times that begin with them, if most do.
fn joint<'a>(tree: &Tree<'_>, list: &List, times: impl Iterator<Item = (usize, &'a str)>) -> Option<char> {
    let (mut all, mut found) = (0, 0);
    let mut joint = None;
    for (row, time) in times {
        all += 1;
        let after = time.strip_prefix(tree.key(list.keys[row])).and_then(|rest| rest.chars().next());
        if let Some(after) = after.filter(|after| matches!(after, 'T' | ' ')) {
            joint = joint.or(Some(after));
            found += usize::from(joint == Some(after));
        }
    }
    joint.filter(|_| found * 5 >= all * 4)
}

fn begins_with_date(text: &str) -> bool {
    let Some(date) = text.as_bytes().first_chunk::<10>() else { return false };
    date.iter()
        .enumerate()
        .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() })
        && text.len() > 10
        && text.is_ascii()
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

fn common_suffix(a: &str, b: &str) -> usize {
    a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count()
}

/// Where the last number of a text begins, which may be cut short.
fn after_number(text: &str) -> usize {
    text.bytes().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1)
}

/// A text from behind its first number on, which may be cut short.
fn before_number(text: &str) -> &str {
    &text[text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())..]
}
