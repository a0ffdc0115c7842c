//! Values of documents: parts of a text, or what changes made of them.
//!
//! A change makes patches of the containers on its way, and of nothing else: what is beside the path stays a part of
//! the text it is in, shared by reference count. A patch belongs to the documents that hold it; while a change is
//! being made, patches that nobody else holds are changed in place.

use std::mem;
use std::sync::Arc;

use super::index::{Container, Entry, Index};
use super::pointer::Token;
use super::source::{Kind, Source, quote};

/// A value.
#[derive(Clone, Debug)]
pub enum Node {
    /// As it is in a text.
    Part(Arc<Source>, Entry),
    Object(Arc<Object>),
    Array(Arc<Array>),
}

/// A container of a text.
#[derive(Clone, Debug)]
pub struct Base {
    pub source: Arc<Source>,
    number: usize,
}

impl Base {
    pub fn container(&self) -> &Container {
        self.source.container(self.number)
    }

    /// Bytes between its brackets, without white space and commas.
    fn content(&self, children: usize) -> usize {
        let Container { start, end, spaces, .. } = *self.container();
        (end - start - spaces) as usize - 2 - children.saturating_sub(1)
    }
}

/// An object with changes.
#[derive(Clone, Debug)]
pub struct Object {
    pub base: Base,
    /// Members of the base that have another value, or are gone; by place.
    pub changed: Vec<(usize, Option<Node>)>,
    /// Keys, as JSON text, and values behind those of the base.
    pub added: Vec<(Box<[u8]>, Token, Node)>,
    /// Members, and the bytes of their text, without commas.
    count: usize,
    content: usize,
    depth: usize,
}

/// An array with changes.
#[derive(Clone, Debug)]
pub struct Array {
    pub pieces: Vec<Piece>,
    /// Items, and the bytes of their text, without commas.
    count: usize,
    content: usize,
    depth: usize,
}

/// Consecutive items.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Items `first..last` of an array of a text.
    Run {
        base: Base,
        first: usize,
        last: usize,
    },
    Item(Node),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Run { first, last, .. } => last - first,
            Self::Item(_) => 1,
        }
    }

    /// Adds its items one by one.
    pub fn add_to(&self, items: &mut Vec<Node>) {
        match self {
            Self::Run { base, first, last } => {
                items.extend(parts(&base.source, base.container(), *first, *last));
            }
            Self::Item(node) => items.push(node.clone()),
        }
    }

    /// Of consecutive items of a text, which ones of all of the process: see [`Node::place`].
    pub fn place(&self) -> Option<[u64; 4]> {
        let Self::Run { base, first, last } = self else { return None };
        let start = u64::from(base.container().start);
        Some([base.source.serial(), start, *first as u64, *last as u64])
    }
}

/// Why a change cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing at the first so many tokens of the pointer.
    Nothing(usize),
    /// What is there is neither an object nor an array.
    Scalar(usize),
    /// What is there is an array, and the next token is no index into it, nor the place behind its end.
    Index(usize),
    /// A document has a value.
    Root,
}

/// What becomes of a place.
#[derive(Clone, Debug)]
pub enum Change {
    Set(Node),
    Remove,
}

/// Items of an array of a text.
fn parts<'a>(
    source: &'a Arc<Source>,
    array: &'a Container,
    first: usize,
    last: usize,
) -> impl Iterator<Item = Node> + 'a {
    let entries = (first..last).filter_map(|index| source.item(array, index));
    entries.map(|entry| Node::Part(Arc::clone(source), entry))
}

/// Bytes of a container's text.
fn bracketed(count: usize, content: usize) -> usize {
    content + 2 + count.saturating_sub(1)
}

