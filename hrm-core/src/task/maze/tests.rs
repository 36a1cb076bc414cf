extern crate std;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    format,
    string::ToString,
    vec,
    vec::Vec,
};

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

/// The cells with exactly one step, up, down, left or right, between them and `cell`.
fn beside(rows: usize, columns: usize, cell: usize) -> BTreeSet<usize> {
    let apart = |a: usize, b: usize| a.abs_diff(b);
    (0..rows * columns)
        .filter(|other| apart(other / columns, cell / columns) + apart(other % columns, cell % columns) == 1)
        .collect()
}

/// Steps to every cell that a walk from `start` reaches over the cells of `ground`, by going over all of
/// them until nothing changes.
fn steps(maze: &Maze, ground: &[bool], start: usize) -> Vec<Option<u32>> {
    let (rows, columns) = maze.dims();
    let mut steps = vec![None; rows * columns];
    steps[start] = Some(0);
    loop {
        let before = steps.clone();
        for cell in (0..rows * columns).filter(|&cell| ground[cell]) {
            let nearest = beside(rows, columns, cell).into_iter().filter_map(|cell| before[cell]).min();
            steps[cell] = [before[cell], nearest.map(|steps| steps + 1)].into_iter().flatten().min();
        }
        if steps == before {
            return steps;
        }
    }
}

/// The only cell that holds `token`.
fn place(grid: &[u8], token: u8) -> Option<usize> {
    let places: Vec<usize> = (0..grid.len()).filter(|&cell| grid[cell] == token).collect();
    if let [place] = places[..] { Some(place) } else { None }
}

/// Steps of a shortest way, if there is one.
fn distance(maze: &Maze, puzzle: &[u8]) -> Option<u32> {
    let (start, goal) = (place(puzzle, START)?, place(puzzle, GOAL)?);
    let ground: Vec<bool> = puzzle.iter().map(|&token| token != WALL).collect();
    steps(maze, &ground, start)[goal]
}

/// What [`Task::violations`] says that it counts.
fn violations(maze: &Maze, puzzle: &[u8], grid: &[u8]) -> u32 {
    let kept = |given: u8, token: u8| given == token || (given == OPEN && token == WAY);
    let changed = puzzle.iter().zip(grid).filter(|&(&given, &token)| !kept(given, token)).count() as u32;
    let Some(shortest) = distance(maze, puzzle) else { return changed + 1 };
    let (start, goal) = (place(puzzle, START).unwrap(), place(puzzle, GOAL).unwrap());
    let way: Vec<usize> = (0..grid.len()).filter(|&cell| grid[cell] == WAY).collect();
    let ground: Vec<bool> = (0..grid.len()).map(|cell| way.contains(&cell) || cell == goal).collect();
    let walked = steps(maze, &ground, start);
    let lost = if walked[goal].is_some() {
        0
    } else {
        1 + way.iter().filter(|&&cell| walked[cell].is_none()).count() as u32
    };
    changed + (way.len() as u32).abs_diff(shortest - 1) + lost
}

#[test]
fn every_size_has_a_name_that_it_is_found_by() {
    for rows in 0..=MAX_CELLS + 1 {
        for columns in 0..=(MAX_CELLS / rows.max(1)).min(40) + 1 {
            let there = (2..=900).contains(&(rows * columns));
            let found = Maze::new(rows, columns);
            assert_eq!(found.is_some(), there, "{rows} x {columns}");
            if let Some(maze) = found {
                let name = format!("maze{rows}x{columns}");
                assert_eq!((maze.name(), maze.dims()), (name.as_str(), (rows, columns)));
                assert_eq!(Maze::named(&name), Some(maze));
            }
        }
    }
    for (rows, columns) in [(1, 900), (2, 450), (3, 300), (30, 30)] {
        assert!(Maze::new(rows, columns).is_some() && Maze::new(rows, columns + 1).is_none());
    }
    assert_eq!(Maze::new(usize::MAX, 2), None);
    for name in ["maze3x4 ", " maze3x4", "maze+3x4", "Maze3x4", "maze3x4x5", "3x4", "maze-3x4"] {
        assert_eq!(Maze::named(name), None, "{name}");
    }
}

