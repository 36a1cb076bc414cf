//! The integers of one checkpoint. Equations and symbols are those of `docs/QUANTIZATION.md`.

use std::collections::BTreeMap;

use candle_core::DType;
use hrm_core::LOGIT_BITS;
use hrm_core::kernels::swiglu::GATE_BITS;
use hrm_core::lane::LaneWidth;
use hrm_core::model::ROPE_GUARD_BITS;
use hrm_core::pack::{LayerParams, Matrix, MatrixSpan, MemberParams};

use super::QuantError;
use super::calibrate::Ranges;
use super::linear::{Linear, paired};
use super::pack::Writer;
use crate::model::{Level, ModelConfig, Params, SiteOp};

/// Room above the largest value seen in calibration.
const HEADROOM: f64 = 1.25;
/// One in residual units.
pub(super) const RESIDUAL: f64 = 65536.0;
/// Largest 8-bit magnitude.
const I8: f64 = 127.0;
/// Largest 16-bit magnitude.
const I16: f64 = 32767.0;
/// Below one half, as rescaling factors must be, whatever is rounded.
const LARGEST_FACTOR: f64 = 0.499_99;

/// Headroom in a stored lane: 8 bits have none to spare.
fn headroom(lanes: LaneWidth) -> f64 {
    match lanes {
        LaneWidth::I8 => 1.0,
        LaneWidth::I16 => HEADROOM,
    }
}

/// All parameters on the host, in double precision.
pub(super) struct Weights(BTreeMap<String, Linear>);

impl Weights {
    pub(super) fn read(params: &Params) -> Result<Self, QuantError> {
        let mut all = BTreeMap::new();
        for (name, tensor) in params.tensors() {
            let last = tensor.dims().last().copied().unwrap_or(1);
            let flat: Vec<f32> = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
            if flat.iter().any(|x| !x.is_finite()) {
                return Err(QuantError::NotFinite { place: name });
            }
            let rows = flat.chunks(last).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
            all.insert(name, Linear { rows });
        }
        Ok(Weights(all))
    }

    pub(super) fn get(&self, name: &str) -> &Linear {
        &self.0[name]
    }
}

/// int8 rows and their scales: `w = q * scale`, symmetric, `|q| <= 127` and `sum |q| <= 65535`.
///
/// The largest weight becomes 127 where that sum allows, which it always does up to 516 inputs. A longer row
/// of weights that are much alike is stored in coarser units, so that its accumulators cannot overflow.
pub(super) fn quantize(linear: &Linear) -> (Vec<Vec<i8>>, Vec<f64>) {
    linear.rows.iter().map(|row| quantize_row(row)).unzip()
}

fn quantize_row(row: &[f64]) -> (Vec<i8>, f64) {
    let max = row.iter().fold(0.0, |max: f64, w| w.abs().max(max));
    let mut scale = if max > 0.0 { max / I8 } else { 1.0 / I8 };
    loop {
        let quantized: Vec<i8> = row.iter().map(|w| (w / scale).round() as i8).collect();
        let sum: u32 = quantized.iter().map(|q| u32::from(q.unsigned_abs())).sum();
        if sum <= Matrix::MOST_MAGNITUDE {
            return (quantized, scale);
        }
        // The sum falls as the scale grows, but for what rounding adds: a little more each time, to an end.
        scale *= (f64::from(sum) / f64::from(Matrix::MOST_MAGNITUDE)).max(1.0 + 1.0 / 4096.0);
    }
}

/// Writes one member's sections.
struct MemberWriter<'a> {
    writer: &'a mut Writer,
    place: String,
    /// `2^acc_shift`: an accumulator is multiplied by it before its factor.
    acc_gain: f64,
}

