use super::*;

/// The definition, a byte at a time.
fn naive(text: &str) -> i64 {
    let mut run = 0;
    let mut folded = vec![0; BEFORE];
    for byte in text.bytes() {
        folded.push(if byte.is_ascii_digit() { b'0' + run } else { byte });
        run = if byte.is_ascii_digit() { (run + 1) % 3 } else { 0 };
    }
    folded.resize(folded.len() + AFTER, 0);
    (folded.windows(8).map(sum_of_windows).sum::<i64>() + SCALE / 2) / SCALE
}

fn expected(text: &str) -> usize {
    if text.is_empty() { 0 } else { naive(text).max(1) as usize }
}

#[test]
fn block_borders_do_not_show() {
    let unit = "Order 1234567890 of \u{e9}t\u{e9}: {\"id\":42}\n";
    for length in (0..40).chain(BLOCK - 12..BLOCK + 12).chain(2 * BLOCK - 12..2 * BLOCK + 12) {
        let mut end = length;
        let text = unit.repeat(length / unit.len() + 1);
        while !text.is_char_boundary(end) {
            end += 1;
        }
        assert_eq!(estimate(&text[..end]), expected(&text[..end]), "{end} bytes");
    }
}

proptest::proptest! {
    #[test]
    fn equals_the_definition(text in "([a-z ]|[0-9]{1,7}|\\PC|\n){0,400}") {
        proptest::prop_assert_eq!(estimate(&text), expected(&text));
    }
}

#[test]
fn nothing_and_little() {
    assert_eq!(estimate(""), 0);
    for text in ["a", " ", "\n", "0", "\0", "\u{1f600}"] {
        assert!((1..=4).contains(&estimate(text)), "{text:?}: {}", estimate(text));
    }
}

#[test]
fn a_long_run_of_one_character_stays_in_bounds() {
    for character in ["a", " ", "[", "=", "0", "\n", "\u{4e00}", "\0"] {
        let text = character.repeat(100_000);
        assert!((1..=text.len()).contains(&estimate(&text)), "{character:?}");
    }
}
