//! What the rows of a tree's lists are worth.

use super::CHECK;
use super::plan::{Column, Content, List, NONE, Owner, Plan};
use super::texts::Texts;
use super::tree::{Id, Kind, Tree};
use crate::cancel::{self, CancelToken};
use crate::compress::form::{Unit, value};
use crate::compress::kinds::cells::{Cell, Sort};
use crate::compress::kinds::columns::Rows;
use crate::compress::query::Query;
use crate::compress::tokens;
use crate::error::Error;

/// Weighs all units.
pub fn weigh(
    tree: &Tree<'_>,
    plan: &Plan,
    texts: &Texts,
    query: &Query,
    cancel: &CancelToken,
) -> Result<Vec<Unit>, Error> {
    let mut units = vec![Unit::default(); plan.units];
    let mut judged: Vec<Rows> = Vec::with_capacity(plan.lists.len());
    for list in &plan.lists {
        cancel.check()?;
        judged.push(judge(tree, list));
    }
    ask(tree, plan, query, &mut judged);
    // What is found in rows that are no units of their own counts for the row that they are in.
    for number in (0..plan.lists.len()).rev() {
        let list = &plan.lists[number];
        if list.units.is_some() {
            continue;
        }
        let rows = std::mem::replace(&mut judged[number], Rows::new(0));
        match list.owner {
            Owner::Root => {}
            Owner::Row(owner, row) => {
                lift(&rows, 0..list.rows.len(), &mut judged[owner as usize], row as usize);
            }
            Owner::Column(owner) => {
                for parent in 0..list.ends.len() {
                    lift(&rows, list.part(parent), &mut judged[owner as usize], parent);
                }
            }
        }
    }
    for (number, (list, rows)) in plan.lists.iter().zip(&judged).enumerate() {
        let Some(first) = list.units else { continue };
        cancel.check()?;
        for row in 0..list.rows.len() {
            if row % CHECK == CHECK - 1 {
                cancel.check()?;
            }
            units[first as usize + row] = Unit {
                cost: cost(tree, plan, texts, list, row),
                value: rows.value[row],
                must: rows.must[row],
                group: rows.signature[row] ^ (number as u32).rotate_left(16),
            };
        }
    }
    texts.weigh(query, cancel, &mut units)?;
    Ok(units)
}

fn lift(rows: &Rows, part: std::ops::Range<usize>, to: &mut Rows, row: usize) {
    let most = part.clone().map(|row| rows.value[row]).fold(value::ORDINARY, f32::max);
    to.value[row] += most - value::ORDINARY;
    to.must[row] |= rows.must[part].contains(&true);
}

fn judge(tree: &Tree<'_>, list: &List) -> Rows {
    let count = list.rows.len();
    let mut rows = Rows::new(count);
    let is_series = list.ends.len() == 1;
    let mut cells = Vec::with_capacity(count);
    if list.shape.has_columns() {
        judge_columns(tree, &list.columns, is_series, &mut cells, &mut rows);
        let odd = list.odd.iter().filter(|odd| **odd).count();
        for (row, _) in list.odd.iter().enumerate().filter(|(_, odd)| **odd) {
            rows.value[row] += if odd * 50 <= count { value::RARE } else { value::CONTEXT };
        }
    } else {
        judge_items(tree, list, &mut cells, &mut rows);
    }
    rows.finish();
    if is_series && matches!(list.owner, Owner::Root) {
        for row in [0, 1, count.saturating_sub(2), count.saturating_sub(1)] {
            if let Some(value) = rows.value.get_mut(row) {
                *value += value::CONTEXT;
            }
        }
    }
    rows
}

/// Most items of arrays that are judged as columns.
const MAX_WIDTH: u32 = 128;

