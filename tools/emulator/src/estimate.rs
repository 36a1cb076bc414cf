//! How long a real board thinks: an estimate from counted instructions, as no board has been timed
//! yet (docs/PERFORMANCE.md).

use hrm_core::{Shape, lane::LaneWidth, tokens_per_pass, workspace_bytes};

use crate::board::Hardware;

/// Executed instructions for a thousand multiply-accumulates of a segment: at width 96 and at width 128, each
/// with 16-bit and with 8-bit lanes; and cycles for an instruction of the inner step of a product.
struct Processor {
    instructions: [[f64; 2]; 2],
    cycles: f64,
}

const M4_M33: Processor = Processor { instructions: [[1021.0, 1041.0], [970.0, 985.0]], cycles: 14.0 / 13.0 };
const M7: Processor = Processor { instructions: [[1143.0, 1162.0], [1092.0, 1107.0]], cycles: 10.0 / 15.0 };

/// From here on the counts of the wider model are nearer.
const WIDE: u16 = 112;

impl Hardware {
    /// Seconds that a segment of a model takes at least, whose pack has `pack_bytes`: its instructions, or
    /// its weights through a flash that is slower, whichever takes longer; no other wait states.
    pub fn seconds_a_segment(&self, pack_bytes: u64, shape: &Shape) -> f64 {
        let instructions = self.instructions_a_mac(shape.width, shape.lanes);
        let thinking = shape.segment_macs() as f64 * instructions * self.processor().cycles / self.hz as f64;
        let reading = self
            .flash_bytes_a_second
            .map_or(0.0, |rate| self.weights_read_a_segment(pack_bytes, shape) as f64 / rate as f64);
        thinking.max(reading)
    }

    /// Executed instructions for a multiply-accumulate of a segment, as they were counted (docs/performance).
    pub fn instructions_a_mac(&self, width: u16, lanes: LaneWidth) -> f64 {
        self.processor().instructions[usize::from(width >= WIDE)][usize::from(lanes == LaneWidth::I8)]
            / 1000.0
    }

    fn processor(&self) -> Processor {
        if self.cpu == "cortex-m7" { M7 } else { M4_M33 }
    }

    /// Bytes of weights that a segment reads from flash: all of them once for as many tokens as the memory
    /// allows, or none where the pack is copied to RAM.
    pub fn weights_read_a_segment(&self, pack_bytes: u64, shape: &Shape) -> u64 {
        let copied = self.pack_to_ram
            && pack_bytes.next_multiple_of(16) + workspace_bytes(shape) as u64 <= self.workspace;
        if copied {
            return 0;
        }
        let served = tokens_per_pass(shape, self.workspace as usize).max(1);
        let (width, inner) = (u64::from(shape.width), u64::from(shape.inner));
        let blocks = u64::from(shape.h_cycles)
            * (u64::from(shape.l_cycles) * u64::from(shape.l_layers) + u64::from(shape.h_layers));
        shape.sequence().div_ceil(served) as u64 * blocks * (4 * width * width + 3 * width * inner)
    }
}
