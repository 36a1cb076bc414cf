//! Boards on a serial port, and emulated ones on a TCP port.

mod port;
mod session;

pub use port::{BAUD, Found, Port, PortError, only, ports};
pub use session::{Patience, Session, SessionError};
