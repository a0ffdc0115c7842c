//! Writes an encoded value ([`super::encoding`]) as JSON text.

use super::encoding::{LENGTH_BITS, TAG_BITS, literal, tag};
use super::escape::{Latin1, Text, Utf8, Utf16, cut, is_latin1};
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};
use crate::memory;

/// Most units of a JS string: V8's `String::kMaxLength` on 64-bit machines.
pub const MAX_STRING: usize = (1 << 29) - 24;

/// Ops, and units of a long string, between two looks at the cancellation flag.
const CHECK_OPS: usize = 4096;
const CHECK_UNITS: usize = 32 << 10;

/// A value to write.
#[derive(Clone, Copy, Debug)]
pub struct Encoded<'a> {
    pub ops: &'a [u32],
    pub numbers: &'a [f64],
    pub long: &'a [u16],
    pub short: &'a [u16],
    /// What each level is indented by; empty: everything on one line.
    pub gap: &'a [u16],
}

/// JSON text for a JS string, in recycled memory.
#[derive(Debug)]
pub enum JsText {
    Latin1(Vec<u8>),
    Utf16(Vec<u16>),
}

/// Writes text for a JS string: Latin-1 if it can be.
///
/// # Errors
///
/// When interrupted, or when the text is longer than a JS string can be.
pub fn to_js_text(value: Encoded<'_>, cancel: &CancelToken) -> Result<JsText, Error> {
    if [value.long, value.short, value.gap].into_iter().all(is_latin1) {
        Ok(JsText::Latin1(Writer::<Latin1>::new(value, cancel, MAX_STRING).write()?))
    } else {
        Ok(JsText::Utf16(Writer::<Utf16>::new(value, cancel, MAX_STRING).write()?))
    }
}

/// Writes UTF-8, into recycled memory.
///
/// # Errors
///
/// When interrupted.
pub fn to_utf8(value: Encoded<'_>, cancel: &CancelToken) -> Result<Vec<u8>, Error> {
    Writer::<Utf8>::new(value, cancel, usize::MAX).write()
}

/// Keys of a shape: a range of [`Writer::key_ends`].
#[derive(Clone, Copy, Debug)]
struct Shape {
    first: usize,
    last: usize,
}

/// A container being written.
#[derive(Clone, Copy, Debug)]
enum Frame {
    Array { left: u32, empty: bool },
    Object { key: usize, last: usize, empty: bool },
    Keyed { empty: bool },
}

struct Writer<'a, T: Text> {
    /// What is left of the value.
    value: Encoded<'a>,
    /// All short text.
    short: &'a [u16],
    cancel: &'a CancelToken,
    limit: usize,
    out: Vec<T::Unit>,
    shapes: Vec<Shape>,
    /// The text of all shapes' keys, with quotes and colon, and where each ends.
    keys: Vec<T::Unit>,
    key_ends: Vec<usize>,
    frames: Vec<Frame>,
    /// A newline and the indentation of as many levels as were needed so far.
    margin: Vec<T::Unit>,
    gap_units: usize,
    since_check: usize,
    printer: ryu_js::Buffer,
    /// For `Text::escaped`.
    scratch: Vec<u8>,
}

/// Takes the next `count` of a slice.
fn take<'a, T>(from: &mut &'a [T], count: usize) -> &'a [T] {
    let (taken, rest) = from.split_at(count);
    *from = rest;
    taken
}

impl<'a, T: Text> Writer<'a, T> {
    fn new(value: Encoded<'a>, cancel: &'a CancelToken, limit: usize) -> Self {
        let room = value.long.len() + value.short.len() + 8 * value.ops.len() + 16 * value.numbers.len();
        let mut margin = Vec::new();
        T::ascii(&mut margin, b"\n");
        let mut one = Vec::new();
        T::raw(&mut one, value.gap);
        Self {
            value,
            short: value.short,
            cancel,
            limit,
            out: memory::vector(room + room / 8),
            shapes: Vec::new(),
            keys: Vec::new(),
            key_ends: Vec::new(),
            frames: Vec::new(),
            margin,
            gap_units: one.len(),
            since_check: 0,
            printer: ryu_js::Buffer::new(),
            scratch: Vec::new(),
        }
    }

