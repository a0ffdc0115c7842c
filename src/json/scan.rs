//! One pass over JSON text, straight to a tape.
//!
//! The grammar is walked by hand with an explicit stack, so nesting costs heap, not stack. Literals are found by
//! vector compares and compared with what the shapes predict before they are looked at. The text is padded with
//! zeros, which no JSON has outside of an error: every loop stops there without counting.

use std::cell::RefCell;
use std::sync::LazyLock;

#[cfg(target_arch = "aarch64")]
use super::simd::Neon;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use super::simd::Scalar;
#[cfg(target_arch = "x86_64")]
use super::simd::{Avx2, Sse2};
use super::simd::{Lanes, before};

use super::layout::CUT_EVERY;
use super::number::{self, Number};
use super::shapes::{ROOT, Shapes};
use super::strings::Strings;
use super::syntax;
use super::tape::{Builder, Items, OpenOp, Tape};
use crate::cancel::{CancelToken, Interrupt};
use crate::error::Error;
use crate::memory::Padded;

/// Parses a text, UTF-8 in which lone surrogates are allowed as three bytes, into one tape or, when it is large,
/// several slices.
pub fn parse(text: Padded<'_>, cancel: &CancelToken) -> Result<Vec<Tape>, Error> {
    SCRATCH.with_borrow_mut(|scratch| {
        let result = scratch.parse(text, cancel);
        if result.is_err() {
            scratch.reset();
        }
        result
    })
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
}

/// Seed of all hashes, drawn once per process.
static SEED: LazyLock<u64> = LazyLock::new(|| {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0u8)
});

/// What one thread keeps from text to text.
#[derive(Debug)]
struct Scratch {
    tape: Builder,
    strings: Strings,
    shapes: Shapes,
    stack: Vec<Frame>,
}

/// An object or array that is open.
#[derive(Clone, Copy, Debug)]
struct Frame {
    op: OpenOp,
    /// Of an object: its keys so far. Of an array: the items so far, without the current one; -1 when that one went
    /// to the slice before. Of either, only those of the current slice count.
    state: u32,
    object: bool,
}

impl Frame {
    /// What the container got in this slice, with `current` more items than were counted.
    #[inline(always)]
    fn items(&self, shapes: &mut Shapes, current: u32) -> Items {
        if self.object {
            Items::Shape(shapes.object(self.state))
        } else {
            Items::Count(self.state.wrapping_add(current))
        }
    }
}

/// Why a scan stopped.
enum Stop {
    /// The byte at this offset cannot stand there.
    Syntax(usize),
    Interrupted(Interrupt),
}

impl From<Interrupt> for Stop {
    fn from(interrupt: Interrupt) -> Self {
        Self::Interrupted(interrupt)
    }
}

impl Scratch {
    fn new() -> Self {
        Self {
            tape: Builder::default(),
            strings: Strings::new(*SEED),
            shapes: Shapes::new(*SEED),
            stack: Vec::new(),
        }
    }

    fn reset(&mut self) {
        self.tape.reset();
        self.strings.reset();
        self.shapes.reset();
    }

    fn parse(&mut self, text: Padded<'_>, cancel: &CancelToken) -> Result<Vec<Tape>, Error> {
        self.stack.clear();
        self.stack.shrink_to(4096);
        self.tape.depth = 0;
        let bytes = text.as_slice();
        let mut scanner = Scanner {
            text: bytes.as_ptr(),
            length: bytes.len(),
            at: 0,
            check_at: CUT_EVERY,
            cancel,
            scratch: self,
            slices: Vec::new(),
        };
        match scanner.run_detected() {
            Ok(()) => {
                let mut slices = scanner.slices;
                slices.push(self.tape.finish(&mut self.strings, &mut self.shapes, bytes));
                Ok(slices)
            }
            Err(Stop::Syntax(at)) => Err(syntax::error(bytes, at)),
            Err(Stop::Interrupted(interrupt)) => Err(interrupt.into()),
        }
    }
}

struct Scanner<'a> {
    text: *const u8,
    length: usize,
    at: usize,
    check_at: usize,
    cancel: &'a CancelToken,
    scratch: &'a mut Scratch,
    /// Slices cut off so far.
    slices: Vec<Tape>,
}

