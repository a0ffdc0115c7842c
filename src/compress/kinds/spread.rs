//! How far a number is from others: robust z-scores (Iglewicz and Hoaglin), by medians, which outliers do not move.

/// Median and median distance from it.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub spread: f64,
}

impl Spread {
    pub fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.collect();
        let median = median(&mut numbers);
        for number in &mut numbers {
            *number = (*number - median).abs();
        }
        Self { median, spread: self::median(&mut numbers) }
    }

    pub fn score(&self, number: f64) -> f64 {
        0.6745 * (number - self.median).abs() / self.spread
    }
}

/// Of no numbers 0. Disturbs their order.
fn median(numbers: &mut [f64]) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    let middle = numbers.len() / 2;
    *numbers.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// By which a long tail is judged.
pub fn logarithm(number: f64) -> f64 {
    number.abs().ln_1p().copysign(number)
}

/// Whether numbers only rise or fall, as counters and ids do, but for one in `exceptions`.
pub fn is_monotone(numbers: &[Option<f64>], exceptions: usize) -> bool {
    let (mut up, mut down) = (0_usize, 0_usize);
    let mut last = None;
    for number in numbers.iter().flatten() {
        if let Some(last) = last {
            up += usize::from(*number > last);
            down += usize::from(*number < last);
        }
        last = Some(*number);
    }
    up + down >= 4 && up.min(down) * exceptions <= up + down
}
