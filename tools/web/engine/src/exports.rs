//! The border: what another language calls, and where it reads and writes.
//!
//! Texts go in through [`input`] and come out at [`text`]; a call that can fail gives 1 where it succeeded,
//! and else 0 with the reason at [`text`]. Everything lies in one [`State`]: WebAssembly without threads
//! runs one call at a time.
#![allow(unsafe_code)] // a border to another language

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::slice;

use crate::line::Line;
use crate::session::{Report, Session, Wish};

#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Ends the instance; the page opens another and says so.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Everything that outlives a call.
struct State {
    session: Option<Session>,
    input: Vec<u8>,
    text: Vec<u8>,
    line: Line,
    report: Report,
    test: [u32; 2],
}

struct Shared(UnsafeCell<State>);

// SAFETY: an instance has one thread.
unsafe impl Sync for Shared {}

static STATE: Shared = Shared(UnsafeCell::new(State {
    session: None,
    input: Vec::new(),
    text: Vec::new(),
    line: Line::new(),
    report: Report::EMPTY,
    test: [0; 2],
}));

/// Does `call` with the state.
fn with<T>(call: impl FnOnce(&mut State) -> T) -> T {
    // SAFETY: an instance has one thread, and no export calls another.
    call(unsafe { &mut *STATE.0.get() })
}

/// Notes what came of `call`.
fn told<T: Into<Vec<u8>>>(call: impl FnOnce(&mut State) -> Result<T, String>) -> u32 {
    with(|state| {
        let (text, success) = match call(state) {
            Ok(text) => (text.into(), 1),
            Err(text) => (text.into(), 0),
        };
        state.text = text;
        success
    })
}

const NO_PACK: &str = "no pack is open";

impl State {
    fn session(&mut self) -> Result<&mut Session, String> {
        self.session.as_mut().ok_or_else(|| NO_PACK.into())
    }

    /// The text that was put in.
    fn asked(&self) -> Result<String, String> {
        String::from_utf8(self.input.clone()).map_err(|_| "the text is not UTF-8".into())
    }
}

/// Room for a pack of so many bytes, for as long as the instance lives.
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> *mut u8 {
    let blocks: &'static mut [u128] = Box::leak(alloc::vec![0u128; bytes.div_ceil(16)].into_boxed_slice());
    blocks.as_mut_ptr().cast()
}

/// Opens the pack that was written to [`room`]; its description is at [`text`].
///
/// # Safety
/// `pack` is what [`room`] gave for so many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(pack: *const u8, bytes: usize) -> u32 {
    // SAFETY: by the caller; nobody else is given that room.
    let pack: &'static [u8] = unsafe { slice::from_raw_parts(pack, bytes) };
    told(|state| {
        let session = Session::open(pack)?;
        let description = session.describe();
        state.session = Some(session);
        Ok(description)
    })
}

/// Room for a text of so many bytes, until the next call of this function.
#[unsafe(no_mangle)]
pub extern "C" fn input(bytes: usize) -> *mut u8 {
    with(|state| {
        state.input.clear();
        state.input.resize(bytes, 0);
        state.input.as_mut_ptr()
    })
}

/// Where the text of the last call begins.
#[unsafe(no_mangle)]
pub extern "C" fn text() -> *const u8 {
    with(|state| state.text.as_ptr())
}

/// Its bytes.
#[unsafe(no_mangle)]
pub extern "C" fn text_bytes() -> usize {
    with(|state| state.text.len())
}

/// A puzzle as hard as the one at [`input`], to [`text`].
#[unsafe(no_mangle)]
pub extern "C" fn draw(seed: u32) -> u32 {
    told(|state| {
        let asked = state.asked()?;
        state.session()?.draw(&asked, seed.into())
    })
}

fn clamp(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn wish(guesses: u32, suppose: u32, seed: u32) -> Wish {
    Wish { guesses: clamp(guesses), suppose: clamp(suppose), seed: seed.into() }
}

/// Takes the puzzle at [`input`].
#[unsafe(no_mangle)]
pub extern "C" fn begin(guesses: u32, suppose: u32, seed: u32) -> u32 {
    told(|state| {
        let wish = wish(guesses, suppose, seed);
        let asked = state.asked()?;
        state.session()?.begin(&asked, wish).map(|()| asked)
    })
}

/// Thinks a segment; the grid is at [`text`] afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn advance() -> *const Report {
    with(|state| {
        if let Some(session) = &mut state.session {
            state.report = session.advance();
            state.text = session.grid().into();
        }
        &raw const state.report
    })
}

/// For each cell whether the guess in progress supposes it, until the next call of [`advance`].
#[unsafe(no_mangle)]
pub extern "C" fn supposed() -> *const u8 {
    with(|state| state.session.as_ref().map_or(core::ptr::null(), |session| session.supposed().as_ptr()))
}

/// Thinks about puzzle `row` of the self-test: two words, what came of it and what must;
/// null where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn self_test(row: usize) -> *const u32 {
    with(|state| match state.session.as_mut().and_then(|session| session.self_test(row)) {
        Some((got, expected)) => {
            state.test = [got, expected];
            state.test.as_ptr()
        }
        None => core::ptr::null(),
    })
}

/// The digest, to [`text`], of the first member's first segments on the puzzle at [`input`].
#[unsafe(no_mangle)]
pub extern "C" fn run_digest(segments: u32) -> u32 {
    told(|state| {
        let asked = state.asked()?;
        let digest = state.session()?.run_digest(&asked, clamp(segments))?;
        Ok(alloc::format!("{digest:08x}"))
    })
}

/// The frame, to [`text`], by which a board is asked who it is.
#[unsafe(no_mangle)]
pub extern "C" fn hello(id: u32) -> u32 {
    told(|state| state.line.hello(clamp(id)))
}

/// The frame by which a board drops what it does.
#[unsafe(no_mangle)]
pub extern "C" fn cancel(id: u32) -> u32 {
    told(|state| state.line.cancel(clamp(id)))
}

/// The frame by which a board solves the puzzle at [`input`].
#[unsafe(no_mangle)]
pub extern "C" fn solve(id: u32, guesses: u32, suppose: u32, seed: u32) -> u32 {
    told(|state| state.line.solve(clamp(id), &state.asked()?, wish(guesses, suppose, seed)))
}

/// The frame by which a board's first member tells the digests of its first segments on
/// the puzzle at [`input`].
#[unsafe(no_mangle)]
pub extern "C" fn digest(id: u32, segments: u32) -> u32 {
    told(|state| state.line.digest(clamp(id), &state.asked()?, clamp(segments)))
}

/// Takes the bytes at [`input`], which a board has sent; what they say is at [`text`], in JSON.
#[unsafe(no_mangle)]
pub extern "C" fn hear() -> u32 {
    told(|state| Ok(state.line.hear(&state.input)))
}
