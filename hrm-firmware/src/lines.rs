//! A UART and a USB port as one line: the USB port while a program on the host has it open, the
//! UART at all other times.
//!
//! One line at a time, so that bytes of two hosts are never mixed into one frame. What arrives on the other
//! one meanwhile is dropped.

use embassy_futures::yield_now;
use embassy_sync::blocking_mutex::raw::RawMutex;
use embedded_io_async::{ErrorType, Read, ReadReady, Write};

use crate::usb::Port;

/// The two lines.
pub struct Lines<'a, U, M: RawMutex> {
    uart: U,
    usb: &'a Port<M>,
}

impl<'a, U, M: RawMutex> Lines<'a, U, M> {
    /// The line that `uart` and `usb` are together.
    pub fn new(uart: U, usb: &'a Port<M>) -> Self {
        Self { uart, usb }
    }
}

impl<U: ErrorType, M: RawMutex> ErrorType for Lines<'_, U, M> {
    type Error = U::Error;
}

impl<U: Read + ReadReady, M: RawMutex> Read for Lines<'_, U, M> {
    async fn read(&mut self, bytes: &mut [u8]) -> Result<usize, U::Error> {
        while self.usb.is_open() {
            // Noise on a UART that is not in use is no error of this line.
            while self.uart.read_ready().unwrap_or(false) && self.uart.read(&mut [0; 16]).await.is_ok() {}
            match self.usb.read(bytes) {
                0 => yield_now().await,
                count => return Ok(count),
            }
        }
        self.uart.read(bytes).await
    }
}

impl<U: ReadReady, M: RawMutex> ReadReady for Lines<'_, U, M> {
    fn read_ready(&mut self) -> Result<bool, U::Error> {
        match self.usb.is_open() {
            true => Ok(self.usb.has_received()),
            false => self.uart.read_ready(),
        }
    }
}

impl<U: Write, M: RawMutex> Write for Lines<'_, U, M> {
    /// All of `bytes`, so that a frame goes to one line from its first byte to its last.
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, U::Error> {
        if !self.usb.is_open() {
            self.uart.write_all(bytes).await?;
            return Ok(bytes.len());
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.usb.write(rest) {
                0 => yield_now().await,
                count => rest = &rest[count..],
            }
        }
        Ok(bytes.len())
    }

    /// What the USB port has taken its interrupt sends.
    async fn flush(&mut self) -> Result<(), U::Error> {
        match self.usb.is_open() {
            true => Ok(()),
            false => self.uart.flush().await,
        }
    }
}
