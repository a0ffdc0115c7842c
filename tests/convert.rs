//! Requests and replies in each format, there and back; what is named, repaired and refused.

use offloop::cancel::{CancelToken, Interrupt};
use offloop::convert::{Format, Kind, Options, convert, with_warnings};
use offloop::error::{Error, ErrorKind};
use offloop::json::Text;
use offloop::json::document::Document;
use offloop::memory::Block;
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;

fn load(body: &Value) -> Document {
    let text = Text::Bytes(Block::from_bytes(body.to_string().as_bytes()));
    Document::load(text, &std::sync::Arc::default(), &CancelToken::new()).expect("JSON")
}

fn try_converted(
    body: &Value,
    from: Format,
    to: Format,
    kind: Kind,
    cancel: &CancelToken,
) -> Result<(Value, Vec<String>), Error> {
    let converted = convert(load(body).root(), Options { from, to, kind, now: NOW }, cancel)?;
    Ok((serde_json::from_slice(&converted.text).expect("JSON"), converted.warnings))
}

fn converted(body: &Value, from: Format, to: Format, kind: Kind) -> (Value, Vec<String>) {
    try_converted(body, from, to, kind, &CancelToken::new()).expect("a body of its format")
}

/// The same conversation, or reply, in each format.
fn bodies(kind: Kind) -> Value {
    let text = match kind {
        Kind::Request => include_str!("convert/requests.json"),
        Kind::Response => include_str!("convert/responses.json"),
    };
    serde_json::from_str(text).expect("JSON")
}

/// Runs a check for each format to each other.
fn on_pairs(check: impl Fn(Format, Format)) {
    for from in Format::ALL {
        for to in Format::ALL {
            check(from, to);
        }
    }
}

#[test]
fn requests_become_those_of_each_format_there_and_back() {
    let bodies = bodies(Kind::Request);
    on_pairs(|from, to| {
        let way = format!("{} to {}", from.name(), to.name());
        let (there, warnings) = converted(&bodies[from.name()], from, to, Kind::Request);
        let mut expected = bodies[to.name()].clone();
        if (from, to) == (Format::Responses, Format::Openai) {
            // The one says so, the other leaves it open.
            expected["tools"][0]["function"]["strict"] = json!(false);
            for part in [1, 2] {
                expected["messages"][1]["content"][part]["image_url"]["detail"] = json!("auto");
            }
        }
        assert_eq!(there, expected, "{way}");
        assert_eq!(warnings, [""; 0], "{way}");
        if (from, to) != (Format::Openai, Format::Responses) {
            let back = converted(&there, to, from, Kind::Request);
            assert_eq!(back, (bodies[from.name()].clone(), vec![]), "{way} and back");
        }
    });
}

#[test]
fn replies_become_those_of_each_format() {
    let bodies = bodies(Kind::Response);
    on_pairs(|from, to| {
        let way = format!("{} to {}", from.name(), to.name());
        let mut expected = bodies[to.name()].clone();
        if (from, to) == (Format::Responses, Format::Openai) {
            expected["usage"]["completion_tokens_details"] = json!({ "reasoning_tokens": 0 });
        }
        assert_eq!(converted(&bodies[from.name()], from, to, Kind::Response), (expected, vec![]), "{way}");
    });
}

#[test]
fn reasons_to_stop() {
    for (finish, stop, status) in [
        ("stop", "end_turn", "completed"),
        ("length", "max_tokens", "incomplete"),
        ("content_filter", "refusal", "incomplete"),
    ] {
        let choice = json!({ "index": 0, "message": { "role": "assistant", "content": "a" }, "finish_reason": finish });
        let openai = json!({ "id": "x", "created": 1, "model": "m", "choices": [choice] });
        let to = |body: &Value, from, to| converted(body, from, to, Kind::Response).0;
        let responses = to(&openai, Format::Openai, Format::Responses);
        assert_eq!(responses["status"], status);
        let anthropic = to(&responses, Format::Responses, Format::Anthropic);
        assert_eq!(anthropic["stop_reason"], stop);
        assert_eq!(to(&anthropic, Format::Anthropic, Format::Openai)["choices"][0]["finish_reason"], finish);
    }
}

#[test]
fn thinking_stays_where_it_can() {
    let blocks = [
        json!({ "type": "thinking", "thinking": "Hm.", "signature": "s" }),
        json!({ "type": "redacted_thinking", "data": "xyz" }),
        json!({ "type": "text", "text": "Hello." }),
    ];
    let body = json!({ "max_tokens": 9000, "thinking": { "type": "enabled", "budget_tokens": 8192 },
        "messages": [{ "role": "assistant", "content": blocks }] });
    let (openai, warnings) = converted(&body, Format::Anthropic, Format::Openai, Kind::Request);
    assert_eq!(openai["reasoning_effort"], "medium");
    assert_eq!(openai["messages"][0]["thinking_blocks"], json!(blocks[..2]));
    assert_eq!(warnings, ["a thinking budget of 8192 tokens became reasoning_effort"]);
    let (back, _) = converted(&openai, Format::Openai, Format::Anthropic, Kind::Request);
    assert_eq!(back["messages"], body["messages"]);
    let (_, warnings) = converted(&body, Format::Anthropic, Format::Responses, Kind::Request);
    assert!(warnings.iter().any(|warning| warning.starts_with("thinking in a request")), "{warnings:?}");
}

