//! `OpenAI`'s responses.

use super::conversion::{At, Conversion, field, fields, type_of};
use super::hub::{
    Arguments, Call, Choice, File, Part, Place, Request, Response, ResponseFormat, Role, SHARED, Stop,
    Thinking, Tool, ToolResult, Turn, Usage, effort_of, texts,
};
use super::ids::{Allowed, Ids};
use super::openai::{
    place_of, read_choice, read_function, read_shared, read_usage, warn_of_error, write_arguments,
    write_created, write_url,
};
use super::text::Text;
use super::writer::{Writer, number_text};
use crate::error::Error;
use crate::json::document::{Kind, Node};

const REQUEST: [&str; 14] = [
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_output_tokens",
    "temperature",
    "top_p",
    "stream",
    "stream_options",
    "user",
    "reasoning",
    "text",
];
/// What items and parts of other formats have.
const FOREIGN_FIELDS: [&str; 2] = ["tool_calls", "tool_call_id"];
const FOREIGN: [&str; 6] = ["image_url", "image", "document", "file", "tool_use", "tool_result"];

pub fn read_request(body: &Node, cx: &mut Conversion<'_>) -> Result<Request, Error> {
    let [model, input, instructions, tools, choice, parallel, max_tokens] = fields(
        body,
        [
            "model",
            "input",
            "instructions",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "max_output_tokens",
        ],
    );
    let [temperature, top_p, stream, user, reasoning, text] =
        fields(body, ["temperature", "top_p", "stream", "user", "reasoning", "text"]);
    cx.name_rest(body, &[&REQUEST[..], &SHARED].concat(), format_args!(""));
    let effort = reasoning.and_then(|reasoning| {
        cx.name_rest(&reasoning, &["effort"], format_args!("reasoning."));
        field(&reasoning, "effort")
    });
    let format = text.and_then(|text| {
        cx.name_rest(&text, &["format"], format_args!("text."));
        field(&text, "format")
    });
    let mut turns = Vec::new();
    if let Some(text) = cx.optional_text(instructions.as_ref(), format_args!("instructions"))? {
        turns.push(Turn { role: Role::System, parts: vec![Part::Text(text)], name: None });
    }
    if input.as_ref().is_some_and(|input| input.kind() == Kind::String) {
        let parts = cx.parts(input.as_ref(), format_args!("input"), read_part)?;
        turns.push(Turn { role: Role::User, parts, name: None });
    } else {
        read_items(input, format_args!("input"), &mut turns, cx)?;
    }
    Ok(Request {
        model,
        turns,
        tools: read_tools(tools, cx)?,
        choice: read_choice(choice.as_ref(), cx)?,
        parallel: cx.boolean(parallel.as_ref(), format_args!("parallel_tool_calls"))?,
        max_tokens,
        temperature,
        top_p,
        stream,
        user,
        effort: cx.optional_text(effort.as_ref(), format_args!("reasoning.effort"))?,
        format: format.map(|format| {
            let is_schema = format.has("type", "json_schema");
            if is_schema { ResponseFormat::Schema(format) } else { ResponseFormat::Other(format) }
        }),
        shared: read_shared(body),
        ..Request::default()
    })
}

fn read_tools(tools: Option<Node>, cx: &mut Conversion<'_>) -> Result<Option<Vec<Tool>>, Error> {
    let Some(tools) = tools else { return Ok(None) };
    let mut read = Vec::new();
    for (index, tool) in cx.list(Some(tools), format_args!("tools"))?.into_iter().enumerate() {
        let place = format_args!("tools[{index}]");
        if tool.has("type", "function") {
            read.push(read_function(&tool, place, cx)?);
        } else {
            cx.leave_out(format_args!("{place} of type {}", type_of(field(&tool, "type").as_ref())));
        }
    }
    Ok(Some(read))
}

/// Items as turns: what the assistant says, thinks and calls in a row is one.
fn read_items(
    items: Option<Node>,
    place: At<'_>,
    turns: &mut Vec<Turn>,
    cx: &mut Conversion<'_>,
) -> Result<(), Error> {
    let first = turns.len();
    for (index, item) in cx.list(items, place)?.into_iter().enumerate() {
        cx.cancel.check()?;
        let place = format_args!("{place}[{index}]");
        let item = cx.object(Some(item), place)?;
        let Some((role, parts)) = read_item(&item, place, cx)? else { continue };
        match turns[first..].last_mut() {
            Some(last) if role == Role::Assistant && last.role == role => last.parts.extend(parts),
            _ => turns.push(Turn { role, parts, name: None }),
        }
    }
    Ok(())
}

