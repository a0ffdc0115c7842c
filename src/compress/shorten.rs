//! One text, shortened.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::content::Id;
use super::form::{Form, Kept, Unit};
use super::plain::Plain;
use super::query::Query;
use super::{kind, marker, noise, select, tokens};
use crate::cancel::CancelToken;
use crate::error::Error;

/// A shortened text must save so many tokens, and this part of all, to be used: for less than that nobody should have to
/// read a notation.
const LEAST_TOKENS: u32 = 4;
const LEAST_PART: f32 = 0.02;

/// How often the lossy tier writes a text: what is left out is described, so the first attempt may turn out too long.
const ATTEMPTS: usize = 3;

/// Tokens of a unit that may be kept whatever the budget.
const MOST_FOR_SURE: u32 = 500;

/// How a text came to be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It did not: nothing was gained.
    Not,
    Lossless,
    Lossy,
}

/// What became of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Shortened {
    pub how: How,
    pub before: u32,
    pub after: u32,
    /// The shorter text.
    pub text: Option<Arc<str>>,
    pub transforms: Vec<&'static str>,
    /// Of the original, where the text has a marker with it.
    pub id: Option<Id>,
}

impl Shortened {
    pub fn not(tokens: u32) -> Self {
        Self { how: How::Not, before: tokens, after: tokens, text: None, transforms: Vec::new(), id: None }
    }
}

/// What a text is to become.
#[derive(Clone, Copy, Debug)]
pub struct Goal<'a> {
    /// Tokens it may have.
    pub allowance: Option<u32>,
    pub query: &'a Query,
    /// Whether the original can be had back: the marker says so.
    pub reversible: bool,
}

/// A part of the text.
struct Part<'a> {
    text: &'a str,
    form: Option<Box<dyn Form + 'a>>,
    /// Where the lossless way is the shorter one.
    lossless: Option<String>,
    /// Tokens that it saves.
    saved: u32,
}

impl<'a> Part<'a> {
    /// Understands a section; its tokens are estimated unless they are known, and only if something may be saved.
    fn new(kind: kind::Kind, text: &'a str, tokens: Option<u32>) -> Self {
        let form = kind::understand(kind, text, 0);
        let mut part = Self { text, form, lossless: None, saved: 0 };
        if let Some(form) = &part.form {
            let mut written = String::with_capacity(text.len() / 2);
            form.write(Kept::All, &mut written);
            if written.len() >= text.len() {
                return part;
            }
            let before = tokens.unwrap_or_else(|| tokens::estimate(text) as u32);
            let saved = before.saturating_sub(tokens::estimate(&written) as u32);
            if saved > 0 {
                (part.lossless, part.saved) = (Some(written), saved);
            }
        }
        part
    }

    fn lossless(&self) -> &str {
        self.lossless.as_deref().unwrap_or(self.text)
    }

    /// With a form that can leave units out.
    fn in_units(self) -> (Box<dyn Form + 'a>, Whole<'a>) {
        let whole = self.lossless.map_or(Whole::AsItWas(self.text), Whole::Written);
        let form = self.form.filter(|form| !form.is_empty());
        (form.unwrap_or_else(|| Box::new(Plain::new(self.text))), whole)
    }
}

/// A part of which nothing is left out.
enum Whole<'a> {
    AsItWas(&'a str),
    Written(String),
}

/// A part in units.
struct Divided<'a> {
    form: Box<dyn Form + 'a>,
    whole: Whole<'a>,
    /// Its units among those of the text.
    units: Range<usize>,
}

impl Divided<'_> {
    fn write(&self, kept: &[bool], out: &mut String) {
        let kept = Kept::Some(kept).part(self.units.clone());
        if !kept.is_all() {
            return self.form.write(kept, out);
        }
        match &self.whole {
            Whole::AsItWas(text) => out.push_str(text),
            Whole::Written(text) => out.push_str(text),
        }
    }
}

/// Shortens a text of `before` tokens.
///
/// # Errors
///
/// When interrupted.
pub fn shorten(text: &str, before: u32, goal: Goal<'_>, cancel: &CancelToken) -> Result<Shortened, Error> {
    let clean = noise::clean(text);
    let is_clean = matches!(clean, Cow::Borrowed(_));
    let tokens = if is_clean { before } else { tokens::estimate(&clean) as u32 };
    let sections = kind::sections(&clean);
    let known = (sections.len() == 1).then_some(tokens);
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(sections.len());
    for section in sections {
        cancel.check()?;
        parts.push(Part::new(section.kind, &clean[section.range], known));
    }
    cancel.check()?;
    let lossless = without_loss(&parts, before, tokens);
    let Some(allowance) = goal.allowance.filter(|allowance| lossless.after > *allowance) else {
        return Ok(noted(lossless, is_clean));
    };
    let lossy = with_loss(text, parts, allowance, goal, cancel)?;
    let gained = lossless.after.saturating_sub(lossy.after);
    Ok(if lossy.text.is_some() && pays(gained, lossless.after) {
        noted(Shortened { before, ..lossy }, is_clean)
    } else {
        noted(lossless, is_clean)
    })
}

