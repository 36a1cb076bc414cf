//! Fixed-point arithmetic: one rounding rule, one way to rescale.
//!
//! **Rounding.** Every narrowing in this crate rounds to nearest, ties towards plus infinity:
//! `round(v / 2^s) = floor((v + 2^(s-1)) / 2^s)`. It is what an arithmetic shift after adding half gives, and
//! what Cortex-M's `SMMULR` does, so the definition costs one instruction where it matters.

/// `round(value * factor / 2^32)`: multiplies by the fraction `factor / 2^32` (below one half in magnitude).
///
/// Any pair of arguments is allowed; the result is within `±2^30`. Equals Cortex-M `SMMULR`.
///
/// ```
/// use hrm_core::fixed::scale;
/// assert_eq!(scale(10, 1 << 30), 3); // 2.5 rounds up
/// assert_eq!(scale(-10, 1 << 30), -2); // -2.5 rounds up, too
/// ```
#[inline(always)]
pub const fn scale(value: i32, factor: i32) -> i32 {
    ((value as i64 * factor as i64 + (1 << 31)) >> 32) as i32
}

/// `round(value / 2^shift)` for `shift` in `0..=62`.
#[inline(always)]
pub const fn round_shift(value: i64, shift: u32) -> i64 {
    if shift == 0 { value } else { (value + (1 << (shift - 1))) >> shift }
}

/// A positive factor `mantissa / 2^shift` with `mantissa < 2^31` and `shift` in `1..=32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gain {
    /// Below `2^31`; at least `2^30` unless `shift` is 32.
    pub mantissa: i32,
    /// Right shift of the product.
    pub shift: u32,
}

impl Gain {
    /// `round(value * mantissa / 2^shift)`, clamped to `i32`.
    #[inline(always)]
    pub const fn apply(self, value: i32) -> i32 {
        let wide = round_shift(value as i64 * self.mantissa as i64, self.shift);
        if wide > i32::MAX as i64 {
            i32::MAX
        } else if wide < i32::MIN as i64 {
            i32::MIN
        } else {
            wide as i32
        }
    }
}

/// `numerator / 2^12 / sqrt(square)` as a [`Gain`].
///
/// `numerator` is in `1..2^28`, `square` in `2^16..2^63`; smaller squares count as `2^16`. The relative error
/// is below `2^-26` plus half a unit of the mantissa (see the property test). Newton's iteration for the
/// reciprocal square root, integers only.
pub const fn over_sqrt(numerator: u32, square: u64) -> Gain {
    let square = if square < 1 << 16 { 1 << 16 } else { square };
    // square = m / 2^twice, m in [2^62, 2^64), twice even
    let twice = square.leading_zeros() & !1;
    let v = ((square << twice) >> 32) as u32; // Q32, in [1/4, 1)
    // y ~ 1/sqrt(v) in Q30: a line, then four steps of y (3 - v y^2) / 2
    let mut y = 2_254_857_830 - ((v as u64 * 1_288_490_189) >> 32) as u32; // 2.1 - 1.2 v
    let mut step = 0;
    while step < 4 {
        let y2 = (y as u64 * y as u64) >> 31; // Q29
        let vy2 = (v as u64 * y2) >> 32; // Q29
        let half = (3 << 29) - vy2; // Q29: (3 - v y^2); halved by reading it as Q30
        y = ((y as u64 * half) >> 30) as u32;
        step += 1;
    }
    // gain * 2^32 = numerator * y * 2^(twice/2 - 42)
    let product = numerator as u64 * y as u64;
    let drop = 42 - twice / 2;
    let bits = 64 - product.leading_zeros();
    let extra = bits.saturating_sub(drop + 31);
    let mantissa = round_shift(product as i64, drop + extra);
    let (mantissa, extra) =
        if mantissa > i32::MAX as i64 { (mantissa >> 1, extra + 1) } else { (mantissa, extra) };
    Gain { mantissa: mantissa as i32, shift: 32 - extra }
}

/// `1 / divisor` as `reciprocal / 2^(16 + bits)`, for attention's normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reciprocal {
    /// In `65_535..=131_071`.
    pub reciprocal: u32,
    /// Bit length of the divisor.
    pub bits: u32,
}

