//! The shape that a pack states, read while a program is compiled, so that its memory has the right size.

use super::{PRELUDE_BYTES, SecondHead, Shape};
use crate::lane::LaneWidth;

impl Shape {
    /// The shape that the header of `pack` states, and nothing checked: [`Pack::open`](crate::Pack::open)
    /// does that. `None` where there is no header.
    ///
    /// ```
    /// use hrm_core::{Shape, include_pack, workspace_words};
    ///
    /// const PACK: &[u8] = include_pack!("../../../models/sudoku4-demo.hrm");
    /// const WORDS: usize = workspace_words(&Shape::stated_by(PACK).unwrap());
    /// static mut MEMORY: [u32; WORDS] = [0; WORDS];
    /// assert_eq!(4 * WORDS, 7_936);
    /// ```
    pub const fn stated_by(pack: &[u8]) -> Option<Shape> {
        let mut header = Header { bytes: pack, at: PRELUDE_BYTES, sound: true };
        let name = header.number();
        header.at += name;
        let shape = Shape {
            cells: header.number() as u16,
            vocab: header.number() as u16,
            width: header.number() as u16,
            heads: header.number() as u16,
            inner: header.number() as u16,
            h_layers: header.byte(),
            l_layers: header.byte(),
            h_cycles: header.byte(),
            l_cycles: header.byte(),
            segments: header.number() as u16,
            members: header.byte(),
            shared_levels: header.byte() != 0,
            rope: header.byte() != 0,
            learned_positions: header.byte() != 0,
            relations: header.byte(),
            second_head: match header.number() {
                0 => SecondHead::None,
                1 => SecondHead::Continue,
                _ => SecondHead::Doubt,
            },
            lanes: match header.number() {
                0 => LaneWidth::I8,
                _ => LaneWidth::I16,
            },
        };
        if header.sound { Some(shape) } else { None }
    }
}

/// A postcard header. postcard's own reader is no `const fn`.
struct Header<'a> {
    bytes: &'a [u8],
    at: usize,
    sound: bool,
}

impl Header<'_> {
    const fn byte(&mut self) -> u8 {
        if self.at >= self.bytes.len() {
            self.sound = false;
            return 0;
        }
        self.at += 1;
        self.bytes[self.at - 1]
    }

    /// A number: seven bits a byte, the lowest first.
    const fn number(&mut self) -> usize {
        let (mut value, mut shift) = (0, 0);
        while shift < 21 {
            let byte = self.byte();
            value |= ((byte & 0x7F) as usize) << shift;
            if byte & 0x80 == 0 {
                return value;
            }
            shift += 7;
        }
        self.sound = false;
        0
    }
}
