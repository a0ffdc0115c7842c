//! The tokens of texts, by a model's own tokenizer.
//!
//! The library that reads `tokenizer.json` gives what the models were made with. It is also slow, so texts are cut where that changes nothing
//! ([`Cuts`]), and the tokens of short pieces, which are mostly words, are remembered. Where it may be cut depends on the tokenizer:
//!
//! - BERT's drops white space and looks at words alone: where white space begins.
//! - Llama's merges pairs of tokens all over the text. What no token has side by side is never merged: there.
//! - Others are asked for the whole text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use memchr::memmem::Finder;
use tokenizers::{
    Model as _, ModelWrapper, NormalizedString, Normalizer, NormalizerWrapper, PreTokenizerWrapper, Tokenizer,
};

use super::Why;
use super::pieces::{Cuts, Pairs};

/// A tokenizer of 300,000 tokens has 30 MB.
const LARGEST_FILE: u64 = 256 << 20;
/// Bytes of a piece that is remembered, and how many are, at most.
const LONGEST_WORD: usize = 48;
const MOST_WORDS: usize = 1 << 15;
/// What Llama's tokenizer has for a blank.
const BLANK: &str = "\u{2581}";

pub struct Tokens {
    tokenizer: Tokenizer,
    cuts: Cuts,
    /// What stands for a token of its own in a text, with [`Cuts::Pairs`].
    added: Vec<Finder<'static>>,
}

/// The tokens of pieces that were there before.
#[derive(Default)]
pub struct Known {
    words: HashMap<Box<str>, (u32, u32)>,
    ids: Vec<u32>,
    /// Those of a piece that is not remembered.
    latest: Vec<u32>,
}

/// A text, and how it is cut.
pub struct Cut<'a> {
    text: Cow<'a, str>,
    cuts: &'a Cuts,
}

impl Cut<'_> {
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        self.cuts.pieces(&self.text)
    }
}

impl Tokens {
    pub fn open(path: &Path) -> Result<Self, Why> {
        let failed = |why: &dyn std::fmt::Display| format!("{} is damaged: {why}", path.display());
        let unread = |error: std::io::Error| format!("{}: {error}", path.display());
        if fs::metadata(path).map_err(unread)?.len() > LARGEST_FILE {
            return Err(failed(&"it is too large"));
        }
        let file = fs::read(path).map_err(unread)?;
        let mut tokenizer = Tokenizer::from_bytes(file).map_err(|error| failed(&error))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| failed(&error))?;
        // Its memory of words would belong to threads, and outlive the model.
        let mut model = tokenizer.get_model().clone();
        model.resize_cache(0);
        tokenizer.with_model(model);
        tokenizer.encode_fast("Whether it works: 1 é 你好 😀\n", false).map_err(|error| failed(&error))?;
        let cuts = cuts_of(&tokenizer);
        let added = match cuts {
            Cuts::Pairs(_) => tokenizer.get_added_tokens_decoder().into_values().collect(),
            _ => Vec::new(),
        };
        let added = added.iter().map(|token| Finder::new(&token.content).into_owned()).collect();
        Ok(Self { tokenizer, cuts, added })
    }

    /// The token for what the vocabulary has no word for.
    pub fn unknown(&self) -> Option<u32> {
        let token = match self.tokenizer.get_model() {
            ModelWrapper::WordPiece(model) => &model.unk_token,
            ModelWrapper::WordLevel(model) => &model.unk_token,
            ModelWrapper::BPE(model) => model.unk_token.as_ref()?,
            ModelWrapper::Unigram(_) => return None,
        };
        self.tokenizer.token_to_id(token)
    }

    pub fn cut<'a>(&'a self, text: &'a str) -> Cut<'a> {
        let has_added = |text: &str| self.added.iter().any(|added| added.find(text.as_bytes()).is_some());
        match self.cuts {
            _ if text.is_empty() => Cut { text: Cow::Borrowed(text), cuts: &Cuts::None },
            Cuts::Pairs(_) if has_added(text) => Cut { text: Cow::Borrowed(text), cuts: &Cuts::None },
            // The blank that is put before a text.
            Cuts::Pairs(_) => Cut { text: Cow::Owned(format!(" {text}")), cuts: &self.cuts },
            _ => Cut { text: Cow::Borrowed(text), cuts: &self.cuts },
        }
    }

    /// The tokens of a piece of a cut text.
    pub fn ids<'a>(&self, cut: &Cut<'_>, piece: &str, known: &'a mut Known) -> Result<&'a [u32], Why> {
        let is_word = !matches!(cut.cuts, Cuts::None) && piece.len() <= LONGEST_WORD;
        if is_word && let Some(&(start, end)) = known.words.get(piece) {
            return Ok(&known.ids[start as usize..end as usize]);
        }
        known.latest.clear();
        if let Cuts::Pairs(_) = cut.cuts {
            let tokens = self.tokenizer.get_model().tokenize(&piece.replace(' ', BLANK));
            known.latest.extend(tokens.map_err(|error| error.to_string())?.iter().map(|token| token.id));
        } else {
            let encoding = self.tokenizer.encode_fast(piece, false);
            known.latest.extend_from_slice(encoding.map_err(|error| error.to_string())?.get_ids());
        }
        if is_word {
            known.remember(piece);
        }
        Ok(&known.latest)
    }
}

