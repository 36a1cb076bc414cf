//! `cargo xtask firmware`: the firmware of every board, as ELF images.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hrm_emulator::board::{BOARDS, Board, HARDWARE, Hardware, corrupted, one_per_processor};
use hrm_emulator::image::{IMAGES, Image};
use hrm_emulator::tasks::MORE_FEATURES;

use crate::builder::{Place, builder, builder_in};
use crate::run::{run, target};
use crate::sbom;
use crate::setup::{self, Toolchain};

/// Build the firmware.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Boards, for example mps2-an386; all by default
    boards: Vec<String>,
    /// Also the images that the tests need: with a corrupted kernel, with every task, and with a
    /// watchdog that is not fed
    #[arg(long)]
    for_tests: bool,
}

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let boards: Vec<Build> = match &args.boards[..] {
        [] => every(),
        names => names.iter().map(|name| find(name)).collect::<Result<_>>()?,
    };
    let variants = if args.for_tests { &Variant::ALL[..] } else { &[Variant::Plain] };
    build(compiler_for(&boards)?, &boards, variants)
}

/// How an image differs from the one that is flashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// It does not.
    Plain,
    /// One kernel rounds one value wrongly, for the test that proves that tests would notice. For one
    /// board an instruction set.
    FaultInjection,
    /// It carries every task, that of the tests included. For the first board alone.
    EveryTask,
    /// It feeds its watchdog for ten seconds and no longer. For the first board alone.
    Unfed,
}

impl Variant {
    /// Every variant.
    pub(crate) const ALL: [Variant; 4] =
        [Variant::Plain, Variant::FaultInjection, Variant::EveryTask, Variant::Unfed];

    /// Whether there is such an image of `board`.
    fn is_of(self, board: Build) -> bool {
        match self {
            Variant::Plain => true,
            Variant::FaultInjection => corrupted().any(|other| other.name == board.name),
            Variant::EveryTask | Variant::Unfed => board.name == BOARDS[0].name,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Variant::Plain => "",
            Variant::FaultInjection => "-fault-injection",
            Variant::EveryTask => "-every-task",
            Variant::Unfed => "-unfed",
        }
    }
}

/// Every board, emulated and real.
pub(crate) fn every() -> Vec<Build> {
    BOARDS.iter().map(Build::from).chain(HARDWARE.iter().map(Build::from)).collect()
}

/// Those with one processor.
pub(crate) fn of_processor(cpu: &str) -> Vec<Build> {
    every().into_iter().filter(|board| board.cpu == cpu).collect()
}

pub(crate) fn find(name: &str) -> Result<Build> {
    let known: Vec<&str> = every().iter().map(|board| board.name).collect();
    let found = every().into_iter().find(|board| board.name == name);
    found.with_context(|| format!("there is no board {name}; boards: {}", known.join(", ")))
}

/// The targets of `boards`, each once.
pub(crate) fn targets_of(boards: &[Build]) -> Vec<&'static str> {
    boards.iter().map(|board| board.target).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Sets up what compiles for `boards`.
pub(crate) fn compiler_for(boards: &[Build]) -> Result<Toolchain> {
    setup::compiler(&targets_of(boards))
}

/// Builds what is flashed on `boards`, or emulated, and sets up what compiles it.
pub(crate) fn build_plain(boards: &[Build]) -> Result<()> {
    build(compiler_for(boards)?, boards, &[Variant::Plain])
}

/// Most bytes of code that all kernels of one image may take.
const KERNEL_BYTES: u64 = 12 * 1024;