fn read_item(
    item: &Node,
    place: At<'_>,
    cx: &mut Conversion<'_>,
) -> Result<Option<(Role, Vec<Part>)>, Error> {
    cx.reject_foreign_fields(item, &FOREIGN_FIELDS, format_args!("{place}."))?;
    let kind = field(item, "type").map_or_else(|| "message".to_owned(), |kind| type_of(Some(&kind)));
    cx.reject_foreign_type(&kind, &FOREIGN, place)?;
    match &*kind {
        "message" => {
            let [role, content] = fields(item, ["role", "content"]);
            let said = role.as_ref().and_then(Node::text).and_then(|name| Role::of(&name));
            let expected = "a role of that format";
            let role = said.ok_or_else(|| cx.wrong(format_args!("{place}.role"), expected, role.as_ref()))?;
            Ok(Some((role, cx.parts(content.as_ref(), format_args!("{place}.content"), read_part)?)))
        }
        "function_call" | "custom_tool_call" => {
            let call = read_call(item, kind == "custom_tool_call", place, cx)?;
            Ok(Some((Role::Assistant, vec![Part::Call(call)])))
        }
        "function_call_output" | "custom_tool_call_output" => {
            let [id, output] = fields(item, ["call_id", "output"]);
            let id = cx.id(id.as_ref(), format_args!("{place}.call_id"))?;
            let parts = cx.parts(output.as_ref(), format_args!("{place}.output"), read_part)?;
            Ok(Some((Role::User, vec![Part::Result(ToolResult { id, parts, is_error: false })])))
        }
        "reasoning" => {
            if field(item, "encrypted_content").is_some() {
                cx.leave_out(format_args!("{place}.encrypted_content"));
            }
            Ok(Some((Role::Assistant, vec![Part::Thinking(read_reasoning(item, place, cx)?)])))
        }
        _ => {
            cx.leave_out(format_args!("{place} of type {kind}"));
            Ok(None)
        }
    }
}

fn read_call(item: &Node, is_custom: bool, place: At<'_>, cx: &Conversion<'_>) -> Result<Call, Error> {
    let [id, name, arguments, input] = fields(item, ["call_id", "name", "arguments", "input"]);
    let arguments = if is_custom {
        Arguments::Input(input)
    } else {
        let text = cx.optional_text(arguments.as_ref(), format_args!("{place}.arguments"))?;
        Arguments::Text(text.unwrap_or_default())
    };
    let id = cx.id(id.as_ref(), format_args!("{place}.call_id"))?;
    Ok(Call { id, name: cx.text(name.as_ref(), format_args!("{place}.name"))?, arguments })
}

fn read_reasoning(item: &Node, place: At<'_>, cx: &Conversion<'_>) -> Result<Thinking, Error> {
    let [summary, content] = fields(item, ["summary", "content"]);
    let mut thoughts = cx.list(summary, format_args!("{place}.summary"))?;
    thoughts.extend(cx.list(content, format_args!("{place}.content"))?);
    let read = |thought: &Node| cx.text(field(thought, "text").as_ref(), format_args!("{place}: a text"));
    let text = Text::Lines(thoughts.iter().map(read).collect::<Result<_, _>>()?);
    Ok(Thinking { text, signature: None, redacted: None })
}

