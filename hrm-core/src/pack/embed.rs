//! A pack's bytes at an address where it may lie: built into a program, or copied to the heap.

#[cfg(feature = "std")]
use {super::ALIGN, std::vec::Vec};

/// The bytes of a pack file as a `&'static [u8]`, built into the program at a multiple of 16, where
/// [`Pack::open`](crate::Pack::open) wants them; `include_bytes!` alone puts them anywhere.
///
/// The path is relative to the file that names it, as it is for `include_bytes!`.
///
/// ```
/// use hrm_core::{Pack, include_pack};
///
/// const PACK: &[u8] = include_pack!("../../../models/sudoku4-demo.hrm");
/// assert_eq!(Pack::open(PACK)?.header()?.task, "sudoku4");
/// # Ok::<(), hrm_core::PackError>(())
/// ```
#[macro_export]
macro_rules! include_pack {
    ($path:expr $(,)?) => {{
        #[repr(C, align(16))]
        struct Aligned<Bytes: ?Sized>(Bytes);
        const ALIGNED: &Aligned<[u8]> = &Aligned(*include_bytes!($path));
        &ALIGNED.0
    }};
}

/// A copy of some bytes at a multiple of 16: a pack that was read from a file.
#[cfg(feature = "std")]
#[derive(Clone, Debug)]
pub struct AlignedBytes {
    words: Vec<u128>,
    len: usize,
}

#[cfg(feature = "std")]
impl AlignedBytes {
    /// Copies `bytes`, whatever they are.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut words = std::vec![0u128; bytes.len().div_ceil(ALIGN)];
        for (place, byte) in bytemuck::cast_slice_mut::<u128, u8>(&mut words).iter_mut().zip(bytes) {
            *place = *byte;
        }
        Self { words, len: bytes.len() }
    }

    /// The copy.
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words).get(..self.len).unwrap_or_default()
    }

    /// The copy, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.words).get_mut(..self.len).unwrap_or_default()
    }
}
