extern crate std;

use std::{collections::HashSet, string::ToString, vec, vec::Vec};

use proptest::prelude::*;
use rand_pcg::Pcg32;

use super::*;
use crate::task::draw::below;

fn maze(rows: &[&str]) -> (Maze, Vec<u8>) {
    let maze = Maze::new(rows.len(), rows[0].len()).unwrap();
    let mut grid = vec![0; maze.cells()];
    maze.parse(&rows.concat(), &mut grid).unwrap();
    (maze, grid)
}

fn read(maze: &Maze, rows: &[&str]) -> Vec<u8> {
    let mut grid = vec![0; maze.cells()];
    maze.parse(&rows.concat(), &mut grid).unwrap();
    grid
}

/// Random walls, a start and a goal.
fn random(rows: usize, columns: usize, seed: u64) -> (Maze, Vec<u8>) {
    let maze = Maze::new(rows, columns).unwrap();
    let mut rng = Pcg32::new(seed, 3);
    let mut grid: Vec<u8> =
        (0..maze.cells()).map(|_| if below(&mut rng, 10) < 3 { WALL } else { OPEN }).collect();
    let start = below(&mut rng, grid.len() as u32) as usize;
    let goal = (start + 1 + below(&mut rng, grid.len() as u32 - 1) as usize) % grid.len();
    (grid[start], grid[goal]) = (START, GOAL);
    (maze, grid)
}

/// A shortest way, marked: back from the goal, always a step nearer to the start.
fn solved(maze: &Maze, puzzle: &[u8]) -> Option<Vec<u8>> {
    let (start, goal) = (only(puzzle, START)?, only(puzzle, GOAL)?);
    let ground = maze.passable(puzzle);
    let far = |cell| maze.walk(&ground, start, cell).1;
    let (mut at, mut left, mut answer) = (goal, far(goal)?, puzzle.to_vec());
    while left > 1 {
        at = maze.neighbours(at).find(|&cell| ground.contains(cell) && far(cell) == Some(left - 1))?;
        answer[at] = WAY;
        left -= 1;
    }
    Some(answer)
}

#[test]
fn names_tell_the_size() {
    let task = Maze::named("maze30x30").unwrap();
    assert_eq!((task.dims(), task.cells(), task.name()), ((30, 30), 900, "maze30x30"));
    for name in ["maze2x450", "maze1x2", "maze900x1", "maze10x15"] {
        assert_eq!(Maze::named(name).map(|maze| maze.name().to_string()).as_deref(), Some(name));
    }
    for name in [
        "maze31x31",
        "maze1x1",
        "maze0x5",
        "maze05x5",
        "maze",
        "maze5",
        "maze5x",
        "maze99999999999x2",
        "sudoku4",
    ] {
        assert_eq!(Maze::named(name), None, "{name}");
    }
}

#[test]
fn only_shortest_ways_are_answers_and_all_of_them() {
    let (task, puzzle) = maze(&["S..", ".#.", "..G"]);
    let violations = |rows: &[&str]| task.violations(&puzzle, &read(&task, rows)).unwrap();
    assert_eq!(violations(&["Soo", ".#o", "..G"]), 0);
    assert_eq!(violations(&["S..", "o#.", "ooG"]), 0);
    assert!(violations(&["Soo", "o#o", "ooG"]) > 0, "both ways");
    assert!(violations(&["So.", ".#o", "..G"]) > 0, "a step short");
    assert!(violations(&["So.", "o#.", "o.G"]) > 0, "the right number of cells, and no way");
    assert!(violations(&["Soo", ".oo", "..G"]) > 0, "through the wall");
    assert!(violations(&["S..", ".#.", "..G"]) > 0, "the puzzle itself");
    assert!(violations(&["oSo", ".#o", "..G"]) > 0, "another start");
    assert_eq!(task.violations(&puzzle, &[]).map(|violations| violations > 0), Some(true));
}

#[test]
fn a_detour_is_no_answer() {
    let (task, puzzle) = maze(&["S.G", "..."]);
    assert!(task.accepts(&puzzle, &read(&task, &["SoG", "..."])));
    assert!(!task.accepts(&puzzle, &read(&task, &["S.G", "ooo"])));
    let (task, beside) = maze(&["SG", ".."]);
    assert!(task.accepts(&beside, &beside), "nothing lies between");
    assert!(!task.accepts(&beside, &read(&task, &["SG", "oo"])));
}

#[test]
fn what_is_no_maze_is_refused() {
    let refusal = |rows: &[&str]| {
        let (task, grid) = maze(rows);
        task.refuse(&grid)
    };
    assert_eq!(refusal(&["S.G"]), None);
    let marked = Some(Refusal::Token { cell: 1, token: WAY });
    assert_eq!(refusal(&["SoG"]), marked, "the way is what is asked");
    assert_eq!(refusal(&["So.", "S.G"]), marked, "whatever else is wrong");
    assert_eq!(refusal(&["S.G", "S.."]), Some(Refusal::Count { token: START, found: 2 }));
    assert_eq!(refusal(&["S..", "..."]), Some(Refusal::Count { token: GOAL, found: 0 }));
    assert_eq!(refusal(&["S#G"]), Some(Refusal::Impossible));
    let task = Maze::new(1, 3).unwrap();
    assert_eq!(task.refuse(&[START, OPEN]), Some(Refusal::Length { expected: 3, got: 2 }));
    for token in [0, 6, 255] {
        assert_eq!(task.refuse(&[START, token, GOAL]), Some(Refusal::Token { cell: 1, token }));
    }
}

