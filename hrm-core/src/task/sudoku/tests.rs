extern crate std;

use std::{
    collections::{HashMap, HashSet},
    string::ToString,
    vec,
    vec::Vec,
};

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

/// The box of each cell, drawn.
fn boxes(kind: SudokuKind) -> Vec<usize> {
    let drawn = match kind {
        SudokuKind::Four => "0011 0011 2233 2233",
        SudokuKind::Six => "000111 000111 222333 222333 444555 444555",
        SudokuKind::Nine => {
            "000111222 000111222 000111222 333444555 333444555 333444555 666777888 666777888 666777888"
        }
    };
    drawn.chars().filter_map(|digit| digit.to_digit(10)).map(|digit| digit as usize).collect()
}

/// Rows, columns and boxes, each as the list of its cells.
fn units(kind: SudokuKind) -> Vec<Vec<usize>> {
    let (boxes, side) = (boxes(kind), boxes(kind).len().isqrt());
    let all = 0..side * side;
    let of = |which: &dyn Fn(usize) -> bool| all.clone().filter(|&cell| which(cell)).collect::<Vec<_>>();
    let rows = (0..side).map(|unit| of(&|cell| cell / side == unit));
    let columns = (0..side).map(|unit| of(&|cell| cell % side == unit));
    let boxes = (0..side).map(|unit| of(&|cell| boxes[cell] == unit));
    rows.chain(columns).chain(boxes).collect()
}

/// The sum over units and digits of `max(count - 1, 0)`.
fn repeats(kind: SudokuKind, grid: &[u8]) -> u32 {
    let side = boxes(kind).len().isqrt() as u8;
    let count = |unit: &Vec<usize>, digit| unit.iter().filter(|&&cell| grid[cell] == digit).count() as u32;
    let digits = || FIRST_DIGIT..FIRST_DIGIT + side;
    units(kind)
        .iter()
        .map(|unit| digits().map(|digit| count(unit, digit).saturating_sub(1)).sum::<u32>())
        .sum()
}

#[test]
fn units_are_as_drawn() {
    for (kind, side, rows, columns) in
        [(SudokuKind::Four, 4, 2, 2), (SudokuKind::Six, 6, 2, 3), (SudokuKind::Nine, 9, 3, 3)]
    {
        assert_eq!((kind.side(), kind.box_rows(), kind.box_columns()), (side, rows, columns));
        assert_eq!((Sudoku::new(kind).side(), Sudoku::new(kind).kind()), (side, kind));
        for (cell, square) in boxes(kind).into_iter().enumerate() {
            assert_eq!(kind.units(cell), (cell / side, cell % side, square), "{kind:?}, cell {cell}");
        }
    }
}

#[test]
fn relations_are_the_units_that_two_cells_share() {
    for kind in SudokuKind::ALL {
        let (task, units) = (Sudoku::new(kind), units(kind));
        assert_eq!(task.relations(), 8);
        let share =
            |units: &[Vec<usize>], i, j| units.iter().any(|unit| unit.contains(&i) && unit.contains(&j));
        let sorts: Vec<_> = units.chunks(task.side()).collect();
        for (i, j) in (0..task.cells()).flat_map(|i| (0..task.cells()).map(move |j| (i, j))) {
            let bit = |sort: usize, bit| if share(sorts[sort], i, j) { bit } else { 0 };
            assert_eq!(task.relation(i, j), bit(0, 1) + bit(1, 2) + bit(2, 4), "{kind:?}: {i}, {j}");
        }
    }
}

#[test]
fn tokens_are_a_blank_and_the_digits() {
    for kind in SudokuKind::ALL {
        let task = Sudoku::new(kind);
        let digits = b"123456789".iter().take(task.side());
        let known: Vec<(u8, char)> = (2..).zip(digits.map(|&digit| char::from(digit))).collect();
        for token in 0..=u8::MAX {
            let known = known.iter().find(|known| known.0 == token);
            assert_eq!(task.digit(token), known.map(|_| token - 1), "{token}");
            assert_eq!(task.symbol(token), if token == 1 { Some('.') } else { known.map(|known| known.1) });
            assert!(task.may_be_asked(token), "any cell may be asked");
        }
        for symbol in '\0'..='\u{700}' {
            let known = known.iter().find(|known| known.1 == symbol).map(|known| known.0);
            let expected = if symbol == '.' || symbol == '0' { Some(BLANK) } else { known };
            assert_eq!(task.token(symbol), expected, "{symbol:?}");
        }
        assert_eq!((task.blank(), Task::name(&task)), (BLANK, task.name()));
    }
}

