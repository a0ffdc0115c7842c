//! Reading: what the format says, taken apart.

use crate::convert::conversion::{At, Conversion, field, fields, type_of};
use crate::convert::hub::{
    Arguments, Call, Choice, File, Part, Place, Request, Response, ResponseFormat, Role, SHARED, Stop,
    Thinking, Tool, ToolResult, Turn, Usage,
};
use crate::convert::text::Text;
use crate::error::Error;
use crate::json::document::{Kind, Node};

/// Fields of requests; how a reply is streamed is read by nobody.
const REQUEST: [&str; 17] = [
    "model",
    "messages",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "parallel_tool_calls",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "stop",
    "stream",
    "stream_options",
    "user",
    "reasoning_effort",
    "response_format",
];
const MESSAGE: [&str; 9] = [
    "role",
    "content",
    "name",
    "tool_calls",
    "function_call",
    "tool_call_id",
    "refusal",
    "reasoning_content",
    "thinking_blocks",
];
/// Parts that other formats have.
const FOREIGN: [&str; 8] = [
    "tool_use",
    "tool_result",
    "image",
    "document",
    "input_text",
    "output_text",
    "input_image",
    "input_file",
];

pub fn read_request(body: &Node, cx: &mut Conversion<'_>) -> Result<Request, Error> {
    let [
        model,
        messages,
        tools,
        functions,
        choice,
        old_choice,
        parallel,
        old_max,
        max,
        temperature,
        top_p,
        stop,
        stream,
        _,
        user,
        effort,
        format,
    ] = fields(body, REQUEST);
    cx.name_rest(body, &[&REQUEST[..], &SHARED].concat(), format_args!(""));
    let mut turns = Vec::new();
    for (index, message) in cx.list(messages, format_args!("messages"))?.into_iter().enumerate() {
        cx.cancel.check()?;
        turns.push(read_message(&message, None, format_args!("messages[{index}]"), cx)?);
    }
    Ok(Request {
        model,
        turns,
        tools: read_tools(tools, functions, cx)?,
        choice: read_choice(choice.or(old_choice).as_ref(), cx)?,
        parallel: cx.boolean(parallel.as_ref(), format_args!("parallel_tool_calls"))?,
        max_tokens: max.or(old_max),
        temperature,
        top_p,
        stop: stop.map(|stop| if stop.kind() == Kind::Array { stop.items() } else { vec![stop] }),
        stream,
        user,
        effort: cx.optional_text(effort.as_ref(), format_args!("reasoning_effort"))?,
        thinking_budget: None,
        format: read_format(format, cx)?,
        shared: read_shared(body),
    })
}

pub fn read_shared(body: &Node) -> Vec<(&'static str, Node)> {
    SHARED.into_iter().zip(fields(body, SHARED)).filter_map(|(name, node)| Some((name, node?))).collect()
}

fn read_format(format: Option<Node>, cx: &Conversion<'_>) -> Result<Option<ResponseFormat>, Error> {
    let Some(format) = cx.optional_object(format, format_args!("response_format"))? else { return Ok(None) };
    if !format.has("type", "json_schema") {
        return Ok(Some(ResponseFormat::Other(format)));
    }
    let schema = cx.object(field(&format, "json_schema"), format_args!("response_format.json_schema"))?;
    Ok(Some(ResponseFormat::Schema(schema)))
}

/// A choice that both of `OpenAI`'s formats write alike, but for where the name of a tool is.
pub fn read_choice(node: Option<&Node>, cx: &mut Conversion<'_>) -> Result<Option<Choice>, Error> {
    let Some(node) = node else { return Ok(None) };
    if let Some(word) = Text::of(node) {
        return Ok(Some(Choice::Word(word)));
    }
    let [name, function, kind] = fields(node, ["name", "function", "type"]);
    let name = function.and_then(|function| field(&function, "name")).or(name);
    if name.is_none() {
        cx.warn(format!("tool_choice of type {} became 'auto'", type_of(kind.as_ref())));
        return Ok(Some(Choice::Word("auto".into())));
    }
    Ok(Some(Choice::Tool(cx.text(name.as_ref(), format_args!("tool_choice.name"))?)))
}

fn read_tools(
    tools: Option<Node>,
    functions: Option<Node>,
    cx: &mut Conversion<'_>,
) -> Result<Option<Vec<Tool>>, Error> {
    let is_old = tools.is_none();
    let Some(list) = tools.or(functions) else { return Ok(None) };
    let mut read = Vec::new();
    for (index, tool) in cx.list(Some(list), format_args!("tools"))?.into_iter().enumerate() {
        let place = format_args!("tools[{index}]");
        if !is_old && !tool.has("type", "function") {
            cx.leave_out(format_args!("{place} of type {}", type_of(field(&tool, "type").as_ref())));
            continue;
        }
        let function = if is_old { Some(tool) } else { field(&tool, "function") };
        read.push(read_function(&cx.object(function, format_args!("{place}.function"))?, place, cx)?);
    }
    Ok(Some(read))
}

