//! Time since the start, from a RISC-V platform's timer. It also interrupts once a second,
//! which wakes a sleeping board.

use core::ptr::{read_volatile, write_volatile};

// The CLINT of QEMU's `virt`.
const COMPARE: usize = 0x0200_4000;
const TIME: usize = 0x0200_BFF8;
const HZ: u64 = 10_000_000;

/// A running clock.
pub(crate) struct Clock {
    start: u64,
}

impl Clock {
    /// Begins to count.
    pub(crate) fn start() -> Self {
        let start = now();
        wake_at(start + HZ);
        Self { start }
    }

    /// Microseconds since the start.
    pub(crate) fn micros(&self) -> u64 {
        (now() - self.start) / (HZ / 1_000_000)
    }
}

/// Whether a second has passed since this was last true.
pub(crate) fn tick() -> bool {
    let passed = now() >= (u64::from(word(COMPARE + 4)) << 32 | u64::from(word(COMPARE)));
    if passed {
        wake_at(now() + HZ);
    }
    passed
}

fn wake_at(time: u64) {
    // SAFETY: the timer's comparator; the high word first, so that no time in between is met.
    unsafe {
        write_volatile((COMPARE + 4) as *mut u32, u32::MAX);
        write_volatile(COMPARE as *mut u32, time as u32);
        write_volatile((COMPARE + 4) as *mut u32, (time >> 32) as u32);
    }
}

fn word(address: usize) -> u32 {
    // SAFETY: a register of the timer.
    unsafe { read_volatile(address as *const u32) }
}

fn now() -> u64 {
    loop {
        let (high, low) = (word(TIME + 4), word(TIME));
        if word(TIME + 4) == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}
