//! Packs without training: random weights, with constants that keep every operation busy and unsaturated, for
//! every kind of model that a pack can describe.

use bytemuck::cast_slice;
use hrm_core::pack::AlignedBytes;
use hrm_core::{
    Hrm, Pack,
    digest::run_digest,
    lane::LaneWidth,
    pack::{
        Header, LayerParams, Layout, MatrixSpan, MemberParams, Provenance, RelationMap, SelfTest, Shape,
        Span, assembled,
    },
    task::{All, Task, Tasks, Visitor},
    workspace_words,
};
use hrm_samples::{exp2, sigmoid};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What a synthetic model looks like.
#[derive(Clone, Copy, Debug)]
pub struct ModelKind {
    /// Task, for example `sudoku4`.
    pub task: &'static str,
    /// Width of the states.
    pub width: u16,
    /// Attention heads.
    pub heads: u16,
    /// Inner width of SwiGLU.
    pub inner: u16,
    /// Blocks of each level.
    pub layers: u8,
    /// Whether H and L are the same blocks.
    pub shared_levels: bool,
    /// Whether queries and keys are rotated by position.
    pub rope: bool,
    /// Whether each position has its own embedding.
    pub learned_positions: bool,
    /// Whether attention is biased by relation.
    pub relation: bool,
    /// Checkpoints.
    pub members: u8,
    /// Width of stored activations.
    pub lanes: LaneWidth,
}

/// The smallest model, for the smallest board.
pub const SMALL: ModelKind = ModelKind {
    task: "sudoku4",
    width: 32,
    heads: 2,
    inner: 64,
    layers: 2,
    shared_levels: true,
    rope: false,
    learned_positions: false,
    relation: true,
    members: 1,
    lanes: LaneWidth::I16,
};

/// Small models of every kind that there is, for whatever must compute the same bits as this machine.
pub const SMALL_KINDS: [(&str, ModelKind); 5] = {
    let rope = ModelKind { rope: true, relation: false, shared_levels: false, members: 3, ..SMALL };
    let narrow = ModelKind { task: "sudoku6", lanes: LaneWidth::I8, learned_positions: true, ..SMALL };
    let both = ModelKind { task: "sudoku6", rope: true, lanes: LaneWidth::I8, heads: 4, members: 2, ..SMALL };
    let odd = ModelKind { width: 48, heads: 3, learned_positions: true, ..SMALL };
    [
        ("4x4, relation bias", SMALL),
        ("4x4, RoPE, separate levels, three members", rope),
        ("6x6, 8-bit lanes, learned positions", narrow),
        ("6x6, 8-bit lanes, RoPE and relations, two members", both),
        ("4x4, width 48", odd),
    ]
};

/// A pack of `kind` with random weights.
pub fn pack(kind: ModelKind, seed: u64) -> Vec<u8> {
    pack_of::<All>(kind, seed)
}

/// A pack of `kind`, whose task is one of the list `L`.
pub fn pack_of<L: Tasks>(kind: ModelKind, seed: u64) -> Vec<u8> {
    struct Made(ModelKind, u64);
    impl Visitor for Made {
        type Output = Vec<u8>;

        fn visit<T: Task>(self, task: T) -> Vec<u8> {
            made(&task, self.0, self.1)
        }
    }
    let Ok(pack) = L::visit(kind.task, Made(kind, seed)) else { panic!("no task {}", kind.task) };
    pack
}

