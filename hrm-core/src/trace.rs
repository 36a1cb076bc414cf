//! Seeing every operation's output, at no cost where nobody looks.

/// The operation groups whose outputs are compared across targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Op {
    /// Input injection: `h + injection`, the input of a level.
    Inject,
    /// Keys, after RoPE where the model has it.
    Key,
    /// Values.
    Value,
    /// Queries, after RoPE where the model has it.
    Query,
    /// Unnormalised attention weights `2^(score - top)`.
    Weights,
    /// Attention output per head, before the output projection.
    Attention,
    /// `rms(x + Attention(x))`.
    AttentionNorm,
    /// `silu(gate) * up`.
    Gate,
    /// `rms(x + SwiGLU(x))`, the output of a block.
    FeedForwardNorm,
    /// Logits of the language-model head.
    Logits,
    /// Logits of the halting head.
    Halt,
}

impl Op {
    /// Every group, in the order of first use within a segment.
    pub const ALL: [Op; 11] = [
        Op::Inject,
        Op::Key,
        Op::Value,
        Op::Query,
        Op::Weights,
        Op::Attention,
        Op::AttentionNorm,
        Op::Gate,
        Op::FeedForwardNorm,
        Op::Logits,
        Op::Halt,
    ];

    /// A short lower-case name for reports.
    pub const fn name(self) -> &'static str {
        match self {
            Op::Inject => "inject",
            Op::Key => "key",
            Op::Value => "value",
            Op::Query => "query",
            Op::Weights => "weights",
            Op::Attention => "attention",
            Op::AttentionNorm => "attention-norm",
            Op::Gate => "gate",
            Op::FeedForwardNorm => "feed-forward-norm",
            Op::Logits => "logits",
            Op::Halt => "halt",
        }
    }
}

/// A run of consecutive output elements of one operation, in the width they are stored.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// 8-bit lanes.
    I8(&'a [i8]),
    /// 16-bit lanes.
    I16(&'a [i16]),
    /// 32-bit values.
    I32(&'a [i32]),
}

impl<'a> Values<'a> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Values::I8(v) => v.len(),
            Values::I16(v) => v.len(),
            Values::I32(v) => v.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element `index`, widened.
    pub fn get(&self, index: usize) -> Option<i32> {
        match self {
            Values::I8(v) => v.get(index).map(|&v| i32::from(v)),
            Values::I16(v) => v.get(index).map(|&v| i32::from(v)),
            Values::I32(v) => v.get(index).copied(),
        }
    }

    /// The first `count` elements (all where there are fewer) and the others.
    pub fn split_at(self, count: usize) -> (Values<'a>, Values<'a>) {
        let count = count.min(self.len());
        match self {
            Values::I8(v) => {
                let (a, b) = v.split_at(count);
                (Values::I8(a), Values::I8(b))
            }
            Values::I16(v) => {
                let (a, b) = v.split_at(count);
                (Values::I16(a), Values::I16(b))
            }
            Values::I32(v) => {
                let (a, b) = v.split_at(count);
                (Values::I32(a), Values::I32(b))
            }
        }
    }
}

/// Watches a segment from inside. The unit implementation sees nothing and costs nothing.
pub trait Trace {
    /// A new segment begins.
    fn begin_segment(&mut self) {}

    /// The next output elements of `op`; one operation calls this many times per segment,
    /// always in the same order.
    fn op(&mut self, op: Op, values: Values<'_>) {
        let _ = (op, values);
    }

    /// Asked after every block of every level; `false` abandons the segment.
    fn proceed(&mut self) -> bool {
        true
    }
}

impl Trace for () {}
