//! Three ways to compare a segment on two machines without sending it: a CRC per operation group,
//! CRCs of equal chunks of the segment's timeline, and the raw values of a few elements. Host and
//! target run the same code.

use crc::{CRC_32_ISO_HDLC, Crc, Digest};
use heapless::Vec;

use crate::{
    reasoner::{Cancelled, Reasoner},
    solve::Solver,
    task::Task,
    trace::{Op, Trace, Values},
    wire::Segment,
};

/// The CRC-32 (ISO-HDLC: reflected 0x04C11DB7, the one of zlib) of every pack, digest and frame.
pub static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Number of operation groups, the length of a digest.
pub const OPS: usize = Op::ALL.len();

/// Most chunks one [`ChunkTrace`] keeps.
pub const MAX_CHUNKS: usize = 64;

impl Values<'_> {
    /// Adds the elements to `digest` as little-endian bytes in their stored width,
    /// whatever this machine's order.
    fn add_to(&self, digest: &mut Digest<'_, u32>) {
        match self {
            Values::I8(v) => digest.update(bytemuck::cast_slice(v)),
            Values::I16(v) if cfg!(target_endian = "little") => digest.update(bytemuck::cast_slice(v)),
            Values::I32(v) if cfg!(target_endian = "little") => digest.update(bytemuck::cast_slice(v)),
            Values::I16(v) => v.iter().for_each(|v| digest.update(&v.to_le_bytes())),
            Values::I32(v) => v.iter().for_each(|v| digest.update(&v.to_le_bytes())),
        }
    }
}

/// Keeps the CRC-32 of every operation group of the current segment.
pub struct CrcTrace {
    groups: [Digest<'static, u32>; OPS],
}

impl Default for CrcTrace {
    fn default() -> Self {
        Self { groups: core::array::from_fn(|_| CRC.digest()) }
    }
}

impl CrcTrace {
    /// The CRCs so far, in the order of [`Op::ALL`].
    pub fn crcs(&self) -> [u32; OPS] {
        core::array::from_fn(|i| self.groups.get(i).map_or(0, |digest| digest.clone().finalize()))
    }
}

impl Trace for CrcTrace {
    fn begin_segment(&mut self) {
        *self = Self::default();
    }

    fn op(&mut self, op: Op, values: Values<'_>) {
        if let Some(digest) = self.groups.get_mut(op as usize) {
            values.add_to(digest);
        }
    }
}

/// Keeps the CRC-32 of up to [`MAX_CHUNKS`] equal chunks of the current segment's *timeline*: the elements of
/// all operations together, in the order in which they are computed. Two or three rounds of ever smaller
/// chunks find the very first element in which two machines differ.
pub struct ChunkTrace {
    from: u32,
    chunk: u32,
    position: u32,
    current: Digest<'static, u32>,
    crcs: Vec<u32, MAX_CHUNKS>,
}

impl ChunkTrace {
    /// Watches `[from, from + MAX_CHUNKS * chunk)` in chunks of `chunk` elements (at least 1).
    pub fn new(from: u32, chunk: u32) -> Self {
        Self { from, chunk: chunk.max(1), position: 0, current: CRC.digest(), crcs: Vec::new() }
    }

    /// The CRC of each chunk (the last may be shorter), and the number of elements in the whole segment.
    pub fn finish(mut self) -> (Vec<u32, MAX_CHUNKS>, u32) {
        if self.position > self.from && !(self.position - self.from).is_multiple_of(self.chunk) {
            let _ = self.crcs.push(self.current.finalize());
        }
        (self.crcs, self.position)
    }

    fn close(&mut self) {
        let done = core::mem::replace(&mut self.current, CRC.digest());
        let _ = self.crcs.push(done.finalize());
    }
}

impl Trace for ChunkTrace {
    fn begin_segment(&mut self) {
        *self = Self::new(self.from, self.chunk);
    }

    fn op(&mut self, _: Op, mut values: Values<'_>) {
        while !values.is_empty() {
            let before = self.position < self.from;
            let room = match before {
                true => self.from - self.position,
                false => self.chunk - (self.position - self.from) % self.chunk,
            };
            let (now, later) = values.split_at(room as usize);
            self.position += now.len() as u32;
            if !before && !self.crcs.is_full() {
                now.add_to(&mut self.current);
                if now.len() == room as usize {
                    self.close();
                }
            }
            values = later;
        }
    }
}

/// Copies elements `[from, from + out.len())` of one operation of the current segment.
pub struct ProbeTrace<'a> {
    op: Op,
    from: u32,
    out: &'a mut [i32],
    seen: u32,
}

