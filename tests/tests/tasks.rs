//! Tasks on a board: one that carries them computes and solves as this machine does,
//! one that does not says so.
//!
//! The first test needs nothing; the others need the emulator and the images that `cargo xtask test` builds.

use std::time::Duration;

use hrm_core::digest::run_digest;
use hrm_core::lane::LaneWidth;
use hrm_core::pack::{AlignedBytes, Layout, RelationMap, assembled, relation_class, seal};
use hrm_core::solve::{Policy, Rule, Solver, Status, Symmetries};
use hrm_core::task::Refusal;
use hrm_core::task::maze::{GOAL, Maze, START, WAY};
use hrm_core::task::{All, Task, Tasks, Visitor};
use hrm_core::wire::{Fault, NoModel, Solve};
use hrm_core::{Hrm, Pack, PackError, workspace_words};
use hrm_emulator::{Claim, Image, LinkError, Machine, board::BOARDS};
use hrm_firmware::Exit;
use hrm_tests::{
    pack_file::PackFile,
    puzzles,
    synthetic::{self, ModelKind, SMALL},
};

const MAZE: ModelKind = ModelKind { task: "maze5x6", layers: 1, ..SMALL };

/// The image of the first board that carries every task.
fn every_task() -> Image {
    Image::built(&format!("{}-every-task", BOARDS[0].name)).unwrap()
}

#[test]
fn every_name_leads_to_the_task_of_that_name() {
    struct Name;
    impl Visitor for Name {
        type Output = String;

        fn visit<T: Task>(self, task: T) -> String {
            task.name().to_owned()
        }
    }
    for name in ["sudoku4", "sudoku6", "sudoku9", "maze5x6", "maze30x30"] {
        assert_eq!(All::visit(name, Name).ok().as_deref(), Some(name));
    }
    for name in ["sudoku5", "maze31x31", "latin4", ""] {
        assert!(All::visit(name, Name).is_err(), "{name}");
        assert!(<()>::visit(name, Name).is_err(), "{name}");
    }
}

/// The model of `bytes` with a class for each pair of positions, as version 1 of the format has it.
fn with_stored_map(bytes: &[u8], task: &Maze) -> Vec<u8> {
    let aligned = AlignedBytes::copy_of(bytes);
    let pack = Pack::open(aligned.bytes()).unwrap();
    let (own, layout) = (*pack.layout(), Layout::of(pack.shape(), RelationMap::Pairs));
    let sections = pack.sections();
    let mut stored = vec![0; layout.bytes];
    stored[..layout.relation_map.at].copy_from_slice(&sections[..own.relation_map.at]);
    stored[layout.members_at..].copy_from_slice(&sections[own.members_at..]);
    let sequence = pack.shape().sequence();
    let pairs = (0..sequence).flat_map(|query| (0..sequence).map(move |key| (query, key)));
    stored[layout.relation_map.at..]
        .iter_mut()
        .zip(pairs)
        .for_each(|(to, (query, key))| *to = relation_class(task, query.checked_sub(1), key.checked_sub(1)));
    let header = postcard::to_stdvec(&pack.header().unwrap()).unwrap();
    assembled(&header, RelationMap::Pairs, &stored)
}

#[test]
fn a_map_of_displacements_changes_no_bit() {
    for (name, lanes) in
        [("maze5x6", LaneWidth::I16), ("maze10x10", LaneWidth::I8), ("maze1x9", LaneWidth::I16)]
    {
        let kind = ModelKind { task: name, lanes, ..MAZE };
        let task = Maze::named(kind.task).unwrap();
        let computed = synthetic::pack(kind, 7);
        let stored = with_stored_map(&computed, &task);
        assert_eq!((computed[4], stored[4]), (2, 1), "format versions");
        let digests = [&computed, &stored].map(|bytes| {
            let aligned = AlignedBytes::copy_of(bytes);
            let pack = Pack::open(aligned.bytes()).unwrap();
            let mut memory = vec![0; workspace_words(pack.shape())];
            let mut model = Hrm::new(pack, &mut memory).unwrap();
            puzzles::mazes(&task, 3, 5)
                .iter()
                .map(|puzzle| run_digest(&mut model, 0, puzzle, 3))
                .collect::<Vec<_>>()
        });
        assert_eq!(digests[0], digests[1], "{name}");
    }
}

