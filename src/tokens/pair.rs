//! Byte pair encoding of one piece, from left to right.
//!
//! The definition merges, again and again, the two neighbours whose merge comes first, which takes time that grows with the square of the piece.
//! This finds the same tokens by search, as the crate `bpe` of rust-gems showed: the encoding of a piece begins with the encoding of each of
//! its beginnings that end between two tokens, so tokens can be laid one behind the other, the longest first, and taken back where
//! none fits. A token fits behind another when the two, encoded together, stay these two. Time is linear in the piece but for what is taken
//! back, which is little in practice.
//!
//! Long pieces that consist of a few runs of one byte each (rules, indentation) are merged by the definition, a run at a time: the search tries
//! dozens of candidates there.

use super::vocabulary::{NONE, Vocabulary};

/// Memory for the search.
#[derive(Debug, Default)]
pub struct Scratch {
    tokens: Vec<u32>,
    runs: Vec<Run>,
    /// Whether a place was found to be no border between tokens: a bit each.
    dead: Vec<u64>,
}

/// Bytes from which a piece is looked at for runs, and how many runs it may have.
const LONG: usize = 32;
const FEW_RUNS: usize = 12;

/// No token is longer; a table of lengths in the vocabularies' files has a byte for each.
const LONGEST: usize = 255;

/// The tokens of a piece that is not empty.
pub fn encode<'s>(vocabulary: &Vocabulary, piece: &[u8], scratch: &'s mut Scratch) -> &'s [u32] {
    let Scratch { tokens, runs, dead } = scratch;
    tokens.clear();
    if piece.len() >= LONG && find_runs(vocabulary, piece, runs) {
        merge_runs(vocabulary, runs);
        tokens.extend(runs.iter().flat_map(|run| std::iter::repeat_n(run.token, run.count)));
        return tokens;
    }
    search(vocabulary, piece, tokens, dead);
    tokens
}

/// So many times the same token.
#[derive(Clone, Copy, Debug)]
struct Run {
    token: u32,
    count: usize,
}

/// The runs of bytes that a piece consists of; false if they are too many.
fn find_runs(vocabulary: &Vocabulary, piece: &[u8], runs: &mut Vec<Run>) -> bool {
    runs.clear();
    for run in piece.chunk_by(|a, b| a == b) {
        if runs.len() == FEW_RUNS {
            return false;
        }
        let Some(token) = vocabulary.lookup(&run[..1]) else { return false };
        runs.push(Run { token, count: run.len() });
    }
    true
}

/// Makes, again and again, the merge that comes first, wherever it is to be made. A token that a merge makes is in no merge that comes
/// before it, so those in a run are all made before any other.
fn merge_runs(vocabulary: &Vocabulary, runs: &mut Vec<Run>) {
    loop {
        let inside = runs.iter().filter(|run| run.count > 1).map(|run| (run.token, run.token));
        let between = runs.windows(2).map(|pair| (pair[0].token, pair[1].token));
        let pairs = inside.chain(between);
        let first =
            pairs.filter_map(|(left, right)| Some((vocabulary.merged(left, right)?, left, right))).min();
        let Some((merged, left, right)) = first else { return };
        let mut at = 0;
        while at < runs.len() {
            at += if left == right {
                merge_inside(runs, at, left, merged)
            } else {
                merge_between(runs, at, left, right, merged)
            };
        }
        join_equal(runs);
    }
}

/// Merges the neighbours in the run at `at`; how many runs it is then.
fn merge_inside(runs: &mut Vec<Run>, at: usize, token: u32, merged: u32) -> usize {
    let Run { token: found, count } = runs[at];
    if found != token || count == 1 {
        return 1;
    }
    runs[at] = Run { token: merged, count: count / 2 };
    if count % 2 == 1 {
        runs.insert(at + 1, Run { token, count: 1 });
    }
    1 + count % 2
}

