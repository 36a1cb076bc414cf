//! `cargo xtask soak`: emulated boards, and the application behind a USB port, in use for as
//! long as patience allows.

use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use hrm_emulator::{Board, board::BOARDS};
use hrm_tests::soak::{self, Amount, Found, Known};

use crate::firmware::{Build, build_plain};
use crate::run::released;
use crate::setup::{self, EMULATORS};

/// Use emulated boards and a USB stand-in for long, and compare every answer with this machine's
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Boards, or `usb` for the stand-in behind a USB port; all of them where none is named
    boards: Vec<String>,
    /// Requests for each; beside them a tenth as many damaged frames, and a hundredth as many resets (pulled
    /// plugs of `usb`), stalled readers, and clients that leave
    #[arg(long, default_value_t = 1_000)]
    requests: usize,
    /// Seeds what happens in which order
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A released pack for Sudokus, whose model solves puzzles. Without it a tiny model with random weights
    /// is used, whose segments take no time
    #[arg(long)]
    model: Option<String>,
}

/// The stand-in's name among the boards.
const USB: &str = "usb";

/// Runs the task.
pub(crate) fn task(args: &Args) -> Result<()> {
    let asked = |name: &str| args.boards.is_empty() || args.boards.iter().any(|asked| asked == name);
    let boards: Vec<Board> = BOARDS.into_iter().filter(|board| asked(board.name)).collect();
    let unknown =
        args.boards.iter().find(|name| *name != USB && !boards.iter().any(|board| board.name == **name));
    if let Some(unknown) = unknown {
        let names: Vec<&str> = BOARDS.iter().map(|board| board.name).chain([USB]).collect();
        return Err(anyhow!("there is no board {unknown}; there are {}", names.join(", ")));
    }
    let known = match &args.model {
        None => Known::tiny(),
        Some(name) => {
            Known::of(&released(name)?, 40, 9).map_err(|why| anyhow!("{name} cannot be used: {why}"))?
        }
    };
    let amount = Amount::around(args.requests);
    if asked(USB) {
        used((USB, "this machine"), amount, || soak::over_usb(&known, amount, args.seed))?;
    }
    if boards.is_empty() {
        return Ok(());
    }
    setup::programs(&EMULATORS)?;
    build_plain(&boards.iter().map(Build::from).collect::<Vec<_>>())?;
    for board in boards {
        used((board.name, board.processor), amount, || soak::on_board(&known, board, amount, args.seed))?;
    }
    Ok(())
}

fn used(
    (name, processor): (&str, &str),
    amount: Amount,
    run: impl FnOnce() -> Result<Found, String>,
) -> Result<()> {
    let begun = Instant::now();
    let Found { answered, refused, solved, noticed, stack_early, stack } =
        run().map_err(|wrong| anyhow!(wrong)).with_context(|| format!("{name} ({processor})"))?;
    let stack = match stack {
        0 => String::new(),
        _ => format!("stack {stack_early} bytes in the first tenth, {stack} in all; "),
    };
    println!(
        "{name} ({processor}): {answered} requests answered as they should be, of them {refused} refusals and {solved} solved puzzles; \
         {} damaged frames, {noticed} errors told of them; {stack}{} s",
        amount.noise,
        begun.elapsed().as_secs()
    );
    Ok(())
}