impl MemberWriter<'_> {
    /// A matrix whose real output is `acc * scale[n]` and whose stored output shall be `real * to[n]`:
    /// writes weights and `factor[n] = input * scale[n] * to[n] * 2^32 / 2^acc_shift`, `input` being the
    /// worth of one unit of the input.
    fn matrix(
        &mut self,
        span: MatrixSpan,
        name: &str,
        linear: &Linear,
        input: f64,
        to: impl Fn(usize) -> f64,
    ) -> Result<(), QuantError> {
        let (weights, scales) = quantize(linear);
        let mut factors = Vec::with_capacity(scales.len());
        for (column, scale) in scales.iter().enumerate() {
            let factor = input * scale * to(column) / self.acc_gain;
            if factor >= 0.5 || !factor.is_finite() {
                let place = format!("{}, {name}", self.place);
                return Err(QuantError::Factor { place, column, factor });
            }
            factors.push((factor * 4_294_967_296.0).round() as i32);
        }
        self.writer.put_matrix(span, &weights, &factors);
        Ok(())
    }
}

/// Quantizes one checkpoint into member `index` of the pack.
pub(super) fn write(
    writer: &mut Writer,
    index: usize,
    config: &ModelConfig,
    weights: &Weights,
    ranges: &Ranges,
) -> Result<(), QuantError> {
    let lanes = writer.shape().lanes;
    let at = writer.member_at(index);
    let layout = writer.layout().member;
    let steps = Steps::choose(config, weights, ranges, lanes);

    let embed = |linear: &Linear| -> Vec<i16> {
        let gain = embedding_gain(config) * RESIDUAL / f64::from(steps.embed);
        linear.rows.iter().flatten().map(|x| (x * gain).round().clamp(-I16, I16) as i16).collect()
    };
    writer.put(layout.tokens.shifted(at), &embed(weights.get("embed.tokens")));
    writer.put(layout.positions.shifted(at), &embed(&position_table(config, weights)));
    let initial: Vec<i16> = ["init.h", "init.l"]
        .iter()
        .flat_map(|name| &weights.get(name).rows[0])
        .map(|x| (x * RESIDUAL / f64::from(steps.state)).round().clamp(-I16, I16) as i16)
        .collect();
    writer.put(layout.initial.shifted(at), &initial);

    let acc_gain = f64::from(1u32 << lanes.acc_shift());
    let state = f64::from(steps.state) / RESIDUAL;
    let logit = f64::from(1u32 << LOGIT_BITS);
    let mut member = MemberWriter { writer, place: format!("member {index}, heads"), acc_gain };
    member.matrix(layout.logits.shifted(at), "lm_head", weights.get("lm_head"), state, |_| logit)?;
    member
        .matrix(layout.halt.shifted(at), "q_head.weight", weights.get("q_head.weight"), state, |_| logit)?;
    let bias: Vec<i32> =
        weights.get("q_head.bias").rows.iter().flatten().map(|b| (b * logit).round() as i32).collect();

    let params = MemberParams {
        state_step: steps.state,
        l_input_step: steps.l_input,
        h_input_step: steps.h_input,
        embed_step: steps.embed,
        l_input_factor: inverse(steps.l_input),
        h_input_factor: inverse(steps.h_input),
        norm_numerator: (4096.0 * (config.width as f64).sqrt() / state).round() as i32,
        halt_bias: bias[0],
        second_bias: bias.get(1).copied().unwrap_or(0),
        reserved: [0; 3],
    };
    writer.put(layout.params.shifted(at), &[params]);

    let mut stored = 0;
    let inputs = [steps.l_input, steps.h_input];
    for ((level, name, layers), input_step) in stored_levels(config).into_iter().zip(inputs) {
        for layer in 0..layers {
            let step = if layer == 0 { input_step } else { steps.state };
            let block = BlockWriter {
                config,
                lanes,
                level,
                layer,
                prefix: format!("{name}.{layer}"),
                weights,
                ranges,
                input: f64::from(step) / RESIDUAL,
                state,
            };
            let place = format!("member {index}, {}", block.prefix);
            let mut member = MemberWriter { writer, place, acc_gain };
            block.write(&mut member, at + layout.layers_at + stored * layout.layer.bytes)?;
            stored += 1;
        }
    }
    Ok(())
}

/// The stored levels: which ranges, parameter prefix and number of blocks. L comes first.
pub(super) fn stored_levels(config: &ModelConfig) -> Vec<(Level, &'static str, usize)> {
    if config.shared_levels {
        vec![(Level::L, "level", config.l_layers)]
    } else {
        vec![(Level::L, "level_l", config.l_layers), (Level::H, "level_h", config.h_layers)]
    }
}

