//! The cells of a column: what they are, which values they have, whether they are numbers.

use std::collections::HashMap;

use super::numbers;

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Text,
    Number,
    True,
    False,
    Null,
    /// An object or array.
    Other,
}

#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    pub text: &'a str,
    pub sort: Sort,
}

/// Columns with more different values have no values that tell by coming seldom.
const MOST_VALUES: usize = 1024;

/// Whether cells have several words, by the first ones.
pub fn has_words(cells: &[Option<Cell<'_>>]) -> bool {
    let sample = || cells.iter().flatten().take(16);
    sample().filter(|cell| cell.text.trim().contains(' ')).count() * 2 > sample().count()
}

/// The different values of a column, where they are not too many.
pub struct Values<'a> {
    pub texts: Vec<Cell<'a>>,
    pub counts: Vec<u32>,
    /// The number of each row's value; [`ABSENT`] where there is none.
    pub codes: Vec<u32>,
}

const ABSENT: u32 = u32::MAX;

impl<'a> Values<'a> {
    pub fn new(cells: &[Option<Cell<'a>>]) -> Option<Self> {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut values =
            Self { texts: Vec::new(), counts: Vec::new(), codes: Vec::with_capacity(cells.len()) };
        let most = MOST_VALUES.min(cells.len() / 2 + 8);
        let mut last = ("", ABSENT);
        for (row, cell) in cells.iter().enumerate() {
            let Some(cell) = cell else {
                values.codes.push(ABSENT);
                continue;
            };
            if last.1 == ABSENT || last.0 != cell.text {
                // Two in three of the first ones different: so they go on.
                if values.texts.len() >= most || (row == 96 && values.texts.len() > 64) {
                    return None;
                }
                let next = values.texts.len() as u32;
                let code = *numbers.entry(cell.text).or_insert(next);
                if code == next {
                    values.texts.push(*cell);
                    values.counts.push(0);
                }
                last = (cell.text, code);
            }
            values.counts[last.1 as usize] += 1;
            values.codes.push(last.1);
        }
        Some(values)
    }
}

/// A column's numbers, where nearly all of it are some.
pub fn numbers_of(cells: &[Option<Cell<'_>>]) -> Option<Vec<Option<f64>>> {
    let number = |cell: &Cell<'_>| match cell.sort {
        Sort::Number => fast_float2::parse::<f64, _>(cell.text).ok(),
        Sort::Text if cell.text.len() <= 24 => numbers::parse(cell.text),
        _ => None,
    };
    let sample = || cells.iter().flatten().take(32);
    if sample().filter(|cell| number(cell).is_some()).count() * 4 < sample().count() * 3 || cells.len() < 8 {
        return None;
    }
    let numbers: Vec<Option<f64>> =
        cells.iter().map(|cell| cell.as_ref().and_then(number).filter(|number| number.is_finite())).collect();
    let present = cells.iter().flatten().count();
    (numbers.iter().flatten().count() * 5 >= present * 4 && present > 0).then_some(numbers)
}