/// What says what a function is, in both of `OpenAI`'s formats.
pub fn read_function(node: &Node, place: At<'_>, cx: &Conversion<'_>) -> Result<Tool, Error> {
    let [name, description, schema, strict] = fields(node, ["name", "description", "parameters", "strict"]);
    Ok(Tool { name: cx.text(name.as_ref(), format_args!("{place}.name"))?, description, schema, strict })
}

fn read_message(
    message: &Node,
    role: Option<Role>,
    place: At<'_>,
    cx: &mut Conversion<'_>,
) -> Result<Turn, Error> {
    let message = &cx.object(Some(message.clone()), place)?;
    let [own_role, content, name, id] = fields(message, ["role", "content", "name", "tool_call_id"]);
    cx.name_rest(message, &MESSAGE, format_args!("{place}."));
    let mut parts = cx.parts(content.as_ref(), format_args!("{place}.content"), read_part)?;
    let name = cx.optional_text(name.as_ref(), format_args!("{place}.name"))?;
    let is_result = |role: &Node| role.is_text("tool") || role.is_text("function");
    if role.is_none() && own_role.as_ref().is_some_and(is_result) {
        let id = cx.id(id.as_ref(), format_args!("{place}.tool_call_id"))?;
        let result = Part::Result(ToolResult { id, parts, is_error: false });
        return Ok(Turn { role: Role::User, parts: vec![result], name: None });
    }
    let said = own_role.as_ref().and_then(Node::text).and_then(|name| Role::of(&name));
    let Some(role) = role.or(said) else {
        return Err(cx.wrong(format_args!("{place}.role"), "a role of that format", own_role.as_ref()));
    };
    if role == Role::Assistant {
        parts = read_assistant(message, parts, place, cx)?;
    }
    Ok(Turn { role, parts, name })
}

/// What the assistant thought before it spoke, and what it called after.
fn read_assistant(
    message: &Node,
    content: Vec<Part>,
    place: At<'_>,
    cx: &mut Conversion<'_>,
) -> Result<Vec<Part>, Error> {
    let [calls, old_call, refusal, reasoning, blocks] =
        fields(message, ["tool_calls", "function_call", "refusal", "reasoning_content", "thinking_blocks"]);
    let mut parts = Vec::new();
    if let Some(blocks) = blocks {
        for block in cx.list(Some(blocks), format_args!("{place}.thinking_blocks"))? {
            parts.push(Part::Thinking(read_thinking(&block, place, cx)?));
        }
    } else if let Some(text) = reasoning.as_ref().and_then(Text::of).filter(|text| !text.is_empty()) {
        parts.push(Part::Thinking(Thinking { text, signature: None, redacted: None }));
    }
    parts.extend(content);
    if let Some(refusal) = refusal.as_ref().and_then(Text::of) {
        parts.push(Part::Refusal(refusal));
    }
    if calls.is_none()
        && let Some(call) = old_call
    {
        parts.push(Part::Call(read_function_call(&call, Text::default(), false, place, cx)?));
    }
    for call in cx.list(calls, format_args!("{place}.tool_calls"))? {
        let [id, function, custom, kind] = fields(&call, ["id", "function", "custom", "type"]);
        let is_custom = function.is_none();
        let Some(called) = function.or(custom) else {
            let kind = type_of(kind.as_ref());
            cx.leave_out(format_args!("{place}.tool_calls: a call of type {kind}"));
            continue;
        };
        let id = cx.id(id.as_ref(), format_args!("{place}.tool_calls: an id"))?;
        parts.push(Part::Call(read_function_call(&called, id, is_custom, place, cx)?));
    }
    Ok(parts)
}

fn read_thinking(block: &Node, place: At<'_>, cx: &Conversion<'_>) -> Result<Thinking, Error> {
    let [text, signature, data] = fields(block, ["thinking", "signature", "data"]);
    let place = format_args!("{place}.thinking_blocks");
    Ok(Thinking {
        text: cx.optional_text(text.as_ref(), place)?.unwrap_or_default(),
        signature: cx.optional_text(signature.as_ref(), place)?,
        redacted: cx.optional_text(data.as_ref(), place)?,
    })
}