impl Scanner<'_> {
    #[cfg(target_arch = "x86_64")]
    fn run_detected(&mut self) -> Result<(), Stop> {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: just detected.
            unsafe { self.run_avx2() }
        } else {
            self.run::<Sse2>()
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn run_avx2(&mut self) -> Result<(), Stop> {
        self.run::<Avx2>()
    }

    #[cfg(target_arch = "aarch64")]
    fn run_detected(&mut self) -> Result<(), Stop> {
        self.run::<Neon>()
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn run_detected(&mut self) -> Result<(), Stop> {
        self.run::<Scalar>()
    }

    #[inline(always)]
    fn run<V: Lanes>(&mut self) -> Result<(), Stop> {
        loop {
            // A value starts here.
            match self.next_token::<V>() {
                b'"' => {
                    self.at += 1;
                    let string = self.string::<V>()?;
                    self.scratch.tape.string(string);
                }
                b'{' => {
                    self.open(true)?;
                    if self.next_token::<V>() != b'}' {
                        self.key::<V>()?;
                        continue;
                    }
                    self.close(0);
                }
                b'[' => {
                    self.open(false)?;
                    if self.next_token::<V>() != b']' {
                        continue;
                    }
                    self.close(0);
                }
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.literal(b"true", 1)?,
                b'f' => self.literal(b"false", 2)?,
                b'n' => self.literal(b"null", 0)?,
                _ => return Err(Stop::Syntax(self.at)),
            }
            if self.after_value::<V>()? {
                return Ok(());
            }
        }
    }

    /// What follows a value: ends of containers, then the start of the next value (`false`) or the end of the text.
    #[inline(always)]
    fn after_value<V: Lanes>(&mut self) -> Result<bool, Stop> {
        loop {
            if self.at >= self.check_at {
                self.look_up(1)?;
            }
            let next = self.next_token::<V>();
            let Some(frame) = self.scratch.stack.last_mut() else {
                // Behind a value that is part of a text, white space leads beyond its end.
                return if self.at >= self.length { Ok(true) } else { Err(Stop::Syntax(self.at)) };
            };
            match (next, frame.object) {
                (b',', true) => {
                    self.at += 1;
                    self.next_token::<V>();
                    self.key::<V>()?;
                    return Ok(false);
                }
                (b',', false) => {
                    frame.state = frame.state.wrapping_add(1);
                    self.at += 1;
                    return Ok(false);
                }
                (b'}', true) | (b']', false) => self.close(1),
                _ => return Err(Stop::Syntax(self.at)),
            }
        }
    }

    /// Every now and then: is the work still wanted, and is the slice full? `current` is as for [`Scanner::close`].
    #[cold]
    fn look_up(&mut self, current: u32) -> Result<(), Stop> {
        self.check_at = self.at + CUT_EVERY;
        self.cancel.check()?;
        let scratch = &*self.scratch;
        if !scratch.stack.is_empty() && scratch.tape.is_full(&scratch.strings, &scratch.shapes) {
            self.cut(current);
        }
        Ok(())
    }

    /// Ends the slice. The containers around the cursor stay open; the innermost goes on in the next slice.
    fn cut(&mut self, current: u32) {
        let Scratch { tape, strings, shapes, stack } = &mut *self.scratch;
        let innermost = stack.len() - 1;
        for (level, frame) in stack.iter_mut().enumerate() {
            let current = if level == innermost { current } else { 1 };
            if !matches!(frame.op, OpenOp::Earlier) {
                tape.suspend(frame.op, frame.items(shapes, current));
            }
            frame.op = OpenOp::Earlier;
            frame.state = if frame.object { ROOT } else { 0u32.wrapping_sub(current) };
        }
        // SAFETY: the text is `length` bytes long and outlives the scanner.
        let text = unsafe { std::slice::from_raw_parts(self.text, self.length) };
        self.slices.push(tape.finish(strings, shapes, text));
        self.resume();
    }

    /// Gives the innermost container its part in this slice, if it began in an earlier one.
    #[inline(always)]
    fn resume(&mut self) {
        if let Some(frame) = self.scratch.stack.last_mut()
            && matches!(frame.op, OpenOp::Earlier)
        {
            frame.op = self.scratch.tape.part();
        }
    }

    /// The byte at the cursor.
    #[inline(always)]
    fn byte(&self) -> u8 {
        // SAFETY: the cursor never passes the first byte of padding: it moves over bytes that were looked at and are
        // not zero, or that lie in a literal whose closing quote was found.
        unsafe { *self.text.add(self.at) }
    }

    /// Skips white space; the byte behind it.
    #[inline(always)]
    fn next_token<V: Lanes>(&mut self) -> u8 {
        loop {
            match self.byte() {
                b' ' => self.skip_spaces::<V>(),
                b'\n' | b'\r' | b'\t' => self.at += 1,
                other => return other,
            }
        }
    }

    #[inline(always)]
    fn skip_spaces<V: Lanes>(&mut self) {
        self.at += 1;
        if self.byte() != b' ' {
            return;
        }
        loop {
            // SAFETY: the cursor is in the text or at its end, and the padding is wider than a vector.
            let others = unsafe { V::load(self.text.add(self.at)) }.not_space();
            if others != 0 {
                self.at += others.trailing_zeros() as usize;
                return;
            }
            self.at += V::WIDTH;
        }
    }

    #[inline(always)]
    fn open(&mut self, object: bool) -> Result<(), Stop> {
        self.at += 1;
        let op = self.scratch.tape.open();
        self.scratch.stack.push(Frame { op, state: if object { ROOT } else { 0 }, object });
        let depth = self.scratch.stack.len();
        self.scratch.tape.depth = self.scratch.tape.depth.max(depth);
        if self.at >= self.check_at { self.look_up(0) } else { Ok(()) }
    }

    /// Ends the innermost container; `current` is 1 when its latest item is not counted yet, 0 when it is empty.
    #[inline(always)]
    fn close(&mut self, current: u32) {
        self.at += 1;
        let Scratch { tape, shapes, stack, .. } = &mut *self.scratch;
        if let Some(frame) = stack.pop() {
            tape.close(frame.op, frame.items(shapes, current));
            self.resume();
        }
    }

    /// Reads a key and its colon; the cursor is where the key's quote must be.
    #[inline(always)]
    fn key<V: Lanes>(&mut self) -> Result<(), Stop> {
        if self.byte() != b'"' {
            return Err(Stop::Syntax(self.at));
        }
        self.at += 1;
        let Some(frame) = self.scratch.stack.last().copied() else { return Err(Stop::Syntax(self.at)) };
        // SAFETY: the text is the one of all calls, and padded.
        let predicted =
            unsafe { self.scratch.shapes.predicted(frame.state, self.text, self.at, self.length) };
        let child = if let Some((child, length)) = predicted {
            self.at += length + 1;
            child
        } else {
            self.unpredicted_key::<V>(frame.state)?
        };
        if let Some(frame) = self.scratch.stack.last_mut() {
            frame.state = child;
        }
        if self.next_token::<V>() != b':' {
            return Err(Stop::Syntax(self.at));
        }
        self.at += 1;
        Ok(())
    }

    #[inline(always)]
    fn unpredicted_key<V: Lanes>(&mut self, node: u32) -> Result<u32, Stop> {
        let start = self.at;
        let plain = self.find_quote::<V>()?;
        let (text, end) = (self.text, self.at);
        self.at += 1;
        let Scratch { strings, shapes, .. } = &mut *self.scratch;
        // SAFETY: `start..end` is a literal of the padded text, `end` its closing quote.
        unsafe { shapes.child(node, text, start, end - start, || strings.add::<V>(text, start, end, plain)) }
            .map_err(|offset| Stop::Syntax(start + offset))
    }

    /// Reads the rest of a literal; the cursor is behind its opening quote.
    #[inline(always)]
    fn string<V: Lanes>(&mut self) -> Result<u32, Stop> {
        let start = self.at;
        let plain = self.find_quote::<V>()?;
        let end = self.at;
        self.at += 1;
        // SAFETY: `start..end` is a literal of the padded text, `end` its closing quote.
        unsafe { self.scratch.strings.add::<V>(self.text, start, end, plain) }
            .map_err(|offset| Stop::Syntax(start + offset))
    }

    /// Moves to the literal's closing quote; whether the literal is ASCII without escapes.
    ///
    /// What is escaped is looked at when the literal is written; here an escaped quote only must not be taken for the
    /// end.
    #[inline(always)]
    fn find_quote<V: Lanes>(&mut self) -> Result<bool, Stop> {
        let mut plain = true;
        // 1 when the vector before ended in a backslash that escapes the first byte of this one.
        let mut escaped = 0;
        loop {
            // SAFETY: the cursor is in the text or at its end, and the padding is wider than a vector.
            let lanes = unsafe { V::load(self.text.add(self.at)) };
            let backslashes = lanes.backslashes();
            let mut quotes = lanes.quotes() & !escaped;
            let mut left = backslashes & !escaped;
            escaped = 0;
            while left != 0 {
                let pair = 3 << left.trailing_zeros();
                left &= !pair;
                quotes &= !pair;
                escaped = pair >> V::WIDTH;
            }
            let stops = quotes | lanes.controls();
            if stops == 0 {
                plain &= (backslashes | lanes.high()) == 0;
                self.at += V::WIDTH;
                continue;
            }
            let index = stops.trailing_zeros() as usize;
            plain &= before(backslashes | lanes.high(), index) == 0;
            self.at += index;
            return if self.byte() == b'"' { Ok(plain) } else { Err(Stop::Syntax(self.at)) };
        }
    }

    #[inline(always)]
    fn number(&mut self) -> Result<(), Stop> {
        // SAFETY: the cursor is at a digit or a minus sign of padded text.
        let (number, length) =
            unsafe { number::parse(self.text.add(self.at)) }.map_err(|at| Stop::Syntax(self.at + at))?;
        self.at += length;
        match number {
            Number::Integer(value) => self.scratch.tape.integer(value),
            Number::Float(value) => self.scratch.tape.number(value),
        }
        Ok(())
    }

    #[inline(always)]
    fn literal(&mut self, word: &[u8], literal: u32) -> Result<(), Stop> {
        for &expected in word {
            if self.byte() != expected {
                return Err(Stop::Syntax(self.at));
            }
            self.at += 1;
        }
        self.scratch.tape.literal(literal);
        Ok(())
    }
}
