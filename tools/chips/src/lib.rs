//! Real boards against the descriptions that probe-rs flashes their chips by: what a data sheet was misread
//! for shows here, not on a desk.

use std::ops::Range;

use hrm_emulator::board::Hardware;
use hrm_emulator::image::{Image, MemoryMap};
use probe_rs::CoreType;
use probe_rs::config::{MemoryRegion, Registry, Target};
use probe_rs_target::RawFlashAlgorithm;

/// What this project says of a board and its chip.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The entry in the list of boards.
    pub board: Hardware,
    /// What the linker was told.
    pub map: MemoryMap,
    /// Where the image's bytes go.
    pub segments: Vec<Range<u64>>,
}

/// What is wrong with a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// `probe-rs run --chip` would refuse the name, or guess what it means.
    #[error("probe-rs knows no chip {0}")]
    Chip(String),
    /// The code would not run.
    #[error("probe-rs says that the chip's core is {0:?}")]
    Core(CoreType),
    /// The list of boards gives another flash.
    #[error("probe-rs says that the chip's flash is {0:#x?}")]
    Flash(Range<u64>),
    /// A region of memory.x is not in memory of its kind.
    #[error("{0} at {1:#x?} is not within any one memory of that kind")]
    Outside(&'static str, Range<u64>),
    /// Flashing the pack would erase something else, or cannot be done.
    #[error("{0:#x} is no boundary between two sectors of flash")]
    Sector(u64),
    /// A part of the image lies where the pack, or nothing, should be.
    #[error("the image's segment {0:#x?} is not within the flash set aside for the program")]
    Segment(Range<u64>),
    /// Two regions of memory.x share memory.
    #[error("{0} and {1} share memory")]
    Overlap(&'static str, &'static str),
}

impl Claim {
    /// What is said by the list of boards and by the image built for one of them.
    pub fn new(board: Hardware, image: &Image) -> Self {
        Self { board, map: image.memory_map(), segments: image.segments() }
    }

    /// Compares all of it with the description of the chip.
    ///
    /// # Errors
    /// The first thing that differs.
    pub fn check(&self) -> Result<(), Mismatch> {
        let Self { board, map, segments } = self;
        let chip = chip(board.chip)?;
        let core = chip.cores[0].core_type;
        if core != core_of(board.cpu) {
            return Err(Mismatch::Core(core));
        }

        let flash = joined(chip.memory_map.iter().filter_map(flash));
        let [program, pack] = [&map.program, &map.pack];
        let of_pack = holder(&flash, "the pack", pack)?;
        holder(&flash, "the program", program)?;
        if *of_pack != (board.flash.0..board.flash.1) {
            return Err(Mismatch::Flash(of_pack.clone()));
        }
        let ram = joined(chip.memory_map.iter().filter_map(ram));
        holder(&ram, "the stack", &map.stack)?;
        holder(&ram, "RAM", &map.ram)?;
        apart(("the program", program), ("the pack", pack))?;
        apart(("the stack", &map.stack), ("RAM", &map.ram))?;

        for address in [pack.start, pack.end] {
            if !is_boundary(&chip, address) {
                return Err(Mismatch::Sector(address));
            }
        }
        match segments.iter().find(|segment| !within(segment, program)) {
            Some(segment) => Err(Mismatch::Segment(segment.clone())),
            None => Ok(()),
        }
    }
}

/// The description of the chip of exactly that name. probe-rs itself would also take the beginning of one.
fn chip(name: &str) -> Result<Target, Mismatch> {
    let found = Registry::from_builtin_families().get_target_by_name(name).ok();
    found.filter(|chip| chip.name == name).ok_or_else(|| Mismatch::Chip(name.to_owned()))
}

/// probe-rs' name for the kind of a processor that boards here have.
fn core_of(cpu: &str) -> CoreType {
    match cpu {
        "cortex-m0plus" => CoreType::Armv6m,
        "cortex-m4" | "cortex-m7" => CoreType::Armv7em,
        _ => CoreType::Armv8m,
    }
}

/// Flash that programs run from. Descriptions also have option bytes, and chips that a board
/// may have beside this one.
fn flash(region: &MemoryRegion) -> Option<Range<u64>> {
    let region = region.as_nvm_region()?;
    (!region.is_alias && region.is_boot_memory()).then(|| region.range.clone())
}

fn ram(region: &MemoryRegion) -> Option<Range<u64>> {
    Some(region.as_ram_region()?.range.clone())
}

/// `regions`, in order, with neighbours made one: banks of one memory.
fn joined(regions: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut regions: Vec<_> = regions.collect();
    regions.sort_by_key(|region| region.start);
    regions.into_iter().fold(Vec::new(), |mut joined: Vec<Range<u64>>, next| {
        match joined.last_mut().filter(|last| last.end == next.start) {
            Some(last) => last.end = next.end,
            None => joined.push(next),
        }
        joined
    })
}

fn within(inner: &Range<u64>, outer: &Range<u64>) -> bool {
    inner.start < inner.end && outer.start <= inner.start && inner.end <= outer.end
}

fn holder<'a>(
    memories: &'a [Range<u64>],
    what: &'static str,
    region: &Range<u64>,
) -> Result<&'a Range<u64>, Mismatch> {
    let found = memories.iter().find(|memory| within(region, memory));
    found.ok_or_else(|| Mismatch::Outside(what, region.clone()))
}

fn apart(a: (&'static str, &Range<u64>), b: (&'static str, &Range<u64>)) -> Result<(), Mismatch> {
    match a.1.end <= b.1.start || b.1.end <= a.1.start {
        true => Ok(()),
        false => Err(Mismatch::Overlap(a.0, b.0)),
    }
}

/// Whether erasing the flash on one side of `address` leaves the other side as it is.
fn is_boundary(chip: &Target, address: u64) -> bool {
    let in_use = chip.flash_algorithms.iter().filter(|algorithm| algorithm.default);
    let mut boundaries = in_use.filter_map(|algorithm| offset_in_sector(algorithm, address)).peekable();
    boundaries.peek().is_some() && boundaries.all(|offset| offset == 0)
}

/// How far behind the beginning of a sector `address` is, where `algorithm` is for it or for what ends there.
fn offset_in_sector(algorithm: &RawFlashAlgorithm, address: u64) -> Option<u64> {
    let flash = &algorithm.flash_properties;
    let offset =
        address.checked_sub(flash.address_range.start).filter(|_| address <= flash.address_range.end)?;
    // The last group of equal sectors that begins before it.
    let group =
        flash.sectors.iter().filter(|group| group.address <= offset).max_by_key(|group| group.address)?;
    Some((offset - group.address) % group.size)
}