#[test]
fn lengths_and_strays_are_refused_before_contradictions() {
    for kind in SudokuKind::ALL {
        let task = Sudoku::new(kind);
        let (cells, stray) = (task.cells(), task.side() as u8 + 2);
        for length in [0, cells - 1, cells + 1, 65_535] {
            let refusal = Refusal::Length { expected: cells as u16, got: length as u16 };
            assert_eq!(task.refuse(&vec![0; length]), Some(refusal));
        }
        let refusal = Refusal::Length { expected: cells as u16, got: u16::MAX };
        assert_eq!(task.refuse(&vec![BLANK; 70_000]), Some(refusal));
        let mut puzzle = vec![FIRST_DIGIT; cells];
        assert_eq!(task.refuse(&puzzle), Some(Refusal::Contradiction { first: 0, second: 1 }));
        puzzle[cells - 1] = stray;
        let refusal = Refusal::Token { cell: cells as u16 - 1, token: stray };
        assert_eq!(task.refuse(&puzzle), Some(refusal));
        puzzle[2] = 0;
        assert_eq!(task.refuse(&puzzle), Some(Refusal::Token { cell: 2, token: 0 }));
        // the greatest digit is none
        let mut puzzle = vec![BLANK; cells];
        puzzle[0] = stray - 1;
        assert_eq!(task.refuse(&puzzle), None);
    }
}

/// A cell that is not there is one without a digit; of a puzzle, a given that cannot be kept.
#[test]
fn what_is_missing_or_too_much_is_counted() {
    for kind in SudokuKind::ALL {
        let task = Sudoku::new(kind);
        let (answer, blank) = (pattern(kind), vec![BLANK; task.cells()]);
        let more = [&answer[..], &[0; 2]].concat();
        for length in 0..=task.cells() {
            let lacking = (task.cells() - length) as u32;
            assert_eq!(task.violations(&blank, &answer[..length]), Some(lacking));
            assert_eq!(task.violations(&blank[..length], &answer), Some(lacking));
            assert_eq!(task.violations(&blank[..length], &answer[..length]), Some(2 * lacking));
        }
        assert!(task.violations(&blank, &more) >= Some(2));
        assert!(!task.accepts(&[&blank[..], &[BLANK]].concat(), &answer));
    }
}

/// Every line's source is every line equally often, and lines of one group come from one group; the first
/// digit becomes every digit.
#[test]
fn draws_of_larger_groups_reach_every_line_and_digit() {
    for kind in [SudokuKind::Six, SudokuKind::Nine] {
        let (side, rows, columns) = (kind.side(), kind.box_rows(), kind.box_columns());
        let draws = 300 * side;
        let mut rng = Pcg32::new(5, 5);
        let (mut transposed, mut digits) = (0, [0; 9]);
        let (mut rows_from, mut columns_from) = ([[0; 9]; 9], [[0; 9]; 9]);
        for _ in 0..draws {
            let symmetry = SudokuSymmetry::draw(kind, &mut rng);
            transposed += usize::from(symmetry.transposes());
            // Where row and column of a cell come from; of a transposed grid, they are columns and rows.
            let source = |cell| {
                let (row, column, _) = kind.units(symmetry.source(kind, cell));
                if symmetry.transposes() { (column, row) } else { (row, column) }
            };
            let down: Vec<usize> = (0..side).map(|row| source(row * side).0).collect();
            let right: Vec<usize> = (0..side).map(|column| source(column).1).collect();
            for line in 0..side {
                rows_from[line][down[line]] += 1;
                columns_from[line][right[line]] += 1;
            }
            for (lines, group) in [(down, rows), (right, columns)] {
                let together = |lines: &[usize]| lines.iter().all(|line| line / group == lines[0] / group);
                assert!(lines.chunks(group).all(together), "{lines:?}");
            }
            let ones = vec![FIRST_DIGIT; side * side];
            let digit = image(&Sudoku::new(kind), &symmetry, &ones)[0] - FIRST_DIGIT;
            digits[usize::from(digit)] += 1;
        }
        // Expected 300 each, standard deviation 17.
        let even = |counts: &[usize; 9]| counts[..side].iter().all(|count| (220..380).contains(count));
        assert!(rows_from[..side].iter().chain(&columns_from[..side]).chain([&digits]).all(even));
        let half = draws / 2 - 150..draws / 2 + 150;
        assert!(if rows == columns { half.contains(&transposed) } else { transposed == 0 }, "{transposed}");
    }
}

