//! WebAssembly's register: four numbers. It has neither shifts by a count for each number nor
//! gathers, so these go one by one.

use core::arch::wasm32::*;

use crate::kernels::vector::{Vector, two_operands};
use crate::lane::{Lane, LaneWidth};

/// `self`'s numbers, each through `function`.
#[inline(always)]
fn each(numbers: v128, function: impl Fn(u32) -> u32) -> v128 {
    u32x4(
        function(u32x4_extract_lane::<0>(numbers)),
        function(u32x4_extract_lane::<1>(numbers)),
        function(u32x4_extract_lane::<2>(numbers)),
        function(u32x4_extract_lane::<3>(numbers)),
    )
}

impl Vector for v128 {
    const COUNT: usize = 4;
    type Table = *const u16;

    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        i32x4_splat(value)
    }

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        unsafe { v128_store(to.cast(), self) }
    }

    #[inline(always)]
    unsafe fn load_lanes<A: Lane>(from: *const A) -> Self {
        unsafe {
            match A::WIDTH {
                LaneWidth::I8 => {
                    i32x4_extend_low_i16x8(i16x8_extend_low_i8x16(v128_load32_zero(from.cast())))
                }
                LaneWidth::I16 => i32x4_extend_low_i16x8(v128_load64_zero(from.cast())),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_lanes<A: Lane>(self, to: *mut A) {
        let words = i16x8_narrow_i32x4(self, self);
        unsafe {
            match A::WIDTH {
                LaneWidth::I8 => v128_store32_lane::<0>(i8x16_narrow_i16x8(words, words), to.cast()),
                LaneWidth::I16 => v128_store64_lane::<0>(words, to.cast()),
            }
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        unsafe { u32x4_extend_low_u16x8(u16x8_extend_low_u8x16(v128_load32_zero(from.cast()))) }
    }

    two_operands! {
        add => i32x4_add,
        sub => i32x4_sub,
        min => i32x4_min,
        max => i32x4_max,
        mul => i32x4_mul,
        and => v128_and,
        xor => v128_xor,
        add64 => i64x2_add,
    }

    #[inline(always)]
    unsafe fn shl<const BY: u32>(self) -> Self {
        i32x4_shl(self, BY)
    }

    #[inline(always)]
    unsafe fn shr<const BY: u32>(self) -> Self {
        u32x4_shr(self, BY)
    }

    #[inline(always)]
    unsafe fn sar<const BY: u32>(self) -> Self {
        i32x4_shr(self, BY)
    }

    #[inline(always)]
    unsafe fn shr_each(self, by: Self) -> Self {
        let shift = |value: u32, by: u32| value.checked_shr(by).unwrap_or(0);
        u32x4(
            shift(u32x4_extract_lane::<0>(self), u32x4_extract_lane::<0>(by)),
            shift(u32x4_extract_lane::<1>(self), u32x4_extract_lane::<1>(by)),
            shift(u32x4_extract_lane::<2>(self), u32x4_extract_lane::<2>(by)),
            shift(u32x4_extract_lane::<3>(self), u32x4_extract_lane::<3>(by)),
        )
    }

    #[inline(always)]
    unsafe fn shr_all(self, by: u32) -> Self {
        u32x4_shr(self, by)
    }

    #[inline(always)]
    unsafe fn mul_even(self, other: Self) -> Self {
        let even = |numbers| i32x4_shuffle::<0, 2, 0, 2>(numbers, numbers);
        i64x2_extmul_low_i32x4(even(self), even(other))
    }

    #[inline(always)]
    unsafe fn odd(self) -> Self {
        u64x2_shr(self, 32)
    }

    #[inline(always)]
    unsafe fn even_and(self, odd: Self) -> Self {
        i32x4_shuffle::<0, 5, 2, 7>(self, odd)
    }

    #[inline(always)]
    unsafe fn even_then_odd(self) -> Self {
        i32x4_shuffle::<0, 2, 1, 3>(self, self)
    }

    #[inline(always)]
    unsafe fn shl64<const BY: u32>(self) -> Self {
        i64x2_shl(self, BY)
    }

    #[inline(always)]
    unsafe fn shr64<const BY: u32>(self) -> Self {
        u64x2_shr(self, BY)
    }

    #[inline(always)]
    unsafe fn half64() -> Self {
        i64x2_splat(1 << 31)
    }

    #[inline(always)]
    unsafe fn table(from: *const u16) -> Self::Table {
        from
    }

    #[inline(always)]
    unsafe fn look_up(self, table: Self::Table) -> Self {
        each(self, |at| unsafe { table.add(at as usize).read() }.into())
    }

    #[inline(always)]
    unsafe fn look_up_bias(self, bias: &[i32]) -> Self {
        each(self, |class| bias.get(class as usize).map_or(0, |bias| *bias as u32))
    }

    /// The halves of the register multiply in place, without moving even numbers apart.
    #[inline(always)]
    unsafe fn scale(self, factor: Self) -> Self {
        let half = i64x2_splat(1 << 31);
        let low = i64x2_add(i64x2_extmul_low_i32x4(self, factor), half);
        let high = i64x2_add(i64x2_extmul_high_i32x4(self, factor), half);
        i32x4_shuffle::<1, 3, 5, 7>(low, high)
    }
}