    fn write(mut self) -> Result<Vec<T::Unit>, Error> {
        self.next_value()?;
        while let Some(frame) = self.frames.last().copied() {
            match frame {
                Frame::Array { left: 0, empty } => self.close(b"]", empty),
                Frame::Array { left, empty } => {
                    self.put_frame(Frame::Array { left: left - 1, empty: false });
                    self.separate(empty);
                    self.next_value()?;
                }
                Frame::Object { key, last, empty } if key == last => self.close(b"}", empty),
                Frame::Object { key, last, empty } => {
                    let left_out = self.skip_undefined();
                    self.put_frame(Frame::Object { key: key + 1, last, empty: empty && left_out });
                    if !left_out {
                        self.separate(empty);
                        let start = if key == 0 { 0 } else { self.key_ends[key - 1] };
                        self.out.extend_from_slice(&self.keys[start..self.key_ends[key]]);
                        self.next_value()?;
                    }
                }
                Frame::Keyed { empty } => self.next_property(empty)?,
            }
            self.check(1)?;
        }
        self.limit()?;
        Ok(self.out)
    }

    /// Writes a value, or opens it if it is a container with something in it.
    fn next_value(&mut self) -> Result<(), Error> {
        let op = self.next_op();
        let payload = op >> TAG_BITS;
        match op & ((1 << TAG_BITS) - 1) {
            tag::STRING | tag::LONG | tag::AGAIN => self.string(op)?,
            tag::INTEGER => self.integer(i64::from(op as i32 >> TAG_BITS)),
            tag::OBJECT => {
                let Shape { first, last } = self.shapes[payload as usize];
                self.open(b"{", Frame::Object { key: first, last, empty: true });
            }
            tag::ARRAY => self.open(b"[", Frame::Array { left: payload, empty: true }),
            tag::NUMBERS => self.numbers(payload as usize)?,
            _ if payload == literal::SHAPE => {
                self.shape();
                return self.next_value();
            }
            _ => self.literal(payload),
        }
        Ok(())
    }

    fn next_op(&mut self) -> u32 {
        take(&mut self.value.ops, 1)[0]
    }

