//! What a conversion knows of its body besides what is in it: how to say what is wrong, and what is left out.

use std::fmt;

use super::hub::Part;
use super::text::Text;
use super::{Format, Kind};
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};
use crate::json::document::{self, Node, unescaped};

/// Where something is in a body: put into words when something is wrong there.
pub type At<'a> = fmt::Arguments<'a>;

/// One conversion under way.
pub struct Conversion<'a> {
    pub from: Format,
    pub kind: Kind,
    pub warnings: Vec<String>,
    pub cancel: &'a CancelToken,
    /// Seconds.
    pub now: u64,
}

/// Fields that say nothing are as good as none.
fn given(node: Option<Node>) -> Option<Node> {
    node.filter(|node| node.kind() != document::Kind::Null)
}

/// Members that say something; none of what is no object.
pub fn fields<const N: usize>(node: &Node, names: [&str; N]) -> [Option<Node>; N] {
    node.fields(names).map(given)
}

pub fn field(node: &Node, name: &str) -> Option<Node> {
    given(node.field(name))
}

pub fn number(node: Option<&Node>) -> Option<f64> {
    let Some(Node::Part(source, entry)) = node else { return None };
    (source.kind(*entry) == document::Kind::Number).then(|| source.number(*entry))
}

/// What a value is, in words.
pub fn name_of(node: Option<&Node>) -> String {
    match node {
        None => "undefined".to_owned(),
        Some(node) => match node.kind() {
            document::Kind::Object => "an object".to_owned(),
            document::Kind::Array => "a list".to_owned(),
            document::Kind::String => format!("'{}'", node.text().unwrap_or_default()),
            _ => node.span().map(String::from_utf8_lossy).unwrap_or_default().into_owned(),
        },
    }
}

/// A type or the like, as warnings name it.
pub fn type_of(node: Option<&Node>) -> String {
    node.and_then(Node::text).map_or_else(|| name_of(node), std::borrow::Cow::into_owned)
}

impl Conversion<'_> {
    pub fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    pub fn leave_out(&mut self, what: impl fmt::Display) {
        self.warn(format!("{what} has no counterpart and is left out"));
    }

    /// Names the members that say something and are not among `known`.
    pub fn name_rest(&mut self, node: &Node, known: &[&str], place: At<'_>) {
        for (key, value) in node.members() {
            let key = unescaped(&key[1..key.len() - 1]);
            if value.kind() != document::Kind::Null && !known.contains(&&*key) {
                self.leave_out(format_args!("{place}{key}"));
            }
        }
    }

    fn what(&self) -> String {
        format!("a {} of the format '{}'", self.kind.name(), self.from.name())
    }

    /// The body has the format's words, but makes no sense.
    pub fn broken(&self, place: At<'_>, fault: &str) -> Error {
        Error::new(ErrorKind::InvalidArg, format!("body must be {}: {place} {fault}", self.what()))
    }

    pub fn wrong(&self, place: At<'_>, expected: &str, node: Option<&Node>) -> Error {
        self.broken(place, &format!("must be {expected}, not {}", name_of(node)))
    }

    /// The body has what only other formats have.
    pub fn reject_foreign_fields(&self, node: &Node, names: &[&str], place: At<'_>) -> Result<(), Error> {
        match names.iter().find(|name| field(node, name).is_some()) {
            Some(name) => Err(self.broken(format_args!("{place}{name}"), "is of another format")),
            None => Ok(()),
        }
    }

    pub fn reject_foreign_type(&self, kind: &str, foreign: &[&str], place: At<'_>) -> Result<(), Error> {
        if foreign.contains(&kind) {
            return Err(self.broken(place, &format!("is of type '{kind}', which is of another format")));
        }
        Ok(())
    }

    pub fn object(&self, node: Option<Node>, place: At<'_>) -> Result<Node, Error> {
        match node {
            Some(node) if node.kind() == document::Kind::Object => Ok(node),
            node => Err(self.wrong(place, "an object", node.as_ref())),
        }
    }

    /// An object that may be missing.
    pub fn optional_object(&self, node: Option<Node>, place: At<'_>) -> Result<Option<Node>, Error> {
        node.map(|node| self.object(Some(node), place)).transpose()
    }

    pub fn list(&self, node: Option<Node>, place: At<'_>) -> Result<Vec<Node>, Error> {
        match node {
            None => Ok(Vec::new()),
            Some(node) if node.kind() == document::Kind::Array => Ok(node.items()),
            node => Err(self.wrong(place, "a list", node.as_ref())),
        }
    }

    pub fn text(&self, node: Option<&Node>, place: At<'_>) -> Result<Text, Error> {
        node.and_then(Text::of).ok_or_else(|| self.wrong(place, "a string", node))
    }

    pub fn optional_text(&self, node: Option<&Node>, place: At<'_>) -> Result<Option<Text>, Error> {
        node.map(|node| self.text(Some(node), place)).transpose()
    }

    /// An id, empty where there is none.
    pub fn id(&self, node: Option<&Node>, place: At<'_>) -> Result<Text, Error> {
        Ok(self.optional_text(node, place)?.unwrap_or_default())
    }

    /// What messages and the like have in them: a text, or parts that are read one by one.
    pub fn parts(
        &mut self,
        content: Option<&Node>,
        place: At<'_>,
        mut read: impl FnMut(&Node, At<'_>, &mut Self) -> Result<Option<Part>, Error>,
    ) -> Result<Vec<Part>, Error> {
        let Some(content) = content else { return Ok(Vec::new()) };
        if let Some(text) = Text::of(content) {
            return Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] });
        }
        if content.kind() != document::Kind::Array {
            return Err(self.wrong(place, "a string or a list", Some(content)));
        }
        let mut parts = Vec::new();
        for (index, part) in content.items().iter().enumerate() {
            parts.extend(read(part, format_args!("{place}[{index}]"), self)?);
        }
        // An empty text says nothing in either spelling, so that bodies there and back come to rest.
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(parts)
    }

    pub fn boolean(&self, node: Option<&Node>, place: At<'_>) -> Result<Option<bool>, Error> {
        match node.map(Node::kind) {
            None => Ok(None),
            Some(document::Kind::True) => Ok(Some(true)),
            Some(document::Kind::False) => Ok(Some(false)),
            Some(_) => Err(self.wrong(place, "a boolean", node)),
        }
    }

    /// A number of tokens; 0 where nothing is said.
    pub fn tokens(&self, node: Option<&Node>, place: At<'_>) -> Result<Option<f64>, Error> {
        match node {
            None => Ok(None),
            Some(_) => number(node).map(Some).ok_or_else(|| self.wrong(place, "a number", node)),
        }
    }
}
