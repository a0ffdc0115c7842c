//! Writing a tree as its plan has it.

use std::fmt::Write as _;
use std::ops::Range;

use super::CHECK;
use super::gaps::{self, Gaps};
use super::notation::{self, Among, MISSING, ODD, ROW_KEY};
use super::plan::{Column, Content, List, NONE, Plan, Shape};
use super::texts::Texts;
use super::times::{DIFFERS, Template};
use super::tree::{Id, Kind, Tree};
use super::visible::Visible;
use crate::cancel;
use crate::compress::form::Kept;

pub struct Writer<'w, 'a> {
    pub tree: &'w Tree<'a>,
    pub plan: &'w Plan,
    pub texts: &'w Texts,
    pub kept: Kept<'w>,
    /// Which rows are written; all where there is none.
    pub visible: Option<&'w Visible>,
    pub gaps: Gaps,
    pub out: &'w mut String,
}

impl Writer<'_, '_> {
    /// Writes the whole text: the brackets of the outermost table or object are left out.
    pub fn root(&mut self) {
        let root = self.tree.root;
        if let Some(list) = self.list_at(root)
            && self.plan.lists[list].shape != Shape::Items
        {
            return self.list(list, true);
        }
        match self.tree.node(root).kind {
            Kind::Object if !self.tree.children(root).is_empty() => self.members(root, true),
            _ => self.value(root),
        }
    }

    fn list_at(&self, id: Id) -> Option<usize> {
        self.plan.places.get(&id).map(|number| *number as usize)
    }

    fn value(&mut self, id: Id) {
        let kind = self.tree.node(id).kind;
        if matches!(kind, Kind::Array | Kind::Object)
            && let Some(list) = self.list_at(id)
        {
            return self.list(list, false);
        }
        match kind {
            Kind::Array => {
                self.out.push('[');
                for (index, child) in self.tree.children(id).enumerate() {
                    if index > 0 {
                        self.out.push(' ');
                    }
                    self.value(child);
                }
                self.out.push(']');
            }
            Kind::Object => {
                self.out.push('{');
                self.members(id, false);
                self.out.push('}');
            }
            Kind::String { .. } => self.string(id, Among::Values),
            _ => notation::scalar(self.tree, id, Among::Values, self.out),
        }
    }

    #[inline]
    fn string(&mut self, id: Id, among: Among) {
        let is_text = self.texts.at(id).is_some_and(|text| text.write(self.kept, self.out));
        if !is_text {
            notation::scalar(self.tree, id, among, self.out);
        }
    }

    fn members(&mut self, id: Id, outermost: bool) {
        let tree = self.tree;
        let mut keys = tree.keys_of(tree.node(id).shape).into_iter();
        for (index, child) in tree.children(id).enumerate() {
            if index > 0 {
                self.between(outermost);
            }
            if let Some(key) = keys.next() {
                self.member(key, child);
            }
        }
    }

    /// Parts members; those of the outermost object by new lines where there was more than a word.
    fn between(&mut self, outermost: bool) {
        let ends_list = self.out.ends_with([']', '}']);
        self.out.push(if outermost && ends_list { '\n' } else { ' ' });
    }

    fn member(&mut self, key: u32, value: Id) {
        notation::key(self.tree.key(key), self.out);
        if !matches!(self.tree.node(value).kind, Kind::Array | Kind::Object) {
            self.out.push('=');
        }
        self.value(value);
    }

    /// Writes a list that is not in a column.
    fn list(&mut self, number: usize, outermost: bool) {
        let list = &self.plan.lists[number];
        let (open, close) = if list.shape.is_object() { ('{', '}') } else { ('[', ']') };
        if !outermost {
            self.out.push(open);
        }
        if list.shape.has_columns() {
            self.out.push('(');
            if list.shape == Shape::Map {
                self.out.push_str(ROW_KEY);
                self.out.push(' ');
            }
            self.header(&list.columns);
            self.out.push(')');
            self.out.push(if outermost || list.rows.len() > 1 { '\n' } else { ' ' });
            self.rows(number, 0..list.rows.len());
            self.say_what_is_hidden(number);
        } else {
            self.items(number, outermost);
        }
        if !outermost {
            self.out.push(close);
        }
    }

    fn items(&mut self, number: usize, outermost: bool) {
        let list = &self.plan.lists[number];
        let mut row = 0;
        while row < list.rows.len() {
            if row > 0 {
                self.between(outermost);
            }
            if let Some(end) = self.hidden(number, row..list.rows.len()) {
                row = end;
                continue;
            }
            if row % CHECK == CHECK - 1 && cancel::is_interrupted() {
                return;
            }
            match list.keys.get(row) {
                Some(key) => self.member(*key, list.rows[row]),
                None => self.value(list.rows[row]),
            }
            row += 1;
        }
        self.say_what_is_hidden(number);
    }

    /// Says that rows are not written, where the first of these is not: where the next one is that is.
    fn hidden(&mut self, number: usize, rows: Range<usize>) -> Option<usize> {
        let visible = self.visible?.of(number);
        if visible[rows.start] {
            return None;
        }
        let length = visible[rows.clone()].iter().position(|visible| *visible).unwrap_or(rows.len());
        let run = rows.start..rows.start + length;
        let end = run.end;
        if self.gaps.is_told_apart(number) {
            gaps::describe(self.tree, self.plan, number, run, self.out);
        } else {
            // Writing to a string does not fail.
            let _ = write!(self.out, "…{length}");
        }
        Some(end)
    }

