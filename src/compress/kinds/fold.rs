//! Lines that come again: right away, or as part of a block that was there before.

use std::collections::HashMap;
use std::fmt::Write;

use super::is_mostly_empty;
use super::log::mix;
use crate::cancel;

/// How marks begin; a text that has one itself is left alone.
const MARK: &str = "[… ";
/// Repeats right away go back at most so many lines.
const LONGEST_PERIOD: usize = 64;
/// A block that is there again is not worth a mark below so many lines or bytes.
const SHORTEST_BLOCK: usize = 4;
const FEWEST_BYTES: usize = 120;
/// Lines that come again are written again up to so many bytes.
const SHORTEST_REPEAT: usize = 56;

/// Writes a text with its repeats folded; as it is where there are none.
pub(super) fn write(text: &str, out: &mut String) {
    if text.contains(MARK) {
        out.push_str(text);
        return;
    }
    if is_mostly_empty(text) {
        return write_runs(text, out);
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut folded = Folder {
        lines: &lines,
        first: HashMap::with_capacity(lines.len().min(1 << 14)),
        last: HashMap::new(),
        out,
    };
    folded.run();
}

/// Folds lines that are the same as the one before, and remembers no others.
fn write_runs(text: &str, out: &mut String) {
    let mut above = "";
    let mut times = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index % 4096 == 0 && cancel::is_interrupted() {
            return;
        }
        if line == above {
            times += 1;
            continue;
        }
        repeat(above, 1, times, out);
        (above, times) = (line, 0);
        out.push_str(line);
    }
    repeat(above, 1, times, out);
}

/// Says how often the lines above came again, or writes them where that is shorter.
fn repeat(line: &str, period: usize, times: usize, out: &mut String) {
    let plural = if times == 1 { "" } else { "s" };
    // Writing to a string does not fail.
    let _ = match (times, period) {
        (0, _) => Ok(()),
        (_, 1) if times * line.len() <= SHORTEST_REPEAT => (0..times).try_for_each(|_| out.write_str(line)),
        (_, 1) => writeln!(out, "{MARK}the line above {times} more time{plural}]"),
        _ => writeln!(out, "{MARK}the {period} lines above {times} more time{plural}]"),
    };
}

struct Folder<'a, 'o> {
    lines: &'a [&'a str],
    /// The first line with each hash, and the last one so far.
    first: HashMap<u64, u32>,
    last: HashMap<u64, u32>,
    out: &'o mut String,
}

impl Folder<'_, '_> {
    fn run(&mut self) {
        let mut at = 0;
        // Two lines so far apart are known to match up to there: nobody can make this take square time.
        let mut known = [(0, 0); 2];
        let mut steps = 0_u32;
        while at < self.lines.len() {
            steps += 1;
            if steps.is_multiple_of(1024) && cancel::is_interrupted() {
                return;
            }
            let hash = mix(0, self.lines[at].as_bytes());
            let last = self.last.get(&hash).map(|last| at - *last as usize);
            if let Some(period) = last.filter(|period| *period <= LONGEST_PERIOD) {
                let times = self.matching(at, period, &mut known[0]) / period;
                let skipped = self.bytes(at..at + times * period);
                if times > 0 && skipped > SHORTEST_REPEAT {
                    repeat(self.lines[at - 1], period, times, self.out);
                    for index in at..at + times * period {
                        self.remember(index);
                    }
                    at += times * period;
                    continue;
                }
            }
            let first = self.first.get(&hash).map(|first| at - *first as usize);
            self.remember(at);
            self.out.push_str(self.lines[at]);
            at += 1;
            if let Some(period) = first.filter(|_| self.lines[at - 1].trim().len() > 3) {
                let length = self.matching(at - 1, period, &mut known[1]).min(period);
                if length >= SHORTEST_BLOCK && self.bytes(at..at + length - 1) >= FEWEST_BYTES {
                    self.block(length - 1);
                    for index in at..at + length - 1 {
                        self.remember(index);
                    }
                    at += length - 1;
                }
            }
        }
    }

    fn remember(&mut self, index: usize) {
        let hash = mix(0, self.lines[index].as_bytes());
        self.last.insert(hash, index as u32);
        self.first.entry(hash).or_insert(index as u32);
    }

