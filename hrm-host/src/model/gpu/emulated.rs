//! A CPU that plays the GPU: `emulated.cpp`, compiled when the first test needs it.

use std::ffi::{CStr, CString, c_char};
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use candle_core::backend::{BackendDevice, BackendStorage};
use candle_core::cpu_backend::CpuDevice;
use candle_core::{CpuStorage, Layout, Result, bail};
use libloading::Library;

use super::launch::{Args, Plan};

/// `emulate` in `emulated.cpp`.
type Emulate = unsafe extern "C" fn(*const c_char, *const Args, u32, u32, usize, u32) -> *const c_char;

/// One launch at a time: the emulator has one grid.
static EMULATOR: LazyLock<Mutex<Library>> = LazyLock::new(|| Mutex::new(build()));
/// Orders in which threads are run.
const ORDERS: u32 = 4;
/// Bytes on either side of an output that a kernel must leave alone.
const FENCE: usize = 256;

fn build() -> Library {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("emulated.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/model/gpu/emulated.cpp");
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".to_owned());
    let options = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"];
    let mut command = Command::new(&compiler);
    let built = command.args(options).args(["-shared", "-fPIC", source, "-o"]).arg(&library).status();
    let built =
        built.unwrap_or_else(|e| panic!("{compiler}: {e}; install a C++ compiler or name one in CXX"));
    assert!(built.success(), "{compiler} refuses {source}");
    // SAFETY: the library has no initialisers that matter; once loaded, its file is no longer needed.
    unsafe { Library::new(&library) }.unwrap()
}

/// Runs a kernel in every order of its threads, which must all give the same bits.
pub(super) fn launch(plan: &Plan, name: &str, operands: &[(&CpuStorage, &Layout)]) -> Result<CpuStorage> {
    let addresses = operands.iter().map(|(storage, layout)| address(storage, layout.start_offset()));
    let args = plan.args.at(&addresses.collect::<Result<Vec<_>>>()?);
    let dtype = operands[0].0.dtype();
    let bytes = plan.out * dtype.size_in_bytes();
    let mut results = (0..ORDERS).map(|order| run(plan, name, args, bytes, order));
    let first = results.next().unwrap();
    assert!(results.all(|other| other == first), "{name}: the order of its threads changes the result");
    // SAFETY: all of it is written below.
    let out = unsafe { CpuDevice.alloc_uninit(&plan.out.into(), dtype)? };
    // SAFETY: `out` has as many elements, of the type whose bytes these are.
    unsafe { std::ptr::copy_nonoverlapping(first.as_ptr(), address(&out, 0)? as *mut u8, bytes) };
    Ok(out)
}

fn run(plan: &Plan, name: &str, args: Args, bytes: usize, order: u32) -> Vec<u8> {
    let mut memory = vec![u64::MAX; (bytes + 2 * FENCE).div_ceil(8)]; // aligned, and NaN in any type
    let args = Args { out: memory.as_mut_ptr() as u64 + FENCE as u64, ..args };
    let emulator = EMULATOR.lock().unwrap();
    let called = CString::new(name).unwrap();
    // SAFETY: the function has this type; the plan was checked against the operands, and
    // the output is large enough.
    let error = unsafe {
        let emulate = emulator.get::<Emulate>(b"emulate").unwrap();
        let error =
            emulate(called.as_ptr(), &args, plan.blocks as u32, plan.threads as u32, plan.shared, order);
        (!error.is_null()).then(|| CStr::from_ptr(error))
    };
    assert!(error.is_none(), "{name}: {error:?}");
    let memory: &[u8] = bytemuck::cast_slice(&memory);
    let (before, rest) = memory.split_at(FENCE);
    let (out, after) = rest.split_at(bytes);
    assert!(before.iter().chain(after).all(|&byte| byte == 0xff), "{name} writes beside its output");
    let left_out = out.chunks(bytes / plan.out).position(|element| element.iter().all(|&byte| byte == 0xff));
    assert!(left_out.is_none(), "{name} leaves out element {left_out:?}, or reads what nobody has written");
    out.to_vec()
}

fn address(storage: &CpuStorage, offset: usize) -> Result<u64> {
    Ok(match storage {
        CpuStorage::U8(values) => values[offset..].as_ptr() as u64,
        CpuStorage::F32(values) => values[offset..].as_ptr() as u64,
        CpuStorage::BF16(values) => values[offset..].as_ptr() as u64,
        other => bail!("{:?} is no operand of a kernel", other.dtype()),
    })
}
