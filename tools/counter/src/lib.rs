//! A QEMU plugin that counts executed instructions between markers, and bytes read, exactly
//! and the same on every run.
//!
//! A marker is an address: QEMU gets it as `mark=ADDRESS:NAME`, once per marker. Whenever the program reaches
//! one, the plugin notes its name and the instructions executed since it reached the one before; at the end
//! it writes the list to the file `out=PATH`, one `NAME COUNT` a line.
//!
//! Where it is told of memories, `memory=FIRST:END` once for each (END is the address behind the last), the
//! bytes that the program read from each follow the instructions: `NAME COUNT BYTES BYTES …`. What it
//! executes is not read in this sense.
//!
//! Whole translation blocks are counted at their start; a block with a marker inside is counted instruction
//! by instruction. A conditional instruction counts whether its condition holds or not, as it takes its place
//! in a processor's pipeline either way.
//!
//! QEMU resolves the functions declared here when it loads the plugin. They are the same in every version of
//! the plugin interface; only [`qemu_plugin_version`] must be one that QEMU supports: 1 (QEMU 7 and 8) unless
//! `HRM_PLUGIN_API` says another when this is built.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fmt::Write as _;
use std::ops::Range;
use std::ptr::without_provenance_mut;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

/// The version of the interface that this plugin was built for.
#[unsafe(no_mangle)]
pub static qemu_plugin_version: c_int = match option_env!("HRM_PLUGIN_API") {
    Some(version) => (version.as_bytes()[0] - b'0') as c_int,
    None => 1,
};

type TranslateHook = extern "C" fn(id: u64, block: *mut c_void);
type ExecuteHook = extern "C" fn(cpu: c_uint, data: *mut c_void);
type MemoryHook = extern "C" fn(cpu: c_uint, info: u32, address: u64, data: *mut c_void);
type ExitHook = extern "C" fn(id: u64, data: *mut c_void);