    fn bytes(&self, lines: std::ops::Range<usize>) -> usize {
        self.lines[lines].iter().map(|line| line.len()).sum()
    }

    /// How many lines from one on are the same as those `period` lines before.
    fn matching(&self, from: usize, period: usize, known: &mut (usize, usize)) -> usize {
        if known.0 == period && from < known.1 {
            return known.1 - from;
        }
        let rest = self.lines[from..].iter().zip(&self.lines[from - period..]);
        let length = rest.take_while(|(line, before)| line == before).count();
        *known = (period, from + length);
        length
    }

    fn block(&mut self, rest: usize) {
        let _ = writeln!(self.out, "{MARK}and {rest} more lines as after that line above]");
    }
}

#[cfg(test)]
#[allow(clippy::format_push_string, clippy::format_collect)] // texts of a few lines
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in super::super) fn decode(written: &str) -> String {
        let mut lines: Vec<&str> = Vec::new();
        for line in written.split_inclusive('\n') {
            let Some(mark) = line.strip_prefix(MARK) else {
                lines.push(line);
                continue;
            };
            let number = |word: Option<&str>| word.unwrap().parse::<usize>().unwrap();
            let mut words = mark.split(' ');
            if words.next() == Some("and") {
                let count = number(words.next());
                let first = lines.iter().position(|other| Some(other) == lines.last()).unwrap();
                for index in first + 1..=first + count {
                    lines.push(lines[index]);
                }
            } else {
                let period = words.next().unwrap().parse::<usize>().unwrap_or(1);
                let times = number(mark.split("above ").nth(1).and_then(|rest| rest.split(' ').next()));
                for _ in 0..times * period {
                    lines.push(lines[lines.len() - period]);
                }
            }
        }
        lines.concat()
    }

    fn folded(text: &str) -> String {
        let mut out = String::new();
        write(text, &mut out);
        out
    }

    #[test]
    fn repeats_are_counted() {
        let text = "first\n".to_owned() + &"a line that is there again and again\n".repeat(40) + "last";
        assert_eq!(
            folded(&text),
            "first\na line that is there again and again\n[… the line above 39 more times]\nlast"
        );
        let text = "one of two lines\nanother one of two lines\n".repeat(10);
        assert_eq!(
            folded(&text),
            "one of two lines\nanother one of two lines\n[… the 2 lines above 9 more times]\n"
        );
    }

    #[test]
    fn many_empty_lines_take_little() {
        let text = format!("a\n{}b\nb\n", "\n".repeat(5 << 20));
        let written = folded(&text);
        assert_eq!(written, format!("a\n\n[… the line above {} more times]\nb\nb\n", (5 << 20) - 1));
        assert!(decode(&written) == text);
    }

    #[test]
    fn blocks_are_referred_to() {
        let block: String = (0..20).map(|index| format!("{index}: a line of the block\n")).collect();
        let text = format!("{block}between\n{block}after\n");
        let written = folded(&text);
        assert!(written.contains(
            "between\n0: a line of the block\n[… and 19 more lines as after that line above]\nafter"
        ));
        assert_eq!(decode(&written), text);
    }

    #[test]
    fn many_near_misses_take_linear_time() {
        let mut text = String::new();
        for index in 0..4000 {
            text.push_str(&"the same line\n".repeat(60));
            text.push_str(&format!("{index}\n"));
        }
        assert_eq!(decode(&folded(&text)), text);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn folded_lines_can_be_read_back(
            lines in prop::collection::vec(0_usize..6, 0..80),
            blocks in prop::collection::vec((0_usize..80, 1_usize..30), 0..5),
            ends in any::<bool>(),
        ) {
            let names: Vec<String> = (0..6).map(|index| format!("line {index}, which is long enough to be worth folding")).collect();
            let mut all = lines.clone();
            for (from, length) in blocks {
                let block: Vec<usize> = all.iter().skip(from).take(length).copied().collect();
                all.extend(block);
            }
            let mut text: String = all.iter().map(|index| format!("{}\n", names[*index])).collect();
            if !ends {
                text.pop();
            }
            prop_assert_eq!(decode(&folded(&text)), text);
        }
    }
}
