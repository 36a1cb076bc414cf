//! UF2: what the boot ROM of a Pico 2 takes by drag and drop, so that nobody needs a debug probe.
//!
//! The format is Microsoft's (github.com/microsoft/uf2): blocks of 512 bytes, each with an address and
//! at most 476 bytes for it.

/// Bytes of a block of the file.
pub const BLOCK: usize = 512;

/// Bytes of flash that a block carries: a page of the flash.
pub const PAYLOAD: usize = 256;

/// Bytes that flash erases at once. Parts begin and end at multiples of it, so that
/// one never erases the other.
pub const SECTOR: u32 = 4096;

/// The family of programs for an RP2350's Arm cores in Secure state. Its boot ROM takes no other file from
/// us, and no RP2040 takes this one.
pub const RP2350_ARM_S: u32 = 0xE48B_FF59;

/// Marks: at the block's start, and its end.
const MAGIC: [u32; 2] = [0x0A32_4655, 0x9E5D_5157];
const MAGIC_END: u32 = 0x0AB1_6F30;

/// The last word of the header is the family.
const HAS_FAMILY: u32 = 0x2000;

/// Bytes for flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Address of the first.
    pub start: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Why parts are no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uf2Error {
    /// A part begins within a sector.
    #[error("{0:#x} is no multiple of {SECTOR}, at which flash is erased")]
    Start(u32),
    /// A part ends behind the last address.
    #[error("{1} bytes at {0:#x} do not fit into 32-bit addresses")]
    End(u32, usize),
    /// Two parts want one sector.
    #[error("two parts of the file lie in the same sector of flash, at {0:#x}")]
    Overlap(u32),
}

/// One file for `family` with all of `parts`, each filled up to whole sectors with what erased flash holds.
///
/// It is one file because the boot ROM restarts the board as soon as it has every block that
/// the first one announced.
///
/// # Errors
/// Where the parts are none that flash can hold side by side.
pub fn file(family: u32, mut parts: Vec<Part>) -> Result<Vec<u8>, Uf2Error> {
    parts.sort_by_key(|part| part.start);
    let mut free = 0;
    for part in &mut parts {
        if part.start % SECTOR != 0 {
            return Err(Uf2Error::Start(part.start));
        }
        if part.start < free {
            return Err(Uf2Error::Overlap(part.start));
        }
        let whole = part.bytes.len().next_multiple_of(SECTOR as usize);
        let end = u32::try_from(whole).ok().and_then(|bytes| part.start.checked_add(bytes));
        free = end.ok_or(Uf2Error::End(part.start, part.bytes.len()))?;
        part.bytes.resize(whole, 0xFF);
    }
    let pages = parts.iter().flat_map(|part| {
        let addresses = (part.start..).step_by(PAYLOAD);
        addresses.zip(part.bytes.chunks(PAYLOAD))
    });
    let count = parts.iter().map(|part| part.bytes.len() / PAYLOAD).sum::<usize>() as u32;
    Ok(pages
        .zip(0..)
        .flat_map(|((address, page), number)| block(family, address, page, number, count))
        .collect())
}

/// Whether `bytes` are whole blocks with the marks of the format, at least one.
pub fn is_file(bytes: &[u8]) -> bool {
    let starts: Vec<u8> = MAGIC.iter().flat_map(|word| word.to_le_bytes()).collect();
    let is_block = |block: &[u8]| {
        block.len() == BLOCK && block.starts_with(&starts) && block.ends_with(&MAGIC_END.to_le_bytes())
    };
    !bytes.is_empty() && bytes.chunks(BLOCK).all(is_block)
}

fn block(family: u32, address: u32, page: &[u8], number: u32, count: u32) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let header = [MAGIC[0], MAGIC[1], HAS_FAMILY, address, page.len() as u32, number, count, family];
    for (bytes, word) in block.chunks_exact_mut(4).zip(header) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    block[32..32 + page.len()].copy_from_slice(page);
    block[BLOCK - 4..].copy_from_slice(&MAGIC_END.to_le_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: u32, bytes: usize) -> Part {
        Part { start, bytes: (0..bytes).map(|byte| byte as u8).collect() }
    }

    fn words(block: &[u8]) -> Vec<u32> {
        block.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
    }

    #[test]
    fn every_block_is_as_the_specification_says() {
        let file = file(RP2350_ARM_S, vec![part(0x1000_0000, 5000), part(0x1020_0000, 300)]).unwrap();
        assert!(is_file(&file) && !is_file(&file[1..]) && !is_file(&[]));
        let blocks: Vec<&[u8]> = file.chunks(BLOCK).collect();
        assert_eq!(blocks.len(), 3 * SECTOR as usize / PAYLOAD);
        for (number, block) in blocks.iter().enumerate() {
            let words = words(block);
            assert_eq!(words[..3], [0x0A32_4655, 0x9E5D_5157, 0x2000], "block {number}");
            assert_eq!(words[4..8], [256, number as u32, blocks.len() as u32, 0xE48B_FF59], "block {number}");
            assert_eq!(words[127], 0x0AB1_6F30, "block {number}");
            assert!(block[32 + PAYLOAD..BLOCK - 4].iter().all(|&byte| byte == 0), "block {number}");
        }
    }

    #[test]
    fn flash_gets_the_bytes_and_whole_sectors() {
        let parts = [part(0x1000_0000, 5000), part(0x1020_0000, 300)];
        // In another order: what was given last comes first.
        let file = file(RP2350_ARM_S, vec![parts[1].clone(), parts[0].clone()]).unwrap();
        let mut flash = std::collections::BTreeMap::new();
        for block in file.chunks(BLOCK) {
            let address = words(block)[3];
            assert_eq!(address as usize % PAYLOAD, 0);
            assert!(flash.insert(address, block[32..32 + PAYLOAD].to_vec()).is_none(), "{address:#x} twice");
        }
        for part in parts {
            let sectors = part.bytes.len().div_ceil(SECTOR as usize);
            let end = part.start + sectors as u32 * SECTOR;
            let got: Vec<u8> = flash.range(part.start..end).flat_map(|(_, page)| page.clone()).collect();
            assert_eq!(got.len(), sectors * SECTOR as usize);
            assert_eq!(got[..part.bytes.len()], part.bytes[..]);
            assert!(got[part.bytes.len()..].iter().all(|&byte| byte == 0xFF));
        }
    }

    #[test]
    fn parts_that_would_erase_one_another_are_refused() {
        assert_eq!(file(0, vec![part(0x1000_0100, 1)]), Err(Uf2Error::Start(0x1000_0100)));
        let shared = vec![part(0x1000_0000, 4097), part(0x1000_1000, 1)];
        assert_eq!(file(0, shared), Err(Uf2Error::Overlap(0x1000_1000)));
        assert_eq!(file(0, vec![part(0xFFFF_F000, 4097)]), Err(Uf2Error::End(0xFFFF_F000, 4097)));
        assert_eq!(file(0, vec![part(0xFFFF_F000, 4096)]), Err(Uf2Error::End(0xFFFF_F000, 4096)));
    }

    #[test]
    fn no_parts_are_no_blocks() {
        assert_eq!(file(RP2350_ARM_S, Vec::new()), Ok(Vec::new()));
    }
}
