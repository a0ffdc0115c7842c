//! Writing: the form in between, in the words of the format.

use std::sync::Arc;

use crate::cancel::CancelToken;
use crate::convert::conversion::{Conversion, field, number, type_of};
use crate::convert::hub::{
    Arguments, Call, Choice, File, Part, Place, Request, Response, ResponseFormat, Role, Stop, Thinking,
    Tool, Turn,
};
use crate::convert::ids::{Allowed, Ids};
use crate::convert::text::Text;
use crate::convert::writer::{Writer, number_text};
use crate::error::{Error, ErrorKind};
use crate::json;
use crate::json::document::{Kind, Node, Source};
use crate::memory;

/// What a request must have, where the other side leaves it open.
const MAX_TOKENS: f64 = 4096.0;

/// Tokens for thinking, by how much effort is asked for.
fn budget_of(effort: &str) -> Option<f64> {
    match effort {
        "minimal" | "low" => Some(1024.0),
        "medium" => Some(8192.0),
        "high" => Some(16384.0),
        "xhigh" => Some(32768.0),
        _ => None,
    }
}

pub fn write_request(request: &Request, out: &mut Writer<'_>, cx: &mut Conversion<'_>) -> Result<(), Error> {
    warn_of_fields(request, cx);
    let Conversation { system, messages } = conversation(&request.turns, cx)?;
    let budget = thinking_budget(request, cx);
    let max_tokens = max_tokens(request.max_tokens.as_ref(), budget, cx);
    let temperature = number(request.temperature.as_ref()).filter(|temperature| *temperature > 1.0);
    if let Some(temperature) = temperature {
        cx.warn(format!("a temperature of {} became 1", number_text(temperature)));
    }
    out.object(|out| {
        out.field("model", request.model.as_ref());
        match max_tokens {
            Some(tokens) => out.key("max_tokens").number(tokens),
            None => out.field("max_tokens", request.max_tokens.as_ref()),
        }
        match &system[..] {
            [] => {}
            [text] => out.key("system").text(text),
            all => out.key("system").list(|out| all.iter().for_each(|text| write_text(text, out))),
        }
        out.key("messages").list(|out| messages.iter().for_each(|message| message.write(out)));
        if let Some(tools) = &request.tools {
            out.key("tools").list(|out| tools.iter().for_each(|tool| write_tool(tool, out, cx)));
        }
        write_choice(request, out);
        match temperature {
            Some(_) => out.key("temperature").number(1.0),
            None => out.field("temperature", request.temperature.as_ref()),
        }
        out.field("top_p", request.top_p.as_ref());
        if let Some(stop) = &request.stop {
            out.key("stop_sequences").list(|out| stop.iter().for_each(|one| out.node(one)));
        }
        out.field("stream", request.stream.as_ref());
        if let Some(user) = &request.user {
            out.key("metadata").object(|out| out.field("user_id", Some(user)));
        }
        if let Some(budget) = budget {
            out.key("thinking").object(|out| {
                out.named("type", "enabled");
                out.key("budget_tokens").number(budget);
            });
        }
    });
    Ok(())
}

fn warn_of_fields(request: &Request, cx: &mut Conversion<'_>) {
    let format = match &request.format {
        None => None,
        Some(ResponseFormat::Schema(_)) => Some("json_schema".to_owned()),
        Some(ResponseFormat::Other(format)) => Some(type_of(field(format, "type").as_ref())),
    };
    if let Some(kind) = format.filter(|kind| kind != "text") {
        cx.leave_out(format_args!("a response format of type {kind}"));
    }
    request.shared.iter().for_each(|(name, _)| cx.leave_out(name));
}

fn thinking_budget(request: &Request, cx: &mut Conversion<'_>) -> Option<f64> {
    if request.thinking_budget.is_some() {
        return request.thinking_budget;
    }
    let effort = request.effort.as_ref()?.read();
    let budget = budget_of(&effort);
    match budget {
        Some(budget) => {
            let tokens = number_text(budget);
            cx.warn(format!("the effort '{effort}' became a thinking budget of {tokens} tokens"));
        }
        None if effort == "none" => {}
        None => cx.leave_out(format_args!("the effort '{effort}'")),
    }
    budget
}

