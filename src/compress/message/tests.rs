use std::sync::Arc;

use super::*;
use serde_json::{Value as Json, json};

fn load(value: &Json) -> Document {
    let text = Text::Bytes(Block::from_bytes(value.to_string().as_bytes()));
    Document::load(text, &Arc::default(), &CancelToken::new()).unwrap()
}

fn compressed(value: &Json, turns: usize) -> (Json, Compressed) {
    let options = Options { cache: false, ..Options::default() };
    let done = compress(&load(value), turns, &options, &Store::shared(), &CancelToken::new()).unwrap();
    let block = done.document.write(&CancelToken::new()).unwrap();
    (serde_json::from_slice(block.as_slice()).unwrap(), done)
}

fn long(name: &str) -> String {
    let lines: Vec<String> =
        (0..2000).map(|line| format!("{name} line {line} of a result that says little")).collect();
    lines.join("\n")
}

#[test]
fn results_of_all_formats_are_shortened_and_nothing_else() {
    let text = long("a");
    let messages = json!([
        {"role": "system", "content": text},
        {"role": "user", "content": text},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": text},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "2", "content": [{"type": "text", "text": long("b")}]},
            {"type": "tool_result", "tool_use_id": "3", "is_error": true, "content": long("c")},
            {"type": "tool_result", "tool_use_id": "4", "content": long("d"), "cache_control": {"type": "ephemeral"}},
        ]},
        {"type": "function_call_output", "call_id": "5", "output": long("e")},
        "odd", null, {"role": 5}, {"content": "short"},
    ]);
    let (after, done) = compressed(&messages, 0);
    let changed: Vec<usize> = (0..10).filter(|at| after[at] != messages[at]).collect();
    assert_eq!(changed, [3, 4, 5]);
    assert_eq!(after[4]["content"][1], messages[4]["content"][1]);
    assert_eq!(after[4]["content"][2], messages[4]["content"][2]);
    assert!(after[4]["content"][0]["content"][0]["text"].as_str().unwrap().contains("[offloop:"));
    let reasons: Vec<&str> = done.messages.iter().map(|message| &*message.reason).collect();
    assert_eq!(reasons[..3], ["system text", "user text", "no text"]);
    assert_eq!(reasons[6..], ["no message", "no message", "unknown role", "no role"]);
    assert!(done.messages[3].after < done.messages[3].before / 2);
}

#[test]
fn recent_turns_stay_as_they_are() {
    let messages = json!([
        {"role": "user", "content": "first"},
        {"role": "tool", "content": long("a")},
        {"role": "user", "content": "second"},
        {"role": "tool", "content": long("b")},
    ]);
    let (after, _) = compressed(&messages, 1);
    assert_ne!(after[1], messages[1]);
    assert_eq!(after[3], messages[3]);
    assert_eq!(compressed(&messages, 2).0, messages);
    assert_eq!(compressed(&messages, 20).0, messages);
}

#[test]
fn lone_surrogates_and_escapes() {
    let mut text = json!([{"role": "tool", "content": long("\"é😀\\")}]).to_string();
    let (after, _) = compressed(&serde_json::from_str(&text).unwrap(), 0);
    assert!(after[0]["content"].as_str().unwrap().contains("\"é😀\\"));
    text = text.replacen("line 0", "\\ud800", 1);
    let block = Text::Bytes(Block::from_bytes(text.as_bytes()));
    let document = Document::load(block, &Arc::default(), &CancelToken::new()).unwrap();
    let options = Options::default();
    let done = compress(&document, 0, &options, &Store::shared(), &CancelToken::new()).unwrap();
    assert_eq!(done.document.write(&CancelToken::new()).unwrap().as_slice(), text.as_bytes());
}