impl Known {
    /// Keeps the latest tokens as those of a piece.
    fn remember(&mut self, piece: &str) {
        if self.words.len() == MOST_WORDS {
            self.words.clear();
            self.ids.clear();
        }
        let start = self.ids.len() as u32;
        self.ids.extend_from_slice(&self.latest);
        self.words.insert(piece.into(), (start, self.ids.len() as u32));
    }
}

fn cuts_of(tokenizer: &Tokenizer) -> Cuts {
    let added = tokenizer.get_added_tokens_decoder();
    if let Some(pre) = tokenizer.get_pre_tokenizer() {
        let parts_at_spaces = matches!(
            pre,
            PreTokenizerWrapper::BertPreTokenizer(_)
                | PreTokenizerWrapper::Whitespace(_)
                | PreTokenizerWrapper::WhitespaceSplit(_)
        );
        let is_local = tokenizer.get_normalizer().is_none_or(leaves_spaces);
        let within_words = added.values().all(|token| !token.content.contains(char::is_whitespace));
        return if parts_at_spaces && is_local && within_words { Cuts::Spaces } else { Cuts::None };
    }
    let ModelWrapper::BPE(model) = tokenizer.get_model() else { return Cuts::None };
    let merges_only = model.dropout.is_none_or(|rate| rate == 0.0)
        && model.continuing_subword_prefix.is_none()
        && model.end_of_word_suffix.is_none()
        && !model.ignore_merges
        && (model.byte_fallback || !model.fuse_unk);
    let vocabulary = tokenizer.get_vocab(false);
    // The tokens of single bytes would be merged as bytes, not as what they are called.
    let bytes_stay = vocabulary.keys().all(|token| !token.contains("<0x") || token.len() == "<0x00>".len());
    let as_they_are = added.values().all(|token| !token.normalized);
    let is_llama = tokenizer.get_normalizer().is_some_and(only_marks_blanks);
    if !(merges_only && bytes_stay && as_they_are && is_llama) {
        return Cuts::None;
    }
    let tokens: Vec<String> = vocabulary.keys().map(|token| token.replace(BLANK, " ")).collect();
    Cuts::Pairs(Pairs::of(tokens.iter().map(String::as_str)))
}

/// Whether what a normalizer does to a text is what it does to its words.
fn leaves_spaces(normalizer: &NormalizerWrapper) -> bool {
    match normalizer {
        NormalizerWrapper::Sequence(several) => several.as_ref().iter().all(leaves_spaces),
        NormalizerWrapper::BertNormalizer(_)
        | NormalizerWrapper::StripAccents(_)
        | NormalizerWrapper::NFC(_)
        | NormalizerWrapper::NFD(_)
        | NormalizerWrapper::NFKC(_)
        | NormalizerWrapper::NFKD(_)
        | NormalizerWrapper::Lowercase(_) => true,
        _ => false,
    }
}