fn read_function_call(
    called: &Node,
    id: Text,
    is_custom: bool,
    place: At<'_>,
    cx: &Conversion<'_>,
) -> Result<Call, Error> {
    let [name, arguments, input] = fields(called, ["name", "arguments", "input"]);
    let name = cx.text(name.as_ref(), format_args!("{place}.tool_calls: a name"))?;
    let arguments = match arguments {
        Some(text) if !is_custom => {
            Arguments::Text(cx.text(Some(&text), format_args!("{place}.tool_calls: arguments"))?)
        }
        _ => Arguments::Input(input),
    };
    Ok(Call { id, name, arguments })
}

fn read_part(part: &Node, place: At<'_>, cx: &mut Conversion<'_>) -> Result<Option<Part>, Error> {
    let kind = type_of(field(part, "type").as_ref());
    cx.reject_foreign_type(&kind, &FOREIGN, place)?;
    let text = |name: &str| cx.text(field(part, name).as_ref(), format_args!("{place}.{name}"));
    Ok(match &*kind {
        "text" => Some(Part::Text(text("text")?)),
        "refusal" => Some(Part::Refusal(text("refusal")?)),
        "image_url" => Some(Part::Image(read_image(part, place, cx)?)),
        kind => {
            let file = read_file(part).filter(|_| kind == "file");
            if file.is_none() {
                cx.leave_out(format_args!("{place} of type {kind}"));
            }
            file.map(Part::File)
        }
    })
}

fn read_image(part: &Node, place: At<'_>, cx: &Conversion<'_>) -> Result<File, Error> {
    let place = format_args!("{place}.image_url");
    let image = cx.object(field(part, "image_url"), place)?;
    let [url, detail] = fields(&image, ["url", "detail"]);
    let place = place_of(cx.text(url.as_ref(), format_args!("{place}.url"))?);
    Ok(File { place, detail: detail.as_ref().and_then(Text::of), name: None })
}

fn read_file(part: &Node) -> Option<File> {
    let [data, name] = fields(&field(part, "file")?, ["file_data", "filename"]);
    let place = place_of(Text::of(&data?)?);
    Some(File { place, detail: None, name: name.as_ref().and_then(Text::of) })
}

/// Where a URL leads, which may have its data in itself.
pub fn place_of(url: Text) -> Place {
    match url.data_url() {
        Some((media_type, data)) => Place::Data { media_type, data },
        None => Place::Url(url),
    }
}

pub fn read_response(body: &Node, cx: &mut Conversion<'_>) -> Result<Response, Error> {
    let [id, created, model, choices, usage] = fields(body, ["id", "created", "model", "choices", "usage"]);
    cx.name_rest(body, &["id", "object", "created", "model", "choices", "usage"], format_args!(""));
    let choices = cx.list(choices, format_args!("choices"))?;
    if choices.len() > 1 {
        cx.warn("choices after the first are left out");
    }
    let (mut parts, mut stop) = (Vec::new(), None);
    if let Some(choice) = choices.first() {
        let choice = &cx.object(Some(choice.clone()), format_args!("choices[0]"))?;
        let [message, finish] = fields(choice, ["message", "finish_reason"]);
        cx.name_rest(choice, &["message", "finish_reason", "index"], format_args!("choices[0]."));
        if let Some(message) = message {
            parts =
                read_message(&message, Some(Role::Assistant), format_args!("choices[0].message"), cx)?.parts;
        }
        stop = finish.map(|finish| read_stop(&type_of(Some(&finish))));
    }
    Ok(Response {
        id: cx.id(id.as_ref(), format_args!("id"))?.read().into_owned(),
        model,
        created,
        parts,
        stop,
        stop_sequence: None,
        usage: usage.map(|usage| read_usage(&usage, ["prompt", "completion"], cx)).transpose()?,
    })
}

fn read_stop(finish: &str) -> Stop {
    match finish {
        "length" => Stop::Length,
        "tool_calls" | "function_call" => Stop::Calls,
        "content_filter" => Stop::Filter,
        _ => Stop::End,
    }
}

/// Tokens as both of `OpenAI`'s formats have them, by their names for what goes in and what comes out.
pub fn read_usage(usage: &Node, names: [&str; 2], cx: &Conversion<'_>) -> Result<Usage, Error> {
    let tokens = |node: Option<Node>| cx.tokens(node.as_ref(), format_args!("usage: a number of tokens"));
    let [input, output] = names.map(|name| field(usage, &format!("{name}_tokens")));
    let detail = |name: &str, key: &str| {
        field(usage, &format!("{name}_tokens_details")).and_then(|details| field(&details, key))
    };
    Ok(Usage {
        input: tokens(input)?.unwrap_or(0.0),
        output: tokens(output)?.unwrap_or(0.0),
        cache_read: tokens(detail(names[0], "cached_tokens"))?,
        cache_write: None,
        reasoning: tokens(detail(names[1], "reasoning_tokens"))?,
    })
}
