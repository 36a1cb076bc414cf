extern crate std;

use core::convert::Infallible;
use std::{string::ToString, vec, vec::Vec};

use rand_core::TryRng;
use rand_pcg::Pcg32;

use super::draw::{below, shuffle};
use super::maze::Maze;
use super::sudoku::Sudoku;
use super::*;
use crate::Shape;
use crate::lane::LaneWidth;
use crate::pack::SecondHead;

/// A generator that gives these numbers, and counts how many were taken.
struct Given<F>(F, u32);

impl<F: Fn(u32) -> u32> TryRng for Given<F> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.1 += 1;
        Ok(self.0(self.1 - 1))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("a draw takes 32 bits");
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        panic!("a draw takes 32 bits");
    }
}

#[test]
fn a_draw_is_the_number_s_share_of_the_bound() {
    for (number, bound, expected) in [
        (0, 10, 0),
        (u32::MAX, 10, 9),
        (1 << 31, 10, 5),
        ((1 << 31) - 1, 10, 4),
        (u32::MAX, u32::MAX, u32::MAX - 1),
        (1 << 31, u32::MAX, (1 << 31) - 1),
        (u32::MAX, 1, 0),
        (u32::MAX, 0, 0),
    ] {
        let mut rng = Given(|_| number, 0);
        assert_eq!(below(&mut rng, bound), expected, "{number} of {bound}");
        assert_eq!(rng.1, 1, "one number, whatever the bound");
    }
}

#[test]
fn a_shuffle_exchanges_from_the_end() {
    // The greatest number leaves every item where it is; 0 takes each last one to the front.
    for (number, expected) in [(u32::MAX, [1, 2, 3, 4]), (0, [2, 3, 4, 1]), (1 << 31, [1, 4, 2, 3])] {
        let mut rng = Given(|_| number, 0);
        let mut items = [1, 2, 3, 4];
        shuffle(&mut rng, &mut items);
        assert_eq!((items, rng.1), (expected, 3), "{number}");
    }
    for length in [0, 1] {
        let mut rng = Given(|_| panic!("nothing to draw"), 0);
        shuffle(&mut rng, &mut vec![7; length]);
    }
}

/// What a task has that says no more than it must: cells `a`, `b` and `?`, and no rule.
#[derive(Clone)]
struct Letters;

impl Task for Letters {
    type Symmetry = ();
    type Grid = [u8; 6];

    fn named(name: &str) -> Option<Self> {
        (name == "letters").then_some(Letters)
    }
    fn name(&self) -> &str {
        "letters"
    }
    fn dims(&self) -> (usize, usize) {
        (2, 3)
    }
    fn grid(&self) -> [u8; 6] {
        [0; 6]
    }
    fn vocab(&self) -> usize {
        3
    }
    fn blank(&self) -> u8 {
        1
    }
    fn symbol(&self, token: u8) -> Option<char> {
        [None, Some('a'), Some('b'), Some('c')].get(usize::from(token)).copied().flatten()
    }
    fn relations(&self) -> usize {
        1
    }
    fn relation(&self, _: usize, _: usize) -> u8 {
        0
    }
    fn refuse(&self, _: &[u8]) -> Option<Refusal> {
        None
    }
    /// As many as the first cell says; unknown where there is none.
    fn violations(&self, _: &[u8], grid: &[u8]) -> Option<u32> {
        grid.first().map(|&token| u32::from(token))
    }
    fn identity(&self) {}
    fn perturbation(&self, _: usize) {}
    fn perturbations(&self) -> usize {
        1
    }
    fn draw<R: Rng>(&self, _: &mut R) {}
    fn apply(&self, (): &(), _: &[u8], _: &mut [u8]) {}
    fn undo(&self, (): &(), _: &[u8], _: &mut [u8]) {}
}

