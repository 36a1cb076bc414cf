//! The rows of the running batch: which puzzle each is working on, since how many
//! segments, and when it is done.

use hrm_core::pack::SecondHead;
use hrm_core::task::draw::below;
use rand_core::Rng;

use super::draw::chance;
use super::suppose::Supposed;

/// The batch's puzzles and counters. A row that is done is refilled before the next
/// segment (continuous batching).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Cells per row.
    pub cells: usize,
    /// The puzzles, (rows, cells).
    pub puzzles: Vec<u8>,
    /// The answers, (rows, cells).
    pub labels: Vec<u8>,
    /// Segments taken on the current puzzle.
    pub segments: Vec<u32>,
    /// Segments to take at least on the current puzzle.
    pub at_least: Vec<u32>,
    /// 1 where the row wants a new puzzle.
    pub done: Vec<u8>,
    /// 1 where the current puzzle was eased.
    pub eased: Vec<u8>,
    /// The training row that the current puzzle was made of; [`UNKNOWN`] where that was not kept.
    pub source: Vec<u32>,
    /// 1 where the row is done with its puzzle without having solved it.
    pub unsolved: Vec<u8>,
    /// What is supposed in the current puzzle.
    pub supposed: Vec<Supposed>,
}

/// [`Rows::source`] of a puzzle that cannot be drawn again.
pub const UNKNOWN: u32 = u32::MAX;

/// What a row was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The training row.
    pub source: u32,
    /// Whether some of its blanks were filled in.
    pub eased: bool,
}

/// When a row stops thinking about its puzzle during training.
#[derive(Clone, Copy, Debug)]
pub struct HaltRule {
    /// Segments after which every row stops.
    pub max: u32,
    /// The same of rows in whose puzzle something is supposed.
    pub max_supposed: u32,
    /// Probability that a row must first reach U{2..max} segments.
    pub exploration: f64,
    /// Whether that draw is made once per puzzle instead of at every segment.
    pub once: bool,
}

/// Whether a model wants to stop, from its halting logits: halt above continue, or above 0 where
/// there is no continue head.
pub fn wants_to_stop(q: &[f32], second: SecondHead) -> bool {
    match (q, second) {
        (&[q_halt, q_continue], SecondHead::Continue) => q_halt > q_continue,
        (&[q_halt, ..], _) => q_halt > 0.0,
        ([], _) => false,
    }
}

impl HaltRule {
    /// Segments to take at least: U{2..max} with the exploration probability, else 0.
    pub fn draw<R: Rng>(&self, rng: &mut R) -> u32 {
        if chance(rng, self.exploration) && self.max >= 2 { 2 + below(rng, self.max - 1) } else { 0 }
    }

    /// Whether a row stops after `segments` segments: at the maximum, or where it wants to
    /// and has taken `at_least`.
    pub fn stops(&self, segments: u32, wants_to_stop: bool, at_least: u32, supposed: Supposed) -> bool {
        let max = if supposed == Supposed::Nothing { self.max } else { self.max_supposed };
        segments >= max || (wants_to_stop && segments >= at_least)
    }
}

