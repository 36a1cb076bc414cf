//! What a model takes on a chip, known before it is trained: every number follows from the shape,
//! as in the exported pack.

use hrm_core::lane::LaneWidth;
use hrm_core::pack::{Accuracy, Header, Layout, Provenance, SelfTest, Shape};
use hrm_core::{state_bytes, workspace_bytes};
use hrm_emulator::board::{HARDWARE, Hardware, NoRoom};
use serde::Serialize;

use super::QuantError;
use super::pack::{header_room, relation_map};
use crate::config::RunConfig;
use crate::model::parameter_count;

/// Segments of a self-test's puzzle: the second one starts from states that the first one made.
pub const SELF_TEST_SEGMENTS: u16 = 2;

/// A model's size in flash, in memory and in work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// The name of its task.
    pub task: String,
    /// Trained parameters.
    pub parameters: usize,
    /// Bytes of a pack with one member, its header included.
    pub pack_bytes: usize,
    /// Bytes that every further member adds.
    pub member_bytes: usize,
    /// Multiply-accumulates of a segment.
    pub segment_macs: u64,
    /// Memory by the bits of stored states: 16, then 8.
    pub memory: [Memory; 2],
}

/// The memory of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Bits of stored states and activations.
    pub bits: usize,
    /// Bytes of the whole workspace.
    pub workspace_bytes: usize,
    /// Bytes of both states, which are part of it.
    pub state_bytes: usize,
}

impl Memory {
    fn of(shape: &Shape) -> Self {
        Self {
            bits: 8 * shape.lanes.bytes(),
            workspace_bytes: workspace_bytes(shape),
            state_bytes: state_bytes(shape),
        }
    }
}

impl Footprint {
    /// What the model that `config` trains will take.
    ///
    /// # Errors
    /// A model that could not be exported.
    pub fn of(config: &RunConfig) -> Result<Self, QuantError> {
        let [wide, narrow] = [LaneWidth::I16, LaneWidth::I8].map(|lanes| config.model.shape(1, lanes));
        let (wide, narrow) = (wide?, narrow?);
        let layout = Layout::of(&wide, relation_map(&config.model.task, config.model.positions.relation()).0);
        Ok(Self {
            task: config.model.task.name().to_string(),
            parameters: parameter_count(&config.model),
            pack_bytes: header_bytes(config, &wide)? + layout.bytes,
            member_bytes: layout.member.bytes,
            segment_macs: wide.segment_macs(),
            memory: [Memory::of(&wide), Memory::of(&narrow)],
        })
    }

    /// Every real board, with the reason why the model does not fit it where that is so.
    pub fn boards(&self, memory: &Memory) -> impl Iterator<Item = (Hardware, Option<NoRoom>)> {
        let (pack, workspace) = (self.pack_bytes as u64, memory.workspace_bytes as u64);
        HARDWARE.into_iter().map(move |board| (board, board.hold(&self.task, pack, workspace).err()))
    }
}

/// The data of a pack's provenance: file and rows.
pub fn rows_told(config: &RunConfig, train: usize, validation: usize) -> String {
    let source = config.data.train.file_name().and_then(|name| name.to_str()).unwrap_or("generated");
    format!("{source}: {train} rows for training, {validation} held out")
}

/// What the header will take, whatever the run's counts and results will be.
fn header_bytes(config: &RunConfig, shape: &Shape) -> Result<usize, QuantError> {
    let json = serde_json::to_string(&config.without_folders()).unwrap_or_default();
    let most = u32::MAX;
    let provenance = Provenance {
        config: &json,
        program: super::PROGRAM,
        data: &rows_told(config, most as usize, most as usize),
        seed: config.train.seed,
        steps: most.into(),
        samples: u64::MAX,
    };
    let accuracy = Accuracy { rows: most, hints_percent: 100, float_exact: most, int_exact: most };
    let header =
        Header { task: config.model.task.name(), shape: *shape, provenance, accuracy: Some(accuracy) };
    let puzzle = vec![0; usize::from(shape.cells)];
    let digests = std::iter::once(most).collect();
    let self_test = SelfTest { segments: SELF_TEST_SEGMENTS, puzzles: &puzzle, digests };
    Ok(header_room(&header, Some(&self_test))?)
}
