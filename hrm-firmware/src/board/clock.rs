//! Time since the start, from the processor's own SysTick timer. Where that runs on in sleep, it also wakes a
//! sleeping board now and then, so that an idle one can feed its watchdog.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::{
    Peripherals,
    peripheral::{SYST, syst::SystClkSource},
};
use cortex_m_rt::exception;

/// SysTick counts down from here: as far as its 24 bits go.
const RELOAD: u32 = 0x00FF_FFFF;

/// How often it has begun anew.
static WRAPS: AtomicU32 = AtomicU32::new(0);

/// A running clock.
pub(crate) struct Clock {
    hz: u32,
}

impl Clock {
    /// Starts SysTick on a processor that runs at `hz`. Interrupts must be on for it to keep time.
    pub(crate) fn start(hz: u32) -> Self {
        // SAFETY: nothing else in the program uses SysTick.
        let mut timer = unsafe { Peripherals::steal() }.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(RELOAD);
        timer.clear_current();
        timer.enable_interrupt();
        timer.enable_counter();
        Self { hz }
    }

    /// Microseconds since the start.
    pub(crate) fn micros(&self) -> u64 {
        let hz = u64::from(self.hz);
        let ticks = ticks();
        // In two parts, so that no product overflows for half a million years.
        ticks / hz * 1_000_000 + ticks % hz * 1_000_000 / hz
    }
}

fn ticks() -> u64 {
    loop {
        let wraps = WRAPS.load(Ordering::Relaxed);
        let passed = RELOAD - SYST::get_current();
        if WRAPS.load(Ordering::Relaxed) == wraps {
            return u64::from(wraps) * (u64::from(RELOAD) + 1) + u64::from(passed);
        }
    }
}

#[exception]
fn SysTick() {
    // Nobody else writes it: no read-modify-write is needed, which a Cortex-M0+ does not have.
    WRAPS.store(WRAPS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}