/// The rows of `gate_up`, all gates before all ups, as the pack has them: each gate before its up.
pub(super) fn alternating(gate_up: &Linear) -> Linear {
    let inner = gate_up.rows.len() / 2;
    Linear { rows: (0..2 * inner).map(|n| gate_up.rows[n / 2 + (n % 2) * inner].clone()).collect() }
}

/// `round(2^32 / step)`, saturated.
fn inverse(step: i32) -> i32 {
    (4_294_967_296.0 / f64::from(step)).round().min(f64::from(i32::MAX)) as i32
}

/// What a stored embedding is multiplied with: `sqrt(width)`, with learned positions `sqrt(width / 2)`.
pub(super) fn embedding_gain(config: &ModelConfig) -> f64 {
    let width = config.width as f64;
    if config.positions.learned() { (width / 2.0).sqrt() } else { width.sqrt() }
}

/// The prefix vector alone, or the learned positions with the prefix vector added to the first.
fn position_table(config: &ModelConfig, weights: &Weights) -> Linear {
    let prefix = weights.get("embed.prefix");
    if !config.positions.learned() {
        return prefix.clone();
    }
    let mut table = weights.get("embed.positions").clone();
    for (x, prefix) in table.rows[0].iter_mut().zip(&prefix.rows[0]) {
        *x += prefix;
    }
    table
}

/// The worth of one stored unit of each kind of value, in 2^-16.
struct Steps {
    state: i32,
    l_input: i32,
    h_input: i32,
    embed: i32,
}

impl Steps {
    fn choose(config: &ModelConfig, weights: &Weights, ranges: &Ranges, lanes: LaneWidth) -> Self {
        let step =
            |largest: f64, levels: f64| ((largest * RESIDUAL / levels).ceil() as i32).clamp(1, 1 << 14);
        let norms = || ranges.of(SiteOp::AttentionNorm).chain(ranges.of(SiteOp::FeedForwardNorm));
        let input = |level| ranges.at(level, 0, SiteOp::Inject);
        let (state, l_input, h_input) = match lanes {
            // a normalised value never exceeds sqrt(width): no clipping at all
            LaneWidth::I16 => (
                (config.width as f64).sqrt(),
                HEADROOM * f64::from(input(Level::L).max()),
                HEADROOM * f64::from(input(if config.shared_levels { Level::L } else { Level::H }).max()),
            ),
            // the least loss; states of all levels and layers share one step
            LaneWidth::I8 => {
                let state = norms().map(|c| c.clip(I8)).fold(0.0, f32::max);
                let h = if config.shared_levels { Level::L } else { Level::H };
                (f64::from(state), f64::from(input(Level::L).clip(I8)), f64::from(input(h).clip(I8)))
            }
        };
        let levels = f64::from(lanes.max());
        let largest = weights.get("embed.tokens").max() + position_table(config, weights).max();
        Steps {
            state: step(state, levels),
            l_input: step(l_input, levels),
            h_input: step(h_input, levels),
            embed: step(embedding_gain(config) * largest, I16),
        }
    }
}

/// Quantizes one block.
struct BlockWriter<'a> {
    config: &'a ModelConfig,
    lanes: LaneWidth,
    level: Level,
    layer: usize,
    prefix: String,
    weights: &'a Weights,
    ranges: &'a Ranges,
    /// Worth of one unit of the block's input.
    input: f64,
    /// Worth of one unit of a normalised value.
    state: f64,
}

