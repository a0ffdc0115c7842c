//! What is said of rows that are left out.
//!
//! Where a list has but a few gaps, each tells what was in it. Where it has many, a gap is `…12`, and one word at the end
//! of the outermost list tells what was in all of them.

use std::fmt::Write as _;
use std::ops::Range;

use super::notation;
use super::plan::{Column, Content, List, NONE, Owner, Plan, Shape};
use super::read::{Id, Kind, Tree};
use super::visible::Visible;
use crate::compress::marker;

/// A list with more gaps has them described together.
const MOST_TOLD_APART: usize = 6;
/// Bytes of a description, more or less.
const LONGEST: usize = 400;
/// Values of a column that are counted, and those that are named.
const COUNTED: usize = 12;
const NAMED: usize = 4;
/// Longest value that is named.
const LONGEST_VALUE: usize = 40;

/// How the gaps of each list are described.
#[derive(Debug, Default)]
pub struct Gaps {
    apart: Vec<bool>,
}

impl Gaps {
    pub fn new(plan: &Plan, visible: &Visible) -> Self {
        let apart = |(number, list): (usize, &List)| {
            let flags = visible.of(number);
            let begins = |row: usize| !flags[row] && (row == 0 || flags[row - 1]);
            !matches!(list.owner, Owner::Column(_))
                && (0..flags.len()).filter(|row| begins(*row)).count() <= MOST_TOLD_APART
        };
        Self { apart: plan.lists.iter().enumerate().map(apart).collect() }
    }

    pub fn is_told_apart(&self, list: usize) -> bool {
        self.apart[list]
    }

    /// Describes what was left out of a list, and of those in its columns, as far as the gaps did not.
    pub fn close(&self, tree: &Tree<'_>, plan: &Plan, visible: &Visible, number: usize, out: &mut String) {
        if matches!(plan.lists[number].owner, Owner::Column(_)) {
            return;
        }
        let mut left = vec![(number, String::new())];
        while let Some((number, name)) = left.pop() {
            let list = &plan.lists[number];
            let hidden = || (0..list.rows.len()).filter(|row| !visible.of(number)[*row]);
            let count = hidden().count();
            if count > 0 && !self.apart[number] {
                let mut details = String::new();
                if !name.is_empty() {
                    let _ = write!(details, "of {name}, ");
                }
                details.push_str("…n stands for n of them");
                let more = details_of(tree, plan, list, hidden());
                if !more.is_empty() {
                    details.push_str("; ");
                    details.push_str(&more);
                }
                out.push('\n');
                marker::gap(out, count, unit(list.shape), &details);
            }
            nested(tree, &list.columns, &name, &mut left);
        }
    }
}

/// The lists in columns, with their names.
fn nested(tree: &Tree<'_>, columns: &[Column], name: &str, found: &mut Vec<(usize, String)>) {
    for column in columns.iter().rev() {
        let name = || path(name, tree.key(column.key));
        match &column.content {
            Content::List(number) => found.push((*number as usize, name())),
            Content::Group(columns) => nested(tree, columns, &name(), found),
            _ => {}
        }
    }
}

fn path(before: &str, key: &str) -> String {
    if before.is_empty() { key.to_string() } else { format!("{before}.{key}") }
}

fn unit(shape: Shape) -> &'static str {
    match shape {
        Shape::Rows | Shape::Map => "row",
        Shape::Items => "item",
        Shape::Members => "member",
    }
}

/// Says that a run of rows is left out, and what was in them.
pub fn describe(tree: &Tree<'_>, plan: &Plan, number: usize, run: Range<usize>, out: &mut String) {
    let list = &plan.lists[number];
    let details = details_of(tree, plan, list, run.clone());
    marker::gap(out, run.len(), unit(list.shape), &details);
}

/// Ranges and counts of the columns.
fn details_of(
    tree: &Tree<'_>,
    _plan: &Plan,
    list: &List,
    rows: impl Iterator<Item = usize> + Clone,
) -> String {
    let mut details = Vec::new();
    let mut length = 0;
    if !list.keys.is_empty() {
        let mut range = Summary::default();
        rows.clone().for_each(|row| range.add(tree.key(list.keys[row]), false));
        add(&mut details, &mut length, "keys", &range);
    }
    if list.shape.has_columns() {
        columns_of(tree, &list.columns, "", rows, &mut details, &mut length);
    } else {
        let mut values = Summary::default();
        rows.for_each(|row| add_cell(tree, list.rows[row], &mut values));
        add(&mut details, &mut length, "", &values);
    }
    details.join("; ")
}

fn columns_of(
    tree: &Tree<'_>,
    columns: &[Column],
    name: &str,
    rows: impl Iterator<Item = usize> + Clone,
    details: &mut Vec<String>,
    length: &mut usize,
) {
    for column in columns {
        if *length > LONGEST {
            return;
        }
        match &column.content {
            Content::Values { .. } => {
                let mut values = Summary::default();
                for cell in rows.clone().map(|row| column.cells[row]).filter(|cell| *cell != NONE) {
                    add_cell(tree, cell, &mut values);
                    if values.says_nothing() {
                        break;
                    }
                }
                add(details, length, &path(name, tree.key(column.key)), &values);
            }
            Content::Group(columns) => {
                columns_of(tree, columns, &path(name, tree.key(column.key)), rows.clone(), details, length);
            }
            _ => {}
        }
    }
}

fn add(details: &mut Vec<String>, length: &mut usize, name: &str, values: &Summary<'_>) {
    if let Some(text) = values.text() {
        *length += name.len() + text.len() + 3;
        details.push(if name.is_empty() { text } else { format!("{name} {text}") });
    }
}

fn add_cell<'a>(tree: &Tree<'a>, cell: Id, values: &mut Summary<'a>) {
    match tree.node(cell).kind {
        Kind::String { .. } => values.add(tree.literal(cell), false),
        Kind::Number => values.add(tree.text_of(cell), true),
        Kind::Array | Kind::Object => values.nothing = true,
        _ => values.add(tree.text_of(cell), false),
    }
}

/// What the values of a column were: how many of each, from where to where.
#[derive(Debug, Default)]
struct Summary<'a> {
    counts: Vec<(&'a str, u32)>,
    /// More than are counted.
    many: bool,
    not_numbers: bool,
    not_ordered: bool,
    least: Option<(f64, &'a str)>,
    most: Option<(f64, &'a str)>,
    first: Option<&'a str>,
    last: Option<&'a str>,
    nothing: bool,
}

impl<'a> Summary<'a> {
    fn add(&mut self, text: &'a str, is_number: bool) {
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

    fn says_nothing(&self) -> bool {
        self.nothing || (self.many && self.not_numbers && self.not_ordered)
    }

    fn text(&self) -> Option<String> {
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
            notation::string(first, false, notation::Among::Strings, &mut text);
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
            notation::string(value, false, notation::Among::Strings, &mut text);
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
