//! What is read off the slow state: the grid, and whether to halt.

use super::products::{first_of, product, rescale};
use crate::lane::Lane;
use crate::pack::{Member, SecondHead, Shape, TILE};
use crate::reasoner::Halt;
use crate::rows::Rows;
use crate::trace::{Op, Trace, Values};
use crate::workspace::Scratch;

/// `lm_head(z_h)` of every cell; the grid is each cell's best token, the lowest on ties.
pub(super) fn decode<A: Lane>(
    shape: &Shape,
    member: &Member<'_>,
    z_h: &[A],
    scratch: &mut Scratch<'_, A>,
    grid: &mut [u8],
    trace: &mut dyn Trace,
) {
    let (width, columns) = (shape.width(), shape.logit_columns());
    let cells = z_h.get(width..).unwrap_or_default();
    let mut tiles = cells.tiles(TILE * width);
    for grid in grid.tiles_mut(TILE) {
        let x = tiles.next().unwrap_or_default();
        let acc = product(x, &member.logits, scratch.acc, scratch.pack);
        for (logits, token) in acc.rows_mut(columns).zip(grid) {
            rescale::<A>(logits, member.logits.factors);
            let logits = first_of(logits, usize::from(shape.vocab));
            trace.op(Op::Logits, Values::I32(logits));
            let mut best = i32::MIN;
            for (index, logit) in logits.iter().enumerate() {
                if *logit > best {
                    (best, *token) = (*logit, index as u8);
                }
            }
        }
    }
}

/// `q_head(z_h[puzzle position])`.
pub(super) fn halt<A: Lane>(
    shape: &Shape,
    member: &Member<'_>,
    z_h: &[A],
    scratch: &mut Scratch<'_, A>,
    trace: &mut dyn Trace,
) -> Halt {
    let acc = product(z_h.get(..shape.width()).unwrap_or_default(), &member.halt, scratch.acc, scratch.pack);
    rescale::<A>(acc, member.halt.factors);
    let (halt, second) = match acc {
        [halt, second] => (*halt, *second),
        _ => (0, 0),
    };
    let params = &member.params;
    let q_halt = halt.saturating_add(params.halt_bias);
    let second = match shape.second_head {
        SecondHead::None => 0,
        SecondHead::Continue | SecondHead::Doubt => second.saturating_add(params.second_bias),
    };
    trace.op(Op::Halt, Values::I32(&[q_halt, second]));
    match shape.second_head {
        SecondHead::Doubt => Halt { q_halt, q_continue: 0, q_doubt: Some(second) },
        SecondHead::None | SecondHead::Continue => Halt { q_halt, q_continue: second, q_doubt: None },
    }
}
