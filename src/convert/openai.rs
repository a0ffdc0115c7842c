//! `OpenAI`'s chat completions.

use super::conversion::{At, Conversion, field, fields, type_of};
use super::hub::{
    Arguments, Call, Choice, File, Part, Place, Request, Response, ResponseFormat, Role, SHARED, Stop,
    Thinking, Tool, ToolResult, Turn, Usage, effort_of, texts,
};
use super::ids::{Allowed, Ids};
use super::text::Text;
use super::writer::{Writer, number_text};
use crate::error::Error;
use crate::json::document::{Kind, Node};

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
    let [model, messages, tools, functions, choice, old_choice, parallel, old_max, max] = fields(
        body,
        [
            "model",
            "messages",
            "tools",
            "functions",
            "tool_choice",
            "function_call",
            "parallel_tool_calls",
            "max_tokens",
            "max_completion_tokens",
        ],
    );
    let [temperature, top_p, stop, stream, user, effort, format] = fields(
        body,
        ["temperature", "top_p", "stop", "stream", "user", "reasoning_effort", "response_format"],
    );
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

pub fn write_request(request: &Request, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    let mut ids = Ids::new(Allowed::Short);
    let effort = request.effort.clone().or_else(|| {
        let budget = request.thinking_budget?;
        cx.warn(format!("a thinking budget of {} tokens became reasoning_effort", number_text(budget)));
        Some(effort_of(budget).into())
    });
    out.object(|out| {
        out.field("model", request.model.as_ref());
        out.key("messages").list(|out| {
            request.turns.iter().for_each(|turn| write_turn(turn, &mut ids, out, cx));
        });
        if let Some(tools) = &request.tools {
            out.key("tools").list(|out| tools.iter().for_each(|tool| write_tool(tool, out)));
        }
        match &request.choice {
            None => {}
            Some(Choice::Word(word)) => out.key("tool_choice").text(word),
            Some(Choice::Tool(name)) => out.key("tool_choice").object(|out| {
                out.named("type", "function");
                out.key("function").object(|out| out.key("name").text(name));
            }),
        }
        if let Some(parallel) = request.parallel {
            out.key("parallel_tool_calls").boolean(parallel);
        }
        out.field("max_completion_tokens", request.max_tokens.as_ref());
        out.field("temperature", request.temperature.as_ref());
        out.field("top_p", request.top_p.as_ref());
        match request.stop.as_deref() {
            None => {}
            Some([one]) => out.field("stop", Some(one)),
            Some(all) => out.key("stop").list(|out| all.iter().for_each(|one| out.node(one))),
        }
        out.field("stream", request.stream.as_ref());
        out.field("user", request.user.as_ref());
        out.text_field("reasoning_effort", effort.as_ref());
        write_format(request.format.as_ref(), out);
        request.shared.iter().for_each(|(name, node)| out.field(name, Some(node)));
    });
}

fn write_format(format: Option<&ResponseFormat>, out: &mut Writer<'_>) {
    match format {
        None => {}
        Some(ResponseFormat::Other(node)) => out.field("response_format", Some(node)),
        Some(ResponseFormat::Schema(node)) => out.key("response_format").object(|out| {
            out.named("type", "json_schema");
            out.key("json_schema").object(|out| out.members_without(node, "type"));
        }),
    }
}

fn write_tool(tool: &Tool, out: &mut Writer<'_>) {
    out.object(|out| {
        out.named("type", "function");
        out.key("function").object(|out| {
            out.key("name").text(&tool.name);
            out.field("description", tool.description.as_ref());
            out.field("parameters", tool.schema.as_ref());
            out.field("strict", tool.strict.as_ref());
        });
    });
}

