//! Runs the program that is counted, and reads the counts: of a board from the plugin, of this machine from
//! callgrind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hrm_core::Op;
use hrm_emulator::board::{Board, QEMU};
use hrm_emulator::image::{Image, symbols_of};

use super::budget::{Count, Counts};
use crate::aarch64::emulated;
use crate::run::{cargo, command, output, run, target};

/// Most bytes of stack that a segment may take, start-up included.
const STACK_LIMIT: u64 = 4096;

/// Builds the counting plugin for the version of QEMU that there is.
pub(super) fn plugin() -> Result<PathBuf> {
    let version = output(&mut command(QEMU, ["--version"])).context("QEMU does not run")?;
    let major = version.split_whitespace().find_map(|word| word.split_once('.')?.0.parse::<u32>().ok());
    let api = match major.with_context(|| format!("no version in `{version}`"))? {
        0..=8 => "1",
        9 => "3",
        _ => "4",
    };
    run(cargo(["build", "--release", "--package", "hrm-counter"]).env("HRM_PLUGIN_API", api))?;
    Ok(target().join("release").join("libhrm_counter.so"))
}

/// The plugin as QEMU is told of it: the markers in `elf`, of which there must be so many, and where counts go.
fn counting(plugin: &Path, elf: &Path, expected: usize, out: &Path) -> Result<String> {
    let found: Vec<_> = symbols_of(elf, "hrm_mark_")?
        .into_iter()
        .map(|(name, address)| (address & !1, name.trim_start_matches("hrm_mark_").to_owned()))
        .collect();
    ensure!(found.len() == expected, "{} has {} markers, not {expected}", elf.display(), found.len());
    let _ = fs::remove_file(out);
    let mut plugin = format!("{},out={}", plugin.display(), out.display());
    for (address, name) in found {
        let _ = write!(plugin, ",mark={address}:{name}");
    }
    Ok(plugin)
}

/// Counts a segment, its operations and the kernels with the model in `pack` on a board.
pub(super) fn on_board(
    board: &Board,
    elf: &Path,
    plugin: &Path,
    model: &str,
    pack: &Path,
    folder: &Path,
) -> Result<Counts> {
    let out = folder.join(format!("{}-{model}.counts", board.name));
    // one for each operation, one where a region begins and one where it ends
    let mut plugin = counting(plugin, elf, Op::ALL.len() + 2, &out)?;
    let image = Image::open(elf)?;
    let (region, map) = (image.pack_region(), image.memory_map());
    // Counting what is read takes several times as long, so it is done for the released packs' shape alone.
    if model.starts_with("96-i") {
        for memory in [map.pack, map.program, map.ram, map.stack] {
            let _ = write!(plugin, ",memory={}:{}", memory.start, memory.end);
        }
    }
    let mut qemu = Command::new(board.emulator());
    qemu.args(board.options())
        .args(["-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-plugin", &plugin, "-kernel"])
        .arg(elf)
        .args(["-device", &format!("loader,file={},addr={:#x},force-raw=on", pack.display(), region.start)]);
    let done = qemu.output().with_context(|| format!("cannot run {}", board.emulator()))?;
    let (said, complained) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success(), "{} with {model}: {}\n{said}{complained}", board.name, done.status);
    let checked = said.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("nothing checked");
    // the first region is a segment without a trace
    let stack = said.lines().find_map(|line| line.strip_prefix("# stack ")?.parse::<u64>().ok());
    let stack = stack.with_context(|| format!("{} {model}: no measure of the stack", board.name))?;
    ensure!(
        stack <= STACK_LIMIT,
        "{} {model}: a segment takes {stack} bytes of stack, {STACK_LIMIT} allowed",
        board.name
    );
    eprintln!("{} {model}: {checked}; {stack} bytes of stack", board.name);
    let notes = fs::read_to_string(&out).with_context(|| format!("the plugin left no {}", out.display()))?;
    let at = format!("{} {model}", board.processor);
    let mut counts =
        of_notes(&at, &announced(&said)?, &notes, &Op::ALL).with_context(|| board.name.to_owned())?;
    counts.insert(format!("{at} bytes of stack"), Count { instructions: stack, work: 1 });
    Ok(counts)
}

