//! Kernels over a processor's registers, whatever these are: a [`Vector`] is one, and [`rows`] are the
//! operations on rows, said once for all of them. Beside it a processor has its own matrix product.
// vendor intrinsics; each safe wrapper has checked the processor and the lengths that they rely on
#![allow(unsafe_code)]

mod product;
mod rows;

#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
pub(super) use product::columns;
pub(super) use product::product;
pub(super) use rows::{
    add_bias, inject, requantize, requantize_pairs, requantize_places, rescale, residual_norm, rotate_heads,
    softmax, swiglu,
};

use crate::lane::{Lane, LaneWidth};

/// Methods of a [`Vector`] that are one instruction each, of two registers.
macro_rules! two_operands {
    ($($method:ident => $instruction:ident),+ $(,)?) => { $(
        #[inline(always)]
        #[allow(unused_unsafe, reason = "some processors' instructions are safe")]
        unsafe fn $method(self, other: Self) -> Self {
            // SAFETY: as for all methods.
            unsafe { $instruction(self, other) }
        }
    )+ };
}
pub(super) use two_operands;

/// Calls a kernel that is made for each number of tokens, 1 to 4.
macro_rules! of_rows {
    ($rows:expr, $($kernel:ident)::+($($argument:expr),*)) => {
        match $rows {
            4 => $($kernel)::+::<4>($($argument),*),
            3 => $($kernel)::+::<3>($($argument),*),
            2 => $($kernel)::+::<2>($($argument),*),
            _ => $($kernel)::+::<1>($($argument),*),
        }
    };
}
pub(super) use of_rows;

/// A register of `i32`: four of them with NEON and in WebAssembly, eight with AVX2, sixteen with AVX-512.
/// Every method is one or a few instructions.
///
/// # Safety
/// Every method needs the implementing type's instructions, hence a caller with that target feature into
/// which it is inlined; pointers must allow the [`COUNT`](Self::COUNT) elements that are read or
/// written, at any alignment.
#[allow(clippy::missing_safety_doc)] // said once, above
pub(super) trait Vector: Copy {
    /// Numbers in a register.
    const COUNT: usize;
    /// 256 table entries of 16 bits, where they are looked up.
    type Table: Copy;

    unsafe fn splat(value: i32) -> Self;
    unsafe fn load(from: *const i32) -> Self;
    unsafe fn store(self, to: *mut i32);
    /// Sign-extends lanes.
    unsafe fn load_lanes<A: Lane>(from: *const A) -> Self;
    /// Saturates to lanes.
    unsafe fn store_lanes<A: Lane>(self, to: *mut A);
    /// Zero-extends bytes.
    unsafe fn load_bytes(from: *const u8) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn min(self, other: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
    /// The lower halves of the products.
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn and(self, other: Self) -> Self;
    unsafe fn xor(self, other: Self) -> Self;
    unsafe fn shl<const BY: u32>(self) -> Self;
    /// Shifts in zeros.
    unsafe fn shr<const BY: u32>(self) -> Self;
    /// Shifts in the sign.
    unsafe fn sar<const BY: u32>(self) -> Self;
    /// Shifts each number in zeros, by its own count; 32 and more give 0.
    unsafe fn shr_each(self, by: Self) -> Self;
    /// Shifts all in zeros, by one count.
    unsafe fn shr_all(self, by: u32) -> Self;
    /// The even numbers as 64-bit products.
    unsafe fn mul_even(self, other: Self) -> Self;
    unsafe fn add64(self, other: Self) -> Self;
    unsafe fn shl64<const BY: u32>(self) -> Self;
    /// Shifts in zeros.
    unsafe fn shr64<const BY: u32>(self) -> Self;
    /// The odd numbers in the places of the even ones, the rest zeros.
    unsafe fn odd(self) -> Self;
    /// The even numbers of `self`, the odd ones of `odd`.
    unsafe fn even_and(self, odd: Self) -> Self;
    /// All even numbers, then all odd ones.
    unsafe fn even_then_odd(self) -> Self;
    /// 2^31 in each 64-bit number.
    unsafe fn half64() -> Self;
    /// `from` has 256 entries.
    unsafe fn table(from: *const u16) -> Self::Table;
    /// The entries at `self`, each in 0..256.
    unsafe fn look_up(self, table: Self::Table) -> Self;
    /// `bias[self]`, zeros beyond its end.
    unsafe fn look_up_bias(self, bias: &[i32]) -> Self;

    /// [`scale`](crate::fixed::scale).
    #[inline(always)]
    unsafe fn scale(self, factor: Self) -> Self {
        // SAFETY: as for all methods.
        unsafe {
            let even = self.mul_even(factor).add64(Self::half64());
            let odd = self.odd().mul_even(factor.odd()).add64(Self::half64());
            even.odd().even_and(odd)
        }
    }

    /// [`Lane::requantize`] of accumulators over lanes `A`.
    #[inline(always)]
    unsafe fn requantize<A: Lane>(self, factor: Self) -> Self {
        // SAFETY: as for all methods.
        unsafe {
            match A::WIDTH {
                LaneWidth::I8 => self.shl::<8>().scale(factor),
                LaneWidth::I16 => self.scale(factor),
            }
        }
    }
}