fn made<T: Task>(task: &T, kind: ModelKind, seed: u64) -> Vec<u8> {
    let relations = if kind.relation { task.relations() as u8 + 3 } else { 0 };
    let shape = Shape {
        cells: task.cells() as u16,
        vocab: task.vocab() as u16,
        width: kind.width,
        heads: kind.heads,
        inner: kind.inner,
        h_layers: kind.layers,
        l_layers: kind.layers,
        h_cycles: 2,
        l_cycles: 2,
        segments: 4,
        members: kind.members,
        shared_levels: kind.shared_levels,
        rope: kind.rope,
        learned_positions: kind.learned_positions,
        relations,
        second_head: hrm_core::pack::SecondHead::Continue,
        lanes: kind.lanes,
    };
    let (how, map) = if kind.relation { RelationMap::of(task) } else { (RelationMap::Pairs, Vec::new()) };
    let layout = Layout::of(&shape, how);
    let mut writer =
        Writer { shape, layout, rng: Pcg64Mcg::seed_from_u64(seed), sections: vec![0; layout.bytes] };
    writer.tables(&map);
    for member in 0..usize::from(kind.members) {
        writer.member(layout.members_at + member * layout.member.bytes);
    }
    finish(kind.task, shape, None, (how, &writer.sections))
}

/// `pack` with a self-test on `puzzles`, each digest as this machine computes it.
pub fn with_self_test(pack: &[u8], puzzles: &[Vec<u8>], segments: u16) -> Vec<u8> {
    let aligned = AlignedBytes::copy_of(pack);
    let open = Pack::open(aligned.bytes()).expect("a pack");
    let (task, shape) = (open.header().expect("a header").task, *open.shape());
    let mut memory = vec![0; workspace_words(&shape)];
    let mut model = Hrm::new(open, &mut memory).expect("memory enough");
    let digest = |(row, tokens): (usize, &Vec<u8>)| {
        run_digest(&mut model, row % usize::from(shape.members), tokens, segments).expect("nobody cancels")
    };
    let digests = puzzles.iter().enumerate().map(digest).collect();
    let test = SelfTest { segments, puzzles: &puzzles.concat(), digests };
    finish(task, shape, Some(&test), (open.layout().relations, open.sections()))
}

/// Prelude, header and sections as one file.
fn finish(
    task: &str,
    shape: Shape,
    self_test: Option<&SelfTest<'_>>,
    (map, sections): (RelationMap, &[u8]),
) -> Vec<u8> {
    let provenance =
        Provenance { config: "{}", program: "hrm-tests", data: "none", seed: 0, steps: 0, samples: 0 };
    let mut header =
        postcard::to_stdvec(&Header { task, shape, provenance, accuracy: None }).expect("a header");
    if let Some(test) = self_test {
        header.extend(postcard::to_stdvec(test).expect("a self-test"));
    }
    assembled(&header, map, sections)
}

struct Writer {
    shape: Shape,
    layout: Layout,
    rng: Pcg64Mcg,
    sections: Vec<u8>,
}

impl Writer {
    fn put<T: bytemuck::NoUninit>(&mut self, span: Span, values: &[T]) {
        self.sections[span.at..span.at + span.bytes].copy_from_slice(cast_slice(values));
    }

    /// A draw from `-limit..=limit`.
    fn draw(&mut self, limit: i32) -> i32 {
        (self.rng.next_u32() % (2 * limit as u32 + 1)) as i32 - limit
    }

    fn tables(&mut self, relations: &[u8]) {
        let (sequence, dim) = (self.shape.sequence(), self.shape.head_dim());
        let angle =
            |position: usize, pair: usize| position as f64 * 10_000_f64.powf(-2.0 * pair as f64 / dim as f64);
        let rope: Vec<i16> = (0..sequence)
            .flat_map(|position| (0..dim / 2).map(move |pair| angle(position, pair)))
            .flat_map(|angle| [angle.cos(), angle.sin()].map(|x| (x * 16384.0).round() as i16))
            .collect();
        let layout = self.layout;
        self.put(layout.exp2, &exp2());
        self.put(layout.sigmoid, &sigmoid());
        if self.shape.rope {
            self.put(layout.rope, &rope);
        }
        self.put(layout.relation_map, relations);
    }

