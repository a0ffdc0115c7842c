//! Reading: what the format says, taken apart.

use crate::convert::conversion::{At, Conversion, field, fields, number, type_of};
use crate::convert::hub::{
    Arguments, Call, Choice, File, Part, Place, Request, Response, Role, Stop, Thinking, Tool, ToolResult,
    Turn, Usage,
};
use crate::convert::text::Text;
use crate::error::Error;
use crate::json::document::{Kind, Node};

const REQUEST: [&str; 12] = [
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "max_tokens",
    "temperature",
    "top_p",
    "stop_sequences",
    "stream",
    "metadata",
    "thinking",
];
const MESSAGE: [&str; 2] = ["role", "content"];
/// What messages and blocks of other formats have.
const FOREIGN_FIELDS: [&str; 3] = ["tool_calls", "function_call", "tool_call_id"];
const FOREIGN: [&str; 8] = [
    "image_url",
    "file",
    "input_text",
    "output_text",
    "input_image",
    "input_file",
    "function_call",
    "function_call_output",
];

pub fn read_request(body: &Node, cx: &mut Conversion<'_>) -> Result<Request, Error> {
    let [
        model,
        messages,
        system,
        tools,
        choice,
        max_tokens,
        temperature,
        top_p,
        stop,
        stream,
        metadata,
        thinking,
    ] = fields(body, REQUEST);
    cx.name_rest(body, &REQUEST, format_args!(""));
    let user = metadata.as_ref().and_then(|metadata| {
        cx.name_rest(metadata, &["user_id"], format_args!("metadata."));
        field(metadata, "user_id")
    });
    let mut turns = Vec::new();
    let parts = cx.parts(system.as_ref(), format_args!("system"), read_block)?;
    if !parts.is_empty() {
        turns.push(Turn { role: Role::System, parts, name: None });
    }
    for (index, message) in cx.list(messages, format_args!("messages"))?.into_iter().enumerate() {
        cx.cancel.check()?;
        turns.push(read_message(message, index, cx)?);
    }
    let is_single = choice.as_ref().and_then(|choice| field(choice, "disable_parallel_tool_use"));
    let budget = thinking.filter(|thinking| thinking.has("type", "enabled"));
    Ok(Request {
        model,
        turns,
        tools: read_tools(tools, cx)?,
        choice: read_choice(choice.as_ref(), cx)?,
        parallel: is_single.filter(|value| value.kind() == Kind::True).map(|_| false),
        max_tokens,
        temperature,
        top_p,
        stop: stop.map(|stop| cx.list(Some(stop), format_args!("stop_sequences"))).transpose()?,
        stream,
        user,
        thinking_budget: budget.and_then(|thinking| number(field(&thinking, "budget_tokens").as_ref())),
        ..Request::default()
    })
}

fn read_message(message: Node, index: usize, cx: &mut Conversion<'_>) -> Result<Turn, Error> {
    let place = format_args!("messages[{index}]");
    let message = &cx.object(Some(message), place)?;
    cx.reject_foreign_fields(message, &FOREIGN_FIELDS, format_args!("{place}."))?;
    cx.name_rest(message, &MESSAGE, format_args!("{place}."));
    let [role, content] = fields(message, MESSAGE);
    let said = role.as_ref().and_then(Node::text).and_then(|name| Role::of(&name));
    let Some(role) = said.filter(|role| *role != Role::Developer) else {
        return Err(cx.wrong(format_args!("{place}.role"), "a role of that format", role.as_ref()));
    };
    Ok(Turn {
        role,
        parts: cx.parts(content.as_ref(), format_args!("{place}.content"), read_block)?,
        name: None,
    })
}

fn read_choice(choice: Option<&Node>, cx: &Conversion<'_>) -> Result<Option<Choice>, Error> {
    let Some(choice) = choice else { return Ok(None) };
    let [kind, name] = fields(choice, ["type", "name"]);
    Ok(match &*type_of(kind.as_ref()) {
        "any" => Some(Choice::Word("required".into())),
        "tool" => Some(Choice::Tool(cx.text(name.as_ref(), format_args!("tool_choice.name"))?)),
        word @ ("auto" | "none") => Some(Choice::Word(word.into())),
        _ => return Err(cx.wrong(format_args!("tool_choice.type"), "a type of that format", kind.as_ref())),
    })
}

fn read_tools(tools: Option<Node>, cx: &mut Conversion<'_>) -> Result<Option<Vec<Tool>>, Error> {
    let Some(tools) = tools else { return Ok(None) };
    let mut read = Vec::new();
    for (index, tool) in cx.list(Some(tools), format_args!("tools"))?.into_iter().enumerate() {
        let place = format_args!("tools[{index}]");
        let tool = &cx.object(Some(tool), place)?;
        let [kind, name, description, schema] = fields(tool, ["type", "name", "description", "input_schema"]);
        if kind.as_ref().is_some_and(|kind| kind.is_text("function")) {
            return Err(cx.broken(place, "is of type 'function', which is of another format"));
        }
        if kind.as_ref().is_some_and(|kind| !kind.is_text("custom")) {
            cx.leave_out(format_args!("{place} of type {}", type_of(kind.as_ref())));
            continue;
        }
        cx.name_rest(tool, &["type", "name", "description", "input_schema"], format_args!("{place}."));
        let name = cx.text(name.as_ref(), format_args!("{place}.name"))?;
        read.push(Tool { name, description, schema, strict: None });
    }
    Ok(Some(read))
}