#[test]
fn some_of_the_way_may_be_supposed_and_nothing_else_that_is_refused() {
    for (rows, puzzle) in
        [(["So.", "..G"], true), (["Soo", "ooG"], true), (["So#", "..S"], false), (["So#", "##G"], false)]
    {
        let (task, question) = maze(&rows);
        assert_eq!(task.refuse_supposed(&question).is_none(), puzzle, "{rows:?}");
        assert!(task.refuse(&question).is_some(), "{rows:?}");
    }
    let task = Maze::new(1, 3).unwrap();
    for token in [0, 6, 255] {
        assert_eq!(task.refuse_supposed(&[START, token, GOAL]), Some(Refusal::Token { cell: 1, token }));
    }
}

#[test]
fn the_group_has_as_many_images_as_it_says() {
    for (rows, columns, expected) in [(4, 4, 16), (3, 5, 8)] {
        let (task, grid) = random(rows, columns, 5);
        let images: HashSet<Vec<u8>> = (0..task.perturbations())
            .map(|k| {
                let mut image = vec![0; grid.len()];
                task.apply(&task.perturbation(k), &grid, &mut image);
                image
            })
            .collect();
        assert_eq!((task.perturbations(), images.len()), (expected, expected));
    }
}

#[test]
fn relations_depend_on_relative_places_alone() {
    let (small, large) = (Maze::new(5, 6).unwrap(), Maze::new(30, 30).unwrap());
    assert_eq!(small.relations(), large.relations());
    assert_eq!(small.relation(0, 7), large.relation(31 * 10, 31 * 10 + 31));
    assert_eq!(large.relation(0, 899), large.relation(0, 8 * 30 + 8), "far is far");
    assert_ne!(large.relation(0, 1), large.relation(1, 0));
    let all: HashSet<u8> = (0..900).map(|j| large.relation(465, j)).collect();
    assert_eq!(all.len(), large.relations());
    assert!(large.relations() + 3 <= 255, "a pack numbers them with a byte");
}

proptest! {
    #[test]
    fn symmetries_keep_answers_and_are_undone(rows in 2usize..9, columns in 2usize..9, seed: u64) {
        let (task, puzzle) = random(rows, columns, seed);
        let mut rng = Pcg32::new(seed, 9);
        for _ in 0..8 {
            let symmetry = task.draw(&mut rng);
            let (mut image, mut back) = (vec![0; puzzle.len()], vec![0; puzzle.len()]);
            task.apply(&symmetry, &puzzle, &mut image);
            task.undo(&symmetry, &image, &mut back);
            prop_assert_eq!(&back, &puzzle);
            prop_assert_eq!(task.refuse(&image), task.refuse(&puzzle));
            if let Some(answer) = solved(&task, &puzzle) {
                prop_assert!(task.accepts(&puzzle, &answer));
                let mut moved = vec![0; puzzle.len()];
                task.apply(&symmetry, &answer, &mut moved);
                prop_assert!(task.accepts(&image, &moved));
            }
        }
    }

    /// Against every subset of the open cells of a small maze.
    #[test]
    fn the_checker_equals_brute_force(seed: u64) {
        let (task, puzzle) = random(3, 4, seed);
        let open: Vec<usize> = (0..12).filter(|&cell| puzzle[cell] == OPEN).collect();
        let (start, goal) = (only(&puzzle, START).unwrap(), only(&puzzle, GOAL).unwrap());
        // The fewest cells that connect start and goal.
        let mut fewest = usize::MAX;
        let mut ways = Vec::new();
        for set in 0u32..1 << open.len() {
            let mut grid = puzzle.clone();
            open.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).for_each(|(_, &cell)| grid[cell] = WAY);
            let mut reached = vec![start];
            let mut next = 0;
            while next < reached.len() {
                let beside: Vec<usize> = task.neighbours(reached[next]).collect();
                for cell in beside {
                    if (grid[cell] == WAY || cell == goal) && !reached.contains(&cell) {
                        reached.push(cell);
                    }
                }
                next += 1;
            }
            if reached.contains(&goal) {
                fewest = fewest.min(set.count_ones() as usize);
                ways.push((set.count_ones() as usize, grid.clone()));
            }
            let accepted = task.accepts(&puzzle, &grid);
            prop_assert!(!accepted || reached.contains(&goal));
        }
        for (cells, grid) in ways {
            prop_assert_eq!(task.accepts(&puzzle, &grid), cells == fewest);
        }
    }

    #[test]
    fn no_input_panics(rows in 1usize..30, columns in 2usize..30, a in prop::collection::vec(any::<u8>(), 0..950), b in prop::collection::vec(0u8..6, 0..950)) {
        let task = Maze::new(rows, columns).unwrap();
        let mut out = vec![0; b.len()];
        let _ = (task.refuse(&a), task.refuse(&b), task.refuse_supposed(&a), task.refuse_supposed(&b), task.violations(&a, &b), task.violations(&b, &a), task.text(&a).to_string());
        for k in 0..16 {
            task.apply(&task.perturbation(k), &a, &mut out);
            task.undo(&task.perturbation(k), &b, &mut out);
        }
    }
}