impl Node {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Part(source, entry) => source.kind(*entry),
            Self::Object(_) => Kind::Object,
            Self::Array(_) => Kind::Array,
        }
    }

    /// Bytes of its text without white space.
    pub fn byte_length(&self) -> usize {
        match self {
            Self::Part(source, entry) => source.compact_length(*entry),
            Self::Object(object) => bracketed(object.count, object.content),
            Self::Array(array) => bracketed(array.count, array.content),
        }
    }

    /// Patches one inside another.
    pub fn depth(&self) -> usize {
        match self {
            Self::Part(..) => 0,
            Self::Object(object) => object.depth,
            Self::Array(array) => array.depth,
        }
    }

    /// The value of a member or item.
    pub fn child(&self, token: &Token) -> Option<Self> {
        match self {
            Self::Part(source, entry) => {
                let number = entry.container()?;
                let container = source.container(number);
                let child = if source.kind(*entry) == Kind::Object {
                    source.member(container, source.find(number, token)?)?.1
                } else {
                    source.item(container, token.index()?)?
                };
                Some(Self::Part(Arc::clone(source), child))
            }
            Self::Object(object) => object.get(token),
            Self::Array(array) => array.get(token.index()?),
        }
    }

    /// The value at the end of a path.
    pub fn at(&self, path: &[Token]) -> Option<Self> {
        let (first, rest) = match path {
            [] => return Some(self.clone()),
            [first, rest @ ..] => (first, rest),
        };
        let mut node = self.child(first)?;
        for token in rest {
            node = node.child(token)?;
        }
        Some(node)
    }

    /// Items of an array, none of anything else.
    pub fn items(&self) -> Vec<Self> {
        match self {
            Self::Part(source, entry) => match entry.container() {
                Some(number) if source.kind(*entry) == Kind::Array => {
                    let container = source.container(number);
                    parts(source, container, 0, Index::len_of_array(container)).collect()
                }
                _ => Vec::new(),
            },
            Self::Object(_) => Vec::new(),
            Self::Array(array) => array.items(),
        }
    }

    /// The same, those together that lie one behind the other in one text.
    pub fn pieces(&self) -> Vec<Piece> {
        match self {
            Self::Part(source, entry) => match entry.container() {
                Some(number) if source.kind(*entry) == Kind::Array => {
                    Array::new(Base { source: Arc::clone(source), number }).pieces
                }
                _ => Vec::new(),
            },
            Self::Object(_) => Vec::new(),
            Self::Array(array) => array.pieces.clone(),
        }
    }

    /// Values of an object of a text, none of anything else.
    pub fn values(&self) -> Vec<Self> {
        let Self::Part(source, entry) = self else { return Vec::new() };
        match entry.container() {
            Some(number) if source.kind(*entry) == Kind::Object => {
                let container = source.container(number);
                let entries =
                    (0..Index::len_of_object(container)).filter_map(|at| source.member(container, at));
                entries.map(|(_, value)| Self::Part(Arc::clone(source), value)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Makes a change at the end of a path; `steps` tokens lead here.
    pub fn change(&mut self, path: &[Token], change: Change, steps: usize) -> Result<(), Fault> {
        let Some((token, rest)) = path.split_first() else {
            let Change::Set(node) = change else { return Err(Fault::Root) };
            *self = node;
            return Ok(());
        };
        match self.patch(steps)? {
            Patch::Object(object) => object.change(token, rest, change, steps),
            Patch::Array(array) => array.change(token, rest, change, steps),
        }
    }

    /// The container as a patch that nobody else holds.
    fn patch(&mut self, steps: usize) -> Result<Patch<'_>, Fault> {
        if let Self::Part(source, entry) = self {
            let number = entry.container().ok_or(Fault::Scalar(steps))?;
            let kind = source.kind(*entry);
            let base = Base { source: Arc::clone(source), number };
            *self = if kind == Kind::Object {
                Self::Object(Arc::new(Object::new(base)))
            } else {
                Self::Array(Arc::new(Array::new(base)))
            };
        }
        match self {
            Self::Object(object) => Ok(Patch::Object(Arc::make_mut(object))),
            Self::Array(array) => Ok(Patch::Array(Arc::make_mut(array))),
            Self::Part(..) => Err(Fault::Scalar(steps)),
        }
    }
}

enum Patch<'a> {
    Object(&'a mut Object),
    Array(&'a mut Array),
}

impl Object {
    fn new(base: Base) -> Self {
        let count = Index::len_of_object(base.container());
        let content = base.content(count);
        Self { base, changed: Vec::new(), added: Vec::new(), count, content, depth: 1 }
    }

    /// Members of the base.
    pub fn base_members(&self) -> usize {
        Index::len_of_object(self.base.container())
    }

    /// Keys, as JSON text, and values, in order.
    pub fn members(&self) -> Vec<(Box<[u8]>, Node)> {
        let Base { source, number } = &self.base;
        let base = Node::Part(Arc::clone(source), Entry::of_container(*number)).members();
        let mut members: Vec<_> = base.into_iter().map(Some).collect();
        for (member, value) in &self.changed {
            members[*member] =
                members[*member].take().zip(value.clone()).map(|((key, _), value)| (key, value));
        }
        let added = self.added.iter().map(|(key, _, value)| (key.clone(), value.clone()));
        members.into_iter().flatten().chain(added).collect()
    }

    /// What became of the member at this place of the base: where that is noted, or would be.
    fn changed_at(&self, member: usize) -> Result<usize, usize> {
        self.changed.binary_search_by_key(&member, |(member, _)| *member)
    }

    /// The last member of the base that has this key and is not gone.
    fn find(&self, token: &Token) -> Option<usize> {
        let member = self.base.source.find(self.base.number, token)?;
        // Removing takes all members of a key, so if the last is gone, all are.
        let is_gone = self.changed_at(member).is_ok_and(|at| self.changed[at].1.is_none());
        (!is_gone).then_some(member)
    }

    fn find_added(&self, token: &Token) -> Option<usize> {
        self.added.iter().position(|(_, key, _)| key.units() == token.units())
    }

    fn get(&self, token: &Token) -> Option<Node> {
        if let Some(index) = self.find_added(token) {
            return Some(self.added[index].2.clone());
        }
        let member = self.find(token)?;
        if let Ok(at) = self.changed_at(member) {
            return self.changed[at].1.clone();
        }
        let (_, entry) = self.base.source.member(self.base.container(), member)?;
        Some(Node::Part(Arc::clone(&self.base.source), entry))
    }

    /// The member's value, for changing.
    fn slot(&mut self, token: &Token) -> Option<&mut Node> {
        if let Some(index) = self.find_added(token) {
            return Some(&mut self.added[index].2);
        }
        let member = self.find(token)?;
        let at = match self.changed_at(member) {
            Ok(at) => at,
            Err(at) => {
                let (_, entry) = self.base.source.member(self.base.container(), member)?;
                let node = Node::Part(Arc::clone(&self.base.source), entry);
                self.changed.insert(at, (member, Some(node)));
                at
            }
        };
        self.changed[at].1.as_mut()
    }

    fn change(&mut self, token: &Token, rest: &[Token], change: Change, steps: usize) -> Result<(), Fault> {
        if rest.is_empty() && matches!(change, Change::Remove) {
            self.remove(token);
            return Ok(());
        }
        if let Some(slot) = self.slot(token) {
            let before = slot.byte_length();
            slot.change(rest, change, steps + 1)?;
            let (after, depth) = (slot.byte_length(), slot.depth());
            self.content = self.content - before + after;
            self.depth = self.depth.max(depth + 1);
            return Ok(());
        }
        match change {
            Change::Set(node) if rest.is_empty() => {
                let key = quote(token.units());
                self.count += 1;
                self.content += key.len() + 1 + node.byte_length();
                self.depth = self.depth.max(node.depth() + 1);
                self.added.push((key, token.clone(), node));
                Ok(())
            }
            _ => Err(Fault::Nothing(steps + 1)),
        }
    }

    /// Removes all members of a key.
    fn remove(&mut self, token: &Token) {
        if let Some(index) = self.find_added(token) {
            let (key, _, node) = self.added.remove(index);
            self.count -= 1;
            self.content -= key.len() + 1 + node.byte_length();
            return;
        }
        let Some(last) = self.find(token) else { return };
        let Base { source, number } = self.base.clone();
        let first = if source.may_repeat(number) { 0 } else { last };
        for member in first..=last {
            let Some((key, entry)) = source.member(self.base.container(), member) else { return };
            if !source.key_is(key, token) {
                continue;
            }
            let value = match self.changed_at(member) {
                Ok(at) => mem::take(&mut self.changed[at].1).map_or(0, |node| node.byte_length()),
                Err(at) => {
                    self.changed.insert(at, (member, None));
                    source.compact_length(entry)
                }
            };
            self.count -= 1;
            self.content -= source.scalar_end(key.offset()) - key.offset() + 1 + value;
        }
    }
}

impl Array {
    fn new(base: Base) -> Self {
        let count = Index::len_of_array(base.container());
        let content = base.content(count);
        let pieces = if count > 0 { vec![Piece::Run { base, first: 0, last: count }] } else { Vec::new() };
        Self { pieces, count, content, depth: 1 }
    }

    /// The piece that has the item, and the item's place in it.
    fn find(&self, index: usize) -> Option<(usize, usize)> {
        // From the end: changes are mostly made in order, and behind the latest there is one run.
        let mut first = self.count;
        for (at, piece) in self.pieces.iter().enumerate().rev() {
            first -= piece.len();
            if index >= first {
                return (index < self.count).then(|| (at, index - first));
            }
        }
        None
    }

    fn get(&self, index: usize) -> Option<Node> {
        let (at, offset) = self.find(index)?;
        match &self.pieces[at] {
            Piece::Item(node) => Some(node.clone()),
            Piece::Run { base, first, .. } => {
                let entry = base.source.item(base.container(), first + offset)?;
                Some(Node::Part(Arc::clone(&base.source), entry))
            }
        }
    }

    fn items(&self) -> Vec<Node> {
        let mut items = Vec::with_capacity(self.count);
        for piece in &self.pieces {
            piece.add_to(&mut items);
        }
        items
    }

    /// Makes a piece of its own of the item; which one that is.
    fn isolate(&mut self, index: usize) -> Option<usize> {
        let node = self.get(index)?;
        let (at, offset) = self.find(index)?;
        if let Piece::Run { base, first, last } = &self.pieces[at] {
            let (base, first, last) = (base.clone(), *first, *last);
            let item = first + offset;
            let before = (first < item).then(|| Piece::Run { base: base.clone(), first, last: item });
            let after = (item + 1 < last).then(|| Piece::Run { base, first: item + 1, last });
            let index = at + usize::from(before.is_some());
            self.pieces.splice(at..=at, before.into_iter().chain([Piece::Item(node)]).chain(after));
            return Some(index);
        }
        Some(at)
    }

    fn change(&mut self, token: &Token, rest: &[Token], change: Change, steps: usize) -> Result<(), Fault> {
        let index = if token.is_end() { self.count } else { token.index().ok_or(Fault::Index(steps))? };
        if index < self.count {
            return self.change_item(index, rest, change, steps);
        }
        match change {
            Change::Set(node) if rest.is_empty() && index == self.count => {
                self.count += 1;
                self.content += node.byte_length();
                self.depth = self.depth.max(node.depth() + 1);
                self.pieces.push(Piece::Item(node));
                Ok(())
            }
            Change::Remove if rest.is_empty() => Ok(()),
            _ if rest.is_empty() => Err(Fault::Index(steps)),
            _ => Err(Fault::Nothing(steps + 1)),
        }
    }

    fn change_item(
        &mut self,
        index: usize,
        rest: &[Token],
        change: Change,
        steps: usize,
    ) -> Result<(), Fault> {
        let at = self.isolate(index).ok_or(Fault::Index(steps))?;
        let Piece::Item(node) = &mut self.pieces[at] else { return Err(Fault::Index(steps)) };
        let before = node.byte_length();
        if rest.is_empty() && matches!(change, Change::Remove) {
            self.pieces.remove(at);
            self.count -= 1;
            self.content -= before;
            return Ok(());
        }
        node.change(rest, change, steps + 1)?;
        let (after, depth) = (node.byte_length(), node.depth());
        self.content = self.content - before + after;
        self.depth = self.depth.max(depth + 1);
        Ok(())
    }
}
