//! Adam-atan2 with decoupled weight decay, the learning-rate schedule, and the moving average of the weights.

use rayon::prelude::*;

use crate::config::TrainConfig;

/// Parameters that one thread updates at a time. Every element is computed on its own,
/// so the cut changes no bit.
const PIECE: usize = 1 << 14;

/// Adam-atan2 over one flat vector of parameters.
///
/// With learning rate `lr`, gradient `g` and step `t = 1, 2, ...`:
///
/// ```text
/// p <- p * (1 - lr * wd)
/// m <- b1 * m + (1 - b1) * g
/// v <- b2 * v + (1 - b2) * g^2
/// p <- p - lr / (1 - b1^t) * atan2(m, sqrt(v) / sqrt(1 - b2^t))
/// ```
///
/// The decay is decoupled: it is never part of the gradient. The arctangent bounds every update by
/// `lr * pi / 2` over the bias correction and needs no epsilon.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamAtan2 {
    /// First moments, one per parameter.
    pub m: Vec<f32>,
    /// Second moments, one per parameter.
    pub v: Vec<f32>,
    /// Updates made so far.
    pub t: u64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
}

impl AdamAtan2 {
    /// Zero moments for `len` parameters.
    pub fn new(len: usize, config: &TrainConfig) -> Self {
        Self {
            m: vec![0.0; len],
            v: vec![0.0; len],
            t: 0,
            beta1: config.beta1,
            beta2: config.beta2,
            weight_decay: config.weight_decay,
        }
    }

    /// One update of `params` (same length as the moments) with gradient `grads` at rate `lr`.
    pub fn step(&mut self, params: &mut [f32], grads: &[f32], lr: f64) {
        assert_eq!(params.len(), self.m.len(), "one moment per parameter");
        assert_eq!(grads.len(), self.m.len(), "one gradient per parameter");
        self.t += 1;
        let t = self.t.min(i32::MAX as u64) as i32;
        let rate = (lr / (1.0 - self.beta1.powi(t))) as f32;
        let root = (1.0 / (1.0 - self.beta2.powi(t)).sqrt()) as f32;
        let keep = (1.0 - lr * self.weight_decay) as f32;
        let (gain1, gain2) = ((1.0 - self.beta1) as f32, (1.0 - self.beta2) as f32);
        let moments = self.m.par_chunks_mut(PIECE).zip(self.v.par_chunks_mut(PIECE));
        params.par_chunks_mut(PIECE).zip(grads.par_chunks(PIECE)).zip(moments).for_each(
            |((params, grads), (m, v))| {
                for ((p, &g), (m, v)) in params.iter_mut().zip(grads).zip(m.iter_mut().zip(v)) {
                    *m += gain1 * (g - *m);
                    *v += gain2 * (g * g - *v);
                    *p = *p * keep - rate * m.atan2(v.sqrt() * root);
                }
            },
        );
    }
}

/// Sign descent with decoupled decay, which the original updates its puzzle embedding by:
/// `p <- p * (1 - lr * wd) - lr * sign(g)`, where the sign of 0 is 0.
pub fn sign_step(params: &mut [f32], grads: &[f32], lr: f64, weight_decay: f64) {
    let (keep, lr) = ((1.0 - lr * weight_decay) as f32, lr as f32);
    for (p, &g) in params.iter_mut().zip(grads) {
        let sign = f32::from(u8::from(g > 0.0)) - f32::from(u8::from(g < 0.0));
        *p = *p * keep - lr * sign;
    }
}

/// Learning rate of step `step` (0 for the first): a linear warm-up, then constant, then, over the last
/// `decay_steps` of `steps`, half a cosine down to `decay_to * lr`.
pub fn learning_rate(config: &TrainConfig, step: u64) -> f64 {
    if step < config.warmup_steps {
        return config.lr * (step + 1) as f64 / config.warmup_steps as f64;
    }
    let start = config.steps - config.decay_steps.min(config.steps);
    if config.steps == 0 || config.decay_steps == 0 || step < start {
        return config.lr;
    }
    let done = ((step - start) as f64 / config.decay_steps as f64).min(1.0);
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
    config.lr * (config.decay_to + (1.0 - config.decay_to) * cosine)
}