#[test]
fn neighbours_are_a_step_away() {
    for (rows, columns) in [(1, 2), (2, 1), (1, 7), (7, 1), (3, 4), (4, 3), (5, 5)] {
        let maze = Maze::new(rows, columns).unwrap();
        for cell in 0..rows * columns {
            let neighbours: Vec<usize> = maze.neighbours(cell).collect();
            assert!(neighbours.is_sorted(), "in their order");
            assert!(neighbours.into_iter().eq(beside(rows, columns, cell)), "{rows} x {columns}, {cell}");
        }
    }
}

#[test]
fn relations_are_how_far_apart_two_cells_are() {
    for (rows, columns) in [(2, 3), (1, 20), (20, 1), (10, 12)] {
        let maze = Maze::new(rows, columns).unwrap();
        for (i, j) in (0..rows * columns).flat_map(|i| (0..rows * columns).map(move |j| (i, j))) {
            let apart = |a: usize, b: usize| (a as i32 - b as i32).clamp(-7, 7) + 7;
            let expected = apart(i / columns, j / columns) * 15 + apart(i % columns, j % columns);
            assert_eq!(i32::from(maze.relation(i, j)), expected);
        }
        assert_eq!(maze.relations(), 15 * 15);
    }
}

#[test]
fn tokens_and_what_of_them_may_be_asked() {
    let maze = Maze::new(2, 3).unwrap();
    let known = [(1, '#'), (2, ' '), (3, 'S'), (4, 'G'), (5, 'o')];
    for token in 0..=u8::MAX {
        let symbol = known.iter().find(|known| known.0 == token).map(|known| known.1);
        assert_eq!(maze.symbol(token), symbol, "{token}");
        assert_eq!(maze.may_be_asked(token), token == OPEN || token == WAY, "{token}");
    }
    for symbol in '\0'..='\u{700}' {
        let token = known.iter().find(|known| known.1 == symbol).map(|known| known.0);
        assert_eq!(maze.token(symbol), if symbol == '.' { Some(OPEN) } else { token }, "{symbol:?}");
    }
    assert_eq!((maze.blank(), maze.vocab(), maze.grid()), (OPEN, 6, [0; 900]));
}

#[test]
fn a_refusal_says_what_is_wrong_first() {
    let maze = Maze::new(2, 3).unwrap();
    let length = |got| Some(Refusal::Length { expected: 6, got });
    for (cells, got) in [(0, 0), (5, 5), (7, 7), (65_535, 65_535), (70_000, 65_535)] {
        assert_eq!(maze.refuse(&vec![0; cells]), length(got));
    }
    let token = |cell, token| Some(Refusal::Token { cell, token });
    assert_eq!(maze.refuse(&[OPEN, 6, 0, OPEN, OPEN, OPEN]), token(1, 6));
    assert_eq!(maze.refuse(&[START, GOAL, OPEN, OPEN, WALL, 0]), token(5, 0));
    let count = |token, found| Some(Refusal::Count { token, found });
    assert_eq!(maze.refuse(&[OPEN; 6]), count(START, 0));
    assert_eq!(maze.refuse(&[START; 6]), count(START, 6));
    assert_eq!(maze.refuse(&[START, GOAL, GOAL, GOAL, GOAL, WALL]), count(GOAL, 4));
    assert_eq!(maze.refuse(&[START, WALL, GOAL, OPEN, WALL, OPEN]), Some(Refusal::Impossible));
    assert_eq!(maze.refuse(&[START, WALL, GOAL, OPEN, OPEN, OPEN]), None);
}