/// `QEMU_PLUGIN_CB_NO_REGS`: the hooks look at no register.
const NO_REGISTERS: c_int = 0;
/// `QEMU_PLUGIN_MEM_RW`. QEMU 7.2 takes the wrong ones where reads alone are asked for, so
/// they are told apart here.
const READS_AND_WRITES: c_int = 3;

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(id: u64, hook: TranslateHook);
    fn qemu_plugin_register_vcpu_tb_exec_cb(
        block: *mut c_void,
        hook: ExecuteHook,
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_insn_exec_cb(
        insn: *mut c_void,
        hook: ExecuteHook,
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_mem_cb(
        insn: *mut c_void,
        hook: MemoryHook,
        flags: c_int,
        reads_or_writes: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_mem_size_shift(info: u32) -> c_uint;
    fn qemu_plugin_mem_is_store(info: u32) -> bool;
    fn qemu_plugin_register_atexit_cb(id: u64, hook: ExitHook, data: *mut c_void);
    fn qemu_plugin_tb_n_insns(block: *const c_void) -> usize;
    fn qemu_plugin_tb_get_insn(block: *const c_void, index: usize) -> *mut c_void;
    fn qemu_plugin_insn_vaddr(insn: *const c_void) -> u64;
}

struct Marker {
    address: u64,
    name: String,
}

struct Setup {
    markers: Vec<Marker>,
    memories: Vec<Range<u64>>,
    out: String,
}

static SETUP: OnceLock<Setup> = OnceLock::new();
static EXECUTED: AtomicU64 = AtomicU64::new(0);
/// Most memories.
const MEMORIES: usize = 4;
static READ: [AtomicU64; MEMORIES] = [const { AtomicU64::new(0) }; MEMORIES];
/// Marker, and instructions and bytes since the one before.
static NOTES: Mutex<Vec<(usize, u64, [u64; MEMORIES])>> = Mutex::new(Vec::new());

extern "C" fn count(_: c_uint, instructions: *mut c_void) {
    EXECUTED.fetch_add(instructions.addr() as u64, Relaxed);
}

extern "C" fn mark(_: c_uint, marker: *mut c_void) {
    let executed = EXECUTED.swap(0, Relaxed);
    let bytes = READ.each_ref().map(|read| read.swap(0, Relaxed));
    if let Ok(mut notes) = NOTES.lock() {
        notes.push((marker.addr(), executed, bytes));
    }
}

extern "C" fn read(_: c_uint, info: u32, address: u64, _: *mut c_void) {
    let Some(setup) = SETUP.get() else { return };
    // SAFETY: `info` is what QEMU handed out.
    if unsafe { qemu_plugin_mem_is_store(info) } {
        return;
    }
    let memory = setup.memories.iter().position(|memory| memory.contains(&address));
    if let Some(read) = memory.and_then(|memory| READ.get(memory)) {
        // SAFETY: as above.
        read.fetch_add(1 << unsafe { qemu_plugin_mem_size_shift(info) }, Relaxed);
    }
}

extern "C" fn translated(_: u64, block: *mut c_void) {
    let Some(setup) = SETUP.get() else { return };
    // SAFETY: QEMU hands out a block and lets its instructions be asked about until this returns.
    unsafe {
        let insns: Vec<*mut c_void> =
            (0..qemu_plugin_tb_n_insns(block)).map(|index| qemu_plugin_tb_get_insn(block, index)).collect();
        if !setup.memories.is_empty() {
            for &insn in &insns {
                qemu_plugin_register_vcpu_mem_cb(
                    insn,
                    read,
                    NO_REGISTERS,
                    READS_AND_WRITES,
                    without_provenance_mut(0),
                );
            }
        }
        let marker = |insn: *mut c_void| {
            let address = qemu_plugin_insn_vaddr(insn);
            setup.markers.iter().position(|marker| marker.address == address)
        };
        if !insns.iter().any(|&insn| marker(insn).is_some()) {
            qemu_plugin_register_vcpu_tb_exec_cb(
                block,
                count,
                NO_REGISTERS,
                without_provenance_mut(insns.len()),
            );
            return;
        }
        for insn in insns {
            match marker(insn) {
                Some(index) => {
                    qemu_plugin_register_vcpu_insn_exec_cb(
                        insn,
                        mark,
                        NO_REGISTERS,
                        without_provenance_mut(index),
                    );
                }
                None => qemu_plugin_register_vcpu_insn_exec_cb(
                    insn,
                    count,
                    NO_REGISTERS,
                    without_provenance_mut(1),
                ),
            }
        }
    }
}

extern "C" fn finished(_: u64, _: *mut c_void) {
    let (Some(setup), Ok(notes)) = (SETUP.get(), NOTES.lock()) else { return };
    let mut text = String::new();
    for (marker, instructions, bytes) in notes.iter() {
        let _ = write!(text, "{} {instructions}", setup.markers[*marker].name);
        for bytes in bytes.iter().take(setup.memories.len()) {
            let _ = write!(text, " {bytes}");
        }
        text.push('\n');
    }
    if let Err(error) = std::fs::write(&setup.out, text) {
        eprintln!("cannot write {}: {error}", setup.out);
    }
}

/// QEMU calls this once. Anything but 0 makes it give up.
///
/// # Safety
/// `arguments` are `count` C strings, as QEMU's interface promises.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: u64,
    _info: *const c_void,
    count: c_int,
    arguments: *const *const c_char,
) -> c_int {
    let mut setup = Setup { markers: Vec::new(), memories: Vec::new(), out: String::new() };
    for index in 0..count as usize {
        // SAFETY: see above.
        let argument = unsafe { CStr::from_ptr(*arguments.add(index)) }.to_string_lossy();
        let marker = |text: &str| {
            let (address, name) = text.split_once(':')?;
            Some(Marker { address: address.parse().ok()?, name: name.to_owned() })
        };
        let memory = |text: &str| {
            let (first, end) = text.split_once(':')?;
            Some(first.parse().ok()?..end.parse().ok()?)
        };
        match argument.split_once('=') {
            Some(("out", path)) => setup.out = path.to_owned(),
            Some(("mark", text)) if marker(text).is_some() => setup.markers.extend(marker(text)),
            Some(("memory", text)) if memory(text).is_some() && setup.memories.len() < MEMORIES => {
                setup.memories.extend(memory(text));
            }
            _ => {
                eprintln!(
                    "hrm-counter: what is `{argument}`? It takes out=PATH, mark=ADDRESS:NAME and memory=FIRST:END"
                );
                return 1;
            }
        }
    }
    let _ = SETUP.set(setup);
    // SAFETY: the hooks are functions of this library, which QEMU keeps loaded.
    unsafe {
        qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
        qemu_plugin_register_atexit_cb(id, finished, std::ptr::null_mut());
    }
    0
}
