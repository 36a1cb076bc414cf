//! x86-64: AVX2, and AVX-512 where the processor has it with its dot products (VNNI).
//! Chosen at run time, once.
// vendor intrinsics; each safe wrapper has checked the processor and the lengths that they rely on
#![allow(unsafe_code)]

mod ordered;
mod product;
mod vector;

use core::sync::atomic::{AtomicU8, Ordering};

/// What the kernels may use of the processor, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// The portable definitions.
    Portable = 1,
    /// AVX2.
    Avx2,
    /// AVX-512 F, BW, VL and VNNI.
    Avx512,
}

impl Level {
    /// Every level, in rising order.
    pub const ALL: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

    /// The best that this processor has.
    pub fn of_processor() -> Level {
        let avx512 = std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vl")
            && std::arch::is_x86_feature_detected!("avx512vnni");
        match std::arch::is_x86_feature_detected!("avx2") {
            true if avx512 => Level::Avx512,
            true => Level::Avx2,
            false => Level::Portable,
        }
    }
}

/// The level in use; 0 before the first look at the processor.
static LEVEL: AtomicU8 = AtomicU8::new(0);

/// The level in use.
#[inline]
pub fn level() -> Level {
    match LEVEL.load(Ordering::Relaxed) {
        1 => Level::Portable,
        2 => Level::Avx2,
        3 => Level::Avx512,
        _ => limit(Level::Avx512),
    }
}

/// Uses no more than `most` from now on, in every thread, for tests and measurements: the results are the
/// same. Returns what is used.
pub fn limit(most: Level) -> Level {
    let level = most.min(Level::of_processor());
    LEVEL.store(level as u8, Ordering::Relaxed);
    level
}

pub(super) use ordered::{COLUMNS, order};
pub(super) use product::matmul;
