//! An emulated board in use for long.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use hrm_core::wire::LastEnd;
use hrm_emulator::{Board, Link, LinkError, Machine, MachineError, bridge};

use super::{Act, Amount, Client, Found, Known, through};
use crate::pack_file::PackFile;

/// Uses `board` with the pack of `known`, as `amount` says, in an order drawn from `seed`.
///
/// # Errors
/// The first answer that is not this machine's, the first that does not come, and stack that grows.
///
/// # Panics
/// Where the board's image was not built.
pub fn on_board(known: &Known, board: Board, amount: Amount, seed: u64) -> Result<Found, String> {
    let (mut machine, _) = PackFile::new(&known.pack).boot(board);
    let mut client = Client::new(known, seed);
    let found = through(&mut client, (amount, seed), |client, act| {
        let done = match act {
            Act::Request => machine.call(|link| client.request(link)),
            Act::Noise => machine.call(|link| client.noise(link)),
            Act::Stall => {
                let away = Duration::from_millis(client.draw(200) as u64);
                machine.call(|link| client.stall(link, || thread::sleep(away)))
            }
            Act::Cut => cut(&mut machine, client),
            Act::Leave => machine.call(|link| leave(link, client)),
        };
        done.map_err(|error| error.to_string())
    })?;
    let log = machine.log();
    if let Some(line) = log.iter().find(|line| line.contains("panicked")) {
        return Err(format!("{}: {line}", board.name));
    }
    let status = machine.shutdown().map_err(|error| error.to_string())?;
    match status.code() {
        Some(0) => Ok(found),
        _ => Err(format!("{}: {status} at its end", board.name)),
    }
}

/// The reset button, at any moment.
fn cut(machine: &mut Machine, client: &mut Client<'_>) -> Result<(), MachineError> {
    machine.call(|link| client.leave(link))?;
    thread::sleep(a_moment(client));
    machine.reset()?;
    machine.call(|link| client.settle(link, Some(LastEnd::Reset)))
}

/// Two clients at a TCP port: the second waits until the first has left, and then the
/// owner of the machine is back.
fn leave(link: &mut Link<UnixStream>, client: &mut Client<'_>) -> Result<(), LinkError> {
    let uart = link.line().try_clone()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let served = scope.spawn(|| bridge::serve(&listener, &uart, &stop));
        let talked = in_turn(address, client);
        stop.store(true, Ordering::Relaxed);
        let served = served.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        talked.and(served.map_err(LinkError::Io))
    })?;
    client.settle(link, None)
}

fn in_turn(address: SocketAddr, client: &mut Client<'_>) -> Result<(), LinkError> {
    let (mut first, mut second) = (connect(address)?, connect(address)?);
    client.leave(&mut first)?;
    thread::sleep(a_moment(client));
    drop(first);
    client.settle(&mut second, None)?;
    client.leave(&mut second)
}

fn connect(address: SocketAddr) -> io::Result<Link<TcpStream>> {
    let line = TcpStream::connect(address)?;
    line.set_nodelay(true)?;
    line.set_read_timeout(Some(Duration::from_millis(100)))?;
    Ok(Link::new(line))
}

/// In the middle of a frame, of a segment, of an answer, or of nothing.
fn a_moment(client: &mut Client<'_>) -> Duration {
    Duration::from_micros(client.draw(20_000) as u64)
}
