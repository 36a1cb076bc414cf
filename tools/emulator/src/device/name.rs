//! Names of lines: serial ports, and TCP addresses of emulated boards.

use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

/// The port at which an emulated board listens where nothing else is said.
const USUAL: u16 = 3333;

/// A text that names no line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLine {
    /// It should be an address.
    #[error("wanted is an address with its port, such as {example}")]
    Address {
        /// What was perhaps meant.
        example: String,
    },
    /// It should be a serial port or an address.
    #[error(
        "wanted is a serial port, such as /dev/ttyACM0 (`hrm-host device list` shows those there are), or a TCP address with its \
         port, such as {example}"
    )]
    Line {
        /// What was perhaps meant.
        example: String,
    },
}

/// `text`, where it is a TCP address.
///
/// # Errors
/// Where it is none.
pub fn address(text: &str) -> Result<String, NoLine> {
    if is_address(text) { Ok(text.into()) } else { Err(NoLine::Address { example: meant(text) }) }
}

/// `text`, where it may name a line; an empty one stands for none.
///
/// # Errors
/// Where it cannot.
pub fn line(text: &str) -> Result<String, NoLine> {
    let known = text.is_empty() || is_address(text) || is_serial(text);
    if known { Ok(text.into()) } else { Err(NoLine::Line { example: meant(text) }) }
}

/// Whether `name` is a TCP address.
pub(super) fn is_address(name: &str) -> bool {
    let is_host = |host: &str| match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']').is_some_and(|host| host.parse::<Ipv6Addr>().is_ok()),
        None => !host.is_empty() && !host.contains([':', '/']),
    };
    name.rsplit_once(':').is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok())
}

/// Whether `name` may be a serial port's.
fn is_serial(name: &str) -> bool {
    name.contains(['/', '\\']) || name.to_uppercase().starts_with("COM") || Path::new(name).exists()
}

/// The address of which `text` is perhaps a part.
fn meant(text: &str) -> String {
    let part = text.trim_matches(':');
    match text.parse::<IpAddr>().or_else(|_| part.parse()) {
        Ok(IpAddr::V6(host)) => format!("[{host}]:{USUAL}"),
        Ok(IpAddr::V4(host)) => format!("{host}:{USUAL}"),
        Err(_) if part == "localhost" => format!("{part}:{USUAL}"),
        Err(_) => format!("127.0.0.1:{}", part.parse::<u16>().unwrap_or(USUAL)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ports_are_told_apart() {
        for address in ["127.0.0.1:3333", "localhost:1", "[::1]:3333"] {
            assert!(is_address(address), "{address}");
        }
        for port in ["/dev/ttyACM0", "COM3", "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2"] {
            assert!(!is_address(port), "{port}");
            assert_eq!(line(port).as_deref(), Ok(port));
        }
    }

    #[test]
    fn half_an_address_is_refused_with_the_whole() {
        for (half, whole) in [
            ("127.0.0.1", "127.0.0.1:3333"),
            ("10.1.2.3:", "10.1.2.3:3333"),
            ("localhost", "localhost:3333"),
            ("::1", "[::1]:3333"),
            ("4000", "127.0.0.1:4000"),
            (":80", "127.0.0.1:80"),
            ("127.0.0.1:99999", "127.0.0.1:3333"),
            ("ttyNoSuchBoard", "127.0.0.1:3333"),
        ] {
            for told in [address(half).unwrap_err(), line(half).unwrap_err()] {
                assert!(told.to_string().ends_with(&format!("such as {whole}")), "{half}: {told}");
            }
            assert!(is_address(whole), "{whole}");
        }
    }
}
