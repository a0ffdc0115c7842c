//! What is said of rows that are left out.
//!
//! Where a list has but a few gaps, each tells what was in it. Where it has many, a gap is `…12`, and one word at the end
//! of the outermost list tells what was in all of them.

use std::fmt::Write as _;
use std::ops::Range;

use super::plan::{Column, Content, List, NONE, Owner, Plan, Shape};
use super::tree::{Id, Kind, Tree};
use super::visible::Visible;
use crate::compress::kinds::summary::{Details, Summary};
use crate::compress::marker;

/// A list with more gaps has them described together.
const MOST_TOLD_APART: usize = 6;
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
    let mut details = Details::default();
    if !list.keys.is_empty() {
        let mut range = Summary::default();
        rows.clone().for_each(|row| range.add(tree.key(list.keys[row]), false));
        details.add("keys", &range);
    }
    if list.shape.has_columns() {
        columns_of(tree, &list.columns, "", &rows, &mut details);
    } else {
        let mut values = Summary::default();
        rows.for_each(|row| add_cell(tree, list.rows[row], &mut values));
        details.add("", &values);
    }
    details.text()
}

fn columns_of(
    tree: &Tree<'_>,
    columns: &[Column],
    name: &str,
    rows: &(impl Iterator<Item = usize> + Clone),
    details: &mut Details,
) {
    for column in columns {
        if details.is_full() {
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
                details.add(&path(name, tree.key(column.key)), &values);
            }
            Content::Group(columns) => {
                columns_of(tree, columns, &path(name, tree.key(column.key)), rows, details);
            }
            _ => {}
        }
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