/// What the plugin has noted between the markers, of the regions that were announced, and of `marked`, the
/// operations that have markers of their own.
fn of_notes(at: &str, announced: &[(u64, &str)], notes: &str, marked: &[Op]) -> Result<Counts> {
    let at = |region: &str| format!("{at} {region}");
    let mut counts = Counts::new();
    let mut regions = announced.iter();
    let mut current = None;
    let mut sum = 0;
    let mut bytes = [0; 4];
    let mut operations: BTreeMap<&str, u64> = BTreeMap::new();
    for note in notes.lines() {
        let (name, numbers) = note.split_once(' ').context("a note of the plugin")?;
        let numbers: Vec<u64> = numbers.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let (&instructions, read) = numbers.split_first().context("a note without a count")?;
        bytes.iter_mut().zip(read).for_each(|(sum, bytes)| *sum += bytes);
        match name {
            "start" => {
                current = Some(regions.next().context("an unknown region")?);
                (sum, bytes) = (0, [0; 4]);
            }
            "end" => {
                let (work, region) = current.take().context("a region that ends before it begins")?;
                let count = Count { instructions: sum + instructions, work: *work };
                counts.insert(at(region), count);
                if region.starts_with("segment") && !read.is_empty() {
                    let [pack, program, ram, stack] = bytes;
                    for (memory, bytes) in [("flash", pack + program), ("RAM", ram + stack)] {
                        let name = at(&format!("{region}: bytes read from {memory}"));
                        counts.insert(name, Count { instructions: bytes, work: *work });
                    }
                }
            }
            operation => {
                sum += instructions;
                *operations.entry(operation).or_default() += instructions;
            }
        }
    }
    ensure!(current.is_none() && regions.next().is_none(), "a region is missing");
    ensure!(operations.len() == marked.len(), "an operation is missing: {operations:?}");
    let work = announced[0].0;
    for (operation, instructions) in operations {
        counts.insert(at(&format!("operation {operation}")), Count { instructions, work });
    }
    counts.remove(&at("operations"));
    Ok(counts)
}

/// Regions and their work, in the order in which the program told them.
fn announced(said: &str) -> Result<Vec<(u64, &str)>> {
    let lines = said.lines().filter(|line| !line.starts_with('#'));
    let regions: Option<Vec<(u64, &str)>> = lines
        .map(|line| line.split_once(' ').and_then(|(work, name)| Some((work.parse().ok()?, name))))
        .collect();
    let regions = regions.with_context(|| format!("not a list of regions: {said}"))?;
    ensure!(!regions.is_empty(), "no region was counted");
    Ok(regions)
}

/// Counts a segment and the kernels on AArch64, by QEMU's user emulation.
pub(super) fn on_aarch64(
    (name, processor): (&str, &str),
    program: &Path,
    plugin: &Path,
    model: &str,
    pack: &Path,
    folder: &Path,
) -> Result<Counts> {
    let out = folder.join(format!("{name}-{model}.counts"));
    let plugin = counting(plugin, program, 2, &out)?;
    let done = emulated(processor, &plugin, program).arg(pack).output().context("QEMU does not run")?;
    let complained = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{name} with {model}: {}\n{complained}", done.status);
    let said = String::from_utf8_lossy(&done.stdout);
    let notes = fs::read_to_string(&out).with_context(|| format!("the plugin left no {}", out.display()))?;
    of_notes(&format!("{name} {model}"), &announced(&said)?, &notes, &[]).with_context(|| name.to_owned())
}

/// The same on this machine.
pub(super) fn on_host(model: &str, pack: &Path, folder: &Path) -> Result<Counts> {
    let mut counts = Counts::new();
    let out = folder.join(format!("callgrind-{model}"));
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out)?;
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--zero-before=hrm_mark_start", "--dump-before=hrm_mark_end"])
        .arg(format!("--callgrind-out-file={}/out", out.display()))
        .arg(target().join("release").join("hrm-bench-host"))
        .arg(pack);
    let done = valgrind.output().context("cannot run valgrind; install the package `valgrind`")?;
    let complained = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "callgrind with {model}: {}\n{complained}", done.status);
    let said = String::from_utf8_lossy(&done.stdout);
    for (index, (work, region)) in announced(&said)?.into_iter().enumerate() {
        let path = out.join(format!("out.{}", index + 1));
        let dump =
            fs::read_to_string(&path).with_context(|| format!("callgrind left no {}", path.display()))?;
        let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
        let instructions =
            total.with_context(|| format!("no totals in {}", path.display()))?.trim().parse()?;
        if region != "operations" {
            counts.insert(format!("x86-64 {model} {region}"), Count { instructions, work });
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes of a region that takes 5 instructions and one that takes 2 for each operation.
    fn notes() -> String {
        let operations: String = Op::ALL.iter().map(|op| format!("{} 2\n", op.name())).collect();
        format!("start 0\nend 5\nstart 0\n{operations}end 1\n")
    }

    #[test]
    fn regions_and_operations_are_counted_by_name() {
        let announced = announced("# checked\n10 segment\n10 operations\n").unwrap();
        let counts = of_notes("m4 tiny", &announced, &notes(), &Op::ALL).unwrap();
        assert_eq!(counts["m4 tiny segment"], Count { instructions: 5, work: 10 });
        assert_eq!(counts["m4 tiny operation key"], Count { instructions: 2, work: 10 });
        assert_eq!(counts.len(), 1 + Op::ALL.len());
        let unmarked = of_notes("a64 tiny", &announced[..1], "start 0\nend 5\n", &[]).unwrap();
        assert_eq!(unmarked["a64 tiny segment"], Count { instructions: 5, work: 10 });
    }

    #[test]
    fn what_is_missing_is_a_fault() {
        let two = [(10, "segment"), (10, "operations")];
        let [begun, unknown] = [notes().replacen("end 1\n", "", 1), notes() + "start 0\n"];
        let lacking = notes().replace("halt 2\n", "");
        for notes in ["", &begun, &unknown, &lacking] {
            assert!(of_notes("m4 tiny", &two, notes, &Op::ALL).is_err(), "{notes}");
        }
        assert!(announced("").is_err() && announced("no number").is_err());
    }
}