/// Each cell of an image holds its source's token, with its digit relabelled.
#[test]
fn what_a_slice_lacks_is_left_as_it_is() {
    for kind in SudokuKind::ALL {
        let task = Sudoku::new(kind);
        let (side, cells) = (task.side(), task.cells());
        let mut rng = Pcg32::new(6, kind as u64);
        for length in [0, 1, cells - 1, cells, cells + 3] {
            let symmetry = task.draw(&mut rng);
            // the image of a grid that is all the same tells what the token becomes
            let renamed: Vec<u8> =
                (0..=u8::MAX).map(|token| image(&task, &symmetry, &vec![token; cells])[0]).collect();
            let mut digits = renamed[2..2 + side].to_vec();
            digits.sort_unstable();
            assert!(digits.iter().copied().eq(2..2 + side as u8), "a permutation");
            assert!((0..2).chain(2 + side..256).all(|token| usize::from(renamed[token]) == token));
            let grid: Vec<u8> = (0..length).map(|cell| (cell * 7 % 14) as u8).collect();
            let mut out = vec![99; cells + 2];
            task.apply(&symmetry, &grid, &mut out);
            for (cell, &token) in out.iter().enumerate() {
                let source = (cell < cells).then(|| grid.get(symmetry.source(kind, cell))).flatten();
                assert_eq!(token, source.map_or(99, |&token| renamed[usize::from(token)]));
            }
            let mut short = vec![99; length];
            task.apply(&symmetry, &vec![BLANK; cells], &mut short);
            assert!(
                short.iter().enumerate().all(|(cell, &token)| token == if cell < cells { BLANK } else { 99 })
            );
            let mut back = vec![99; cells + 2];
            task.undo(&symmetry, &grid, &mut back);
            let mut expected = vec![99; cells + 2];
            for (cell, token) in grid.iter().enumerate().take(cells) {
                let original = renamed.iter().position(|image| image == token).unwrap();
                expected[symmetry.source(kind, cell)] = original as u8;
            }
            assert_eq!(back, expected);
        }
    }
}

proptest! {
    #[test]
    fn repeats_violations_and_contradictions_equal_their_definitions(
        kind in kinds(),
        seed: u64,
        changes in prop::collection::vec((0usize..81, 0u8..13), 0..12),
    ) {
        let task = Sudoku::new(kind);
        let (puzzle, answer) = random_pair(&task, seed);
        for start in [&puzzle, &answer] {
            let mut grid = start.clone();
            changes.iter().for_each(|&(cell, token)| grid[cell % task.cells()] = token);
            let is_digit = |token: &u8| (2..2 + task.side() as u8).contains(token);
            let givens = grid.iter().filter(|token| is_digit(token)).count();
            prop_assert_eq!(task.givens(&grid), givens);
            let broken = repeats(kind, &grid);
            prop_assert_eq!(task.repeats(&grid), broken);
            prop_assert_eq!(task.energy(&puzzle, &grid), broken);
            let mut violations = broken as usize + task.cells() - givens;
            for (&given, &token) in puzzle.iter().zip(&grid) {
                violations += usize::from(given != BLANK && given != token);
            }
            prop_assert_eq!(task.violations(&puzzle, &grid), Some(violations as u32));
            // strays become blanks: then all that may be refused is a contradiction
            grid.iter_mut().filter(|token| !is_digit(token)).for_each(|token| *token = BLANK);
            let mut pairs = (0..task.cells()).flat_map(|i| (i + 1..task.cells()).map(move |j| (i, j)));
            let units = units(kind);
            let shared = |i, j| units.iter().any(|unit| unit.contains(&i) && unit.contains(&j));
            let first = pairs.find(|&(i, j)| grid[i] != BLANK && grid[i] == grid[j] && shared(i, j));
            let expected = first.map(|(i, j)| Refusal::Contradiction { first: i as u16, second: j as u16 });
            prop_assert_eq!(task.refuse(&grid), expected);
        }
    }
}

/// 4! digit permutations times 2!^3 row times 2!^3 column permutations times the transpose:
/// all distinct, all drawn.
#[test]
fn draws_reach_the_whole_4x4_group_uniformly() {
    const GROUP: usize = 24 * 8 * 8 * 2;
    const PER_ELEMENT: usize = 24;
    let kind = SudokuKind::Four;
    let mut rng = Pcg32::new(3, 3);
    let mut drawn: HashMap<(Vec<usize>, [u8; 4]), usize> = HashMap::new();
    let mut symmetries = HashSet::new();
    for _ in 0..PER_ELEMENT * GROUP {
        let symmetry = SudokuSymmetry::draw(kind, &mut rng);
        symmetries.insert(symmetry);
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
    assert_eq!(symmetries.len(), GROUP, "what does the same is equal");
    assert!(drawn.values().all(|&n| (5..=52).contains(&n)));
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
