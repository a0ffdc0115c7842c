//! Documents: JSON that is read in place.
//!
//! A document is text with an index ([`source`], [`index`]), or a tree of changes over such texts ([`node`]). It never
//! changes; a change makes another one, which shares all that it does not touch. A pointer ([`pointer`]) is
//! resolved through the index; writing ([`write`]) copies what is unchanged.

mod account;
mod cursor;
mod index;
mod node;
mod pointer;
mod source;
mod write;

use std::sync::Arc;

pub use account::{Account, Held};
pub use index::Entry;
pub use node::{Change, Node};
pub use pointer::{MAX_CHANGE_DEPTH, NotAPointer, Pointer, Token};
pub use source::{Kind, Source, quote};

use super::scan;
use super::strings::Characters;
use super::tape::Tape;
use super::text::Text;
use crate::cancel::{CancelToken, Interrupt};
use crate::error::{Error, ErrorKind};
use crate::memory::Block;
use node::Fault;

/// Patches that may lie one in another before a document is written out as text of its own. Bounds the stack that
/// writing and dropping need.
const MAX_DEPTH: usize = MAX_CHANGE_DEPTH;

/// Immutable JSON.
#[derive(Debug)]
pub struct Document {
    root: Node,
    held: Held,
}

impl Clone for Document {
    fn clone(&self) -> Self {
        Self::new(self.root.clone(), self.account())
    }
}

/// A value that JavaScript gets as it is, or has to build.
#[derive(Debug)]
pub enum Value {
    Null,
    Boolean(bool),
    Number(f64),
    String(Characters),
    Tapes(Vec<Tape>),
}

impl Document {
    /// Reads a text; malformed text is rejected as `parse` does.
    pub fn load(text: Text, account: &Arc<Account>, cancel: &CancelToken) -> Result<Self, Error> {
        let source = Source::read(text, account, cancel)?;
        let root = Node::Part(Arc::clone(&source), source.root());
        Ok(Self::new(root, account))
    }

    fn new(root: Node, account: &Arc<Account>) -> Self {
        Self { root, held: Held::document(account) }
    }

    pub fn account(&self) -> &Arc<Account> {
        self.held.account()
    }

    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Bytes of its compact text.
    pub fn byte_length(&self) -> usize {
        self.root.byte_length()
    }

    /// The value at a pointer.
    pub fn get(&self, pointer: &Pointer) -> Result<Option<Value>, Error> {
        self.root.at(pointer.tokens()).map(|node| value(&node, &CancelToken::new())).transpose()
    }

    /// The whole value.
    pub fn value(&self, cancel: &CancelToken) -> Result<Vec<Tape>, Error> {
        tapes(&self.root, cancel)
    }

    /// A document with changes, made one after the other.
    pub fn with(&self, changes: impl IntoIterator<Item = (Pointer, Change)>) -> Result<Self, Error> {
        let mut root = self.root.clone();
        for (pointer, change) in changes {
            if pointer.tokens().len() > MAX_CHANGE_DEPTH {
                let message = format!("a change lies at most {MAX_CHANGE_DEPTH} levels deep");
                return Err(Error::new(ErrorKind::InvalidArg, message));
            }
            root.change(pointer.tokens(), change, 0).map_err(|fault| explain(&pointer, fault))?;
            if root.depth() > MAX_DEPTH {
                root = flatten(&root, self.account())?;
            }
        }
        Ok(Self::new(root, self.account()))
    }

    /// Compact text, UTF-8.
    pub fn write(&self, cancel: &CancelToken) -> Result<Block, Interrupt> {
        write::write(&self.root, cancel)
    }
}

/// The same value as text of its own.
fn flatten(node: &Node, account: &Arc<Account>) -> Result<Node, Error> {
    let cancel = CancelToken::new();
    let source = Source::read(Text::Bytes(write::write(node, &cancel)?), account, &cancel)?;
    let root = source.root();
    Ok(Node::Part(source, root))
}

fn value(node: &Node, cancel: &CancelToken) -> Result<Value, Error> {
    let Node::Part(source, entry) = node else { return Ok(Value::Tapes(tapes(node, cancel)?)) };
    Ok(match source.kind(*entry) {
        Kind::Null => Value::Null,
        Kind::True => Value::Boolean(true),
        Kind::False => Value::Boolean(false),
        Kind::Number => Value::Number(source.number(*entry)),
        Kind::String => Value::String(source.characters(entry.offset())),
        Kind::Object | Kind::Array => Value::Tapes(tapes(node, cancel)?),
    })
}

fn tapes(node: &Node, cancel: &CancelToken) -> Result<Vec<Tape>, Error> {
    match node {
        Node::Part(source, entry) => scan::parse(source.padded(*entry), cancel),
        _ => scan::parse(write::write(node, cancel)?.padded(), cancel),
    }
}

fn explain(pointer: &Pointer, fault: Fault) -> Error {
    let before = |steps: usize| Pointer::from(pointer.tokens()[..steps].to_vec());
    let message = match fault {
        Fault::Root => "a Document must have a value: its root cannot be removed".into(),
        Fault::Nothing(steps) => {
            format!("changes['{pointer}'] has no place: there is nothing at '{}'", before(steps))
        }
        Fault::Scalar(steps) => format!(
            "changes['{pointer}'] has no place: what is at '{}' is neither an object nor an array",
            before(steps)
        ),
        Fault::Index(steps) => format!(
            "changes['{pointer}'] has no place: the array at '{}' has no such index, and it is not the next one",
            before(steps)
        ),
    };
    Error::new(ErrorKind::InvalidArg, message)
}
