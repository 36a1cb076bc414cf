//! `cargo xtask bits`: the same bits everywhere, and no bit of a pack lost unseen, at the
//! size that patience allows.
//!
//! Three questions. Is a pack with one flipped bit refused? Do the kernels of every level of this processor
//! think alike? Does every emulated board think as this machine does? What boards have shown is logged, so
//! that a long run goes on where it was stopped.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;

use anyhow::{Context, Result, bail, ensure};
#[cfg(target_arch = "x86_64")]
use hrm_core::kernels::x86::{Level, limit};
use hrm_core::pack::{AlignedBytes, checksum};
use hrm_core::task::{Task, sudoku::Sudoku};
use hrm_core::wire::Ask;
use hrm_core::{Hrm, Pack, workspace_bytes, workspace_words};
use hrm_emulator::{Board, Claim, Image, board::BOARDS, compare::digests};
use hrm_tests::puzzles;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::firmware::{Build, build_plain};
use crate::run::{released, root, target};
use crate::setup::{self, EMULATORS};

/// Flip bits of packs; think on every level of this processor and on every emulated board
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Puzzles of each pack on each board
    #[arg(long, default_value_t = 20)]
    puzzles: usize,
    /// Segments of each puzzle
    #[arg(long, default_value_t = 1)]
    segments: u16,
    /// Bits of the largest pack to flip, drawn at random; of the smallest pack every bit is flipped
    #[arg(long, default_value_t = 10_000)]
    flips: u64,
}

/// Packs that think, of both widths of lanes. Boards that lack the room for a 9x9 model
/// get the small one alone.
const THINKING: [&str; 3] = ["sudoku4-demo", "sudoku9-mcu", "sudoku9-mcu-i8"];
const SMALLEST: &str = "sudoku4-demo";
const LARGEST: &str = "sudoku9-plus";
/// Puzzles between two lines of the log.
const CHUNK: usize = 20;
/// Seeds the puzzles and the flipped bits.
const SEED: u64 = 16;

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let smallest = released(SMALLEST)?;
    let all = 0..smallest.len() as u64 * 8;
    refused(SMALLEST, &smallest, all)?;
    let largest = released(LARGEST)?;
    let (bits, mut rng) = (largest.len() as u64 * 8, Pcg64Mcg::seed_from_u64(SEED));
    let drawn = (0..args.flips).map(|_| rng.next_u64() % bits);
    refused(LARGEST, &largest, drawn)?;
    let emulated: Vec<Build> = BOARDS.iter().map(Build::from).collect();
    setup::programs(&EMULATORS)?;
    build_plain(&emulated)?;
    for name in THINKING {
        let pack = released(name)?;
        let aligned = AlignedBytes::copy_of(&pack);
        let open = Pack::open(aligned.bytes())?;
        let task = Sudoku::named(open.header()?.task).context("a pack for Sudoku")?;
        let puzzles = puzzles::drawn(&task, args.puzzles, SEED);
        #[cfg(target_arch = "x86_64")]
        levels(name, open, &puzzles, args.segments)?;
        boards(name, open, &puzzles, args.segments)?;
    }
    Ok(())
}

/// Every one of `bits`, flipped alone, makes the pack one that is refused.
fn refused(name: &str, pack: &[u8], bits: impl Iterator<Item = u64>) -> Result<()> {
    let mut bytes = AlignedBytes::copy_of(pack);
    let mut flipped = 0_u64;
    for bit in bits {
        let (at, mask) = ((bit / 8) as usize, 1 << (bit % 8));
        bytes.bytes_mut()[at] ^= mask;
        ensure!(Pack::open(bytes.bytes()).is_err(), "{name}: with bit {bit} flipped it is opened");
        bytes.bytes_mut()[at] ^= mask;
        flipped += 1;
    }
    Pack::open(bytes.bytes())?;
    println!("{name}: {flipped} packs with one flipped bit, all refused");
    Ok(())
}

/// The digests of every operation are the same with the kernels of every level that this processor has.
#[cfg(target_arch = "x86_64")]
fn levels(name: &str, pack: Pack<'_>, puzzles: &[Vec<u8>], segments: u16) -> Result<()> {
    let there = Level::ALL.into_iter().filter(|&level| level <= Level::of_processor());
    let there: Vec<Level> = there.collect();
    for (number, tokens) in puzzles.iter().enumerate() {
        let thought: Vec<_> = there
            .iter()
            .map(|&level| {
                limit(level);
                let mut memory = vec![0; workspace_words(pack.shape())];
                Hrm::new(pack, &mut memory)
                    .map(|mut model| digests(&mut model, Ask { member: 0, tokens }, segments))
            })
            .collect::<Result<_, _>>()?;
        for (level, other) in there.iter().zip(&thought) {
            ensure!(*other == thought[0], "{name}, puzzle {number}: {level:?} and {:?} differ", there[0]);
        }
    }
    println!("{name}: {} puzzles, equal on {there:?}", puzzles.len());
    Ok(())
}

/// Every board that has the room thinks as this machine does. What the log has is not asked again.
fn boards(name: &str, pack: Pack<'_>, puzzles: &[Vec<u8>], segments: u16) -> Result<()> {
    let log = target().join("bits.log");
    let done: HashSet<String> = match fs::read_to_string(&log) {
        Ok(text) => text.lines().map(String::from).collect(),
        Err(_) => HashSet::new(),
    };
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .with_context(|| format!("cannot write {}", log.display()))?;
    let path = root().join("models").join(name).with_extension("hrm");
    for board in BOARDS {
        let image = Image::built(board.name)?;
        if !fits(&image, pack) {
            println!("{name}: no room on {} ({})", board.name, board.processor);
            continue;
        }
        let firmware = checksum(image.elf());
        for (number, chunk) in puzzles.chunks(CHUNK).enumerate() {
            let from = number * CHUNK;
            let line = format!(
                "{name} {:08x}, {} {firmware:08x}: puzzles {from} to {} of seed {SEED}, {segments} segments: equal",
                pack.crc(),
                board.name,
                from + chunk.len() - 1,
            );
            if !done.contains(&line) {
                prove(Claim { pack, path: &path, puzzles: chunk, segments }, board, from)?;
                writeln!(file, "{line}").with_context(|| format!("cannot write {}", log.display()))?;
            }
        }
        println!("{name}: {} puzzles, equal on {} ({})", puzzles.len(), board.name, board.processor);
    }
    Ok(())
}

fn fits(image: &Image, pack: Pack<'_>) -> bool {
    pack.bytes() as u64 <= image.pack_region().bytes
        && workspace_bytes(pack.shape()) as u64 <= image.sizes().workspace
}

fn prove(claim: Claim<'_>, board: Board, from: usize) -> Result<()> {
    if let Err(difference) = claim.prove(board, Image::built(board.name)?, &mut |_| {}) {
        bail!("{} ({}), puzzles from {from} on: {difference}", board.name, board.processor);
    }
    Ok(())
}
