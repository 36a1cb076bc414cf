//! A kernel that is wrong on purpose, for the one test that proves that the equivalence suite would notice.

/// Whether the attention output `value` is one that the corrupted kernel gets wrong: about one in a thousand.
pub fn hits(value: i32) -> bool {
    value & 0x3FF == 0x155
}

/// `value`; with the private feature `_fault-injection`, one more where it [`hits`].
#[inline(always)]
pub(crate) fn slip(value: i32) -> i32 {
    if cfg!(feature = "_fault-injection") && hits(value) { value + 1 } else { value }
}
