extern crate std;

use std::{collections::HashMap, string::ToString, vec, vec::Vec};

use proptest::prelude::*;
use rand_pcg::Pcg32;

use super::*;
use crate::task::{TextError, draw};

fn kinds() -> impl Strategy<Value = SudokuKind> {
    prop::sample::select(SudokuKind::ALL.to_vec())
}

/// The textbook full grid of a size.
fn pattern(kind: SudokuKind) -> Vec<u8> {
    let (side, height, width) = (kind.side(), kind.box_rows(), kind.box_columns());
    let digit = |r: usize, c: usize| (r % height * width + r / height + c) % side;
    (0..side * side).map(|cell| digit(cell / side, cell % side) as u8 + FIRST_DIGIT).collect()
}

fn image(task: &Sudoku, symmetry: &SudokuSymmetry, grid: &[u8]) -> Vec<u8> {
    let mut out = vec![0; grid.len()];
    task.apply(symmetry, grid, &mut out);
    out
}

/// A random full grid and a puzzle that keeps each cell with probability 1/2.
fn random_pair(task: &Sudoku, seed: u64) -> (Vec<u8>, Vec<u8>) {
    let mut rng = Pcg32::new(seed, 7);
    let answer = image(task, &task.draw(&mut rng), &pattern(task.kind()));
    let puzzle = answer.iter().map(|&token| if draw::below(&mut rng, 2) == 0 { BLANK } else { token });
    (puzzle.collect(), answer)
}

#[test]
fn sizes_and_names() {
    let four = Sudoku::new(SudokuKind::Four);
    let six = Sudoku::new(SudokuKind::Six);
    let nine = Sudoku::new(SudokuKind::Nine);
    assert_eq!((four.cells(), four.vocab(), four.name()), (16, 6, "sudoku4"));
    assert_eq!((six.cells(), six.vocab(), six.name()), (36, 8, "sudoku6"));
    assert_eq!((nine.cells(), nine.vocab(), nine.name()), (81, 11, "sudoku9"));
    assert_eq!(Sudoku::named("sudoku6"), Some(six));
    assert_eq!(Sudoku::named("sudoku5"), None);
    // Boxes of a 6x6 are 2 rows x 3 columns: the last cell of row 2 is in box 1, the first of row 3 in box 2.
    assert_eq!(SudokuKind::Six.units(11), (1, 5, 1));
    assert_eq!(SudokuKind::Six.units(12), (2, 0, 2));
}

#[test]
fn relation_classes_by_hand() {
    let nine = Sudoku::new(SudokuKind::Nine);
    assert_eq!(nine.relation(0, 0), 7);
    assert_eq!(nine.relation(0, 1), SAME_ROW | SAME_BOX);
    assert_eq!(nine.relation(0, 8), SAME_ROW);
    assert_eq!(nine.relation(0, 9), SAME_COLUMN | SAME_BOX);
    assert_eq!(nine.relation(0, 72), SAME_COLUMN);
    assert_eq!(nine.relation(0, 10), SAME_BOX);
    assert_eq!(nine.relation(0, 40), 0);
    for kind in SudokuKind::ALL {
        let task = Sudoku::new(kind);
        let side = kind.side();
        let peers = (1..task.cells()).filter(|&cell| task.relation(0, cell) != 0).count();
        assert_eq!(peers, 3 * (side - 1) - (kind.box_rows() - 1) - (kind.box_columns() - 1));
    }
}

#[test]
fn a_published_puzzle_and_its_answer() -> Result<(), TextError> {
    let task = Sudoku::new(SudokuKind::Nine);
    let (mut puzzle, mut answer) = ([0; 81], [0; 81]);
    let text = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";
    task.parse(text, &mut puzzle)?;
    task.parse(
        "534678912672195348198342567859761423426853791713924856961537284287419635345286179",
        &mut answer,
    )?;
    assert_eq!(task.text(&puzzle).to_string(), text);
    assert_eq!(task.givens(&puzzle), 30);
    assert_eq!(task.refuse(&puzzle), None);
    assert!(task.accepts(&puzzle, &answer));
    assert!(!task.accepts(&puzzle, &puzzle));
    assert_eq!(task.violations(&puzzle, &puzzle), Some(51));
    // A valid grid that breaks a given is no answer.
    let relabelled = image(&task, &task.perturbation(1), &answer);
    assert_eq!(task.repeats(&relabelled), 0);
    assert!(!task.accepts(&puzzle, &relabelled));
    Ok(())
}

