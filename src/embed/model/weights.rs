//! The vectors of tokens, in the file that they lie in.
//!
//! The file (safetensors: a JSON header, then the numbers of its tensors) is mapped, and numbers are made `f32` as they are added up. `Model2Vec`
//! may have two more tensors: a factor for each token, and the row of each where tokens share rows.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::Why;

/// Whose layout a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Model2Vec,
    WordLlama,
}

/// What the matrix is called.
const NAMES: [(&str, Origin); 2] =
    [("embeddings", Origin::Model2Vec), ("embedding.weight", Origin::WordLlama)];

pub struct Weights {
    pub origin: Origin,
    /// Values of a vector.
    pub columns: usize,
    file: File,
    map: Mmap,
    /// Where the matrix lies.
    matrix: Range<usize>,
    element: Dtype,
    rows: usize,
    row_of: Option<Vec<u32>>,
    factors: Option<Vec<f32>>,
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, columns, element, .. } = self;
        write!(f, "Weights({rows} x {columns} {element:?})")
    }
}

impl Weights {
    pub fn open(path: &Path) -> Result<Self, Why> {
        let failed = |why: &dyn fmt::Display| format!("{} is damaged: {why}", path.display());
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        // SAFETY: the map is only read, byte by byte. Whoever cuts a model's file while it is used may end the process, as with
        // any mapped file; `check` sees it where nothing is being read.
        let map = unsafe { Mmap::map(&file) }.map_err(|error| format!("{}: {error}", path.display()))?;
        let tensors = SafeTensors::deserialize(&map).map_err(|error| failed(&error))?;
        let Some((tensor, origin)) =
            NAMES.iter().find_map(|&(name, origin)| Some((tensors.tensor(name).ok()?, origin)))
        else {
            return Err(failed(&"it has neither embeddings nor embedding.weight"));
        };
        let &[rows, columns] = tensor.shape() else { return Err(failed(&"its vectors are no matrix")) };
        if rows == 0 || columns == 0 {
            return Err(failed(&"its vectors are empty"));
        }
        if rows > u32::MAX as usize || number_size(tensor.dtype()).is_none() {
            return Err(failed(&format!("its vectors have values of type {:?}", tensor.dtype())));
        }
        let start = tensor.data().as_ptr() as usize - map.as_ptr() as usize;
        let matrix = start..start + tensor.data().len();
        let element = tensor.dtype();
        let one_each = |name: &str| tensors.tensor(name).ok().filter(|_| origin == Origin::Model2Vec);
        let row_of = one_each("mapping").map(|mapping| rows_of(&mapping, rows).ok_or("its mapping is wrong"));
        let factors =
            one_each("weights").map(|factors| numbers_of(&factors).ok_or("its token weights are wrong"));
        let row_of = row_of.transpose().map_err(|why| failed(&why))?;
        let factors = factors.transpose().map_err(|why| failed(&why))?;
        Ok(Self { origin, columns, file, map, matrix, element, rows, row_of, factors })
    }

