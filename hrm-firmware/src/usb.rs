//! The link over USB, apart from any chip: what lies between packets, which an interrupt moves, and bytes,
//! which the application takes and gives when it pleases.
//!
//! While the model thinks a segment, which may take seconds, the application looks at nothing; a USB host
//! gives up on a device that is silent for so long. So the board runs [`Port::take`] and [`Port::give`] in an
//! interrupt, and the buffers here are all that the two sides share.

use core::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
};

use embassy_sync::{blocking_mutex::raw::RawMutex, pipe::Pipe};

use crate::surroundings::{RECEIVE_BYTES, SEND_BYTES};

/// Most bytes of a packet: that of a full-speed device's bulk endpoints.
pub const PACKET: usize = 64;

/// The USB host has taken its device away, or given it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// Packets from a host.
pub trait FromHost {
    /// Waits until a host uses the device.
    fn ready(&mut self) -> impl Future<Output = ()>;

    /// Waits for a packet; how long it is. Until it is called, the host holds back what it has to say.
    fn take(&mut self, packet: &mut [u8; PACKET]) -> impl Future<Output = Result<usize, Gone>>;
}

/// Packets to a host.
pub trait ToHost {
    /// Waits until a host uses the device.
    fn ready(&mut self) -> impl Future<Output = ()>;

    /// Waits until the packet before is with the host, and gives it this one.
    fn give(&mut self, packet: &[u8]) -> impl Future<Output = Result<(), Gone>>;
}

/// A serial port over USB.
pub struct Port<M: RawMutex> {
    received: Pipe<M, RECEIVE_BYTES>,
    sent: Pipe<M, SEND_BYTES>,
    plugged: AtomicBool,
    listening: AtomicBool,
}

impl<M: RawMutex> Default for Port<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: RawMutex> Port<M> {
    /// A port that nobody has opened.
    pub const fn new() -> Self {
        Self {
            received: Pipe::new(),
            sent: Pipe::new(),
            plugged: AtomicBool::new(false),
            listening: AtomicBool::new(false),
        }
    }

    /// Whether a program on the host has the port open.
    pub fn is_open(&self) -> bool {
        self.plugged.load(Ordering::Relaxed) && self.listening.load(Ordering::Relaxed)
    }

    /// To be told whether a host uses the device.
    pub fn set_plugged(&self, plugged: bool) {
        self.set(&self.plugged, plugged);
    }

    /// To be told whether a program listens: the serial port's "data terminal ready".
    pub fn set_listening(&self, listening: bool) {
        self.set(&self.listening, listening);
    }

    fn set(&self, flag: &AtomicBool, value: bool) {
        let was_open = self.is_open();
        flag.store(value, Ordering::Relaxed);
        if self.is_open() == was_open {
            return;
        }
        // Nothing that was meant for one program reaches the next, but for a packet that is on its way:
        // the zero ends its frame.
        self.received.clear();
        self.sent.clear();
        if !was_open {
            let _ = self.sent.try_write(&[0]);
        }
    }

    /// Keeps what comes in packets while the port is open. Where there is no room, no packet
    /// is taken until there is.
    pub async fn take(&self, packets: &mut impl FromHost) -> ! {
        let mut packet = [0; PACKET];
        loop {
            packets.ready().await;
            while let Ok(bytes) = packets.take(&mut packet).await {
                if self.is_open() {
                    self.received.write_all(&packet[..bytes]).await;
                }
            }
        }
    }

    /// Sends in packets what the application has written.
    pub async fn give(&self, packets: &mut impl ToHost) -> ! {
        let mut packet = [0; PACKET];
        loop {
            packets.ready().await;
            loop {
                let bytes = self.sent.read(&mut packet).await;
                let mut done = packets.give(&packet[..bytes]).await;
                // A host waits for more after a full packet; an empty one tells it that there is none.
                if done.is_ok() && bytes == PACKET && self.sent.is_empty() {
                    done = packets.give(&[]).await;
                }
                if done.is_err() {
                    break;
                }
            }
        }
    }

    /// What has arrived, into `bytes`, without waiting; how many there are.
    pub fn read(&self, bytes: &mut [u8]) -> usize {
        self.received.try_read(bytes).unwrap_or(0)
    }

    /// Whether something has arrived.
    pub fn has_received(&self) -> bool {
        !self.received.is_empty()
    }

    /// Takes as many of `bytes` as there is room for, without waiting; how many that are. A closed port takes
    /// all of them, to nowhere.
    pub fn write(&self, bytes: &[u8]) -> usize {
        match self.is_open() {
            true => self.sent.try_write(bytes).unwrap_or(0),
            false => bytes.len(),
        }
    }
}