fn read_part(part: &Node, place: At<'_>, cx: &mut Conversion<'_>) -> Result<Option<Part>, Error> {
    let kind = type_of(field(part, "type").as_ref());
    cx.reject_foreign_type(&kind, &FOREIGN, place)?;
    let found = match &*kind {
        "input_text" | "output_text" | "text" => {
            let [text, annotations] = fields(part, ["text", "annotations"]);
            if annotations.is_some_and(|annotations| !annotations.items().is_empty()) {
                cx.leave_out(format_args!("{place}.annotations"));
            }
            Some(Part::Text(cx.text(text.as_ref(), format_args!("{place}.text"))?))
        }
        "refusal" => {
            let refusal = field(part, "refusal");
            Some(Part::Refusal(cx.text(refusal.as_ref(), format_args!("{place}.refusal"))?))
        }
        "input_image" => {
            let [url, detail] = fields(part, ["image_url", "detail"]);
            let detail = detail.as_ref().and_then(Text::of);
            let url = url.as_ref().and_then(Text::of);
            url.map(|url| Part::Image(File { place: place_of(url), detail, name: None }))
        }
        "input_file" => {
            let [data, url, name] = fields(part, ["file_data", "file_url", "filename"]);
            let name = name.as_ref().and_then(Text::of);
            let data = data.as_ref().and_then(Text::of).map(place_of);
            let place = data.or_else(|| url.as_ref().and_then(Text::of).map(Place::Url));
            place.map(|place| Part::File(File { place, detail: None, name }))
        }
        _ => None,
    };
    if found.is_none() {
        cx.leave_out(format_args!("{place} of type {kind}"));
    }
    Ok(found)
}

pub fn write_request(request: &Request, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    let mut ids = Ids::new(Allowed::Short);
    if request.stop.is_some() {
        cx.leave_out("stop");
    }
    let effort = request.effort.clone().or_else(|| {
        let budget = request.thinking_budget?;
        let effort = effort_of(budget);
        let tokens = number_text(budget);
        cx.warn(format!("a thinking budget of {tokens} tokens became the effort '{effort}'"));
        Some(effort.into())
    });
    let (instructions, turns) = split_instructions(&request.turns);
    out.object(|out| {
        out.field("model", request.model.as_ref());
        if let Some(parts) = instructions {
            out.key("instructions").joined(texts(parts), "\n\n");
        }
        out.key("input").list(|out| turns.iter().for_each(|turn| write_turn(turn, &mut ids, out, cx)));
        if let Some(tools) = &request.tools {
            out.key("tools").list(|out| tools.iter().for_each(|tool| write_tool(tool, out)));
        }
        match &request.choice {
            None => {}
            Some(Choice::Word(word)) => out.key("tool_choice").text(word),
            Some(Choice::Tool(name)) => out.key("tool_choice").object(|out| {
                out.named("type", "function");
                out.key("name").text(name);
            }),
        }
        if let Some(parallel) = request.parallel {
            out.key("parallel_tool_calls").boolean(parallel);
        }
        out.field("max_output_tokens", request.max_tokens.as_ref());
        out.field("temperature", request.temperature.as_ref());
        out.field("top_p", request.top_p.as_ref());
        out.field("stream", request.stream.as_ref());
        out.field("user", request.user.as_ref());
        if let Some(effort) = &effort {
            out.key("reasoning").object(|out| out.key("effort").text(effort));
        }
        write_format(request.format.as_ref(), out);
        request.shared.iter().for_each(|(name, node)| out.field(name, Some(node)));
    });
}

/// A system prompt that has nothing but text becomes the instructions.
fn split_instructions(turns: &[Turn]) -> (Option<&[Part]>, &[Turn]) {
    match turns {
        [Turn { role: Role::System, parts, name: None }, rest @ ..] if parts.iter().all(Part::is_text) => {
            (Some(parts), rest)
        }
        all => (None, all),
    }
}

fn write_format(format: Option<&ResponseFormat>, out: &mut Writer<'_>) {
    let Some(format) = format else { return };
    out.key("text").object(|out| match format {
        ResponseFormat::Other(node) => out.field("format", Some(node)),
        ResponseFormat::Schema(node) => out.key("format").object(|out| {
            out.named("type", "json_schema");
            out.members_without(node, "type");
        }),
    });
}

fn write_tool(tool: &Tool, out: &mut Writer<'_>) {
    out.object(|out| {
        out.named("type", "function");
        out.key("name").text(&tool.name);
        out.field("description", tool.description.as_ref());
        out.field("parameters", tool.schema.as_ref());
        match &tool.strict {
            Some(strict) => out.field("strict", Some(strict)),
            None => out.key("strict").boolean(false),
        }
    });
}

fn write_turn(turn: &Turn, ids: &mut Ids, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    if let Some(name) = &turn.name {
        cx.leave_out(format_args!("the name '{}' of a message", name.read()));
    }
    let mut content = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Call(call) => {
                write_message(turn.role, &mut content, out);
                out.object(|out| write_call(call, ids, out, cx));
            }
            Part::Result(result) => {
                write_message(turn.role, &mut content, out);
                write_output(result, ids, out, cx);
            }
            Part::Thinking(_) => cx.leave_out("thinking in a request"),
            part => content.push(part),
        }
    }
    write_message(turn.role, &mut content, out);
}

