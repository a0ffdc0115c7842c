//! Documents as text: unchanged spans are copied, and only what is new is written.

use super::cursor::Cursor;
use super::index::Container;
use super::node::{Array, Base, Node, Object, Piece};
use super::source::Source;
use crate::cancel::{CancelToken, Interrupt};
use crate::json::simd::{Kernel, Lanes, detected};
use crate::memory::Block;

/// Bytes copied between two looks at the cancellation flag.
const CHECK_EVERY: usize = 256 << 10;

/// Compact JSON text, UTF-8.
pub fn write(node: &Node, cancel: &CancelToken) -> Result<Block, Interrupt> {
    let mut writer = Writer { out: Block::with_capacity(node.byte_length()), cancel };
    writer.node(node)?;
    debug_assert_eq!(writer.out.len(), node.byte_length());
    Ok(writer.out)
}

struct Writer<'a> {
    out: Block,
    cancel: &'a CancelToken,
}

/// Recursion goes as deep as patches lie in patches, which is bounded.
impl Writer<'_> {
    fn node(&mut self, node: &Node) -> Result<(), Interrupt> {
        match node {
            Node::Part(source, entry) => {
                let is_compact = entry.container().is_none_or(|number| source.container(number).spaces == 0);
                let span = source.span(*entry);
                self.span(source, span.start, span.end, is_compact)
            }
            Node::Object(object) => self.object(object),
            Node::Array(array) => self.array(array),
        }
    }

    /// Copies part of a text.
    fn span(&mut self, source: &Source, start: usize, end: usize, is_compact: bool) -> Result<(), Interrupt> {
        if !is_compact {
            detected(Strip { cursor: Cursor::new(source.whole(), start), end, out: &mut self.out });
            return self.cancel.check();
        }
        for chunk in source.text()[start..end].chunks(CHECK_EVERY) {
            self.out.extend(chunk);
            self.cancel.check()?;
        }
        Ok(())
    }

    fn separate(&mut self, is_first: &mut bool) {
        if !std::mem::replace(is_first, false) {
            self.out.extend(b",");
        }
    }

    fn object(&mut self, object: &Object) -> Result<(), Interrupt> {
        self.out.extend(b"{");
        let mut is_first = true;
        let mut next = 0;
        for (member, value) in &object.changed {
            self.members(&object.base, next, *member, &mut is_first)?;
            next = member + 1;
            let Some(value) = value else { continue };
            let Some((key, _)) = object.base.source.member(object.base.container(), *member) else {
                continue;
            };
            self.separate(&mut is_first);
            let start = key.offset();
            self.span(&object.base.source, start, object.base.source.scalar_end(start), true)?;
            self.out.extend(b":");
            self.node(value)?;
        }
        self.members(&object.base, next, object.base_members(), &mut is_first)?;
        for (key, _, value) in &object.added {
            self.separate(&mut is_first);
            self.out.extend(key);
            self.out.extend(b":");
            self.node(value)?;
        }
        self.out.extend(b"}");
        Ok(())
    }

    /// Members `first..last` as they are in the text.
    fn members(
        &mut self,
        base: &Base,
        first: usize,
        last: usize,
        is_first: &mut bool,
    ) -> Result<(), Interrupt> {
        let (source, container) = (&base.source, base.container());
        let Some((key, _)) = source.member(container, first).filter(|_| first < last) else { return Ok(()) };
        let next = source.member(container, last).map(|(key, _)| key.offset());
        let entry = source.member(container, last - 1).map(|(_, entry)| entry);
        let end = end_of_run(container, next, || entry.map_or(0, |entry| source.end(entry)));
        self.separate(is_first);
        self.span(source, key.offset(), end, container.spaces == 0)
    }

    fn array(&mut self, array: &Array) -> Result<(), Interrupt> {
        self.out.extend(b"[");
        let mut is_first = true;
        for piece in &array.pieces {
            self.separate(&mut is_first);
            match piece {
                Piece::Item(node) => self.node(node)?,
                Piece::Run { base, first, last } => {
                    let (source, container) = (&base.source, base.container());
                    let start = source.item(container, *first).map_or(0, |entry| source.start(entry));
                    let next = source.item(container, *last).map(|entry| source.start(entry));
                    let entry = source.item(container, last - 1);
                    let end = end_of_run(container, next, || entry.map_or(0, |entry| source.end(entry)));
                    self.span(source, start, end, container.spaces == 0)?;
                }
            }
        }
        self.out.extend(b"]");
        Ok(())
    }
}

/// Where a run of children ends: before the comma, or the bracket, where there is no white space around.
fn end_of_run(container: &Container, next: Option<usize>, end_of_last: impl FnOnce() -> usize) -> usize {
    if container.spaces > 0 { end_of_last() } else { next.unwrap_or(container.end as usize) - 1 }
}

/// Copies text without the white space between its tokens.
struct Strip<'a, 'b> {
    cursor: Cursor<'a>,
    end: usize,
    out: &'b mut Block,
}

impl Kernel for Strip<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        let cursor = &mut self.cursor;
        let mut run = cursor.at;
        while cursor.at < self.end {
            match cursor.byte() {
                b'"' => {
                    // The text has been checked.
                    let _ = cursor.string::<V>();
                }
                b' ' | b'\n' | b'\r' | b'\t' => {
                    self.out.extend(&cursor.text()[run..cursor.at]);
                    cursor.token::<V>();
                    run = cursor.at;
                }
                _ => cursor.at += 1,
            }
        }
        if run < self.end {
            self.out.extend(&cursor.text()[run..self.end]);
        }
    }
}
