//! The width in which states and activations are stored: 8 or 16 bits.

use crate::fixed::scale;
use crate::trace::Values;

/// How wide stored activations are; a property of the pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LaneWidth {
    /// One byte: half the memory, coarser.
    I8,
    /// Two bytes: what the dual multiply-accumulate of Armv7E-M works on.
    I16,
}

impl LaneWidth {
    /// Bytes of one stored value.
    pub const fn bytes(self) -> usize {
        match self {
            LaneWidth::I8 => 1,
            LaneWidth::I16 => 2,
        }
    }

    /// Largest stored magnitude.
    pub const fn max(self) -> i32 {
        match self {
            LaneWidth::I8 => i8::MAX as i32,
            LaneWidth::I16 => i16::MAX as i32,
        }
    }

    /// Attention outputs are stored as `2^gain` times the weighted mean of the 8-bit values.
    #[doc(hidden)]
    pub const fn attention_gain_bits(self) -> u32 {
        match self {
            LaneWidth::I8 => 0,
            LaneWidth::I16 => 8,
        }
    }

    /// Accumulators are shifted left by this much before they are rescaled: an 8-bit lane counts as the upper
    /// half of a 16-bit one, so that every factor stays below one half.
    #[doc(hidden)]
    pub const fn acc_shift(self) -> u32 {
        match self {
            LaneWidth::I8 => 8,
            LaneWidth::I16 => 0,
        }
    }

    /// Bits of an unnormalised attention weight: as many as the lane holds while
    /// `sequence * 2^bits * 128` stays below `2^31`, so that the weighted sum of values fits 32 bits.
    #[doc(hidden)]
    pub const fn weight_bits(self, sequence: usize) -> u32 {
        let mut bits = match self {
            LaneWidth::I8 => 7,
            LaneWidth::I16 => 15,
        };
        while ((sequence as u64) << bits) * 128 >= 1 << 31 {
            bits -= 1;
        }
        bits
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for i8 {}
    impl Sealed for i16 {}
}

/// `i8` or `i16`.
pub trait Lane: sealed::Sealed + bytemuck::Pod + Default + 'static {
    /// The run-time name of this width.
    const WIDTH: LaneWidth;

    /// Clamps to the range of the type.
    fn saturate(value: i32) -> Self;

    /// Sign-extends.
    fn wide(self) -> i32;

    /// Requantisation of an accumulator over lanes of this width: `scale(acc * 2^acc_shift, factor)`.
    ///
    /// `|acc| < 2^31 / 2^acc_shift` holds for every column of a checked pack.
    #[inline(always)]
    fn requantize(acc: i32, factor: i32) -> i32 {
        scale(acc << Self::WIDTH.acc_shift(), factor)
    }

    /// For [`Trace`](crate::Trace).
    fn values(lanes: &[Self]) -> Values<'_>;
}

impl Lane for i8 {
    const WIDTH: LaneWidth = LaneWidth::I8;

    #[inline(always)]
    fn saturate(value: i32) -> Self {
        value.clamp(i8::MIN as i32, i8::MAX as i32) as i8
    }

    #[inline(always)]
    fn wide(self) -> i32 {
        self as i32
    }

    fn values(lanes: &[Self]) -> Values<'_> {
        Values::I8(lanes)
    }
}

impl Lane for i16 {
    const WIDTH: LaneWidth = LaneWidth::I16;

    #[inline(always)]
    fn saturate(value: i32) -> Self {
        value.clamp(i16::MIN as i32, i16::MAX as i32) as i16
    }

    #[inline(always)]
    fn wide(self) -> i32 {
        self as i32
    }

    fn values(lanes: &[Self]) -> Values<'_> {
        Values::I16(lanes)
    }
}