fn write_message(role: Role, content: &mut Vec<&Part>, out: &mut Writer<'_>) {
    if content.is_empty() {
        return;
    }
    out.object(|out| {
        out.named("type", "message");
        out.named("role", role.name());
        out.key("content").list(|out| {
            content.drain(..).for_each(|part| out.object(|out| write_part(part, role, out)));
        });
    });
}

fn write_call(call: &Call, ids: &mut Ids, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    out.named("type", "function_call");
    out.key("call_id").text(&ids.of_call(&call.id, &mut cx.warnings));
    out.key("name").text(&call.name);
    out.key("arguments");
    write_arguments(&call.arguments, out);
}

fn write_output(result: &ToolResult, ids: &mut Ids, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    warn_of_error(result, cx);
    let parts: Vec<&Part> = result.parts.iter().filter(|part| is_written(part, cx)).collect();
    out.object(|out| {
        out.named("type", "function_call_output");
        out.key("call_id").text(&ids.of_result(&result.id, &mut cx.warnings));
        out.key("output");
        match &parts[..] {
            [] => out.string(""),
            [Part::Text(text)] => out.text(text),
            parts => out.list(|out| {
                for part in parts {
                    out.object(|out| write_part(part, Role::User, out));
                }
            }),
        }
    });
}

/// Whether a part can be in a message; names it where not.
fn is_written(part: &Part, cx: &mut Conversion<'_>) -> bool {
    let is_foreign = matches!(part, Part::Call(_) | Part::Result(_) | Part::Thinking(_));
    if is_foreign {
        cx.warn(format!("a part of type {} has no counterpart there and is left out", part.name()));
    }
    !is_foreign
}

fn write_part(part: &Part, role: Role, out: &mut Writer<'_>) {
    match part {
        Part::Image(file) => {
            out.named("type", "input_image");
            out.key("image_url");
            write_url(&file.place, out);
            out.key("detail").text(file.detail.as_ref().unwrap_or(&"auto".into()));
        }
        Part::File(file) => {
            out.named("type", "input_file");
            match &file.place {
                Place::Url(url) => out.key("file_url").text(url),
                data @ Place::Data { .. } => {
                    out.key("filename").text(file.name.as_ref().unwrap_or(&"file".into()));
                    out.key("file_data");
                    write_url(data, out);
                }
            }
        }
        Part::Refusal(text) => {
            out.named("type", "refusal");
            out.key("refusal").text(text);
        }
        part => {
            out.named("type", if role == Role::Assistant { "output_text" } else { "input_text" });
            out.key("text").joined(texts(std::slice::from_ref(part)), "");
        }
    }
}

pub fn read_response(body: &Node, cx: &mut Conversion<'_>) -> Result<Response, Error> {
    let [id, created, model, output, status, incomplete, usage, error] = fields(
        body,
        ["id", "created_at", "model", "output", "status", "incomplete_details", "usage", "error"],
    );
    if let Some(error) = error {
        let [message, code] = fields(&error, ["message", "code"]);
        cx.leave_out(format_args!("error: {}", type_of(message.or(code).as_ref())));
    }
    let mut turns = Vec::new();
    read_items(output, format_args!("output"), &mut turns, cx)?;
    let parts: Vec<Part> = turns.into_iter().flat_map(|turn| turn.parts).collect();
    let has_calls = parts.iter().any(|part| matches!(part, Part::Call(_)));
    Ok(Response {
        id: cx.id(id.as_ref(), format_args!("id"))?.read().into_owned(),
        model,
        created,
        stop: read_stop(status.as_ref(), incomplete.as_ref(), has_calls),
        parts,
        stop_sequence: None,
        usage: usage.map(|usage| read_usage(&usage, ["input", "output"], cx)).transpose()?,
    })
}

fn read_stop(status: Option<&Node>, incomplete: Option<&Node>, has_calls: bool) -> Option<Stop> {
    match status.and_then(Node::text).as_deref() {
        Some("incomplete") if incomplete.is_some_and(|why| why.has("reason", "content_filter")) => {
            Some(Stop::Filter)
        }
        Some("incomplete") => Some(Stop::Length),
        Some("completed") | None if has_calls => Some(Stop::Calls),
        Some("completed") | None => Some(Stop::End),
        Some(_) => None,
    }
}