#[test]
fn what_a_task_does_not_say_follows_from_what_it_says() {
    let task = Letters;
    assert_eq!(task.cells(), 6);
    for (symbol, token) in [('a', Some(1)), ('b', Some(2)), ('c', None), ('?', None), (' ', None)] {
        assert_eq!(task.token(symbol), token, "{symbol}: a token is below the vocabulary");
    }
    for token in [0, 1, 2, 255] {
        assert!(task.may_be_asked(token));
    }
    assert_eq!([&[0][..], &[3], &[]].map(|grid| task.accepts(&[], grid)), [true, false, false]);
    assert_eq!([&[0][..], &[3], &[]].map(|grid| task.energy(&[], grid)), [0, 3, 0]);
}

#[test]
fn texts_are_read_a_character_a_cell() {
    let mut out = [9; 6];
    assert_eq!(Letters.parse("abbaab", &mut out), Ok(()));
    assert_eq!(out, [1, 2, 2, 1, 1, 2]);
    assert_eq!(Letters.text(&[1, 2, 0, 3, 255]).to_string(), "ab?c?");
    assert_eq!(Letters.text(&[]).to_string(), "");
    let length = |got| Err(TextError::Length { expected: 6, got });
    for (text, cells, expected) in [
        ("", 6, length(0)),
        ("abaab", 6, length(5)),
        ("abaabab", 6, length(7)),
        // right as a text, and no room or too much of it
        ("abaaba", 5, length(5)),
        ("abaaba", 7, length(7)),
        // both: the text's length is told
        ("abaabab", 7, length(7)),
        ("ab", 5, length(2)),
        // a strange character is told first, wherever it is
        ("abxab", 6, Err(TextError::Character { position: 2, found: 'x' })),
        ("abaabaax", 6, Err(TextError::Character { position: 7, found: 'x' })),
        ("c", 6, Err(TextError::Character { position: 0, found: 'c' })),
    ] {
        assert_eq!(Letters.parse(text, &mut vec![0; cells]), expected, "{text:?}, {cells} cells");
    }
    let far = ["a".repeat(65_534), "a".repeat(65_535), "a".repeat(70_000)];
    for (text, position) in far.iter().zip([65_534, 65_535, 65_535]) {
        let strange = [text, "x"].concat();
        let error = Err(TextError::Character { position, found: 'x' });
        assert_eq!(Letters.parse(&strange, &mut [0; 6]), error);
        assert_eq!(Letters.parse(text, &mut [0; 6]), length(position));
    }
}

