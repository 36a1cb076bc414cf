//! `cargo xtask bench`: executed instructions of one segment, of its operations and of each kernel, on every
//! emulated processor and on this one.
//!
//! On boards, and on AArch64, a QEMU plugin of this repository (`tools/counter`) counts between markers, and on
//! boards bytes that a segment reads from flash and from RAM; on this machine callgrind counts. Both give the
//! same number on every run, so the committed file is a budget: `--check` fails where a count has grown by more
//! than 2 %.

mod budget;
mod measure;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail};
use hrm_core::lane::LaneWidth;
use hrm_emulator::board::{Board, one_per_processor};
use hrm_tests::synthetic::{self, ModelKind, SMALL};

use self::budget::{Counts, compare, read, report};
use self::measure::{on_aarch64, on_board, on_host, plugin};
use crate::aarch64;
use crate::firmware::{Build, Program, compile, compiler_for};
use crate::run::{cargo, command, output, root, run, target};
use crate::setup::{self, EMULATORS, Toolchain, VALGRIND};

/// Count instructions.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Boards, for example mps2-an386, or `host` for this processor and AArch64; all by default
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
    let workstations = wanted(HOST).then(setup::aarch64).transpose()?;
    let counts = count(&programs, workstations.map(|toolchain| (toolchain, args.portable)))?;
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
    judge(toolchain, &count(programs, Some((toolchain, false)))?, true)
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

/// Where the committed counts are.
const FOLDER: &str = "docs/performance";
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

/// The models as packs in [`folder`].
fn packs() -> Result<Vec<(&'static str, PathBuf)>> {
    let folder = folder()?;
    let written = models().into_iter().map(|(name, kind)| {
        let path = folder.join(format!("{name}.hrm"));
        fs::write(&path, synthetic::pack(kind, 3))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok((name, path))
    });
    written.collect()
}

/// Counts each program with each model, and the workstations' processors if a toolchain for AArch64 is given,
/// and reports into [`folder`]. With portable kernels this machine's processor is left out.
fn count(programs: &[Counted], workstations: Option<(Toolchain, bool)>) -> Result<Counts> {
    let (folder, packs, plugin) = (folder()?, packs()?, plugin()?);
    let mut counts = Counts::new();
    for Counted { board, elf } in programs {
        // Without kernels of its own a segment takes several times as long: the released
        // packs' shape says it all.
        let packs = if board.slow { &packs[..2] } else { &packs[..] };
        counts.extend(each(packs, |name, pack| on_board(board, elf, &plugin, name, pack, &folder))?);
    }
    if let Some((toolchain, portable)) = workstations {
        let program = aarch64::counted(toolchain, portable)?;
        for processor in aarch64::PROCESSORS {
            let count = |name, pack: &Path| on_aarch64(processor, &program, &plugin, name, pack, &folder);
            counts.extend(each(&packs, count)?);
        }
    }
    if workstations.is_some_and(|(_, portable)| !portable) {
        // The whole workspace's features: what was built for its tests serves here.
        let program = ["build", "--release", "--workspace", "--bin", "hrm-bench-host"];
        run(cargo(program).args(["--features", "hrm-workload/std"]))?;
        counts.extend(each(&packs, |name, pack| on_host(name, pack, &folder))?);
    }
    report(&counts, &models().map(|(name, _)| name), &folder)?;
    Ok(counts)
}

/// Writes the committed files anew; those of other boards stay, unless these are `all`.
fn update(toolchain: Toolchain, counts: Counts, all: bool) -> Result<()> {
    let committed = root().join(FOLDER);
    fs::create_dir_all(&committed)?;
    let mut written = if all { Counts::new() } else { read(&committed)? };
    written.extend(counts);
    report(&written, &models().map(|(name, _)| name), &committed)?;
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
