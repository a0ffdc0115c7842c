//! Writing: the form in between, in the words of the format.

use crate::convert::conversion::Conversion;
use crate::convert::hub::{
    Call, Choice, Part, Place, Request, Response, ResponseFormat, Role, Stop, Thinking, Tool, ToolResult,
    Turn, Usage, effort_of, texts,
};
use crate::convert::ids::{Allowed, Ids};
use crate::convert::openai::write::{warn_of_error, write_alike, write_arguments, write_created, write_url};
use crate::convert::text::Text;
use crate::convert::writer::{Writer, number_text};

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
        out.field("max_output_tokens", request.max_tokens.as_ref());
        if let Some(effort) = &effort {
            out.key("reasoning").object(|out| out.key("effort").text(effort));
        }
        write_format(request.format.as_ref(), out);
        write_alike(request, out);
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
                Place::Url(url) => {
                    out.text_field("filename", file.name.as_ref());
                    out.key("file_url").text(url);
                }
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
