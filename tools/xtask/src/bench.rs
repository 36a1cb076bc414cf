//! `cargo xtask bench`: executed instructions of one segment, of its operations and of each kernel, on every
//! emulated processor and on this one.
//!
//! On boards a QEMU plugin of this repository (`tools/counter`) counts between markers, and bytes that a
//! segment reads from flash and from RAM; on the host callgrind counts. Both give the same number on every
//! run, so the committed file is a budget: `--check` fails where a count has grown by more than 2 %.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use hrm_core::lane::LaneWidth;
use hrm_emulator::board::{Board, QEMU, one_per_processor};
use hrm_emulator::image::Image;
use hrm_tests::synthetic::{self, ModelKind, SMALL};

use crate::firmware::{Build, Program, compile, compiler_for};
use crate::run::{cargo, command, output, root, run, target};
use crate::setup::{self, EMULATORS, Toolchain, VALGRIND};

/// Count instructions.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Boards, for example mps2-an386, or `host`; all by default
    boards: Vec<String>,
    /// Fail where a count exceeds the committed one by more than 2 %
    #[arg(long)]
    check: bool,
    /// Write the committed files anew, in docs/performance
    #[arg(long, conflicts_with = "check")]
    update: bool,
    /// Use the portable kernels everywhere, to see what the processors' own bring
    #[arg(long, conflicts_with_all = ["check", "update"])]
    portable: bool,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    if let Some(name) = args.boards.iter().find(|name| *name != HOST && Board::find(name).is_none()) {
        bail!("there is no board {name}");
    }
    let wanted = |name: &str| args.boards.is_empty() || args.boards.iter().any(|board| board == name);
    let program = if args.portable { Program::PortableBench } else { Program::Bench };
    // The STM32F405's processor is the first board's, and its RAM is too small for the larger models.
    let boards: Vec<Board> = one_per_processor().filter(|board| wanted(board.name)).collect();
    let toolchain = compiler_for(&boards.iter().map(Build::from).collect::<Vec<_>>())?;
    setup::programs(&EMULATORS)?;
    setup::programs(&[VALGRIND])?;
    let programs =
        boards.into_iter().map(|board| build(toolchain, board, program)).collect::<Result<Vec<_>>>()?;
    let counts = count(&programs, wanted(HOST) && !args.portable)?;
    if args.update {
        update(toolchain, counts, args.boards.is_empty())
    } else if args.check {
        judge(toolchain, &counts, args.boards.is_empty())
    } else {
        println!("{}", fs::read_to_string(folder()?.join("instructions.md"))?);
        Ok(())
    }
}

/// Fails where a count of `programs`, all of them, or of the host exceeds the committed one by more than 2 %.
pub(crate) fn check(toolchain: Toolchain, programs: &[Counted]) -> Result<()> {
    judge(toolchain, &count(programs, true)?, true)
}

/// A program that is counted, and the board that runs it.
pub(crate) struct Counted {
    board: Board,
    elf: PathBuf,
}

/// Builds the program that is counted on `board`.
pub(crate) fn build(toolchain: Toolchain, board: Board, program: Program) -> Result<Counted> {
    // Cargo leaves that of another processor in the same place.
    let elf = folder()?.join(board.name).with_extension("elf");
    let built = compile(toolchain, &board, program)?;
    fs::copy(built, &elf).with_context(|| format!("cannot write {}", elf.display()))?;
    Ok(Counted { board, elf })
}

/// Counts, by machine, model and region; `work` is multiply-accumulates, or elements.
type Counts = BTreeMap<String, Count>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Count {
    instructions: u64,
    work: u64,
}

/// Where the committed counts are.
const FOLDER: &str = "docs/performance";
/// Largest growth that `--check` accepts, in percent.
const GROWTH_PERCENT: u64 = 2;
/// Most bytes of stack that a segment may take, start-up included.
const STACK_LIMIT: u64 = 4096;
/// File beside the counts that names the compiler they are of: another one is no regression.
const COMPILER: &str = "compiler.txt";
/// Name of the host among the boards.
const HOST: &str = "host";

