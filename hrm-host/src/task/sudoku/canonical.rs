//! One representative of all grids that are the same up to symmetry: the lexicographically smallest.
//!
//! The smallest image of a full grid starts with the row 1 2 3 ... whichever row is moved to the top, so
//! the second row decides: a row that follows the first is a permutation of its columns, and how small it
//! can become under column permutations depends on that permutation alone. A table computed once per size
//! lists, for each such permutation, the smallest second row and the column orders that give it. What
//! remains per grid is one look-up for each ordered pair of rows in a band, and the few candidates that
//! share the smallest second row.

use std::{collections::HashMap, sync::OnceLock};

use hrm_core::task::{
    Task,
    sudoku::{FIRST_DIGIT, MAX_SIDE, MAX_SUDOKU_CELLS, Sudoku, SudokuKind},
};

use crate::task::{self, Form};

/// Canonical forms of one size. Copying it copies a reference.
#[derive(Clone, Copy, Debug)]
pub struct Canonical {
    tables: &'static Tables,
}

/// Columns (or digits) in an order; entries past the side are unused.
type Order = [u8; MAX_SIDE];

#[derive(Debug)]
struct Tables {
    kind: SudokuKind,
    /// For a second row, written as the columns at which the first row has its digits: the smallest row it
    /// can become, and the column orders (new place -> old column) that make it so.
    second_rows: HashMap<u32, (Order, Vec<Order>)>,
}

impl Tables {
    fn of(kind: SudokuKind) -> &'static Tables {
        static TABLES: [OnceLock<Tables>; 3] = [const { OnceLock::new() }; 3];
        TABLES[kind as usize].get_or_init(|| Tables::new(kind))
    }

    fn new(kind: SudokuKind) -> Self {
        let (side, width) = (kind.side(), kind.box_columns());
        let orders = grouped_orders(side, width);
        let mut second_rows: HashMap<u32, (Order, Vec<Order>)> = HashMap::new();
        let mut visit = |row: &Order| {
            if second_rows.contains_key(&code(row, side)) {
                return;
            }
            // Conjugating by every column order visits the whole class of `row`; its smallest
            // member is the form of all.
            let smallest = orders.iter().map(|order| reordered(row, order, side)).min().unwrap_or(*row);
            for order in &orders {
                let member = reordered(&smallest, order, side);
                let back = inverse(order, side);
                second_rows.entry(code(&member, side)).or_insert((smallest, Vec::new())).1.push(back);
            }
        };
        let mut row = [0; MAX_SIDE];
        each_second_row(&mut row, 0, side, width, &mut visit);
        Tables { kind, second_rows }
    }
}

/// `row[column]` under the column order `order`: place `p` takes column `order[p]`, and
/// values are renamed alike.
fn reordered(row: &Order, order: &Order, side: usize) -> Order {
    let place = inverse(order, side);
    let mut out = [0; MAX_SIDE];
    for (to, &from) in out.iter_mut().zip(order).take(side) {
        *to = place[usize::from(row[usize::from(from)])];
    }
    out
}

fn inverse(order: &Order, side: usize) -> Order {
    let mut out = [0; MAX_SIDE];
    for (place, &from) in order.iter().enumerate().take(side) {
        out[usize::from(from)] = place as u8;
    }
    out
}

fn code(row: &Order, side: usize) -> u32 {
    row[..side].iter().fold(0, |code, &value| code * 9 + u32::from(value))
}

/// All orders of `side` lines that keep groups of `group` lines together.
fn grouped_orders(side: usize, group: usize) -> Vec<Order> {
    let within = permutations(group);
    let mut orders = Vec::new();
    for groups in permutations(side / group) {
        let mut partial = vec![Vec::new()];
        for first in groups {
            let extend = |start: &Vec<u8>, lines: &Vec<u8>| {
                start.iter().copied().chain(lines.iter().map(|line| first * group as u8 + line)).collect()
            };
            partial = partial
                .iter()
                .flat_map(|start| within.iter().map(move |lines| extend(start, lines)))
                .collect();
        }
        for lines in partial {
            let mut order = [0; MAX_SIDE];
            order[..side].copy_from_slice(&lines);
            orders.push(order);
        }
    }
    orders
}

fn permutations(n: usize) -> Vec<Vec<u8>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(n - 1) {
        for place in 0..n {
            let mut longer = shorter.clone();
            longer.insert(place, n as u8 - 1);
            all.push(longer);
        }
    }
    all
}

/// Every row that may stand below 0 1 2 ... in the same band: no digit stays in its box.
fn each_second_row(
    row: &mut Order,
    filled: usize,
    side: usize,
    width: usize,
    visit: &mut impl FnMut(&Order),
) {
    if filled == side {
        return visit(row);
    }
    for value in 0..side as u8 {
        if usize::from(value) / width != filled / width && !row[..filled].contains(&value) {
            row[filled] = value;
            each_second_row(row, filled + 1, side, width, visit);
        }
    }
}

