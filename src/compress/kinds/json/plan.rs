//! Finding the lists in a tree: what is written as a table, and what the units are.
//!
//! A *list* is a container whose children are of one kind: an array of objects, an object of objects (a map), a long
//! array or object of anything. Objects in lists are taken apart into columns, over all rows at once; objects in columns
//! are columns of columns, lists in columns are lists of their own with the rows of all parents one after the other.

use std::collections::HashMap;

use super::layouts::{Columns, columns};
use super::times::Template;
use super::tree::{Id, Kind, Tree};
use super::{CHECK, texts};
use crate::cancel;

/// In place of a cell that is not there.
pub const NONE: Id = Id::MAX;

/// Items that make an array, members that make an object a list of units.
const MIN_ITEMS: usize = 12;
/// Rows that make the rows of a table units.
const MIN_ROWS: usize = 6;
/// Shortest list that has units, in bytes.
const MIN_BYTES: u32 = 400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An array of objects.
    Rows,
    /// An object of objects.
    Map,
    /// An array of anything.
    Items,
    /// An object of anything.
    Members,
}

impl Shape {
    /// Whether rows have keys.
    pub fn is_object(self) -> bool {
        matches!(self, Self::Map | Self::Members)
    }

    pub fn has_columns(self) -> bool {
        matches!(self, Self::Rows | Self::Map)
    }
}

#[derive(Debug)]
pub struct List {
    pub shape: Shape,
    pub rows: Vec<Id>,
    /// Keys of the rows.
    pub keys: Vec<u32>,
    /// Where the rows of each parent row end; of a list that has no columns to lie in, one number.
    pub ends: Vec<u32>,
    /// Rows that have not the columns.
    pub odd: Vec<bool>,
    pub columns: Vec<Column>,
    /// Number of the first row's unit, where the rows are units.
    pub units: Option<u32>,
    pub owner: Owner,
}

impl List {
    pub fn is_odd(&self, row: usize) -> bool {
        self.odd.get(row).is_some_and(|odd| *odd)
    }

    /// The rows of a parent row.
    pub fn part(&self, parent: usize) -> std::ops::Range<usize> {
        let start = if parent == 0 { 0 } else { self.ends[parent - 1] as usize };
        start..self.ends[parent] as usize
    }
}

/// Where a list lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// In nothing that can be left out.
    Root,
    /// In a row of a list.
    Row(u32, u32),
    /// In a column of a list.
    Column(u32),
}

#[derive(Debug)]
pub struct Column {
    pub key: u32,
    /// One for each row.
    pub cells: Vec<Id>,
    pub content: Content,
    /// What its values have in common, if they are times.
    pub template: Option<Template>,
}

#[derive(Debug)]
pub enum Content {
    /// Values; whether all are strings, and some look like something else.
    Values { strings: bool },
    /// The same value in each row.
    Constant,
    /// The row's key.
    Key,
    /// Objects, taken apart.
    Group(Vec<Column>),
    /// Lists: the number of the list that has all their rows.
    List(u32),
}

#[derive(Debug, Default)]
pub struct Plan {
    /// Owners come before what they own.
    pub lists: Vec<List>,
    /// The lists that are not in a column, by their node.
    pub places: HashMap<Id, u32>,
    pub units: usize,
    /// Strings that are texts, and where they lie.
    pub strings: Vec<(Id, Owner)>,
}

pub fn plan(tree: &Tree<'_>) -> Plan {
    let mut planner = Planner { tree, plan: Plan::default() };
    planner.walk(tree.root, Owner::Root);
    planner.plan
}

struct Planner<'t, 'a> {
    tree: &'t Tree<'a>,
    plan: Plan,
}

impl Planner<'_, '_> {
    /// Plans a value that is not in a column.
    fn walk(&mut self, id: Id, owner: Owner) {
        let tree = self.tree;
        let node = tree.node(id);
        let children = tree.children(id);
        match node.kind {
            Kind::Array => {
                let rows: Vec<Id> = children.clone().collect();
                let objects = rows.iter().filter(|row| self.is_record(**row)).count();
                if objects > 0
                    && objects * 3 >= rows.len() * 2
                    && self.table(id, Shape::Rows, &rows, Vec::new(), owner)
                {
                    return;
                }
                if rows.len() >= MIN_ITEMS {
                    self.plain(id, Shape::Items, rows, Vec::new(), owner);
                    return;
                }
            }
            Kind::Object => {
                let rows: Vec<Id> = children.clone().collect();
                let keys = tree.keys_of(node.shape);
                if rows.len() >= 2
                    && rows.iter().all(|row| self.is_record(*row))
                    && self.table(id, Shape::Map, &rows, keys.clone(), owner)
                {
                    return;
                }
                if rows.len() >= MIN_ITEMS && node.end - node.start >= 4 * MIN_BYTES {
                    self.plain(id, Shape::Members, rows, keys, owner);
                    return;
                }
            }
            Kind::String { .. } => return self.string(id, owner),
            _ => return,
        }
        for child in children {
            self.walk(child, owner);
        }
    }

