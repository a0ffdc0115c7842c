//! Which units of a text are kept.
//!
//! What must be kept is. The rest of the budget goes to the units that tell most for their tokens, where each further
//! unit of a group tells less than the one before. Linear in the number of units: they are put in buckets by the leading
//! bits of their score rather than sorted, which is as exact as estimates deserve.

use std::collections::HashMap;

use super::form::Unit;
use crate::cancel::CancelToken;
use crate::error::Error;

/// Tokens that saying what was left out takes. Gaps that cost no more than this are not made.
const GAP: u32 = 14;
/// Tokens of a unit that come on top of its own: a short one is not worth a gap on either side.
const SURROUNDINGS: f32 = 6.0;

/// Units between two looks at the cancellation flag.
const CHECK: usize = 64 << 10;

/// Buckets: a positive float's order is that of its bits, of which the exponent's and the next four tell scores apart that
/// differ by a sixteenth. More of them would take longer to clear than most texts take to sort.
const BUCKETS: usize = 1 << BUCKET_BITS;
const BUCKET_BITS: u32 = 12;

fn bucket(score: f32) -> usize {
    (score.max(0.0).to_bits() >> (31 - BUCKET_BITS)) as usize & (BUCKETS - 1)
}

/// One flag for each unit: whether it is kept within a budget of tokens.
///
/// # Errors
///
/// When interrupted.
pub fn select(units: &[Unit], budget: u32, cancel: &CancelToken) -> Result<Vec<bool>, Error> {
    let mut kept: Vec<bool> = units.iter().map(|unit| unit.must).collect();
    let spent: u64 = units.iter().filter(|unit| unit.must).map(|unit| u64::from(unit.cost)).sum();
    let left = u64::from(budget).saturating_sub(spent);
    if left > 0 {
        fill(units, left, &mut kept, cancel)?;
    }
    close_gaps(units, &mut kept);
    Ok(kept)
}

/// Keeps what tells most until `left` tokens are spent.
fn fill(units: &[Unit], left: u64, kept: &mut [bool], cancel: &CancelToken) -> Result<(), Error> {
    let scores = scores(units, kept, cancel)?;
    let cost = |at: usize| u64::from(units[at].cost.max(1));
    let mut costs = vec![0u64; BUCKETS];
    for (at, score) in scores.iter().enumerate() {
        if !kept[at] {
            costs[bucket(*score)] += cost(at);
        }
    }
    // All buckets above the threshold fit; of that one, so many tokens.
    let (mut threshold, mut room) = (0, left);
    for at in (1..BUCKETS).rev() {
        if costs[at] > room {
            threshold = at;
            break;
        }
        room -= costs[at];
    }
    for (at, score) in scores.iter().enumerate() {
        if kept[at] || *score <= 0.0 {
            continue;
        }
        let bucket = bucket(*score);
        if bucket > threshold {
            kept[at] = true;
        } else if bucket == threshold && cost(at) <= room {
            kept[at] = true;
            room -= cost(at);
        }
    }
    Ok(())
}

/// What each unit tells for its tokens, given its group.
fn scores(units: &[Unit], kept: &[bool], cancel: &CancelToken) -> Result<Vec<f32>, Error> {
    let mut met: HashMap<u32, u32> = HashMap::new();
    for (unit, _) in units.iter().zip(kept).filter(|(_, kept)| **kept) {
        *met.entry(unit.group).or_default() += 1;
    }
    let mut scores = vec![0.0; units.len()];
    for (place, at) in by_value(units).into_iter().enumerate() {
        if place % CHECK == 0 {
            cancel.check()?;
        }
        let at = at as usize;
        if kept[at] {
            continue;
        }
        let unit = &units[at];
        let rank = met.entry(unit.group).or_default();
        *rank += 1;
        scores[at] = unit.value / (*rank as f32 * (unit.cost as f32 + SURROUNDINGS));
    }
    Ok(scores)
}

