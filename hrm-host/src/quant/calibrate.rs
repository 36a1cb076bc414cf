//! Ranges of every activation, seen by running the float model on training puzzles.

use std::collections::BTreeMap;

use candle_core::{D, DType, Device, Tensor};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::QuantError;
use crate::data::PuzzleSet;
use crate::model::{Hrm, Level, Site, SiteOp};

/// Puzzles run together.
const BATCH: usize = 16;
/// Values kept per site for the choice of a clipping point.
const SAMPLES: usize = 1 << 16;

/// What was seen at one site.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    /// Largest magnitude per channel.
    pub max: Vec<f32>,
    /// An even sample of magnitudes, over all channels and over everything that was shown.
    pub magnitudes: Vec<f32>,
    /// Values offered to the sample so far.
    seen: u64,
    /// Draws which of them it keeps: the same ones every time.
    rng: Draws,
}

/// A generator that always begins at the same place.
#[derive(Clone, Debug)]
struct Draws(Pcg64);

impl Default for Draws {
    fn default() -> Self {
        Draws(Pcg64::seed_from_u64(1))
    }
}

impl Draws {
    /// A draw from `0..bound`.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }
}

impl Calibration {
    /// Largest magnitude of all channels.
    pub fn max(&self) -> f32 {
        self.max.iter().copied().fold(0.0, f32::max)
    }

    /// The clipping point that loses least (mean squared error) when stored in `-levels..=levels`.
    pub fn clip(&self, levels: f64) -> f32 {
        let max = f64::from(self.max());
        let error = |clip: f64| -> f64 {
            let step = clip / levels;
            self.magnitudes
                .iter()
                .map(|m| {
                    let m = f64::from(*m);
                    let stored = (m / step).round().min(levels) * step;
                    (m - stored).powi(2)
                })
                .sum()
        };
        let best = (1..=60).map(|part| max * f64::from(part) / 60.0).map(|clip| (error(clip), clip));
        best.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(max, |(_, clip)| clip) as f32
    }

    /// `values`: any shape, channels last.
    fn add(&mut self, values: &Tensor) -> candle_core::Result<()> {
        let channels = values.dim(D::Minus1)?;
        let magnitudes = values.to_dtype(DType::F32)?.abs()?.reshape(((), channels))?;
        let max: Vec<f32> = magnitudes.max(0)?.to_vec1()?;
        self.max.resize(channels, 0.0);
        for (kept, new) in self.max.iter_mut().zip(max) {
            *kept = kept.max(new);
        }
        // 1 in 97 values: prime, so that it walks through the channels
        let flat: Vec<f32> = magnitudes.flatten_all()?.to_vec1()?;
        for value in flat.iter().skip((self.seen % 97) as usize).step_by(97) {
            self.offer(*value);
        }
        Ok(())
    }

    /// Keeps `value` with the chance that every value offered so far has, `SAMPLES` in all of them: a
    /// reservoir, so that the first segments of the first puzzles count as much as the last of the last.
    fn offer(&mut self, value: f32) {
        self.seen += 1;
        if self.magnitudes.len() < SAMPLES {
            self.magnitudes.push(value);
            return;
        }
        let at = self.rng.below(self.seen);
        if let Some(kept) = usize::try_from(at).ok().and_then(|at| self.magnitudes.get_mut(at)) {
            *kept = value;
        }
    }
}

/// Ranges of all sites. Levels that share weights share their ranges, under [`Level::L`].
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    sites: BTreeMap<Site, Calibration>,
}