/// Items: where they are arrays of one length, each place is a column.
fn judge_items<'a>(tree: &Tree<'a>, list: &List, cells: &mut Vec<Option<Cell<'a>>>, rows: &mut Rows) {
    let is_series = list.ends.len() == 1;
    let width = |id: Id| match tree.node(id).kind {
        Kind::Array => tree.children(id).len() as u32,
        _ => 0,
    };
    let usual = list.rows.get(list.rows.len() / 2).map_or(0, |id| width(*id));
    let fitting = list.rows.iter().filter(|id| width(**id) == usual).count();
    if !(2..=MAX_WIDTH).contains(&usual) || fitting * 10 < list.rows.len() * 9 {
        cells.extend(list.rows.iter().map(|id| Some(cell(tree, *id))));
        return rows.add("", cells, is_series);
    }
    let names = names_of_width(tree, usual as usize);
    for place in 0..usual {
        cells.clear();
        let at = |id: &Id| {
            (width(*id) == usual).then(|| tree.children(*id).start + place).map(|id| cell(tree, id))
        };
        cells.extend(list.rows.iter().map(at));
        let name = names.as_ref().map_or("", |names| tree.literal(names.start + place));
        rows.add(name, cells, is_series);
    }
}

/// The names of so many columns, where the outermost object has an array of them.
fn names_of_width(tree: &Tree<'_>, width: usize) -> Option<std::ops::Range<Id>> {
    if tree.node(tree.root).kind != Kind::Object {
        return None;
    }
    let is_string = |id: Id| matches!(tree.node(id).kind, Kind::String { .. });
    let mut arrays = tree.children(tree.root).filter(|id| tree.node(*id).kind == Kind::Array);
    let names = arrays.find(|id| tree.children(*id).len() == width && tree.children(*id).all(is_string))?;
    Some(tree.children(names))
}

fn judge_columns<'a>(
    tree: &Tree<'a>,
    columns: &[Column],
    is_series: bool,
    cells: &mut Vec<Option<Cell<'a>>>,
    rows: &mut Rows,
) {
    for column in columns {
        if column.cells.len() >= CHECK && cancel::is_interrupted() {
            return;
        }
        match &column.content {
            Content::Values { .. } | Content::List(_) => {
                cells.clear();
                let is_list = matches!(column.content, Content::List(_));
                cells.extend(column.cells.iter().map(|id| {
                    (*id != NONE)
                        .then(|| if is_list { Cell { text: "", sort: Sort::Other } } else { cell(tree, *id) })
                }));
                rows.add(tree.key(column.key), cells, is_series);
            }
            Content::Group(columns) => judge_columns(tree, columns, is_series, cells, rows),
            Content::Constant | Content::Key => {}
        }
    }
}

fn cell<'a>(tree: &Tree<'a>, id: Id) -> Cell<'a> {
    let sort = match tree.node(id).kind {
        Kind::String { .. } => return Cell { text: tree.literal(id), sort: Sort::Text },
        Kind::Number => Sort::Number,
        Kind::True => Sort::True,
        Kind::False => Sort::False,
        Kind::Null => Sort::Null,
        Kind::Array | Kind::Object => Sort::Other,
    };
    Cell { text: tree.text_of(id), sort }
}

/// Rows of a list in a row that is asked for.
const MOST_ASKED: usize = 64;

