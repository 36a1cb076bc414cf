//! The shape of a model: everything that decides which parameters exist and how they are used.

use hrm_core::lane::LaneWidth;
use hrm_core::pack::{PREFIX_RELATIONS, SecondHead, Shape, relation_class};
use hrm_core::task::Task;
use serde::{Deserialize, Serialize};

use super::error::ModelError;
use crate::task::{Game, usual};

/// How the model knows where a token sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Positions {
    /// Rotary embedding of queries and keys, one-dimensional: the paper's.
    #[serde(rename = "rope")]
    Rope,
    /// A learned vector per position, added to the token embedding.
    #[serde(rename = "learned")]
    Learned,
    /// A learned scalar per head and relation class, added to the attention scores.
    #[serde(rename = "relation")]
    Relation,
    /// Both [`Positions::Learned`] and [`Positions::Relation`].
    #[serde(rename = "learned+relation")]
    LearnedRelation,
}

impl Positions {
    /// Whether queries and keys are rotated by their position.
    pub const fn rope(self) -> bool {
        matches!(self, Positions::Rope)
    }

    /// Whether `embed.positions` exists.
    pub const fn learned(self) -> bool {
        matches!(self, Positions::Learned | Positions::LearnedRelation)
    }

    /// Whether every block has a `relation_bias`.
    pub const fn relation(self) -> bool {
        matches!(self, Positions::Relation | Positions::LearnedRelation)
    }
}

/// Units of a layer, more than any machine has memory for their products.
const MOST_UNITS: usize = 1 << 16;

const fn with_prefix() -> bool {
    true
}

/// The refusal of one key's value.
fn bad<T>(key: &'static str, value: &dyn ToString, why: &str) -> Result<T, ModelError> {
    Err(ModelError::Config { key, value: value.to_string(), why: why.to_owned() })
}

/// Shape and recurrence of a model, the `[model]` table of a run configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The grid task.
    pub task: Game,
    /// Width of the residual stream; a multiple of 16 and of `heads`, at most 1024.
    pub width: usize,
    /// Attention heads; `width / heads` is a multiple of 4, at most 128.
    pub heads: usize,
    /// Width inside the SwiGLU; a multiple of 16, at most 4096.
    pub inner: usize,
    /// Blocks of the H level.
    pub h_layers: usize,
    /// Blocks of the L level.
    pub l_layers: usize,
    /// H calls per segment.
    pub h_cycles: usize,
    /// L calls per H call.
    pub l_cycles: usize,
    /// Whether both levels use the same weights (then `h_layers = l_layers`).
    pub shared_levels: bool,
    /// Position scheme.
    pub positions: Positions,
    /// Whether the halting head has a second output, "continue".
    pub continue_head: bool,
    /// Whether its second output is "doubt" instead: that a cell which was filled in is wrong.
    #[serde(default)]
    pub doubt_head: bool,
    /// Whether a position of its own, the original's puzzle embedding, stands before the cells and is read by
    /// the halting head; without it that head reads the first cell. Packs have it.
    #[serde(default = "with_prefix")]
    pub prefix: bool,
    /// Segments the model is trained to take at most.
    pub segments: usize,
}

impl ModelConfig {
    /// The shape of the 9x9 models for microcontrollers: an example of every key.
    pub(crate) fn example() -> Self {
        Self {
            task: usual(),
            width: 96,
            heads: 3,
            inner: 256,
            h_layers: 2,
            l_layers: 2,
            h_cycles: 2,
            l_cycles: 2,
            shared_levels: true,
            positions: Positions::Relation,
            continue_head: false,
            doubt_head: false,
            prefix: true,
            segments: 16,
        }
    }

    /// Refuses a configuration that names no model, or one that quantization could not take over.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the first bad key, its value and what would be right.
    pub fn validate(&self) -> Result<(), ModelError> {
        self.shape(1, LaneWidth::I16).map(drop)
    }

    /// Refuses a configuration that names no model. Some that pass compute in floating point only,
    /// see [`ModelConfig::shape`].
    ///
    /// # Errors
    /// As [`ModelConfig::validate`].
    pub fn names_a_model(&self) -> Result<(), ModelError> {
        for (key, value) in [("width", self.width), ("inner", self.inner)] {
            if !(1..=MOST_UNITS).contains(&value) {
                return bad(key, &value, &format!("must be from 1 to {MOST_UNITS}"));
            }
        }
        if self.heads == 0 || !self.width.is_multiple_of(self.heads) {
            let why = format!("must divide width = {}; {} would do", self.width, self.possible_heads());
            return bad("heads", &self.heads, &why);
        }
        if self.positions.rope() && !self.head_dim().is_multiple_of(2) {
            let why = format!("makes heads of {}, and RoPE turns pairs: heads must be even", self.head_dim());
            return bad("heads", &self.heads, &why);
        }
        let counts = [
            ("h_layers", self.h_layers, Shape::MAX_LAYERS.into()),
            ("l_layers", self.l_layers, Shape::MAX_LAYERS.into()),
            ("h_cycles", self.h_cycles, Shape::MAX_CYCLES.into()),
            ("l_cycles", self.l_cycles, Shape::MAX_CYCLES.into()),
            ("segments", self.segments, 1024),
        ];
        for (key, value, most) in counts {
            if value == 0 || value > most {
                return bad(key, &value, &format!("must be from 1 to {most}"));
            }
        }
        if self.shared_levels && self.h_layers != self.l_layers {
            let why = format!("with shared_levels = true it must equal h_layers = {}", self.h_layers);
            return bad("l_layers", &self.l_layers, &why);
        }
        if self.continue_head && self.doubt_head {
            let why = "the halting head has one second output: with continue_head = true it is taken";
            return bad("doubt_head", &self.doubt_head, why);
        }
        Ok(())
    }

