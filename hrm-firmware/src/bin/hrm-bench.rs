//! Runs what `cargo xtask bench` counts, on an emulated board: the pack lies where the firmware's would,
//! regions are told by semihosting, and their ends are functions whose addresses the counter knows.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("This program runs on emulated microcontrollers: `cargo xtask bench`.");
    std::process::exit(2);
}

#[cfg(target_arch = "riscv32")]
#[path = "../riscv.rs"]
mod riscv;

#[cfg(target_os = "none")]
mod target {
    use core::{arch::naked_asm, panic::PanicInfo};

    #[cfg(target_arch = "arm")]
    use cortex_m as _; // its critical section
    use defmt_semihosting as _;
    use hrm_core::{Op, Pack};
    use hrm_workload::Probe;
    use semihosting::{print, println, process::exit};

    const WORKSPACE_WORDS: usize = 256 * 1024 / 4;
    static mut WORKSPACE: [u32; WORKSPACE_WORDS] = [0; WORKSPACE_WORDS];

    #[cfg(target_arch = "arm")]
    macro_rules! back {
        () => {
            "bx lr"
        };
    }
    #[cfg(target_arch = "riscv32")]
    macro_rules! back {
        () => {
            "ret"
        };
    }

    /// Functions that do nothing, at addresses of their own.
    macro_rules! markers {
        ($($name:ident)*) => {
            $(
                #[unsafe(no_mangle)]
                #[unsafe(naked)]
                extern "C" fn $name() {
                    naked_asm!(back!())
                }
            )*
        };
    }

    markers!(hrm_mark_start hrm_mark_end hrm_mark_inject hrm_mark_key hrm_mark_value hrm_mark_query hrm_mark_weights);
    markers!(hrm_mark_attention hrm_mark_attention_norm hrm_mark_gate hrm_mark_feed_forward_norm);
    markers!(hrm_mark_logits hrm_mark_halt);

    /// What unused stack holds.
    const PAINT: u32 = 0x5AC3_5AC3;

    /// Tells regions by semihosting, and paints the stack before each.
    struct Semihosting;

    impl Semihosting {
        /// Lowest and highest word of the stack that is free now, less a margin for
        /// this function's own calls.
        fn free() -> (*mut u32, *mut u32) {
            let here: u32;
            // SAFETY: reads a register.
            #[cfg(target_arch = "arm")]
            unsafe {
                core::arch::asm!("mov {}, sp", out(reg) here);
            }
            // SAFETY: as above.
            #[cfg(target_arch = "riscv32")]
            unsafe {
                core::arch::asm!("mv {}, sp", out(reg) here);
            }
            ((&raw const _stack_end).cast_mut().cast(), (here as usize - 256) as *mut u32)
        }

        fn paint() {
            let (mut word, top) = Self::free();
            while word < top {
                // SAFETY: below the stack pointer, inside the memory that memory.x sets aside for the stack.
                unsafe {
                    word.write_volatile(PAINT);
                    word = word.add(1);
                }
            }
        }

        /// Bytes of stack from its start to the lowest word that is not painted any more.
        fn used() -> usize {
            let (mut word, top) = Self::free();
            // SAFETY: as above.
            unsafe {
                while word < top && word.read_volatile() == PAINT {
                    word = word.add(1);
                }
            }
            &raw const _stack_start as usize - word as usize
        }
    }

    impl Probe for Semihosting {
        fn announce(&mut self, name: &str, work: u64) {
            println!("{work} {name}");
        }

        #[inline(always)]
        fn start(&mut self) {
            Self::paint();
            hrm_mark_start();
        }

        #[inline(always)]
        fn op(&mut self, op: Op) {
            match op {
                Op::Inject => hrm_mark_inject(),
                Op::Key => hrm_mark_key(),
                Op::Value => hrm_mark_value(),
                Op::Query => hrm_mark_query(),
                Op::Weights => hrm_mark_weights(),
                Op::Attention => hrm_mark_attention(),
                Op::AttentionNorm => hrm_mark_attention_norm(),
                Op::Gate => hrm_mark_gate(),
                Op::FeedForwardNorm => hrm_mark_feed_forward_norm(),
                Op::Logits => hrm_mark_logits(),
                Op::Halt => hrm_mark_halt(),
            }
        }

        #[inline(always)]
        fn end(&mut self) {
            hrm_mark_end();
            println!("# stack {}", Self::used());
        }
    }

    unsafe extern "C" {
        static __pack_start: u8;
        static __pack_end: u8;
        static _stack_start: u8;
        static _stack_end: u8;
    }

    #[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
    #[cfg_attr(target_arch = "riscv32", unsafe(no_mangle))]
    fn main() -> ! {
        // SAFETY: the program begins here once, and nothing else names it.
        let workspace = unsafe { &mut *(&raw mut WORKSPACE) };
        let (start, end) = (&raw const __pack_start, &raw const __pack_end);
        // SAFETY: memory.x reserves the region for the pack alone.
        let region = unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) };
        match hrm_workload::check(workspace) {
            Ok(cases) => println!("# {cases} cases equal the portable definition"),
            Err(error) => {
                println!("# {error:?}");
                exit(3)
            }
        }
        let Ok(pack) = Pack::open(region) else {
            println!("# no pack");
            exit(4)
        };
        match hrm_workload::run(pack, workspace, &mut Semihosting) {
            Ok(()) => exit(0),
            Err(error) => {
                println!("# {error:?}");
                exit(5)
            }
        }
    }

    #[panic_handler]
    fn panic(info: &PanicInfo<'_>) -> ! {
        print!("# {info}");
        exit(10)
    }

    #[cfg(target_arch = "riscv32")]
    #[unsafe(no_mangle)]
    extern "C" fn exception(cause: u32, pc: u32) -> ! {
        println!("# exception {cause} at {pc:#010x}");
        exit(11)
    }

    #[cfg(target_arch = "arm")]
    #[cortex_m_rt::exception]
    unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
        println!("# hard fault at {:#010x}", frame.pc());
        exit(11)
    }
}