#[test]
fn what_is_missing_or_too_much_is_a_violation() {
    let (maze, puzzle) = maze(&["S.G", "..."]);
    let answer = read(&maze, &["SoG", "..."]);
    assert_eq!(maze.violations(&puzzle, &answer), Some(0));
    // the last row holds nothing of the way
    for lacking in 1..=3 {
        let most = answer.len() - lacking;
        assert_eq!(maze.violations(&puzzle, &answer[..most]), Some(lacking as u32));
        assert_eq!(maze.violations(&puzzle[..most], &answer), Some(lacking as u32));
        assert_eq!(maze.violations(&puzzle[..most], &answer[..most]), Some(2 * lacking as u32));
    }
    let longer = |grid: &[u8]| [grid, &[WALL, WALL]].concat();
    assert_eq!(maze.violations(&puzzle, &longer(&answer)), Some(2));
    assert_eq!(maze.violations(&longer(&puzzle), &answer), Some(2));
    assert_eq!(maze.violations(&[], &[]), Some(2 * 6 + 1));
}

/// The grid as seen from another side: turned upside down, right to left, along the diagonal, or walked from
/// the other end.
fn seen(rows: usize, columns: usize, grid: &[u8], how: [bool; 4]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = grid.chunks(columns).map(<[u8]>::to_vec).collect();
    if how[0] {
        lines.reverse();
    }
    if how[1] {
        lines.iter_mut().for_each(|line| line.reverse());
    }
    if how[2] {
        lines = (0..columns).map(|column| (0..rows).map(|row| lines[row][column]).collect()).collect();
    }
    let exchanged = |token| match token {
        START if how[3] => GOAL,
        GOAL if how[3] => START,
        token => token,
    };
    lines.concat().into_iter().map(exchanged).collect()
}

#[test]
fn the_images_are_all_that_can_be_seen_and_drawn_equally_often() {
    for (rows, columns, count) in [(4, 4, 16), (3, 5, 8), (5, 3, 8), (6, 1, 8)] {
        let maze = Maze::new(rows, columns).unwrap();
        // every cell differs, so no two images are the same
        let grid: Vec<u8> = (START..).take(rows * columns).collect();
        let image = |symmetry: &MazeSymmetry| {
            let mut image = vec![0; grid.len()];
            maze.apply(symmetry, &grid, &mut image);
            image
        };
        let ways = (0..16).map(|n| [n & 1 != 0, n & 2 != 0, n & 4 != 0, n & 8 != 0]);
        let expected: HashSet<Vec<u8>> = ways
            .filter(|how| rows == columns || !how[2])
            .map(|how| seen(rows, columns, &grid, how))
            .collect();
        let images: Vec<Vec<u8>> = (0..count).map(|k| image(&maze.perturbation(k))).collect();
        assert_eq!(maze.perturbations(), count);
        assert_eq!(
            images.iter().cloned().collect::<HashSet<_>>().intersection(&expected).count(),
            expected.len()
        );
        assert_eq!((&images[0], maze.perturbation(0)), (&grid, maze.identity()));
        assert_eq!(images[1], seen(rows, columns, &grid, [false, false, false, true]));
        assert_eq!(maze.perturbation(count + 3), maze.perturbation(3));
        let mut drawn: HashMap<MazeSymmetry, usize> = HashMap::new();
        let mut rng = Pcg32::new(7, 7);
        for _ in 0..200 * count {
            *drawn.entry(maze.draw(&mut rng)).or_default() += 1;
        }
        // Expected 200 each, standard deviation 14.
        assert_eq!(drawn.len(), count);
        assert!(drawn.values().all(|times| (140..260).contains(times)), "{drawn:?}");
    }
}

