//! The loss of one segment and its gradient with respect to the logits.
//!
//! Per row: the cross entropy averaged over all cells (givens included), plus half the binary cross entropy
//! of the halting logit against "every token is right", plus half that of the second output where there is
//! one: of a continue logit against the value of going on, of a doubt logit against "a cell supposed is
//! wrong" where something is supposed. A row with a wrong cell has no answer, and no cross entropy of cells.
//! The total is the mean over rows.

use super::suppose::Supposed;
use crate::config::LossKind;
use rayon::prelude::*;

/// What a segment answered, and what it should have.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// Token logits, (rows, cells, vocab).
    pub logits: &'a [f32],
    /// Halting logits, (rows, heads): halt, then continue where `heads` is 2.
    pub q: &'a [f32],
    /// The right tokens, (rows, cells), each below `vocab`.
    pub labels: &'a [u8],
    /// What is supposed in each row's puzzle, (rows).
    pub supposed: &'a [Supposed],
    /// What the second halting logit should say.
    pub second: Second<'a>,
    /// Cells per row.
    pub cells: usize,
    /// Tokens.
    pub vocab: usize,
}

/// What the halting head's second output should say.
#[derive(Clone, Copy, Debug)]
pub enum Second<'a> {
    /// There is none.
    None,
    /// The value of going on, (rows), each 0 to 1.
    Continue(&'a [f32]),
    /// Whether a cell supposed is wrong.
    Doubt,
}

/// Loss, gradients and what was right, of one batch of rows.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    /// Mean over rows of everything below, weighted: the number that is minimised.
    pub total: f64,
    /// Mean cross entropy per cell.
    pub tokens: f64,
    /// Mean binary cross entropy of the halting logit.
    pub halt: f64,
    /// Mean binary cross entropy of the second logit; 0 without one, and of doubt 0 for rows in
    /// which nothing is supposed.
    pub second: f64,
    /// Cells answered right, by row.
    pub right: Vec<u32>,
    /// d total / d logits, (rows, cells, vocab).
    pub d_logits: Vec<f32>,
    /// d total / d q, (rows, heads).
    pub d_q: Vec<f32>,
}

impl Losses {
    /// Computes everything for `answered`, reusing the buffers.
    ///
    /// # Panics
    /// Where the lengths in `answered` contradict each other.
    pub fn compute(&mut self, kind: LossKind, answered: &Answered<'_>) {
        let &Answered { logits, q, labels, supposed, second, cells, vocab } = answered;
        let rows = labels.len() / cells;
        let heads = q.len() / rows;
        assert_eq!(labels.len(), rows * cells, "a label per cell");
        assert_eq!(logits.len(), labels.len() * vocab, "a logit per cell and token");
        assert_eq!(
            q.len(),
            rows * if matches!(second, Second::None) { 1 } else { 2 },
            "a target per halting logit"
        );
        assert_eq!(supposed.len(), rows, "each row's suppositions");
        self.right.clear();
        self.right.resize(rows, 0);
        self.d_logits.clear();
        self.d_logits.resize(logits.len(), 0.0);
        self.d_q.clear();
        self.d_q.resize(q.len(), 0.0);

        let per_cell = 1.0 / labels.len() as f64;
        let rows_of = logits
            .par_chunks_exact(cells * vocab)
            .zip(labels.par_chunks_exact(cells))
            .zip(self.d_logits.par_chunks_exact_mut(cells * vocab))
            .zip(supposed.par_iter().zip(&mut self.right));
        let of_rows = rows_of.map(|(((logits, labels), d_logits), (&supposed, right))| {
            if supposed == Supposed::Wrong {
                return 0.0;
            }
            let cells_of = logits.chunks_exact(vocab).zip(labels).zip(d_logits.chunks_exact_mut(vocab));
            cells_of
                .map(|((x, &label), d)| {
                    *right += u32::from(argmax(x) == usize::from(label));
                    match kind {
                        LossKind::Softmax => softmax_cross_entropy(x, label.into(), per_cell, d),
                        LossKind::Stablemax => stablemax_cross_entropy(x, label.into(), per_cell, d),
                    }
                })
                .sum::<f64>()
        });
        // Collected first, so that the sum does not depend on the threads.
        let tokens = of_rows.collect::<Vec<_>>().into_iter().sum::<f64>();

        let per_row = 0.5 / rows as f64;
        let (mut halt, mut of_second) = (0.0, 0.0);
        for (row, (x, d)) in q.chunks_exact(heads).zip(self.d_q.chunks_exact_mut(heads)).enumerate() {
            let solved = f64::from(u8::from(self.right[row] as usize == cells));
            halt += binary_cross_entropy(x[0], solved, per_row, &mut d[0]);
            let target = match (second, supposed[row]) {
                (Second::None, _) | (Second::Doubt, Supposed::Nothing) => continue,
                (Second::Continue(values), _) => values[row].into(),
                (Second::Doubt, Supposed::Right) => 0.0,
                (Second::Doubt, Supposed::Wrong) => 1.0,
            };
            of_second += binary_cross_entropy(x[1], target, per_row, &mut d[1]);
        }
        self.tokens = tokens * per_cell;
        self.halt = halt / rows as f64;
        self.second = of_second / rows as f64;
        self.total = self.tokens + 0.5 * (self.halt + self.second);
    }
}

