//! The shape of a model: everything that decides which parameters exist and how they are used.

use serde::{Deserialize, Serialize};

use super::error::ModelError;

/// Relation classes that the prefix position adds to the task's: prefix sees cell, cell sees prefix, prefix sees itself.
pub const PREFIX_RELATIONS: usize = 3;

/// The grid a model reasons about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskName {
    /// 4x4 Sudoku with 2x2 boxes.
    Sudoku4,
    /// 6x6 Sudoku with boxes of 2 rows and 3 columns.
    Sudoku6,
    /// 9x9 Sudoku with 3x3 boxes.
    Sudoku9,
}

impl TaskName {
    /// The name in configurations and packs, for example `sudoku9`.
    pub const fn as_str(self) -> &'static str {
        match self {
            TaskName::Sudoku4 => "sudoku4",
            TaskName::Sudoku6 => "sudoku6",
            TaskName::Sudoku9 => "sudoku9",
        }
    }

    /// Rows (and columns, and symbols) of the grid.
    pub const fn side(self) -> usize {
        match self {
            TaskName::Sudoku4 => 4,
            TaskName::Sudoku6 => 6,
            TaskName::Sudoku9 => 9,
        }
    }

    /// Number of cells, `side * side`.
    pub const fn cells(self) -> usize {
        self.side() * self.side()
    }

    /// Number of tokens: padding, blank and one per symbol.
    pub const fn vocab(self) -> usize {
        self.side() + 2
    }

    /// Number of relation classes between two cells.
    pub const fn relations(self) -> usize {
        8
    }

    /// Relation of query cell `i` to key cell `j`: bit 0 same row, bit 1 same column, bit 2 same box.
    fn relation(self, i: usize, j: usize) -> u8 {
        let (box_rows, box_columns) = match self {
            TaskName::Sudoku4 => (2, 2),
            TaskName::Sudoku6 => (2, 3),
            TaskName::Sudoku9 => (3, 3),
        };
        let (row, column) = (|cell: usize| cell / self.side(), |cell: usize| cell % self.side());
        let block = |cell: usize| (row(cell) / box_rows, column(cell) / box_columns);
        u8::from(row(i) == row(j))
            | u8::from(column(i) == column(j)) << 1
            | u8::from(block(i) == block(j)) << 2
    }
}

impl std::fmt::Display for TaskName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

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

/// Shape and recurrence of a model, the `[model]` table of a run configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The grid task.
    pub task: TaskName,
    /// Width of the residual stream; a multiple of 16 and of `heads`.
    pub width: usize,
    /// Attention heads; `width / heads` is even.
    pub heads: usize,
    /// Width inside the SwiGLU; a multiple of 16.
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
    /// Segments the model is trained to take at most.
    pub segments: usize,
}