/// A grid as digits from 0, and its image being built: which cell each place takes,
/// and each digit's new name.
struct Grid {
    digits: [u8; MAX_SUDOKU_CELLS],
    side: usize,
}

/// A map to an image: rows, columns and digits (old -> new) of the possibly transposed grid.
struct Map {
    transposed: bool,
    rows: Order,
    columns: Order,
    digits: Order,
}

impl Grid {
    fn at(&self, transposed: bool, row: u8, column: u8) -> u8 {
        let (row, column) = (usize::from(row), usize::from(column));
        self.digits[if transposed { column * self.side + row } else { row * self.side + column }]
    }
}

impl Canonical {
    /// Canonical forms of grids of this size. The first use of a size computes its
    /// table (some 10 ms for 9x9).
    pub fn new(task: Sudoku) -> Self {
        Canonical { tables: Tables::of(task.kind()) }
    }

    /// The form of `question` with its `answer`, which must be a valid full grid (it is, in a checked set).
    ///
    /// Two puzzles have equal forms exactly where a symmetry maps question to question and answer to answer;
    /// answers alone likewise have equal [`Form::answer`].
    pub fn form(&self, question: &[u8], answer: &[u8]) -> Form {
        let (kind, side) = (self.tables.kind, self.tables.kind.side());
        let cells = side * side;
        let mut grid = Grid { digits: [0; MAX_SUDOKU_CELLS], side };
        for (digit, token) in grid.digits.iter_mut().zip(answer) {
            *digit = token.saturating_sub(FIRST_DIGIT).min(side as u8 - 1);
        }
        let mut best = Form { answer: vec![u8::MAX; cells], question: Vec::new() };
        let mut image = Vec::with_capacity(cells);
        self.each_smallest(&grid, |map| {
            image.clear();
            for row in &map.rows[..side] {
                for column in &map.columns[..side] {
                    let digit = grid.at(map.transposed, *row, *column);
                    image.push(map.digits[usize::from(digit)] + FIRST_DIGIT);
                }
            }
            if image > best.answer {
                return;
            }
            let mapped = mapped_question(question, &map, kind);
            if image < best.answer || mapped < best.question {
                best.answer.clone_from(&image);
                best.question = mapped;
            }
        });
        best
    }

    /// Calls `visit` with every map whose image has the smallest possible second row.
    fn each_smallest(&self, grid: &Grid, mut visit: impl FnMut(Map)) {
        let kind = self.tables.kind;
        let (side, height) = (kind.side(), kind.box_rows());
        let transposes = if height == kind.box_columns() { &[false, true][..] } else { &[false] };
        let mut pairs = Vec::new();
        let mut smallest = [u8::MAX; MAX_SIDE];
        for &transposed in transposes {
            for first in 0..side {
                let band = first / height * height;
                for second in (band..band + height).filter(|&second| second != first) {
                    let (first, second) = (first as u8, second as u8);
                    let mut column_of = [0; MAX_SIDE];
                    for column in 0..side as u8 {
                        column_of[usize::from(grid.at(transposed, first, column))] = column;
                    }
                    let mut row = [0; MAX_SIDE];
                    for column in 0..side as u8 {
                        row[usize::from(column)] =
                            column_of[usize::from(grid.at(transposed, second, column))];
                    }
                    let Some((form, orders)) = self.tables.second_rows.get(&code(&row, side)) else {
                        continue;
                    };
                    if *form < smallest {
                        smallest = *form;
                        pairs.clear();
                    }
                    if *form == smallest {
                        pairs.push((transposed, first, second, orders));
                    }
                }
            }
        }
        for (transposed, first, second, orders) in pairs {
            for columns in orders {
                visit(complete(grid, kind, transposed, [first, second], columns));
            }
        }
    }
}

impl task::Canonical for Canonical {
    fn form(&self, question: &[u8], answer: &[u8]) -> Form {
        self.form(question, answer)
    }
}

/// The map that puts `top` in the first two rows and `columns` in order; every other row's place follows.
fn complete(grid: &Grid, kind: SudokuKind, transposed: bool, top: [u8; 2], columns: &Order) -> Map {
    let (side, height) = (kind.side(), kind.box_rows());
    let mut digits = [0; MAX_SIDE];
    for (place, &column) in columns.iter().enumerate().take(side) {
        digits[usize::from(grid.at(transposed, top[0], column))] = place as u8;
    }
    let lead = |row: &u8| digits[usize::from(grid.at(transposed, *row, columns[0]))];
    let mut rows: Vec<u8> = (0..side as u8).collect();
    let mut bands: Vec<&mut [u8]> = rows.chunks_mut(height).collect();
    for band in &mut bands {
        // In the top band the pair comes first, elsewhere the leading digit decides.
        band.sort_by_key(|row| match top.iter().position(|known| known == row) {
            Some(place) => place as u8,
            None => 2 + lead(row),
        });
    }
    bands.sort_by_key(|band| if band[0] == top[0] { 0 } else { 2 + lead(&band[0]) });
    let mut ordered = [0; MAX_SIDE];
    for (place, row) in ordered.iter_mut().zip(bands.iter().flat_map(|band| band.iter())) {
        *place = *row;
    }
    Map { transposed, rows: ordered, columns: *columns, digits }
}

