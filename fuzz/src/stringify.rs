//! Writing JSON text, against a writer that follows the text of ECMA-262 and nothing else.

use std::collections::HashMap;

use offloop::cancel::CancelToken;
use offloop::json::encoding::{INTEGERS, LENGTH_BITS, TAG_BITS, literal, tag};
use offloop::json::write::{Encoded, JsText, to_js_text, to_utf8};
use serde_json::Value;

/// A JavaScript value, as far as it reaches the writer.
enum Js {
    Undefined,
    Null,
    Boolean(bool),
    Number(f64),
    String(Vec<u16>),
    Array(Vec<Js>),
    Object(Vec<(Vec<u16>, Js)>),
}

/// Private-use characters stand for lone surrogates, which no UTF-8 has.
fn units(text: &str) -> Vec<u16> {
    let unit = |unit| if (0xe000..0xe800).contains(&unit) { unit - 0x800 } else { unit };
    text.encode_utf16().map(unit).collect()
}

impl Js {
    /// Some strings stand for what JSON has no form for.
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(*value),
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or_default()),
            Value::String(text) => match text.as_str() {
                "undefined" => Self::Undefined,
                "NaN" => Self::Number(f64::NAN),
                "Infinity" => Self::Number(f64::INFINITY),
                text => Self::String(units(text)),
            },
            Value::Array(items) => Self::Array(items.iter().map(Self::of).collect()),
            Value::Object(pairs) => {
                Self::Object(pairs.iter().map(|(key, value)| (units(key), Self::of(value))).collect())
            }
        }
    }
}

/// `JSON.stringify`, naively.
struct Model<'a> {
    gap: &'a [u16],
    out: Vec<u16>,
}

impl Model<'_> {
    fn ascii(&mut self, text: &str) {
        self.out.extend(text.encode_utf16());
    }

    fn quote(&mut self, text: &[u16]) {
        self.ascii("\"");
        for read in char::decode_utf16(text.iter().copied()) {
            match read {
                Ok('"') => self.ascii("\\\""),
                Ok('\\') => self.ascii("\\\\"),
                Ok('\u{8}') => self.ascii("\\b"),
                Ok('\u{c}') => self.ascii("\\f"),
                Ok('\n') => self.ascii("\\n"),
                Ok('\r') => self.ascii("\\r"),
                Ok('\t') => self.ascii("\\t"),
                Ok(control @ ..' ') => self.ascii(&format!("\\u{:04x}", u32::from(control))),
                Ok(other) => self.out.extend(other.encode_utf16(&mut [0; 2]).iter()),
                Err(lone) => self.ascii(&format!("\\u{:04x}", lone.unpaired_surrogate())),
            }
        }
        self.ascii("\"");
    }

    fn margin(&mut self, depth: usize) {
        if !self.gap.is_empty() {
            self.ascii("\n");
            for _ in 0..depth {
                self.out.extend_from_slice(self.gap);
            }
        }
    }

    fn value(&mut self, value: &Js, depth: usize) {
        match value {
            Js::Undefined | Js::Null => self.ascii("null"),
            Js::Boolean(value) => self.ascii(if *value { "true" } else { "false" }),
            Js::Number(value) if !value.is_finite() => self.ascii("null"),
            Js::Number(value) => self.ascii(ryu_js::Buffer::new().format(*value)),
            Js::String(text) => self.quote(text),
            Js::Array(items) => {
                self.ascii("[");
                for (index, item) in items.iter().enumerate() {
                    self.ascii(if index > 0 { "," } else { "" });
                    self.margin(depth + 1);
                    self.value(item, depth + 1);
                }
                if !items.is_empty() {
                    self.margin(depth);
                }
                self.ascii("]");
            }
            Js::Object(pairs) => {
                self.ascii("{");
                let said = pairs.iter().filter(|(_, value)| !matches!(value, Js::Undefined));
                let mut count = 0;
                for (key, value) in said {
                    self.ascii(if count > 0 { "," } else { "" });
                    self.margin(depth + 1);
                    self.quote(key);
                    self.ascii(if self.gap.is_empty() { ":" } else { ": " });
                    self.value(value, depth + 1);
                    count += 1;
                }
                if count > 0 {
                    self.margin(depth);
                }
                self.ascii("}");
            }
        }
    }
}

/// What the encoder of JavaScript may choose, chosen by the input.
#[derive(Clone, Copy)]
struct Choices {
    /// Strings of this length and more are long.
    long: usize,
    /// Objects have shapes, or keys one by one.
    shapes: bool,
    /// Strings that were there before are referred to.
    again: bool,
}

struct Encoder {
    choices: Choices,
    ops: Vec<u32>,
    numbers: Vec<f64>,
    long: Vec<u16>,
    short: Vec<u16>,
    shapes: HashMap<Vec<Vec<u16>>, u32>,
    met: HashMap<Vec<u16>, usize>,
}

impl Encoder {
    fn op(&mut self, tag: u32, payload: u32) {
        self.ops.push(tag | payload << TAG_BITS);
    }

