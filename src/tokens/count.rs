//! Text to tokens, tokens to text.

use std::cell::RefCell;
use std::ops::ControlFlow;

use super::Encoding;
use super::pair::{self, Scratch};
use super::pieces::piece_end;
use super::vocabulary::{Vocabulary, vocabulary};
use crate::cancel::CancelToken;
use crate::error::{Error, ErrorKind};

/// Text between two looks at whether to go on.
const STRETCH: usize = 64 << 10;

/// The number of tokens in a text. What looks like a special token is text.
///
/// # Errors
///
/// When the vocabulary cannot be loaded.
pub fn count(text: &str, encoding: Encoding) -> Result<usize, Error> {
    Ok(count_up_to(text, encoding, usize::MAX, &CancelToken::new())?.unwrap_or(usize::MAX))
}

/// The number of tokens in a text unless they are more than `limit`; it stops there.
///
/// # Errors
///
/// When the vocabulary cannot be loaded, or when interrupted.
pub fn count_up_to(
    text: &str,
    encoding: Encoding,
    limit: usize,
    cancel: &CancelToken,
) -> Result<Option<usize>, Error> {
    let mut total = 0;
    let ended = each_piece(text, encoding, cancel, |tokens| {
        total += tokens.len();
        if total > limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(ended.then_some(total))
}

/// The tokens of a text.
///
/// # Errors
///
/// When the vocabulary cannot be loaded, or when interrupted.
pub fn encode(text: &str, encoding: Encoding, cancel: &CancelToken) -> Result<Vec<u32>, Error> {
    let mut all = Vec::with_capacity(text.len() / 4);
    each_piece(text, encoding, cancel, |tokens| {
        all.extend_from_slice(tokens);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

/// The bytes of tokens, which need not be UTF-8.
///
/// # Errors
///
/// When the vocabulary cannot be loaded, or has no such token.
pub fn decode(tokens: &[u32], encoding: Encoding) -> Result<Vec<u8>, Error> {
    let vocabulary = vocabulary(encoding)?;
    let mut bytes = Vec::with_capacity(tokens.len() * 4);
    for (index, &token) in tokens.iter().enumerate() {
        if token as usize >= vocabulary.len() {
            let message = format!("tokens[{index}] is {token}, and {} has no such token", encoding.name());
            return Err(Error::new(ErrorKind::InvalidArg, message));
        }
        bytes.extend_from_slice(vocabulary.token(token));
    }
    Ok(bytes)
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Hands over the tokens of each piece; whether it went to the end.
fn each_piece(
    text: &str,
    encoding: Encoding,
    cancel: &CancelToken,
    take: impl FnMut(&[u32]) -> ControlFlow<()>,
) -> Result<bool, Error> {
    let vocabulary = vocabulary(encoding)?;
    SCRATCH.with_borrow_mut(|scratch| match encoding {
        Encoding::O200k => pieces::<true>(text, vocabulary, cancel, scratch, take),
        Encoding::Cl100k => pieces::<false>(text, vocabulary, cancel, scratch, take),
    })
}

/// One copy per encoding, so that nothing asks for it per character.
fn pieces<const O200K: bool>(
    text: &str,
    vocabulary: &Vocabulary,
    cancel: &CancelToken,
    scratch: &mut Scratch,
    mut take: impl FnMut(&[u32]) -> ControlFlow<()>,
) -> Result<bool, Error> {
    let encoding = if O200K { Encoding::O200k } else { Encoding::Cl100k };
    let text = text.as_bytes();
    let (mut at, mut look) = (0, STRETCH);
    while at < text.len() {
        if at >= look {
            cancel.check()?;
            look = at + STRETCH;
        }
        let end = piece_end(encoding, text, at);
        let piece = &text[at..end];
        at = end;
        let flow = match vocabulary.lookup(piece) {
            Some(token) => take(&[token]),
            None => take(pair::encode(vocabulary, piece, scratch)),
        };
        if flow.is_break() {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
