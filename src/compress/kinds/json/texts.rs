//! Texts within JSON: long strings, and strings that are JSON themselves, understood like any text.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::notation;
use super::plan::{Owner, Plan};
use super::tree::{Id, Kind, Tree};
use crate::cancel::{self, CancelToken};
use crate::compress::form::{Form, Kept, Unit};
use crate::compress::kind;
use crate::compress::plain::Plain;
use crate::compress::query::Query;
use crate::compress::tokens;
use crate::error::Error;

/// Bytes of a string that is a text with units of its own.
pub const LONG: usize = 1200;
/// Bytes of a string that may be JSON.
pub const SHORT: usize = 60;
/// Texts that may lie one in another.
const MAX_DEPTH: usize = 4;
/// Texts of one value that are understood.
const MOST: usize = 4096;

/// Stands around a text that is written as it is.
pub const FENCE: &str = "\"\"\"";
/// Before the fence of a text that was JSON.
pub const JSON: &str = "json";

/// A string that is a text.
pub struct Text {
    pub owner: Owner,
    /// Dropped before the text that they borrow from.
    parts: Vec<Part<'static>>,
    /// The first unit and how many there are.
    pub units: Range<usize>,
    pub is_json: bool,
    /// What the parts borrow from.
    _memory: Arc<str>,
}

/// A section.
struct Part<'a> {
    text: &'a str,
    form: Option<Box<dyn Form + 'a>>,
}

/// All of a value, by their nodes.
#[derive(Default)]
pub struct Texts {
    pub list: Vec<Text>,
    places: HashMap<Id, u32>,
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.list.iter().map(|text| &text.units)).finish()
    }
}

impl Texts {
    /// Understands the strings that the plan has found, and counts their units behind those of the lists.
    pub fn new(tree: &Tree<'_>, plan: &mut Plan, depth: usize) -> Self {
        let mut texts = Self::default();
        if depth >= MAX_DEPTH {
            return texts;
        }
        for (id, owner) in std::mem::take(&mut plan.strings) {
            if texts.list.len() >= MOST || cancel::is_interrupted() {
                break;
            }
            if let Some(mut text) = Text::new(tree, id, owner, depth) {
                text.units = plan.units..plan.units + text.units.len();
                plan.units = text.units.end;
                texts.places.insert(id, texts.list.len() as u32);
                texts.list.push(text);
            }
        }
        texts
    }

    pub fn at(&self, id: Id) -> Option<&Text> {
        if self.list.is_empty() {
            return None;
        }
        self.places.get(&id).map(|place| &self.list[*place as usize])
    }

    pub fn weigh(&self, query: &Query, cancel: &CancelToken, units: &mut [Unit]) -> Result<(), Error> {
        for (place, text) in self.list.iter().enumerate() {
            let mut at = text.units.start;
            for part in text.parts.iter().filter(|_| !text.units.is_empty()) {
                let Some(form) = &part.form else { continue };
                for unit in form.weigh(query, cancel)? {
                    let group = (unit.group ^ place as u32).wrapping_mul(0x9e37_79b1);
                    units[at] = Unit { group, ..unit };
                    at += 1;
                }
            }
        }
        Ok(())
    }
}

impl Text {
    fn new(tree: &Tree<'_>, id: Id, owner: Owner, depth: usize) -> Option<Self> {
        let Kind::String { escapes } = tree.node(id).kind else { return None };
        let literal = tree.literal(id);
        let text: Arc<str> = if escapes { notation::unescape(literal)?.into() } else { Arc::from(literal) };
        let is_long = text.len() >= LONG;
        // SAFETY: the allocation of an `Arc` stays where it is, and the parts that borrow from it are dropped before it,
        // as fields are in their order; they leave this struct only with its own lifetime.
        let borrowed: &'static str = unsafe { &*std::ptr::from_ref::<str>(&text) };
        let json =
            if borrowed.starts_with(['{', '[']) { super::understand(borrowed, depth + 1) } else { None };
        let is_json = json.is_some();
        let mut parts = Vec::new();
        if is_json {
            parts.push(Part { text: borrowed, form: json });
        } else if is_long {
            for section in kind::sections(borrowed) {
                let text = &borrowed[section.range];
                parts.push(Part { text, form: kind::understand(section.kind, text, depth + 1) });
            }
        } else {
            return None;
        }
        if is_long {
            for part in &mut parts {
                if part.form.as_ref().is_none_or(|form| form.is_empty()) && !is_json {
                    part.form = Some(Box::new(Plain::new(part.text)));
                }
            }
        }
        let count = if is_long {
            parts.iter().filter_map(|part| part.form.as_ref()).map(|form| form.len()).sum()
        } else {
            0
        };
        Some(Self { owner, parts, units: 0..count, is_json, _memory: text })
    }

    /// Writes it, if that can be told from other values; else it is to be written as a string.
    pub fn write(&self, kept: Kept<'_>, out: &mut String) -> bool {
        let start = out.len();
        if self.is_json {
            out.push_str(JSON);
        }
        out.push_str(FENCE);
        let body = out.len();
        let mut at = self.units.start;
        for part in &self.parts {
            let Some(form) = &part.form else {
                out.push_str(part.text);
                continue;
            };
            let units = at..at + if self.units.is_empty() { 0 } else { form.len() };
            at = units.end;
            let kept = if units.is_empty() { Kept::All } else { kept.part(units) };
            let before = out.len();
            form.write(kept, out);
            let is_shorter = self.is_json
                || !kept.is_all()
                || tokens::estimate(&out[before..]) < tokens::estimate(part.text);
            if !is_shorter {
                out.truncate(before);
                out.push_str(part.text);
            }
        }
        let text = &out[body..];
        if text.contains(FENCE) || text.ends_with('"') {
            out.truncate(start);
            return false;
        }
        out.push_str(FENCE);
        true
    }
}