    /// After a list and all that is in it: what was left out without a word on what it was.
    fn say_what_is_hidden(&mut self, number: usize) {
        if let Some(visible) = self.visible {
            self.gaps.close(self.tree, self.plan, visible, number, self.out);
        }
    }

    fn header(&mut self, columns: &[Column]) {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                self.out.push(' ');
            }
            notation::key(self.tree.key(column.key), self.out);
            match &column.content {
                Content::Values { .. } if self.template(column).is_some() => {
                    column.template.iter().for_each(|template| template.write(self.out));
                }
                Content::Values { strings: false } => {}
                Content::Values { strings: true } => self.out.push_str(":str"),
                Content::Constant => {
                    self.out.push('=');
                    if let Some(cell) = column.cells.iter().find(|cell| **cell != NONE) {
                        self.constant(*cell);
                    }
                }
                Content::Key => {
                    self.out.push('=');
                    self.out.push_str(ROW_KEY);
                }
                Content::Group(columns) => {
                    self.out.push('(');
                    self.header(columns);
                    self.out.push(')');
                }
                Content::List(number) => {
                    let list = &self.plan.lists[*number as usize];
                    self.out.push_str(if list.shape == Shape::Map { "{* " } else { "[" });
                    self.header(&list.columns);
                    self.out.push(if list.shape == Shape::Map { '}' } else { ']' });
                }
            }
        }
    }

    /// What is the same in all rows must not look like what times have in common.
    fn constant(&mut self, cell: Id) {
        match self.tree.node(cell).kind {
            Kind::String { .. } if self.tree.literal(cell).contains(DIFFERS) => {
                self.out.extend(["\"", self.tree.literal(cell), "\""]);
            }
            _ => self.value(cell),
        }
    }

    /// Where something is left out, times are written in full, so that they can be found.
    fn template<'c>(&self, column: &'c Column) -> Option<&'c Template> {
        column.template.as_ref().filter(|_| self.visible.is_none())
    }

    fn time(&mut self, template: &Template, list: &List, row: usize, cell: Id) {
        if self.tree.node(cell).kind == Kind::Null {
            return self.out.push_str("null");
        }
        let time = self.tree.literal(cell);
        let is_plain = self.tree.node(cell).kind == (Kind::String { escapes: false });
        match template.rest(self.tree, list, row, time).filter(|_| is_plain) {
            Some(rest) => self.out.push_str(rest),
            None => self.out.extend(["\"", time, "\""]),
        }
    }

    fn rows(&mut self, number: usize, rows: Range<usize>) {
        let list = &self.plan.lists[number];
        let mut row = rows.start;
        while row < rows.end {
            if row > rows.start {
                self.out.push('\n');
            }
            if let Some(end) = self.hidden(number, row..rows.end) {
                row = end;
                continue;
            }
            if row % CHECK == CHECK - 1 && cancel::is_interrupted() {
                return;
            }
            self.row(list, row);
            row += 1;
        }
    }

    fn row(&mut self, list: &List, row: usize) {
        if let Some(key) = list.keys.get(row) {
            notation::string(
                self.tree.key(*key),
                self.tree.key(*key).contains('\\'),
                Among::Strings,
                self.out,
            );
        }
        if list.is_odd(row) {
            if !list.keys.is_empty() {
                self.out.push(' ');
            }
            self.out.push_str(ODD);
            self.out.push(' ');
            return self.value(list.rows[row]);
        }
        let mut cells = Cells { missing: 0, first: list.keys.is_empty() };
        self.cells(list, &list.columns, row, &mut cells);
        if cells.first {
            self.out.push_str(MISSING);
        }
    }

    fn cells(&mut self, list: &List, columns: &[Column], row: usize, cells: &mut Cells) {
        for column in columns {
            if matches!(column.content, Content::Constant | Content::Key) {
                continue;
            }
            let cell = column.cells[row];
            if cell == NONE {
                cells.missing += 1;
                continue;
            }
            match &column.content {
                Content::Group(columns) => self.cells(list, columns, row, cells),
                Content::List(number) => {
                    cells.next(self.out);
                    self.part(*number as usize, row);
                }
                Content::Values { .. } if self.template(column).is_some() => {
                    cells.next(self.out);
                    if let Some(template) = self.template(column) {
                        self.time(template, list, row, cell);
                    }
                }
                Content::Values { strings: true } => {
                    cells.next(self.out);
                    self.string(cell, Among::Strings);
                }
                _ => {
                    cells.next(self.out);
                    self.value(cell);
                }
            }
        }
    }

    /// Writes the rows of a list in a column that belong to one row.
    fn part(&mut self, number: usize, parent: usize) {
        let list = &self.plan.lists[number];
        let rows = list.part(parent);
        let (open, close) = if list.shape == Shape::Map { ('{', '}') } else { ('[', ']') };
        self.out.push(open);
        if rows.len() > 1
            && self.visible.is_none_or(|visible| visible.of(number)[rows.clone()].contains(&true))
        {
            self.out.push('\n');
        }
        self.rows(number, rows);
        self.out.push(close);
    }
}

/// What has been written of a row.
struct Cells {
    /// Members that are missing since the last cell.
    missing: usize,
    first: bool,
}

impl Cells {
    /// Makes room for a cell.
    fn next(&mut self, out: &mut String) {
        for _ in 0..std::mem::take(&mut self.missing) {
            self.part(out);
            out.push_str(MISSING);
        }
        self.part(out);
    }

    fn part(&mut self, out: &mut String) {
        if !std::mem::replace(&mut self.first, false) {
            out.push(' ');
        }
    }
}
