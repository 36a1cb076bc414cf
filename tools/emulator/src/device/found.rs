//! The serial ports there are, and which of them is meant where none is named.

use std::fmt;

use serialport::SerialPortType;

/// What a board's own USB port says it is.
const BOARD: (u16, u16) = (0x1209, 0x0001);

/// A serial port that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// What the system knows of it.
    pub about: String,
    /// Whether it is a USB port: a board's, a debugger's or a cable's. What is built in
    /// is there without a board.
    pub is_usb: bool,
    /// Whether it is the USB port of a board that runs this firmware. A debugger's, or a
    /// cable's, may lead to one, too.
    pub is_board: bool,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.about)
    }
}

/// Why no port is meant where none is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// There is none.
    #[error("no board was found, there is no serial port: plug a board in, or name an address with --port")]
    NoPort,
    /// There is none that a board was plugged into.
    #[error(
        "no board was found, there is no USB serial port: plug a board in; if it is at one of these, name that with --port: {0}"
    )]
    NoUsb(String),
    /// There are several.
    #[error("there are several USB serial ports, name one with --port: {0}")]
    Several(String),
}

/// The one of `ports` that is meant where none is named: the only board, or else the only USB port.
/// A board with both of its cables plugged in has two, and while its own is in use it does not
/// listen to the debugger's.
///
/// # Errors
/// Where there is none, or more than one.
pub fn only(ports: &[Found]) -> Result<&Found, NotFound> {
    let usb: Vec<&Found> = ports.iter().filter(|port| port.is_usb).collect();
    let boards: Vec<&Found> = ports.iter().filter(|port| port.is_board).collect();
    match (&boards[..], &usb[..]) {
        ([port], _) | ([], [port]) => Ok(port),
        ([], []) if ports.is_empty() => Err(NotFound::NoPort),
        ([], []) => Err(NotFound::NoUsb(listed(ports))),
        _ => Err(NotFound::Several(listed(usb))),
    }
}

fn listed<'p>(ports: impl IntoIterator<Item = &'p Found>) -> String {
    ports.into_iter().map(Found::to_string).collect::<Vec<_>>().join(", ")
}

/// The serial ports there are.
///
/// # Errors
/// What the system says.
pub fn ports() -> Result<Vec<Found>, serialport::Error> {
    let describe = |kind: &SerialPortType| match kind {
        SerialPortType::UsbPort(usb) => {
            let maker = usb.manufacturer.as_deref().unwrap_or_default();
            let product = usb.product.as_deref().unwrap_or_default();
            format!("USB {:04x}:{:04x} {maker} {product}", usb.vid, usb.pid).trim_end().to_owned()
        }
        SerialPortType::BluetoothPort => "Bluetooth".into(),
        SerialPortType::PciPort => "built in".into(),
        SerialPortType::Unknown => "not USB".into(),
    };
    let ports = serialport::available_ports()?;
    let found = |port: serialport::SerialPortInfo| Found {
        about: describe(&port.port_type),
        is_usb: matches!(port.port_type, SerialPortType::UsbPort(_)),
        is_board: matches!(&port.port_type, SerialPortType::UsbPort(usb) if (usb.vid, usb.pid) == BOARD),
        name: port.port_name,
    };
    Ok(ports.into_iter().map(found).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_board_is_found_among_other_ports_and_what_is_built_in_is_none() {
        let port = |name: &str, is_usb, is_board| Found {
            name: name.into(),
            about: format!("about {name}"),
            is_usb,
            is_board,
        };
        let (debugger, built_in) = (port("a", true, false), port("d", false, false));
        let (board, another) = (port("b", true, true), port("c", true, true));
        let chosen = |ports: &[&Found]| {
            let ports: Vec<Found> = ports.iter().map(|&port| port.clone()).collect();
            only(&ports).map(|port| port.name.clone())
        };
        assert_eq!(chosen(&[&debugger, &board, &built_in]).as_deref(), Ok("b"));
        assert_eq!(chosen(&[&built_in, &debugger]).as_deref(), Ok("a"));
        let several = |ports: &str| Err(NotFound::Several(ports.into()));
        assert_eq!(chosen(&[&built_in, &board, &another]), several("b (about b), c (about c)"));
        assert_eq!(chosen(&[&debugger, &debugger]), several("a (about a), a (about a)"));
        assert_eq!(chosen(&[&built_in]), Err(NotFound::NoUsb("d (about d)".into())));
        assert_eq!(chosen(&[]), Err(NotFound::NoPort));
    }
}
