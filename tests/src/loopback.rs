//! The firmware's application on a thread of this machine, behind the same link that a board has.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use hrm_core::{Reasoner, task::Task};
use hrm_emulator::Link as HostLink;
use hrm_firmware::{About, App, Board, Event, Exit};

/// A socket that the application takes for its UART; remembers what it was told to log.
pub struct SocketBoard {
    socket: UnixStream,
    arrived: VecDeque<u8>,
    started: Instant,
    /// Whether it has a clock.
    pub clock: bool,
    /// How often the watchdog was fed.
    pub fed: usize,
    /// The log.
    pub events: Vec<Event>,
}

impl SocketBoard {
    fn fetch(&mut self, wait: bool) {
        let mut buffer = [0; 1024];
        let timeout = if wait { Duration::from_millis(20) } else { Duration::from_micros(1) };
        let _ = self.socket.set_read_timeout(Some(timeout));
        match self.socket.read(&mut buffer) {
            // The host is gone: a board would wait for the next one, a thread has to end.
            Ok(0) => panic!("the host closed the line without a shutdown"),
            Ok(count) => self.arrived.extend(&buffer[..count]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(e) => panic!("the line failed: {e}"),
        }
    }
}

impl Board for SocketBoard {
    fn name(&self) -> &'static str {
        "loopback"
    }

    fn receive(&mut self) -> Option<u8> {
        if self.arrived.is_empty() {
            self.fetch(false);
        }
        self.arrived.pop_front()
    }

    fn wait(&mut self) {
        self.fetch(true);
    }

    fn send(&mut self, bytes: &[u8]) {
        // A host that no longer listens is noticed by the next `receive`.
        let _ = self.socket.write_all(bytes);
    }

    fn micros(&mut self) -> Option<u64> {
        self.clock.then(|| self.started.elapsed().as_micros() as u64)
    }

    fn feed(&mut self) {
        self.fed += 1;
    }

    fn stack_used(&self) -> u32 {
        0
    }

    fn log(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// Runs the application with `model` on a thread; the host's end of the line, and how the application ends.
pub fn spawn<R, T>(
    model: R,
    task: T,
    about: About<'static>,
    clock: bool,
) -> (HostLink<UnixStream>, JoinHandle<(Exit, SocketBoard)>)
where
    R: Reasoner + Send + 'static,
    T: Task + Send + 'static,
{
    let (host, mut board) = pair(clock);
    let device = thread::spawn(move || {
        let exit = App::new(&mut board, model, task, about).run();
        (exit, board)
    });
    (host, device)
}

/// Both ends of a line.
pub fn pair(clock: bool) -> (HostLink<UnixStream>, SocketBoard) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    ours.set_read_timeout(Some(Duration::from_millis(50))).expect("a read timeout");
    let board = SocketBoard {
        socket: theirs,
        arrived: VecDeque::new(),
        started: Instant::now(),
        clock,
        fed: 0,
        events: Vec::new(),
    };
    let mut host = HostLink::new(ours);
    host.set_timeout(Duration::from_secs(10));
    (host, board)
}
