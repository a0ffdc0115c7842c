//! JSON numbers to doubles, correctly rounded.
//!
//! Integers of up to 18 digits and short decimals are exact in a few operations (Clinger's fast path: a mantissa and
//! a power of ten that are both exact in a double); the rest goes to the Eisel-Lemire algorithm of fast-float2.

/// A number as the tape keeps it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Integer(i64),
    Float(f64),
}

/// Powers of ten that a double holds exactly.
const EXACT: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Digits whose value surely fits in a `u64`.
const MAX_DIGITS: usize = 19;

/// Reads the number that starts at `from`: its value and its length, or the length up to the offending byte.
///
/// # Safety
///
/// `from` must point at a digit or a minus sign in padded text.
#[inline(always)]
pub unsafe fn parse(from: *const u8) -> Result<(Number, usize), usize> {
    // SAFETY: no digit is zero, so every loop below ends in the padding at the latest.
    unsafe {
        let negative = *from == b'-';
        let start = usize::from(negative);
        let mut at = start;
        let mut mantissa = 0u64;
        match *from.add(at) {
            b'0' => {
                at += 1;
                if (*from.add(at)).is_ascii_digit() {
                    return Err(at);
                }
            }
            b'1'..=b'9' => digits(from, &mut at, &mut mantissa),
            _ => return Err(at),
        }
        let mut significant = at - start;
        let next = *from.add(at);
        if next != b'.' && next | 0x20 != b'e' {
            return Ok((integer(from, at, negative, mantissa, significant), at));
        }
        let mut exponent = 0i64;
        if next == b'.' {
            at += 1;
            let fraction = at;
            digits(from, &mut at, &mut mantissa);
            if at == fraction {
                return Err(at);
            }
            significant += at - fraction;
            exponent = -((at - fraction) as i64);
        }
        if *from.add(at) | 0x20 == b'e' {
            exponent += read_exponent(from, &mut at)?;
        }
        if significant <= MAX_DIGITS && mantissa <= 1 << 53 && exponent.unsigned_abs() < EXACT.len() as u64 {
            let power = EXACT[exponent.unsigned_abs() as usize];
            let value = if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power };
            return Ok((Number::Float(if negative { -value } else { value }), at));
        }
        Ok((Number::Float(slow(std::slice::from_raw_parts(from, at))), at))
    }
}

/// Adds the digits from `at` on to `mantissa` (wrapping), eight at a time while there are so many.
///
/// # Safety
///
/// As for [`parse`].
#[inline(always)]
unsafe fn digits(from: *const u8, at: &mut usize, mantissa: &mut u64) {
    // SAFETY: passed on; eight bytes are readable from every byte of padded text.
    unsafe {
        loop {
            let word = u64::from_le(from.add(*at).cast::<u64>().read_unaligned());
            if !eight_digits(word) {
                break;
            }
            *mantissa = mantissa.wrapping_mul(100_000_000).wrapping_add(eight_digits_value(word));
            *at += 8;
        }
        loop {
            let digit = (*from.add(*at)).wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            *at += 1;
        }
    }
}

/// Whether all eight bytes are digits.
#[inline(always)]
fn eight_digits(word: u64) -> bool {
    let above = word.wrapping_add(0x4646_4646_4646_4646);
    let below = word.wrapping_sub(0x3030_3030_3030_3030);
    (above | below) & 0x8080_8080_8080_8080 == 0
}