fn mapped_question(question: &[u8], map: &Map, kind: SudokuKind) -> Vec<u8> {
    let (task, side) = (Sudoku::new(kind), kind.side());
    let mut out = Vec::with_capacity(task.cells());
    for &row in &map.rows[..side] {
        for &column in &map.columns[..side] {
            let (row, column) = (usize::from(row), usize::from(column));
            let cell = if map.transposed { column * side + row } else { row * side + column };
            let token = question.get(cell).copied().unwrap_or(0);
            let renamed = |digit: u8| map.digits[usize::from(digit) - 1] + FIRST_DIGIT;
            out.push(task.digit(token).map_or(token, renamed));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use hrm_core::task::sudoku::BLANK;
    use proptest::prelude::*;
    use rand_pcg::Pcg64;

    use super::*;
    use crate::data::generate::{Recipe, generate};
    use crate::task::sudoku::exact::Exact;

    #[test]
    fn group_orders_are_counted_right() {
        for (side, group, expected) in [(4, 2, 8), (6, 3, 72), (6, 2, 48), (9, 3, 1296)] {
            let orders: HashSet<Order> = grouped_orders(side, group).into_iter().collect();
            assert_eq!(orders.len(), expected);
        }
    }

    /// 4x4 has 2 essentially different grids, the classes being known to hold 96 and 192 of the 288.
    #[test]
    fn classes_of_4x4_grids() {
        let task = Sudoku::new(SudokuKind::Four);
        let mut sizes: HashMap<Vec<u8>, usize> = HashMap::new();
        for grid in Exact::new(task).search(&[BLANK; 16], 1000).solutions {
            *sizes.entry(Canonical::new(task).form(&grid, &grid).answer).or_default() += 1;
        }
        let mut sizes: Vec<usize> = sizes.into_values().collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [96, 192]);
    }

    /// 6x6 with 2x3 boxes has 49 essentially different grids without the transpose between 2x3 and 3x2.
    #[test]
    fn classes_of_6x6_grids() {
        let task = Sudoku::new(SudokuKind::Six);
        let mut puzzle = [BLANK; 36];
        for (digit, cell) in puzzle[..6].iter_mut().enumerate() {
            *cell = FIRST_DIGIT + digit as u8;
        }
        let canonical = Canonical::new(task);
        let forms: HashSet<Vec<u8>> = Exact::new(task)
            .search(&puzzle, usize::MAX)
            .solutions
            .iter()
            .map(|grid| canonical.form(grid, grid).answer)
            .collect();
        assert_eq!(forms.len(), 49);
    }

    /// Against the smallest of all 3,072 images.
    #[test]
    fn equals_brute_force_on_4x4() {
        let task = Sudoku::new(SudokuKind::Four);
        let recipe = Recipe { task: task.into(), count: 30, seed: 1, givens: None };
        for puzzle in generate(&recipe, |_| {}).expect("puzzles").iter() {
            let mut rng = Pcg64::new(1, 1);
            let mut best: Option<(Vec<u8>, Vec<u8>)> = None;
            // 40,000 draws reach all 3,072 elements but for a chance of 3072 * exp(-13) < 1 %.
            for _ in 0..60_000 {
                let symmetry = task.draw(&mut rng);
                let (mut answer, mut question) = (vec![0; 16], vec![0; 16]);
                task.apply(&symmetry, puzzle.answer, &mut answer);
                task.apply(&symmetry, puzzle.question, &mut question);
                if best.as_ref().is_none_or(|best| (&answer, &question) < (&best.0, &best.1)) {
                    best = Some((answer, question));
                }
            }
            let form = Canonical::new(task).form(puzzle.question, puzzle.answer);
            assert_eq!(Some((form.answer, form.question)), best);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn symmetries_keep_the_form(kind in prop::sample::select(SudokuKind::ALL.to_vec()), seed: u64) {
            let task = Sudoku::new(kind);
            let recipe = Recipe { task: task.into(), count: 1, seed, givens: None };
            let set = generate(&recipe, |_| {}).expect("a puzzle");
            let form = Canonical::new(task).form(set.question(0), set.answer(0));
            prop_assert!(task.accepts(&form.question, &form.answer));
            prop_assert_eq!(task.givens(&form.question), task.givens(set.question(0)));
            let mut rng = Pcg64::new(u128::from(seed), 9);
            for _ in 0..20 {
                let symmetry = task.draw(&mut rng);
                let (mut answer, mut question) = (vec![0; task.cells()], vec![0; task.cells()]);
                task.apply(&symmetry, set.answer(0), &mut answer);
                task.apply(&symmetry, set.question(0), &mut question);
                prop_assert_eq!(&Canonical::new(task).form(&question, &answer), &form);
            }
        }
    }
}
