//! What became of a conversation's texts, in the form that `lib/compress/` reads.

use std::borrow::Cow;

use super::pipeline::{Action, Outcome, Reason};
use crate::json::write::JsText;
use crate::memory;

/// Words for each text, see [`Report::figures`].
pub const WORDS: usize = 11;

/// Units of a block of short texts. Texts cut out of one JS string keep all of it alive.
const BLOCK: usize = 32 << 10;

impl Reason {
    /// In a user's words.
    pub fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Protected => "protected".into(),
            Self::Short => "short".into(),
            Self::Unreadable => "lone surrogates".into(),
            Self::NoGain => "nothing to gain".into(),
            Self::Marked => "compressed before".into(),
            Self::Retrieved => "retrieved".into(),
            Self::Deadline => "deadline".into(),
            Self::Failed(message) => format!("failed: {message}").into(),
            Self::Transforms(names) => names.join(", ").into(),
            Self::Repeated => "repeats an earlier text".into(),
        }
    }
}

impl Outcome {
    /// What was done.
    pub fn transforms(&self) -> &[&'static str] {
        match &self.reason {
            Reason::Transforms(names) => names,
            Reason::Repeated => &["repeat"],
            _ => &[],
        }
    }
}

/// All of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Of each text: its action; the place of its reason in `names`; tokens before and after; its block, from 1, or 0
    /// where it stays as it is, and there its first unit and length; its key and its id, lower half first.
    pub figures: Vec<u32>,
    /// The new texts, short ones several to a block.
    pub blocks: Vec<JsText>,
    /// Reasons.
    pub names: Vec<Cow<'static, str>>,
    /// What was done.
    pub transforms: Vec<&'static str>,
    /// The open blocks.
    narrow: Option<usize>,
    wide: Option<usize>,
}

impl Report {
    pub fn new(outcomes: &[Outcome]) -> Self {
        let mut report = Self { figures: Vec::with_capacity(outcomes.len() * WORDS), ..Self::default() };
        let mut reasons: Vec<&Reason> = Vec::new();
        for outcome in outcomes {
            let known = reasons.iter().position(|reason| **reason == outcome.reason);
            let reason = known.unwrap_or_else(|| {
                reasons.push(&outcome.reason);
                report.names.push(outcome.reason.text());
                reasons.len() - 1
            });
            report.add_transforms(outcome);
            let (block, start, length) =
                outcome.text.as_deref().map_or((0, 0, 0), |text| report.add_text(text));
            let (key, id) = (outcome.key, outcome.id.map_or(0, |id| id.0));
            let action = outcome.action as u32;
            report.figures.extend([
                action,
                reason as u32,
                outcome.before,
                outcome.after,
                block,
                start,
                length,
            ]);
            report.figures.extend([key as u32, (key >> 32) as u32, id as u32, (id >> 32) as u32]);
        }
        report
    }

    fn add_transforms(&mut self, outcome: &Outcome) {
        for name in outcome.transforms() {
            if !self.transforms.contains(name) {
                self.transforms.push(name);
            }
        }
    }

    /// Its block from 1, its first unit there and its length.
    fn add_text(&mut self, text: &str) -> (u32, u32, u32) {
        if text.chars().all(|c| u32::from(c) < 0x100) {
            let at = self.block(self.narrow, text.len(), || JsText::Latin1(Vec::new()));
            self.narrow = Some(at);
            let JsText::Latin1(units) = &mut self.blocks[at] else { return (0, 0, 0) };
            let start = units.len();
            if text.is_ascii() {
                units.extend_from_slice(text.as_bytes());
            } else {
                units.extend(text.chars().map(|c| c as u8));
            }
            return (at as u32 + 1, start as u32, (units.len() - start) as u32);
        }
        let at = self.block(self.wide, text.len(), || JsText::Utf16(Vec::new()));
        self.wide = Some(at);
        let JsText::Utf16(units) = &mut self.blocks[at] else { return (0, 0, 0) };
        let start = units.len();
        units.extend(text.encode_utf16());
        (at as u32 + 1, start as u32, (units.len() - start) as u32)
    }

    /// The open block if it has room, or a new one.
    fn block(&mut self, open: Option<usize>, length: usize, new: impl FnOnce() -> JsText) -> usize {
        let used = open.map(|at| match &self.blocks[at] {
            JsText::Latin1(units) => units.len(),
            JsText::Utf16(units) => units.len(),
        });
        if let (Some(at), Some(used)) = (open, used)
            && used + length <= BLOCK
        {
            return at;
        }
        let room = length.max(BLOCK.min(length * 16));
        self.blocks.push(match new() {
            JsText::Latin1(_) => JsText::Latin1(memory::vector(room)),
            JsText::Utf16(_) => JsText::Utf16(memory::vector(room)),
        });
        self.blocks.len() - 1
    }
}

/// The actions by their number.
pub const ACTIONS: [(&str, Action); 4] = [
    ("kept", Action::Kept),
    ("lossless", Action::Lossless),
    ("lossy", Action::Lossy),
    ("repeated", Action::Repeated),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> Outcome {
        Outcome {
            action: Action::Lossless,
            reason: Reason::Transforms(vec!["table"]),
            before: 9,
            after: 8,
            text: Some(text.into()),
            key: 1 << 40 | 7,
            id: None,
        }
    }

    #[test]
    fn actions_are_numbered_in_order() {
        for (number, (_, action)) in ACTIONS.iter().enumerate() {
            assert_eq!(*action as usize, number);
        }
    }

    #[test]
    fn texts_are_where_the_figures_say() {
        let long = "x".repeat(BLOCK);
        let texts = ["plain", "naïve", "日本 😀", &long, "again", "日"];
        let report = Report::new(&texts.map(outcome));
        assert_eq!((report.names.len(), report.transforms.len()), (1, 1));
        for (text, figures) in texts.iter().zip(report.figures.chunks(WORDS)) {
            let (start, end) = (figures[5] as usize, (figures[5] + figures[6]) as usize);
            let found = match &report.blocks[figures[4] as usize - 1] {
                JsText::Latin1(units) => units[start..end].iter().map(|unit| *unit as char).collect(),
                JsText::Utf16(units) => String::from_utf16_lossy(&units[start..end]),
            };
            assert_eq!(found, *text);
            assert_eq!(figures[7..9], [7, 1 << 8]);
        }
        assert!(report.blocks.len() < texts.len());
    }
}
