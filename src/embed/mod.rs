//! Texts as vectors, and vectors that are alike.

mod hash;
mod model;
mod models;
mod similar;

pub use hash::embed;
pub use model::Model;
pub use models::{model, unload};
pub use similar::{Match, similar};

/// Makes a vector's length one, unless it is all zeros. False if it has a value that is no number.
fn normalise(vector: &mut [f32]) -> bool {
    let squares: f64 = vector.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
    if squares > 0.0 {
        let length = squares.sqrt();
        for value in vector.iter_mut() {
            *value = (f64::from(*value) / length) as f32;
        }
    }
    squares.is_finite()
}