#[test]
fn refusals_and_text_errors_count_from_one() {
    for (refusal, text) in [
        (Refusal::Length { expected: 16, got: 3 }, "the puzzle has 3 cells where 16 are needed"),
        (Refusal::Token { cell: 0, token: 9 }, "cell 1 holds token 9, which no puzzle may hold"),
        (Refusal::Token { cell: u16::MAX, token: 0 }, "cell 65536 holds token 0, which no puzzle may hold"),
        (Refusal::Contradiction { first: 4, second: 7 }, "the givens at cells 5 and 8 contradict each other"),
        (Refusal::Count { token: 3, found: 2 }, "2 cells hold token 3, and one is needed"),
        (Refusal::Impossible, "the puzzle has no answer"),
    ] {
        assert_eq!(refusal.to_string(), text);
    }
    for (error, text) in [
        (TextError::Length { expected: 16, got: 3 }, "16 characters expected and 3 found"),
        (TextError::Character { position: 0, found: 'x' }, "character 1 is 'x', which stands for no cell"),
        (
            TextError::Character { position: u16::MAX, found: '\n' },
            "character 65536 is '\\n', which stands for no cell",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

/// Tells the name of the task that it is handed.
struct Name;

impl Visitor for Name {
    type Output = Vec<u8>;

    fn visit<T: Task>(self, task: T) -> Vec<u8> {
        task.name().as_bytes().to_vec()
    }
}

fn shape(cells: u16, vocab: u16) -> Shape {
    Shape {
        cells,
        vocab,
        width: 16,
        heads: 1,
        inner: 16,
        h_layers: 1,
        l_layers: 1,
        h_cycles: 1,
        l_cycles: 1,
        segments: 1,
        members: 1,
        shared_levels: false,
        rope: false,
        learned_positions: false,
        relations: 0,
        second_head: SecondHead::None,
        lanes: LaneWidth::I16,
    }
}

#[test]
fn tasks_are_found_by_their_names_in_a_list() {
    type Own = (Letters, (Maze, ()));
    let own = |name| Own::visit(name, Name).ok();
    let all = |name| All::visit(name, Name).ok();
    let on_boards = |name| OnBoards::visit(name, Name).ok();
    let found = |name: &str| Some(name.as_bytes().to_vec());
    for (name, in_own, in_all, in_boards) in [
        ("letters", true, false, false),
        ("maze3x4", true, true, false),
        ("sudoku6", false, true, true),
        ("sudoku7", false, false, false),
        ("", false, false, false),
    ] {
        assert_eq!(own(name), in_own.then(|| found(name)).flatten(), "{name}");
        assert_eq!(all(name), in_all.then(|| found(name)).flatten(), "{name}");
        assert_eq!(on_boards(name), in_boards.then(|| found(name)).flatten(), "{name}");
    }
    assert!(<() as Tasks>::visit("letters", Name).is_err());
}

#[test]
fn a_task_is_visited_by_a_model_of_its_size_only() {
    let fits = |name, cells, vocab| visit::<All, _>(name, &shape(cells, vocab), Name).ok();
    assert_eq!(fits("sudoku4", 16, 6), Some(b"sudoku4".to_vec()));
    assert_eq!(fits("maze3x5", 15, 6), Some(b"maze3x5".to_vec()));
    assert_eq!(fits("sudoku4", 15, 6), None);
    assert_eq!(fits("sudoku4", 16, 7), None);
    assert_eq!(fits("sudoku9", 16, 6), None);
    assert_eq!(fits("letters", 6, 3), None, "not in the list");
}

#[test]
fn every_place_is_drawn_as_often_as_any_other() {
    let mut rng = Pcg32::new(4, 1);
    let mut there = [[0u32; 5]; 5];
    for _ in 0..5000 {
        let mut items = [0, 1, 2, 3, 4];
        shuffle(&mut rng, &mut items);
        items.iter().enumerate().for_each(|(place, &item)| there[place][item] += 1);
    }
    // Expected 1000 each, standard deviation 28.
    assert!(there.iter().flatten().all(|count| (860..1140).contains(count)), "{there:?}");
}

#[test]
fn the_tasks_of_this_crate_say_what_a_pack_needs() {
    fn check<T: Task>(task: &T, rows: usize, columns: usize, vocab: usize) {
        assert_eq!((task.dims(), task.cells(), task.vocab()), ((rows, columns), rows * columns, vocab));
        assert!(task.cells() <= task.grid().as_ref().len());
        assert!(task.grid().as_ref().iter().all(|&token| token == 0), "padding");
        let tokens = (0..=u8::MAX).filter(|&token| task.symbol(token).is_some());
        assert!(tokens.eq(1..vocab as u8), "every token but padding has a symbol, and no other");
        for token in 1..vocab as u8 {
            assert_eq!(task.token(task.symbol(token).unwrap()), Some(token));
        }
        assert!((1..vocab).contains(&usize::from(task.blank())));
        assert_eq!(T::named(task.name()).map(|same| same.name().to_string()), Some(task.name().to_string()));
    }
    for (name, side) in [("sudoku4", 4), ("sudoku6", 6), ("sudoku9", 9)] {
        check(&Sudoku::named(name).unwrap(), side, side, side + 2);
    }
    check(&Maze::named("maze3x20").unwrap(), 3, 20, 6);
    check(&Maze::named("maze30x30").unwrap(), 30, 30, 6);
}