/// Index of the largest value, the first of equals.
pub fn argmax(x: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in x.iter().enumerate() {
        if *value > x[best] {
            best = i;
        }
    }
    best
}

/// `1 / (1 + e^-x)`.
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The value of going on, the continue head's target: sigmoid of the best logit that the next
/// segment shows (`next_q`: halt, continue), or of its halting logit alone where the current segment
/// is the last one allowed.
pub fn continue_target(next_q: [f32; 2], is_last: bool) -> f32 {
    sigmoid(if is_last { next_q[0] } else { next_q[0].max(next_q[1]) })
}

/// `-log softmax(x)[label]`; its gradient times `weight` goes to `d`.
fn softmax_cross_entropy(x: &[f32], label: usize, weight: f64, d: &mut [f32]) -> f64 {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (d, v) in d.iter_mut().zip(x) {
        *d = (v - max).exp();
    }
    let sum: f32 = d.iter().sum();
    let scale = weight as f32 / sum;
    for d in &mut *d {
        *d *= scale;
    }
    d[label] -= weight as f32;
    f64::from(sum.ln() + max - x[label])
}

/// `-log(s(x[label]) / sum s(x))` with `s(x) = x + 1` for `x >= 0`, else `1 / (1 - x)`; its gradient times
/// `weight` goes to `d`. Computed in f64.
fn stablemax_cross_entropy(x: &[f32], label: usize, weight: f64, d: &mut [f32]) -> f64 {
    let s = |x: f32| {
        let x = f64::from(x);
        if x >= 0.0 { x + 1.0 } else { 1.0 / (1.0 - x) }
    };
    let slope = |x: f32| {
        let x = f64::from(x);
        if x >= 0.0 { 1.0 } else { 1.0 / ((1.0 - x) * (1.0 - x)) }
    };
    let sum: f64 = x.iter().map(|&v| s(v)).sum();
    for (d, &v) in d.iter_mut().zip(x) {
        *d = (weight * slope(v) / sum) as f32;
    }
    d[label] -= (weight * slope(x[label]) / s(x[label])) as f32;
    sum.ln() - s(x[label]).ln()
}

