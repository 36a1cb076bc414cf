//! The registers of AVX2, eight numbers, and of AVX-512, sixteen.

use core::arch::x86_64::*;

use crate::kernels::vector::{Vector, two_operands};
use crate::lane::{Lane, LaneWidth};

impl Vector for __m256i {
    const COUNT: usize = 8;
    type Table = *const u16;

    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        unsafe { _mm256_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        unsafe { _mm256_storeu_si256(to.cast(), self) }
    }

    #[inline(always)]
    unsafe fn load_lanes<A: Lane>(from: *const A) -> Self {
        unsafe {
            match A::WIDTH {
                LaneWidth::I8 => _mm256_cvtepi8_epi32(_mm_loadl_epi64(from.cast())),
                LaneWidth::I16 => _mm256_cvtepi16_epi32(_mm_loadu_si128(from.cast())),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_lanes<A: Lane>(self, to: *mut A) {
        unsafe {
            let words = _mm_packs_epi32(_mm256_castsi256_si128(self), _mm256_extracti128_si256::<1>(self));
            match A::WIDTH {
                LaneWidth::I8 => _mm_storel_epi64(to.cast(), _mm_packs_epi16(words, words)),
                LaneWidth::I16 => _mm_storeu_si128(to.cast(), words),
            }
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        unsafe { _mm256_cvtepu8_epi32(_mm_loadl_epi64(from.cast())) }
    }

    two_operands! {
        add => _mm256_add_epi32,
        sub => _mm256_sub_epi32,
        min => _mm256_min_epi32,
        max => _mm256_max_epi32,
        mul => _mm256_mullo_epi32,
        and => _mm256_and_si256,
        xor => _mm256_xor_si256,
        shr_each => _mm256_srlv_epi32,
        mul_even => _mm256_mul_epi32,
        add64 => _mm256_add_epi64,
    }

    #[inline(always)]
    unsafe fn shl<const BY: u32>(self) -> Self {
        unsafe { _mm256_sll_epi32(self, _mm_cvtsi32_si128(BY as i32)) }
    }

    #[inline(always)]
    unsafe fn shr<const BY: u32>(self) -> Self {
        unsafe { _mm256_srl_epi32(self, _mm_cvtsi32_si128(BY as i32)) }
    }

    #[inline(always)]
    unsafe fn sar<const BY: u32>(self) -> Self {
        unsafe { _mm256_sra_epi32(self, _mm_cvtsi32_si128(BY as i32)) }
    }

    #[inline(always)]
    unsafe fn shr_all(self, by: u32) -> Self {
        unsafe { _mm256_srl_epi32(self, _mm_cvtsi32_si128(by as i32)) }
    }

    #[inline(always)]
    unsafe fn odd(self) -> Self {
        unsafe { _mm256_srli_epi64::<32>(self) }
    }

    #[inline(always)]
    unsafe fn even_and(self, odd: Self) -> Self {
        unsafe { _mm256_blend_epi32::<0b1010_1010>(self, odd) }
    }

    #[inline(always)]
    unsafe fn even_then_odd(self) -> Self {
        unsafe { _mm256_permutevar8x32_epi32(self, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7)) }
    }

    #[inline(always)]
    unsafe fn shl64<const BY: u32>(self) -> Self {
        unsafe { _mm256_sll_epi64(self, _mm_cvtsi32_si128(BY as i32)) }
    }

    #[inline(always)]
    unsafe fn shr64<const BY: u32>(self) -> Self {
        unsafe { _mm256_srl_epi64(self, _mm_cvtsi32_si128(BY as i32)) }
    }

    #[inline(always)]
    unsafe fn half64() -> Self {
        unsafe { _mm256_set1_epi64x(1 << 31) }
    }

    #[inline(always)]
    unsafe fn table(from: *const u16) -> Self::Table {
        from
    }

    /// Gathers the two entries of a 32-bit word and keeps one, so that nothing beyond the table is read.
    #[inline(always)]
    unsafe fn look_up(self, table: Self::Table) -> Self {
        unsafe {
            let both = _mm256_i32gather_epi32::<4>(table.cast(), self.shr::<1>());
            let which = self.and(Self::splat(1)).shl::<4>();
            both.shr_each(which).and(Self::splat(0xFFFF))
        }
    }

    #[inline(always)]
    unsafe fn look_up_bias(self, bias: &[i32]) -> Self {
        unsafe {
            // the length fits: classes are bytes, so a bias beyond the 256th is never meant
            let inside = _mm256_cmpgt_epi32(Self::splat(bias.len().min(256) as i32), self);
            _mm256_mask_i32gather_epi32::<4>(_mm256_setzero_si256(), bias.as_ptr(), self, inside)
        }
    }
}

impl Vector for __m512i {
    const COUNT: usize = 16;
    type Table = [__m512i; 8];

    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        unsafe { _mm512_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const i32) -> Self {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut i32) {
        unsafe { _mm512_storeu_si512(to.cast(), self) }
    }

    #[inline(always)]
    unsafe fn load_lanes<A: Lane>(from: *const A) -> Self {
        unsafe {
            match A::WIDTH {
                LaneWidth::I8 => _mm512_cvtepi8_epi32(_mm_loadu_si128(from.cast())),
                LaneWidth::I16 => _mm512_cvtepi16_epi32(_mm256_loadu_si256(from.cast())),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_lanes<A: Lane>(self, to: *mut A) {
        unsafe {
            match A::WIDTH {
                LaneWidth::I8 => _mm_storeu_si128(to.cast(), _mm512_cvtsepi32_epi8(self)),
                LaneWidth::I16 => _mm256_storeu_si256(to.cast(), _mm512_cvtsepi32_epi16(self)),
            }
        }
    }

    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        unsafe { _mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast())) }
    }

    two_operands! {
        add => _mm512_add_epi32,
        sub => _mm512_sub_epi32,
        min => _mm512_min_epi32,
        max => _mm512_max_epi32,
        mul => _mm512_mullo_epi32,
        and => _mm512_and_si512,
        xor => _mm512_xor_si512,
        shr_each => _mm512_srlv_epi32,
        mul_even => _mm512_mul_epi32,
        add64 => _mm512_add_epi64,
    }

    #[inline(always)]
    unsafe fn shl<const BY: u32>(self) -> Self {
        unsafe { _mm512_slli_epi32::<BY>(self) }
    }

    #[inline(always)]
    unsafe fn shr<const BY: u32>(self) -> Self {
        unsafe { _mm512_srli_epi32::<BY>(self) }
    }

    #[inline(always)]
    unsafe fn sar<const BY: u32>(self) -> Self {
        unsafe { _mm512_srai_epi32::<BY>(self) }
    }

    #[inline(always)]
    unsafe fn shr_all(self, by: u32) -> Self {
        unsafe { _mm512_srl_epi32(self, _mm_cvtsi32_si128(by as i32)) }
    }

    #[inline(always)]
    unsafe fn odd(self) -> Self {
        unsafe { _mm512_srli_epi64::<32>(self) }
    }

    #[inline(always)]
    unsafe fn even_and(self, odd: Self) -> Self {
        unsafe { _mm512_mask_blend_epi32(0b1010_1010_1010_1010, self, odd) }
    }

    #[inline(always)]
    unsafe fn even_then_odd(self) -> Self {
        unsafe {
            let order = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
            _mm512_permutexvar_epi32(order, self)
        }
    }

    #[inline(always)]
    unsafe fn shl64<const BY: u32>(self) -> Self {
        unsafe { _mm512_slli_epi64::<BY>(self) }
    }

    #[inline(always)]
    unsafe fn shr64<const BY: u32>(self) -> Self {
        unsafe { _mm512_srli_epi64::<BY>(self) }
    }

    #[inline(always)]
    unsafe fn half64() -> Self {
        unsafe { _mm512_set1_epi64(1 << 31) }
    }

    #[inline(always)]
    unsafe fn table(from: *const u16) -> Self::Table {
        let mut table = [unsafe { _mm512_setzero_si512() }; 8];
        for (part, of) in table.iter_mut().enumerate() {
            *of = unsafe { _mm512_loadu_si512(from.add(32 * part).cast()) };
        }
        table
    }

    /// The whole table is in registers: four permutations of 64 entries each, of which
    /// bits 6 and 7 choose one.
    #[inline(always)]
    unsafe fn look_up(self, table: Self::Table) -> Self {
        unsafe {
            let bit6 = _mm512_test_epi32_mask(self, Self::splat(64));
            let bit7 = _mm512_test_epi32_mask(self, Self::splat(128));
            let [a, b, c, d, e, f, g, h] = table;
            let (first, second) =
                (_mm512_permutex2var_epi16(a, self, b), _mm512_permutex2var_epi16(c, self, d));
            let (third, fourth) =
                (_mm512_permutex2var_epi16(e, self, f), _mm512_permutex2var_epi16(g, self, h));
            let low = _mm512_mask_blend_epi32(bit6, first, second);
            let high = _mm512_mask_blend_epi32(bit6, third, fourth);
            _mm512_mask_blend_epi32(bit7, low, high).and(Self::splat(0xFFFF))
        }
    }

    #[inline(always)]
    unsafe fn look_up_bias(self, bias: &[i32]) -> Self {
        unsafe {
            let n = bias.len().min(256);
            let inside = _mm512_cmplt_epi32_mask(self, Self::splat(n as i32));
            match n {
                0..=16 => {
                    let there = _mm512_maskz_loadu_epi32(((1u32 << n) - 1) as u16, bias.as_ptr());
                    _mm512_maskz_permutexvar_epi32(inside, self, there)
                }
                _ => _mm512_mask_i32gather_epi32::<4>(
                    _mm512_setzero_si512(),
                    inside,
                    self,
                    bias.as_ptr().cast(),
                ),
            }
        }
    }
}
