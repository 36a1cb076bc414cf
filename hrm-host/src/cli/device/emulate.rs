//! `hrm-host device emulate`

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use hrm_emulator::board::{BOARDS, Board};
use hrm_emulator::{Image, Machine, bridge};

use crate::cli::exit::Exit;
use crate::cli::signals;

/// Run an emulated board, its UART on a TCP port, its log on standard error, until it leaves or Ctrl-C.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Board; `hrm-host device list` shows them
    board: String,
    /// Pack
    pack: PathBuf,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:3333")]
    listen: String,
}

/// Set by Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

/// How often the log is looked at.
const LOG_EVERY: Duration = Duration::from_millis(200);

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<Exit> {
    let names = BOARDS.map(|board| board.name).join(", ");
    let board = Board::find(&args.board)
        .with_context(|| format!("there is no emulated board {}; boards: {names}", args.board))?;
    let listener =
        TcpListener::bind(&args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    signals::on_stop(|_| STOP.store(true, Ordering::Relaxed));
    let (mut machine, hello) = Machine::boot(board, Image::built(board.name)?, &args.pack)?;
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
    Ok(match machine.ended() {
        Some(status) if !status.success() => Exit::Error,
        _ => Exit::Success,
    })
}
