//! `hrm-host device info`

use anyhow::Result;
use hrm_core::wire::{Fault, LastEnd, PROTOCOL, SelfTestState};
use hrm_emulator::advice::{self, Emulated, SOMEWHERE};
use hrm_emulator::{Board, LinkError};

use super::Line;
use crate::cli::exit::Exit;
use crate::cli::values::count;

/// Show who is there.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    line: Line,
    /// Let the board run its self-test again
    #[arg(long)]
    self_test: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let mut session = args.line.open()?;
    let hello = session.hello().clone();
    let state = match args.self_test {
        true => session.call(|link| link.self_test(), |_| {})?,
        false => hello.self_test,
    };
    let (shape, memory) = (hello.shape, hello.memory);
    println!("board      {}, firmware {}, protocol {PROTOCOL}", hello.board, hello.firmware);
    println!(
        "pack       {}, CRC-32 {:08x}, {}",
        hello.task,
        hello.pack_crc,
        count(shape.members.into(), "member")
    );
    println!(
        "shape      width {}, {} heads, inner {}, {}+{} layers, {}x{} cycles, {} segments, {} tokens, {}-bit lanes",
        shape.width,
        shape.heads,
        shape.inner,
        shape.h_layers,
        shape.l_layers,
        shape.h_cycles,
        shape.l_cycles,
        shape.segments,
        shape.vocab,
        8 * shape.lanes.bytes()
    );
    println!("flash      {} of {} bytes set aside for a pack", memory.pack, memory.pack_region);
    println!(
        "workspace  {} of {} bytes at least; a pass over the weights serves {} tokens",
        memory.workspace, memory.workspace_region, memory.tokens_per_pass
    );
    println!("stack      {} of {} bytes at most so far", memory.stack_used, memory.stack);
    if let Some(micros) = hello.micros {
        println!("running    {:.3} s", micros as f64 / 1e6);
    }
    println!("last end   {}", ending(hello.last_end));
    println!("self-test  {}", in_words(state, &hello.board));
    Ok(if matches!(state, SelfTestState::Failed { .. }) { Exit::Error } else { Exit::Success })
}

/// How the program ended before it started.
pub(super) fn ending(last: Option<LastEnd>) -> String {
    match last {
        None => "power was off, or it was asked to leave".into(),
        Some(LastEnd::Reset) => "a reset: its watchdog (no progress), the reset button, or a debugger".into(),
        Some(LastEnd::Panic) => "A PANIC; `hrm-host device log` shows the next one's message".into(),
        Some(LastEnd::StackOverflow) => "A STACK OVERFLOW; please report it, with this output".into(),
        Some(LastEnd::Exception { pc, called_from }) => {
            format!(
                "AN EXCEPTION at {pc:#010x}, called from {called_from:#010x}; please report it, with this output"
            )
        }
        Some(LastEnd::PackUnreadable) => "the pack could not be read; flash it again".into(),
    }
}

/// The self-test of the board called `board`, in words.
pub(super) fn in_words(state: SelfTestState, board: &str) -> String {
    match state {
        SelfTestState::Absent => "none in this pack".into(),
        SelfTestState::Running => "running".into(),
        SelfTestState::Passed { puzzles } => format!("passed, {}", count(puzzles.into(), "puzzle")),
        SelfTestState::Failed { puzzle, expected, got } => {
            let failed = LinkError::Refused(Fault::SelfTest);
            let advice = match Board::find(board) {
                Some(_) => advice::emulated(&failed, Emulated { board, ..SOMEWHERE }),
                None => advice::real(&failed),
            };
            let advice = advice.unwrap_or_default();
            format!("FAILED at puzzle {puzzle}: digest {got:08x}, not {expected:08x}; {advice}")
        }
    }
}
