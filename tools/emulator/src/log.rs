//! The firmware's log: defmt frames, made readable with the strings that only the ELF file holds.

use defmt_decoder::{DecodeError, Table};

use crate::image::Image;

/// The lines that `bytes`, as the firmware wrote them, stand for. What cannot be decoded is named in a line.
pub fn decode(image: &Image, bytes: &[u8]) -> Vec<String> {
    let table = match Table::parse(image.elf()) {
        Ok(Some(table)) => table,
        Ok(None) => return vec!["(the firmware has no defmt log)".into()],
        Err(error) => return vec![format!("(the firmware's log cannot be decoded: {error:#})")],
    };
    let locations = table.get_locations(image.elf()).unwrap_or_default();
    let mut decoder = table.new_stream_decoder();
    decoder.received(bytes);
    let mut lines = Vec::new();
    loop {
        match decoder.decode() {
            Ok(frame) => {
                let place =
                    locations.get(&frame.index()).map(|l| format!(" ({}:{})", l.file.display(), l.line));
                lines.push(format!("{}{}", frame.display(false), place.unwrap_or_default()));
            }
            Err(DecodeError::UnexpectedEof) => return lines,
            Err(DecodeError::Malformed) => {
                lines.push("(a damaged log frame)".into());
                if !table.encoding().can_recover() {
                    return lines;
                }
            }
        }
    }
}
