//! Which relation a query has to a key, as a pack tells it.
//!
//! Position 0 is the puzzle's, the prefix; the others are the cells. The last three classes are the prefix's:
//! it sees a cell, a cell sees it, it sees itself.

use core::num::NonZeroU16;

#[cfg(feature = "std")]
use std::vec::Vec;

use super::{PackError, Shape};
use crate::task::Task;

/// Relation classes of the prefix.
pub const PREFIX_RELATIONS: usize = 3;

/// The columns are no grid's of so many cells.
const NO_COLUMNS: PackError = PackError::Shape { field: "columns" };

/// How a pack's relation map is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum RelationMap {
    /// A class for each pair of positions, (sequence, sequence). All that version 1 of the format knows.
    Pairs,
    /// Two cells' class follows from how far apart they are, and the map has one for each displacement:
    /// the key's row less the query's, then their columns, (2 rows - 1, 2 columns - 1). For 30x30 cells
    /// that is 3.5 KB, not 812 KB.
    Displacements {
        /// Columns of the grid.
        columns: NonZeroU16,
    },
}

impl RelationMap {
    /// The map that a prelude of this format version states, with what stands behind the version.
    pub(super) const fn stated(version: u16, columns: u16) -> Result<Self, PackError> {
        match (version, NonZeroU16::new(columns)) {
            (1, _) => Ok(RelationMap::Pairs),
            (2, Some(columns)) => Ok(RelationMap::Displacements { columns }),
            (2, None) => Err(NO_COLUMNS),
            (found, _) => Err(PackError::Version { found }),
        }
    }

    /// The format version of a pack with such a map, and what stands behind it in the prelude.
    pub const fn version(self) -> (u16, u16) {
        match self {
            RelationMap::Pairs => (1, 0),
            RelationMap::Displacements { columns } => (2, columns.get()),
        }
    }

    /// Refuses what no model of this shape can have.
    pub(super) fn check(self, shape: &Shape) -> Result<(), PackError> {
        match self {
            RelationMap::Displacements { columns }
                if usize::from(shape.relations) < PREFIX_RELATIONS || shape.cells % columns != 0 =>
            {
                Err(NO_COLUMNS)
            }
            _ => Ok(()),
        }
    }

    /// Bytes of the map.
    pub(super) const fn bytes(self, shape: &Shape) -> usize {
        match self {
            _ if shape.relations == 0 => 0,
            RelationMap::Pairs => shape.sequence() * shape.sequence(),
            RelationMap::Displacements { columns } => {
                let rows = shape.cells / columns.get();
                (2 * rows as usize - 1) * (2 * columns.get() as usize - 1)
            }
        }
    }

    /// How a task's relations are told in the least room, and the map.
    #[cfg(feature = "std")]
    pub fn of<T: Task>(task: &T) -> (Self, Vec<u8>) {
        let columns = task.dims().1;
        let of_displacements = by_displacement(task);
        match (u16::try_from(columns).ok().and_then(NonZeroU16::new), of_displacements) {
            (Some(columns), Some(map)) => (RelationMap::Displacements { columns }, map),
            _ => (RelationMap::Pairs, by_pair(task)),
        }
    }
}

/// The class of a query and a key, each a cell or `None` for the prefix.
pub fn relation_class<T: Task>(task: &T, query: Option<usize>, key: Option<usize>) -> u8 {
    let prefix = task.relations() as u8;
    match (query, key) {
        (Some(query), Some(key)) => task.relation(query, key),
        (None, Some(_)) => prefix,
        (Some(_), None) => prefix + 1,
        (None, None) => prefix + 2,
    }
}

/// The class of every pair of positions.
#[cfg(feature = "std")]
fn by_pair<T: Task>(task: &T) -> Vec<u8> {
    let positions = || core::iter::once(None).chain((0..task.cells()).map(Some));
    positions().flat_map(|query| positions().map(move |key| relation_class(task, query, key))).collect()
}

/// The class of every displacement; `None` where two pairs of cells as far apart have different ones.
#[cfg(feature = "std")]
fn by_displacement<T: Task>(task: &T) -> Option<Vec<u8>> {
    let (rows, columns) = task.dims();
    let across = 2 * columns - 1;
    let mut map = std::vec![None; (2 * rows - 1) * across];
    for query in 0..rows * columns {
        for key in 0..rows * columns {
            let down = rows - 1 + key / columns - query / columns;
            let right = columns - 1 + key % columns - query % columns;
            let class = task.relation(query, key);
            if *map.get_mut(down * across + right)?.get_or_insert(class) != class {
                return None;
            }
        }
    }
    map.into_iter().collect()
}

#[cfg(test)]
#[cfg(feature = "std")]
mod tests {
    use super::*;
    use crate::kernels::{add_bias, add_displaced_bias};
    use crate::task::{maze::Maze, sudoku::Sudoku};

    #[test]
    fn boxes_are_no_displacements_and_a_maze_s_relations_are() {
        for name in ["sudoku4", "sudoku6", "sudoku9"] {
            let task = Sudoku::named(name).unwrap();
            let (how, map) = RelationMap::of(&task);
            assert_eq!((how, map.len()), (RelationMap::Pairs, (1 + task.cells()).pow(2)));
        }
        let (how, map) = RelationMap::of(&Maze::new(30, 20).unwrap());
        assert_eq!((how.version(), map.len()), ((2, 20), 59 * 39));
    }

    #[test]
    fn both_ways_add_the_same_biases() {
        for (rows, columns) in [(1, 2), (2, 1), (3, 5), (5, 3), (9, 9), (4, 20)] {
            let task = Maze::new(rows, columns).unwrap();
            let (RelationMap::Displacements { columns }, map) = RelationMap::of(&task) else { panic!() };
            let bias: Vec<i32> = (0..task.relations() as i32 + 3).map(|class| 1000 + class * class).collect();
            let sequence = 1 + task.cells();
            for (query, classes) in by_pair(&task).chunks(sequence).enumerate() {
                let mut expected: Vec<i32> = (0..sequence as i32).collect();
                let mut scores = expected.clone();
                add_bias(&mut expected, &bias, classes);
                add_displaced_bias(&mut scores, &bias, query, columns, &map);
                assert_eq!(scores, expected, "{rows}x{columns}, query {query}");
            }
        }
    }
}