/// Merges the last token of the run at `at` with the first one of the next; how far on to look again.
fn merge_between(runs: &mut Vec<Run>, at: usize, left: u32, right: u32, merged: u32) -> usize {
    if runs[at].token != left || runs.get(at + 1).is_none_or(|next| next.token != right) {
        return 1;
    }
    runs[at].count -= 1;
    runs[at + 1].count -= 1;
    runs.insert(at + 1, Run { token: merged, count: 1 });
    let kept = usize::from(runs[at].count > 0);
    runs.retain(|run| run.count > 0);
    kept + 1
}

fn join_equal(runs: &mut Vec<Run>) {
    runs.dedup_by(|next, run| {
        let equal = next.token == run.token;
        if equal {
            run.count += next.count;
        }
        equal
    });
}

/// The search.
fn search(vocabulary: &Vocabulary, piece: &[u8], tokens: &mut Vec<u32>, dead: &mut Vec<u64>) {
    dead.clear();
    dead.resize(piece.len() / 64 + 1, 0);
    let mut at = 0;
    let mut candidate = vocabulary.longest(piece).unwrap_or(NONE);
    while at < piece.len() {
        let end = at + vocabulary.length(candidate);
        let is_dead = dead[end / 64] >> (end % 64) & 1 != 0;
        if !is_dead && tokens.last().is_none_or(|&last| stay_apart(vocabulary, last, candidate)) {
            at = end;
            if tokens.last() == Some(&candidate) {
                at = repeat(vocabulary, piece, at, candidate, tokens, dead);
            }
            tokens.push(candidate);
            candidate = vocabulary.longest(&piece[at..]).unwrap_or(NONE);
            continue;
        }
        candidate = vocabulary.prefix[candidate as usize];
        if candidate == NONE {
            // Nothing fits behind the last token, so it was not one.
            dead[at / 64] |= 1 << (at % 64);
            let Some(last) = tokens.pop() else { break };
            at -= vocabulary.length(last);
            candidate = last;
        }
    }
}

/// A token stands twice before `at`, the second time about to be pushed. Where what follows is what followed then, as far as any token
/// reaches, the same token follows: lays down as many, and says where they end.
fn repeat(
    vocabulary: &Vocabulary,
    piece: &[u8],
    mut at: usize,
    token: u32,
    tokens: &mut Vec<u32>,
    dead: &[u64],
) -> usize {
    let length = vocabulary.length(token);
    let need = length + LONGEST;
    if piece.len() - at < 2 * need {
        return at;
    }
    let (now, then) = (&piece[at..], &piece[at - length..]);
    let mut same = now.chunks(64).zip(then.chunks(64)).take_while(|(now, then)| now == then).count() * 64;
    while same >= need {
        let end = at + length;
        if dead[end / 64] >> (end % 64) & 1 != 0 {
            break;
        }
        tokens.push(token);
        at = end;
        same -= length;
    }
    at
}

/// Whether two tokens, encoded together, stay as they are.
///
/// Undoes the merges inside both from the last one on. At each step the two parts that meet are those that met when only merges before
/// the one just undone had been made; had the parts a merge of their own before that one, it would have been made.
fn stay_apart(vocabulary: &Vocabulary, mut left: u32, mut right: u32) -> bool {
    // Merges from this one on come after one that is already undone.
    let mut bound = u32::MAX;
    loop {
        if vocabulary.merged(left, right).is_some_and(|merged| merged < bound) {
            return false;
        }
        // The later of both merges is undone. Of two that come equally late, the same token twice, the left one was made first.
        let [_, end] = vocabulary.halves[left as usize];
        let [start, _] = vocabulary.halves[right as usize];
        let (left_is_whole, right_is_whole) = (end == left, start == right);
        if left_is_whole && right_is_whole {
            return true;
        }
        if !left_is_whole && (right_is_whole || left > right) {
            bound = left;
            left = end;
        } else {
            bound = right + 1;
            right = start;
        }
    }
}