impl ModelConfig {
    /// Refuses a configuration that names no model, or one that quantization could not take over.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the first bad key, its value and what would be right.
    pub fn validate(&self) -> Result<(), ModelError> {
        let bad = |key, value: &dyn ToString, why: &str| {
            Err(ModelError::Config { key, value: value.to_string(), why: why.to_owned() })
        };
        let sizes = [("width", self.width), ("inner", self.inner)];
        for (key, value) in sizes {
            if value == 0 || !value.is_multiple_of(16) || value > 1 << 14 {
                return bad(
                    key,
                    &value,
                    "must be a multiple of 16 from 16 to 16384 (the int8 kernels need it)",
                );
            }
        }
        if self.heads == 0
            || !self.width.is_multiple_of(self.heads)
            || !(self.width / self.heads).is_multiple_of(2)
        {
            let why = format!(
                "must divide width = {} into heads of an even size; {} would do",
                self.width,
                (1..=self.width / 2)
                    .filter(|h| self.width.is_multiple_of(2 * h))
                    .map(|h| h.to_string())
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            return bad("heads", &self.heads, &why);
        }
        let counts = [
            ("h_layers", self.h_layers, 64),
            ("l_layers", self.l_layers, 64),
            ("h_cycles", self.h_cycles, 64),
            ("l_cycles", self.l_cycles, 64),
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
        Ok(())
    }

    /// Number of cells of the grid.
    pub fn cells(&self) -> usize {
        self.task.cells()
    }

    /// Number of tokens, padding and blank included.
    pub fn vocab(&self) -> usize {
        self.task.vocab()
    }

    /// Rows of the grid.
    pub fn side(&self) -> usize {
        self.task.side()
    }

    /// Positions the model attends over: the prefix, then the cells.
    pub fn sequence(&self) -> usize {
        1 + self.cells()
    }

    /// Width of one attention head.
    pub fn head_dim(&self) -> usize {
        self.width / self.heads
    }

    /// Outputs of the halting head: halt, and continue where there is one.
    pub fn q_outputs(&self) -> usize {
        1 + usize::from(self.continue_head)
    }

    /// Relation classes of the model: the task's, then the three of the prefix position.
    pub fn relation_classes(&self) -> usize {
        self.task.relations() + PREFIX_RELATIONS
    }

    /// Relation class of query position `i` to key position `j` at `[i * sequence + j]`.
    ///
    /// With `r` the task's relations: `r` the prefix sees a cell, `r + 1` a cell sees the prefix, `r + 2` the prefix
    /// sees itself.
    pub fn relation_map(&self) -> Vec<u8> {
        let (sequence, prefix) = (self.sequence(), self.task.relations() as u8);
        let class = |i: usize, j: usize| match (i, j) {
            (0, 0) => prefix + 2,
            (0, _) => prefix,
            (_, 0) => prefix + 1,
            (i, j) => self.task.relation(i - 1, j - 1),
        };
        (0..sequence * sequence).map(|at| class(at / sequence, at % sequence)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ModelConfig {
        ModelConfig {
            task: TaskName::Sudoku9,
            width: 96,
            heads: 3,
            inner: 256,
            h_layers: 2,
            l_layers: 2,
            h_cycles: 2,
            l_cycles: 2,
            shared_levels: true,
            positions: Positions::LearnedRelation,
            continue_head: false,
            segments: 16,
        }
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
        let cases: [(&str, Spoil); 9] = [
            ("model.width = 90", |c| c.width = 90),
            ("model.inner = 0", |c| c.inner = 0),
            ("model.heads = 5", |c| c.heads = 5),
            ("model.heads = 96", |c| c.heads = 96),
            ("model.heads = 0", |c| c.heads = 0),
            ("model.l_layers = 3", |c| c.l_layers = 3),
            ("model.h_cycles = 0", |c| c.h_cycles = 0),
            ("model.l_cycles = 65", |c| c.l_cycles = 65),
            ("model.segments = 0", |c| c.segments = 0),
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
        for task in [TaskName::Sudoku4, TaskName::Sudoku6, TaskName::Sudoku9] {
            let config = ModelConfig { task, ..config() };
            let (map, sequence) = (config.relation_map(), config.sequence());
            for row in map.chunks_exact(sequence).skip(1) {
                let count = |class: u8| row.iter().filter(|&&c| c == class).count();
                assert_eq!(count(7), 1, "a cell is itself once");
                assert_eq!(count(9), 1, "and sees the prefix once");
                assert_eq!(count(1) + count(5), config.side() - 1, "row");
                assert_eq!(count(2) + count(6), config.side() - 1, "column");
                assert_eq!(count(4) + count(5) + count(6), config.side() - 1, "box");
                assert_eq!(count(3), 0, "same row and column is the cell itself, which shares its box");
            }
            assert_eq!(map[0], 10);
            assert!(map[1..sequence].iter().all(|&class| class == 8));
            let strangers = map[sequence..2 * sequence].iter().filter(|&&c| c == 0).count();
            assert_eq!(strangers, config.cells() - 1 - (3 * (config.side() - 1) - overlap(task)));
        }
    }

    /// Cells that share both the box and the row or column with a given cell.
    fn overlap(task: TaskName) -> usize {
        match task {
            TaskName::Sudoku4 => 2,
            TaskName::Sudoku6 => 3,
            TaskName::Sudoku9 => 4,
        }
    }
}
