//! `workspace_bytes` is exact: one word less is refused, and nothing behind it is ever written to.
//!
//! The same is checked with each processor's own kernels by the bench program (`cargo xtask bench`), which lays the canary behind the workspace on the
//! emulated boards.

use hrm_core::{Hrm, Pack, Reasoner, lane::LaneWidth, task::sudoku::Sudoku, workspace_bytes};
use hrm_tests::{
    aligned::Aligned,
    puzzles,
    synthetic::{self, Kind},
};

const CANARY: u32 = 0xC0FF_EE00;

fn kinds() -> impl Iterator<Item = Kind> {
    let sizes =
        [("sudoku4", 32, 2, 64), ("sudoku6", 48, 3, 128), ("sudoku9", 96, 3, 256), ("sudoku9", 128, 4, 384)];
    sizes.into_iter().flat_map(|(task, width, heads, inner)| {
        [LaneWidth::I8, LaneWidth::I16].map(|lanes| Kind {
            task,
            width,
            heads,
            inner,
            layers: 1,
            shared_levels: true,
            rope: task == "sudoku6",
            learned_positions: false,
            relation: true,
            members: 1,
            lanes,
        })
    })
}

#[test]
fn a_segment_writes_to_its_workspace_and_to_nothing_else() {
    for kind in kinds() {
        let bytes = synthetic::pack(kind, 5);
        let aligned = Aligned::new(&bytes);
        let pack = Pack::open(aligned.bytes()).unwrap();
        let words = workspace_bytes(pack.shape()) / 4;
        let puzzle = puzzles::drawn(&Sudoku::from_name(kind.task).unwrap(), 1, 3).remove(0);
        let mut memory = vec![CANARY; words + 4096];
        let mut model = Hrm::new(pack, &mut memory).unwrap();
        model.begin(0, &puzzle);
        model.segment(&mut ()).unwrap();
        let (digest, answer) = (model.state_digest(), model.grid().to_vec());
        assert!(memory[words..].iter().all(|word| *word == CANARY), "{kind:?}");

        // exactly that much is enough, with the same result, and one word less is refused
        let mut exact = vec![CANARY; words];
        let mut model = Hrm::new(pack, &mut exact).unwrap();
        model.begin(0, &puzzle);
        model.segment(&mut ()).unwrap();
        assert_eq!((model.state_digest(), model.grid()), (digest, &answer[..]), "{kind:?}");
        let refused = Hrm::new(pack, &mut exact[1..]).err().unwrap();
        assert_eq!((refused.needed_bytes, refused.got_bytes), (4 * words, 4 * words - 4));
    }
}

/// The table in docs/PERFORMANCE.md.
#[test]
fn the_documented_sizes_are_true() {
    let documented = [(96, LaneWidth::I16, 53_384), (96, LaneWidth::I8, 36_536)];
    let documented =
        documented.into_iter().chain([(128, LaneWidth::I16, 71_592), (128, LaneWidth::I8, 49_064)]);
    for (width, lanes, bytes) in documented {
        let kind = kinds().find(|kind| kind.width == width && kind.lanes == lanes).unwrap();
        let pack = synthetic::pack(kind, 5);
        let aligned = Aligned::new(&pack);
        assert_eq!(workspace_bytes(Pack::open(aligned.bytes()).unwrap().shape()), bytes, "{width} {lanes:?}");
    }
}
