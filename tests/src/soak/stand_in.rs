//! The application behind a USB port on this machine, in use for long: its plug is pulled, its host looks
//! away, programs come and go.
//!
//! Nothing runs beside anything else: whoever waits for the device lets its interrupt and its application do
//! a step, so that a seed is a run.

use std::{
    cell::{Cell, RefCell},
    io::{self, ErrorKind, Read, Write},
    pin::pin,
};

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_async::Write as _;
use hrm_core::{Hrm, Pack, Reasoner, pack::AlignedBytes, task::Task, wire::Memory, workspace_words};
use hrm_emulator::{Link, LinkError};
use hrm_firmware::{
    About, App, Board, Event, Exit,
    lines::Lines,
    usb::{PACKET, Port},
};

use super::{Act, Amount, Client, Found, Known, through};
use crate::usb_host::{Host, Uart, next, poll};

/// Uses the application with the pack of `known`, as `amount` says, in an order drawn from `seed`.
///
/// # Errors
/// The first answer that is not this machine's, and the first that does not come.
///
/// # Panics
/// Where the pack of `known` cannot be opened.
pub fn over_usb(known: &Known, amount: Amount, seed: u64) -> Result<Found, String> {
    let aligned = AlignedBytes::copy_of(&known.pack);
    let pack = Pack::open(aligned.bytes()).expect("a sound pack");
    let mut memory = vec![0; workspace_words(pack.shape())];
    let model = Hrm::new(pack, &mut memory).expect("memory for it");
    let about = About {
        pack_crc: pack.crc(),
        shape: *pack.shape(),
        memory: Memory {
            pack_region: 0,
            pack: known.pack.len() as u32,
            workspace_region: 0,
            workspace: 0,
            tokens_per_pass: 4,
            stack: 0,
            stack_used: 0,
        },
        self_test: pack.self_test(),
        last_end: None,
    };

    let (port, host, uart) = (Port::new(), Host::default(), Uart::default());
    host.takes.set(usize::MAX);
    let (mut packets, mut other_packets) = (&host, &host);
    let mut taking = pin!(port.take(&mut packets));
    let mut giving = pin!(port.give(&mut other_packets));
    let mut interrupt = || {
        let _ = (poll(&mut taking), poll(&mut giving));
    };
    let interrupt: &mut dyn FnMut() = &mut interrupt;
    let cable = Cable {
        port: &port,
        host: &host,
        uart: &uart,
        interrupt: RefCell::new(interrupt),
        looks_in: Cell::new(0),
        pulled_in: Cell::new(0),
    };
    let board = UsbBoard { lines: Lines::new(&uart, &port), cable: &cable };
    let device = RefCell::new(Device { app: App::new(board, model, known.task, about), exit: None });
    let line = Line { device: &device, cable: &cable };

    cable.plug();
    let mut link = Link::new(line);
    link.ready().map_err(|error| error.to_string())?;
    let mut client = Client::new(known, seed);
    let found = through(&mut client, (amount, seed), |client, act| {
        let done = match act {
            Act::Request => client.request(&mut link),
            Act::Noise => client.noise(&mut link),
            Act::Stall => {
                cable.looks_in.set(1 + client.draw(2000));
                client.stall(&mut link, || {})
            }
            Act::Cut => broken_off(client, &mut link, line, |polls| cable.pulled_in.set(polls)),
            Act::Leave => broken_off(client, &mut link, line, |_| cable.close()),
        };
        done.map_err(|error| error.to_string())
    })?;
    link.shutdown().map_err(|error| error.to_string())?;
    match device.borrow().exit {
        Some(Exit::Shutdown) => Ok(found),
        other => Err(format!("{other:?} at its end")),
    }
}

/// A conversation that ends within some polls, as `ends` is told, and another that begins.
fn broken_off<'a, R: Reasoner, T: Task>(
    client: &mut Client<'_>,
    link: &mut Link<Line<'a, R, T>>,
    mut line: Line<'a, R, T>,
    ends: impl FnOnce(usize),
) -> Result<(), LinkError> {
    client.leave(link)?;
    let (before, after) = (client.draw(200), client.draw(200));
    line.step(client.draw(5));
    ends(1 + before);
    // What happens on the other line is not for this one.
    let noise = client.draw(50);
    line.cable.uart.arrives.borrow_mut().extend((0..noise).map(|_| client.draw(256) as u8));
    line.step(1 + before + after);
    line.cable.plug();
    *link = Link::new(line);
    client.settle(link, None)
}