#[test]
fn refusals_say_where() {
    let task = Sudoku::new(SudokuKind::Four);
    assert_eq!(task.refuse(&[BLANK; 15]), Some(Refusal::Length { expected: 16, got: 15 }));
    assert_eq!(task.refuse(&[]), Some(Refusal::Length { expected: 16, got: 0 }));
    let mut puzzle = [BLANK; 16];
    assert_eq!(task.refuse(&puzzle), None);
    for token in [0, 6, 255] {
        puzzle[5] = token;
        assert_eq!(task.refuse(&puzzle), Some(Refusal::Token { cell: 5, token }));
    }
    for (first, second) in [(0, 3), (0, 12), (0, 5), (10, 15), (6, 14)] {
        let mut puzzle = [BLANK; 16];
        puzzle[first] = 4;
        puzzle[second] = 4;
        let (first, second) = (first as u16, second as u16);
        assert_eq!(task.refuse(&puzzle), Some(Refusal::Contradiction { first, second }));
    }
}

#[test]
fn text_errors_say_where() {
    let task = Sudoku::new(SudokuKind::Four);
    let mut grid = [0; 16];
    assert_eq!(task.parse("123", &mut grid), Err(TextError::Length { expected: 16, got: 3 }));
    assert_eq!(
        task.parse("12345...........", &mut grid),
        Err(TextError::Character { position: 4, found: '5' })
    );
    assert_eq!(
        task.parse("1é34............", &mut grid),
        Err(TextError::Character { position: 1, found: 'é' })
    );
    assert_eq!(
        task.parse("1.0.............", &mut grid[..4]),
        Err(TextError::Length { expected: 16, got: 4 })
    );
    let long = ".".repeat(100_000);
    assert_eq!(task.parse(&long, &mut grid), Err(TextError::Length { expected: 16, got: u16::MAX }));
    assert_eq!(task.text(&[0, 1, 2, 5, 6]).to_string(), "?.14?");
}

/// 4! digit permutations times 2!^3 row times 2!^3 column permutations times the transpose:
/// all distinct, all drawn.
#[test]
fn draws_reach_the_whole_4x4_group_uniformly() {
    const GROUP: usize = 24 * 8 * 8 * 2;
    const PER_ELEMENT: usize = 100;
    let kind = SudokuKind::Four;
    let mut rng = Pcg32::new(3, 3);
    let mut drawn: HashMap<(Vec<usize>, [u8; 4]), usize> = HashMap::new();
    for _ in 0..PER_ELEMENT * GROUP {
        let symmetry = SudokuSymmetry::draw(kind, &mut rng);
        let sources: Vec<usize> = (0..16).map(|cell| symmetry.source(kind, cell)).collect();
        let mut out = [0; 16];
        symmetry.apply(kind, &[2, 3, 4, 5, 2, 3, 4, 5, 2, 3, 4, 5, 2, 3, 4, 5], &mut out);
        let mut digits = [0; 4];
        for (&source, &token) in sources.iter().zip(&out) {
            digits[source % 4] = token;
        }
        *drawn.entry((sources, digits)).or_default() += 1;
    }
    assert_eq!(drawn.len(), GROUP);
    assert!(drawn.values().all(|&n| (40..=160).contains(&n)));
    let chi =
        drawn.values().map(|&n| (n as f64 - PER_ELEMENT as f64).powi(2)).sum::<f64>() / PER_ELEMENT as f64;
    // 3071 degrees of freedom: mean 3071, standard deviation 78.
    assert!((2700.0..3450.0).contains(&chi), "chi-square {chi}");
}

#[test]
fn perturbations_are_the_papers_relabels() {
    for kind in SudokuKind::ALL {
        let task = Sudoku::new(kind);
        let side = kind.side();
        assert_eq!(task.perturbations(), side);
        assert_eq!(task.perturbation(0), task.identity());
        assert_eq!(task.perturbation(side + 2), task.perturbation(2));
        let tokens: Vec<u8> = (0..task.cells()).map(|cell| (cell % task.vocab()) as u8).collect();
        for k in 0..side {
            let relabelled = image(&task, &task.perturbation(k), &tokens);
            for (&before, &after) in tokens.iter().zip(&relabelled) {
                let expected =
                    if before < 2 { before } else { ((usize::from(before) - 2 + k) % side + 2) as u8 };
                assert_eq!(after, expected);
            }
        }
        let _ = task.perturbation(usize::MAX);
    }
}