/// Bodies, and a warning of each.
#[test]
fn what_has_no_counterpart_is_named() {
    use Format::{Anthropic, Openai, Responses};
    let user = json!([{ "role": "user", "content": "Hi" }]);
    let said =
        |content: Value| json!({ "max_tokens": 5, "messages": [{ "role": "user", "content": content }] });
    for (body, from, to, expected) in [
        (
            json!({ "messages": user, "seed": 7 }),
            Openai,
            Anthropic,
            "seed has no counterpart and is left out",
        ),
        (json!({ "messages": user }), Openai, Anthropic, "max_tokens must be there, and is 4096"),
        (
            json!({ "messages": user, "stop": "END" }),
            Openai,
            Responses,
            "stop has no counterpart and is left out",
        ),
        (
            json!({ "messages": user, "max_tokens": 5, "temperature": 1.7 }),
            Openai,
            Anthropic,
            "a temperature of 1.7 became 1",
        ),
        (
            json!({ "messages": user, "max_tokens": 1, "top_k": 5 }),
            Anthropic,
            Openai,
            "top_k has no counterpart and is left out",
        ),
        (
            json!({ "input": [{ "type": "web_search_call" }] }),
            Responses,
            Openai,
            "input[0] of type web_search_call has no counterpart and is left out",
        ),
        (
            said(json!([{ "type": "text", "text": "Hi", "cache_control": {} }])),
            Anthropic,
            Openai,
            "messages[0].content[0].cache_control has no counterpart and is left out",
        ),
        (
            said(json!([{ "type": "tool_result", "tool_use_id": "a", "is_error": true, "content": "x" }])),
            Anthropic,
            Responses,
            "the result of tool call a is an error, which its text has to say",
        ),
    ] {
        let (_, warnings) = converted(&body, from, to, Kind::Request);
        assert!(warnings.iter().any(|warning| warning == expected), "{expected}: {warnings:?}");
    }
}

#[test]
fn ids_and_arguments_are_repaired() {
    let call = |id: &str, arguments: &str| {
        let function = json!({ "name": "f", "arguments": arguments });
        json!({ "role": "assistant", "tool_calls": [{ "id": id, "type": "function", "function": function }] })
    };
    let result = |id: Value| json!({ "role": "tool", "tool_call_id": id, "content": "done" });
    let messages =
        [call("call.1|x", "{\"a\":1}"), result(json!("call.1|x")), call("", "not json"), result(Value::Null)];
    let body = json!({ "max_tokens": 1, "messages": messages });
    let (anthropic, warnings) = converted(&body, Format::Openai, Format::Anthropic, Kind::Request);
    let block = |message: usize| &anthropic["messages"][message]["content"][0];
    assert_eq!((&block(0)["id"], &block(0)["input"]), (&json!("call_1_x"), &json!({ "a": 1 })));
    assert_eq!(block(1)["tool_use_id"], "call_1_x");
    assert_eq!(block(2)["input"], json!({ "arguments": "not json" }));
    assert_eq!(block(3)["tool_use_id"], block(2)["id"]);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
}

#[test]
fn what_is_of_another_format_is_refused() {
    use Format::{Anthropic, Openai, Responses};
    let message = |role: &str, content: Value| json!({ "messages": [{ "role": role, "content": content }] });
    for (body, from, kind, expected) in [
        (json!({ "messages": [], "input": "x" }), Openai, Kind::Request, "input is of another format"),
        (json!({ "messages": [], "system": "x" }), Openai, Kind::Request, "system is of another format"),
        (
            json!({ "messages": [], "instructions": "x" }),
            Anthropic,
            Kind::Request,
            "instructions is of another format",
        ),
        (json!({ "input": [], "messages": [] }), Responses, Kind::Request, "messages is of another format"),
        (json!({ "choices": [], "content": [] }), Openai, Kind::Response, "content is of another format"),
        (json!({ "content": [], "output": [] }), Anthropic, Kind::Response, "output is of another format"),
        (
            message("user", json!([{ "type": "tool_result", "tool_use_id": "a" }])),
            Openai,
            Kind::Request,
            "messages[0].content[0] is of type 'tool_result', which is of another format",
        ),
        (
            message("user", json!([{ "type": "image_url" }])),
            Anthropic,
            Kind::Request,
            "messages[0].content[0] is of type 'image_url', which is of another format",
        ),
        (
            message("tool", json!("x")),
            Anthropic,
            Kind::Request,
            "messages[0].role must be a role of that format, not 'tool'",
        ),
        (json!({ "messages": [null] }), Openai, Kind::Request, "messages[0] must be an object, not null"),
        (json!({ "messages": 7 }), Openai, Kind::Request, "messages must be a list, not 7"),
        (json!({ "input": [7] }), Responses, Kind::Request, "input[0] must be an object, not 7"),
    ] {
        let error = try_converted(&body, from, Anthropic, kind, &CancelToken::new()).expect_err(expected);
        assert_eq!(error.kind, ErrorKind::InvalidArg, "{expected}");
        let message = format!("body must be a {} of the format '{}': {expected}", kind.name(), from.name());
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_conversion_is_interrupted() {
    let cancel = CancelToken::new();
    cancel.cancel(Interrupt::Aborted);
    let body = &bodies(Kind::Request)["openai"];
    let error = try_converted(body, Format::Openai, Format::Anthropic, Kind::Request, &cancel);
    assert_eq!(error.expect_err("cancelled").kind, ErrorKind::Aborted);
}

#[test]
fn body_and_warnings_as_one_text() {
    let options = Options { from: Format::Openai, to: Format::Responses, kind: Kind::Request, now: NOW };
    let body = load(&json!({ "messages": [], "stop": "a" }));
    let converted = convert(body.root(), options, &CancelToken::new()).expect("a body of its format");
    let text = with_warnings(converted, &CancelToken::new()).expect("nobody cancels");
    let expected = json!([{ "input": [] }, ["stop has no counterpart and is left out"]]);
    assert_eq!(serde_json::from_slice::<Value>(&text).expect("JSON"), expected);
}
