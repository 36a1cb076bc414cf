//! Columns whose weights had to be stored in coarser units, as a pack itself shows them.

use hrm_core::Pack;
use hrm_core::pack::Matrix;
use serde::Serialize;

use super::restore::columns;

/// The columns of a pack whose largest weight is less than ±127, because the sum of all would
/// otherwise overflow an accumulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Coarser {
    /// How many there are.
    pub columns: usize,
    /// Of how many that are not zero.
    pub of: usize,
    /// The largest weight of the coarsest one.
    pub largest: u8,
}

impl Coarser {
    /// Those of all members of `pack`; `None` where there is no such column.
    pub fn of(pack: &Pack<'_>) -> Option<Self> {
        let mut found = Coarser { columns: 0, of: 0, largest: 127 };
        for member in 0..usize::from(pack.shape().members) {
            let heads = pack.member(member);
            [heads.logits, heads.halt].into_iter().for_each(|matrix| found.count(matrix));
            for index in 0..pack.shape().stored_layers() {
                let layer = pack.layer(member, index);
                [layer.query, layer.key, layer.value, layer.out, layer.gate_up, layer.down]
                    .into_iter()
                    .for_each(|matrix| found.count(matrix));
            }
        }
        (found.columns > 0).then_some(found)
    }

    /// How many times as large as usual the coarsest unit is.
    pub fn times(&self) -> f64 {
        127.0 / f64::from(self.largest.max(1))
    }

    fn count(&mut self, matrix: Matrix<'_>) {
        for column in columns(matrix) {
            let largest = column.map(i8::unsigned_abs).max().unwrap_or(0);
            // padding is zero, and so may a column be
            if largest > 0 {
                self.of += 1;
                self.columns += usize::from(largest < 127);
                self.largest = self.largest.min(largest);
            }
        }
    }
}