impl BlockWriter<'_> {
    fn weight(&self, part: &str) -> &Linear {
        self.weights.get(&format!("{}.{part}", self.prefix))
    }

    fn max(&self, op: SiteOp) -> Vec<f64> {
        // a channel that is always zero gets some range, so that its factor stays finite
        self.ranges.at(self.level, self.layer, op).max.iter().map(|m| f64::from(*m).max(1e-4)).collect()
    }

    fn write(&self, member: &mut MemberWriter<'_>, at: usize) -> Result<(), QuantError> {
        let layout = member.writer.layout().member.layer;
        let (width, lane_max) = (self.config.width, f64::from(self.lanes.max()));

        let qkv = self.weight("qkv");
        let guard = if self.config.positions.rope() { f64::from(1u32 << ROPE_GUARD_BITS) } else { 1.0 };
        let key_scale: Vec<f64> = self.paired(self.max(SiteOp::Key)).iter().map(|max| max / I8).collect();
        let value_scale: Vec<f64> = self.max(SiteOp::Value).iter().map(|max| max / I8).collect();

        // a query absorbs its key's scale, 1/sqrt(head_dim) and the logarithm's base:
        // scores are in powers of two
        let to_log2 = std::f64::consts::LOG2_E / (self.config.head_dim() as f64).sqrt();
        let query_unit: Vec<f64> = key_scale.iter().map(|scale| scale * to_log2).collect();
        let largest =
            self.paired(self.max(SiteOp::Query)).into_iter().zip(&query_unit).map(|(max, unit)| max * unit);
        let largest = largest.fold(0.0, f64::max);
        let score_bits = (lane_max / (largest * headroom(self.lanes))).log2().floor().clamp(4.0, 26.0);
        let score_unit = score_bits.exp2();

        let part = |which: usize| qkv.rows(which * width, (which + 1) * width);
        let query = |n: usize| query_unit[n] * score_unit * guard;
        member.matrix(layout.query.shifted(at), "qkv (query)", &part(0), self.input, query)?;
        member.matrix(layout.key.shifted(at), "qkv (key)", &part(1), self.input, |n| guard / key_scale[n])?;
        member.matrix(layout.value.shifted(at), "qkv (value)", &part(2), self.input, |n| {
            1.0 / value_scale[n]
        })?;

        let gain = f64::from(1u32 << self.lanes.attention_gain_bits());
        let out = self.weight("out").scale_inputs(&value_scale);
        member.matrix(layout.out.shifted(at), "out", &out, 1.0 / gain, |_| RESIDUAL)?;

        // As coarse as the factors of `down` allow, which must be below one half.
        let coarsest = self.weight("down").column_max().into_iter();
        let coarsest: Vec<f64> =
            coarsest.map(|weight| LARGEST_FACTOR * member.acc_gain * I8 / RESIDUAL / weight).collect();
        let gate = GateUnits::choose(&self.max(SiteOp::Up), &self.max(SiteOp::Gated), &coarsest, self.lanes);
        let gate_up = self.weight("gate_up");
        let gate_unit = f64::from(1u32 << GATE_BITS);
        let to = |n: usize| if n.is_multiple_of(2) { gate_unit } else { 1.0 / gate.up[n / 2] };
        member.matrix(layout.gate_up.shifted(at), "gate_up", &alternating(gate_up), self.state, to)?;
        let down = self.weight("down").scale_inputs(&gate.gated);
        member.matrix(layout.down.shifted(at), "down", &down, 1.0, |_| RESIDUAL)?;

        if self.config.positions.relation() {
            let bias = self.weight("relation_bias").rows.iter().flatten();
            let to_score = std::f64::consts::LOG2_E * score_unit;
            let bias: Vec<i32> = bias
                .map(|b| (b * to_score).round().clamp(-f64::from(1 << 29), f64::from(1 << 29)) as i32)
                .collect();
            member.writer.put(layout.relation_bias.shifted(at), &bias);
        }
        let params =
            LayerParams { score_bits: score_bits as i32, gate_factor: gate.factor, reserved: [0; 2] };
        member.writer.put(layout.params.shifted(at), &[params]);
        Ok(())
    }

    /// Ranges of rotated channels: under RoPE the larger of both partners'.
    fn paired(&self, max: Vec<f64>) -> Vec<f64> {
        if self.config.positions.rope() { paired(max, self.config.head_dim(), f64::max) } else { max }
    }
}

/// Units of the gated products, per channel.
struct GateUnits {
    /// Worth of one unit of `up`.
    up: Vec<f64>,
    /// Worth of one stored unit of `silu(gate) * up`.
    gated: Vec<f64>,
    /// `gated = up * 2^23 / factor`.
    factor: i32,
}