/// Builds `variants` for `boards` and prints what each takes. The linker refuses an image
/// that does not fit its board.
///
/// Of a real board there is only the plain variant: the others are for tests, which it cannot run here.
pub(crate) fn build(toolchain: Toolchain, boards: &[Build], variants: &[Variant]) -> Result<()> {
    let images = target().join(IMAGES);
    fs::create_dir_all(&images).with_context(|| format!("cannot create {}", images.display()))?;
    let mut table = vec![
        "image                           flash   of it free      RAM   of it workspace    stack   room for a pack".to_owned(),
    ];
    for board in boards {
        let real = Hardware::find(board.name);
        for &variant in variants.iter().filter(|variant| variant.is_of(*board)) {
            let built = compile(toolchain, *board, Program::Firmware(variant))?;
            let name = format!("{}{}", board.name, variant.suffix());
            let path = images.join(format!("{name}.elf"));
            fs::copy(&built, &path).with_context(|| format!("cannot write {}", path.display()))?;
            let place = Place::here(toolchain);
            place.check_unnamed(toolchain, &path.display().to_string(), &fs::read(&path)?)?;
            if variant == Variant::Plain {
                sbom::write(toolchain, &path, &features(*board, Program::Firmware(variant)), board.target)?;
            }
            let image = Image::open(&path)?;
            if let Some(real) = real {
                check(&image, &real)?;
                // For flashing programs that know no ELF, dfu-util above all.
                let bytes = path.with_extension("bin");
                fs::write(&bytes, image.flashed().1)
                    .with_context(|| format!("cannot write {}", bytes.display()))?;
            }
            let (sizes, pack) = (image.sizes(), image.pack_region());
            let kernels = image.code_bytes("hrm_core7kernels");
            ensure!(
                kernels > 0 && kernels <= KERNEL_BYTES,
                "{name}: {kernels} bytes of kernels, {KERNEL_BYTES} allowed"
            );
            table.push(format!(
                "{name:<29} {:>7} {:>12} {:>8} {:>17} {:>8} {:>17}",
                sizes.flash,
                image.program_bytes().saturating_sub(sizes.flash),
                sizes.ram,
                sizes.workspace,
                sizes.stack,
                pack.bytes
            ));
        }
    }
    table.iter().for_each(|line| println!("{line}"));
    println!("in {}: NAME.elf, and of real boards NAME.bin, the bytes for flash", images.display());
    Ok(())
}

/// Checks that the linker's memory map, and the list that `hrm-host device flash-pack` goes by, say the same.
fn check(image: &Image, board: &Hardware) -> Result<()> {
    let region = image.pack_region();
    ensure!(
        (region.start, region.bytes) == board.pack,
        "{}: boards/{}/memory.x keeps the pack at {:#x} ({} bytes), tools/emulator/src/board.rs says {:#x} ({} bytes)",
        board.name,
        board.name,
        region.start,
        region.bytes,
        board.pack.0,
        board.pack.1
    );
    let sizes = image.sizes();
    for (what, image, listed) in
        [("for a model", sizes.workspace, board.workspace), ("for the stack", sizes.stack, board.stack)]
    {
        ensure!(
            image == listed,
            "{}: the image sets {image} bytes aside {what}, tools/emulator/src/board.rs says {listed}",
            board.name
        );
    }
    let end = region.start + region.bytes;
    ensure!(
        board.flash.0 <= region.start && end <= board.flash.1,
        "{}: the pack's region {:#x} to {end:#x} is not within the flash of {}",
        board.name,
        region.start,
        board.chip
    );
    ensure!(
        image.board().as_deref() == Some(board.name),
        "{}: the image says that it is for {:?}",
        board.name,
        image.board()
    );
    Ok(())
}

/// What the compiler has to know of a board.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Build {
    name: &'static str,
    cpu: &'static str,
    target: &'static str,
}

impl From<&Board> for Build {
    fn from(board: &Board) -> Self {
        Self { name: board.name, cpu: board.cpu, target: board.target }
    }
}

impl From<&Hardware> for Build {
    fn from(board: &Hardware) -> Self {
        Self { name: board.name, cpu: board.cpu, target: board.target }
    }
}

/// What is compiled for a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// What is flashed.
    Firmware(Variant),
    /// What `cargo xtask bench` counts.
    Bench,
    /// The same with the portable kernels.
    PortableBench,
    /// What links only where inference cannot panic.
    NoPanic,
    /// The same with a panic.
    Panic,
}

/// Compiles one program; where cargo left it.
pub(crate) fn compile(toolchain: Toolchain, board: impl Into<Build>, program: Program) -> Result<PathBuf> {
    compile_in(&Place::here(toolchain), toolchain, board.into(), program)
}

/// The same from the sources in another folder.
pub(crate) fn compile_in(
    place: &Place,
    toolchain: Toolchain,
    board: Build,
    program: Program,
) -> Result<PathBuf> {
    run(&mut compiler(place, toolchain, board, program))?;
    let built = place.target.join(board.target).join("firmware").join(program.binary());
    ensure!(built.exists(), "cargo left no {}", built.display());
    Ok(built)
}

/// The features that [`MORE_FEATURES`] names.
pub(crate) fn more_features() -> impl Iterator<Item = String> {
    let named = env::var(MORE_FEATURES).unwrap_or_default();
    let all: Vec<String> = named.split([',', ' ']).map(str::to_owned).collect();
    all.into_iter().filter(|feature| !feature.is_empty())
}

