//! NEON's register: four numbers. It has no gathers, so table entries are read one by one.

use core::arch::aarch64::*;

use crate::kernels::vector::{Vector, two_operands};
use crate::lane::{Lane, LaneWidth};

/// `self`'s numbers, each through `function`.
#[inline(always)]
fn each(numbers: int32x4_t, function: impl Fn(u32) -> u32) -> int32x4_t {
    let mut values = [0u32; 4];
    // SAFETY: four numbers are there.
    unsafe {
        vst1q_u32(values.as_mut_ptr(), vreinterpretq_u32_s32(numbers));
        let values = values.map(function);
        vreinterpretq_s32_u32(vld1q_u32(values.as_ptr()))
    }
}

/// Eight bytes, the first four of which are those at `from`.
///
/// # Safety
/// Four bytes are there.
#[inline(always)]
unsafe fn four_bytes(from: *const u8) -> uint8x8_t {
    // SAFETY: by the caller.
    unsafe { vcreate_u8(from.cast::<u32>().read_unaligned().into()) }
}

impl Vector for int32x4_t {
    const COUNT: usize = 4;
    type Table = *const u16;

    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        unsafe { vdupq_n_s32(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        unsafe { vld1q_s32(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        unsafe { vst1q_s32(to, self) }
    }

    #[inline(always)]
    unsafe fn load_lanes<A: Lane>(from: *const A) -> Self {
        unsafe {
            match A::WIDTH {
                LaneWidth::I8 => {
                    let halves = vmovl_s8(vreinterpret_s8_u8(four_bytes(from.cast())));
                    vmovl_s16(vget_low_s16(halves))
                }
                LaneWidth::I16 => vmovl_s16(vld1_s16(from.cast())),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_lanes<A: Lane>(self, to: *mut A) {
        unsafe {
            let halves = vqmovn_s32(self);
            match A::WIDTH {
                LaneWidth::I8 => {
                    let bytes = vreinterpret_u32_s8(vqmovn_s16(vcombine_s16(halves, halves)));
                    to.cast::<u32>().write_unaligned(vget_lane_u32::<0>(bytes));
                }
                LaneWidth::I16 => vst1_s16(to.cast(), halves),
            }
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        unsafe {
            let halves = vmovl_u8(four_bytes(from));
            vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(halves)))
        }
    }

    two_operands! {
        add => vaddq_s32,
        sub => vsubq_s32,
        min => vminq_s32,
        max => vmaxq_s32,
        mul => vmulq_s32,
        and => vandq_s32,
        xor => veorq_s32,
    }

    // A shift by a negative count is one to the right. The compiler knows these counts.

    #[inline(always)]
    unsafe fn shl<const BY: u32>(self) -> Self {
        unsafe { vshlq_s32(self, vdupq_n_s32(BY as i32)) }
    }

    #[inline(always)]
    unsafe fn shr<const BY: u32>(self) -> Self {
        unsafe { self.shr_all(BY) }
    }

    #[inline(always)]
    unsafe fn sar<const BY: u32>(self) -> Self {
        unsafe { vshlq_s32(self, vdupq_n_s32(-(BY as i32))) }
    }

    /// The instruction reads a count's last byte alone, hence the minimum.
    #[inline(always)]
    unsafe fn shr_each(self, by: Self) -> Self {
        unsafe {
            let by = vminq_u32(vreinterpretq_u32_s32(by), vdupq_n_u32(32));
            let left = vnegq_s32(vreinterpretq_s32_u32(by));
            vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(self), left))
        }
    }

    #[inline(always)]
    unsafe fn shr_all(self, by: u32) -> Self {
        unsafe {
            let left = vdupq_n_s32(-(by.min(32) as i32));
            vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(self), left))
        }
    }

    #[inline(always)]
    unsafe fn mul_even(self, other: Self) -> Self {
        unsafe {
            let even = |numbers| vmovn_s64(vreinterpretq_s64_s32(numbers));
            vreinterpretq_s32_s64(vmull_s32(even(self), even(other)))
        }
    }

    #[inline(always)]
    unsafe fn add64(self, other: Self) -> Self {
        unsafe { vreinterpretq_s32_s64(vaddq_s64(vreinterpretq_s64_s32(self), vreinterpretq_s64_s32(other))) }
    }

    #[inline(always)]
    unsafe fn shl64<const BY: u32>(self) -> Self {
        unsafe { vreinterpretq_s32_s64(vshlq_s64(vreinterpretq_s64_s32(self), vdupq_n_s64(i64::from(BY)))) }
    }

    #[inline(always)]
    unsafe fn shr64<const BY: u32>(self) -> Self {
        unsafe { vreinterpretq_s32_u64(vshlq_u64(vreinterpretq_u64_s32(self), vdupq_n_s64(-i64::from(BY)))) }
    }

    #[inline(always)]
    unsafe fn odd(self) -> Self {
        unsafe { vreinterpretq_s32_u64(vshrq_n_u64::<32>(vreinterpretq_u64_s32(self))) }
    }

    #[inline(always)]
    unsafe fn even_and(self, odd: Self) -> Self {
        unsafe { vbslq_s32(vreinterpretq_u32_u64(vdupq_n_u64(0xFFFF_FFFF)), self, odd) }
    }

    #[inline(always)]
    unsafe fn even_then_odd(self) -> Self {
        unsafe {
            let pairs = vreinterpretq_s64_s32(self);
            vcombine_s32(vmovn_s64(pairs), vshrn_n_s64::<32>(pairs))
        }
    }

    #[inline(always)]
    unsafe fn half64() -> Self {
        unsafe { vreinterpretq_s32_s64(vdupq_n_s64(1 << 31)) }
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

    /// The upper halves of the rounded products, as one instruction narrows them.
    #[inline(always)]
    unsafe fn scale(self, factor: Self) -> Self {
        unsafe {
            let low = vmull_s32(vget_low_s32(self), vget_low_s32(factor));
            let high = vmull_high_s32(self, factor);
            vrshrn_high_n_s64::<32>(vrshrn_n_s64::<32>(low), high)
        }
    }
}
