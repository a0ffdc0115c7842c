//! Numbers among words: what they are, and which of a series are out of the ordinary.

use super::spread::{Spread, is_monotone, logarithm};
use crate::compress::form::value;
use crate::compress::words::boundary;

/// A number, with its unit taken into account where it has a common one, so that `900ms` and `1.2s` compare.
pub(super) fn parse(word: &str) -> Option<f64> {
    let bytes = word.as_bytes();
    let signed = matches!(bytes.first(), Some(b'-' | b'+'));
    let mut at = usize::from(signed);
    let mut mantissa = 0_u64;
    let mut digits = 0;
    let mut scale = 0_i32;
    let mut fraction = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {
                if mantissa < 1_000_000_000_000_000_000 {
                    mantissa = mantissa * 10 + u64::from(byte - b'0');
                    scale -= i32::from(fraction);
                } else {
                    scale += i32::from(!fraction);
                }
                digits += 1;
            }
            b'.' if !fraction && digits > 0 => fraction = true,
            _ => break,
        }
        at += 1;
    }
    if digits == 0 || digits > 40 {
        return None;
    }
    let unit = match &bytes[at..] {
        b"" | b"s" | b"B" | b"b" | b"%" | b"x" => 1.0,
        b"ms" => 1e-3,
        b"us" | b"\xC2\xB5s" => 1e-6,
        b"ns" => 1e-9,
        b"m" | b"min" => 60.0,
        b"h" => 3600.0,
        b"k" | b"K" | b"kB" | b"KB" | b"KiB" => 1024.0,
        b"M" | b"MB" | b"MiB" => 1024.0 * 1024.0,
        b"G" | b"GB" | b"GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let number = mantissa as f64 * 10_f64.powi(scale) * unit;
    Some(if bytes[0] == b'-' { -number } else { number })
}

/// The numbers of one column, in order; words among them are none.
pub(super) struct Series<'a> {
    numbers: &'a [Option<f64>],
    spread: Spread,
}

/// At most so many of a series are outliers; of more only the farthest.
const MOST_OUTLIERS: usize = 12;
/// Robust z-scores from which a number is out of the ordinary, and strongly so.
const MODERATE: f64 = 5.0;
const STRONG: f64 = 9.0;
/// One in so many may break the rule of numbers that only rise or fall.
const MONOTONE: usize = 20;

impl<'a> Series<'a> {
    pub(super) fn new(numbers: &'a [Option<f64>]) -> Self {
        Self { numbers, spread: Spread::of(numbers.iter().flatten().copied()) }
    }

    /// Which are far from the others, with what that is worth. Scores are those of Iglewicz and Hoaglin; a long tail
    /// is judged by its logarithms, too.
    pub(super) fn outliers(&self) -> Vec<(usize, f32)> {
        if self.numbers.len() < 8 || is_monotone(self.numbers, MONOTONE) {
            return Vec::new();
        }
        if self.spread.spread <= 0.0 {
            return self.exceptions();
        }
        let logs = Spread::of(self.numbers.iter().flatten().map(|number| logarithm(*number)));
        let mut found: Vec<(usize, f64)> = self
            .numbers
            .iter()
            .enumerate()
            .filter_map(|(index, number)| {
                let number = (*number)?;
                let score = self.spread.score(number);
                let lower = if logs.spread > 0.0 { logs.score(logarithm(number)) * 2.0 } else { score };
                let score = score.min(lower);
                (score >= MODERATE).then_some((index, score))
            })
            .collect();
        // More than a few are no outliers but how these numbers are.
        let few = MOST_OUTLIERS.min(self.numbers.len() / 20 + 2);
        if found.len() > few {
            found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            found.truncate(few);
        }
        found
            .into_iter()
            .map(|(index, score)| (index, if score >= STRONG { value::NOTABLE } else { value::RARE }))
            .collect()
    }

    /// Where most are the same: the few that are not.
    fn exceptions(&self) -> Vec<(usize, f32)> {
        let other = |number: &Option<f64>| {
            number.is_some_and(|number| number.to_bits() != self.spread.median.to_bits())
        };
        let count = self.numbers.iter().filter(|number| other(number)).count();
        if count == 0 || count > 3.max(self.numbers.len() / 50).min(MOST_OUTLIERS) {
            return Vec::new();
        }
        (0..self.numbers.len())
            .filter(|index| other(&self.numbers[*index]))
            .map(|index| (index, value::NOTABLE))
            .collect()
    }

    /// Where the level changes for good, if it does: the largest excursion of the cumulative sum of deviations, as E. S.
    /// Page's test has it, with outliers clipped.
    pub(super) fn change(&self) -> Option<usize> {
        if self.numbers.len() < 32 || is_monotone(self.numbers, MONOTONE) {
            return None;
        }
        let Spread { median, spread } = self.spread;
        let reach = if spread > 0.0 { 6.0 * spread } else { return None };
        let clipped: Vec<f64> = self
            .numbers
            .iter()
            .map(|number| number.unwrap_or(median).clamp(median - reach, median + reach))
            .collect();
        let mean = clipped.iter().sum::<f64>() / clipped.len() as f64;
        let deviation =
            (clipped.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / clipped.len() as f64).sqrt();
        let mut sum = 0.0_f64;
        let (mut farthest, mut place) = (0.0_f64, 0);
        for (index, number) in clipped.iter().enumerate() {
            sum += number - mean;
            if sum.abs() > farthest {
                (farthest, place) = (sum.abs(), index + 1);
            }
        }
        let significant = farthest > 2.2 * deviation * (clipped.len() as f64).sqrt();
        (significant && place < clipped.len()).then_some(place)
    }
}

