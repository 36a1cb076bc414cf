//! Boards on a serial port, and emulated ones on a TCP port.

mod found;
mod name;
mod port;
mod session;

pub use found::{Found, NotFound, only, ports};
pub use name::{NoLine, address, line};
pub use port::{BAUD, Port, PortError};
pub use session::{Patience, Session, SessionError};