proptest! {
    #[test]
    fn undo_reverts_apply(kind in kinds(), seed: u64, tokens in prop::collection::vec(any::<u8>(), 81)) {
        let task = Sudoku::new(kind);
        let grid = &tokens[..task.cells()];
        let symmetry = task.draw(&mut Pcg32::new(seed, 1));
        let there = image(&task, &symmetry, grid);
        let mut back = vec![0; grid.len()];
        task.undo(&symmetry, &there, &mut back);
        prop_assert_eq!(&back, grid);
    }

    #[test]
    fn symmetries_keep_puzzles_and_answers(kind in kinds(), seed: u64, other: u64) {
        let task = Sudoku::new(kind);
        let (puzzle, answer) = random_pair(&task, seed);
        prop_assert_eq!(task.refuse(&puzzle), None);
        prop_assert!(task.accepts(&puzzle, &answer));
        let symmetry = task.draw(&mut Pcg32::new(other, 1));
        let (puzzle, answer) = (image(&task, &symmetry, &puzzle), image(&task, &symmetry, &answer));
        prop_assert_eq!(task.refuse(&puzzle), None);
        prop_assert!(task.accepts(&puzzle, &answer));
    }

    #[test]
    fn symmetries_keep_relation_classes(kind in kinds(), seed: u64) {
        let task = Sudoku::new(kind);
        let symmetry = task.draw(&mut Pcg32::new(seed, 1));
        for i in 0..task.cells() {
            for j in 0..task.cells() {
                let class = task.relation(i, j);
                let swapped = class & SAME_BOX | (class & 1) << 1 | (class & 2) >> 1;
                let expected = if symmetry.transposes() { swapped } else { class };
                let sources = (symmetry.source(kind, i), symmetry.source(kind, j));
                prop_assert_eq!(task.relation(sources.0, sources.1), expected);
                prop_assert_eq!(class, task.relation(j, i));
                prop_assert!(usize::from(class) < task.relations());
            }
        }
    }

    /// The checker against the rule spelled out: every unit holds every digit.
    #[test]
    fn one_wrong_cell_is_never_accepted(kind in kinds(), seed: u64, cell in 0usize..81, token: u8) {
        let task = Sudoku::new(kind);
        let (puzzle, mut answer) = random_pair(&task, seed);
        let cell = cell % task.cells();
        prop_assume!(answer[cell] != token);
        answer[cell] = token;
        prop_assert!(!task.accepts(&puzzle, &answer));
    }

    #[test]
    fn the_checker_equals_its_definition(kind in kinds(), seed: u64, swaps in prop::collection::vec((0usize..81, 0usize..81), 0..4)) {
        let task = Sudoku::new(kind);
        let (puzzle, mut grid) = random_pair(&task, seed);
        let puzzle: Vec<u8> = puzzle.iter().map(|_| BLANK).collect();
        for (a, b) in swaps {
            grid.swap(a % task.cells(), b % task.cells());
        }
        let side = kind.side();
        let complete = (0..3).all(|sort| (0..side).all(|unit| {
            let mut digits: Vec<u8> = (0..task.cells())
                .filter(|&cell| { let u = kind.units(cell); [u.0, u.1, u.2][sort] == unit })
                .map(|cell| grid[cell])
                .collect();
            digits.sort_unstable();
            digits == (0..side as u8).map(|d| d + FIRST_DIGIT).collect::<Vec<_>>()
        }));
        prop_assert_eq!(task.accepts(&puzzle, &grid), complete);
    }

    /// Nothing panics, whatever the tokens and lengths are.
    #[test]
    fn any_bytes_are_handled(kind in kinds(), seed: u64, a in prop::collection::vec(any::<u8>(), 0..100), b in prop::collection::vec(any::<u8>(), 0..100)) {
        let task = Sudoku::new(kind);
        let symmetry = task.draw(&mut Pcg32::new(seed, 1));
        let mut out = b.clone();
        task.apply(&symmetry, &a, &mut out);
        task.undo(&symmetry, &a, &mut out);
        let _ = (task.refuse(&a), task.violations(&a, &b), task.text(&a).to_string());
        if task.accepts(&a, &b) {
            prop_assert!(a.len() == task.cells() && b.len() == task.cells() && task.repeats(&b) == 0);
        }
    }

    #[test]
    fn text_round_trips(kind in kinds(), seed: u64) {
        let task = Sudoku::new(kind);
        let (puzzle, _) = random_pair(&task, seed);
        let mut read = vec![0; task.cells()];
        prop_assert_eq!(task.parse(&task.text(&puzzle).to_string(), &mut read), Ok(()));
        prop_assert_eq!(read, puzzle);
    }

    #[test]
    fn any_text_is_handled(kind in kinds(), text in "\\PC{0,100}") {
        let task = Sudoku::new(kind);
        let mut out = vec![0; task.cells()];
        let _ = task.parse(&text, &mut out);
    }
}