#[test]
fn columns_that_no_grid_has_are_refused() {
    let pack = synthetic::pack(MAZE, 7);
    for columns in [0u16, 4, 7, 31, u16::MAX] {
        let mut damaged = pack.clone();
        damaged[6..8].copy_from_slice(&columns.to_le_bytes());
        seal(&mut damaged);
        let aligned = AlignedBytes::copy_of(&damaged);
        let found = Pack::open(aligned.bytes()).map(|pack| pack.crc());
        assert_eq!(found, Err(PackError::Shape { field: "columns" }), "{columns}");
    }
    // Others that divide the cells ask for a map of another length, or run: nothing reaches outside.
    for columns in 1..=30u16 {
        let mut other = pack.clone();
        other[6..8].copy_from_slice(&columns.to_le_bytes());
        seal(&mut other);
        let aligned = AlignedBytes::copy_of(&other);
        if let Ok(pack) = Pack::open(aligned.bytes()) {
            let mut memory = vec![0; workspace_words(pack.shape())];
            run_digest(&mut Hrm::new(pack, &mut memory).unwrap(), 0, &[2; 30], 1).unwrap();
        }
    }
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn mazes_are_equal_on_a_board_that_carries_them() {
    let narrow = ModelKind { task: "maze10x10", lanes: LaneWidth::I8, ..MAZE };
    let released = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/maze-mini.hrm");
    for bytes in [synthetic::pack(MAZE, 7), synthetic::pack(narrow, 7), std::fs::read(released).unwrap()] {
        let (aligned, file) = (AlignedBytes::copy_of(&bytes), PackFile::new(&bytes));
        let pack = Pack::open(aligned.bytes()).unwrap();
        let task = Maze::named(pack.header().unwrap().task).unwrap();
        let puzzles = puzzles::mazes(&task, 3, 5);
        let claim = Claim { pack, path: &file.path, puzzles: &puzzles, segments: 3 };
        let proof = claim.prove(BOARDS[0], every_task(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
        println!("{}: {} segments equal on {}", task.name(), proof.segments, BOARDS[0].name);
    }
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn mazes_are_solved_and_refused_as_here() {
    let task = Maze::named(MAZE.task).unwrap();
    let bytes = synthetic::pack(MAZE, 7);
    let (aligned, file) = (AlignedBytes::copy_of(&bytes), PackFile::new(&bytes));
    let pack = Pack::open(aligned.bytes()).unwrap();
    let mut memory = vec![0; workspace_words(pack.shape())];
    let mut model = Hrm::new(pack, &mut memory).unwrap();
    let (mut machine, hello) = Machine::boot(BOARDS[0], every_task(), &file.path).unwrap();
    assert_eq!(hello.task, "maze5x6");

    // A whole group of sixteen images is too many for a rectangle, and votes, with a checker behind them and
    // without one, agree as well as checked guesses.
    let checked = Policy { guesses: 10, segments: 2, ..Policy::trained_for(4) };
    let voted = Policy { rule: Rule::Majority, symmetries: Symmetries::Relabel, ..checked };
    let unchecked = Policy { rule: Rule::Unchecked, ..voted };
    for puzzle in puzzles::mazes(&task, 4, 8) {
        for policy in [checked, voted, unchecked] {
            let mut solver = Solver::new(task, &puzzle, policy);
            let here = solver.run(&mut model, &mut ());
            let solve = Solve { policy, time_ms: 0, progress: false, tokens: &puzzle };
            let there = machine.call(|link| link.solve(&solve, |_, _| {})).unwrap();
            assert_eq!((there.status, there.grid.as_slice()), (here.status, here.grid));
            assert_eq!(
                (there.guesses, there.segments, there.votes),
                (here.guesses, here.segments, here.votes)
            );
        }
    }

    let blank = vec![task.blank(); task.cells()];
    let with = |places: &[(usize, u8)]| {
        let mut puzzle = blank.clone();
        places.iter().for_each(|&(cell, token)| puzzle[cell] = token);
        puzzle
    };
    let walled: Vec<(usize, u8)> = (6..12).map(|cell| (cell, 1)).chain([(0, START), (29, GOAL)]).collect();
    for (puzzle, refusal) in [
        (with(&[(0, START), (1, START), (29, GOAL)]), Refusal::Count { token: START, found: 2 }),
        (with(&[(0, START)]), Refusal::Count { token: GOAL, found: 0 }),
        (with(&[(0, START), (7, WAY), (29, GOAL)]), Refusal::Token { cell: 7, token: WAY }),
        (with(&walled), Refusal::Impossible),
        (vec![START, GOAL, WAY], Refusal::Length { expected: 30, got: 3 }),
    ] {
        let solve = Solve { policy: checked, time_ms: 0, progress: false, tokens: &puzzle };
        let answer = machine.call(|link| link.solve(&solve, |_, _| {})).unwrap();
        assert_eq!(answer.status, Status::Refused(refusal));
    }
    machine.shutdown().unwrap();
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_board_refuses_the_model_of_a_task_that_it_does_not_carry() {
    let file = PackFile::new(&synthetic::pack(MAZE, 7));
    let image = Image::built(BOARDS[0].name).unwrap();
    let mut machine = Machine::start(BOARDS[0], image, &file.path).unwrap();
    let hello = machine.call(|link| Ok(link.hello())).unwrap();
    assert!(matches!(hello, Err(LinkError::Refused(Fault::NoModel(NoModel::Task)))), "{hello:?}");
    machine.call(|link| link.shutdown()).unwrap();
    let status = machine.wait(Duration::from_secs(20)).unwrap();
    assert!(Exit::from_code(status.code().unwrap()).is_some());
    let log = machine.log().join("\n");
    assert!(log.contains("maze5x6") && log.contains("30 cells"), "{log}");
}
