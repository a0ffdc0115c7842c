//! Pointers and changes, against a value that is changed in place.

use std::sync::Arc;

use offloop::cancel::CancelToken;
use offloop::json::Text;
use offloop::json::document::{Account, Change, Document, Pointer};
use offloop::memory::Block;
use serde_json::Value;

pub(crate) fn load(text: &str, account: &Arc<Account>) -> Option<Document> {
    Document::load(Text::Bytes(Block::from_bytes(text.as_bytes())), account, &CancelToken::new()).ok()
}

fn written(block: &Block) -> Value {
    serde_json::from_slice(block.as_slice()).expect("a document is written as JSON")
}

/// RFC 6901, and nothing of it else than text: the tokens of a pointer.
fn tokens(pointer: &str) -> Option<Vec<String>> {
    let mut parts = pointer.split('/');
    if parts.next() != Some("") {
        return None;
    }
    parts
        .map(|part| {
            let is_escaped = part.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            is_escaped.then(|| part.replace("~1", "/").replace("~0", "~"))
        })
        .collect()
}

fn index(token: &str) -> Option<usize> {
    let is_plain =
        token == "0" || (!token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()));
    if is_plain { token.parse().ok() } else { None }
}

/// `None` where the change has no place.
fn change(value: &mut Value, path: &[String], new: Option<&Value>) -> Option<()> {
    let [first, rest @ ..] = path else {
        *value = new?.clone();
        return Some(());
    };
    match value {
        Value::Object(pairs) if rest.is_empty() => {
            match new {
                Some(new) => pairs.insert(first.clone(), new.clone()),
                None => pairs.remove(first),
            };
            Some(())
        }
        Value::Object(pairs) => change(pairs.get_mut(first)?, rest, new),
        Value::Array(items) if rest.is_empty() => {
            let length = items.len();
            let at = if first == "-" { length } else { index(first)? };
            match new {
                Some(new) if at == length => items.push(new.clone()),
                Some(new) => new.clone_into(items.get_mut(at)?),
                None if at < length => drop(items.remove(at)),
                None => {}
            }
            Some(())
        }
        Value::Array(items) => change(items.get_mut(index(first)?)?, rest, new),
        _ => None,
    }
}

/// The first line is a document. Each further one is a pointer; after a tab, the value that is put there.
///
/// # Panics
///
/// On a difference.
pub fn document(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    // A duplicate key's first value is gone from the model at once, and from the document when the key is.
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    let Ok(mut model) = serde_json::from_str::<Value>(first) else { return };
    if first.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > 200 {
        return;
    }
    let account = Arc::default();
    let mut document = load(first, &account).expect("what serde_json reads");
    for line in lines.take(64) {
        let (at, new) = line.split_once('\t').map_or((line, None), |(at, new)| (at, Some(new)));
        let parsed = Pointer::parse(&at.encode_utf16().collect::<Vec<_>>());
        let Some(path) = tokens(at) else {
            assert!(parsed.is_err(), "{at:?} is no pointer");
            continue;
        };
        let pointer = parsed.unwrap_or_else(|_| panic!("{at:?} is a pointer"));
        let found = document.root().at(pointer.tokens());
        let found = found.map(|node| {
            written(&offloop::json::document::text_of(&node, &CancelToken::new()).expect("nobody cancels"))
        });
        assert_eq!(found.as_ref(), model.pointer(at), "{at:?} of {model}");
        if path.len() > 200 || new.is_some_and(|new| new.matches(['[', '{']).count() > 200) {
            continue;
        }
        let value = new.map(serde_json::from_str::<Value>);
        let value = match value {
            Some(Ok(value)) => Some(value),
            Some(Err(_)) => continue,
            None => None,
        };
        let before = model.clone();
        let expected = change(&mut model, &path, value.as_ref());
        let set = match new {
            Some(new) => Change::Set(load(new, &account).expect("as above").root().clone()),
            None => Change::Remove,
        };
        match (document.with([(pointer, set)]), expected) {
            (Ok(changed), Some(())) => document = changed,
            (Err(_), None) => model = before,
            (result, _) => panic!("{}: {line:?} on {before}", result.is_ok()),
        }
        let block = document.write(&CancelToken::new()).expect("nobody cancels");
        assert_eq!(block.len(), document.byte_length(), "after {line:?}");
        assert_eq!(written(&block), model, "after {line:?}");
    }
    drop(document);
    assert_eq!((account.documents(), account.bytes()), (0, 0), "all is given back");
}