impl GateUnits {
    /// `gated[n]` is as fine as the lane allows; one constant per layer links it to `up[n]`, chosen so that
    /// the median channel's `up` has 13 bits. Where `up` would then overflow 16 bits, both units are made
    /// coarser, up to `coarsest`, but never so fine that what was seen would overflow.
    fn choose(up_max: &[f64], gated_max: &[f64], coarsest: &[f64], lanes: LaneWidth) -> Self {
        let unit = headroom(lanes) / f64::from(lanes.max());
        let finest: Vec<f64> = gated_max.iter().map(|max| max * unit).collect();
        let mut ratios: Vec<f64> = finest.iter().zip(up_max).map(|(gated, up)| gated / up).collect();
        ratios.sort_by(f64::total_cmp);
        let link = 8192.0 * ratios[ratios.len() / 2];
        let factor = (8_388_608.0 / link).round().clamp(1.0, f64::from(i32::MAX));
        let link = 8_388_608.0 / factor;
        let seen = gated_max.iter().map(|max| max / f64::from(lanes.max()));
        let gated = finest.iter().zip(up_max).map(|(finest, up)| finest.max(link * up * HEADROOM / I16));
        let gated: Vec<f64> = gated
            .zip(coarsest)
            .zip(seen)
            .map(|((unit, coarsest), seen)| unit.min(coarsest.max(seen)))
            .collect();
        GateUnits { up: gated.iter().map(|unit| unit / link).collect(), gated, factor: factor as i32 }
    }
}

#[cfg(test)]
mod tests {
    use rand_core::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;

    /// Sums of columns, the largest weight, and how far a weight is off in units of its scale.
    fn of_row(row: Vec<f64>) -> (u32, u8, f64) {
        let (quantized, scale) = quantize_row(&row);
        let largest = quantized.iter().map(|q| q.unsigned_abs()).max().unwrap();
        let off = row.iter().zip(&quantized).map(|(w, q)| (w / scale - f64::from(*q)).abs());
        let off = off.fold(0.0, f64::max);
        (quantized.iter().map(|q| u32::from(q.unsigned_abs())).sum(), largest, off)
    }

    #[test]
    fn the_sums_of_every_column_fit_and_no_weight_is_clipped() {
        let mut rng = Pcg64::seed_from_u64(3);
        let mut unit = || f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.5;
        for depth in [1, 16, 96, 516, 517, 1024, 2304, 4096] {
            let equal: Vec<f64> = (0..depth).map(|k| if k % 2 == 0 { 0.3 } else { -0.3 }).collect();
            let halves = vec![16.5 / 127.0; depth];
            let even: Vec<f64> = (0..depth).map(|_| unit()).collect();
            let bell: Vec<f64> = (0..depth).map(|_| (0..12).map(|_| unit()).sum()).collect();
            let outlier: Vec<f64> =
                bell.iter().enumerate().map(|(k, w)| w + 40.0 * (k == 0) as u8 as f64).collect();
            for row in [equal, halves, even, bell, outlier, vec![0.0; depth]] {
                let wanted = row.iter().map(|w| w.abs()).sum::<f64>()
                    / row.iter().fold(0.0, |m: f64, w| w.abs().max(m));
                let zero = row[0] == 0.0;
                let (sum, largest, off) = of_row(row);
                assert!(sum <= Matrix::MOST_MAGNITUDE && off <= 0.5 + 1e-9, "{depth}: {sum} {off}");
                // what fits is as fine as it can be, and what does not gives up no more than it must
                if !zero && 127.0 * wanted < 65_000.0 {
                    assert_eq!(largest, 127, "{depth}");
                } else if !zero {
                    // weights that are all alike come down together, each by one
                    assert!(sum + depth as u32 > Matrix::MOST_MAGNITUDE, "{depth}: {sum}");
                }
            }
        }
    }

    #[test]
    fn units_of_gated_products_give_up_headroom_for_the_next_factor_and_never_range() {
        let unit = |coarsest: f64| GateUnits::choose(&[1.0], &[100.0], &[coarsest], LaneWidth::I16).gated[0];
        let (usual, seen) = (100.0 * HEADROOM / I16, 100.0 / I16);
        assert!((unit(f64::INFINITY) - usual).abs() < 1e-9);
        assert!((unit(0.9 * usual) - 0.9 * usual).abs() < 1e-9);
        assert!((unit(0.1 * usual) - seen).abs() < 1e-9);
    }
}
