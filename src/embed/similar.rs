//! The rows of a matrix that are most like a vector.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A row and its cosine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    pub index: usize,
    pub score: f32,
}

impl Eq for Match {}

/// The worst first: of equal scores the later row.
impl Ord for Match {
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for Match {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The `count` rows of `matrix`, which are as long as `query`, with the largest cosine, best first. A row of zeros has 0; one that has a value that is
/// no number comes nowhere.
pub fn similar(query: &[f32], matrix: &[f32], count: usize) -> Vec<Match> {
    if query.is_empty() || count == 0 {
        return Vec::new();
    }
    let length = products(query, query)[1].sqrt();
    let mut best = BinaryHeap::with_capacity(count.min(matrix.len() / query.len()) + 1);
    for (index, row) in matrix.chunks_exact(query.len()).enumerate() {
        let [product, squares] = products(query, row);
        let lengths = length * squares.sqrt();
        let score = if lengths == 0.0 { 0.0 } else { product / lengths };
        if score.is_nan() {
            continue;
        }
        let found = Match { index, score };
        if best.len() < count {
            best.push(found);
        } else if best.peek().is_some_and(|worst| found < *worst) {
            best.pop();
            best.push(found);
        }
    }
    best.into_sorted_vec()
}

/// The product of two vectors, and of the second with itself, by the widest vectors that the CPU has.
fn products(a: &[f32], b: &[f32]) -> [f32; 2] {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        #[target_feature(enable = "avx2,fma")]
        fn wide(a: &[f32], b: &[f32]) -> [f32; 2] {
            in_lanes(a, b, f32::mul_add)
        }
        // SAFETY: the CPU has what it needs.
        return unsafe { wide(a, b) };
    }
    in_lanes(a, b, |a, b, sum| a * b + sum)
}

/// Sixteen sums side by side, which the compiler keeps in vectors.
#[inline(always)]
fn in_lanes(a: &[f32], b: &[f32], add: impl Fn(f32, f32, f32) -> f32) -> [f32; 2] {
    const LANES: usize = 16;
    let (mut products, mut squares) = ([0f32; LANES], [0f32; LANES]);
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            products[lane] = add(a[lane], b[lane], products[lane]);
            squares[lane] = add(b[lane], b[lane], squares[lane]);
        }
    }
    for (lane, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
        products[lane] = add(a, b, products[lane]);
        squares[lane] = add(b, b, squares[lane]);
    }
    [products.iter().sum(), squares.iter().sum()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(query: &[f32], matrix: &[f32]) -> Vec<f64> {
        let product = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        let score = |row: &[f32]| {
            let lengths = (product(query, query) * product(row, row)).sqrt();
            if lengths == 0.0 { 0.0 } else { product(query, row) / lengths }
        };
        matrix.chunks(query.len()).map(score).collect()
    }

    proptest! {
        #[test]
        fn finds_what_sorting_finds(
            length in 1usize..70,
            rows in 0usize..40,
            count in 0usize..12,
            values in prop::collection::vec(-1f32..1.0, 70 * 41),
        ) {
            let (query, matrix) = (&values[..length], &values[70..70 + length * rows]);
            let scores = naive(query, matrix);
            let found = similar(query, matrix, count);
            prop_assert_eq!(found.len(), count.min(rows));
            prop_assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
            for &Match { index, score } in &found {
                prop_assert!((f64::from(score) - scores[index]).abs() < 1e-4);
            }
            let worst = found.last().map_or(f32::INFINITY, |last| last.score);
            for (index, &score) in scores.iter().enumerate() {
                prop_assert!(found.iter().any(|found| found.index == index) || count == 0 || score <= f64::from(worst) + 1e-4);
            }
        }
    }

    #[test]
    fn odd_rows() {
        let matrix = [1.0, 0.0, 0.0, 0.0, f32::NAN, 1.0, 2.0, 0.0];
        let found = similar(&[1.0, 0.0], &matrix, 10);
        assert_eq!(
            found.iter().map(|found| (found.index, found.score)).collect::<Vec<_>>(),
            [(0, 1.0), (3, 1.0), (1, 0.0)]
        );
        assert_eq!(similar(&[], &[], 3), []);
        assert_eq!(similar(&[1.0], &[1.0], 0), []);
    }
}
