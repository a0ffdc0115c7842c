//! The tokens of conversations and request bodies.
//!
//! What the models' own chat templates add to the texts is known from the cookbook of `OpenAI` ("How to count tokens with tiktoken"): three tokens
//! for each message, one more where it has a name, three for the beginning of the reply; and figures for tool definitions. The texts are those that reach
//! the model: contents, names, arguments and results of tool calls, thinking; ids and cache marks do not. The formats are told apart by their
//! fields, message by message, so a list that mixes them is counted, too.

use super::Encoding;
use super::cache::{Kind, cached, cached_place, is_place_known};
use super::count::count_up_to;
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};
use crate::json::document::{self, Node, Piece};

const PER_MESSAGE: usize = 3;
const PER_NAME: usize = 1;
const REPLY: usize = 3;
/// What an image takes at low detail; at high detail it depends on its size, which a URL does not tell.
const IMAGE: usize = 85;

/// Of tool definitions; `FUNCTION` is 10 in `cl100k_base`.
const FUNCTION: usize = 7;
const FUNCTION_CL100K: usize = 10;
const PROPERTIES: usize = 3;
const PROPERTY: usize = 3;
const ENUM: usize = 3;
const TOOLS_END: usize = 12;

/// Tool definitions whose properties lie deeper than this are no definitions.
const MAX_DEPTH: usize = 32;

/// The tokens of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of all but the messages: the system prompt, tools, the beginning of the reply.
    pub rest: usize,
    /// Of each message; of a value that is counted again, of messages that lie one behind the other in one text.
    pub messages: Vec<u32>,
}

impl Counts {
    pub fn total(&self) -> usize {
        self.rest + self.messages.iter().map(|&count| count as usize).sum::<usize>()
    }
}

/// More than the limit, or a failure.
enum Stop {
    Exceeded,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Whether a value is counted again, with others in its text, or read for this one count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Again,
    Once,
}