/// Value of eight digits, the first in the lowest byte: pairs, then fours, then the eight.
#[inline(always)]
fn eight_digits_value(word: u64) -> u64 {
    let units = word.wrapping_sub(0x3030_3030_3030_3030);
    let pairs = units.wrapping_mul(10).wrapping_add(units >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

#[inline(always)]
unsafe fn integer(from: *const u8, length: usize, negative: bool, mantissa: u64, digits: usize) -> Number {
    if negative && mantissa == 0 && digits <= MAX_DIGITS {
        return Number::Float(-0.0);
    }
    if digits < MAX_DIGITS {
        let value = mantissa as i64;
        return Number::Integer(if negative { -value } else { value });
    }
    if digits == MAX_DIGITS {
        // Conversion from an integer rounds to the nearest, ties to even, as it should.
        let value = mantissa as f64;
        return Number::Float(if negative { -value } else { value });
    }
    // SAFETY: `length` bytes were read from `from`.
    Number::Float(slow(unsafe { std::slice::from_raw_parts(from, length) }))
}

/// Reads `e`, a sign and digits; the value is clamped where no double could tell.
///
/// # Safety
///
/// As for [`parse`], `at` being the index of the `e`.
#[inline(always)]
unsafe fn read_exponent(from: *const u8, at: &mut usize) -> Result<i64, usize> {
    // SAFETY: passed on.
    unsafe {
        *at += 1;
        let sign = *from.add(*at);
        *at += usize::from(sign == b'+' || sign == b'-');
        let first = *at;
        let mut value = 0i64;
        while (*from.add(*at)).is_ascii_digit() {
            value = (value * 10 + i64::from(*from.add(*at) - b'0')).min(1 << 40);
            *at += 1;
        }
        if *at == first { Err(*at) } else { Ok(if sign == b'-' { -value } else { value }) }
    }
}

#[cold]
#[inline(never)]
fn slow(literal: &[u8]) -> f64 {
    // A JSON number is a number to fast-float2 too; too large ones are infinite, as in JSON.parse.
    fast_float2::parse::<f64, _>(literal).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(literal: &str) -> Result<(f64, usize), usize> {
        let mut padded = literal.as_bytes().to_vec();
        padded.extend([0; 64]);
        // SAFETY: the text is padded; callers pass literals that start with a digit or a sign.
        let (number, length) = unsafe { parse(padded.as_ptr()) }?;
        Ok((
            match number {
                Number::Integer(value) => value as f64,
                Number::Float(value) => value,
            },
            length,
        ))
    }

    fn exact(literal: &str) {
        let (value, length) = read(literal).unwrap();
        assert_eq!(length, literal.len(), "{literal}");
        assert_eq!(value.to_bits(), literal.parse::<f64>().unwrap().to_bits(), "{literal}");
    }

    #[test]
    fn literals_that_round_narrowly() {
        for literal in [
            "0",
            "-0",
            "-0.0",
            "0.1",
            "1e22",
            "1e23",
            "123456789012345678",
            "1234567890123456789",
            "18446744073709551615",
            "18446744073709551616",
            "9007199254740993",
            "9007199254740992.5",
            "2.2250738585072011e-308",
            "5e-324",
            "2e-324",
            "1.7976931348623157e308",
            "1.7976931348623159e308",
            "1e400",
            "-1e400",
            "1e-400",
            "1e99999999999999999999",
            "0.000000000000000000000000000000000000000000000000000000000000000000001",
            "-65.613616999999977",
            "99999999999999999999999999999999",
            "0e999999999999",
            "268435455",
            "268435456",
            "-268435456",
            "-268435457",
            "6929495644600919.5",
            "3.2378839133029012895883524125015321748630094e-319",
            "0.00000000000000000001e20",
        ] {
            exact(literal);
        }
    }

    #[test]
    fn what_is_no_number_says_where() {
        for (literal, at) in [
            ("-", 1),
            ("01", 1),
            ("-01", 2),
            ("1.", 2),
            ("1.e1", 2),
            ("1e", 2),
            ("1e+", 3),
            ("-a", 1),
            ("1.5e-x", 5),
        ] {
            assert_eq!(read(literal), Err(at), "{literal}");
        }
    }

    proptest! {
        #[test]
        fn doubles_come_back_to_the_last_bit(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                exact(&format!("{value}"));
                exact(&format!("{value:e}"));
            }
        }

        #[test]
        fn decimals_round_as_the_standard_library_does(literal in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][-+]?[0-9]{1,3})?") {
            exact(&literal);
        }
    }
}