    /// Whether the file is still as long as it was.
    pub fn check(&self) -> Result<(), Why> {
        match self.file.metadata() {
            Ok(metadata) if metadata.len() == self.map.len() as u64 => Ok(()),
            Ok(_) => Err("the file of its weights has changed since it was loaded".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Adds the first values of a token's vector to `sum`. A token behind the last is taken for the last, as `WordLlama` has it.
    pub fn add(&self, token: usize, sum: &mut [f32]) {
        let of_token = |list: &[u32]| list.get(token).or(list.last()).map_or(0, |&row| row as usize);
        let row = self.row_of.as_deref().map_or(token, of_token).min(self.rows - 1);
        let factor = self.factors.as_deref().map_or(1.0, |list| list.get(token).copied().unwrap_or(1.0));
        let size = self.matrix.len() / self.rows;
        let row = &self.map[self.matrix.clone()][row * size..][..size];
        add_numbers(row, self.element, factor, sum);
    }
}

/// The bytes of a number, of the types that there may be.
fn number_size(element: Dtype) -> Option<usize> {
    match element {
        Dtype::I8 => Some(1),
        Dtype::F16 | Dtype::BF16 => Some(2),
        Dtype::F32 => Some(4),
        Dtype::F64 => Some(8),
        _ => None,
    }
}

/// A list of numbers.
fn numbers_of(tensor: &TensorView<'_>) -> Option<Vec<f32>> {
    let size = number_size(tensor.dtype())?;
    let mut numbers = vec![0.0; tensor.data().len() / size];
    add_numbers(tensor.data(), tensor.dtype(), 1.0, &mut numbers);
    Some(numbers)
}

/// A list of rows, each below `rows`.
fn rows_of(tensor: &TensorView<'_>, rows: usize) -> Option<Vec<u32>> {
    let row = |number: i64| usize::try_from(number).is_ok_and(|row| row < rows).then_some(number as u32);
    match tensor.dtype() {
        Dtype::I64 => {
            tensor.data().as_chunks().0.iter().map(|&bytes| row(i64::from_le_bytes(bytes))).collect()
        }
        Dtype::I32 => {
            tensor.data().as_chunks().0.iter().map(|&bytes| row(i32::from_le_bytes(bytes).into())).collect()
        }
        _ => None,
    }
}

/// Adds numbers to `sum`, by the widest vectors that the CPU has.
fn add_numbers(bytes: &[u8], element: Dtype, factor: f32, sum: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn wide(bytes: &[u8], element: Dtype, factor: f32, sum: &mut [f32]) {
            add_each(bytes, element, factor, sum);
        }
        // SAFETY: the CPU has what it needs.
        return unsafe { wide(bytes, element, factor, sum) };
    }
    add_each(bytes, element, factor, sum);
}

#[inline(always)]
fn add_each(bytes: &[u8], element: Dtype, factor: f32, sum: &mut [f32]) {
    match element {
        Dtype::I8 => add_read(bytes, factor, sum, |[byte]| f32::from(byte as i8)),
        Dtype::F16 => add_read(bytes, factor, sum, half),
        Dtype::BF16 => add_read(bytes, factor, sum, |[low, high]| f32::from_le_bytes([0, 0, low, high])),
        Dtype::F32 => add_read(bytes, factor, sum, f32::from_le_bytes),
        _ => add_read(bytes, factor, sum, |bytes| f64::from_le_bytes(bytes) as f32),
    }
}

#[inline(always)]
fn add_read<const SIZE: usize>(bytes: &[u8], factor: f32, sum: &mut [f32], read: impl Fn([u8; SIZE]) -> f32) {
    for (sum, &bytes) in sum.iter_mut().zip(bytes.as_chunks().0) {
        *sum += read(bytes) * factor;
    }
}

/// The value of a 16-bit float: its exponent is that of a 32-bit one less 112, but for the highest.
#[inline(always)]
fn half(bytes: [u8; 2]) -> f32 {
    const TWO_TO_112: f32 = f32::from_bits((127 + 112) << 23);
    let bits = u32::from(u16::from_le_bytes(bytes));
    let shifted = (bits & 0x7fff) << 13;
    let finite = f32::from_bits(shifted) * TWO_TO_112;
    let magnitude = if bits & 0x7c00 == 0x7c00 { shifted | 0x7f80_0000 } else { finite.to_bits() };
    f32::from_bits(magnitude | (bits & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 16-bit float by its definition.
    fn naive_half(bits: u16) -> f64 {
        let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
        let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff) / 1024.0);
        match exponent {
            0 => sign * fraction * 2f64.powi(-14),
            31 if fraction == 0.0 => sign * f64::INFINITY,
            31 => f64::NAN,
            _ => sign * (1.0 + fraction) * 2f64.powi(exponent - 15),
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "every one of these values has an exact form")]
    fn every_half_is_read() {
        for bits in 0..=u16::MAX {
            let (read, expected) = (f64::from(half(bits.to_le_bytes())), naive_half(bits));
            assert!(read == expected || read.is_nan() && expected.is_nan(), "{bits:#x}: {read} {expected}");
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "as above")]
    fn numbers_of_all_types_are_added() {
        let values = [1.5f32, -2.0, 0.25, 0.0, 3.0, -7.0, 100.0, 0.5, 1.0];
        let f32s: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let f64s: Vec<u8> = values.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect();
        let bf16s: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()[2..].to_vec()).collect();
        for (bytes, element) in [(f32s, Dtype::F32), (f64s, Dtype::F64), (bf16s, Dtype::BF16)] {
            let mut sum = [1.0; 8];
            add_numbers(&bytes, element, 2.0, &mut sum);
            assert_eq!(sum, [4.0, -3.0, 1.5, 1.0, 7.0, -13.0, 201.0, 2.0], "{element:?}");
        }
        let mut sum = [0.5; 2];
        add_numbers(&[3, 0xfe, 9], Dtype::I8, 1.0, &mut sum);
        assert_eq!(sum, [3.5, -1.5]);
    }
}
