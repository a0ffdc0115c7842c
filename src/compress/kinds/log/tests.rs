//! The written form read back, and what is kept of a log.

#![allow(clippy::format_push_string, clippy::format_collect)] // texts of a few lines

use proptest::prelude::*;

use super::decode::decode;
use super::*;

fn lossless(text: &str) -> String {
    let mut out = String::new();
    understand(text).unwrap().write(Kept::All, &mut out);
    out
}

fn check(text: &str) {
    let written = lossless(text);
    assert_eq!(decode(&written), text, "written as:\n{written}");
}

fn lossy(text: &str, query: &Query, keep: impl Fn(&Unit) -> bool) -> String {
    let log = understand(text).unwrap();
    let units = log.weigh(query, &CancelToken::new()).unwrap();
    let flags: Vec<bool> = units.iter().map(keep).collect();
    let mut out = String::new();
    log.write(Kept::Some(&flags), &mut out);
    out
}

fn corpus() -> Vec<(String, String)> {
    let folder = std::env::var("OFFLOOP_CORPUS").unwrap_or_else(|_| "../shared/corpus".to_owned());
    let Ok(files) = std::fs::read_dir(format!("{folder}/logs")) else {
        eprintln!("skipped: there is no corpus at {folder}");
        return Vec::new();
    };
    let mut texts: Vec<(String, String)> = files
        .map(|file| {
            let path = file.unwrap().path();
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            (path.display().to_string(), text)
        })
        .collect();
    texts.sort();
    texts
}

#[test]
fn the_corpus_can_be_read_back() {
    for (name, text) in corpus() {
        let written = lossless(&text);
        assert!(decode(&written) == text, "{name}");
        assert!(written.len() < text.len(), "{name}: {} of {}", written.len(), text.len());
    }
}

#[test]
fn small_logs_can_be_read_back() {
    for text in [
        "",
        "\n",
        "\n\n\n",
        "a",
        "a\n",
        "a 1\na 2\na 3",
        "a 1\na 2\na 3\n",
        "* 1 x y\n* 2 x y\n* 3 x y\n",
        "* <> {} ¤ □ 1\n* <> {} ¤ □ 2\n* <> {} ¤ □ 3\n",
        "<time> <t> ⌚ 10:00:00 x1\n<time> <t> ⌚ 10:00:01 x2\n<time> <t> ⌚ 10:00:01 x2\n",
        "10:00:00 x\n10:00:00 x\n10:00:00 x\n10:01:00 x\n11:01:00 x\n",
        "I0501 10:00:00.1 a b c 1\nI0501 10:00:00.2 a b c 1\nI0502 10:00:00.2 a b c 1\nI0502 10:00:00.2 a b c 1\n",
        "010203 040506 a b c\n010203 040507 a b c\n010204 040507 a b c\n",
        "Dec  1 06:55:46 a b c\nDec  1 06:55:47 a b c\nDec 10 06:55:47 a b c\n2024-01-01 06:55:47 a b c\n",
        "user a in 1 at x y z\nuser b in 1 at x y z\nuser c in 1 at x y z\nuser d in 1 at x y z\nuser e in 2 at x y z\nuser e5 in 2 at x y z\n",
        "| x 1 and more\n| x 2 and more\n| x 3 and more\n| y\nA\nA 1\nx3\n",
        "value 1. and - 2- x\nvalue 2. and - 3- x\nvalue 3. and - 4- x\n",
        "ü 1 äöü\nü 2 äöü\nü 3 äöü\nü ß1 äöü\n",
    ] {
        check(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_can_be_read_back(
        lines in prop::collection::vec(
            prop::collection::vec(
                prop::sample::select(vec![
                    "A", "B", "|", "\"", "x3", "x", "1", "22", "-", ".", "*", "<>", "<time>", ":", ": ", " ", "=", "ü", "a", "b",
                    "10:00:00", "10:00:01.5", "2024-01-01 10:00:00", "2024-01-02T11:00:00", "Dec  1 10:00:00", "010203 040506 ",
                    "I0102 10:00:00 ", "error ", "user ", "from ", "port=", "[", "]", "\t", "5.", "-3",
                ]),
                0..8,
            ),
            0..24,
        ),
        repeats in 1_usize..5,
        ends in any::<bool>(),
    ) {
        let mut text = String::new();
        for _ in 0..repeats {
            for line in &lines {
                text.push_str(&line.concat());
                text.push('\n');
            }
        }
        if !ends {
            text.pop();
        }
        check(&text);
    }

    #[test]
    fn any_text_can_be_read_back(text in "([ -~]|\\n|[äß€]){0,200}") {
        check(&text);
    }
}

#[test]
fn first_errors_are_kept_whatever_the_budget() {
    let mut text = String::new();
    for index in 0..500 {
        text.push_str(&format!(
            "2024-05-01 10:{:02}:{:02} INFO worker: job {index} done in {} ms\n",
            index / 60,
            index % 60,
            20 + index % 7
        ));
        if index == 250 {
            text.push_str("2024-05-01 10:04:10 ERROR db: connection 17 lost\n");
        }
        if index == 300 {
            text.push_str("2024-05-01 10:05:00 INFO worker: odd thing happened once\n");
        }
    }
    let must = lossy(&text, &Query::default(), |unit| unit.must);
    assert!(must.contains("ERROR db: connection 17 lost"), "{must}");
    assert!(must.contains("500x <time> INFO worker: job <0…499> done in <20…26> ms"), "{must}");
    assert!(must.contains("[… 251 lines left out"), "{must}");
    let rare = lossy(&text, &Query::default(), |unit| unit.value >= 2.0);
    assert!(rare.contains("odd thing happened once"), "{rare}");
}

#[test]
fn numbers_out_of_the_ordinary_are_worth_keeping() {
    let mut text = String::new();
    for index in 0..400 {
        let millis = if index == 123 { 9500 } else { 20 + index * 7 % 30 };
        let status = if index == 300 { 503 } else { 200 };
        text.push_str(&format!(
            "2024-05-01 10:00:{:02}.{index:03} INFO GET /items/{} status: {status} time: {millis}\n",
            index / 10,
            index * 31 % 97
        ));
    }
    let kept = lossy(&text, &Query::default(), |unit| unit.value >= 2.0);
    assert!(kept.contains("time: 9500"), "{kept}");
    assert!(kept.contains("status: 503"), "{kept}");
    assert!(kept.lines().count() < 40, "{kept}");
}

#[test]
fn hostile_texts_take_linear_time() {
    let many: String =
        (0..200_000).map(|index| format!("{} {}\n", words(index), words(index * 7919))).collect();
    for text in ["x".repeat(8 << 20), "\n".repeat(4 << 20), "1 ".repeat(4 << 20), "1\n".repeat(2 << 20), many]
    {
        let started = std::time::Instant::now();
        let log = understand(&text).unwrap();
        let units = log.weigh(&Query::default(), &CancelToken::new()).unwrap();
        let mut out = String::new();
        log.write(Kept::Some(&vec![false; units.len()]), &mut out);
        // A hundred times what it takes, so that only a wrong order of growth fails.
        assert!(started.elapsed().as_secs() < 60, "{}", text.len());
    }
}

/// A word without digits for each number.
fn words(mut number: usize) -> String {
    let mut word = String::new();
    for _ in 0..6 {
        word.push((b'a' + (number % 26) as u8) as char);
        number /= 26;
    }
    word
}
