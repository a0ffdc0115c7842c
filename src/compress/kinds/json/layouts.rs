//! Rows taken apart into columns.
//!
//! A *layout* is the keys of an object, in order ([`Tree::keys_of`]). Rows of several layouts have the same columns where one
//! order fits all of them; rows that fit none are odd ones.

use super::plan::{Column, Content, NONE};
use super::tree::{Id, Kind, Tree};

/// Most columns of a table, and most layouts that one may have.
const MAX_COLUMNS: usize = 128;
const MAX_SHAPES: usize = 64;

/// A set of columns over some rows.
pub struct Columns {
    pub columns: Vec<Column>,
    pub odd: Vec<bool>,
}

/// Takes objects apart; nothing where that does not pay. Rows that are [`NONE`] have no cells.
pub fn columns(tree: &Tree<'_>, rows: &[Id], may_be_odd: bool) -> Option<Columns> {
    let (shapes, odd) = shapes(tree, rows);
    let mut union: Vec<u32> = Vec::new();
    let mut accepted = Vec::new();
    let mut rejected = odd;
    let total: usize = shapes.iter().map(|(_, count)| *count).sum();
    for (shape, count) in shapes {
        let keys = tree.keys_of(shape);
        let merged = if keys.len() <= MAX_COLUMNS { merge(&union, &keys) } else { None };
        match merged {
            Some(merged) if merged.len() <= MAX_COLUMNS => {
                union = merged;
                accepted.push((shape, count, keys));
            }
            _ => rejected += count,
        }
    }
    let filled: usize = accepted.iter().map(|(_, count, keys)| count * keys.len()).sum();
    // In tokens, roughly: two for a key, one more for its equals sign; one for a member that is missing.
    let missing = (total - (rejected - odd)) * union.len() - filled;
    let pays = 20 * union.len() + 10 * missing < 27 * filled;
    if union.is_empty() || !pays || (rejected > 0 && (!may_be_odd || rejected * 3 > rows.len())) {
        return None;
    }
    Some(fill(tree, rows, &union, &accepted, rejected > 0))
}

fn fill(
    tree: &Tree<'_>,
    rows: &[Id],
    union: &[u32],
    accepted: &[(u32, usize, Vec<u32>)],
    some_odd: bool,
) -> Columns {
    let cells = || vec![NONE; rows.len()];
    let mut columns: Vec<Column> = union
        .iter()
        .map(|&key| Column {
            key,
            cells: cells(),
            content: Content::Values { strings: false },
            template: None,
        })
        .collect();
    let places: Vec<Vec<usize>> = accepted
        .iter()
        .map(|(_, _, keys)| {
            let mut at = 0;
            let mut place = |key: &u32| {
                at += union[at..].iter().position(|other| other == key).unwrap_or_default() + 1;
                at - 1
            };
            keys.iter().map(&mut place).collect()
        })
        .collect();
    let mut odd = vec![false; if some_odd { rows.len() } else { 0 }];
    let mut last = 0;
    for (row, &id) in rows.iter().enumerate() {
        if id == NONE {
            continue;
        }
        let node = tree.node(id);
        if node.kind != Kind::Object || accepted[last].0 != node.shape {
            let found = accepted.iter().position(|(shape, ..)| *shape == node.shape);
            let Some(found) = found.filter(|_| node.kind == Kind::Object) else {
                odd[row] = true;
                continue;
            };
            last = found;
        }
        for (child, place) in tree.children(id).zip(&places[last]) {
            columns[*place].cells[row] = child;
        }
    }
    Columns { columns, odd }
}

/// The layouts of rows with how many have them, most frequent first, and how many rows have none of them.
fn shapes(tree: &Tree<'_>, rows: &[Id]) -> (Vec<(u32, usize)>, usize) {
    let mut shapes: Vec<(u32, usize)> = Vec::new();
    let mut odd = 0;
    let mut last = 0;
    for &row in rows {
        if row == NONE {
            continue;
        }
        let node = tree.node(row);
        if node.kind != Kind::Object {
            odd += 1;
        } else if shapes.get(last).is_some_and(|(shape, _)| *shape == node.shape) {
            shapes[last].1 += 1;
        } else if let Some(found) = shapes.iter().position(|(shape, _)| *shape == node.shape) {
            shapes[found].1 += 1;
            last = found;
        } else if shapes.len() < MAX_SHAPES {
            last = shapes.len();
            shapes.push((node.shape, 1));
        } else {
            odd += 1;
        }
    }
    shapes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    (shapes, odd)
}

/// Puts the keys of one more layout among the columns, in an order that fits all; nothing where there is none, or a key
/// comes twice. New keys come as late as they may, as what is missing at the end of a row costs nothing.
fn merge(union: &[u32], keys: &[u32]) -> Option<Vec<u32>> {
    if union == keys {
        return Some(keys.to_vec());
    }
    let mut merged = Vec::with_capacity(union.len() + keys.len());
    let mut at = 0;
    let mut new: Vec<u32> = Vec::new();
    for key in keys {
        if new.contains(key) || merged.contains(key) {
            return None;
        }
        match union.iter().position(|other| other == key) {
            Some(found) if found >= at => {
                merged.extend_from_slice(&union[at..found]);
                merged.append(&mut new);
                merged.push(*key);
                at = found + 1;
            }
            Some(_) => return None,
            None => new.push(*key),
        }
    }
    merged.extend_from_slice(&union[at..]);
    merged.append(&mut new);
    Some(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_merged_in_order() {
        assert_eq!(merge(&[], &[1, 2]), Some(vec![1, 2]));
        assert_eq!(merge(&[1, 2, 3], &[1, 3]), Some(vec![1, 2, 3]));
        assert_eq!(merge(&[1, 2, 3], &[1, 4, 3]), Some(vec![1, 2, 4, 3]));
        assert_eq!(merge(&[1, 2, 3], &[1, 4, 5]), Some(vec![1, 2, 3, 4, 5]));
        assert_eq!(merge(&[1, 2, 3], &[2, 1]), None);
        assert_eq!(merge(&[1], &[2, 2]), None);
    }
}
