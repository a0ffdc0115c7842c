//! Reading: what the format says, taken apart.

use crate::convert::conversion::{At, Conversion, field, fields, type_of};
use crate::convert::hub::{
    Arguments, Call, File, Part, Place, Request, Response, ResponseFormat, Role, SHARED, Stop, Thinking,
    Tool, ToolResult, Turn,
};
use crate::convert::openai::read::{place_of, read_choice, read_function, read_shared, read_usage};
use crate::convert::text::Text;
use crate::error::Error;
use crate::json::document::{Kind, Node};

/// Fields of requests; how a reply is streamed is read by nobody.
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
    let [
        model,
        input,
        instructions,
        tools,
        choice,
        parallel,
        max_tokens,
        temperature,
        top_p,
        stream,
        _,
        user,
        reasoning,
        text,
    ] = fields(body, REQUEST);
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
            let url = url.as_ref().and_then(Text::of).map(Place::Url);
            if data.is_some() && url.is_some() {
                cx.leave_out(format_args!("{place}.file_url"));
            }
            let place = data.or(url);
            place.map(|place| Part::File(File { place, detail: None, name }))
        }
        _ => None,
    };
    if found.is_none() {
        cx.leave_out(format_args!("{place} of type {kind}"));
    }
    Ok(found)
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