/// The tokens of a text, a list of messages or a body, unless they are more than `limit`.
///
/// # Errors
///
/// When it is none of these, the vocabulary cannot be loaded, or the work is interrupted.
pub fn count_value(
    root: &Node,
    used: Use,
    encoding: Encoding,
    limit: usize,
    cancel: &CancelToken,
) -> Result<Option<Counts>, Error> {
    let mut counter = Counter { used, encoding, limit, total: 0, cancel };
    match counter.value(root) {
        Ok(counts) => Ok(Some(counts)),
        Err(Stop::Exceeded) => Ok(None),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// Whether all of a value that is counted again is known by its place, but for at most `budget` bytes.
pub fn is_known(root: &Node, encoding: Encoding, budget: usize) -> bool {
    let Parts { list, prompts, tools } = Parts::of(root);
    let is_node_known =
        |node: &Node, kind| node.place().is_some_and(|place| is_place_known(place, kind, encoding));
    let unknown_bytes = |piece: &Piece| match piece {
        Piece::Item(item) if is_node_known(item, Kind::Message) => 0,
        Piece::Item(item) => item.byte_length(),
        Piece::Run { .. } => {
            let is_known = piece.place().is_some_and(|place| is_place_known(place, Kind::Messages, encoding));
            if is_known { 0 } else { usize::MAX }
        }
    };
    let rest = prompts
        .iter()
        .flatten()
        .map(|prompt| (prompt, Kind::Prompt))
        .chain(tools.iter().map(|tools| (tools, Kind::Tools)));
    let rest = rest.map(|(node, kind)| if is_node_known(node, kind) { 0 } else { node.byte_length() });
    let text = list.iter().filter(|list| list.kind() == document::Kind::String).map(Node::byte_length);
    let pieces = list.iter().flat_map(Node::pieces).map(|piece| unknown_bytes(&piece));
    rest.chain(text).chain(pieces).fold(0, usize::saturating_add) <= budget
}

/// What is counted of a list of messages or a body.
struct Parts {
    list: Option<Node>,
    prompts: [Option<Node>; 2],
    tools: Option<Node>,
}

impl Parts {
    fn of(root: &Node) -> Self {
        if root.kind() != document::Kind::Object {
            return Self { list: Some(root.clone()), prompts: [None, None], tools: None };
        }
        let [messages, input, system, instructions, tools, functions] =
            root.fields(["messages", "input", "system", "instructions", "tools", "functions"]);
        let is_prompt = |node: &Node| matches!(node.kind(), document::Kind::String | document::Kind::Array);
        Self {
            list: messages.or(input),
            prompts: [system, instructions].map(|prompt| prompt.filter(is_prompt)),
            tools: tools.or(functions),
        }
    }
}

struct Counter<'a> {
    used: Use,
    encoding: Encoding,
    limit: usize,
    total: usize,
    cancel: &'a CancelToken,
}

type Step = Result<(), Stop>;

impl Counter<'_> {
    fn add(&mut self, tokens: usize) -> Step {
        self.total += tokens;
        if self.total > self.limit { Err(Stop::Exceeded) } else { Ok(()) }
    }

    /// What `count` adds.
    fn part(&mut self, count: impl FnOnce(&mut Self) -> Step) -> Result<usize, Stop> {
        let before = self.total;
        count(self)?;
        Ok(self.total - before)
    }

    fn value(&mut self, root: &Node) -> Result<Counts, Stop> {
        match root.kind() {
            document::Kind::String => {
                let rest = self.part(|counter| counter.string(root))?;
                Ok(Counts { rest, messages: Vec::new() })
            }
            document::Kind::Array => {
                let rest = self.part(|counter| counter.add(REPLY))?;
                Ok(Counts { rest, messages: self.messages(root)? })
            }
            document::Kind::Object => self.body(root),
            _ => Err(not_countable().into()),
        }
    }

    fn body(&mut self, body: &Node) -> Result<Counts, Stop> {
        let Parts { list, prompts, tools } = Parts::of(body);
        if list.is_none() && tools.is_none() {
            return Err(not_countable().into());
        }
        let rest = self.part(|counter| {
            counter.add(REPLY)?;
            for prompt in prompts.iter().flatten() {
                counter.add(PER_MESSAGE)?;
                counter.plain("system")?;
                counter.known(prompt, Kind::Prompt, Self::content)?;
            }
            if let Some(text) = list.as_ref().filter(|list| list.kind() == document::Kind::String) {
                counter.add(PER_MESSAGE)?;
                counter.plain("user")?;
                counter.string(text)?;
            }
            tools.map_or(Ok(()), |tools| counter.known(&tools, Kind::Tools, Self::definitions))
        })?;
        Ok(Counts { rest, messages: list.map_or(Ok(Vec::new()), |list| self.messages(&list))? })
    }

    fn messages(&mut self, list: &Node) -> Result<Vec<u32>, Stop> {
        match self.used {
            Use::Once => self.each(&list.items()),
            Use::Again => list
                .pieces()
                .iter()
                .map(|piece| Ok(self.part(|counter| counter.piece(piece))? as u32))
                .collect(),
        }
    }

    fn each(&mut self, items: &[Node]) -> Result<Vec<u32>, Stop> {
        let mut counts = Vec::with_capacity(items.len());
        for item in items {
            self.cancel.check().map_err(Error::from)?;
            counts.push(self.part(|counter| counter.known(item, Kind::Message, Self::message))? as u32);
        }
        Ok(counts)
    }

    fn piece(&mut self, piece: &Piece) -> Step {
        let encoding = self.encoding;
        let mut each = || {
            let mut items = Vec::new();
            piece.add_to(&mut items);
            self.apart(|counter| counter.each(&items).map(drop))
        };
        let counted = match piece.place() {
            Some(place) => cached_place(place, Kind::Messages, encoding, each),
            None => each(),
        }?;
        self.add(counted.unwrap_or(0))
    }

    /// A message of any of the formats, or an item of Responses.
    fn message(&mut self, message: &Node) -> Step {
        let [kind, role, refusal, name, arguments, input, call, calls, content, output, summary] = message
            .fields([
                "type",
                "role",
                "refusal",
                "name",
                "arguments",
                "input",
                "function_call",
                "tool_calls",
                "content",
                "output",
                "summary",
            ]);
        self.add(PER_MESSAGE)?;
        self.strings([role, refusal])?;
        if kind.is_some_and(|kind| kind.is_text("function_call") || kind.is_text("custom_tool_call")) {
            return self.strings([name, arguments, input]);
        }
        if name.is_some() {
            self.add(PER_NAME)?;
            self.strings([name])?;
        }
        for call in call.into_iter().chain(
            calls.iter().flat_map(Node::items).flat_map(|call| call.fields(["function", "custom"])).flatten(),
        ) {
            self.strings(call.fields(["name", "arguments", "input"]))?;
        }
        [content, output, summary].into_iter().flatten().try_for_each(|content| self.content(&content))
    }

    /// Those that are texts.
    fn strings<const N: usize>(&mut self, nodes: [Option<Node>; N]) -> Step {
        nodes.into_iter().flatten().try_for_each(|node| self.string(&node))
    }

    /// A text, or a list of blocks, in which tool results have content of their own.
    fn content(&mut self, content: &Node) -> Step {
        let mut left = vec![content.clone()];
        while let Some(node) = left.pop() {
            self.string(&node)?;
            for block in node.items() {
                self.block(&block, &mut left)?;
            }
        }
        Ok(())
    }

    fn block(&mut self, block: &Node, left: &mut Vec<Node>) -> Step {
        self.string(block)?;
        let [kind, text, thinking, refusal, content, name, input, source] =
            block.fields(["type", "text", "thinking", "refusal", "content", "name", "input", "source"]);
        let is = |name| kind.as_ref().is_some_and(|kind| kind.is_text(name));
        if is("tool_use") || is("server_tool_use") {
            self.strings([name])?;
            return input.map_or(Ok(()), |input| self.json(&input));
        }
        if is("image_url") || is("input_image") || is("image") {
            return self.add(IMAGE);
        }
        if let Some(source) = source.filter(|_| is("document")) {
            let [data, blocks] = source.fields(["data", "content"]);
            left.extend(blocks);
            self.strings(block.fields(["title", "context"]))?;
            return if source.has("type", "text") { self.strings([data]) } else { Ok(()) };
        }
        left.extend(content);
        self.strings([text, thinking, refusal])
    }

    /// A value as JSON text.
    fn json(&mut self, value: &Node) -> Step {
        let text = value.write(self.cancel).map_err(Error::from)?;
        self.plain(&String::from_utf8_lossy(text.as_slice()))
    }

    /// The text of a string; nothing of anything else.
    fn string(&mut self, node: &Node) -> Step {
        let Some(literal) = node.literal() else { return Ok(()) };
        let left = self.limit - self.total;
        let count = cached(literal, Kind::Literal, self.encoding, || match node.text() {
            Some(text) => count_up_to(&text, self.encoding, left, self.cancel),
            None => Ok(Some(0)),
        })?;
        self.add(count.ok_or(Stop::Exceeded)?)
    }

    fn plain(&mut self, text: &str) -> Step {
        let count = count_up_to(text, self.encoding, self.limit - self.total, self.cancel)?;
        self.add(count.ok_or(Stop::Exceeded)?)
    }

    /// Adds what `count` would add for a node: from the cache where its place or text is known.
    fn known(&mut self, node: &Node, kind: Kind, count: impl FnOnce(&mut Self, &Node) -> Step) -> Step {
        let encoding = self.encoding;
        let counted = match node.place().filter(|_| self.used == Use::Again) {
            Some(place) => cached_place(place, kind, encoding, || self.by_text(node, kind, count)),
            None => self.by_text(node, kind, count),
        }?;
        self.add(counted.unwrap_or(0))
    }

    /// What `count` adds for a node, without adding it.
    fn by_text(
        &mut self,
        node: &Node,
        kind: Kind,
        count: impl FnOnce(&mut Self, &Node) -> Step,
    ) -> Result<Option<usize>, Stop> {
        let encoding = self.encoding;
        match node.span() {
            Some(span) => cached(span, kind, encoding, || self.apart(|counter| count(counter, node))),
            None => self.apart(|counter| count(counter, node)),
        }
    }

    /// What `count` adds, without adding it.
    fn apart(&mut self, count: impl FnOnce(&mut Self) -> Step) -> Result<Option<usize>, Stop> {
        let before = self.total;
        count(self)?;
        Ok(Some(std::mem::replace(&mut self.total, before) - before))
    }

    fn definitions(&mut self, tools: &Node) -> Step {
        let items = tools.items();
        if items.is_empty() {
            return Ok(());
        }
        for tool in &items {
            self.cancel.check().map_err(Error::from)?;
            let definition = tool.field("function").unwrap_or_else(|| tool.clone());
            self.add(if self.encoding == Encoding::Cl100k { FUNCTION_CL100K } else { FUNCTION })?;
            self.line(&[definition.field("name"), definition.field("description")])?;
            let schema = ["parameters", "input_schema"].into_iter().find_map(|name| definition.field(name));
            if let Some(schema) = schema {
                self.properties(&schema, 0)?;
            }
        }
        self.add(TOOLS_END)
    }

    /// The properties of a schema, and of the objects that they are, or are lists of.
    fn properties(&mut self, schema: &Node, depth: usize) -> Step {
        let members = schema.field("properties").map(|properties| properties.members()).unwrap_or_default();
        if !members.is_empty() {
            self.add(PROPERTIES)?;
        }
        for (key, property) in members {
            self.add(PROPERTY)?;
            let items: Vec<Node> = property.field("enum").map(|list| list.items()).unwrap_or_default();
            // The list as such saves what its first item costs.
            self.add(ENUM * items.len().saturating_sub(1))?;
            items.iter().try_for_each(|item| self.string(item))?;
            let key = String::from_utf8_lossy(&key[1..key.len() - 1]).into_owned();
            self.named_line(key, &[property.field("type"), property.field("description")])?;
            if depth < MAX_DEPTH {
                self.properties(&property, depth + 1)?;
                if let Some(items) = property.field("items") {
                    self.properties(&items, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, parts: &[Option<Node>; 2]) -> Step {
        let [name, description] = parts;
        let name = name.as_ref().and_then(Node::text).unwrap_or_default().into_owned();
        self.named_line(name, std::slice::from_ref(description))
    }

    /// A name and what is said of it, with colons between, without a full stop at the end.
    fn named_line(&mut self, mut line: String, parts: &[Option<Node>]) -> Step {
        for part in parts {
            line.push(':');
            line.push_str(&part.as_ref().and_then(Node::text).unwrap_or_default());
        }
        self.plain(line.strip_suffix('.').unwrap_or(&line))
    }
}

fn not_countable() -> Error {
    let message = "input must be a text, a list of messages, or a body with messages, input or tools";
    Error::new(ErrorKind::InvalidArg, message)
}
