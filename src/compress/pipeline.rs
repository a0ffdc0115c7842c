//! A conversation's texts, one after the other.
//!
//! What becomes of a text depends on the text, what led to it and what came before it, never on what follows: a
//! provider's prompt cache goes by the beginning of a conversation.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::content::{self, Id};
use super::options::Options;
use super::query::Query;
use super::shorten::{Goal, How, Shortened, shorten};
use super::store::Store;
use super::tokens::Encoding;
use super::{budget, cache, marker, tokens};
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};

/// How often a conversation is shortened toward its budget: what must be kept does not fit at once.
const ROUNDS: usize = 4;

/// What a text is in its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Part of the conversation that stays as it is.
    Count,
    /// A tool's result.
    Result,
    /// What the assistant said.
    Said,
    /// One of these two, but it cannot be read: lone surrogates have no UTF-8.
    Unreadable,
    /// Not counted: it is here for others' queries.
    Aside,
}

/// A text of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    pub text: &'a str,
    pub purpose: Purpose,
    /// The message that it is in.
    pub message: u32,
    /// The texts that led to it: the user's, and the tool call.
    pub led_by: [Option<u32>; 2],
}

/// What came before the first piece.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Keys of texts, and their messages.
    pub texts: Vec<(u64, u32)>,
    /// Ids that markers have.
    pub ids: Vec<Id>,
}

/// What was done to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Kept,
    Lossless,
    Lossy,
    /// It came before, and is referred to.
    Repeated,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing could be done to it.
    Protected,
    Short,
    Unreadable,
    /// Nothing was to be gained.
    NoGain,
    /// It ends with a marker.
    Marked,
    /// It is what was retrieved.
    Retrieved,
    Deadline,
    Failed(String),
    Transforms(Vec<&'static str>),
    Repeated,
}

/// What became of a text.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub action: Action,
    pub reason: Reason,
    pub before: u32,
    pub after: u32,
    pub text: Option<Arc<str>>,
    /// Of a text that others may repeat; 0 where none may.
    pub key: u64,
    pub id: Option<Id>,
}

impl Outcome {
    fn kept(reason: Reason, tokens: u32) -> Self {
        Self { action: Action::Kept, reason, before: tokens, after: tokens, text: None, key: 0, id: None }
    }

    /// Whether its text may be shortened further.
    fn is_pliable(&self, purpose: Purpose) -> bool {
        matches!(purpose, Purpose::Result | Purpose::Said)
            && match self.action {
                Action::Lossless | Action::Lossy => true,
                Action::Kept => self.reason == Reason::NoGain,
                Action::Repeated => false,
            }
    }

    fn of(shortened: &Shortened, key: u64) -> Self {
        let Shortened { how, before, after, .. } = *shortened;
        let (action, reason) = match how {
            How::Not => (Action::Kept, Reason::NoGain),
            How::Lossless => (Action::Lossless, Reason::Transforms(shortened.transforms.clone())),
            How::Lossy => (Action::Lossy, Reason::Transforms(shortened.transforms.clone())),
        };
        // What lost something for one question may have what another one asks for.
        let key = if how == How::Lossy { 0 } else { key };
        Self { action, reason, before, after, text: shortened.text.clone(), key, id: shortened.id }
    }
}

/// A conversation's work.
#[derive(Debug)]
pub struct Pipeline<'a> {
    pieces: &'a [Piece<'a>],
    options: &'a Options,
    store: &'a Store,
    cancel: CancelToken,
    now: Instant,
    /// Texts met, by key: the message each was in.
    met: HashMap<u64, u32>,
    ids: Vec<Id>,
    /// The query of the texts that led to the last text, which those are.
    query: (Option<[Option<u32>; 2]>, Query),
}

