use proptest::prelude::*;

use super::*;

const BOTH: [Encoding; 2] = [Encoding::O200k, Encoding::Cl100k];

/// The definition: merges the neighbours whose merge comes first, the leftmost of equal ones, until none is left.
fn merge(vocabulary: &Vocabulary, piece: &[u8]) -> Vec<u32> {
    // Where parts begin, and the end.
    let mut borders: Vec<usize> = (0..=piece.len()).collect();
    loop {
        let ranks = borders.windows(3).enumerate();
        let ranks =
            ranks.filter_map(|(at, around)| Some((vocabulary.lookup(&piece[around[0]..around[2]])?, at)));
        let Some((_, at)) = ranks.min() else { break };
        borders.remove(at + 1);
    }
    borders.windows(2).map(|part| vocabulary.lookup(&piece[part[0]..part[1]]).unwrap()).collect()
}

proptest! {
    #[test]
    fn search_finds_what_merging_makes(piece in "([a-zA-Z]{1,12}|[ -~]{1,40}|[aeiou]{1,30}|(ab|ba|a|b){1,30}|\\PC{1,20}|[ \t]{1,60}|[=\\-#_*]{1,60}|(a{1,40}|={1,50}|-{1,50}| {1,40}|\n{1,30}|\u{e9}){1,5})") {
        for encoding in BOTH {
            let vocabulary = vocabulary(encoding).unwrap();
            let mut scratch = Scratch::default();
            prop_assert_eq!(pair::encode(vocabulary, piece.as_bytes(), &mut scratch), merge(vocabulary, piece.as_bytes()));
        }
    }

    #[test]
    fn tokens_are_the_text(text in "(\\PC|[a-z' \r\n]|[0-9]{1,5}){0,200}") {
        for encoding in BOTH {
            let tokens = encode(&text, encoding, &CancelToken::new()).unwrap();
            prop_assert_eq!(decode(&tokens, encoding).unwrap(), text.as_bytes());
            prop_assert_eq!(count(&text, encoding).unwrap(), tokens.len());
        }
    }
}

/// As tiktoken has them.
#[test]
fn known_tokens() {
    let cancel = CancelToken::new();
    assert_eq!(
        encode("Hello world, 12345 foo", Encoding::O200k, &cancel).unwrap(),
        [13225, 2375, 11, 220, 7633, 2548, 30551]
    );
    assert_eq!(
        encode("Hello world, 12345 foo", Encoding::Cl100k, &cancel).unwrap(),
        [9906, 1917, 11, 220, 4513, 1774, 15586]
    );
    assert!(encode("", Encoding::O200k, &cancel).unwrap().is_empty());
}

#[test]
fn a_limit_ends_the_count() {
    let text = "one two three four five";
    for encoding in BOTH {
        let cancel = CancelToken::new();
        assert_eq!(count_up_to(text, encoding, 5, &cancel).unwrap(), Some(5));
        assert_eq!(count_up_to(text, encoding, 4, &cancel).unwrap(), None);
        assert_eq!(count_up_to("", encoding, 0, &cancel).unwrap(), Some(0));
    }
}

#[test]
fn tokens_that_do_not_exist_are_named() {
    let error = decode(&[0, 4_000_000_000], Encoding::O200k).unwrap_err();
    assert!(error.message.contains("tokens[1] is 4000000000"), "{error}");
}

#[test]
fn an_interrupted_count_stops() {
    let cancel = CancelToken::new();
    cancel.cancel(crate::cancel::Interrupt::Aborted);
    let text = "word ".repeat(STRETCH);
    assert!(count_up_to(&text, Encoding::O200k, usize::MAX, &cancel).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn long_repetitions_are_merged_as_ever(unit in "[a-c]{2,5}|\\p{Han}|\\PC|[=-]{2,3}|(ab){1,40}c", bytes in 600usize..1200, tail in "[a-c=]{0,3}") {
        let piece = unit.repeat(bytes / unit.len() + 1) + &tail;
        for encoding in BOTH {
            let vocabulary = vocabulary(encoding).unwrap();
            let mut scratch = Scratch::default();
            prop_assert_eq!(pair::encode(vocabulary, piece.as_bytes(), &mut scratch), merge(vocabulary, piece.as_bytes()));
        }
    }
}