/// Numbers that are codes rather than amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Http,
    Exit,
}

impl Code {
    /// By the text before a number.
    pub(super) fn named_by(before: &str) -> Option<Self> {
        let before = before.trim_end_matches([' ', ':', '=', '"']);
        let tail = &before[boundary(before, before.len().saturating_sub(16))..].to_ascii_lowercase();
        let ends = |names: &[&str]| names.iter().any(|name| tail.ends_with(name));
        if ends(&["exit code", "exit status", "exited with code", "exit_code", "exitcode", "returned", "rc"])
        {
            return Some(Self::Exit);
        }
        if ends(&[
            "status",
            "status_code",
            "statuscode",
            "http/1.1",
            "http/1.0",
            "http/2.0",
            "http/2",
            "code",
        ]) {
            return Some(Self::Http);
        }
        None
    }

    pub(super) fn is_bad(self, number: f64) -> bool {
        match self {
            Self::Http => (500.0..600.0).contains(&number),
            Self::Exit => number != 0.0,
        }
    }
}

/// What the values of a column were.
#[derive(Clone, Debug, Default)]
pub(super) struct Range<'a> {
    words: Vec<&'a str>,
    many: bool,
    not_numeric: bool,
    least: Option<(f64, &'a str)>,
    most: Option<(f64, &'a str)>,
}

impl<'a> Range<'a> {
    const FEW: usize = 3;
    const LONGEST: usize = 20;

    pub(super) fn add(&mut self, word: &'a str) {
        if !self.many && !self.words.contains(&word) {
            if self.words.len() < Self::FEW && word.len() <= Self::LONGEST {
                self.words.push(word);
            } else {
                self.many = true;
            }
        }
        if self.not_numeric {
            return;
        }
        let Some(number) = parse(word).filter(|_| word.len() <= Self::LONGEST) else {
            self.not_numeric = true;
            return;
        };
        if self.least.is_none_or(|(least, _)| number < least) {
            self.least = Some((number, word));
        }
        if self.most.is_none_or(|(most, _)| number > most) {
            self.most = Some((number, word));
        }
    }

    pub(super) fn describe(&self) -> String {
        match (self.least, self.most) {
            _ if !self.many => self.words.join("|"),
            (Some((_, least)), Some((_, most))) if !self.not_numeric => format!("{least}…{most}"),
            _ => "…".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(numbers: &[f64]) -> Vec<Option<f64>> {
        numbers.iter().map(|number| Some(*number)).collect()
    }

    #[test]
    fn words_that_are_numbers() {
        for (word, number) in [
            ("0", 0.0),
            ("42", 42.0),
            ("-1.5", -1.5),
            ("900ms", 0.9),
            ("1.5s", 1.5),
            ("2KB", 2048.0),
            ("0.2477829", 0.247_782_9),
        ] {
            let parsed = parse(word).unwrap_or_else(|| panic!("{word}"));
            assert!((parsed - number).abs() < 1e-9, "{word}: {parsed}");
        }
        for word in ["", "-", "x1", "10.0.0.1", "3abc", "1e", "blk_38", &"9".repeat(99)] {
            assert_eq!(parse(word), None, "{word}");
        }
    }

    #[test]
    fn far_ones_are_found() {
        let mut numbers: Vec<f64> = (0..200).map(|index| 20.0 + f64::from(index * 7 % 13)).collect();
        numbers[77] = 9500.0;
        assert_eq!(Series::new(&series(&numbers)).outliers(), [(77, value::NOTABLE)]);
        let mut same = vec![200.0; 100];
        same[3] = 500.0;
        assert_eq!(Series::new(&series(&same)).outliers(), [(3, value::NOTABLE)]);
        let counter: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(Series::new(&series(&counter)).outliers(), []);
        assert_eq!(Series::new(&series(&[f64::MAX, 1.0])).outliers(), []);
    }

    #[test]
    fn changes_of_level_are_found() {
        let numbers: Vec<f64> =
            (0..100).map(|index| f64::from(index % 5) + if index < 60 { 10.0 } else { 30.0 }).collect();
        let place = Series::new(&series(&numbers)).change();
        assert!(place.is_some_and(|place| (58..=62).contains(&place)), "{place:?}");
        let steady: Vec<f64> = (0..100).map(|index| f64::from(index * 7 % 11)).collect();
        assert_eq!(Series::new(&series(&steady)).change(), None);
    }

    #[test]
    fn columns_described() {
        let mut range = Range::default();
        for word in ["200", "404"] {
            range.add(word);
        }
        assert_eq!(range.describe(), "200|404");
        for word in ["1", "2", "77"] {
            range.add(word);
        }
        assert_eq!(range.describe(), "1…404");
        range.add("x");
        assert_eq!(range.describe(), "…");
    }
}