impl<'a> ProbeTrace<'a> {
    /// Watches `op` from element `from` on; what does not exist leaves `out` as it is.
    pub fn new(op: Op, from: u32, out: &'a mut [i32]) -> Self {
        Self { op, from, out, seen: 0 }
    }

    /// Number of elements of the operation in the segment so far.
    pub fn total(&self) -> u32 {
        self.seen
    }

    /// How many of the elements asked for exist.
    pub fn captured(&self) -> usize {
        (self.seen.saturating_sub(self.from) as usize).min(self.out.len())
    }
}

impl Trace for ProbeTrace<'_> {
    fn begin_segment(&mut self) {
        self.seen = 0;
    }

    fn op(&mut self, op: Op, values: Values<'_>) {
        if op != self.op {
            return;
        }
        // Where the slice starts within `out` (negative: it starts before the window).
        let start = i64::from(self.seen) - i64::from(self.from);
        self.seen += values.len() as u32;
        let skip = usize::try_from(-start).unwrap_or(0);
        let place = usize::try_from(start).unwrap_or(0);
        let (_, values) = values.split_at(skip);
        for (i, out) in self.out.iter_mut().skip(place).enumerate() {
            match values.get(i) {
                Some(value) => *out = value,
                None => break,
            }
        }
    }
}

/// Runs segments `0..=segment` of `member` on `tokens` and watches only the last one.
///
/// # Errors
/// [`Cancelled`] where `trace` ends the last one.
pub fn watch<R: Reasoner, T: Trace>(
    model: &mut R,
    member: usize,
    tokens: &[u8],
    segment: u32,
    trace: &mut T,
) -> Result<(), Cancelled> {
    model.begin(member, tokens);
    for _ in 0..segment {
        model.segment(&mut ())?;
    }
    model.segment(trace)
}

/// Thinks segment number `segment` of a run and gives its digest.
///
/// # Errors
/// [`Cancelled`] from models that give up by themselves; an integer one does not.
pub fn segment<R: Reasoner>(model: &mut R, segment: u16) -> Result<Segment, Cancelled> {
    let mut trace = CrcTrace::default();
    model.segment(&mut trace)?;
    Ok(outcome(model, segment, trace.crcs()))
}

/// The digest of a segment that `model` has just thought, its operations' CRCs being `ops`.
pub fn outcome<R: Reasoner>(model: &R, segment: u16, ops: [u32; OPS]) -> Segment {
    Segment { segment, ops, state: model.state_digest(), grid: CRC.checksum(model.grid()) }
}

/// One number for a whole run: the CRC-32 over its segments' digests, each as little-endian words: the
/// operations' CRCs, the state's, the grid's.
#[derive(Clone)]
pub struct RunDigest(Digest<'static, u32>);

impl Default for RunDigest {
    fn default() -> Self {
        Self(CRC.digest())
    }
}

impl RunDigest {
    /// Adds the next segment.
    pub fn add(&mut self, segment: &Segment) {
        for word in segment.ops.iter().chain([&segment.state, &segment.grid]) {
            self.0.update(&word.to_le_bytes());
        }
    }

    /// The number.
    pub fn finish(&self) -> u32 {
        self.0.clone().finalize()
    }
}

/// One number for the solving of a puzzle, however many guesses it took: the CRC-32 over the state's
/// digest after each segment, as little-endian words. Where it is equal on two machines, so were all
/// states, and hence all grids.
///
/// It is cheaper than a [`RunDigest`], which digests what every operation gives, too.
#[derive(Clone)]
pub struct ThoughtDigest {
    digest: Digest<'static, u32>,
    segments: u32,
}

impl Default for ThoughtDigest {
    fn default() -> Self {
        Self { digest: CRC.digest(), segments: 0 }
    }
}

impl ThoughtDigest {
    /// To be called after every [`Solver::advance`]; adds the segment that it took, if it took one,
    /// and tells whether it did.
    pub fn after<T: Task, R: Reasoner>(&mut self, solver: &Solver<T>, model: &R) -> bool {
        let segments = solver.progress().map_or(0, |progress| progress.segments);
        let thought = segments > self.segments;
        if thought {
            self.segments = segments;
            self.digest.update(&model.state_digest().to_le_bytes());
        }
        thought
    }

    /// The number.
    pub fn finish(&self) -> u32 {
        self.digest.clone().finalize()
    }
}

/// The [`RunDigest`] of `segments` segments of `member` on `tokens`.
///
/// # Errors
/// As [`segment`].
pub fn run_digest<R: Reasoner>(
    model: &mut R,
    member: usize,
    tokens: &[u8],
    segments: u16,
) -> Result<u32, Cancelled> {
    let mut digest = RunDigest::default();
    model.begin(member, tokens);
    for index in 0..segments {
        digest.add(&segment(model, index)?);
    }
    Ok(digest.finish())
}