fn write_turn(turn: &Turn, ids: &mut Ids, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    if turn.role == Role::Assistant {
        return write_assistant(&turn.parts, turn.name.as_ref(), ids, out, cx);
    }
    // Images of tool results, which tool messages cannot have.
    let mut content = Vec::new();
    let mut has_results = false;
    for part in &turn.parts {
        let Part::Result(result) = part else { continue };
        has_results = true;
        write_result(result, &mut content, ids, out, cx);
    }
    for part in &turn.parts {
        match part {
            Part::Result(_) => {}
            Part::Call(_) | Part::Thinking(_) => {
                cx.leave_out(format_args!("{} of a {}", part.name(), turn.role.name()));
            }
            _ => content.push(part),
        }
    }
    if content.is_empty() && has_results {
        return;
    }
    out.object(|out| {
        out.named("role", turn.role.name());
        out.key("content");
        write_content(&content, out);
        out.text_field("name", turn.name.as_ref());
    });
}

fn write_result<'a>(
    result: &'a ToolResult,
    moved: &mut Vec<&'a Part>,
    ids: &mut Ids,
    out: &mut Writer<'_>,
    cx: &mut Conversion<'_>,
) {
    let before = moved.len();
    moved.extend(result.parts.iter().filter(|part| part.is_file()));
    if moved.len() > before {
        let id = result.id.read();
        cx.warn(format!("images in the result of tool call {id} follow in a message of the user"));
    }
    warn_of_error(result, cx);
    let several: Vec<&Part> = result.parts.iter().filter(|part| part.is_text()).collect();
    out.object(|out| {
        out.named("role", "tool");
        out.key("tool_call_id").text(&ids.of_result(&result.id, &mut cx.warnings));
        out.key("content");
        if several.len() > 1 {
            write_content(&several, out);
        } else {
            out.joined(texts(&result.parts), "");
        }
    });
}

pub fn warn_of_error(result: &ToolResult, cx: &mut Conversion<'_>) {
    if result.is_error {
        cx.warn(format!(
            "the result of tool call {} is an error, which its text has to say",
            result.id.read()
        ));
    }
}

fn write_content(parts: &[&Part], out: &mut Writer<'_>) {
    match parts {
        [] => out.string(""),
        [Part::Text(text)] => out.text(text),
        _ => out.list(|out| parts.iter().for_each(|part| write_part(part, out))),
    }
}

fn write_part(part: &Part, out: &mut Writer<'_>) {
    out.object(|out| match part {
        Part::Image(file) => {
            out.named("type", "image_url");
            out.key("image_url").object(|out| {
                out.key("url");
                write_url(&file.place, out);
                out.text_field("detail", file.detail.as_ref());
            });
        }
        Part::File(file) => {
            out.named("type", "file");
            out.key("file").object(|out| {
                out.key("filename").text(file.name.as_ref().unwrap_or(&"file".into()));
                out.key("file_data");
                write_url(&file.place, out);
            });
        }
        Part::Refusal(text) => {
            out.named("type", "refusal");
            out.key("refusal").text(text);
        }
        part => {
            out.named("type", "text");
            out.key("text").joined(texts(std::slice::from_ref(part)), "");
        }
    });
}

pub fn write_url(place: &Place, out: &mut Writer<'_>) {
    match place {
        Place::Url(url) => out.text(url),
        Place::Data { media_type, data } => {
            out.joined([&"data:".into(), media_type, &";base64,".into(), data], "");
        }
    }
}

pub fn write_arguments(arguments: &Arguments, out: &mut Writer<'_>) {
    match arguments {
        Arguments::Text(text) => out.text(text),
        Arguments::Value(node) => out.text_of("", node, ""),
        Arguments::Input(None) => out.string("{}"),
        Arguments::Input(Some(node)) => out.text_of("{\"input\":", node, "}"),
    }
}

