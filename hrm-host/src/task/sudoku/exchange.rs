//! Second solutions without a search: most differ from the answer by two digits that change places in part of
//! the grid, or by parts of two rows (or columns) of a band that do. Such parts are found in the answer: none
//! of their cells is given.

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

/// Two digits change places in some rows. Rows must go together where they share a
/// column or a box of such cells.
fn exchanged_digits(task: Sudoku, question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let (kind, side) = (task.kind(), task.side());
    // By digit: column and box in each row, row (as a bit) in each column and box, and the rows in
    // which its cell is given.
    let mut unit = [[[0u8; 2]; 10]; 10];
    let mut row_of = [[[0u16; 10]; 2]; 10];
    let mut given = [0u16; 10];
    for (cell, (&token, &asked)) in answer.iter().zip(question).enumerate() {
        let digit = usize::from(task.digit(token)?);
        let (row, column, square) = kind.units(cell);
        unit[digit][row] = [column as u8, square as u8];
        row_of[digit][0][column] = 1 << row;
        row_of[digit][1][square] = 1 << row;
        given[digit] |= u16::from(asked != BLANK) << row;
    }
    for a in 1..=side {
        for b in a + 1..=side {
            let open = all(side) & !given[a] & !given[b];
            // A row alone never goes.
            if open & open.wrapping_sub(1) == 0 {
                continue;
            }
            let bound_to = |row: usize| {
                let [in_column, in_square] = unit[a][row].map(usize::from);
                let here = row_of[b][0][in_column] | row_of[b][1][in_square];
                let [in_column, in_square] = unit[b][row].map(usize::from);
                here | row_of[a][0][in_column] | row_of[a][1][in_square]
            };
            let rows = closed(open, bound_to);
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

/// Two rows of a band, or columns of a stack, change places over part of their length. Cells must go together
/// where they hold the same digit.
fn exchanged_lines(task: Sudoku, question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let (kind, side) = (task.kind(), task.side());
    for (band, along, across) in [(kind.box_rows(), 1, side), (kind.box_columns(), side, 1)] {
        let cell = |line: usize, place: usize| line * across + place * along;
        // By line: its blanks, its digits by place, and where (as a bit) each digit is.
        let (mut open, mut digits, mut place_of) = ([0u16; 9], [[0u8; 9]; 9], [[0u16; 10]; 9]);
        for line in 0..side {
            for (place, own) in digits[line].iter_mut().enumerate().take(side) {
                let cell = cell(line, place);
                let digit = task.digit(answer[cell]).unwrap_or(0);
                open[line] |= u16::from(question[cell] == BLANK) << place;
                *own = digit;
                place_of[line][usize::from(digit)] = 1 << place;
            }
        }
        for first in 0..side {
            for second in first + 1..(first / band + 1) * band {
                let open = open[first] & open[second];
                if open & open.wrapping_sub(1) == 0 {
                    continue;
                }
                let bound_to = |place: usize| {
                    place_of[first][usize::from(digits[second][place])]
                        | place_of[second][usize::from(digits[first][place])]
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
        let before = open;
        let mut left = open;
        while left != 0 {
            let line = left.trailing_zeros() as usize;
            left &= left - 1;
            // What goes is no longer open to those that follow.
            if bound_to(line) & !open != 0 {
                open &= !(1 << line);
            }
        }
        if open == before || open == 0 {
            return open;
        }
    }
}
