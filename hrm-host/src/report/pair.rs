//! Two models that were asked the same puzzles.

/// How many puzzles which of the two has right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) both: usize,
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) neither: usize,
}

impl Pair {
    /// Of what each has right, puzzle by puzzle.
    pub(super) fn of(first: &[bool], second: &[bool]) -> Self {
        let mut pair = Self::default();
        for right in first.iter().zip(second) {
            *match right {
                (true, true) => &mut pair.both,
                (true, false) => &mut pair.first,
                (false, true) => &mut pair.second,
                (false, false) => &mut pair.neither,
            } += 1;
        }
        pair
    }

    /// The two-sided p-value of McNemar's exact test: how probable it is that fair coins would deal the
    /// puzzles which one alone has right at least as unevenly.
    pub(super) fn p_value(self) -> f64 {
        let (fewer, all) = (self.first.min(self.second), self.first + self.second);
        // ln of `all` over k, divided by 2^all: the binomials themselves leave the range of numbers.
        let mut ln = -(all as f64) * std::f64::consts::LN_2;
        let mut tail = 0.0;
        for k in 0..=fewer {
            tail += ln.exp();
            ln += ((all - k) as f64 / (k + 1) as f64).ln();
        }
        (2.0 * tail).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(first: usize, second: usize) -> f64 {
        Pair { first, second, both: 7, neither: 3 }.p_value()
    }

    #[test]
    fn every_puzzle_is_counted_once() {
        let pair = Pair::of(&[true, true, true, false, false], &[true, false, false, true, false]);
        assert_eq!(pair, Pair { both: 1, first: 2, second: 1, neither: 1 });
    }

    #[test]
    fn the_test_is_mcnemars() {
        // By hand: 2 (1 + 6) / 2^6, 2 (1 + 10 + 45) / 2^10, 2 / 2^5.
        for (first, second, expected) in [(1, 5, 14.0 / 64.0), (8, 2, 112.0 / 1024.0), (0, 5, 2.0 / 32.0)] {
            assert!((p(first, second) - expected).abs() < 1e-12, "{first} {second}");
            assert!((p(second, first) - expected).abs() < 1e-12, "it has two sides");
        }
        assert_eq!([p(0, 0), p(0, 1), p(3, 3)], [1.0; 3]);
        // 2^-2000 is no number any more.
        let many = p(950, 1050);
        assert!((0.026..0.028).contains(&many), "{many}");
    }
}