/// Shortens the pieces of a conversation.
///
/// # Errors
///
/// When interrupted: the deadline of the options is no interruption.
pub fn run(
    pieces: &[Piece<'_>],
    before: Before,
    options: &Options,
    store: &Store,
    cancel: &CancelToken,
) -> Result<Vec<Outcome>, Error> {
    let pipeline = Pipeline {
        pieces,
        options,
        store,
        cancel: options.deadline.map_or_else(|| cancel.clone(), |deadline| cancel.until(deadline)),
        now: Instant::now(),
        met: before.texts.into_iter().collect(),
        ids: before.ids,
        query: (None, Query::default()),
    };
    let token = pipeline.cancel.clone();
    token.scope(|| pipeline.run(cancel))
}

impl Pipeline<'_> {
    fn run(mut self, cancel: &CancelToken) -> Result<Vec<Outcome>, Error> {
        let mut outcomes = Vec::with_capacity(self.pieces.len());
        for piece in self.pieces {
            cancel.check()?;
            let outcome = or_kept(self.piece(piece), piece, cancel)?;
            if outcome.key != 0 {
                self.met.entry(outcome.key).or_insert(piece.message);
            }
            self.ids.extend(outcome.id);
            outcomes.push(outcome);
        }
        if let Some(budget) = self.options.token_budget {
            self.fit(&mut outcomes, budget, cancel)?;
        }
        if let Some(encoding) = self.options.exact {
            self.count_exactly(&mut outcomes, encoding, cancel)?;
        }
        Ok(outcomes)
    }

    fn piece(&mut self, piece: &Piece<'_>) -> Result<Outcome, Error> {
        let text = piece.text;
        self.cancel.check()?;
        match piece.purpose {
            Purpose::Aside => return Ok(Outcome::kept(Reason::Protected, 0)),
            Purpose::Count => return Ok(Outcome::kept(Reason::Protected, tokens::estimate(text) as u32)),
            Purpose::Unreadable => {
                return Ok(Outcome::kept(Reason::Unreadable, tokens::estimate(text) as u32));
            }
            Purpose::Result | Purpose::Said => {}
        }
        let before = tokens::estimate(text) as u32;
        // An estimate that was interrupted is none.
        self.cancel.check()?;
        if before < self.options.min_tokens {
            return Ok(Outcome::kept(Reason::Short, before));
        }
        if marker::is_marked(text) {
            return Ok(Outcome { id: marker::id(text), ..Outcome::kept(Reason::Marked, before) });
        }
        if self.is_retrieved(piece) {
            return Ok(Outcome::kept(Reason::Retrieved, before));
        }
        let key = content::key(text);
        self.cancel.check()?;
        if let Some(message) = self.met.get(&key) {
            let text = marker::repeat(piece.message.saturating_sub(*message) as usize, text.trim_start());
            let after = tokens::estimate(&text) as u32;
            if after < before {
                let text = Some(text.into());
                let (action, reason) = (Action::Repeated, Reason::Repeated);
                return Ok(Outcome { action, reason, before, after, text, key: 0, id: None });
            }
        }
        let shortened = self.shortened(piece, key, before, budget::allowance(before, self.options))?;
        Ok(Outcome::of(&shortened, key))
    }

    /// Shortens texts further until all of them have no more tokens than `budget`, as far as that can be.
    fn fit(&mut self, outcomes: &mut [Outcome], budget: u64, cancel: &CancelToken) -> Result<(), Error> {
        let mut target = budget;
        for _ in 0..ROUNDS {
            let total: u64 = outcomes.iter().map(|outcome| u64::from(outcome.after)).sum();
            let pliable: Vec<usize> =
                (0..outcomes.len()).filter(|at| outcomes[*at].is_pliable(self.pieces[*at].purpose)).collect();
            if total <= budget || pliable.is_empty() {
                break;
            }
            let texts: Vec<(u32, u32)> =
                pliable.iter().map(|at| (outcomes[*at].before, outcomes[*at].after)).collect();
            let fixed = total - texts.iter().map(|text| u64::from(text.1)).sum::<u64>();
            let shares = budget::share(&texts, target.saturating_sub(fixed));
            for (at, share) in pliable.into_iter().zip(shares) {
                cancel.check()?;
                let (piece, outcome) = (&self.pieces[at], &outcomes[at]);
                if share >= outcome.after || self.cancel.check().is_err() {
                    continue;
                }
                let key = content::key(piece.text);
                if let Ok(shorter) = self.shortened(piece, key, outcome.before, Some(share))
                    && shorter.after < outcome.after
                {
                    outcomes[at] = Outcome::of(&shorter, key);
                }
            }
            let now: u64 = outcomes.iter().map(|outcome| u64::from(outcome.after)).sum();
            target = target.saturating_sub(now.saturating_sub(budget));
        }
        cancel.check()?;
        Ok(())
    }

    /// Counts what was estimated.
    fn count_exactly(
        &self,
        outcomes: &mut [Outcome],
        encoding: Encoding,
        cancel: &CancelToken,
    ) -> Result<(), Error> {
        for (piece, outcome) in self.pieces.iter().zip(outcomes) {
            if piece.purpose == Purpose::Aside {
                continue;
            }
            outcome.before = tokens::count(piece.text, encoding, cancel)?;
            outcome.after = match &outcome.text {
                Some(text) => tokens::count(text, encoding, cancel)?,
                None => outcome.before,
            };
        }
        Ok(())
    }

    /// From the cache, or made.
    fn shortened(
        &mut self,
        piece: &Piece<'_>,
        key: u64,
        before: u32,
        allowance: Option<u32>,
    ) -> Result<Arc<Shortened>, Error> {
        // Most texts are not too long: what led to them makes no difference.
        let may_lose = allowance.is_some_and(|allowance| before > allowance);
        let query_key = if may_lose { self.query_key(piece) } else { 0 };
        let allowed = u64::from(allowance.unwrap_or(u32::MAX));
        let place = content::join(&[key, query_key, allowed, u64::from(self.options.reversible)]);
        let found = if self.options.cache { cache::get(place, self.now) } else { None };
        let shortened = if let Some(found) = found {
            found
        } else {
            if may_lose {
                self.read_query(piece);
            }
            let goal = Goal { allowance, query: &self.query.1, reversible: self.options.reversible };
            let made = Arc::new(guarded(|| shorten(piece.text, before, goal, &self.cancel))?);
            // Interrupted work may have ended early without saying so.
            self.cancel.check()?;
            if self.options.cache {
                cache::put(place, &made, self.now);
            }
            made
        };
        if let Some(id) = shortened.id {
            self.store.put(id, piece.text)?;
        }
        Ok(shortened)
    }

    fn leading(&self, piece: &Piece<'_>) -> impl Iterator<Item = &str> {
        let texts = piece.led_by.map(|place| place.and_then(|place| self.pieces.get(place as usize)));
        texts.into_iter().flatten().map(|piece| piece.text)
    }

    fn query_key(&self, piece: &Piece<'_>) -> u64 {
        match &self.options.query {
            Some(query) => content::key(query),
            None => content::join(&self.leading(piece).map(content::key).collect::<Vec<_>>()),
        }
    }

    /// Makes the query of what led to a text the current one.
    fn read_query(&mut self, piece: &Piece<'_>) {
        let place = if self.options.query.is_some() { [None; 2] } else { piece.led_by };
        if self.query.0 != Some(place) {
            let text = match &self.options.query {
                Some(query) => query.clone(),
                None => self.leading(piece).collect::<Vec<_>>().join("\n"),
            };
            self.query = (Some(place), Query::new(&text));
        }
    }

    /// Whether a text is what a marker's id led to: the tool call has the id of a text that came before.
    fn is_retrieved(&self, piece: &Piece<'_>) -> bool {
        let [_, call] = piece.led_by;
        let Some(call) = call.and_then(|place| self.pieces.get(place as usize)) else { return false };
        !self.ids.is_empty() && ids_in(call.text).any(|id| self.ids.contains(&id))
    }
}

/// The outcome, or the text as it was where there is none: only an interruption of the whole is an error.
fn or_kept(
    outcome: Result<Outcome, Error>,
    piece: &Piece<'_>,
    cancel: &CancelToken,
) -> Result<Outcome, Error> {
    outcome.or_else(|error| {
        cancel.check()?;
        if piece.purpose == Purpose::Aside {
            return Ok(Outcome::kept(Reason::Protected, 0));
        }
        let late = error.kind == ErrorKind::TaskTimeout;
        let reason = if late { Reason::Deadline } else { Reason::Failed(error.message) };
        Ok(Outcome::kept(reason, tokens::rough(piece.text)))
    })
}

/// All that looks like an id.
fn ids_in(text: &str) -> impl Iterator<Item = Id> + '_ {
    text.split(|c: char| !c.is_ascii_hexdigit()).filter_map(Id::parse)
}

/// A strategy that panics costs its text, not the conversation.
fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        // The payload's drop may panic in turn.
        std::mem::forget(payload);
        Err(Error::new(ErrorKind::TaskPanic, format!("panicked: {text}")))
    })
}