/// What the query says of the rows.
fn ask(tree: &Tree<'_>, plan: &Plan, query: &Query, judged: &mut [Rows]) {
    if query.is_empty() {
        return;
    }
    let named: Vec<u32> = query.spans(tree.text).into_iter().map(|span| span.start as u32).collect();
    let mut asked: Vec<Vec<usize>> = Vec::with_capacity(plan.lists.len());
    for (number, list) in plan.lists.iter().enumerate() {
        asked.push(Vec::new());
        if list.rows.is_empty() {
            continue;
        }
        let own = |row: usize| own_text(tree, plan, list, row);
        let ranks = query.rank((0..list.rows.len()).map(|row| own(row)[0]));
        let rows = &mut judged[number];
        for (row, rank) in ranks.into_iter().enumerate() {
            rows.value[row] += value::QUERY * rank;
        }
        let is_named = |row: usize| {
            own(row).iter().any(|text| {
                let start = text.as_ptr() as usize - tree.text.as_ptr() as usize;
                let next = named.partition_point(|at| (*at as usize) < start);
                named.get(next).is_some_and(|at| (*at as usize) < start + text.len())
            })
        };
        let found: Vec<usize> = if named.is_empty() {
            Vec::new()
        } else {
            (0..list.rows.len()).filter(|row| is_named(*row)).collect()
        };
        let few = Query::tells(found.len(), list.rows.len());
        for row in &found {
            rows.value[*row] += value::QUERY;
            rows.must[*row] |= few;
        }
        // What is in a row that is asked for is, too.
        let parts: Vec<usize> = match list.owner {
            Owner::Row(owner, row) if asked[owner as usize].contains(&(row as usize)) => {
                (0..list.rows.len()).take(MOST_ASKED).collect()
            }
            Owner::Root | Owner::Row(..) => Vec::new(),
            Owner::Column(owner) => {
                asked[owner as usize].iter().flat_map(|row| list.part(*row).take(MOST_ASKED)).collect()
            }
        };
        for row in parts {
            rows.value[row] += value::QUERY / 2.0;
            // However much they are alike.
            rows.signature[row] = row as u32;
        }
        if few {
            asked[number] = found;
        }
    }
}

/// The text of a row, with its key, before and behind the lists in it that have units of their own.
fn own_text<'a>(tree: &Tree<'a>, plan: &Plan, list: &List, row: usize) -> [&'a str; 2] {
    let node = tree.node(list.rows[row]);
    let start = match list.keys.get(row) {
        Some(key) => {
            // The key stands before the value, in quotes.
            let before = &tree.text[..node.start as usize];
            before.rfind('"').unwrap_or(0).saturating_sub(tree.key(*key).len())
        }
        None => node.start as usize,
    };
    let (mut end, mut behind) = (node.end as usize, start);
    let mut columns: Vec<&Column> = list.columns.iter().collect();
    while let Some(column) = columns.pop() {
        match &column.content {
            Content::List(number)
                if plan.lists[*number as usize].units.is_some() && column.cells[row] != NONE =>
            {
                let inner = tree.node(column.cells[row]);
                end = end.min(inner.start as usize);
                behind = behind.max(inner.end as usize);
            }
            Content::Group(group) => columns.extend(group),
            _ => {}
        }
    }
    let rest = if behind > start { behind.min(node.end as usize)..node.end as usize } else { end..end };
    [&tree.text[start.min(end)..end], &tree.text[rest]]
}

/// Tokens of a row as it is written, without the lists in it that have units of their own.
fn cost(tree: &Tree<'_>, plan: &Plan, texts: &Texts, list: &List, row: usize) -> u32 {
    let key = list.keys.get(row).map_or(0, |key| tokens::by_bytes(tree.key(*key)) + 1);
    if list.is_odd(row) || !list.shape.has_columns() {
        return key + 2 + tokens::by_bytes(tree.text_of(list.rows[row])) * 2 / 3;
    }
    key + 1 + cells_cost(tree, plan, texts, &list.columns, row)
}

fn cells_cost(tree: &Tree<'_>, plan: &Plan, texts: &Texts, columns: &[Column], row: usize) -> u32 {
    let mut cost = 0;
    for column in columns {
        let cell = column.cells[row];
        cost += match &column.content {
            Content::Constant | Content::Key => 0,
            _ if cell == NONE => 0,
            Content::Group(columns) => cells_cost(tree, plan, texts, columns, row),
            Content::List(number) if plan.lists[*number as usize].units.is_some() => 3,
            Content::List(_) => 2 + tokens::by_bytes(tree.text_of(cell)) / 2,
            Content::Values { .. } => match tree.node(cell).kind {
                // A text has units of its own.
                Kind::String { .. } if texts.at(cell).is_some_and(|text| !text.units.is_empty()) => 12,
                Kind::String { .. } => tokens::by_bytes(tree.literal(cell)).max(1),
                Kind::Number => 1 + tokens::by_bytes(tree.text_of(cell)),
                _ => 1 + tokens::by_bytes(tree.text_of(cell)) * 2 / 3,
            },
        };
    }
    cost
}
