//! A short run of every target without a fuzzer: its seeds as they are, then changes of them.
//!
//! `OFFLOOP_CASES=100000 cargo test --release -p offloop-fuzz` for long; proptest prints its seed, and the least input that fails.

use std::fs;
use std::path::Path;

use offloop_fuzz::{TARGETS, Target};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// Longer inputs are cut off: the fuzzer has time for them.
const LONGEST: usize = 20_000;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("a folder of seeds").flatten().map(|file| file.path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.iter().map(|file| fs::read(file).expect("a seed")).collect()
}

/// A way to damage bytes.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    /// Part of another seed.
    Splice(Index, Index, Index),
    /// The same over and over, with other digits.
    Repeat(Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..6),
        prop::sample::select(vec!["\"", "\\u", "[", "}", "-", "1e9", "\n", "\u{e000}", "é", "😀"])
            .prop_map(|text| text.into()),
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<Index>(), 1usize..20).prop_map(|(at, count)| Edit::Remove(at, count)),
        (any::<Index>(), bytes).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        any::<[Index; 3]>().prop_map(|[at, seed, from]| Edit::Splice(at, seed, from)),
        (any::<Index>(), 2usize..60).prop_map(|(at, times)| Edit::Repeat(at, times)),
    ]
}

fn apply(edit: &Edit, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let place = |at: &Index| at.index(input.len() + 1);
    match edit {
        Edit::Set(at, byte) if !input.is_empty() => {
            let at = at.index(input.len());
            input[at] = *byte;
        }
        Edit::Set(..) => {}
        Edit::Remove(at, count) => {
            let at = place(at);
            input.drain(at..(at + count).min(input.len()));
        }
        Edit::Insert(at, bytes) => {
            let at = place(at);
            input.splice(at..at, bytes.iter().copied());
        }
        Edit::Splice(at, seed, from) => {
            let (at, seed) = (place(at), &seeds[seed.index(seeds.len())]);
            input.splice(at..at, seed[from.index(seed.len() + 1)..].iter().copied());
        }
        Edit::Repeat(at, times) => {
            let part = input.split_off(place(at));
            for time in 0..*times {
                let digit = b'0' + (time % 10) as u8;
                input.extend(part.iter().map(|byte| if *byte == b'1' { digit } else { *byte }));
            }
        }
    }
    input.truncate(LONGEST);
}

fn check(name: &str) {
    let (_, target): (_, Target) = TARGETS.into_iter().find(|(other, _)| *other == name).expect("a target");
    let seeds = seeds(name);
    seeds.iter().for_each(|seed| target(seed));
    let cases = std::env::var("OFFLOOP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let inputs = (any::<Index>(), prop::collection::vec(edit(), 0..6)).prop_map(|(seed, edits)| {
        let mut input = seeds[seed.index(seeds.len())].clone();
        edits.iter().for_each(|edit| apply(edit, &mut input, &seeds));
        input
    });
    let checked = runner.run(&inputs, |input| {
        target(&input);
        Ok(())
    });
    checked.unwrap();
}

macro_rules! targets {
    ($($name:ident),*) => { $(#[test] fn $name() { check(stringify!($name)); })* };
}

targets!(parse, tape, stringify, document, compress, convert, recovery);
