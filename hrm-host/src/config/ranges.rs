//! Which numbers a configuration may hold.

use super::{ConfigError, RunConfig};
use crate::model::ModelError;
use crate::task::Game;

/// A value outside its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The key, with its section.
    pub(super) key: String,
    /// Its value.
    pub(super) got: String,
    /// What it must be.
    pub(super) must: String,
}

impl Wrong {
    /// The error about a value that `origin` has given.
    pub(super) fn given_in(self, origin: &str) -> ConfigError {
        let Self { key, got, must } = self;
        ConfigError::Value { origin: origin.to_owned(), key, got, must }
    }
}

impl RunConfig {
    /// Refuses the first value that is outside its range, and models that could not be exported.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let (d, t) = (&self.data, &self.train);
        let unit = |x: f64| (0.0..=1.0).contains(&x);
        let below_one = |x: f64| (0.0..1.0).contains(&x);
        let share = |x: f64| x > 0.0 && x <= 1.0;
        let finite = |x: f64| x >= 0.0 && x.is_finite();
        let (probability, fraction) = ("a probability, 0 to 1", "at least 0 and below 1");
        let share_range = "a share above 0 and at most 1";
        let ranges: [(bool, &str, &dyn ToString, &str); 29] = [
            (unit(d.eased), "data.eased", &d.eased, probability),
            (share(d.eased_most), "data.eased_most", &d.eased_most, share_range),
            (share(d.eased_most_from), "data.eased_most_from", &d.eased_most_from, share_range),
            (unit(d.eased_from), "data.eased_from", &d.eased_from, probability),
            (
                d.augmentations < u64::from(u32::MAX),
                "data.augmentations",
                &d.augmentations,
                "0 (unlimited) to 4294967294",
            ),
            (d.generate > 0, "data.generate", &d.generate, "at least 1"),
            ((1..=1 << 20).contains(&t.batch), "train.batch", &t.batch, "1 to 1048576"),
            (t.lr > 0.0 && t.lr <= 1.0, "train.lr", &t.lr, "above 0 and at most 1"),
            (
                t.steps == 0 || t.decay_steps <= t.steps,
                "train.decay_steps",
                &t.decay_steps,
                "at most train.steps",
            ),
            (
                t.decay_steps == 0 || t.steps > 0,
                "train.decay_steps",
                &t.decay_steps,
                "0 where train.steps is 0 (an open-ended run has no end to decay towards)",
            ),
            (unit(t.decay_to), "train.decay_to", &t.decay_to, "a fraction, 0 to 1"),
            (below_one(t.beta1), "train.beta1", &t.beta1, fraction),
            (below_one(t.beta2), "train.beta2", &t.beta2, fraction),
            (below_one(t.ema), "train.ema", &t.ema, fraction),
            (
                t.weight_decay >= 0.0 && t.weight_decay * t.lr < 1.0,
                "train.weight_decay",
                &t.weight_decay,
                "at least 0 and below 1 / lr",
            ),
            (finite(t.clip), "train.clip", &t.clip, "0 (off) or more"),
            (unit(t.exploration), "train.exploration", &t.exploration, probability),
            (unit(t.random_start), "train.random_start", &t.random_start, probability),
            (finite(t.latent_noise), "train.latent_noise", &t.latent_noise, "0 (none) or more"),
            (unit(t.replay), "train.replay", &t.replay, probability),
            (unit(t.rest), "train.rest", &t.rest, "0 (off) to 1"),
            (unit(t.suppose), "train.suppose", &t.suppose, probability),
            (t.suppose_most > 0, "train.suppose_most", &t.suppose_most, "at least 1"),
            (unit(t.suppose_warm), "train.suppose_warm", &t.suppose_warm, probability),
            (t.suppose_segments > 0, "train.suppose_segments", &t.suppose_segments, "at least 1"),
            (t.log_steps > 0, "train.log_steps", &t.log_steps, "at least 1"),
            (
                t.checkpoint_minutes > 0.0 && t.checkpoint_minutes <= 1e6,
                "train.checkpoint_minutes",
                &t.checkpoint_minutes,
                "above 0 and at most 1000000",
            ),
            (t.eval_segments <= 1024, "train.eval_segments", &t.eval_segments, "0 (the model's own) to 1024"),
            (t.keep > 0, "train.keep", &t.keep, "at least 1"),
        ];
        if let Some((_, key, got, must)) = ranges.into_iter().find(|(holds, ..)| !holds) {
            let must = format!("must be {must}");
            return Err(Wrong { key: key.to_owned(), got: got.to_string(), must });
        }
        if let Err(must) = d.columns_parsed() {
            return Err(Wrong { key: "data.columns".to_owned(), got: format!("{:?}", d.columns), must });
        }
        self.check_sizes()?;
        self.model.validate().map_err(|error| match error {
            ModelError::Config { key, value, why } => {
                Wrong { key: format!("model.{key}"), got: value, must: why }
            }
            other => Wrong { key: "model".to_owned(), got: "wrong".to_owned(), must: other.to_string() },
        })
    }

    /// Refuses other sizes to train on that the model does not fit, and those that it has already.
    fn check_sizes(&self) -> Result<(), Wrong> {
        let also = &self.data.also;
        let wrong =
            |got: &Game, must: String| Wrong { key: "data.also".to_owned(), got: format!("\"{got}\""), must };
        for (place, size) in also.iter().enumerate() {
            if *size == self.model.task || also[..place].contains(size) {
                return Err(wrong(size, "must name each size once, and not that of the model".to_owned()));
            }
            self.model.for_task(*size).map_err(|error| wrong(size, error.to_string()))?;
        }
        Ok(())
    }
}