    /// Whether the fast kernels in floating point take the sizes: whole lanes.
    pub(super) fn suits_kernels(&self) -> bool {
        self.width.is_multiple_of(16) && self.inner.is_multiple_of(16) && Self::fits_kernels(self.head_dim())
    }

    /// Whether kernels take heads of so many values.
    fn fits_kernels(head_dim: usize) -> bool {
        head_dim.is_multiple_of(4) && head_dim <= Shape::MAX_HEAD_DIM
    }

    /// Whether packs of this width can have so many heads.
    fn can_have(&self, heads: usize) -> bool {
        heads > 0 && self.width.is_multiple_of(heads) && Self::fits_kernels(self.width / heads)
    }

    /// The numbers of heads that packs of this width can have.
    fn possible_heads(&self) -> String {
        (1..=self.width)
            .filter(|heads| self.can_have(*heads))
            .map(|heads| heads.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Refuses what the integer kernels do not take.
    fn suits_packs(&self) -> Result<(), ModelError> {
        let sizes = [("width", self.width, Shape::MAX_WIDTH), ("inner", self.inner, Shape::MAX_INNER)];
        for (key, value, most) in sizes {
            if value == 0 || !value.is_multiple_of(16) || value > most.into() {
                let why = format!("must be a multiple of 16 from 16 to {most} (the int8 kernels need it)");
                return bad(key, &value, &why);
            }
        }
        if !self.can_have(self.heads) {
            let why = format!(
                "must divide width = {} into heads whose size is a multiple of 4 and at most {}; {} would do",
                self.width,
                Shape::MAX_HEAD_DIM,
                self.possible_heads()
            );
            return bad("heads", &self.heads, &why);
        }
        if !self.prefix {
            let why = "packs have a prefix position; such a model computes in floating point only \
                       (hrm-host eval, analyze)";
            return bad("prefix", &self.prefix, why);
        }
        self.names_a_model()
    }

    /// The shape of the pack that `members` models of this kind become.
    ///
    /// # Errors
    /// [`ModelError::Config`] where no pack can hold them.
    pub fn shape(&self, members: usize, lanes: LaneWidth) -> Result<Shape, ModelError> {
        self.suits_packs()?;
        fn fit<T: TryFrom<usize>>(key: &'static str, value: usize) -> Result<T, ModelError> {
            let why = || "must be smaller, so that a pack has room for it".to_owned();
            T::try_from(value).map_err(|_| ModelError::Config { key, value: value.to_string(), why: why() })
        }
        let relations = if self.positions.relation() { self.relation_classes() } else { 0 };
        let shape = Shape {
            cells: fit("task", self.cells())?,
            vocab: fit("task", self.vocab())?,
            width: fit("width", self.width)?,
            heads: fit("heads", self.heads)?,
            inner: fit("inner", self.inner)?,
            h_layers: fit("h_layers", self.h_layers)?,
            l_layers: fit("l_layers", self.l_layers)?,
            h_cycles: fit("h_cycles", self.h_cycles)?,
            l_cycles: fit("l_cycles", self.l_cycles)?,
            segments: fit("segments", self.segments)?,
            members: fit("members", members)?,
            shared_levels: self.shared_levels,
            rope: self.positions.rope(),
            learned_positions: self.positions.learned(),
            relations: fit("positions", relations)?,
            second_head: self.second_head(),
            lanes,
        };
        shape.check().map_err(|error| ModelError::Config {
            key: "width",
            value: self.width.to_string(),
            why: format!(
                "is too much with inner = {}, {} + {} layers and {members} members: {error}",
                self.inner, self.h_layers, self.l_layers
            ),
        })?;
        Ok(shape)
    }

    /// Number of cells of the grid.
    pub fn cells(&self) -> usize {
        self.task.cells()
    }

    /// Number of tokens, padding and blank included.
    pub fn vocab(&self) -> usize {
        self.task.vocab()
    }

    /// Positions the model attends over: the prefix where there is one, then the cells.
    pub fn sequence(&self) -> usize {
        self.prefixes() + self.cells()
    }

    /// Positions before the first cell: 1 or 0.
    pub fn prefixes(&self) -> usize {
        usize::from(self.prefix)
    }

    /// Width of one attention head.
    pub fn head_dim(&self) -> usize {
        self.width / self.heads
    }

    /// What the halting head's second output says.
    pub fn second_head(&self) -> SecondHead {
        match (self.continue_head, self.doubt_head) {
            (false, false) => SecondHead::None,
            (true, _) => SecondHead::Continue,
            (false, true) => SecondHead::Doubt,
        }
    }

    /// Outputs of the halting head: halt, and a second one where there is one.
    pub fn q_outputs(&self) -> usize {
        1 + usize::from(self.second_head() != SecondHead::None)
    }

    /// Relation classes of the model: the task's, then the three of the prefix position.
    pub fn relation_classes(&self) -> usize {
        self.task.relations() + PREFIX_RELATIONS
    }

    /// Relation class of query position `i` to key position `j` at `[i * sequence + j]`.
    pub fn relation_map(&self) -> Vec<u8> {
        let sequence = self.sequence();
        let cell = |position: usize| position.checked_sub(self.prefixes());
        (0..sequence * sequence)
            .map(|at| relation_class(&self.task, cell(at / sequence), cell(at % sequence)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::{Sudoku, SudokuKind};

    use super::*;

    fn config() -> ModelConfig {
        ModelConfig { positions: Positions::LearnedRelation, ..ModelConfig::example() }
    }

    #[test]
    fn names_are_those_of_the_configuration_files() {
        let text = toml::to_string(&config()).unwrap();
        assert!(
            text.contains("task = \"sudoku9\"") && text.contains("positions = \"learned+relation\""),
            "{text}"
        );
        assert_eq!(toml::from_str::<ModelConfig>(&text).unwrap(), config());
        let unknown = toml::from_str::<ModelConfig>(&format!("{text}\ndepth = 3")).unwrap_err().to_string();
        assert!(unknown.contains("depth"), "{unknown}");
    }

    #[test]
    fn every_bad_value_is_named() {
        config().validate().unwrap();
        type Spoil = fn(&mut ModelConfig);
        let cases: [(&str, Spoil); 17] = [
            ("model.width = 1024: is too much with inner = 4096, 32 + 32 layers", |c| {
                (c.width, c.heads, c.inner, c.h_layers, c.l_layers) = (1024, 8, 4096, 32, 32);
                c.shared_levels = false;
            }),
            ("model.width = 90", |c| c.width = 90),
            ("model.width = 1040", |c| c.width = 1040),
            ("model.inner = 0", |c| c.inner = 0),
            ("model.inner = 4112", |c| c.inner = 4112),
            ("model.heads = 5", |c| c.heads = 5),
            ("model.heads = 96", |c| c.heads = 96),
            ("model.heads = 16", |c| c.heads = 16), // heads of 6
            ("model.heads = 1: must divide width = 256", |c| (c.width, c.heads) = (256, 1)),
            ("model.h_layers = 33", |c| (c.h_layers, c.l_layers) = (33, 33)),
            ("model.heads = 0", |c| c.heads = 0),
            ("model.l_layers = 3", |c| c.l_layers = 3),
            ("model.h_cycles = 0", |c| c.h_cycles = 0),
            ("model.l_cycles = 65", |c| c.l_cycles = 65),
            ("model.segments = 0", |c| c.segments = 0),
            ("model.prefix = false: packs have a prefix position", |c| c.prefix = false),
            ("model.doubt_head = true", |c| (c.continue_head, c.doubt_head) = (true, true)),
        ];
        for (expected, spoil) in cases {
            let mut bad = config();
            spoil(&mut bad);
            let message = bad.validate().unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn relations_count_what_a_sudoku_cell_sees() {
        for kind in SudokuKind::ALL {
            let (config, side) = (ModelConfig { task: Sudoku::new(kind).into(), ..config() }, kind.side());
            let (map, sequence) = (config.relation_map(), config.sequence());
            for row in map.chunks_exact(sequence).skip(1) {
                let count = |class: u8| row.iter().filter(|&&c| c == class).count();
                assert_eq!(count(7), 1, "a cell is itself once");
                assert_eq!(count(9), 1, "and sees the prefix once");
                assert_eq!(count(1) + count(5), side - 1, "row");
                assert_eq!(count(2) + count(6), side - 1, "column");
                assert_eq!(count(4) + count(5) + count(6), side - 1, "box");
                assert_eq!(count(3), 0, "same row and column is the cell itself, which shares its box");
            }
            assert_eq!(map[0], 10);
            assert!(map[1..sequence].iter().all(|&class| class == 8));
            let strangers = map[sequence..2 * sequence].iter().filter(|&&c| c == 0).count();
            assert_eq!(strangers, config.cells() - 1 - (3 * (side - 1) - overlap(kind)));
        }
    }

    /// Cells that share both the box and the row or column with a given cell.
    fn overlap(kind: SudokuKind) -> usize {
        match kind {
            SudokuKind::Four => 2,
            SudokuKind::Six => 3,
            SudokuKind::Nine => 4,
        }
    }
}