    fn string(&mut self, text: &[u16]) {
        if text.len() >= self.choices.long {
            self.op(tag::LONG, text.len() as u32);
            return self.long.extend_from_slice(text);
        }
        if let Some(&start) = self.met.get(text).filter(|_| self.choices.again) {
            return self.op(tag::AGAIN, (start << LENGTH_BITS | text.len()) as u32);
        }
        if text.len() < 1 << LENGTH_BITS {
            self.met.insert(text.to_vec(), self.short.len());
        }
        self.op(tag::STRING, text.len() as u32);
        self.short.extend_from_slice(text);
    }

    fn number(&mut self, value: f64) {
        if value.fract() == 0.0
            && INTEGERS.contains(&(value as i64))
            && value.abs() < 1e9
            && !(value == 0.0 && value.is_sign_negative())
        {
            return self.op(tag::INTEGER, value as i32 as u32);
        }
        self.op(tag::LITERAL, literal::NUMBER);
        self.numbers.push(value);
    }

    fn array(&mut self, items: &[Js]) {
        let number = |item: &Js| if let Js::Number(value) = item { Some(*value) } else { None };
        match items.iter().map(number).collect::<Option<Vec<_>>>() {
            Some(numbers) if !numbers.is_empty() => {
                self.op(tag::NUMBERS, numbers.len() as u32);
                self.numbers.extend(numbers);
            }
            _ => {
                self.op(tag::ARRAY, items.len() as u32);
                items.iter().for_each(|item| self.value(item));
            }
        }
    }

    fn object(&mut self, pairs: &[(Vec<u16>, Js)]) {
        if !self.choices.shapes {
            self.op(tag::LITERAL, literal::KEYED);
            for (key, value) in pairs {
                self.string(key);
                self.value(value);
            }
            return self.op(tag::LITERAL, literal::END);
        }
        let keys: Vec<_> = pairs.iter().map(|(key, _)| key.clone()).collect();
        let next = self.shapes.len() as u32;
        let shape = *self.shapes.entry(keys).or_insert(next);
        if shape == next {
            self.op(tag::LITERAL, literal::SHAPE);
            self.ops.push(pairs.len() as u32);
            for (key, _) in pairs {
                let mut quoted = Model { gap: &[], out: Vec::new() };
                quoted.quote(key);
                self.ops.push(quoted.out.len() as u32);
                self.short.extend(quoted.out);
            }
        }
        self.op(tag::OBJECT, shape);
        pairs.iter().for_each(|(_, value)| self.value(value));
    }

    fn value(&mut self, value: &Js) {
        match value {
            Js::Undefined => self.op(tag::LITERAL, literal::UNDEFINED),
            Js::Null => self.op(tag::LITERAL, literal::NULL),
            Js::Boolean(true) => self.op(tag::LITERAL, literal::TRUE),
            Js::Boolean(false) => self.op(tag::LITERAL, literal::FALSE),
            Js::Number(value) => self.number(*value),
            Js::String(text) => self.string(text),
            Js::Array(items) => self.array(items),
            Js::Object(pairs) => self.object(pairs),
        }
    }
}

/// A value in each of the forms that it may be encoded in. The first two bytes choose the form and the indentation; JSON
/// text follows.
///
/// # Panics
///
/// On a difference.
pub fn stringify(data: &[u8]) {
    let Some((&[form, gap], text)) = data.split_first_chunk::<2>() else { return };
    let Ok(value) = serde_json::from_slice::<Value>(text) else { return };
    if text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > 500 {
        return;
    }
    let value = Js::of(&value);
    if matches!(value, Js::Undefined) {
        return;
    }
    let gap = units(["", "", " ", "\t", "  ", "ж→", "    ", "\u{e000}"][usize::from(gap & 7)]);
    let long = [1, 8, 64, usize::MAX][usize::from(form & 3)];
    let choices = Choices { long, shapes: form & 4 == 0, again: form & 8 == 0 };
    let mut encoder = Encoder {
        choices,
        ops: Vec::new(),
        numbers: Vec::new(),
        long: Vec::new(),
        short: Vec::new(),
        shapes: HashMap::new(),
        met: HashMap::new(),
    };
    encoder.value(&value);
    let mut model = Model { gap: &gap, out: Vec::new() };
    model.value(&value, 0);

    let Encoder { ops, numbers, long, short, .. } = &encoder;
    let encoded = Encoded { ops, numbers, long, short, gap: &gap };
    let cancel = CancelToken::new();
    let written = match to_js_text(encoded, &cancel).expect("nobody cancels") {
        JsText::Latin1(bytes) => bytes.into_iter().map(u16::from).collect(),
        JsText::Utf16(units) => units,
    };
    assert_eq!(String::from_utf16_lossy(&written), String::from_utf16_lossy(&model.out));
    assert_eq!(written, model.out);
    let utf8 = to_utf8(encoded, &cancel).expect("nobody cancels");
    // As `Buffer.from(text)` has it.
    assert_eq!(String::from_utf8(utf8).expect("UTF-8"), String::from_utf16_lossy(&model.out));
}
