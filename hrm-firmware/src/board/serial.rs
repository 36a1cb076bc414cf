//! A board whose UART is driven by its registers: an interrupt keeps what arrives while the model thinks.

use core::cell::RefCell;

use critical_section::Mutex;
use heapless::Deque;
use hrm_firmware::{Board, Event, RECEIVE_BYTES};

use super::{clock::Clock, stack};

/// What is a chip's own: a UART that receives a byte at a time, and a watchdog.
pub(crate) trait Registers {
    /// Name of the board.
    const NAME: &'static str;

    /// Lets the interrupt of a received byte in, or keeps it out.
    fn listen(on: bool);

    /// Takes the byte that has arrived, if one has, and takes back the interrupt's cause.
    fn take() -> Option<u8>;

    /// Sends `byte`, waiting until there is room.
    fn put(byte: u8);

    /// Tells the watchdog that the program makes progress.
    fn feed(&mut self);
}

/// What the application uses of such a board.
pub(crate) struct Serial<R> {
    registers: R,
    clock: Clock,
}

impl<R: Registers> Serial<R> {
    /// Lets interrupts in. UART and watchdog are set up by then.
    pub(crate) fn new(registers: R, clock: Clock) -> Self {
        R::listen(true);
        super::allow_interrupts();
        Self { registers, clock }
    }

    /// To be called by the interrupt's handler. Where there is no room, the byte stays in the UART and the
    /// interrupt is masked until there is: an emulator then holds its sender back, a real line loses bytes,
    /// which the frame's CRC shows.
    pub(crate) fn arrived() {
        critical_section::with(|token| fill::<R>(&mut RECEIVED.borrow(token).borrow_mut()));
    }
}

static RECEIVED: Mutex<RefCell<Deque<u8, RECEIVE_BYTES>>> = Mutex::new(RefCell::new(Deque::new()));

/// Lets interrupt `line` of a Cortex-M in, or keeps it out.
#[cfg(target_arch = "arm")]
pub(crate) fn listen(line: u16, on: bool) {
    use cortex_m::{interrupt::InterruptNumber, peripheral::NVIC};

    #[derive(Clone, Copy)]
    struct Line(u16);
    // SAFETY: the number comes from the board's documentation and never changes.
    unsafe impl InterruptNumber for Line {
        fn number(self) -> u16 {
            self.0
        }
    }
    match on {
        // SAFETY: the handler uses `RECEIVED` alone, which has a lock.
        true => unsafe { NVIC::unmask(Line(line)) },
        false => NVIC::mask(Line(line)),
    }
}

fn fill<R: Registers>(received: &mut Deque<u8, RECEIVE_BYTES>) {
    while !received.is_full() {
        let Some(byte) = R::take() else { return };
        // There is room.
        let _ = received.push_back(byte);
    }
    R::listen(false);
}

impl<R: Registers> Board for Serial<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn receive(&mut self) -> Option<u8> {
        critical_section::with(|token| {
            let received = &mut RECEIVED.borrow(token).borrow_mut();
            let was_full = received.is_full();
            let byte = received.pop_front();
            if was_full {
                fill::<R>(received);
                if !received.is_full() {
                    R::listen(true);
                }
            }
            byte
        })
    }

    fn wait(&mut self) {
        // With interrupts masked, one that comes between the look and the sleep still ends the sleep.
        critical_section::with(|token| {
            if RECEIVED.borrow(token).borrow().is_empty() {
                super::sleep();
            }
        });
    }

    fn send(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| R::put(byte));
    }

    fn micros(&mut self) -> Option<u64> {
        Some(self.clock.micros())
    }

    fn feed(&mut self) {
        if super::feeds(&self.clock) {
            self.registers.feed();
        }
    }

    fn stack_used(&self) -> u32 {
        stack::used()
    }

    fn log(&mut self, event: Event) {
        super::log(event);
    }
}
