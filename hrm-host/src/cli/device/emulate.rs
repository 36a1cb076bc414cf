//! `hrm-host device emulate`

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use hrm_emulator::board::{BOARDS, Board};
use hrm_emulator::{Image, Machine, bridge, device};
use hrm_host::quant::AlignedPack;

use crate::cli::exit::Exit;
use crate::cli::signals;

/// Run an emulated board, its UART on a TCP port, its log on standard error, until it leaves or Ctrl-C.
///
/// Exit code 0 where its firmware has left as a host asked it to, 130 after Ctrl-C, 1 where
/// it ended in any other way.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Board; `hrm-host device list` shows them
    board: String,
    /// Pack
    pack: PathBuf,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3333", value_parser = device::address)]
    listen: String,
}

/// Set by Ctrl-C, and where the board has left.
static STOP: AtomicBool = AtomicBool::new(false);

/// How long a board that has closed its line may take to end.
const END: Duration = Duration::from_secs(10);

/// How often the log is looked at.
const LOG_EVERY: Duration = Duration::from_millis(200);

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let names = BOARDS.map(|board| board.name).join(", ");
    let board = Board::find(&args.board)
        .with_context(|| format!("there is no emulated board {}; boards: {names}", args.board))?;
    AlignedPack::read(&args.pack)?;
    let listener = TcpListener::bind(&args.listen).with_context(|| {
        format!(
            "cannot listen on {} (another emulated board may: end it, or take a free port by --listen 127.0.0.1:0)",
            args.listen
        )
    })?;
    let address = listener.local_addr()?;
    let (mut machine, hello) = Machine::boot(board, Image::built(board.name)?, &args.pack)?;
    signals::on_stop(|_| STOP.store(true, Ordering::Relaxed));
    println!("{} with pack {:08x} listens on {address}", hello.board, hello.pack_crc);
    let uart = machine.line()?;
    let ended = AtomicBool::new(false);
    thread::scope(|scope| -> Result<()> {
        let carrier = scope.spawn(|| {
            let done = bridge::serve(&listener, &uart, &STOP);
            ended.store(true, Ordering::Relaxed);
            done
        });
        let mut shown = 0;
        while !ended.load(Ordering::Relaxed) {
            thread::sleep(LOG_EVERY);
            let log = machine.log();
            log.iter().skip(shown).for_each(|line| eprintln!("{line}"));
            shown = shown.max(log.len());
            if machine.ended().is_some() {
                STOP.store(true, Ordering::Relaxed);
            }
        }
        match carrier.join() {
            Ok(done) => done.context("the TCP port failed"),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    if signals::ASKED.load(Ordering::Relaxed) {
        eprintln!("interrupted; the board is switched off");
        return Ok(Exit::Interrupted);
    }
    Ok(if machine.wait(END)?.success() { Exit::Success } else { Exit::Error })
}