/// The reciprocal of `divisor` (at least 1, below `2^31`; 0 counts as 1) to 16 bits: relative error below
/// `2^-14`. One 32-bit division.
pub const fn reciprocal(divisor: u32) -> Reciprocal {
    let divisor = if divisor == 0 { 1 } else { divisor };
    let bits = 32 - divisor.leading_zeros();
    let top = if bits > 16 { (divisor + (1 << (bits - 17))) >> (bits - 16) } else { divisor << (16 - bits) };
    // at least 2^15 already; the compiler cannot know
    let top = if top == 0 { 1 } else { top };
    Reciprocal { reciprocal: u32::MAX / top, bits }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_go_up() {
        assert_eq!(scale(1, i32::MAX), 0); // just below one half
        assert_eq!(scale(2, 1 << 30), 1);
        assert_eq!(scale(-2, 1 << 30), 0);
        assert_eq!(round_shift(3, 1), 2);
        assert_eq!(round_shift(-3, 1), -1);
        assert_eq!(scale(i32::MIN, i32::MIN), 1 << 30);
        assert_eq!(scale(i32::MAX, i32::MIN), -(1 << 30) + 1);
    }

    #[test]
    fn a_gain_rounds_once_and_saturates_on_both_sides() {
        let gain = |mantissa, shift| Gain { mantissa, shift };
        assert_eq!(gain(3, 1).apply(1), 2); // 1.5 rounds up
        assert_eq!(gain(3, 1).apply(-1), -1);
        assert_eq!(gain(i32::MAX, 32).apply(i32::MAX), (1 << 30) - 1);
        assert_eq!(gain(4, 1).apply(i32::MAX), i32::MAX);
        assert_eq!(gain(4, 1).apply(i32::MIN), i32::MIN);
        assert_eq!(gain(i32::MAX, 1).apply(i32::MIN), i32::MIN);
        assert_eq!(gain(2, 1).apply(i32::MIN), i32::MIN);
        assert_eq!(gain(2, 1).apply(i32::MAX), i32::MAX);
    }

    #[test]
    fn smaller_squares_count_as_the_smallest() {
        for square in [0, 1, 1 << 15, (1 << 16) - 1] {
            assert_eq!(over_sqrt(12345, square), over_sqrt(12345, 1 << 16));
        }
        assert_ne!(over_sqrt(12345, 1 << 17), over_sqrt(12345, 1 << 16));
    }

    #[test]
    fn a_mantissa_that_rounds_up_to_the_next_power_of_two_is_halved() {
        let mut rounded_up = 0;
        for square in (1u64 << 16)..(1 << 16) + 4000 {
            // The reciprocal root in 31 bits, and the numerators whose products with it are nearest below a
            // power of two.
            let root = over_sqrt(1 << 27, square).mantissa as u64;
            for bits in 55..=58 {
                let numerator = ((1u64 << bits) - 1) / root;
                let gain = over_sqrt(numerator as u32, square);
                let exact = numerator as f64 / 4096.0 / (square as f64).sqrt();
                let got = gain.mantissa as f64 / (gain.shift as f64).exp2();
                assert!((got / exact - 1.0).abs() < (2f64).powi(-25), "{numerator} {square}: {gain:?}");
                rounded_up += u32::from(gain.mantissa == 1 << 30);
            }
        }
        assert!(rounded_up > 20, "{rounded_up}");
    }

    proptest! {
        #[test]
        fn scale_is_nearest(value: i32, factor: i32) {
            let exact = value as f64 * factor as f64 / 4294967296.0;
            prop_assert!((scale(value, factor) as f64 - exact).abs() <= 0.5);
        }

        #[test]
        fn over_sqrt_is_close(numerator in 1u32..1 << 28, exponent in 16u32..63, low: u64) {
            let square = (1u64 << exponent) | (low & ((1u64 << exponent) - 1));
            let gain = over_sqrt(numerator, square);
            let exact = numerator as f64 / 4096.0 / (square as f64).sqrt();
            let got = gain.mantissa as f64 / (gain.shift as f64).exp2();
            let bound = exact * (2f64).powi(-26) + 0.5 / (gain.shift as f64).exp2();
            prop_assert!((got - exact).abs() <= bound, "{got} {exact} {gain:?}");
            prop_assert!((1..=32).contains(&gain.shift));
        }

        #[test]
        fn reciprocal_is_close(divisor in 1u32..1 << 31) {
            let r = reciprocal(divisor);
            let got = r.reciprocal as f64 / (16.0 + r.bits as f64).exp2();
            prop_assert!((got * divisor as f64 - 1.0).abs() < (2f64).powi(-14));
        }
    }
}
