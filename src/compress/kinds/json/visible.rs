//! Which rows are written, where not all are.

use super::plan::{List, Owner, Plan};
use super::texts::Texts;
use crate::compress::form::Kept;

/// Flags for the rows of each list.
#[derive(Debug)]
pub struct Visible {
    rows: Vec<Vec<bool>>,
}

impl Visible {
    /// A row is written if it is kept, or anything in it. Rows that are no units are written with what they are in.
    pub fn new(plan: &Plan, texts: &Texts, kept: Kept<'_>) -> Self {
        let flags = |list: &List| -> Vec<bool> {
            let Some(first) = list.units else { return vec![false; list.rows.len()] };
            (0..list.rows.len()).map(|row| kept.has(first as usize + row)).collect()
        };
        let mut rows: Vec<Vec<bool>> = plan.lists.iter().map(flags).collect();
        for text in &texts.list {
            if let Owner::Row(owner, row) = text.owner {
                let any = text.units.clone().any(|unit| kept.has(unit));
                rows[owner as usize][row as usize] |= any;
            }
        }
        for (number, list) in plan.lists.iter().enumerate().rev() {
            match list.owner {
                Owner::Root => {}
                Owner::Row(owner, row) => {
                    let any = rows[number].contains(&true);
                    rows[owner as usize][row as usize] |= any;
                }
                Owner::Column(owner) => {
                    for parent in 0..list.ends.len() {
                        let any = rows[number][list.part(parent)].contains(&true);
                        rows[owner as usize][parent] |= any;
                    }
                }
            }
            if list.units.is_none() {
                rows[number].fill(true);
            }
        }
        Self { rows }
    }

    pub fn of(&self, list: usize) -> &[bool] {
        &self.rows[list]
    }
}