/// The limit, where it cannot stay what it was.
fn max_tokens(node: Option<&Node>, budget: Option<f64>, cx: &mut Conversion<'_>) -> Option<f64> {
    let Some(node) = node else {
        let tokens = MAX_TOKENS + budget.unwrap_or(0.0);
        cx.warn(format!("max_tokens must be there, and is {}", number_text(tokens)));
        return Some(tokens);
    };
    let (budget, tokens) = (budget?, number(Some(node))?);
    if budget < tokens {
        return None;
    }
    let tokens = budget + tokens;
    let text = number_text(tokens);
    cx.warn(format!("max_tokens must be more than the thinking budget, and is {text}"));
    Some(tokens)
}

fn write_tool(tool: &Tool, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    let Tool { name, description, schema, strict } = tool;
    if strict.as_ref().is_some_and(|strict| strict.kind() != Kind::False) {
        cx.leave_out(format_args!("strict of tool {}", name.read()));
    }
    out.object(|out| {
        out.key("name").text(name);
        out.field("description", description.as_ref());
        out.key("input_schema");
        match schema {
            Some(schema) => out.node(schema),
            None => out.literal(r#"{"type":"object","properties":{}}"#),
        }
    });
}

fn write_choice(request: &Request, out: &mut Writer<'_>) {
    let is_single = request.parallel == Some(false);
    let (kind, name) = match &request.choice {
        None if is_single => ("auto", None),
        None => return,
        Some(Choice::Tool(name)) => ("tool", Some(name)),
        Some(Choice::Word(word)) if word.is("none") => ("none", None),
        Some(Choice::Word(word)) if word.is("required") => ("any", None),
        Some(Choice::Word(_)) => ("auto", None),
    };
    out.key("tool_choice").object(|out| {
        out.named("type", kind);
        out.text_field("name", name);
        if is_single && kind != "none" {
            out.key("disable_parallel_tool_use").boolean(true);
        }
    });
}

/// What is written for a part.
enum Block<'a> {
    Text(&'a Text),
    File { file: &'a File, is_image: bool },
    Call { id: Text, call: &'a Call, input: Input<'a> },
    Result { id: Text, content: Vec<Block<'a>>, is_error: bool },
    Thinking { text: &'a Text, signature: Text },
    Redacted(&'a Text),
}

/// What a tool is called with, as an object.
enum Input<'a> {
    Empty,
    Object(Node),
    Member(&'static str, &'a Node),
    /// No object, but text.
    Text(&'a Text),
}

struct Message<'a> {
    is_assistant: bool,
    blocks: Vec<Block<'a>>,
}

struct Conversation<'a> {
    system: Vec<&'a Text>,
    messages: Vec<Message<'a>>,
}

/// The system prompt, which is what stands before all else, and the messages: neighbours of one role are one.
fn conversation<'a>(turns: &'a [Turn], cx: &mut Conversion<'_>) -> Result<Conversation<'a>, Error> {
    let mut ids = Ids::new(Allowed::Names);
    let mut system = Vec::new();
    let mut messages: Vec<Message<'_>> = Vec::new();
    for Turn { role, parts, name } in turns {
        if let Some(name) = name {
            cx.leave_out(format_args!("the name '{}' of a message", name.read()));
        }
        if role.is_prompt() && messages.is_empty() {
            for part in parts {
                match part {
                    Part::Text(text) => system.push(text),
                    part => cx.leave_out(format_args!("{} of a {}", part.name(), role.name())),
                }
            }
            continue;
        }
        if role.is_prompt() {
            cx.warn(format!("a {} message in the midst of the conversation became the user's", role.name()));
        }
        let is_assistant = *role == Role::Assistant;
        let mut blocks = Vec::new();
        for part in parts {
            blocks.extend(block_of(part, &mut ids, cx)?);
        }
        match messages.last_mut() {
            Some(last) if last.is_assistant == is_assistant => last.blocks.extend(blocks),
            _ => messages.push(Message { is_assistant, blocks }),
        }
    }
    for message in &mut messages {
        // Results come before all else in their message.
        message.blocks.sort_by_key(|block| !matches!(block, Block::Result { .. }));
    }
    Ok(Conversation { system, messages })
}

fn block_of<'a>(part: &'a Part, ids: &mut Ids, cx: &mut Conversion<'_>) -> Result<Option<Block<'a>>, Error> {
    Ok(Some(match part {
        Part::Text(text) | Part::Refusal(text) if text.is_empty() => return Ok(None),
        Part::Text(text) | Part::Refusal(text) => Block::Text(text),
        Part::Image(file) | Part::File(file) => {
            warn_of_parameters(file, cx);
            Block::File { file, is_image: matches!(part, Part::Image(_)) }
        }
        Part::Call(call) => {
            let id = ids.of_call(&call.id, &mut cx.warnings);
            Block::Call { id, call, input: input_of(call, cx)? }
        }
        Part::Result(result) => {
            let mut content = Vec::new();
            for part in &result.parts {
                content.extend(block_of(part, ids, cx)?);
            }
            let id = ids.of_result(&result.id, &mut cx.warnings);
            Block::Result { id, content, is_error: result.is_error }
        }
        Part::Thinking(Thinking { redacted: Some(data), .. }) => Block::Redacted(data),
        Part::Thinking(Thinking { text, signature: Some(signature), .. }) => {
            Block::Thinking { text, signature: signature.clone() }
        }
        // Of a reply, unlike of a request, nobody checks the signature.
        Part::Thinking(Thinking { text, .. }) if cx.kind == crate::convert::Kind::Response => {
            Block::Thinking { text, signature: Text::default() }
        }
        Part::Thinking(_) => {
            cx.warn("thinking without a signature would be refused and is left out");
            return Ok(None);
        }
    }))
}

fn input_of<'a>(call: &'a Call, cx: &mut Conversion<'_>) -> Result<Input<'a>, Error> {
    let text = match &call.arguments {
        Arguments::Text(text) => text,
        Arguments::Value(node) => return Ok(Input::Object(node.clone())),
        Arguments::Input(None) => return Ok(Input::Empty),
        Arguments::Input(Some(node)) => return Ok(Input::Member("input", node)),
    };
    if let Some(object) = object_of(text, cx.cancel)? {
        return Ok(Input::Object(object));
    }
    if text.read().trim().is_empty() {
        return Ok(Input::Empty);
    }
    let name = call.name.read();
    cx.warn(format!(
        "the arguments of a call of {name} are no JSON object, and stand as text under 'arguments'"
    ));
    Ok(Input::Text(text))
}

/// The object that a text is the JSON of.
fn object_of(text: &Text, cancel: &CancelToken) -> Result<Option<Node>, Error> {
    let block = match text.units() {
        None => json::Text::Bytes(memory::Block::from_bytes(text.read().as_bytes())),
        Some(units) => {
            let mut block = memory::Block::with_capacity(2 * units.len());
            for unit in units {
                block.extend(&unit.to_ne_bytes());
            }
            json::Text::Units(block)
        }
    };
    match Source::read(block, &Arc::default(), cancel) {
        Ok(source) => {
            let root = source.root();
            let node = Node::Part(source, root);
            Ok(Some(node).filter(|node| node.kind() == Kind::Object))
        }
        Err(error) if matches!(error.kind, ErrorKind::Syntax | ErrorKind::TooLarge) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Message<'_> {
    fn write(&self, out: &mut Writer<'_>) {
        out.object(|out| {
            out.named("role", if self.is_assistant { "assistant" } else { "user" });
            out.key("content");
            match &self.blocks[..] {
                [Block::Text(text)] => out.text(text),
                blocks => out.list(|out| blocks.iter().for_each(|block| block.write(out))),
            }
        });
    }
}

fn write_text(text: &Text, out: &mut Writer<'_>) {
    out.object(|out| {
        out.named("type", "text");
        out.key("text").text(text);
    });
}

impl Block<'_> {
    fn write(&self, out: &mut Writer<'_>) {
        match self {
            Self::Text(text) => write_text(text, out),
            Self::File { file, is_image } => write_file(file, *is_image, out),
            Self::Call { id, call, input } => out.object(|out| {
                out.named("type", "tool_use");
                out.key("id").text(id);
                out.key("name").text(&call.name);
                out.key("input");
                input.write(out);
            }),
            Self::Result { id, content, is_error } => out.object(|out| {
                out.named("type", "tool_result");
                out.key("tool_use_id").text(id);
                out.key("content");
                match &content[..] {
                    [] => out.string(""),
                    [Self::Text(text)] => out.text(text),
                    blocks => out.list(|out| blocks.iter().for_each(|block| block.write(out))),
                }
                if *is_error {
                    out.key("is_error").boolean(true);
                }
            }),
            Self::Thinking { text, signature } => out.object(|out| {
                out.named("type", "thinking");
                out.key("thinking").text(text);
                out.key("signature").text(signature);
            }),
            Self::Redacted(data) => out.object(|out| {
                out.named("type", "redacted_thinking");
                out.key("data").text(data);
            }),
        }
    }
}

impl Input<'_> {
    fn write(&self, out: &mut Writer<'_>) {
        match self {
            Self::Object(node) => out.node(node),
            Self::Empty => out.literal("{}"),
            Self::Member(name, node) => out.object(|out| out.field(name, Some(node))),
            Self::Text(text) => out.object(|out| out.key("arguments").text(text)),
        }
    }
}

/// A media type without its parameters, which blocks have no place for; and these.
fn essence(media_type: &str) -> (&str, Option<&str>) {
    media_type.split_once(';').map_or((media_type, None), |(essence, parameters)| (essence, Some(parameters)))
}

fn warn_of_parameters(file: &File, cx: &mut Conversion<'_>) {
    let Place::Data { media_type, .. } = &file.place else { return };
    if let (_, Some(parameters)) = essence(&media_type.read()) {
        cx.leave_out(format_args!("'{parameters}' of a media type"));
    }
}

fn write_file(file: &File, is_image: bool, out: &mut Writer<'_>) {
    out.object(|out| {
        out.named("type", if is_image { "image" } else { "document" });
        out.key("source").object(|out| match &file.place {
            Place::Url(url) => {
                out.named("type", "url");
                out.key("url").text(url);
            }
            Place::Data { media_type, data } => {
                out.named("type", "base64");
                out.named("media_type", essence(&media_type.read()).0);
                out.key("data").text(data);
            }
        });
        if !is_image {
            out.text_field("title", file.name.as_ref());
        }
    });
}

pub fn write_response(
    response: &Response,
    out: &mut Writer<'_>,
    cx: &mut Conversion<'_>,
) -> Result<(), Error> {
    let mut ids = Ids::new(Allowed::Names);
    let usage = response.usage.unwrap_or_default();
    if usage.reasoning.is_some_and(|tokens| tokens > 0.0) {
        cx.warn("usage: reasoning tokens are among the output tokens");
    }
    let mut blocks = Vec::new();
    for part in &response.parts {
        blocks.extend(block_of(part, &mut ids, cx)?);
    }
    out.object(|out| {
        out.named("id", &response.id_with("msg_"));
        out.named("type", "message");
        out.named("role", "assistant");
        out.field("model", response.model.as_ref());
        out.key("content").list(|out| blocks.iter().for_each(|block| block.write(out)));
        out.key("stop_reason");
        match response.stop {
            None => out.literal("null"),
            Some(stop) => out.string(stop_reason(stop)),
        }
        out.key("stop_sequence");
        match &response.stop_sequence {
            None => out.literal("null"),
            Some(sequence) => out.node(sequence),
        }
        out.key("usage").object(|out| {
            let cached = usage.cache_read.unwrap_or(0.0) + usage.cache_write.unwrap_or(0.0);
            out.key("input_tokens").number(usage.input - cached);
            out.key("output_tokens").number(usage.output);
            if let Some(tokens) = usage.cache_read {
                out.key("cache_read_input_tokens").number(tokens);
            }
            if let Some(tokens) = usage.cache_write {
                out.key("cache_creation_input_tokens").number(tokens);
            }
        });
    });
    Ok(())
}

const fn stop_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::Length => "max_tokens",
        Stop::Calls => "tool_use",
        Stop::Filter => "refusal",
        Stop::Sequence => "stop_sequence",
        Stop::Pause => "pause_turn",
    }
}