pub fn write_response(response: &Response, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    if let Some(stop @ (Stop::Sequence | Stop::Pause)) = response.stop {
        cx.warn(format!("the stop reason '{}' became the status 'completed'", stop.name()));
    }
    let id = response.id_with("resp_");
    let (status, reason) = match response.stop {
        None => ("in_progress", None),
        Some(Stop::Length) => ("incomplete", Some("max_output_tokens")),
        Some(Stop::Filter) => ("incomplete", Some("content_filter")),
        Some(Stop::End | Stop::Calls | Stop::Sequence | Stop::Pause) => ("completed", None),
    };
    out.object(|out| {
        out.named("id", &id);
        out.named("object", "response");
        write_created("created_at", response, out, cx);
        out.named("status", status);
        out.key("error").literal("null");
        out.key("incomplete_details");
        match reason {
            None => out.literal("null"),
            Some(reason) => out.object(|out| out.named("reason", reason)),
        }
        out.field("model", response.model.as_ref());
        out.key("output").list(|out| write_output_items(&response.parts, &id, out, cx));
        if let Some(usage) = response.usage {
            write_usage(usage, out, cx);
        }
    });
}

/// Whether a reply can have it; names it where not.
fn is_kept(part: &Part, cx: &mut Conversion<'_>) -> bool {
    match part {
        Part::Thinking(Thinking { redacted: Some(_), .. }) => {
            cx.leave_out("redacted thinking");
            false
        }
        Part::Call(_) | Part::Thinking(_) => true,
        part => is_written(part, cx),
    }
}

/// Whether it goes into one message with its neighbours.
fn is_said(part: &Part) -> bool {
    !matches!(part, Part::Call(_) | Part::Thinking(_))
}

fn write_output_items(parts: &[Part], id: &str, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    let mut ids = Ids::new(Allowed::Short);
    let parts: Vec<&Part> = parts.iter().filter(|part| is_kept(part, cx)).collect();
    let items = parts.chunk_by(|one, other| is_said(one) && is_said(other));
    for (number, item) in items.enumerate() {
        match item[0] {
            Part::Call(call) => out.object(|out| {
                out.named("id", &format!("fc_{id}_{number}"));
                write_call(call, &mut ids, out, cx);
                out.named("status", "completed");
            }),
            Part::Thinking(thinking) => out.object(|out| {
                out.named("type", "reasoning");
                out.named("id", &format!("rs_{id}_{number}"));
                out.key("summary").list(|out| write_summary(&thinking.text, out));
            }),
            _ => write_said(item, &format!("msg_{id}_{number}"), out),
        }
    }
}

fn write_summary(text: &Text, out: &mut Writer<'_>) {
    if !text.is_empty() {
        out.object(|out| {
            out.named("type", "summary_text");
            out.key("text").text(text);
        });
    }
}

fn write_said(parts: &[&Part], id: &str, out: &mut Writer<'_>) {
    out.object(|out| {
        out.named("type", "message");
        out.named("id", id);
        out.named("role", "assistant");
        out.named("status", "completed");
        out.key("content").list(|out| {
            for part in parts {
                out.object(|out| {
                    write_part(part, Role::Assistant, out);
                    if part.is_text() {
                        out.key("annotations").list(|_| {});
                    }
                });
            }
        });
    });
}

fn write_usage(usage: Usage, out: &mut Writer<'_>, cx: &mut Conversion<'_>) {
    if usage.cache_write.is_some_and(|tokens| tokens > 0.0) {
        cx.warn("usage: tokens written to the cache are among the input tokens");
    }
    out.key("usage").object(|out| {
        out.key("input_tokens").number(usage.input);
        out.key("input_tokens_details")
            .object(|out| out.key("cached_tokens").number(usage.cache_read.unwrap_or(0.0)));
        out.key("output_tokens").number(usage.output);
        out.key("output_tokens_details")
            .object(|out| out.key("reasoning_tokens").number(usage.reasoning.unwrap_or(0.0)));
        out.key("total_tokens").number(usage.input + usage.output);
    });
}