/// What of hrm-firmware one program has.
fn features(board: Build, program: Program) -> String {
    let more = match program {
        Program::Firmware(_) => more_features().map(|more| format!(",{more}")).collect(),
        _ => String::new(),
    };
    format!("board-{}{}{more}", board.name, program.features())
}

/// The command that compiles one program.
fn compiler(place: &Place, toolchain: Toolchain, board: Build, program: Program) -> Command {
    let features = features(board, program);
    let args = ["build", "--package", "hrm-firmware", "--bin", program.binary(), "--profile", "firmware"];
    let target = ["--target", board.target, "--features", &features];
    builder_in(place, toolchain, board.target, board.cpu, &[&args[..], &target].concat())
}

impl Program {
    /// Name of the binary.
    fn binary(self) -> &'static str {
        match self {
            Program::Firmware(_) => "hrm-firmware",
            Program::Bench | Program::PortableBench => "hrm-bench",
            Program::NoPanic | Program::Panic => "hrm-no-panic",
        }
    }

    /// What is added to the board's feature.
    fn features(self) -> &'static str {
        match self {
            Program::Firmware(Variant::FaultInjection) => ",_fault-injection",
            Program::Firmware(Variant::EveryTask) => ",_every-task",
            Program::Firmware(Variant::Unfed) => ",_unfed",
            Program::Bench => ",_bench",
            Program::PortableBench => ",_bench,_portable",
            Program::Panic => ",_panics",
            Program::Firmware(Variant::Plain) | Program::NoPanic => "",
        }
    }
}

/// The function that a program without panics does not miss.
const MISSED: &str = "inference_can_panic";

/// [`no_panic`] for every processor.
pub(crate) fn no_panic_anywhere() -> Result<()> {
    let boards: Vec<Board> = one_per_processor().collect();
    let toolchain = compiler_for(&boards.iter().map(Build::from).collect::<Vec<_>>())?;
    boards.into_iter().try_for_each(|board| no_panic(toolchain, board))
}

/// Proves for the processor of `board` that inference cannot panic, by linking a program that needs that.
pub(crate) fn no_panic(toolchain: Toolchain, board: Board) -> Result<()> {
    let elf = compile(toolchain, &board, Program::NoPanic)
        .with_context(|| format!("inference can panic on {} (the linker misses `{MISSED}`)", board.name))?;
    let panics = Image::open(&elf)?.symbols("").into_iter().filter(|(name, _)| name.contains("panicking"));
    let panics: Vec<String> = panics.map(|(name, _)| name).collect();
    ensure!(panics.is_empty(), "{} contains {panics:?}", elf.display());
    println!("inference cannot panic on {}", board.cpu);
    // That the proof is worth something is the same on every processor.
    if board == BOARDS[0] { a_panic_does_not_link(toolchain) } else { Ok(()) }
}

/// Proves on the first board that the program of [`no_panic`] would not link with a panic.
fn a_panic_does_not_link(toolchain: Toolchain) -> Result<()> {
    let with_panic =
        compiler(&Place::here(toolchain), toolchain, (&BOARDS[0]).into(), Program::Panic).output()?;
    ensure!(
        !with_panic.status.success(),
        "a program with a panic links: the proof that inference has none is worth nothing"
    );
    let said = String::from_utf8_lossy(&with_panic.stderr);
    ensure!(
        said.contains(MISSED),
        "a program with a panic is refused, but not for missing `{MISSED}`:\n{said}"
    );
    println!("and a program with a panic does not link");
    Ok(())
}

/// The smallest processor the core is for: no hardware division, no atomics, nothing but integers.
pub(crate) const SMALLEST: &str = "thumbv6m-none-eabi";

/// Checks that `hrm-core` compiles for a Cortex-M0+, and that kernels which that does not
/// have are refused by name.
pub(crate) fn check_smallest(toolchain: Toolchain) -> Result<()> {
    let args = ["check", "--package", "hrm-core", "--release", "--target", SMALLEST];
    let mut check = builder(toolchain, SMALLEST, "cortex-m0plus", &args);
    run(&mut check)?;
    let refused = check.args(["--features", "dsp-m33,dsp-m7,mve"]).output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    for part in ["`dsp` and `mve`", "`dsp-m33` and `dsp-m7`", "neither the DSP extension nor Helium"] {
        ensure!(
            !refused.status.success() && said.contains(part),
            "features that exclude each other are not refused with {part:?}:\n{said}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_is_built_with_its_processor() {
        let built: usize = one_per_processor().map(|board| of_processor(board.cpu).len()).sum();
        assert_eq!(built, every().len());
    }
}
