//! A pack for another size of its task. Every integer stays; only the map of relations and the
//! number of cells are others.

use hrm_core::pack::{Header, Layout, PackError, Shape};
use hrm_core::task::Task;

use super::pack::{AlignedPack, Writer, relation_map};
use crate::model::{OtherSize, serves};
use crate::task::{Game, UnknownTask, find};

/// Why there is no pack for another size.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// The pack's own task is not one of this program's.
    #[error(transparent)]
    Unknown(#[from] UnknownTask),
    /// The model does not serve the other task.
    #[error(transparent)]
    Size(#[from] OtherSize),
    /// The pack does not pass its check, or the new one would not.
    #[error(transparent)]
    Pack(#[from] PackError),
}

/// `pack` for `task`, another size of its own. How it came to be stays in it; the accuracy and the self-test,
/// which were its own size's, do not.
///
/// # Errors
/// Where its weights depend on the size.
pub fn resized(pack: &AlignedPack, task: Game) -> Result<AlignedPack, ResizeError> {
    let opened = pack.open()?;
    let (header, shape, own) = (opened.header()?, opened.shape(), opened.layout());
    let from = find(header.task)?;
    if from == task {
        return Ok(pack.clone());
    }
    serves(from, task, (shape.learned_positions, shape.rope))?;
    let cells = u16::try_from(task.cells()).map_err(|_| PackError::Shape { field: "cells" })?;
    let shape = Shape { cells, ..*shape };
    shape.check()?;
    let (relations, map) = relation_map(&task, shape.relations > 0);
    let layout = Layout::of(&shape, relations);
    let sections = opened.sections();
    let mut writer = Writer::with_sections(&shape, layout, vec![0; layout.bytes]);
    for (to, at) in [(layout.exp2, own.exp2), (layout.sigmoid, own.sigmoid)] {
        writer.put(to, &sections[at.at..at.at + at.bytes]);
    }
    writer.put(layout.relation_map, &map);
    writer.put_members(&sections[own.members_at..]);
    let header = Header { task: task.name(), shape, accuracy: None, ..header };
    Ok(writer.finish(&header, None)?)
}
