//! Every real board, and proof that a wrong one would be noticed. Needs the images: `cargo xtask firmware`.

use hrm_chips::{Claim, Mismatch};
use hrm_emulator::board::{HARDWARE, Hardware};
use hrm_emulator::image::Image;

fn claim(name: &str) -> Claim {
    let board = Hardware::find(name).expect("a board in the list");
    Claim::new(board, &Image::built(name).expect("an image"))
}

#[test]
fn every_board_is_as_probe_rs_describes_its_chip() {
    for board in HARDWARE {
        if let Err(mismatch) = claim(board.name).check() {
            panic!("{}: {mismatch}", board.name);
        }
    }
}

/// What is said of a right board once `spoil` has made it wrong.
#[track_caller]
fn assert_noticed(name: &str, spoil: impl FnOnce(&mut Claim), expected: impl FnOnce(&Claim) -> Mismatch) {
    let mut wrong = claim(name);
    spoil(&mut wrong);
    let expected = expected(&wrong);
    assert_eq!(wrong.check(), Err(expected));
}

#[test]
fn a_chip_that_probe_rs_does_not_know_or_must_guess_is_noticed() {
    for chip in ["RP2351", "STM32H743", "nRF52840"] {
        assert_noticed("pico2", |wrong| wrong.board.chip = chip, |_| Mismatch::Chip(chip.to_owned()));
    }
}

#[test]
fn a_processor_of_another_kind_is_noticed() {
    let core = |_: &Claim| Mismatch::Core(probe_rs::CoreType::Armv8m);
    assert_noticed("pico2", |wrong| wrong.board.cpu = "cortex-m4", core);
}

#[test]
fn a_pack_that_shares_a_sector_is_noticed() {
    // Sectors of 4 KiB; of 128 KiB; and of growing sizes, where 16 KiB would be a boundary in the beginning.
    for (name, shift) in [("nrf52840-dk", 0x800), ("nucleo-h743zi", 0x1_0000), ("olimex-h405", 0x4000)] {
        let start = |wrong: &mut Claim| wrong.map.pack.start += shift;
        assert_noticed(name, start, |wrong| Mismatch::Sector(wrong.map.pack.start));
        let end = |wrong: &mut Claim| wrong.map.pack.end -= shift;
        assert_noticed(name, end, |wrong| Mismatch::Sector(wrong.map.pack.end));
    }
}

#[test]
fn memory_that_the_chip_lacks_is_noticed() {
    let pack = |wrong: &Claim| Mismatch::Outside("the pack", wrong.map.pack.clone());
    let stack = |wrong: &Claim| Mismatch::Outside("the stack", wrong.map.stack.clone());
    let ram = |wrong: &Claim| Mismatch::Outside("RAM", wrong.map.ram.clone());
    assert_noticed("nrf52840-dk", |wrong| wrong.map.pack.end += 0x1000, pack);
    assert_noticed("olimex-h405", |wrong| wrong.map.ram.end += 4, ram);
    assert_noticed("olimex-h405", |wrong| wrong.map.stack.start -= 4, stack);
    // Two memories with a gap between them are not one.
    assert_noticed("nucleo-h743zi", |wrong| wrong.map.ram.end = 0x2404_0000, ram);
}

#[test]
fn another_flash_in_the_list_is_noticed() {
    assert_noticed("nrf52840-dk", |wrong| wrong.board.flash.1 *= 2, |_| Mismatch::Flash(0..0x10_0000));
}

#[test]
fn regions_that_share_memory_are_noticed() {
    let program = |wrong: &mut Claim| wrong.map.program.end += 4;
    assert_noticed("pico2", program, |_| Mismatch::Overlap("the program", "the pack"));
    let stack = |wrong: &mut Claim| wrong.map.stack.end += 4;
    assert_noticed("pico2", stack, |_| Mismatch::Overlap("the stack", "RAM"));
}

#[test]
fn an_image_that_reaches_into_the_pack_is_noticed() {
    let grow = |wrong: &mut Claim| {
        let last = wrong.segments.iter_mut().max_by_key(|segment| segment.end).expect("a segment");
        last.end = wrong.map.pack.start + 1;
    };
    let segment = |wrong: &Claim| {
        Mismatch::Segment(wrong.segments.iter().max_by_key(|segment| segment.end).expect("a segment").clone())
    };
    for board in HARDWARE {
        assert_noticed(board.name, grow, segment);
    }
}