    /// The text of a `STRING`, `LONG` or `AGAIN` op.
    fn text_of(&mut self, op: u32) -> &'a [u16] {
        let payload = (op >> TAG_BITS) as usize;
        match op & ((1 << TAG_BITS) - 1) {
            tag::LONG => take(&mut self.value.long, payload),
            tag::AGAIN => {
                let start = payload >> LENGTH_BITS;
                &self.short[start..start + (payload & ((1 << LENGTH_BITS) - 1))]
            }
            _ => take(&mut self.value.short, payload),
        }
    }

    fn string(&mut self, op: u32) -> Result<(), Error> {
        let mut text = self.text_of(op);
        self.ascii(b"\"");
        while text.len() > CHECK_UNITS {
            let end = cut(text, CHECK_UNITS);
            let part = take(&mut text, end);
            T::escaped(&mut self.out, part, &mut self.scratch);
            self.check(CHECK_OPS)?;
        }
        T::escaped(&mut self.out, text, &mut self.scratch);
        self.ascii(b"\"");
        Ok(())
    }

    fn literal(&mut self, literal: u32) {
        match literal {
            literal::TRUE => self.ascii(b"true"),
            literal::FALSE => self.ascii(b"false"),
            literal::NUMBER => {
                let number = take(&mut self.value.numbers, 1)[0];
                self.number(number);
            }
            literal::KEYED => self.open(b"{", Frame::Keyed { empty: true }),
            _ => self.ascii(b"null"),
        }
    }

    fn numbers(&mut self, count: usize) -> Result<(), Error> {
        self.open(b"[", Frame::Array { left: 0, empty: count == 0 });
        for (index, &number) in take(&mut self.value.numbers, count).iter().enumerate() {
            self.separate(index == 0);
            self.number(number);
            self.check(1)?;
        }
        Ok(())
    }

    fn integer(&mut self, value: i64) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            at -= 1;
            digits[at] = b'-';
        }
        self.ascii(&digits[at..]);
    }

    /// A number as ECMAScript prints it; null if it is not finite.
    fn number(&mut self, value: f64) {
        const SAFE: f64 = (1u64 << 53) as f64;
        if value.fract() == 0.0 && value.abs() < SAFE {
            self.integer(value as i64);
        } else if value.is_finite() {
            T::ascii(&mut self.out, self.printer.format_finite(value).as_bytes());
        } else {
            self.ascii(b"null");
        }
    }

    /// Whether the next op says that there is no value; it is taken then.
    fn skip_undefined(&mut self) -> bool {
        let is_undefined = self.value.ops.first() == Some(&(tag::LITERAL | literal::UNDEFINED << TAG_BITS));
        if is_undefined {
            self.next_op();
        }
        is_undefined
    }

    /// The next key and value of an object without a shape, or its end.
    fn next_property(&mut self, empty: bool) -> Result<(), Error> {
        let key = self.next_op();
        if key == tag::LITERAL | literal::END << TAG_BITS {
            self.close(b"}", empty);
            return Ok(());
        }
        if self.skip_undefined() {
            self.text_of(key);
            return Ok(());
        }
        self.put_frame(Frame::Keyed { empty: false });
        self.separate(empty);
        self.string(key)?;
        self.ascii(if self.value.gap.is_empty() { b":" } else { b": " });
        self.next_value()
    }

    fn shape(&mut self) {
        let count = self.next_op() as usize;
        let first = self.key_ends.len();
        for &length in take(&mut self.value.ops, count) {
            T::raw(&mut self.keys, take(&mut self.value.short, length as usize));
            T::ascii(&mut self.keys, if self.value.gap.is_empty() { b":" } else { b": " });
            self.key_ends.push(self.keys.len());
        }
        self.shapes.push(Shape { first, last: self.key_ends.len() });
    }

    fn open(&mut self, bracket: &[u8], frame: Frame) {
        self.ascii(bracket);
        self.frames.push(frame);
    }

    fn put_frame(&mut self, frame: Frame) {
        if let Some(last) = self.frames.last_mut() {
            *last = frame;
        }
    }

    fn close(&mut self, bracket: &[u8], empty: bool) {
        self.frames.pop();
        if !empty {
            self.new_line();
        }
        self.ascii(bracket);
    }

    /// What stands before an item.
    fn separate(&mut self, first: bool) {
        if !first {
            self.ascii(b",");
        }
        self.new_line();
    }

    /// A line break with the indentation of the open containers.
    fn new_line(&mut self) {
        if self.gap_units == 0 {
            return;
        }
        let units = 1 + self.gap_units * self.frames.len();
        while self.margin.len() < units {
            T::raw(&mut self.margin, self.value.gap);
        }
        self.out.extend_from_slice(&self.margin[..units]);
    }

    fn ascii(&mut self, text: &[u8]) {
        T::ascii(&mut self.out, text);
    }

    /// Looks at the cancellation flag and the length once in a while.
    fn check(&mut self, ops: usize) -> Result<(), Error> {
        self.since_check += ops;
        if self.since_check >= CHECK_OPS {
            self.since_check = 0;
            self.cancel.check()?;
            self.limit()?;
        }
        Ok(())
    }

    fn limit(&self) -> Result<(), Error> {
        if self.out.len() <= self.limit {
            return Ok(());
        }
        let message = format!("the JSON text is longer than a string can be ({MAX_STRING} characters)");
        Err(Error::new(ErrorKind::TooLarge, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Interrupt;
    use proptest::prelude::*;

    fn op(tag: u32, payload: u32) -> u32 {
        tag | payload << TAG_BITS
    }

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    /// All three kinds of text, which must agree.
    fn write(ops: &[u32], numbers: &[f64], long: &str, short: &str, gap: &str) -> String {
        let (long, short, gap) = (units(long), units(short), units(gap));
        let value = Encoded { ops, numbers, long: &long, short: &short, gap: &gap };
        let token = CancelToken::new();
        let utf8 = String::from_utf8(to_utf8(value, &token).unwrap()).unwrap();
        let text = match to_js_text(value, &token).unwrap() {
            JsText::Latin1(bytes) => bytes.iter().map(|&byte| char::from(byte)).collect(),
            JsText::Utf16(units) => String::from_utf16(&units).unwrap(),
        };
        assert_eq!(utf8, text);
        text
    }

    /// `{"a": "x", "ü": [1, -2, undefined], "gone": undefined, "k": {"key": [0.5, 3], "e": {}}}`
    fn sample() -> (Vec<u32>, Vec<f64>) {
        let ops = vec![
            op(tag::LITERAL, literal::SHAPE),
            4,
            3,
            3,
            6,
            3,
            op(tag::OBJECT, 0),
            op(tag::STRING, 1),
            op(tag::ARRAY, 3),
            op(tag::INTEGER, 1),
            op(tag::INTEGER, -2i32 as u32),
            op(tag::LITERAL, literal::UNDEFINED),
            op(tag::LITERAL, literal::UNDEFINED),
            op(tag::LITERAL, literal::KEYED),
            op(tag::STRING, 3),
            op(tag::NUMBERS, 2),
            op(tag::STRING, 1),
            op(tag::LITERAL, literal::UNDEFINED),
            op(tag::LONG, 1),
            op(tag::LITERAL, literal::KEYED),
            op(tag::LITERAL, literal::END),
            op(tag::LITERAL, literal::END),
        ];
        (ops, vec![0.5, 3.0])
    }

    const SHORT: &str = "\"a\"\"ü\"\"gone\"\"k\"xkeyu";

    #[test]
    fn on_one_line_and_indented() {
        let (ops, numbers) = sample();
        assert_eq!(
            write(&ops, &numbers, "e", SHORT, ""),
            r#"{"a":"x","ü":[1,-2,null],"k":{"key":[0.5,3],"e":{}}}"#
        );
        let indented = "{\n→\"a\": \"x\",\n→\"ü\": [\n→→1,\n→→-2,\n→→null\n→],\n→\"k\": {\n→→\"key\": [\n→→→0.5,\n→→→3\n→→],\n→→\"e\": {}\n→}\n}";
        assert_eq!(write(&ops, &numbers, "e", SHORT, "→"), indented);
        assert_eq!(write(&ops, &numbers, "e", SHORT, "  "), indented.replace('→', "  "));
    }

    #[test]
    fn strings_that_were_there_before() {
        let again = |start: u32, length: u32| op(tag::AGAIN, start << LENGTH_BITS | length);
        let ops = [
            op(tag::ARRAY, 5),
            op(tag::STRING, 2),
            again(0, 2),
            op(tag::STRING, 3),
            again(2, 3),
            again(0, 0),
        ];
        assert_eq!(write(&ops, &[], "", "a\"ücd", ""), r#"["a\"","a\"","ücd","ücd",""]"#);
    }

    #[test]
    fn a_cancelled_text_is_not_written_to_its_end() {
        let token = CancelToken::new();
        token.cancel(Interrupt::Aborted);
        let long = vec![u16::from(b'x'); 1 << 20];
        let value =
            Encoded { ops: &[op(tag::LONG, 1 << 20)], numbers: &[], long: &long, short: &[], gap: &[] };
        assert_eq!(to_utf8(value, &token).unwrap_err().kind, ErrorKind::Aborted);
    }

    #[test]
    fn a_text_over_the_limit_is_refused() {
        let token = CancelToken::new();
        let value =
            Encoded { ops: &[op(tag::STRING, 5)], numbers: &[], long: &[], short: &units("abcde"), gap: &[] };
        assert!(Writer::<Latin1>::new(value, &token, 7).write().is_ok());
        let refused = Writer::<Latin1>::new(value, &token, 6).write().err().unwrap();
        assert_eq!(refused.kind, ErrorKind::TooLarge);
    }

    #[test]
    fn numbers_as_ecmascript_prints_them() {
        let cases: [(f64, &str); 14] = [
            (0.0, "0"),
            (-0.0, "0"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (-9_007_199_254_740_991.0, "-9007199254740991"),
            (1e-7, "1e-7"),
            (0.000_001, "0.000001"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::NAN, "null"),
            (f64::NEG_INFINITY, "null"),
            (-1.5, "-1.5"),
        ];
        for (number, text) in cases {
            assert_eq!(write(&[op(tag::LITERAL, literal::NUMBER)], &[number], "", "", ""), text);
        }
    }

    proptest! {
        #[test]
        fn any_number_reads_back(number in any::<f64>(), integer in any::<i64>()) {
            for number in [number, integer as f64] {
                let text = write(&[op(tag::LITERAL, literal::NUMBER)], &[number], "", "", "");
                if number.is_finite() {
                    prop_assert!(text.parse::<f64>().unwrap() - number == 0.0);
                } else {
                    prop_assert_eq!(text, "null");
                }
            }
        }
    }
}