/// Units from the highest value to the lowest, in order where they have the same.
fn by_value(units: &[Unit]) -> Vec<u32> {
    let mut starts = vec![0u32; BUCKETS + 1];
    for unit in units {
        starts[BUCKETS - bucket(unit.value)] += 1;
    }
    for at in 1..=BUCKETS {
        starts[at] += starts[at - 1];
    }
    let mut order = vec![0u32; units.len()];
    for (at, unit) in units.iter().enumerate() {
        let next = &mut starts[BUCKETS - bucket(unit.value) - 1];
        order[*next as usize] = at as u32;
        *next += 1;
    }
    order
}

/// Keeps what would take more tokens to leave out.
fn close_gaps(units: &[Unit], kept: &mut [bool]) {
    let mut at = 0;
    while at < units.len() {
        let start = at;
        let mut cost = 0u32;
        while at < units.len() && !kept[at] {
            cost = cost.saturating_add(units[at].cost);
            at += 1;
        }
        if at > start && cost <= GAP {
            kept[start..at].fill(true);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(cost: u32, value: f32, group: u32) -> Unit {
        Unit { cost, value, must: false, group }
    }

    fn kept(units: &[Unit], budget: u32) -> Vec<usize> {
        let flags = select(units, budget, &CancelToken::new()).unwrap();
        flags.iter().enumerate().filter(|(_, kept)| **kept).map(|(at, _)| at).collect()
    }

    #[test]
    fn what_must_be_kept_is_kept_without_a_budget() {
        let mut units = vec![unit(50, 1.0, 0); 4];
        units[2].must = true;
        assert_eq!(kept(&units, 0), [2]);
    }

    #[test]
    fn the_second_of_a_group_tells_less() {
        let units = [unit(50, 3.0, 1), unit(50, 3.0, 1), unit(50, 2.0, 2), unit(50, 0.1, 3)];
        assert_eq!(kept(&units, 100), [0, 2]);
        assert_eq!(kept(&units, 150), [0, 1, 2]);
    }

    #[test]
    fn a_gap_that_saves_nothing_is_not_made() {
        let units = [unit(50, 3.0, 1), unit(4, 0.1, 2), unit(50, 3.0, 3), unit(50, 0.1, 4)];
        assert_eq!(kept(&units, 100), [0, 1, 2]);
    }

    #[test]
    fn values_are_ordered_like_a_sort_orders_them() {
        let values = [0.1, 10.0, 0.5, 0.0, 3.0, 0.5];
        let units: Vec<Unit> = values.iter().map(|value| unit(1, *value, 0)).collect();
        assert_eq!(by_value(&units), [1, 4, 2, 5, 0, 3]);
    }

    proptest! {
        #[test]
        fn no_more_is_spent_than_what_must_be_and_the_budget(
            units in prop::collection::vec((0u32..200, 0.0f32..20.0, any::<bool>(), 0u32..5), 0..100),
            budget in 0u32..3000,
        ) {
            let units: Vec<Unit> = units
                .into_iter()
                .map(|(cost, value, must, group)| Unit { cost, value, must: must && cost % 7 == 0, group })
                .collect();
            let mut flags: Vec<bool> = units.iter().map(|unit| unit.must).collect();
            let musts: u32 = units.iter().filter(|unit| unit.must).map(|unit| unit.cost).sum();
            fill(&units, u64::from(budget.saturating_sub(musts)), &mut flags, &CancelToken::new()).unwrap();
            let spent: u32 = units.iter().zip(&flags).filter(|(_, kept)| **kept).map(|(unit, _)| unit.cost).sum();
            prop_assert!(spent <= budget.max(musts));
            prop_assert!(units.iter().zip(&flags).all(|(unit, kept)| *kept || !unit.must));
            let all: u32 = units.iter().map(|unit| unit.cost.max(1)).sum();
            if all <= budget {
                prop_assert!(units.iter().zip(&flags).all(|(unit, kept)| *kept || unit.value == 0.0));
            }
        }
    }
}
