//! Bodies of one provider's format as another's: nothing panics, a changed document becomes what its text becomes, and what both formats
//! can say stays the same from there on.

use std::sync::Arc;

use offloop::cancel::CancelToken;
use offloop::convert::{Format, Kind, Options};
use offloop::json::document::{Change, Document, Pointer};

use crate::document::load;

/// A body and its warnings, or the words of the error.
type Outcome = Result<(String, Vec<String>), String>;

/// What is asked for; the formats and kinds in turn.
fn options_of(choice: u8) -> Options {
    let choice = usize::from(choice);
    let [to, from] = [choice, choice / 3].map(|number| Format::ALL[number % 3]);
    Options { from, to, kind: Kind::ALL[choice / 9 % 2], now: 1_700_000_000 }
}

fn converted(document: &Document, options: Options) -> Outcome {
    let converted = offloop::convert::convert(document.root(), options, &CancelToken::new());
    let converted = converted.map_err(|error| error.to_string())?;
    let text = String::from_utf8(converted.text).expect("UTF-8");
    Ok((text, converted.warnings))
}

fn load_alone(text: &str) -> Option<Document> {
    load(text, &Arc::default())
}

/// A line is a pointer; after a tab, the value that is put there.
fn changed(document: &Document, line: &str) -> Option<Document> {
    let (at, new) = line.split_once('\t').map_or((line, None), |(at, new)| (at, Some(new)));
    let pointer = Pointer::parse(&at.encode_utf16().collect::<Vec<_>>()).ok()?;
    let change = match new {
        Some(new) => Change::Set(load_alone(new)?.root().clone()),
        None => Change::Remove,
    };
    document.with([(pointer, change)]).ok()
}

/// A text there and back.
fn around(text: &str, options: Options) -> String {
    let Options { from, to, .. } = options;
    let way = |text: &str, options: Options| {
        let document = load_alone(text).expect("what was written is JSON");
        converted(&document, options).unwrap_or_else(|error| panic!("{error}: {text}")).0
    };
    way(&way(text, Options { from: to, to: from, ..options }), options)
}

/// The first byte says what is asked for; then a line with the body; then changes of it, a line each.
///
/// # Panics
///
/// On a difference.
pub fn convert(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    let options = options_of(choice);
    let mut lines = text.split('\n');
    let Some(mut document) = lines.next().and_then(load_alone) else { return };
    for line in lines.take(32) {
        document = changed(&document, line).unwrap_or(document);
    }
    let outcome = converted(&document, options);
    let written = document.write(&CancelToken::new()).expect("nobody cancels");
    let written =
        load_alone(&String::from_utf8_lossy(written.as_slice())).expect("a document is written as JSON");
    assert_eq!(outcome, converted(&written, options), "the text of a document becomes what it becomes");
    let Ok((text, _)) = outcome else { return };
    // A budget for thinking raises the limit of tokens each time.
    if ["thinking", "reasoning", "reasoning_effort"].iter().any(|name| document.root().field(name).is_some())
    {
        return;
    }
    let again = around(&text, options);
    assert_eq!(around(&again, options), again, "there and back changes nothing any more");
}
