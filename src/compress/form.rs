//! What a text has been understood as: units that can be left out one by one, and a shorter way to write them.
//!
//! A [`Form`] is what a strategy (`kinds/`) makes of a section of text. Written with all its units it is *lossless*: the
//! text, or the value it stood for, can be had back from it. The lossy tier keeps the units that tell most for their
//! tokens ([`super::select`]) and has the same form write those, with a word in place about the ones left out.

use std::ops::Range;

use super::query::{Match, Query};
use crate::cancel::CancelToken;
use crate::error::Error;

/// A piece of a text that is kept or left out as a whole: a row, a line, a hunk, a match, a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unit {
    /// Estimated tokens of it as it is written among others.
    pub cost: u32,
    /// How much it tells, see [`value`].
    pub value: f32,
    /// Kept whatever the budget: the first of each kind of error, what the query names.
    pub must: bool,
    /// Units of one group tell nearly the same: once one is kept, each further one is worth less.
    pub group: u32,
}

impl Unit {
    pub fn add(&mut self, found: Match) {
        self.value += found.worth;
        self.must |= found.must;
    }
}

/// The scale of [`Unit::value`], common to all kinds. Signals add up.
pub mod value {
    /// A unit like any other.
    pub const ORDINARY: f32 = 0.1;
    /// The first and the last units, the surroundings of something that matters.
    pub const CONTEXT: f32 = 0.5;
    /// A rare template or field value, a change point, a moderate outlier.
    pub const RARE: f32 = 2.0;
    /// A strong outlier, a warning.
    pub const NOTABLE: f32 = 3.0;
    /// An error, an exception, a failed test.
    pub const ERROR: f32 = 10.0;
    /// The best match of the query; lesser ones in proportion.
    pub const QUERY: f32 = 5.0;
}

/// Which units of a form are written.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'a> {
    All,
    /// One flag for each unit.
    Some(&'a [bool]),
}

impl<'a> Kept<'a> {
    pub fn is_all(self) -> bool {
        match self {
            Self::All => true,
            Self::Some(flags) => flags.iter().all(|kept| *kept),
        }
    }

    pub fn has(self, unit: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(flags) => flags[unit],
        }
    }

    /// The same for a range of units, which then count from 0: for forms made of forms.
    #[must_use]
    pub fn part(self, units: Range<usize>) -> Kept<'a> {
        match self {
            Self::All => Self::All,
            Self::Some(flags) => Self::Some(&flags[units]),
        }
    }
}

/// A section of text, understood.
pub trait Form: Send {
    /// Names of what was done to write it shorter, for the statistics: `table`, `log_templates`, …
    fn transforms(&self) -> &'static [&'static str];

    /// How many units it has; 0 where nothing can be left out.
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its units weighed, as many as [`Form::len`] says. Only called for the lossy tier.
    ///
    /// # Errors
    ///
    /// When interrupted.
    fn weigh(&self, query: &Query, cancel: &CancelToken) -> Result<Vec<Unit>, Error>;

    /// Writes it. Where units are left out, [`super::marker::gap`] says how many and what they were: ranges of columns,
    /// counts of templates. With [`Kept::All`] nothing is lost, and nothing but the text's own meaning is written.
    fn write(&self, kept: Kept<'_>, out: &mut String);
}