/// The models that are measured: those of the released packs' shapes, and one with RoPE instead of a
/// relation bias; random weights.
fn models() -> [(&'static str, ModelKind); 5] {
    let kind =
        |width, heads, inner, lanes| ModelKind { task: "sudoku9", width, heads, inner, lanes, ..SMALL };
    [
        ("96-i16", kind(96, 3, 256, LaneWidth::I16)),
        ("96-i8", kind(96, 3, 256, LaneWidth::I8)),
        ("96-rope-i16", ModelKind { rope: true, relation: false, ..kind(96, 3, 256, LaneWidth::I16) }),
        ("128-i16", kind(128, 4, 384, LaneWidth::I16)),
        ("128-i8", kind(128, 4, 384, LaneWidth::I8)),
    ]
}

/// Where programs, packs and counts of this run are.
fn folder() -> Result<PathBuf> {
    let folder = target().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// Counts each program with each model, and the host's if `host`, and reports into [`folder`].
fn count(programs: &[Counted], host: bool) -> Result<Counts> {
    let folder = folder()?;
    let mut packs = Vec::new();
    for (name, kind) in models() {
        let path = folder.join(format!("{name}.hrm"));
        fs::write(&path, synthetic::pack(kind, 3))
            .with_context(|| format!("cannot write {}", path.display()))?;
        packs.push((name, path));
    }
    let mut counts = Counts::new();
    let plugin = plugin()?;
    for Counted { board, elf } in programs {
        // Without kernels of its own a segment takes several times as long: the released
        // packs' shape says it all.
        let packs = if board.slow { &packs[..2] } else { &packs[..] };
        counts.extend(each(packs, |name, pack| on_board(board, elf, &plugin, name, pack, &folder))?);
    }
    if host {
        // The whole workspace's features: what was built for its tests serves here.
        run(&mut cargo(["build", "--release", "--workspace", "--bin", "hrm-bench-host"]))?;
        counts.extend(each(&packs, |name, pack| on_host(name, pack, &folder))?);
    }
    report(&counts, &folder)?;
    Ok(counts)
}

/// Writes the committed files anew; those of other boards stay, unless these are `all`.
fn update(toolchain: Toolchain, counts: Counts, all: bool) -> Result<()> {
    let committed = root().join(FOLDER);
    fs::create_dir_all(&committed)?;
    let mut written = if all { Counts::new() } else { read(&committed)? };
    written.extend(counts);
    report(&written, &committed)?;
    fs::write(committed.join(COMPILER), compiler(toolchain)?)?;
    Ok(())
}

/// Compares with the committed counts, which another compiler may have made.
fn judge(toolchain: Toolchain, counts: &Counts, all: bool) -> Result<()> {
    let committed = root().join(FOLDER);
    let by = fs::read_to_string(committed.join(COMPILER)).with_context(|| {
        format!("cannot read {FOLDER}/{COMPILER}; `cargo xtask bench --update` writes it")
    })?;
    let here = compiler(toolchain)?;
    if here != by {
        eprintln!(
            "note: counted with {}, committed with {}: growth is told, not judged",
            here.trim(),
            by.trim()
        );
    }
    compare(counts, &read(&committed)?, all, here == by)
}

/// What `count` counts of each pack, all at the same time.
fn each<'a>(
    packs: &'a [(&'static str, PathBuf)],
    count: impl Fn(&'a str, &'a Path) -> Result<Counts> + Sync,
) -> Result<Counts> {
    let count = &count;
    thread::scope(|scope| {
        let running: Vec<_> =
            packs.iter().map(|(name, pack)| scope.spawn(move || count(name, pack))).collect();
        let mut counts = Counts::new();
        for one in running {
            counts.extend(one.join().ok().context("a thread of this task has panicked")??);
        }
        Ok(counts)
    })
}

/// The compiler of the boards' programs, by version.
fn compiler(toolchain: Toolchain) -> Result<String> {
    let rustc = match toolchain {
        Toolchain::Rustup => std::env::var("RUSTC").unwrap_or("rustc".into()),
        Toolchain::Debian => "/usr/bin/rustc".into(),
    };
    let version = output(&mut command(&rustc, ["--version"])).context("rustc does not run")?;
    let release: Vec<&str> = version.split_whitespace().take(2).collect();
    Ok(release.join(" ") + "\n")
}

