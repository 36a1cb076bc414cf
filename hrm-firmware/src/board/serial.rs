//! A UART driven by its registers: an interrupt keeps what arrives while the model thinks.

use core::cell::RefCell;

use cortex_m::{
    asm,
    interrupt::{self, InterruptNumber, Mutex},
    peripheral::NVIC,
};
use heapless::Deque;
use hrm_core::wire::MAX_FRAME;

/// A UART that receives a byte at a time.
pub(crate) trait Uart {
    /// Number of the interrupt that a received byte raises.
    const RX_INTERRUPT: u16;

    /// Takes the byte that has arrived, if one has, and takes back the interrupt's cause.
    fn take() -> Option<u8>;

    /// Sends `byte`, waiting until there is room.
    fn put(byte: u8);
}

/// Room for a request with another behind it.
const ROOM: usize = (2 * MAX_FRAME).next_power_of_two();

static RECEIVED: Mutex<RefCell<Deque<u8, ROOM>>> = Mutex::new(RefCell::new(Deque::new()));

#[derive(Clone, Copy)]
struct Line(u16);

// SAFETY: the number comes from the board's documentation and never changes.
unsafe impl InterruptNumber for Line {
    fn number(self) -> u16 {
        self.0
    }
}

/// Lets the interrupt in. The UART is set up by then.
pub(crate) fn start<U: Uart>() {
    // SAFETY: the handler uses `RECEIVED` alone, which has a lock.
    unsafe {
        NVIC::unmask(Line(U::RX_INTERRUPT));
        interrupt::enable();
    }
}

/// To be called by the interrupt's handler. Where there is no room, the byte stays in the UART and the interrupt is masked
/// until there is: an emulator then holds its sender back, a real line loses bytes, which the frame's CRC shows.
pub(crate) fn arrived<U: Uart>() {
    interrupt::free(|token| fill::<U>(&mut RECEIVED.borrow(token).borrow_mut()));
}

fn fill<U: Uart>(received: &mut Deque<u8, ROOM>) {
    while !received.is_full() {
        let Some(byte) = U::take() else { return };
        // There is room.
        let _ = received.push_back(byte);
    }
    NVIC::mask(Line(U::RX_INTERRUPT));
}

/// The next byte.
pub(crate) fn receive<U: Uart>() -> Option<u8> {
    interrupt::free(|token| {
        let received = &mut RECEIVED.borrow(token).borrow_mut();
        let was_full = received.is_full();
        let byte = received.pop_front();
        if was_full {
            fill::<U>(received);
            if !received.is_full() {
                // SAFETY: as in `start`.
                unsafe { NVIC::unmask(Line(U::RX_INTERRUPT)) };
            }
        }
        byte
    })
}

/// Sleeps until an interrupt, unless a byte is there already.
pub(crate) fn wait() {
    // With interrupts masked, one that comes between the look and the sleep still ends the sleep.
    interrupt::free(|token| {
        if RECEIVED.borrow(token).borrow().is_empty() {
            asm::wfi();
        }
    });
}
