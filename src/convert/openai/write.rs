//! Writing: the form in between, in the words of the format.

use crate::convert::conversion::Conversion;
use crate::convert::hub::{
    Arguments, Call, Choice, Part, Place, Request, Response, ResponseFormat, Role, Stop, Thinking, Tool,
    ToolResult, Turn, Usage, effort_of, texts,
};
use crate::convert::ids::{Allowed, Ids};
use crate::convert::text::Text;
use crate::convert::writer::{Writer, number_text};

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
        out.field("max_completion_tokens", request.max_tokens.as_ref());
        match request.stop.as_deref() {
            None => {}
            Some([one]) => out.field("stop", Some(one)),
            Some(all) => out.key("stop").list(|out| all.iter().for_each(|one| out.node(one))),
        }
        out.text_field("reasoning_effort", effort.as_ref());
        write_format(request.format.as_ref(), out);
        write_alike(request, out);
    });
}

/// Fields that both of `OpenAI`'s formats write alike.
pub fn write_alike(request: &Request, out: &mut Writer<'_>) {
    if let Some(parallel) = request.parallel {
        out.key("parallel_tool_calls").boolean(parallel);
    }
    out.field("temperature", request.temperature.as_ref());
    out.field("top_p", request.top_p.as_ref());
    out.field("stream", request.stream.as_ref());
    out.field("user", request.user.as_ref());
    request.shared.iter().for_each(|(name, node)| out.field(name, Some(node)));
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
