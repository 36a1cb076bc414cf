//! Host against device: equal digests, or the first element that differs.

use std::{
    fmt,
    io::{Read, Write},
};

use hrm_core::{
    Op, Reasoner, Shape, Trace, Values,
    digest::{self, ChunkTrace, MAX_CHUNKS, OPS, ProbeTrace, watch},
    pack::TILE,
    wire::{Ask, Segment},
    workspace_bytes_for,
};

use crate::link::{Hello, Link, LinkError};

/// The first difference between host and device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// An element of an operation's output. It is the first in the order of computation, so what caused it is
    /// the operation itself (or its weights), not an earlier one.
    Element {
        /// In which segment, from 0.
        segment: u16,
        /// In which operation.
        op: Op,
        /// Which of its elements in that segment.
        index: u32,
        /// The host's value, if it has that many.
        host: Option<i32>,
        /// The device's value, if it has that many.
        device: Option<i32>,
        /// Every operation group whose digest differs in that segment.
        groups: Vec<Op>,
    },
    /// All operations agree, what was made of them does not.
    Outcome {
        /// In which segment, from 0.
        segment: u16,
        /// The carried state differs.
        state: bool,
        /// The decoded grid differs.
        grid: bool,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<i32>| value.map_or("nothing".into(), |value| value.to_string());
        match self {
            Difference::Element { segment, op, index, host, device, groups } => {
                let groups: Vec<&str> = groups.iter().map(|op| op.name()).collect();
                write!(
                    f,
                    "segment {segment}, operation {}, index {index}: host {}, device {} (groups that differ in this \
                     segment: {})",
                    op.name(),
                    value(host),
                    value(device),
                    groups.join(", ")
                )
            }
            Difference::Outcome { segment, state, grid } => {
                let what = match (state, grid) {
                    (true, true) => "the carried state and the decoded grid differ",
                    (true, false) => "the carried state differs",
                    _ => "the decoded grid differs",
                };
                write!(f, "segment {segment}: every operation agrees, but {what}")
            }
        }
    }
}

/// Words of memory with which a model on this machine computes in the order in which the device that said
/// `hello` does: a pass over the weights serves as many tokens. Other orders give the same bits, but
/// differences would be looked for in the wrong place.
pub fn host_words(shape: &Shape, hello: &Hello) -> usize {
    let most = shape.sequence().next_multiple_of(TILE);
    workspace_bytes_for(shape, usize::from(hello.memory.tokens_per_pass).clamp(TILE, most)) / size_of::<u32>()
}

/// The digests of `segments` segments, computed by `model` on this machine.
pub fn digests<R: Reasoner>(model: &mut R, ask: Ask<'_>, segments: u16) -> Vec<Segment> {
    model.begin(usize::from(ask.member), ask.tokens);
    // The trace behind `digest::segment` never stops a segment.
    (0..segments).filter_map(|segment| digest::segment(model, segment).ok()).collect()
}

/// Compares `expected`, the host's [`digests`] for `ask`, with the device's; where they differ, `host`
/// computes the segment again to find the first element that does.
pub fn compare<R: Reasoner, T: Read + Write>(
    host: &mut R,
    link: &mut Link<T>,
    ask: Ask<'_>,
    expected: &[Segment],
) -> Result<Option<Difference>, LinkError> {
    let got = link.digest(ask, expected.len() as u16, |_| {})?;
    let Some((expected, got)) = expected.iter().zip(&got).find(|(expected, got)| expected != got) else {
        return Ok(None);
    };
    let groups: Vec<Op> =
        Op::ALL.into_iter().filter(|&op| expected.ops[op as usize] != got.ops[op as usize]).collect();
    let segment = expected.segment;
    if groups.is_empty() {
        let (state, grid) = (expected.state != got.state, expected.grid != got.grid);
        return Ok(Some(Difference::Outcome { segment, state, grid }));
    }
    locate(host, link, ask, segment, groups).map(Some)
}

/// Narrows the timeline of `segment` down to its first differing element, by chunks of chunks.
fn locate<R: Reasoner, T: Read + Write>(
    host: &mut R,
    link: &mut Link<T>,
    ask: Ask<'_>,
    segment: u16,
    groups: Vec<Op>,
) -> Result<Difference, LinkError> {
    let mut ledger = Ledger::default();
    observe(host, ask, segment, &mut ledger);
    let (mut from, mut span) = (0, ledger.position.max(1));
    while span > 1 {
        let chunk = span.div_ceil(MAX_CHUNKS as u32);
        let (theirs, _) = link.chunks(ask, segment, from, chunk)?;
        let mut trace = ChunkTrace::new(from, chunk);
        observe(host, ask, segment, &mut trace);
        let (ours, _) = trace.finish();
        let first = (0..MAX_CHUNKS).find(|&i| ours.get(i) != theirs.get(i)).ok_or_else(|| {
            LinkError::Answer(
                "digests that differ over a timeline that does not: it computes in another order".into(),
            )
        })?;
        from += first as u32 * chunk;
        span = chunk;
    }
    let mut ledger = Ledger { wanted: from, ..Ledger::default() };
    observe(host, ask, segment, &mut ledger);
    let (op, index) = ledger.found.unwrap_or((groups[0], ledger.seen[groups[0] as usize]));
    let mut ours = [0];
    let mut trace = ProbeTrace::new(op, index, &mut ours);
    observe(host, ask, segment, &mut trace);
    let host = (trace.captured() == 1).then_some(ours[0]);
    let device = link.probe(ask, segment, op, index, 1)?.0.first().copied();
    Ok(Difference::Element { segment, op, index, host, device, groups })
}

fn observe<R: Reasoner, T: Trace>(host: &mut R, ask: Ask<'_>, segment: u16, trace: &mut T) {
    // None of the traces here ever stops a segment.
    let _ = watch(host, usize::from(ask.member), ask.tokens, segment.into(), trace);
}

/// Tells which element of which operation has place `wanted` in a segment's timeline.
#[derive(Default)]
struct Ledger {
    wanted: u32,
    position: u32,
    seen: [u32; OPS],
    found: Option<(Op, u32)>,
}

impl Trace for Ledger {
    fn op(&mut self, op: Op, values: Values<'_>) {
        let count = values.len() as u32;
        let seen = &mut self.seen[op as usize];
        if (self.position..self.position + count).contains(&self.wanted) {
            self.found = Some((op, *seen + self.wanted - self.position));
        }
        *seen += count;
        self.position += count;
    }
}