/// What host and device share, and what is about to happen to it.
struct Cable<'a> {
    port: &'a Port<NoopRawMutex>,
    host: &'a Host,
    uart: &'a Uart,
    /// What the device does in its interrupt.
    interrupt: RefCell<&'a mut dyn FnMut()>,
    /// Interrupts until the host takes packets again; 0: it does.
    looks_in: Cell<usize>,
    /// Interrupts until the plug is pulled; 0: it is not.
    pulled_in: Cell<usize>,
}

impl Cable<'_> {
    fn interrupt(&self) {
        let away = self.looks_in.get().saturating_sub(1);
        self.looks_in.set(away);
        self.host.takes.set(if away == 0 { usize::MAX } else { 0 });
        match self.pulled_in.get() {
            0 => {}
            1 => self.pull(),
            more => self.pulled_in.set(more - 1),
        }
        self.interrupt.borrow_mut()();
    }

    fn pull(&self) {
        self.pulled_in.set(0);
        self.host.gone.set(true);
        self.port.set_plugged(false);
        self.forget();
    }

    /// The program on the host closes the port.
    fn close(&self) {
        self.port.set_listening(false);
        self.forget();
    }

    /// The device is plugged in, where it was not, and a program on the host opens the port.
    fn plug(&self) {
        self.host.gone.set(false);
        self.port.set_listening(false);
        self.port.set_plugged(true);
        self.forget();
        self.port.set_listening(true);
    }

    /// What the host had to say, and was told, was for a program that is gone.
    fn forget(&self) {
        self.host.says.borrow_mut().clear();
        self.host.heard.borrow_mut().clear();
    }
}

/// The device's end.
struct UsbBoard<'a> {
    lines: Lines<'a, &'a Uart, NoopRawMutex>,
    cable: &'a Cable<'a>,
}

impl Board for UsbBoard<'_> {
    fn name(&self) -> &'static str {
        "usb stand-in"
    }

    fn receive(&mut self) -> Option<u8> {
        next(&mut self.lines)
    }

    fn wait(&mut self) {}

    fn send(&mut self, bytes: &[u8]) {
        let mut sending = pin!(self.lines.write_all(bytes));
        while poll(&mut sending).is_none() {
            self.cable.interrupt();
        }
    }

    fn micros(&mut self) -> Option<u64> {
        None
    }

    fn feed(&mut self) {
        self.cable.interrupt();
    }

    fn stack_used(&self) -> u32 {
        0
    }

    fn log(&mut self, _: Event) {}
}

struct Device<'a, R, T: Task> {
    app: App<'a, UsbBoard<'a>, R, T>,
    exit: Option<Exit>,
}

/// The host's end: who reads lets the device do a step.
struct Line<'a, R, T: Task> {
    device: &'a RefCell<Device<'a, R, T>>,
    cable: &'a Cable<'a>,
}

impl<R, T: Task> Clone for Line<'_, R, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, T: Task> Copy for Line<'_, R, T> {}

impl<R: Reasoner, T: Task> Line<'_, R, T> {
    fn step(&mut self, steps: usize) {
        let mut device = self.device.borrow_mut();
        for _ in 0..steps {
            self.cable.interrupt();
            if device.exit.is_none() {
                device.exit = device.app.step();
            }
        }
    }
}

impl<R: Reasoner, T: Task> Read for Line<'_, R, T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.step(1);
        let mut heard = self.cable.host.heard.borrow_mut();
        let mut count = 0;
        while let Some(packet) = heard.first().filter(|packet| count + packet.len() <= bytes.len()) {
            bytes[count..count + packet.len()].copy_from_slice(packet);
            count += packet.len();
            heard.remove(0);
        }
        match count {
            0 => Err(ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl<R: Reasoner, T: Task> Write for Line<'_, R, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.cable.host.says.borrow_mut().extend(bytes.chunks(PACKET).map(Vec::from));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
