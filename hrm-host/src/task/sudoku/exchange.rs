//! Second solutions without a search: most differ from the answer by two digits that change places in part of the grid, or by
//! parts of two rows (or columns) of a band that do. Such parts are found in the answer: none of their cells is given.

use hrm_core::task::{
    Task,
    sudoku::{BLANK, Sudoku},
};

/// Another answer to `question`, made of `answer` by one exchange.
pub(super) fn exchange(task: Sudoku, question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let found =
        exchanged_digits(task, question, answer).or_else(|| exchanged_lines(task, question, answer))?;
    task.accepts(question, &found).then_some(found)
}

/// Two digits change places in some rows. Rows must go together where they share a column or a box of such cells.
fn exchanged_digits(task: Sudoku, question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let (kind, side) = (task.kind(), task.side());
    // By digit: column and box in each row, row in each column and box, and the rows in which its cell is given.
    let mut unit = [[[0u8; 2]; 10]; 10];
    let mut row_of = [[[0u8; 10]; 2]; 10];
    let mut given = [0u16; 10];
    for (cell, (&token, &asked)) in answer.iter().zip(question).enumerate() {
        let digit = usize::from(task.digit(token)?);
        let (row, column, square) = kind.units(cell);
        unit[digit][row] = [column as u8, square as u8];
        row_of[digit][0][column] = row as u8;
        row_of[digit][1][square] = row as u8;
        given[digit] |= u16::from(asked != BLANK) << row;
    }
    for a in 1..=side {
        for b in a + 1..=side {
            let bound_to = |row: usize| {
                let [here, there] = [(a, b), (b, a)].map(|(one, other)| {
                    let [column, square] = unit[one][row].map(usize::from);
                    1 << row_of[other][0][column] | 1 << row_of[other][1][square]
                });
                here | there
            };
            let rows = closed(all(side) & !given[a] & !given[b], bound_to);
            if rows != 0 {
                let other = |(cell, &token): (usize, &u8)| match task.digit(token).map(usize::from) {
                    Some(digit) if rows >> (cell / side) & 1 == 1 && digit == a => token + (b - a) as u8,
                    Some(digit) if rows >> (cell / side) & 1 == 1 && digit == b => token - (b - a) as u8,
                    _ => token,
                };
                return Some(answer.iter().enumerate().map(other).collect());
            }
        }
    }
    None
}

/// Two rows of a band, or columns of a stack, change places over part of their length. Cells must go together where they
/// hold the same digit.
fn exchanged_lines(task: Sudoku, question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let (kind, side) = (task.kind(), task.side());
    for (band, along, across) in [(kind.box_rows(), 1, side), (kind.box_columns(), side, 1)] {
        let cell = |line: usize, place: usize| line * across + place * along;
        let open = |line: usize| {
            let blank = |place: &usize| question[cell(line, *place)] == BLANK;
            (0..side).filter(blank).fold(0u16, |open, place| open | 1 << place)
        };
        let digit_at = |line, place| task.digit(answer[cell(line, place)]).map_or(0, usize::from);
        let place_of = |line: usize| {
            let mut places = [0u8; 10];
            (0..side).for_each(|place| places[digit_at(line, place)] = place as u8);
            places
        };
        for first in 0..side {
            for second in first + 1..(first / band + 1) * band {
                let open = open(first) & open(second);
                if open.count_ones() < 2 {
                    continue;
                }
                let (of_first, of_second) = (place_of(first), place_of(second));
                let bound_to = |place: usize| {
                    1 << of_first[digit_at(second, place)] | 1 << of_second[digit_at(first, place)]
                };
                let places = closed(open, bound_to);
                if places != 0 {
                    let mut other = answer.to_vec();
                    let chosen = (0..side).filter(|place| places >> place & 1 == 1);
                    chosen.for_each(|place| other.swap(cell(first, place), cell(second, place)));
                    return Some(other);
                }
            }
        }
    }
    None
}

fn all(side: usize) -> u16 {
    (1 << side) - 1
}

/// The lines of the bit mask `open` that are bound, directly or through others, to open lines only.
fn closed(mut open: u16, bound_to: impl Fn(usize) -> u16) -> u16 {
    loop {
        let mut kept = open;
        let mut left = open;
        while left != 0 {
            let line = left.trailing_zeros() as usize;
            left &= left - 1;
            if bound_to(line) & !open != 0 {
                kept &= !(1 << line);
            }
        }
        if kept == open {
            return open;
        }
        open = kept;
    }
}
