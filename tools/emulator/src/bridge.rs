//! An emulated board's UART on a TCP port: one client at a time, as a serial port has one user at a time.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// How long a wait for bytes or clients may last before the end is looked for.
const TICK: Duration = Duration::from_millis(20);

/// Carries bytes between `uart` and whoever connects to `listener`, client after client, until the board's
/// end closes or `stop` is set.
///
/// # Errors
/// Where a socket cannot be used at all; a client that leaves is no error.
pub fn serve(listener: &TcpListener, uart: &UnixStream, stop: &AtomicBool) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    uart.set_read_timeout(Some(TICK))?;
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((client, _)) => {
                client.set_nonblocking(false)?;
                client.set_nodelay(true)?;
                client.set_read_timeout(Some(TICK))?;
                if !carry(&client, uart, stop)? {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // What a board says with nobody there is lost, as on a serial line.
                if let Moved::Closed = drop_bytes(uart)? {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Serves one client; whether the board is still there.
fn carry(client: &TcpStream, uart: &UnixStream, stop: &AtomicBool) -> io::Result<bool> {
    let left = AtomicBool::new(false);
    let over = || stop.load(Ordering::Relaxed) || left.load(Ordering::Relaxed);
    thread::scope(|scope| {
        let up = scope.spawn(|| {
            while !over() {
                match transfer(client, uart) {
                    Ok(Moved::Bytes | Moved::Nothing) => {}
                    Ok(Moved::Closed) | Err(_) => left.store(true, Ordering::Relaxed),
                }
            }
        });
        let mut there = true;
        while !over() {
            match transfer(uart, client) {
                Ok(Moved::Bytes | Moved::Nothing) => {}
                Ok(Moved::Closed) => {
                    there = false;
                    left.store(true, Ordering::Relaxed);
                }
                // The client cannot be written to.
                Err(_) => left.store(true, Ordering::Relaxed),
            }
        }
        let _ = client.shutdown(std::net::Shutdown::Both);
        let _ = up.join();
        Ok(there)
    })
}

enum Moved {
    Bytes,
    Nothing,
    Closed,
}

fn transfer(mut from: impl Read, mut to: impl Write) -> io::Result<Moved> {
    let mut buffer = [0; 4096];
    match from.read(&mut buffer) {
        Ok(0) => Ok(Moved::Closed),
        Ok(count) => to.write_all(&buffer[..count]).map(|()| Moved::Bytes),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
            ) =>
        {
            Ok(Moved::Nothing)
        }
        Err(error) => Err(error),
    }
}

fn drop_bytes(uart: &UnixStream) -> io::Result<Moved> {
    transfer(uart, io::sink())
}