/// Whether a normalizer puts [`BLANK`] before a text and in place of each blank, and does nothing else.
fn only_marks_blanks(normalizer: &NormalizerWrapper) -> bool {
    let NormalizerWrapper::Sequence(several) = normalizer else { return false };
    let [NormalizerWrapper::Prepend(_), NormalizerWrapper::Replace(_)] = several.as_ref() else {
        return false;
    };
    let sample: String = (0..128u8).map(char::from).chain("  é  ".chars()).collect();
    let mut text = NormalizedString::from(sample.as_str());
    normalizer.normalize(&mut text).is_ok() && text.get() == format!(" {sample}").replace(' ', BLANK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::cell::RefCell;

    fn open(tokenizer: &Value) -> Tokens {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        fs::write(&path, tokenizer.to_string()).unwrap();
        Tokens::open(&path).unwrap()
    }

    fn added(contents: &[&str]) -> Value {
        let token = |(id, content): (usize, &&str)| json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true });
        contents.iter().enumerate().map(token).collect()
    }

    /// A vocabulary in which every token is made of two before it, so that merges meet each other.
    fn llama() -> Value {
        let mut tokens: Vec<String> = ["<unk>", "<s>", BLANK, "a", "b", "c", "é"].map(str::to_owned).to_vec();
        tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
        let mut merges = Vec::new();
        for (left, right) in [
            (BLANK, "a"),
            ("b", "c"),
            ("a", "b"),
            ("ab", "c"),
            (BLANK, BLANK),
            ("\u{2581}a", "bc"),
            ("c", "a"),
            ("é", "é"),
            ("ca", "é"),
        ] {
            merges.push(format!("{left} {right}"));
            tokens.push(format!("{left}{right}"));
        }
        let vocabulary: Value =
            tokens.iter().enumerate().map(|(id, token)| (token.clone(), json!(id))).collect();
        json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added(&["<unk>", "<s>"]),
            "normalizer": { "type": "Sequence", "normalizers": [
                { "type": "Prepend", "prepend": BLANK },
                { "type": "Replace", "pattern": { "String": " " }, "content": BLANK },
            ] },
            "pre_tokenizer": null, "post_processor": null, "decoder": null,
            "model": { "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null, "end_of_word_suffix": null,
                "fuse_unk": true, "byte_fallback": true, "ignore_merges": false, "vocab": vocabulary, "merges": merges },
        })
    }

    fn bert() -> Value {
        let tokens = ["[UNK]", "a", "b", "ab", "##b", "##c", "é", ",", "##é"];
        let vocabulary: Value =
            tokens.iter().enumerate().map(|(id, token)| ((*token).to_owned(), json!(id))).collect();
        json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added(&["[UNK]"]),
            "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true },
            "pre_tokenizer": { "type": "BertPreTokenizer" }, "post_processor": null, "decoder": null,
            "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary },
        })
    }

    fn agrees(tokens: &Tokens, known: &mut Known, text: &str) {
        let cut = tokens.cut(text);
        let ids: Vec<u32> =
            cut.pieces().flat_map(|piece| tokens.ids(&cut, piece, known).unwrap().to_vec()).collect();
        assert_eq!(ids, tokens.tokenizer.encode_fast(text, false).unwrap().get_ids(), "{text:?}");
    }

    #[test]
    fn pieces_have_the_tokens_of_the_text() {
        let (llama, bert) = (open(&llama()), open(&bert()));
        assert!(matches!(llama.cuts, Cuts::Pairs(_)) && matches!(bert.cuts, Cuts::Spaces));
        let known = [Known::default(), Known::default()].map(RefCell::new);
        let text = prop::collection::vec(
            prop::sample::select(vec![
                "a", "b", "c", " ", "  ", "é", "e\u{301}", BLANK, "<s>", "[UNK]", "\n", "x", "你", "😀", ",",
            ]),
            0..40,
        );
        proptest!(|(parts in text)| {
            agrees(&llama, &mut known[0].borrow_mut(), &parts.concat());
            agrees(&bert, &mut known[1].borrow_mut(), &parts.concat());
        });
    }

    #[test]
    fn what_may_not_be_cut_is_not() {
        let changed = |pointer: &str, value: Value| {
            let mut tokenizer = llama();
            *tokenizer.pointer_mut(pointer).unwrap() = value;
            matches!(open(&tokenizer).cuts, Cuts::None)
        };
        assert!(changed("/model/ignore_merges", json!(true)));
        assert!(changed("/model/byte_fallback", json!(false)), "unknown characters are joined");
        assert!(changed("/normalizer", json!({ "type": "Prepend", "prepend": BLANK })));
        assert!(changed("/normalizer/normalizers/1/pattern", json!({ "Regex": " +" })));
        assert!(changed("/normalizer/normalizers/0", json!({ "type": "Lowercase" })));
        assert!(changed("/added_tokens/1/normalized", json!(true)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut known = Known { latest: vec![1, 2], ..Known::default() };
        for number in 0..MOST_WORDS + 10 {
            known.remember(&number.to_string());
        }
        assert_eq!((known.words.len(), known.ids.len()), (10, 20));
        assert_eq!(known.words[(MOST_WORDS + 9).to_string().as_str()], (18, 20));
    }
}