    fn member(&mut self, at: usize) {
        let layout = self.layout.member;
        // A normalised value lies within ±sqrt(width), three times its size within ±8:
        // see docs/QUANTIZATION.md.
        let coarser = if self.shape.lanes == LaneWidth::I8 { 256 } else { 1 };
        let state = (f64::from(self.shape.width).sqrt() * 65536.0 / 32767.0).ceil();
        let state_step = state as i32 * coarser;
        let input_step = 24 * coarser;
        let input_factor = (4_294_967_296.0 / f64::from(input_step)).round() as i32;
        let params = MemberParams {
            state_step,
            l_input_step: input_step,
            h_input_step: input_step,
            embed_step: 4,
            l_input_factor: input_factor,
            h_input_factor: input_factor,
            norm_numerator: (4096.0 * f64::from(self.shape.width).sqrt() * 65536.0 / f64::from(state_step))
                as i32,
            halt_bias: -12_000,
            second_bias: 900,
            reserved: [0; 3],
        };
        self.put(layout.params.shifted(at), &[params]);
        for (span, limit) in
            [(layout.tokens, 16_000), (layout.positions, 8_000), (layout.initial, 4_000 / coarser)]
        {
            let values: Vec<i16> = (0..span.bytes / 2).map(|_| self.draw(limit) as i16).collect();
            self.put(span.shifted(at), &values);
        }
        let unit = 65536.0 / state; // what a value of 1.0 is stored as, in 16-bit lanes
        self.matrix(layout.logits.shifted(at), unit, |_| 8_000.0);
        self.matrix(layout.halt.shifted(at), unit, |_| 8_000.0);
        for index in 0..self.shape.stored_layers() {
            self.layer(at + layout.layers_at + index * layout.layer.bytes, unit);
        }
    }

    fn layer(&mut self, at: usize, unit: f64) {
        let layout = self.layout.member.layer;
        let finer = if self.shape.lanes == LaneWidth::I8 { 1.0 / 256.0 } else { 1.0 };
        let guard = if self.shape.rope { 64.0 } else { 1.0 };
        self.matrix(layout.query.shifted(at), unit, |_| 8_000.0 * guard * finer);
        self.matrix(layout.key.shifted(at), unit, |_| 40.0 * guard);
        self.matrix(layout.value.shifted(at), unit, |_| 40.0);
        self.matrix(layout.out.shifted(at), 40.0 * 256.0 / 3.0, |_| 65536.0);
        self.matrix(
            layout.gate_up.shifted(at),
            unit,
            |column| if column % 2 == 0 { 1_500.0 } else { 8_000.0 },
        );
        self.matrix(layout.down.shifted(at), 8_000.0, |_| 65536.0);
        let score_bits = if self.shape.lanes == LaneWidth::I8 { 10 } else { 18 };
        let bias: Vec<i32> =
            (0..layout.relation_bias.bytes / 4).map(|_| self.draw(2 << score_bits)).collect();
        self.put(layout.relation_bias.shifted(at), &bias);
        let gate_factor = (finer * 4_294_967_296.0 / 512.0) as i32;
        self.put(layout.params.shifted(at), &[LayerParams { score_bits, gate_factor, reserved: [0; 2] }]);
    }

    /// Random weights, and factors that turn inputs of size `input` into outputs of size `output(column)`.
    fn matrix(&mut self, span: MatrixSpan, input: f64, output: impl Fn(usize) -> f64) {
        let columns = span.factors.bytes / 4;
        let limit = 60;
        let weights: Vec<i8> = (0..span.weights.bytes).map(|_| self.draw(limit) as i8).collect();
        self.put(span.weights, &weights);
        let sum = input * f64::from(limit) / 3_f64.sqrt() * (span.depth as f64).sqrt();
        let factor = |column| (output(column) / sum * 4_294_967_296.0).round() as i32;
        let factors: Vec<i32> = (0..columns).map(factor).collect();
        self.put(span.factors, &factors);
    }
}