fn read_block(block: &Node, place: At<'_>, cx: &mut Conversion<'_>) -> Result<Option<Part>, Error> {
    let [kind, cache, citations] = fields(block, ["type", "cache_control", "citations"]);
    if cache.is_some() {
        cx.leave_out(format_args!("{place}.cache_control"));
    }
    if citations.is_some_and(|citations| !citations.items().is_empty()) {
        cx.leave_out(format_args!("{place}.citations"));
    }
    let text = |name: &str, cx: &Conversion<'_>| {
        cx.text(field(block, name).as_ref(), format_args!("{place}.{name}"))
    };
    let kind = type_of(kind.as_ref());
    cx.reject_foreign_type(&kind, &FOREIGN, place)?;
    Ok(Some(match &*kind {
        "text" => Part::Text(text("text", cx)?),
        "thinking" => Part::Thinking(Thinking {
            text: text("thinking", cx)?,
            signature: field(block, "signature").as_ref().and_then(Text::of),
            redacted: None,
        }),
        "redacted_thinking" => Part::Thinking(Thinking {
            text: Text::default(),
            signature: None,
            redacted: Some(text("data", cx)?),
        }),
        "tool_use" => Part::Call(Call {
            id: cx.id(field(block, "id").as_ref(), format_args!("{place}.id"))?,
            name: text("name", cx)?,
            arguments: field(block, "input").map_or(Arguments::Input(None), Arguments::Value),
        }),
        "tool_result" => {
            let [id, content, is_error] = fields(block, ["tool_use_id", "content", "is_error"]);
            Part::Result(ToolResult {
                id: cx.id(id.as_ref(), format_args!("{place}.tool_use_id"))?,
                parts: cx.parts(content.as_ref(), format_args!("{place}.content"), read_block)?,
                is_error: is_error.is_some_and(|value| value.kind() == Kind::True),
            })
        }
        "image" | "document" => return read_source(block, kind == "image", place, cx),
        kind => {
            cx.leave_out(format_args!("{place} of type {kind}"));
            return Ok(None);
        }
    }))
}

fn read_source(
    block: &Node,
    is_image: bool,
    place: At<'_>,
    cx: &mut Conversion<'_>,
) -> Result<Option<Part>, Error> {
    let source = cx.object(field(block, "source"), format_args!("{place}.source"))?;
    let text = |name: &str| cx.text(field(&source, name).as_ref(), format_args!("{place}.source.{name}"));
    let kind = type_of(field(&source, "type").as_ref());
    let place = match &*kind {
        "base64" => Place::Data { media_type: text("media_type")?, data: text("data")? },
        "url" => Place::Url(text("url")?),
        "text" => return Ok(Some(Part::Text(text("data")?))),
        _ => {
            cx.warn(format!(
                "{place} has a source of type {kind}, which has no counterpart, and is left out"
            ));
            return Ok(None);
        }
    };
    let name = field(block, "title").as_ref().and_then(Text::of).filter(|_| !is_image);
    let file = File { place, detail: None, name };
    Ok(Some(if is_image { Part::Image(file) } else { Part::File(file) }))
}

pub fn read_response(body: &Node, cx: &mut Conversion<'_>) -> Result<Response, Error> {
    let [id, model, content, stop, stop_sequence, usage] =
        fields(body, ["id", "model", "content", "stop_reason", "stop_sequence", "usage"]);
    let known = ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"];
    cx.name_rest(body, &known, format_args!(""));
    Ok(Response {
        id: cx.id(id.as_ref(), format_args!("id"))?.read().into_owned(),
        model,
        created: None,
        parts: cx.parts(content.as_ref(), format_args!("content"), read_block)?,
        stop: stop.map(|stop| read_stop(&type_of(Some(&stop)))),
        stop_sequence,
        usage: usage.map(|usage| read_usage(&usage, cx)).transpose()?,
    })
}

fn read_stop(stop: &str) -> Stop {
    match stop {
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "tool_use" => Stop::Calls,
        "refusal" => Stop::Filter,
        "stop_sequence" => Stop::Sequence,
        "pause_turn" => Stop::Pause,
        _ => Stop::End,
    }
}

/// Here the tokens of the cache are not among those of the input.
fn read_usage(usage: &Node, cx: &Conversion<'_>) -> Result<Usage, Error> {
    let tokens = |name| cx.tokens(field(usage, name).as_ref(), format_args!("usage: a number of tokens"));
    let (read, written) = (tokens("cache_read_input_tokens")?, tokens("cache_creation_input_tokens")?);
    Ok(Usage {
        input: tokens("input_tokens")?.unwrap_or(0.0) + read.unwrap_or(0.0) + written.unwrap_or(0.0),
        output: tokens("output_tokens")?.unwrap_or(0.0),
        cache_read: read,
        cache_write: written,
        reasoning: None,
    })
}
