//! Documents: JSON that is read in place.
//!
//! A document is text with an index ([`source`], [`index`]), or a tree of changes over such texts ([`node`]). It never
//! changes; a change makes another one, which shares all that it does not touch. A pointer ([`pointer`]) is
//! resolved through the index; writing ([`write`]) copies what is unchanged.

mod account;
mod cursor;
mod index;
mod keys;
mod node;
mod pointer;
mod read;
mod source;
mod write;

use std::sync::Arc;

pub use account::{Account, Held};
pub use index::Entry;
pub use node::{Change, Node, Piece};
pub use pointer::{MAX_CHANGE_DEPTH, NotAPointer, Pointer, Token};
pub use read::unescaped;
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

/// The compact text of a value.
pub fn text_of(node: &Node, cancel: &CancelToken) -> Result<Block, Interrupt> {
    write::write(node, cancel)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value as Json, json};

    fn load(text: &str) -> Document {
        let text = Text::Bytes(Block::from_bytes(text.as_bytes()));
        Document::load(text, &Arc::default(), &CancelToken::new()).unwrap()
    }

    fn text_of(document: &Document) -> String {
        let block = document.write(&CancelToken::new()).unwrap();
        assert_eq!(block.len(), document.byte_length());
        String::from_utf8(block.as_slice().to_vec()).unwrap()
    }

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(&text.encode_utf16().collect::<Vec<_>>()).unwrap()
    }

    fn set(document: &Document, at: &str, value: &Json) -> Result<Document, Error> {
        document.with([(pointer(at), Change::Set(load(&value.to_string()).root().clone()))])
    }

    fn remove(document: &Document, at: &str) -> Result<Document, Error> {
        document.with([(pointer(at), Change::Remove)])
    }

    #[test]
    fn all_members_of_a_removed_key_go() {
        let document = load(r#"{"a":1,"b":2,"\u0061":3,"a":[4, 5]}"#);
        assert_eq!(text_of(&remove(&document, "/a").unwrap()), r#"{"b":2}"#);
        let changed = remove(&set(&document, "/a/0", &json!(0)).unwrap(), "/a").unwrap();
        assert_eq!(text_of(&set(&changed, "/a", &json!(7)).unwrap()), r#"{"b":2,"a":7}"#);
    }

    #[test]
    fn changes_share_their_text_and_leave_the_original_alone() {
        let document = load(&json!({ "text": "x".repeat(100_000), "list": [1, 2, 3] }).to_string());
        let before = text_of(&document);
        let account = Arc::clone(document.account());
        let bytes = account.bytes();
        let changed = remove(&set(&document, "/list/1", &json!({"new": []})).unwrap(), "/list/0").unwrap();
        // The new value's text is accounted for where it was loaded.
        assert!(account.bytes() < bytes + 4096);
        assert_eq!(
            changed.root().at(pointer("/list").tokens()).unwrap().byte_length(),
            r#"[{"new":[]},3]"#.len()
        );
        assert_eq!(text_of(&document), before);
        drop((document, changed));
        assert_eq!((account.documents(), account.bytes()), (0, 0));
    }

    #[test]
    fn malformed_text_is_rejected_as_by_the_scanner() {
        for text in [
            "",
            "[1,]",
            "{\"a\"}",
            "\"\\x\"",
            "[\"\\u12g4\"]",
            "nul",
            "01",
            "[1 2]",
            "{\"a\":1,}",
            "\"a\nb\"",
            "1 1",
        ] {
            let block = || Block::from_bytes(text.as_bytes());
            let error =
                Document::load(Text::Bytes(block()), &Arc::default(), &CancelToken::new()).unwrap_err();
            assert_eq!(error, scan::parse(block().padded(), &CancelToken::new()).unwrap_err(), "{text}");
        }
    }

    #[test]
    fn a_cancelled_load_stops() {
        let cancel = CancelToken::new();
        cancel.cancel(Interrupt::Aborted);
        let text = Text::Bytes(Block::from_bytes(format!("[{}1]", "1,".repeat(200_000)).as_bytes()));
        assert_eq!(Document::load(text, &Arc::default(), &cancel).unwrap_err().kind, ErrorKind::Aborted);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
                prop::collection::hash_map("[ab/~\"é]{0,2}", inner, 0..5)
                    .prop_map(|map| Json::from(map.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    fn pointers(value: &Json, at: &str, into: &mut Vec<String>) {
        into.push(at.to_owned());
        match value {
            Json::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), into));
            }
            Json::Object(map) => map.iter().for_each(|(key, item)| {
                let token = key.replace('~', "~0").replace('/', "~1");
                pointers(item, &format!("{at}/{token}"), into);
            }),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn pointers_lead_where_those_of_serde_json_lead(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let document = load(&text.unwrap());
            let mut all = Vec::new();
            pointers(&value, "", &mut all);
            prop_assert_eq!(serde_json::from_str::<Json>(&text_of(&document)).unwrap(), value.clone());
            for at in all {
                for at in [at.clone(), format!("{at}/a"), format!("{at}/0")] {
                    let node = document.root().at(pointer(&at).tokens());
                    let found = node.map(|node| write::write(&node, &CancelToken::new()).unwrap());
                    let found = found.map(|text| serde_json::from_slice::<Json>(text.as_slice()).unwrap());
                    prop_assert_eq!(found.as_ref(), value.pointer(&at), "{}", at);
                }
            }
        }

        #[test]
        fn changes_do_what_they_do_to_a_value(
            value in any_json(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any_json())), 0..8),
        ) {
            let mut model = value.clone();
            let mut document = load(&serde_json::to_string_pretty(&value).unwrap());
            for (place, change) in changes {
                let mut all = Vec::new();
                pointers(&model, "", &mut all);
                let at = place.get(&all);
                let next = match (&change, at.rfind('/')) {
                    (Some(new), _) => {
                        *model.pointer_mut(at).unwrap() = new.clone();
                        set(&document, at, new)
                    }
                    (None, Some(end)) => {
                        let token = at[end + 1..].replace("~1", "/").replace("~0", "~");
                        match model.pointer_mut(&at[..end]).unwrap() {
                            Json::Array(items) => drop(items.remove(token.parse().unwrap())),
                            Json::Object(map) => drop(map.remove(&token)),
                            _ => unreachable!("a parent is a container"),
                        }
                        remove(&document, at)
                    }
                    (None, None) => {
                        prop_assert!(remove(&document, at).is_err());
                        continue;
                    }
                };
                document = next.unwrap();
                prop_assert_eq!(serde_json::from_str::<Json>(&text_of(&document)).unwrap(), model.clone());
            }
        }
    }
}