impl Ranges {
    /// Runs `model` on `puzzles` for `segments` segments each and keeps what is seen.
    ///
    /// # Errors
    /// The float model's own.
    pub fn observe(
        model: &Hrm,
        puzzles: &PuzzleSet,
        segments: usize,
        device: &Device,
    ) -> Result<Self, QuantError> {
        let mut ranges = Ranges::default();
        let shared = model.config().shared_levels;
        let rows: Vec<usize> = (0..puzzles.len()).collect();
        for batch in rows.chunks(BATCH) {
            let tokens: Vec<u32> =
                batch.iter().flat_map(|&row| puzzles.question(row)).map(|t| u32::from(*t)).collect();
            let tokens = Tensor::from_vec(tokens, (batch.len(), model.config().cells()), device)?;
            let mut carry = model.initial_carry(batch.len())?;
            for _ in 0..segments {
                let mut failure = None;
                let mut see = |site: Site, value: &Tensor| {
                    let level = if shared && site.level == Level::H { Level::L } else { site.level };
                    let added = merge_heads(site.op, value).and_then(|value| {
                        ranges.sites.entry(Site { level, ..site }).or_default().add(&value)
                    });
                    failure = failure.take().or(added.err());
                };
                carry = model.observe(&carry, &tokens, &mut see)?.carry;
                if let Some(error) = failure {
                    return Err(error.into());
                }
            }
        }
        Ok(ranges)
    }

    /// What was seen at a site; panics for one that the model does not have, which is
    /// a mistake in this crate.
    pub(super) fn at(&self, level: Level, layer: usize, op: SiteOp) -> &Calibration {
        &self.sites[&Site { level, layer, op }]
    }

    /// All sites of one operation.
    pub(super) fn of(&self, op: SiteOp) -> impl Iterator<Item = &Calibration> {
        self.sites.iter().filter(move |(site, _)| site.op == op).map(|(_, calibration)| calibration)
    }
}

/// `[B, heads, S, d]` as `[B, S, heads * d]`, so that channels are last; everything else as it is.
fn merge_heads(op: SiteOp, value: &Tensor) -> candle_core::Result<Tensor> {
    match op {
        SiteOp::Query | SiteOp::Key | SiteOp::Value => {
            let (batch, heads, sequence, dim) = value.dims4()?;
            value.transpose(1, 2)?.reshape((batch, sequence, heads * dim))
        }
        // only the sizes of what is stored matter
        SiteOp::Scores | SiteOp::Logits | SiteOp::Q => value.flatten_all()?.narrow(0, 0, 1),
        _ => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every tenth of what was offered has a tenth of the sample, however long the row is.
    #[test]
    fn the_sample_is_even_over_all_that_was_offered() {
        for offered in [SAMPLES / 2, SAMPLES, 2 * SAMPLES, 10 * SAMPLES + 7] {
            let mut seen = Calibration::default();
            (0..offered).for_each(|i| seen.offer(i as f32));
            let kept = seen.magnitudes.len();
            assert_eq!(kept, offered.min(SAMPLES));
            let mut tenths = [0usize; 10];
            for value in &seen.magnitudes {
                tenths[(10 * *value as usize / offered).min(9)] += 1;
            }
            // 6554 each of a full sample, standard deviation 77.
            let [least, most] = [0.94, 1.06].map(|share| share * kept as f64 / 10.0);
            assert!(tenths.iter().all(|&n| (least..most).contains(&(n as f64))), "{offered}: {tenths:?}");
            let again = {
                let mut again = Calibration::default();
                (0..offered).for_each(|i| again.offer(i as f32));
                again.magnitudes
            };
            assert!(again == seen.magnitudes, "{offered}: other values were kept the second time");
        }
    }

    /// What lies rarely at the start moves the clipping point as much as what lies rarely at the end.
    #[test]
    fn the_clipping_point_does_not_depend_on_the_order() {
        let clip = |large_first: bool| {
            let mut seen = Calibration { max: vec![100.0], ..Calibration::default() };
            let total = 8 * SAMPLES;
            for i in 0..total {
                let at = if large_first { i } else { total - 1 - i };
                seen.offer(if at < total / 20 { 100.0 } else { (i % 100) as f32 / 100.0 });
            }
            seen.clip(127.0)
        };
        let (first, last) = (clip(true), clip(false));
        assert!(first > 50.0 && first == last, "{first} {last}");
    }
}
