//! Boards on a serial port, and emulated ones on a TCP port.

mod port;
mod session;

pub use port::{BAUD, Port, PortError, ports};
pub use session::{Session, SessionError};