/// Moves the average towards `params` after update number `t` (1 for the first): `a <- d * a + (1 - d) * p`.
///
/// `d = min(decay, (1 + t) / (10 + t))`, so that the first average of a run does not remember the random
/// start. Without decay the average is the parameters, bit for bit.
pub fn update_average(average: &mut [f32], params: &[f32], decay: f64, t: u64) {
    if decay == 0.0 {
        average.copy_from_slice(params);
        return;
    }
    let t = t as f64;
    let gain = (1.0 - decay.min((1.0 + t) / (10.0 + t))) as f32;
    average.par_chunks_mut(PIECE).zip(params.par_chunks(PIECE)).for_each(|(average, params)| {
        for (a, &p) in average.iter_mut().zip(params) {
            *a += gain * (p - *a);
        }
    });
}

/// Euclidean norm, summed in f64.
pub fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
}

/// Scales `grads` down to the norm `limit` where `norm`, its norm, is larger.
pub fn clip(grads: &mut [f32], norm: f64, limit: f64) {
    if limit > 0.0 && norm > limit {
        let factor = (limit / norm) as f32;
        grads.iter_mut().for_each(|g| *g *= factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_by_hand() {
        let config = TrainConfig { weight_decay: 0.5, beta1: 0.9, beta2: 0.95, ..TrainConfig::default() };
        let mut adam = AdamAtan2::new(2, &config);
        let mut p = [1.0f32, -2.0];
        // Step 1, lr 0.1, g = (0.5, -1): m = 0.1 g, v = 0.05 g^2, and the corrected moments are exactly
        // g and |g| in ratio, but atan2 sees the uncorrected m: atan2(0.05, 0.5) = 0.0996687,
        // atan2(-0.1, 1) = -0.0996687. p = 1 * 0.95 - 0.1 / 0.1 * 0.0996687 = 0.8503313; p = -2 *
        // 0.95 + 0.0996687 = -1.8003313.
        adam.step(&mut p, &[0.5, -1.0], 0.1);
        assert!((p[0] - 0.850_331_3).abs() < 1e-6, "{p:?}");
        assert!((p[1] + 1.800_331_3).abs() < 1e-6, "{p:?}");
        // Step 2, lr 0.2, g = (-0.25, 0): m = (0.9 * 0.05 - 0.025, 0.9 * -0.1) = (0.02, -0.09); v = (0.95 *
        // 0.0125 + 0.05 * 0.0625, 0.95 * 0.05) = (0.015, 0.0475); 1 - b1^2 = 0.19, 1 - b2^2 = 0.0975. sqrt(v
        // / 0.0975) = (0.3922323, 0.6979824); atan2 = (0.0509461, -0.1282338). p = 0.8503313 * 0.9 - 0.2 /
        // 0.19 * 0.0509461 = 0.7116708; p = -1.8003313 * 0.9 + 0.1349847 = -1.4853135.
        adam.step(&mut p, &[-0.25, 0.0], 0.2);
        assert!((p[0] - 0.711_670_8).abs() < 2e-6, "{p:?}");
        assert!((p[1] + 1.485_313_5).abs() < 2e-6, "{p:?}");
        assert_eq!(adam.t, 2);
    }

    #[test]
    fn a_zero_gradient_only_decays() {
        let config = TrainConfig { weight_decay: 1.0, ..TrainConfig::default() };
        let mut adam = AdamAtan2::new(1, &config);
        let mut p = [4.0f32];
        adam.step(&mut p, &[0.0], 0.25);
        assert_eq!(p, [3.0]);
    }

    #[test]
    fn the_decay_is_not_part_of_the_gradient() {
        // With the decay inside the gradient the moments would hold it, and two decays would give
        // two updates of other size; here the moments are those without decay, and the parameter
        // differs by lr * wd * p alone.
        let updated = |weight_decay| {
            let config = TrainConfig { weight_decay, ..TrainConfig::default() };
            let mut adam = AdamAtan2::new(1, &config);
            let mut p = [2.0f32];
            adam.step(&mut p, &[0.75], 0.1);
            (adam.m[0], adam.v[0], p[0])
        };
        let (plain, decayed) = (updated(0.0), updated(0.5));
        assert_eq!((plain.0, plain.1), (decayed.0, decayed.1));
        assert!((plain.2 - decayed.2 - 0.1 * 0.5 * 2.0).abs() < 1e-6);
    }

    #[test]
    fn the_cut_into_pieces_changes_nothing() {
        let len = 3 * PIECE + 7;
        let grads: Vec<f32> = (0..len).map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0).collect();
        let config = TrainConfig::default();
        let mut whole: Vec<f32> = grads.iter().rev().copied().collect();
        let mut single = whole.clone();
        let mut adam = AdamAtan2::new(len, &config);
        adam.step(&mut whole, &grads, 0.01);
        for (p, g) in single.iter_mut().zip(&grads) {
            AdamAtan2::new(1, &config).step(std::slice::from_mut(p), &[*g], 0.01);
        }
        assert!(whole == single);
        let mut average = vec![0.5f32; len];
        update_average(&mut average, &whole, 0.9, 1_000);
        assert!(average.iter().zip(&whole).all(|(a, p)| *a == 0.5 + (0.1f64 as f32) * (p - 0.5)));
    }

    #[test]
    fn sign_descent_by_hand() {
        let mut p = [1.0f32, -2.0, 0.5];
        sign_step(&mut p, &[3e-9, -7.0, 0.0], 0.25, 0.5);
        // 1 * 0.875 - 0.25, -2 * 0.875 + 0.25, 0.5 * 0.875
        assert_eq!(p, [0.625, -1.5, 0.4375]);
    }

    #[test]
    fn the_papers_warm_up_is_linear_over_2000_steps() {
        let config = TrainConfig { lr: 1e-4, warmup_steps: 2000, ..TrainConfig::default() };
        assert!((learning_rate(&config, 0) - 5e-8).abs() < 1e-20);
        assert!((learning_rate(&config, 999) - 5e-5).abs() < 1e-18);
        assert_eq!(learning_rate(&config, 1999), 1e-4);
        assert_eq!(learning_rate(&config, 52_082), 1e-4);
    }

    #[test]
    fn the_schedule_warms_up_holds_and_decays() {
        let config = TrainConfig {
            lr: 1.0,
            warmup_steps: 4,
            steps: 100,
            decay_steps: 50,
            decay_to: 0.1,
            ..TrainConfig::default()
        };
        assert_eq!(learning_rate(&config, 0), 0.25);
        assert_eq!(learning_rate(&config, 3), 1.0);
        assert_eq!(learning_rate(&config, 49), 1.0);
        assert!((learning_rate(&config, 75) - 0.55).abs() < 1e-12);
        assert!((learning_rate(&config, 100) - 0.1).abs() < 1e-12);
        assert!((learning_rate(&config, 1000) - 0.1).abs() < 1e-12);
        let open = TrainConfig { steps: 0, decay_steps: 0, ..config };
        assert_eq!(learning_rate(&open, 1_000_000), 1.0);
    }

    #[test]
    fn the_average_follows_quickly_at_first_and_slowly_later() {
        let mut a = [0.0f32];
        update_average(&mut a, &[11.0], 0.999, 1); // d = 2/11
        assert!((a[0] - 9.0).abs() < 1e-5);
        update_average(&mut a, &[10.0], 0.999, 1_000_000); // d = 0.999
        assert!((a[0] - 9.001).abs() < 1e-5);
        // Where a + (p - a) would round: no average is the parameters themselves.
        let mut a = [1e8f32];
        update_average(&mut a, &[0.1], 0.0, 5);
        assert_eq!(a, [0.1]);
    }

    #[test]
    fn clipping_keeps_the_direction() {
        let mut g = [3.0f32, 4.0];
        let n = norm(&g);
        assert_eq!(n, 5.0);
        clip(&mut g, n, 10.0);
        assert_eq!(g, [3.0, 4.0]);
        clip(&mut g, n, 1.0);
        assert!((g[0] - 0.6).abs() < 1e-6 && (g[1] - 0.8).abs() < 1e-6);
        clip(&mut g, n, 0.0);
        assert!((norm(&g) - 1.0).abs() < 1e-6);
    }
}
