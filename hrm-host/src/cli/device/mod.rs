//! `hrm-host device`: one file per subcommand.

use super::values::{at_least_1, at_least_1_second, seconds};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use hrm_core::Pack;
use hrm_core::task::Task;
use hrm_core::wire::SelfTestState;
use hrm_emulator::Hello;
use hrm_emulator::board::{HARDWARE, Hardware, INSTALL_PROBE_RS, WITHOUT_A_PROBE};
use hrm_emulator::device::{self, BAUD, Patience, Session, only, ports};
use hrm_emulator::tasks::{MORE_FEATURES, feature_for};
use hrm_host::task::Game;

use crate::cli::exit::Exit;

mod bench;
mod check;
mod emulate;
mod flash_pack;
mod info;
mod log;
mod solve;
mod uf2;
mod verify;

/// Talk to a board: over its serial port, or over TCP to an emulated one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the serial ports there are, and the boards that can be flashed or emulated
    List,
    /// Show who is there: firmware, pack, shape, memory, self-test
    Info(info::Args),
    /// Let a board solve puzzles
    Solve(solve::Args),
    /// Measure how fast a board thinks
    Bench(bench::Args),
    /// Check a board that is new: all that can be run at once, as a form to send back
    Check(check::Args),
    /// Prove that a board computes the same bits as this machine
    Verify(verify::Args),
    /// Flash a pack to a real board, apart from its program
    FlashPack(flash_pack::Args),
    /// Write a pack as a UF2 file, which is dragged onto the drive that a board shows: no probe is needed
    Uf2(uf2::Args),
    /// Show a real board's log
    Log(log::Args),
    /// Run an emulated board, its UART on a TCP port
    Emulate(emulate::Args),
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    match args.command {
        Command::List => list(),
        Command::Info(args) => info::run(&args),
        Command::Solve(args) => solve::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::FlashPack(args) => flash_pack::run(&args),
        Command::Uf2(args) => uf2::run(&args),
        Command::Log(args) => log::run(&args),
        Command::Emulate(args) => emulate::run(&args),
    }
}

/// Which board.
#[derive(Clone, Debug, clap::Args)]
struct Line {
    /// Serial port (/dev/ttyACM0, COM3) or TCP address (127.0.0.1:3333); by default the only board's own USB
    /// port, or the only USB serial port there is
    #[arg(long, short, value_name = "NAME", env = "HRM_DEVICE", value_parser = device::line)]
    port: Option<String>,
    /// Speed of the serial line; every board here has the default
    #[arg(long, default_value_t = BAUD, value_parser = at_least_1::<u32>)]
    baud: u32,
    /// Seconds that an answer, or one segment of it, may take; by default 60, and 10 for the first
    #[arg(long, value_name = "SECONDS", value_parser = at_least_1_second)]
    timeout: Option<u64>,
    /// Seconds that a board which was unplugged or reset is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = seconds)]
    reconnect: u64,
}

impl Line {
    fn open(&self) -> Result<Session> {
        let name = match &self.port {
            Some(name) if !name.is_empty() => name.clone(),
            _ => only_port()?,
        };
        let seconds = |or: u64| Duration::from_secs(self.timeout.unwrap_or(or));
        let back = Duration::from_secs(self.reconnect);
        let patience = Patience { hello: seconds(10), answer: seconds(60), back };
        let mut session = Session::open(&name, self.baud, patience)?;
        if session.hello().self_test == SelfTestState::Running {
            eprintln!("the board tests itself first; waiting");
        }
        session.ready()?;
        Ok(session)
    }
}

fn only_port() -> Result<String> {
    let found = ports().context("the system does not tell its serial ports; name one with --port")?;
    Ok(only(&found)?.name.clone())
}

fn list() -> Result<Exit> {
    let found = ports().context("the system does not tell its serial ports")?;
    if found.is_empty() {
        println!("serial ports: none");
    } else {
        println!("serial ports:");
        for port in found {
            println!("  {:<24} {}", port.name, port.about);
        }
    }
    println!(
        "\nboards for `cargo xtask run`, `hrm-host device flash-pack` and `log`, through a debug probe:"
    );
    for board in HARDWARE {
        println!("  {:<24} {}; {} KiB for a pack", board.name, board.about, board.pack.1 >> 10);
    }
    println!("without a probe: {WITHOUT_A_PROBE}");
    println!("\nboards for `hrm-host device emulate`:");
    for board in hrm_emulator::board::BOARDS {
        println!("  {:<24} {}", board.name, board.processor);
    }
    Ok(Exit::Success)
}

/// The task of a board's pack.
fn task_of(hello: &Hello) -> Result<Game> {
    Game::named(&hello.task)
        .filter(|task| task.cells() == usize::from(hello.shape.cells))
        .with_context(|| format!("the board's pack is for {}, which this program does not know", hello.task))
}

/// Comparing makes sense with the board's own pack alone.
fn ensure_same_pack(hello: &Hello, (pack, path): (&Pack<'_>, &Path)) -> Result<()> {
    ensure!(
        hello.pack_crc == pack.crc(),
        "the board has the pack with CRC-32 {:08x}, {} has {:08x}: flash it first, or name the board's",
        hello.pack_crc,
        path.display(),
        pack.crc()
    );
    Ok(())
}

/// Says what program a board needs for `pack`, where it is not the one that is built by default.
fn note_task(pack: &Pack<'_>, board: &Hardware) -> Result<()> {
    let task = pack.header()?.task;
    if let Some(feature) = feature_for(task) {
        eprintln!(
            "note: the pack is for {task}, which a board's program has only where it is built with it: \
             `{MORE_FEATURES}={feature} cargo xtask firmware {}` (or `run`, `uf2`)",
            board.name
        );
    }
    Ok(())
}

fn hardware(name: &str) -> Result<Hardware> {
    let names = HARDWARE.map(|board| board.name).join(", ");
    Hardware::find(name).with_context(|| format!("there is no real board {name}; boards: {names}"))
}

/// A command as one line that a shell would take.
fn shown(words: &[String]) -> String {
    let quote = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Runs `probe-rs` with `words` for `board`, or only says which command that would be.
fn probe_rs(board: &Hardware, words: &[String], dry_run: bool) -> Result<Exit> {
    let command = [&["probe-rs".to_owned()], words].concat();
    if dry_run {
        println!("{}", shown(&command));
        return Ok(Exit::Success);
    }
    eprintln!("$ {}", shown(&command));
    let status = std::process::Command::new("probe-rs").args(words).status().with_context(|| {
        format!("cannot run probe-rs; `{INSTALL_PROBE_RS}` installs it; without a probe: {WITHOUT_A_PROBE}")
    })?;
    if status.success() {
        return Ok(Exit::Success);
    }
    eprintln!("hint: {}", board.hint());
    Ok(Exit::Error)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
