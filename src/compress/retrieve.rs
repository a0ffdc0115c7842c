//! An original, or the parts of it that a query is after.

use std::sync::Arc;

use super::plain::Plain;
use super::query::Query;
use crate::cancel::CancelToken;
use crate::error::Error;
use crate::json::Text;
use crate::json::document::{Kind, Node, Source};
use crate::memory::Block;

/// What a part that has an id or quoted word of the query is worth, beside the rank of its words, which is at most 1.
const NAMED: f32 = 2.0;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub content: String,
    /// Items of a list, or lines.
    pub items: usize,
}

/// The whole text, with the number of its items.
pub fn whole(text: &str, cancel: &CancelToken) -> Result<Found, Error> {
    let items = items(text, cancel)?.len();
    cancel.check()?;
    Ok(Found { content: text.to_owned(), items })
}

/// The best matches of a query, at most `most` of them, in the order of the text.
///
/// # Errors
///
/// When interrupted.
pub fn search(text: &str, query: &str, most: usize, cancel: &CancelToken) -> Result<Found, Error> {
    let items = items(text, cancel)?;
    let query = Query::new(query);
    let mut scores = query.rank(items.iter().copied());
    for (at, (item, score)) in items.iter().zip(&mut scores).enumerate() {
        if at % 1024 == 0 {
            cancel.check()?;
        }
        if query.names(item) {
            *score += NAMED;
        }
    }
    let mut matches: Vec<usize> = (0..items.len()).filter(|at| scores[*at] > 0.0).collect();
    matches.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
    matches.truncate(most);
    matches.sort_unstable();
    let parts: Vec<&str> = matches.iter().map(|at| items[*at].trim_end_matches(['\n', '\r'])).collect();
    Ok(Found { content: parts.join("\n"), items: parts.len() })
}

/// What a text is a list of: the items of its largest array if it is JSON, lines otherwise.
fn items<'a>(text: &'a str, cancel: &CancelToken) -> Result<Vec<&'a str>, Error> {
    let of_json = json_items(text, cancel);
    cancel.check()?;
    let items = match of_json {
        Some(items) => items,
        None => cancel.scope(|| Plain::new(text).units().collect()),
    };
    cancel.check()?;
    Ok(items)
}

fn json_items<'a>(text: &'a str, cancel: &CancelToken) -> Option<Vec<&'a str>> {
    if !text.trim_ascii_start().starts_with(['[', '{']) {
        return None;
    }
    let block = Block::from_bytes(text.as_bytes());
    let source = Source::read(Text::Bytes(block), &Arc::default(), cancel).ok()?;
    let root = Node::Part(Arc::clone(&source), source.root());
    let list = match root.kind() {
        Kind::Array => Some(root),
        _ => root
            .values()
            .into_iter()
            .filter(|value| value.kind() == Kind::Array)
            .max_by_key(Node::byte_length),
    };
    let items = list?.items();
    let spans = items.iter().filter_map(|item| match item {
        Node::Part(_, entry) => Some(&text[source.span(*entry)]),
        _ => None,
    });
    let items: Vec<&str> = spans.collect();
    if items.len() > 1 { Some(items) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, query: &str, most: usize) -> Found {
        search(text, query, most, &CancelToken::new()).unwrap()
    }

    #[test]
    fn items_of_json_are_found_as_they_were_written() {
        let text = r#"{"total": 3, "rows": [{"id": "A-1", "city": "Rome"}, {"id":"A-2","city":"Oslo"}, {"id":"A-12"}]}"#;
        assert_eq!(find(text, "A-2", 5), Found { content: r#"{"id":"A-2","city":"Oslo"}"#.into(), items: 1 });
        assert_eq!(find(text, "in rome or oslo", 5).items, 2);
        assert_eq!(find(text, "paris", 5), Found { content: String::new(), items: 0 });
        assert_eq!(whole(text, &CancelToken::new()).unwrap(), Found { content: text.into(), items: 3 });
    }

    #[test]
    fn the_best_lines_come_in_their_order() {
        let text = "disk full\nall fine\ndisk ok\nthe disk is full again\n";
        assert_eq!(find(text, "full disk", 2).content, "disk full\nthe disk is full again");
        assert_eq!(find(text, "disk", 9).items, 3);
    }
}