    /// Notes a string that is long, or may be JSON.
    #[inline]
    fn string(&mut self, id: Id, owner: Owner) {
        let text = self.tree.text_of(id);
        if text.len() > texts::LONG
            || (text.len() > texts::SHORT && matches!(text.as_bytes()[1], b'{' | b'['))
        {
            self.plan.strings.push((id, owner));
        }
    }

    fn is_record(&self, id: Id) -> bool {
        self.tree.node(id).kind == Kind::Object && !self.tree.children(id).is_empty()
    }

    /// Makes a list without columns.
    fn plain(&mut self, id: Id, shape: Shape, rows: Vec<Id>, keys: Vec<u32>, owner: Owner) {
        let number = self.plan.lists.len() as u32;
        self.plan.places.insert(id, number);
        let ends = vec![rows.len() as u32];
        let units = self.units(rows.len(), self.bytes(id));
        let list = List {
            shape,
            rows: rows.clone(),
            keys,
            ends,
            odd: Vec::new(),
            columns: Vec::new(),
            units,
            owner,
        };
        self.plan.lists.push(list);
        for (row, id) in rows.into_iter().enumerate() {
            if row % CHECK == CHECK - 1 && cancel::is_interrupted() {
                return;
            }
            self.walk(id, Owner::Row(number, row as u32));
        }
    }

    fn bytes(&self, id: Id) -> u32 {
        self.tree.node(id).end - self.tree.node(id).start
    }

    fn units(&mut self, rows: usize, bytes: u32) -> Option<u32> {
        (rows >= MIN_ROWS && bytes >= MIN_BYTES).then(|| {
            let first = self.plan.units as u32;
            self.plan.units += rows;
            first
        })
    }

    /// Makes a table of a container that is not in a column, if it can be one.
    fn table(&mut self, id: Id, shape: Shape, rows: &[Id], keys: Vec<u32>, owner: Owner) -> bool {
        let Some(columns) = columns(self.tree, rows, shape == Shape::Rows) else { return false };
        let number = self.plan.lists.len() as u32;
        self.plan.places.insert(id, number);
        let units = self.units(rows.len(), self.bytes(id));
        let ends = vec![rows.len() as u32];
        self.list(shape, rows.to_vec(), keys, ends, columns, units, owner);
        true
    }

    /// Adds a list with columns, and plans what is in them.
    #[allow(clippy::too_many_arguments)]
    fn list(
        &mut self,
        shape: Shape,
        rows: Vec<Id>,
        keys: Vec<u32>,
        ends: Vec<u32>,
        columns: Columns,
        units: Option<u32>,
        owner: Owner,
    ) -> u32 {
        let number = self.plan.lists.len() as u32;
        let Columns { mut columns, odd } = columns;
        let list = List { shape, rows, keys, ends, odd, columns: Vec::new(), units, owner };
        self.plan.lists.push(list);
        self.contents(number, &mut columns, true);
        let list = &self.plan.lists[number as usize];
        let odd: Vec<usize> = (0..list.rows.len()).filter(|row| list.is_odd(*row)).collect();
        let rows: Vec<Id> = odd.iter().map(|row| list.rows[*row]).collect();
        for (row, id) in odd.into_iter().zip(rows) {
            for child in self.tree.children(id) {
                self.walk(child, Owner::Row(number, row as u32));
            }
        }
        self.plan.lists[number as usize].columns = columns;
        number
    }

    /// Decides what each column is.
    fn contents(&mut self, number: u32, columns: &mut [Column], outermost: bool) {
        let mut constants = Vec::new();
        for (index, column) in columns.iter_mut().enumerate() {
            if column.cells.len() >= CHECK && cancel::is_interrupted() {
                return;
            }
            column.content = self.content(number, column);
            let list = &self.plan.lists[number as usize];
            if matches!(column.content, Content::Values { .. }) {
                if outermost && list.shape == Shape::Map && self.repeats_keys(list, column) {
                    column.content = Content::Key;
                } else if self.is_constant(list, column) {
                    constants.push(index);
                } else {
                    let has_keys = outermost && list.shape == Shape::Map;
                    column.template = Template::of(self.tree, list, column, has_keys);
                }
            }
        }
        // A row must have something to show, and a group tells by its first cell whether it is there.
        let shown = |(index, column): (usize, &Column)| {
            !matches!(column.content, Content::Key) && !constants.contains(&index)
        };
        let keep = match columns.iter().enumerate().position(shown) {
            None => constants.first().copied(),
            Some(first) if !outermost && first > 0 => {
                let cells = columns[0].cells.iter().zip(&columns[first].cells);
                cells.into_iter().any(|(a, b)| (*a == NONE) != (*b == NONE)).then_some(0)
            }
            Some(_) => None,
        };
        for index in constants {
            if Some(index) != keep {
                columns[index].content = Content::Constant;
            }
        }
    }

