//! `workspace_bytes` is exact: one word less is refused, and nothing behind it is ever written to.
//!
//! The same is checked with each processor's own kernels by the bench program (`cargo xtask bench`), which
//! lays the canary behind the workspace on the emulated boards.

use std::{fs, path::Path};

use hrm_core::pack::AlignedBytes;
use hrm_core::{
    Hrm, Pack, Reasoner, digest,
    lane::LaneWidth,
    state_bytes,
    task::{Task, sudoku::Sudoku},
    workspace_bytes, workspace_bytes_for, workspace_words,
};
use hrm_tests::{
    puzzles,
    synthetic::{self, ModelKind, SMALL},
};

const CANARY: u32 = 0xC0FF_EE00;

fn kinds() -> impl Iterator<Item = ModelKind> {
    let sizes =
        [("sudoku4", 32, 2, 64), ("sudoku6", 48, 3, 128), ("sudoku9", 96, 3, 256), ("sudoku9", 128, 4, 384)];
    sizes.into_iter().flat_map(|(task, width, heads, inner)| {
        [LaneWidth::I8, LaneWidth::I16].map(|lanes| ModelKind {
            task,
            width,
            heads,
            inner,
            layers: 1,
            rope: task == "sudoku6",
            lanes,
            ..SMALL
        })
    })
}

#[test]
fn a_segment_writes_to_its_workspace_and_to_nothing_else_and_more_memory_changes_no_bit() {
    for kind in kinds() {
        let bytes = synthetic::pack(kind, 5);
        let aligned = AlignedBytes::copy_of(&bytes);
        let pack = Pack::open(aligned.bytes()).unwrap();
        let shape = pack.shape();
        let puzzle = puzzles::drawn(&Sudoku::named(kind.task).unwrap(), 1, 3).remove(0);
        let mut expected = None;
        let all = shape.sequence().next_multiple_of(4);
        for tokens in [4, 8, 20, all] {
            let words = workspace_bytes_for(shape, tokens.min(all)) / 4;
            let mut memory = vec![CANARY; words + 4096];
            let (mine, behind) = memory.split_at_mut(words);
            let mut model = Hrm::new(pack, mine).unwrap();
            assert_eq!(model.tokens_per_pass(), tokens.min(all));
            model.begin(0, &puzzle);
            let digests: Vec<_> = (0..2).map(|index| digest::segment(&mut model, index).unwrap()).collect();
            assert_eq!(
                *expected.get_or_insert_with(|| digests.clone()),
                digests,
                "{kind:?}, {tokens} tokens"
            );
            assert!(behind.iter().all(|word| *word == CANARY), "{kind:?}, {tokens} tokens");
        }
        // one word less than the least is refused
        let words = workspace_words(shape);
        let mut short = vec![CANARY; words - 1];
        let refused = Hrm::new(pack, &mut short).err().unwrap();
        assert_eq!((refused.needed_bytes, refused.got_bytes), (4 * words, 4 * words - 4));
    }
}

/// The table in docs/PERFORMANCE.md, row by row: width, lanes, workspace, and of it the states.
#[test]
fn the_documented_sizes_are_true() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PERFORMANCE.md");
    let text = fs::read_to_string(document).unwrap();
    let table = text.lines().skip_while(|line| !line.starts_with("| width, lanes | workspace |")).skip(2);
    let rows: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 4, "{rows:?}");
    for row in rows {
        let digits = |cell: &str| cell.chars().filter(char::is_ascii_digit).collect::<String>();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (width, bits) = cells[1].split_once(", ").unwrap();
        let lanes = if digits(bits) == "8" { LaneWidth::I8 } else { LaneWidth::I16 };
        let kind = kinds().find(|kind| kind.width.to_string() == width && kind.lanes == lanes);
        let kind = kind.unwrap_or_else(|| panic!("no model of {row}"));
        let pack = synthetic::pack(kind, 5);
        let aligned = AlignedBytes::copy_of(&pack);
        let shape = *Pack::open(aligned.bytes()).unwrap().shape();
        assert_eq!(digits(cells[2]), workspace_bytes(&shape).to_string(), "{row}");
        assert_eq!(digits(cells[3]), state_bytes(&shape).to_string(), "{row}");
    }
}