/// Adds that noise was dropped, unless the text was clean.
fn noted(mut shortened: Shortened, is_clean: bool) -> Shortened {
    if shortened.text.is_some() && !is_clean {
        shortened.transforms.insert(0, "noise");
    }
    shortened
}

fn pays(gained: u32, before: u32) -> bool {
    gained >= LEAST_TOKENS && gained as f32 >= LEAST_PART * before as f32
}

fn add_transforms(to: &mut Vec<&'static str>, form: &dyn Form) {
    for name in form.transforms() {
        if !to.contains(name) {
            to.push(name);
        }
    }
}

/// The parts, of `tokens` tokens together, as they are when nothing is left out.
fn without_loss(parts: &[Part<'_>], before: u32, tokens: u32) -> Shortened {
    let after = tokens.saturating_sub(parts.iter().map(|part| part.saved).sum());
    if !pays(before.saturating_sub(after), before) {
        return Shortened::not(before);
    }
    let mut transforms = Vec::new();
    let mut text = String::with_capacity(parts.iter().map(|part| part.lossless().len()).sum());
    for part in parts {
        text.push_str(part.lossless());
        if let (Some(form), Some(_)) = (&part.form, &part.lossless) {
            add_transforms(&mut transforms, &**form);
        }
    }
    Shortened { how: How::Lossless, before, after, text: Some(text.into()), transforms, id: None }
}

fn with_loss<'a>(
    text: &'a str,
    parts: Vec<Part<'a>>,
    allowance: u32,
    goal: Goal<'_>,
    cancel: &CancelToken,
) -> Result<Shortened, Error> {
    let (divided, units) = divide(parts, goal.query, (allowance / 2).max(MOST_FOR_SURE), cancel)?;
    let id = goal.reversible.then(|| Id::of(text));
    let mut budget = allowance;
    let mut best: Option<(u32, String)> = None;
    for _ in 0..ATTEMPTS {
        let kept = select::select(&units, budget, cancel)?;
        let left_out = kept.iter().filter(|kept| !**kept).count();
        if left_out == 0 {
            break;
        }
        let mut written = String::new();
        for part in &divided {
            part.write(&kept, &mut written);
        }
        marker::close(&mut written, id, left_out, kept.len());
        cancel.check()?;
        let after = tokens::estimate(&written) as u32;
        let too_much = after.saturating_sub(allowance);
        if best.as_ref().is_none_or(|(least, _)| after < *least) {
            best = Some((after, written));
        }
        if too_much <= allowance / 10 || budget == 0 {
            break;
        }
        budget = budget.saturating_sub(too_much.max(budget / 4));
    }
    let Some((after, text)) = best else { return Ok(Shortened::not(u32::MAX)) };
    let mut transforms = Vec::new();
    for part in &divided {
        add_transforms(&mut transforms, &*part.form);
    }
    Ok(Shortened { how: How::Lossy, before: 0, after, text: Some(text.into()), transforms, id })
}

/// The parts in units, and all their units, weighed. None that costs more than `most` is kept whatever the budget.
fn divide<'a>(
    parts: Vec<Part<'a>>,
    query: &Query,
    most: u32,
    cancel: &CancelToken,
) -> Result<(Vec<Divided<'a>>, Vec<Unit>), Error> {
    let mut divided = Vec::with_capacity(parts.len());
    let mut units: Vec<Unit> = Vec::new();
    let mut group = 0u32;
    for part in parts {
        cancel.check()?;
        let (form, whole) = part.in_units();
        let mut weighed = form.weigh(query, cancel)?;
        // Groups are a form's own.
        let groups = weighed.iter().map(|unit| unit.group).max().map_or(0, |last| last.wrapping_add(1));
        for unit in &mut weighed {
            unit.group = unit.group.wrapping_add(group);
            // What would take all there is, whatever it says, has to stand in line.
            unit.must &= unit.cost <= most;
        }
        group = group.wrapping_add(groups);
        divided.push(Divided { form, whole, units: units.len()..units.len() + weighed.len() });
        units.append(&mut weighed);
    }
    Ok((divided, units))
}

#[cfg(test)]
mod tests;
