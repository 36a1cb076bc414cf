//! Links only where inference cannot panic: the panic handler calls a function that does not exist.
//!
//! `begin`, `segment` with and without a trace, for both lane widths, and everything a solver reads
//! afterwards are called on a model and memory that the compiler knows nothing about; so is a solver for every
//! task, with any puzzle and policy, and so are the readers of requests, with any bytes. If the compiler can
//! prove that none of it panics, it drops the handler and the program links; one index that could be out of
//! bounds, one division by what could be zero, and the linker misses `inference_can_panic`. Nothing here
//! ever runs. With the private feature `_panics` one such index is there, for the test that proves that
//! the linker would notice.
//!
//! Frames are COBS, and answers postcard: these two crates' bounds the compiler cannot see. Tests and fuzzing
//! try them (`docs/ASSURANCE.md`).
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("This program is only linked, for microcontrollers: `cargo xtask no-panic`.");
    std::process::exit(2);
}

#[cfg(target_arch = "riscv32")]
#[path = "../riscv.rs"]
mod riscv;

#[cfg(target_os = "none")]
mod target {
    use core::{mem::MaybeUninit, panic::PanicInfo, ptr};

    #[cfg(target_arch = "arm")]
    use cortex_m as _;
    use hrm_core::{
        Hrm, Pack, Reasoner,
        digest::CrcTrace,
        solve::{Policy, Solver},
        task::{All, Task, Tasks, Visitor},
        wire::{self, Request},
    };

    unsafe extern "C" {
        /// There is no such function.
        fn inference_can_panic() -> !;
    }

    static mut PACK: MaybeUninit<Pack<'static>> = MaybeUninit::uninit();
    static mut TOKENS: [u8; 901] = [0; 901];

    static mut MEMORY: [u32; 1024] = [0; 1024];

    #[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
    #[cfg_attr(target_arch = "riscv32", unsafe(no_mangle))]
    fn main() -> ! {
        // SAFETY: nothing else names it.
        let memory = unsafe { &mut *(&raw mut MEMORY) };
        // SAFETY: this program never runs; whatever the pack is, its shape is what the compiler cannot know.
        let (pack, tokens) =
            unsafe { (ptr::read_volatile((&raw const PACK).cast()), ptr::read_volatile(&raw const TOKENS)) };
        if let Ok(mut model) = Hrm::new(pack, memory) {
            let member = usize::from(tokens[0]);
            model.begin(member, &tokens);
            let _ = model.segment(&mut ());
            let mut trace = CrcTrace::default();
            let _ = model.segment(&mut trace);
            let read = trace.crcs()[0] ^ model.state_digest() ^ model.halt().confidence() as u32;
            let sum = model.grid().iter().fold(read, |sum, cell| sum ^ u32::from(*cell));
            if cfg!(feature = "_panics") {
                assert_eq!(sum, 0);
            }
            keep(sum);
            solve(&mut model);
        }
        read();
        loop {
            core::hint::spin_loop();
        }
    }

    /// Keeps `result` alive.
    fn keep(result: u32) {
        // SAFETY: nothing else names it while this is written, and the program never runs.
        unsafe { ptr::write_volatile((&raw mut TOKENS).cast(), result) };
    }

    /// As many of `bytes` as they say themselves.
    fn some(bytes: &[u8; 901]) -> &[u8] {
        bytes.get(..usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))).unwrap_or(bytes)
    }

    /// Solves a puzzle of any task by a policy, none of which the compiler knows.
    fn solve(model: &mut Hrm<'_, '_>) {
        static mut NAME: [u8; 16] = [0; 16];
        // SAFETY: this program never runs.
        let name = unsafe { ptr::read_volatile(&raw const NAME) };
        if let Ok(name) = core::str::from_utf8(&name) {
            let _ = All::visit(name, Solving(model));
        }
    }

    struct Solving<'a, 'p, 'm>(&'a mut Hrm<'p, 'm>);

    impl Visitor for Solving<'_, '_, '_> {
        type Output = ();

        fn visit<T: Task>(self, task: T) {
            static mut POLICY: MaybeUninit<Policy> = MaybeUninit::uninit();
            // SAFETY: this program never runs.
            let (policy, tokens) = unsafe {
                (ptr::read_volatile((&raw const POLICY).cast()), ptr::read_volatile(&raw const TOKENS))
            };
            let mut solver = Solver::new(task, some(&tokens), policy);
            let _ = solver.advance(self.0, &mut ());
            let _ = solver.run(self.0, &mut ());
            solver.cancel();
            keep(solver.answer().map_or(0, |answer| answer.segments));
        }
    }

    /// Reads what a frame held.
    fn read() {
        // SAFETY: this program never runs.
        let envelope = unsafe { ptr::read_volatile(&raw const TOKENS) };
        let envelope = some(&envelope);
        keep(wire::id_of(envelope).into());
        if let Ok((id, request)) = wire::open::<Request<'_>>(envelope) {
            keep(u32::from(id) + u32::from(matches!(request, Request::Hello)));
        }
    }

    #[panic_handler]
    fn panic(_: &PanicInfo<'_>) -> ! {
        // SAFETY: it is never called, as it does not exist.
        unsafe { inference_can_panic() }
    }
}