fn write_assistant(
    parts: &[Part],
    name: Option<&Text>,
    ids: &mut Ids,
    out: &mut Writer<'_>,
    cx: &mut Conversion<'_>,
) {
    let (mut said, mut refused, mut calls, mut thinking) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Text(_) => said.push(part),
            Part::Refusal(text) => refused.push(text),
            Part::Call(call) => calls.push(call),
            Part::Thinking(thought) => thinking.push(thought),
            Part::Image(_) | Part::File(_) | Part::Result(_) => {
                cx.leave_out(format_args!("an assistant's {}", part.name()));
            }
        }
    }
    out.object(|out| {
        out.named("role", "assistant");
        out.key("content");
        if said.is_empty() {
            out.literal("null");
        } else {
            write_content(&said, out);
        }
        if !refused.is_empty() {
            out.key("refusal").joined(refused, "");
        }
        write_thinking(&thinking, out);
        if !calls.is_empty() {
            out.key("tool_calls").list(|out| {
                for call in calls {
                    write_call(call, ids, out, cx);
                }
            });
        }
        out.text_field("name", name);
    });
}

fn write_thinking(thinking: &[&Thinking], out: &mut Writer<'_>) {
    if thinking.is_empty() {
        return;
    }
    out.key("reasoning_content").joined(thinking.iter().map(|thought| &thought.text), "\n");
    if thinking.iter().all(|thought| thought.signature.is_none() && thought.redacted.is_none()) {
        return;
    }
    out.key("thinking_blocks").list(|out| {
        for thought in thinking {
            out.object(|out| {
                if let Some(data) = &thought.redacted {
                    out.named("type", "redacted_thinking");
                    out.key("data").text(data);
                } else {
                    out.named("type", "thinking");
                    out.key("thinking").text(&thought.text);
                    out.text_field("signature", thought.signature.as_ref());
                }
            });
        }
    });
}

fn write_call(call: &Call, ids: &mut Ids, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    out.object(|out| {
        out.key("id").text(&ids.of_call(&call.id, &mut cx.warnings));
        out.named("type", "function");
        out.key("function").object(|out| {
            out.key("name").text(&call.name);
            out.key("arguments");
            write_arguments(&call.arguments, out);
        });
    });
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

pub fn write_response(response: &Response, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    let mut ids = Ids::new(Allowed::Short);
    out.object(|out| {
        out.named("id", &response.id_with("chatcmpl-"));
        out.named("object", "chat.completion");
        write_created("created", response, out, cx);
        out.field("model", response.model.as_ref());
        out.key("choices").list(|out| {
            out.object(|out| {
                out.key("index").number(0.0);
                out.key("message");
                write_assistant(&response.parts, None, &mut ids, out, cx);
                out.key("finish_reason");
                write_stop(response.stop, out, cx);
            });
        });
        if let Some(usage) = response.usage {
            write_usage(usage, out, cx);
        }
    });
}

pub fn write_created(name: &str, response: &Response, out: &mut Writer<'_>, cx: &Conversion<'_>) {
    match &response.created {
        Some(created) => out.field(name, Some(created)),
        None => out.key(name).number(cx.now as f64),
    }
}

fn write_stop(stop: Option<Stop>, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    if let Some(stop @ (Stop::Sequence | Stop::Pause)) = stop {
        cx.warn(format!("the stop reason '{}' became 'stop'", stop.name()));
    }
    match stop {
        None => out.literal("null"),
        Some(Stop::Length) => out.string("length"),
        Some(Stop::Calls) => out.string("tool_calls"),
        Some(Stop::Filter) => out.string("content_filter"),
        Some(Stop::End | Stop::Sequence | Stop::Pause) => out.string("stop"),
    }
}

fn write_usage(usage: Usage, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    if usage.cache_write.is_some_and(|tokens| tokens > 0.0) {
        cx.warn("usage: tokens written to the cache are among the prompt tokens");
    }
    out.key("usage").object(|out| {
        out.key("prompt_tokens").number(usage.input);
        out.key("completion_tokens").number(usage.output);
        out.key("total_tokens").number(usage.input + usage.output);
        if let Some(tokens) = usage.cache_read {
            out.key("prompt_tokens_details").object(|out| out.key("cached_tokens").number(tokens));
        }
        if let Some(tokens) = usage.reasoning {
            out.key("completion_tokens_details").object(|out| out.key("reasoning_tokens").number(tokens));
        }
    });
}