/// Builds the counting plugin for the version of QEMU that there is.
fn plugin() -> Result<PathBuf> {
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

/// Addresses and names of the markers in `elf`.
fn markers(elf: &Path) -> Result<Vec<(u64, String)>> {
    let image = Image::open(elf)?;
    let found: Vec<_> = image
        .symbols("hrm_mark_")
        .into_iter()
        .map(|(name, address)| (address & !1, name.trim_start_matches("hrm_mark_").to_owned()))
        .collect();
    ensure!(found.len() == 13, "{} has {} markers, not 13", elf.display(), found.len());
    Ok(found)
}

fn on_board(
    board: &Board,
    elf: &Path,
    plugin: &Path,
    model: &str,
    pack: &Path,
    folder: &Path,
) -> Result<Counts> {
    let mut counts = Counts::new();
    let out = folder.join(format!("{}-{model}.counts", board.name));
    let _ = fs::remove_file(&out);
    let mut plugin = format!("{},out={}", plugin.display(), out.display());
    for (address, name) in markers(elf)? {
        let _ = write!(plugin, ",mark={address}:{name}");
    }
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
    counts.insert(
        format!("{} {model} bytes of stack", board.processor),
        Count { instructions: stack, work: 1 },
    );
    let notes = fs::read_to_string(&out).with_context(|| format!("the plugin left no {}", out.display()))?;
    let at = |region: &str| format!("{} {model} {region}", board.processor);
    let announced = announced(&said)?;
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
                current = Some(regions.next().with_context(|| format!("{}: an unknown region", board.name))?);
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
    ensure!(current.is_none() && regions.next().is_none(), "{} {model}: a region is missing", board.name);
    ensure!(operations.len() == 11, "{} {model}: an operation is missing: {operations:?}", board.name);
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
    ensure!(regions.len() == 16, "{} regions, not 16", regions.len());
    Ok(regions)
}

fn on_host(model: &str, pack: &Path, folder: &Path) -> Result<Counts> {
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

fn read(folder: &Path) -> Result<Counts> {
    let path = folder.join("instructions.json");
    let text = fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}: write it with `cargo xtask bench --update`", path.display())
    })?;
    Ok(serde_json::from_str(&text)?)
}

/// Writes `instructions.json`, `.csv` and `.md` to `folder`.
fn report(counts: &Counts, folder: &Path) -> Result<()> {
    fs::write(folder.join("instructions.json"), serde_json::to_string_pretty(counts)? + "\n")?;
    let mut csv = "processor,model,region,work,instructions,instructions_per_work\n".to_owned();
    let mut tables: BTreeMap<(&str, &str), BTreeMap<&str, f64>> = BTreeMap::new();
    let mut processors: Vec<&str> = Vec::new();
    for (name, count) in counts {
        let mut parts = name.splitn(3, ' ');
        let (Some(processor), Some(model), Some(region)) = (parts.next(), parts.next(), parts.next()) else {
            bail!("`{name}` names no count");
        };
        let each = count.instructions as f64 / count.work as f64;
        let Count { instructions, work } = count;
        let _ = writeln!(csv, "{processor},{model},\"{region}\",{work},{instructions},{each:.4}");
        tables.entry((model, region)).or_default().insert(processor, each);
        if !processors.contains(&processor) {
            processors.push(processor);
        }
    }
    fs::write(folder.join("instructions.csv"), csv)?;
    let mut text = "Executed instructions per multiply-accumulate (`segment`, `operation`, `matmul`) or per element. Written by \
                    `cargo xtask bench`.\n"
        .to_owned();
    for (model, _) in models() {
        let _ = write!(text, "\n| {model} | {} |\n|---|", processors.join(" | "));
        processors.iter().for_each(|_| text.push_str("--:|"));
        text.push('\n');
        for ((of, region), row) in &tables {
            if *of == model {
                let cell = |p: &&str| row.get(*p).map_or("–".to_owned(), |each| format!("{each:.3}"));
                let cells: Vec<String> = processors.iter().map(cell).collect();
                let _ = writeln!(text, "| {region} | {} |", cells.join(" | "));
            }
        }
    }
    fs::write(folder.join("instructions.md"), text)?;
    Ok(())
}

/// Names every count that has grown too much, is new, or (where everything was counted) has gone.
fn compare(counts: &Counts, committed: &Counts, all: bool, same_compiler: bool) -> Result<()> {
    let mut faults = Vec::new();
    for (name, count) in counts {
        match committed.get(name) {
            None => faults.push(format!("{name}: not among the committed counts")),
            Some(old) if count.work != old.work => faults.push(format!("{name}: another amount of work")),
            // the host's compiler and libraries differ from machine to machine: told, not judged
            Some(old) if count.instructions * 100 > old.instructions * (100 + GROWTH_PERCENT) => {
                let line =
                    format!("{name}: {} instructions, {} committed", count.instructions, old.instructions);
                match name.starts_with("x86-64") || !same_compiler {
                    true => eprintln!("note: {line}"),
                    false => faults.push(line),
                }
            }
            Some(_) => {}
        }
    }
    let gone = committed.keys().filter(|name| all && !counts.contains_key(*name));
    faults.extend(gone.map(|name| format!("{name}: not counted")));
    ensure!(
        faults.is_empty(),
        "instruction counts (see `cargo xtask bench --update`):\n  {}",
        faults.join("\n  ")
    );
    println!("{} instruction counts within {GROWTH_PERCENT} % of the committed ones", counts.len());
    Ok(())
}