/// `-t log sigmoid(x) - (1 - t) log(1 - sigmoid(x))`; its gradient `sigmoid(x) - t`
/// times `weight` goes to `d`.
fn binary_cross_entropy(x: f32, target: f64, weight: f64, d: &mut f32) -> f64 {
    let x = f64::from(x);
    *d = (weight * (1.0 / (1.0 + (-x).exp()) - target)) as f32;
    x.max(0.0) - x * target + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(kind: LossKind, logits: &[f32], q: &[f32], labels: &[u8], targets: Option<&[f32]>) -> Losses {
        let mut losses = Losses::default();
        let cells = labels.len() / (q.len() / if targets.is_some() { 2 } else { 1 });
        let vocab = logits.len() / labels.len();
        let supposed = vec![Supposed::Nothing; labels.len() / cells];
        let second = targets.map_or(Second::None, Second::Continue);
        losses.compute(kind, &Answered { logits, q, labels, supposed: &supposed, second, cells, vocab });
        losses
    }

    #[test]
    fn softmax_by_hand() {
        // exp(ln 3) = 3, exp(0) = 1: p = (3/4, 1/4). Label 1: -ln(1/4).
        let l = losses(LossKind::Softmax, &[3f32.ln(), 0.0], &[0.0], &[1], None);
        assert!((l.tokens - 4f64.ln()).abs() < 1e-6);
        assert!((l.d_logits[0] - 0.75).abs() < 1e-6 && (l.d_logits[1] + 0.75).abs() < 1e-6);
        // Wrong answer, q = 0: ln 2, slope 0.5 * (0.5 - 0).
        assert!((l.halt - 2f64.ln()).abs() < 1e-9);
        assert_eq!(l.d_q, [0.25]);
        assert!((l.total - (4f64.ln() + 0.5 * 2f64.ln())).abs() < 1e-6);
        assert_eq!(l.right, [0]);
    }

    #[test]
    fn stablemax_by_hand() {
        // s(1) = 2, s(-3) = 1/4: sum 9/4. Label 0: -ln(8/9). Slopes 1 and 1/16.
        let l = losses(LossKind::Stablemax, &[1.0, -3.0], &[2.0], &[0], None);
        assert!((l.tokens - (9f64 / 8.0).ln()).abs() < 1e-9);
        assert!((l.d_logits[0] - (4.0 / 9.0 - 0.5)).abs() < 1e-6, "{:?}", l.d_logits);
        assert!((l.d_logits[1] - 1.0 / 36.0).abs() < 1e-6, "{:?}", l.d_logits);
        // Right answer, q = 2: ln(1 + e^-2), slope 0.5 * (sigmoid(2) - 1).
        assert!((l.halt - (1.0 + (-2f64).exp()).ln()).abs() < 1e-9);
        assert!((l.d_q[0] + 0.5 * (1.0 - sigmoid(2.0))).abs() < 1e-6);
        assert_eq!(l.right, [1]);
    }

    #[test]
    fn the_continue_head_learns_the_value_of_going_on() {
        assert_eq!(continue_target([0.0, 3.0], true), 0.5);
        assert_eq!(continue_target([0.0, 3.0], false), sigmoid(3.0));
        let l = losses(LossKind::Softmax, &[0.0, 0.0], &[0.0, 0.0], &[0], Some(&[0.25]));
        assert!((l.second - 2f64.ln()).abs() < 1e-9);
        assert_eq!(l.d_q, [-0.25, 0.125]);
        assert!((l.total - 2f64.ln() * 2.0).abs() < 1e-6);
    }

    #[test]
    fn doubt_is_asked_where_something_is_supposed_and_wrong_cells_have_no_answer() {
        let mut l = Losses::default();
        let supposed = [Supposed::Nothing, Supposed::Right, Supposed::Wrong];
        let (logits, q, labels) = ([0.0; 6], [0.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0; 3]);
        let answered = Answered {
            logits: &logits,
            q: &q,
            labels: &labels,
            supposed: &supposed,
            second: Second::Doubt,
            cells: 1,
            vocab: 2,
        };
        l.compute(LossKind::Softmax, &answered);
        // Two of three rows have an answer, and two something supposed; each costs ln 2.
        assert!((l.tokens - 2.0 / 3.0 * 2f64.ln()).abs() < 1e-6, "{}", l.tokens);
        assert!((l.second - 2.0 / 3.0 * 2f64.ln()).abs() < 1e-9, "{}", l.second);
        assert_eq!(l.d_logits[4..], [0.0; 2]);
        assert_eq!([l.d_q[1], l.d_q[3], l.d_q[5]], [0.0, 0.25 / 3.0, -0.25 / 3.0]);
        // Nothing is right in a row that cannot be.
        assert_eq!(l.right, [1, 1, 0]);
    }

    #[test]
    fn the_total_is_the_mean_over_rows_of_cell_means() {
        // Row 1: its two cells cost ln 2 and ln 4. Row 2: ln 4 and ln 2, and so on; halting
        // logits 0, nothing solved.
        let logits = [0.0, 0.0, 3f32.ln(), 0.0, 0.0, 3f32.ln(), 0.0, 0.0];
        let l = losses(LossKind::Softmax, &logits, &[0.0, 0.0], &[0, 1, 0, 1], None);
        assert!((l.tokens - (2f64.ln() + 4f64.ln()) / 2.0).abs() < 1e-6, "{}", l.tokens);
        assert!((l.halt - 2f64.ln()).abs() < 1e-9);
        assert!((l.total - 2.0 * 2f64.ln()).abs() < 1e-6);
        // Each slope is divided by 2 cells x 2 rows; that of the halting logit by 2 rows,
        // and halved by its weight.
        assert!((l.d_logits[0] + 0.5 / 4.0).abs() < 1e-7 && (l.d_logits[3] + 0.75 / 4.0).abs() < 1e-7);
        assert_eq!(l.d_q, [0.125, 0.125]);
    }

    #[test]
    fn gradients_match_finite_differences() {
        let logits = [0.3f32, -1.2, 2.0, 0.0, -0.5, 1.5, -2.5, 0.7, 0.1, 0.9, -0.2, 0.4];
        let q = [0.4f32, -0.7, -1.1, 0.2];
        let labels = [2u8, 0, 1, 1];
        let targets = [0.3f32, 0.8];
        for kind in [LossKind::Softmax, LossKind::Stablemax] {
            let exact = losses(kind, &logits, &q, &labels, Some(&targets));
            let h = 1e-2f32;
            for i in 0..logits.len() + q.len() {
                let moved = |by: f32| {
                    let (mut logits, mut q) = (logits, q);
                    if i < logits.len() {
                        logits[i] += by
                    } else {
                        q[i - logits.len()] += by
                    }
                    losses(kind, &logits, &q, &labels, Some(&targets)).total
                };
                let numeric = (moved(h) - moved(-h)) / f64::from(2.0 * h);
                let analytic = if i < logits.len() { exact.d_logits[i] } else { exact.d_q[i - logits.len()] };
                // The kink of stablemax at 0 costs O(h) there.
                assert!((numeric - f64::from(analytic)).abs() < 2e-3, "{kind:?} {i}: {numeric} {analytic}");
            }
        }
    }

    #[test]
    fn large_logits_stay_finite() {
        for kind in [LossKind::Softmax, LossKind::Stablemax] {
            let l = losses(kind, &[1e30, -1e30, 0.0], &[-500.0], &[1], None);
            assert!(
                l.total.is_finite() && l.d_logits.iter().chain(&l.d_q).all(|d| d.is_finite()),
                "{kind:?}"
            );
        }
    }
}
