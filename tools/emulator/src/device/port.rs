//! A line of bytes to a board, and good words where there is none.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serialport::SerialPort;

use super::name::is_address;

/// Speed of every board's serial line.
pub const BAUD: u32 = 115_200;

/// How long a read may take: the link looks at the clock in between.
const READ: Duration = Duration::from_millis(100);

/// How long a TCP connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// An open line.
pub enum Port {
    /// A serial port.
    Serial(Box<dyn SerialPort>),
    /// An emulated board's UART.
    Tcp(TcpStream),
}

/// Why a line could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// There is no such port.
    #[error(
        "there is no serial port {name}: is the board plugged in? `hrm-host device list` shows the ports there are"
    )]
    Missing {
        /// The port.
        name: String,
    },
    /// The user may not open it.
    #[error(
        "{name} may not be opened by this user; on Linux, join the group that owns it (`sudo usermod -aG dialout $USER`, \
         then log in again)"
    )]
    Permission {
        /// The port.
        name: String,
    },
    /// Another program has it.
    #[error("{name} is in use by another program: close its terminal or log first")]
    Busy {
        /// The port.
        name: String,
    },
    /// Nobody listens there.
    #[error(
        "nothing answers at {name}: {problem}; `hrm-host device emulate BOARD PACK` starts an emulated board"
    )]
    Tcp {
        /// The address.
        name: String,
        /// Why not.
        problem: io::Error,
    },
    /// Anything else.
    #[error("{name} cannot be opened: {problem}")]
    Other {
        /// The port.
        name: String,
        /// What the system says.
        problem: String,
    },
}

impl Port {
    /// Opens `name`: `HOST:PORT` is a TCP address, everything else a serial port, used at `baud`.
    ///
    /// # Errors
    /// Why not, and what to do about it.
    pub fn open(name: &str, baud: u32) -> Result<Port, PortError> {
        if is_address(name) {
            let line = connect(name).map_err(|problem| PortError::Tcp { name: name.into(), problem })?;
            return Ok(Port::Tcp(line));
        }
        // A board's own USB port talks to a program that says it is there, by "data terminal ready".
        match serialport::new(name, baud).timeout(READ).dtr_on_open(true).open() {
            Ok(port) => Ok(Port::Serial(port)),
            Err(error) => Err(explain(name, &error)),
        }
    }
}

fn connect(name: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in name.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(line) => {
                line.set_nodelay(true)?;
                line.set_read_timeout(Some(READ))?;
                return Ok(line);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn explain(name: &str, error: &serialport::Error) -> PortError {
    let name = name.to_owned();
    let busy = error.description.to_lowercase().contains("busy");
    match error.kind {
        _ if busy => PortError::Busy { name },
        serialport::ErrorKind::Io(ErrorKind::PermissionDenied) => PortError::Permission { name },
        serialport::ErrorKind::Io(ErrorKind::ResourceBusy) => PortError::Busy { name },
        serialport::ErrorKind::Io(ErrorKind::NotFound) | serialport::ErrorKind::NoDevice => {
            PortError::Missing { name }
        }
        _ => PortError::Other { name, problem: error.description.clone() },
    }
}

impl Read for Port {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Port::Serial(port) => port.read(buffer),
            Port::Tcp(line) => line.read(buffer),
        }
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Port::Serial(port) => port.write(bytes),
            Port::Tcp(line) => line.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Port::Serial(port) => port.flush(),
            Port::Tcp(line) => line.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_named() {
        let missing = Port::open("/dev/ttyNoSuchBoard", BAUD).err().unwrap();
        assert!(matches!(missing, PortError::Missing { .. }), "{missing}");
        let closed = Port::open("127.0.0.1:9", BAUD).err().unwrap();
        assert!(matches!(closed, PortError::Tcp { .. }), "{closed}");
    }

    #[test]
    fn errors_of_the_system_become_advice() {
        let error = |kind, text: &str| explain("P", &serialport::Error::new(kind, text));
        let denied = error(serialport::ErrorKind::Io(ErrorKind::PermissionDenied), "Permission denied");
        assert!(denied.to_string().contains("dialout"), "{denied}");
        let busy = error(serialport::ErrorKind::NoDevice, "Device or resource busy");
        assert!(busy.to_string().contains("another program"), "{busy}");
    }
}