    fn content(&mut self, number: u32, column: &Column) -> Content {
        let tree = self.tree;
        let present = || column.cells.iter().copied().filter(|cell| *cell != NONE);
        let kind = |id: Id| tree.node(id).kind;
        let is_object = present().all(|cell| kind(cell) == Kind::Object);
        if (is_object || present().all(|cell| kind(cell) == Kind::Array))
            && let Some(content) = self.nested(number, column, is_object)
        {
            return content;
        }
        let rows = column.cells.iter().enumerate().filter(|(_, cell)| **cell != NONE);
        for (row, cell) in rows {
            if matches!(kind(*cell), Kind::Array | Kind::Object | Kind::String { .. }) {
                self.walk(*cell, Owner::Row(number, row as u32));
            }
        }
        let is_string = |id: Id| matches!(kind(id), Kind::String { .. });
        let literals =
            || present().filter(|cell| super::notation::is_literal(tree.literal(*cell))).take(3).count();
        Content::Values { strings: present().all(is_string) && literals() > 2 }
    }

    /// A column of containers as columns, or as a list.
    fn nested(&mut self, number: u32, column: &Column, is_object: bool) -> Option<Content> {
        let tree = self.tree;
        let mut rows = Vec::new();
        let mut ends = Vec::with_capacity(column.cells.len());
        let mut keys = Vec::new();
        let mut bytes = 0;
        let mut known = (u32::MAX, Vec::new());
        for &cell in &column.cells {
            if cell != NONE {
                bytes += u64::from(self.bytes(cell));
                rows.extend(tree.children(cell));
                if is_object {
                    let shape = tree.node(cell).shape;
                    if known.0 != shape {
                        known = (shape, tree.keys_of(shape));
                    }
                    keys.extend_from_slice(&known.1);
                }
            }
            ends.push(rows.len() as u32);
        }
        let all_records = !rows.is_empty() && rows.iter().all(|row| self.is_record(*row));
        if is_object {
            let group = self.group(&column.cells);
            let small = group.as_ref().is_some_and(|group| group.len() <= 8);
            if !all_records || small {
                let mut group = group?;
                self.contents_of_group(number, &mut group);
                return Some(Content::Group(group));
            }
        } else if !all_records {
            return None;
        }
        let columns = columns(tree, &rows, !is_object)?;
        let parents = ends.len();
        let units = if rows.len() >= 4 * parents {
            self.units(rows.len(), u32::try_from(bytes).unwrap_or(u32::MAX))
        } else {
            None
        };
        let shape = if is_object { Shape::Map } else { Shape::Rows };
        Some(Content::List(self.list(shape, rows, keys, ends, columns, units, Owner::Column(number))))
    }

    fn contents_of_group(&mut self, number: u32, group: &mut [Column]) {
        self.contents(number, group, false);
    }

    /// The columns of objects that all have the same ones, or nearly; the first one is always there.
    fn group(&mut self, cells: &[Id]) -> Option<Vec<Column>> {
        let there = cells.iter().filter(|cell| **cell != NONE);
        if there.clone().count() * 8 < cells.len() || !there.into_iter().all(|cell| self.is_record(*cell)) {
            return None;
        }
        let Columns { columns, odd } = columns(self.tree, cells, false)?;
        debug_assert!(odd.is_empty());
        let first = &columns.first()?.cells;
        let holds = cells.iter().zip(first).all(|(cell, first)| (*cell == NONE) == (*first == NONE));
        holds.then_some(columns)
    }

    fn repeats_keys(&self, list: &List, column: &Column) -> bool {
        let repeats = |(cell, key): (&Id, &u32)| {
            *cell != NONE
                && matches!(self.tree.node(*cell).kind, Kind::String { .. })
                && self.tree.literal(*cell) == self.tree.key(*key)
        };
        column.cells.iter().zip(&list.keys).all(repeats)
    }

    fn is_constant(&self, list: &List, column: &Column) -> bool {
        let mut present = column.cells.iter().filter(|cell| **cell != NONE);
        let Some(first) = present.next() else { return false };
        let text = self.tree.text_of(*first);
        let fits = |(row, cell): (usize, &Id)| {
            if *cell == NONE { list.is_odd(row) } else { self.tree.text_of(*cell) == text }
        };
        text.len() < 400
            && column.cells.len() > 1
            && !self.plan.places.contains_key(first)
            && column.cells.iter().enumerate().all(fits)
    }
}