#[test]
fn what_a_slice_lacks_is_left_as_it_is() {
    let maze = Maze::new(4, 4).unwrap();
    let grid: Vec<u8> = (0..20).collect();
    for k in 0..maze.perturbations() {
        let symmetry = maze.perturbation(k);
        let mut whole = vec![0; 16];
        maze.apply(&symmetry, &grid[..16], &mut whole);
        for length in [0, 1, 7, 16, 20] {
            let (mut image, mut short) = (vec![99; 18], vec![99; length]);
            maze.apply(&symmetry, &grid[..length], &mut image);
            maze.apply(&symmetry, &grid[..16], &mut short);
            // a token tells its cell, but for start and goal, which may be exchanged
            let cell = |token: u8| match token {
                START | GOAL => usize::from(if k % 2 == 1 { START + GOAL - token } else { token }),
                token => usize::from(token),
            };
            let there = whole.iter().map(|&token| if cell(token) < length { token } else { 99 });
            assert!(image.iter().copied().eq(there.chain([99; 2])), "{k}, {length}");
            assert_eq!(short[..length.min(16)], whole[..length.min(16)]);
            assert!(short.iter().skip(16).all(|&token| token == 99));
            let mut back = vec![99; 18];
            maze.undo(&symmetry, &[&whole[..], &[7; 4]].concat()[..length], &mut back);
            let known: Vec<usize> = whole.iter().take(length).map(|&token| cell(token)).collect();
            let there = (0..18).map(|cell| if known.contains(&cell) { cell as u8 } else { 99 });
            assert!(back.iter().copied().eq(there), "{k}, {length}");
        }
    }
}

proptest! {
    #[test]
    fn a_set_of_cells_is_one(members in prop::collection::btree_set(0usize..900, 0..60), cell in 0usize..900) {
        let mut cells = Cells::default();
        prop_assert!(cells.is_empty() && cells.iter().next().is_none());
        members.iter().rev().for_each(|&member| cells.insert(member));
        members.iter().for_each(|&member| cells.insert(member));
        prop_assert!(cells.iter().eq(members.iter().copied()), "in order, each once");
        prop_assert!((0..2000).all(|cell| cells.contains(cell) == members.contains(&cell)));
        prop_assert_eq!(cells.is_empty(), members.is_empty());
        cells.insert(100_000);
        prop_assert!(cells.iter().eq(members.iter().copied()));
        let grid: Vec<u8> = (0..900).map(|cell| u8::from(members.contains(&cell))).collect();
        prop_assert!(Cells::holding(&grid, |token| token == 1).iter().eq(members.iter().copied()));
        let mut one = Cells::default();
        one.insert(cell);
        prop_assert!(one.iter().eq([cell]) && !one.is_empty());
    }

    #[test]
    fn distances_and_violations_equal_their_definitions(
        rows in 1usize..7,
        columns in 2usize..7,
        seed: u64,
        changes in prop::collection::vec((0usize..49, 0u8..7), 0..4),
        wandering in prop::collection::vec(0usize..49, 0..6),
        start_too in 0..4,
    ) {
        let (task, mut puzzle) = random(rows, columns, seed);
        let cells = task.cells();
        if start_too == 0 {
            puzzle[wandering.first().unwrap_or(&0) % cells] = START;
        }
        prop_assert_eq!(task.distance(&puzzle), distance(&task, &puzzle));
        prop_assert_eq!(task.refuse(&puzzle).is_none(), distance(&task, &puzzle).is_some());
        for start in [solved(&task, &puzzle), Some(puzzle.clone())].into_iter().flatten() {
            // some of the way is lost, and some cells beside it are taken for it
            let mut grid = start.clone();
            wandering.iter().map(|cell| cell % cells).for_each(|cell| match grid[cell] {
                OPEN => grid[cell] = WAY,
                WAY => grid[cell] = OPEN,
                _ => {}
            });
            prop_assert_eq!(task.violations(&puzzle, &grid), Some(violations(&task, &puzzle, &grid)));
            changes.iter().for_each(|&(cell, token)| grid[cell % cells] = token);
            prop_assert_eq!(task.violations(&puzzle, &grid), Some(violations(&task, &puzzle, &grid)));
        }
    }

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