impl Rows {
    /// `rows` rows that all want a puzzle.
    pub fn new(rows: usize, cells: usize) -> Self {
        Self {
            cells,
            puzzles: vec![0; rows * cells],
            labels: vec![0; rows * cells],
            segments: vec![0; rows],
            at_least: vec![0; rows],
            done: vec![1; rows],
            eased: vec![0; rows],
            source: vec![UNKNOWN; rows],
            unsolved: vec![0; rows],
            supposed: vec![Supposed::Nothing; rows],
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.done.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// Gives every row that is done a new puzzle: `draw` gets the training row that it has failed to solve,
    /// if any, writes puzzle and label and tells what they are. Returns which rows began anew.
    pub fn refill(&mut self, mut draw: impl FnMut(Option<u32>, &mut [u8], &mut [u8]) -> Drawn) -> Vec<bool> {
        let fresh: Vec<bool> = self.done.iter().map(|&d| d != 0).collect();
        let grids = self.puzzles.chunks_exact_mut(self.cells).zip(self.labels.chunks_exact_mut(self.cells));
        for (row, (puzzle, label)) in grids.enumerate() {
            if fresh[row] {
                let failed = self.unsolved[row] != 0 && self.source[row] != UNKNOWN;
                let drawn = draw(failed.then_some(self.source[row]), puzzle, label);
                self.source[row] = drawn.source;
                self.eased[row] = u8::from(drawn.eased);
                self.unsolved[row] = 0;
                self.supposed[row] = Supposed::Nothing;
                self.segments[row] = 0;
                self.done[row] = 0;
            }
        }
        fresh
    }

    /// Spreads the rows' segment counts evenly over `0..max`, so that they are not refilled all at once.
    pub fn stagger(&mut self, max: u32) {
        let rows = self.len() as u64;
        for (row, segments) in self.segments.iter_mut().enumerate() {
            *segments = (row as u64 * u64::from(max) / rows) as u32;
        }
    }

    /// Counts one segment for every row and marks those that are done; `wants_to_stop` is the model's wish by
    /// row, `solved` tells where its answer is right.
    pub fn advance<R: Rng>(
        &mut self,
        wants_to_stop: impl Fn(usize) -> bool,
        solved: impl Fn(usize) -> bool,
        rule: HaltRule,
        rng: &mut R,
    ) {
        for row in 0..self.len() {
            // The first segment of a puzzle, or every one, draws how many more there must be.
            if !rule.once || self.segments[row] == 0 {
                self.at_least[row] = rule.draw(rng);
            }
            self.segments[row] = self.segments[row].saturating_add(1);
            let done =
                rule.stops(self.segments[row], wants_to_stop(row), self.at_least[row], self.supposed[row]);
            self.done[row] = u8::from(done);
            self.unsolved[row] = u8::from(done && !solved(row));
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;

    #[test]
    fn only_rows_that_are_done_are_refilled() {
        let mut rows = Rows::new(3, 2);
        let mut next = 10u8;
        let mut failures = Vec::new();
        let mut draw = |failed: Option<u32>, p: &mut [u8], l: &mut [u8]| {
            failures.push(failed);
            p.fill(next);
            l.fill(next + 100);
            next += 1;
            Drawn { source: u32::from(next), eased: next.is_multiple_of(2) }
        };
        assert_eq!(rows.refill(&mut draw), [true; 3]);
        assert_eq!(rows.puzzles, [10, 10, 11, 11, 12, 12]);
        let mut rng = Pcg64::seed_from_u64(1);
        let rule = HaltRule { max: 16, max_supposed: 6, exploration: 0.0, once: true };
        rows.advance(|row| row == 1, |_| false, rule, &mut rng);
        assert_eq!((rows.segments.as_slice(), rows.done.as_slice()), (&[1, 1, 1][..], &[0, 1, 0][..]));
        assert_eq!(rows.refill(&mut draw), [false, true, false]);
        assert_eq!(rows.puzzles, [10, 10, 13, 13, 12, 12]);
        assert_eq!(rows.labels, [110, 110, 113, 113, 112, 112]);
        assert_eq!(rows.segments, [1, 0, 1]);
        assert_eq!(rows.eased, [0, 1, 0]);
        // What stops after a right answer is not offered again, and nothing is before it stops.
        rows.advance(|row| row < 2, |row| row == 0, rule, &mut rng);
        assert_eq!((rows.done.as_slice(), rows.unsolved.as_slice()), (&[1, 1, 0][..], &[0, 1, 0][..]));
        rows.refill(&mut draw);
        assert_eq!(rows.unsolved, [0; 3]);
        assert_eq!(failures, [None, None, None, Some(12), None, Some(14)]);
    }

    #[test]
    fn the_maximum_always_stops_and_exploration_only_delays() {
        let mut rng = Pcg64::seed_from_u64(1);
        let never = HaltRule { max: 16, max_supposed: 6, exploration: 0.0, once: true };
        assert_eq!(never.draw(&mut rng), 0);
        let nothing = Supposed::Nothing;
        assert!(never.stops(1, true, 0, nothing) && never.stops(16, false, 0, nothing));
        assert!(!never.stops(15, false, 0, nothing));
        // Where something is supposed there are fewer.
        assert!(never.stops(6, false, 0, Supposed::Right) && !never.stops(5, false, 0, Supposed::Wrong));
        let always = HaltRule { exploration: 1.0, ..never };
        let mut seen = [0u32; 17];
        (0..15_000).for_each(|_| seen[always.draw(&mut rng) as usize] += 1);
        assert!(seen[..2] == [0, 0] && seen[2..].iter().all(|n| (880..1120).contains(n)), "{seen:?}");
        assert!(!always.stops(8, true, 9, nothing) && always.stops(9, true, 9, nothing));
        assert!(always.stops(16, true, 16, nothing));
        // One segment at most: nothing to explore, no overflow.
        assert_eq!(HaltRule { max: 1, ..always }.draw(&mut rng), 0);
    }

    #[test]
    fn halting_is_wanted_where_it_is_worth_more() {
        let alone = |q: f32| wants_to_stop(&[q], SecondHead::None);
        assert!(alone(0.1) && !alone(0.0) && !alone(-5.0) && !alone(f32::NAN));
        // Equal logits go on, as the initial ones, both -5, do.
        let of_two = |q: [f32; 2]| wants_to_stop(&q, SecondHead::Continue);
        assert!(of_two([-2.0, -3.0]) && !of_two([-5.0, -5.0]) && !of_two([1.0, 2.0]));
        assert!(!of_two([f32::NAN, 0.0]));
        // Doubt is no reason to go on.
        assert!(
            wants_to_stop(&[1.0, 2.0], SecondHead::Doubt) && !wants_to_stop(&[-2.0, -3.0], SecondHead::Doubt)
        );
    }

    #[test]
    fn exploration_lasts_for_a_puzzle_or_a_segment() {
        // A row that always wants to stop, with exploration at every second draw on average.
        let mean_segments = |once: bool| {
            let mut rng = Pcg64::seed_from_u64(1);
            let rule = HaltRule { max: 16, max_supposed: 6, exploration: 0.5, once };
            let mut rows = Rows::new(2000, 1);
            let mut stopped = 0u32;
            rows.refill(|_, _, _| Drawn { source: 0, eased: false });
            while rows.done.contains(&0) {
                let before = rows.clone();
                rows.advance(|_| true, |_| true, rule, &mut rng);
                for row in 0..rows.len() {
                    if before.done[row] != 0 {
                        rows.done[row] = 1;
                        rows.segments[row] = before.segments[row];
                    }
                }
                stopped += 1;
            }
            assert!(stopped <= 16);
            f64::from(rows.segments.iter().sum::<u32>()) / 2000.0
        };
        // Once: half take 1, half U{2..16}: 0.5 + 0.5 * 9 = 5.
        assert!((mean_segments(true) - 5.0).abs() < 0.4);
        // Every segment: the expected wait is the sum of products of 0.5 * P(U > s), about 1.9.
        let expected: f64 =
            (0..16).map(|n| (1..=n).map(|s| 0.5 * f64::from(16 - s.max(1)) / 15.0).product::<f64>()).sum();
        assert!((mean_segments(false) - expected).abs() < 0.1, "{expected}");
    }

    #[test]
    fn staggered_rows_stop_at_different_times() {
        let mut rows = Rows::new(8, 1);
        rows.stagger(16);
        assert_eq!(rows.segments, [0, 2, 4, 6, 8, 10, 12, 14]);
    }
}
