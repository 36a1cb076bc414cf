//! Back from integers to a float model that can be trained on. Equations and symbols are those
//! of `docs/QUANTIZATION.md`.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use hrm_core::LOGIT_BITS;
use hrm_core::kernels::swiglu::GATE_BITS;
use hrm_core::lane::LaneWidth;
use hrm_core::model::ROPE_GUARD_BITS;
use hrm_core::pack::{Layer, Matrix, Pack, Shape};

use super::QuantError;
use super::linear::{Linear, paired};
use super::member::{RESIDUAL, embedding_gain, stored_levels};
use crate::model::{ModelConfig, Params};

/// The float parameters of member `member` of `pack`, of which `config` is the shape.
///
/// Every weight is its integer times its unit: `w = q * factor * 2^acc_shift / (2^32 * input * to)`,
/// which differs from the weight that was quantized by at most half a unit, `max|row| / 254`. Three pairs
/// of units are not in the pack, since only their products count: those of query and key, of value and
/// the output projection's input, and of up and the down projection's input. They are chosen per channel
/// such that both sides have the same norm, as weight decay would have them; where one side is 0, the
/// other gets the median norm.
///
/// # Errors
/// [`QuantError::OtherShape`] where `config` describes another model (the numbers of cycles and segments may
/// differ: they change no weight).
pub fn restore(pack: &Pack<'_>, member: usize, config: &ModelConfig) -> Result<Params, QuantError> {
    let own = pack.shape();
    let differences = differences(pack.header()?.task, own, config)?;
    if !differences.is_empty() {
        return Err(QuantError::OtherShape { differences });
    }
    let numbers = pack.member(member);
    let p = numbers.params;
    let real = |step: i32| f64::from(step) / RESIDUAL;
    let (state, logit) = (real(p.state_step), f64::from(1u32 << LOGIT_BITS));
    let width = config.width;
    let mut all = Tensors(HashMap::new());

    let embed = real(p.embed_step) / embedding_gain(config);
    let scaled = |values: &[i16], by: f64| values.iter().map(|x| f64::from(*x) * by).collect::<Vec<_>>();
    all.put("embed.tokens", &[config.vocab(), width], &scaled(numbers.tokens, embed))?;
    let positions = scaled(numbers.positions, embed);
    if config.positions.learned() {
        // the pack holds the prefix vector within the first position's
        all.put("embed.positions", &[config.sequence(), width], &positions)?;
        all.put("embed.prefix", &[1, width], &vec![0.0; width])?;
    } else {
        all.put("embed.prefix", &[1, width], &positions)?;
    }
    let initial = scaled(numbers.initial, state);
    all.put("init.h", &[width], &initial[..width])?;
    all.put("init.l", &[width], &initial[width..])?;

    let gain = f64::from(1u32 << own.lanes.acc_shift());
    let head = |matrix, rows| weights(matrix, rows, gain / (state * logit));
    all.put_rows("lm_head", &head(numbers.logits, config.vocab()))?;
    all.put_rows("q_head.weight", &head(numbers.halt, config.q_outputs()))?;
    let bias = [p.halt_bias, p.second_bias].map(|bias| f64::from(bias) / logit);
    all.put("q_head.bias", &[config.q_outputs()], &bias[..config.q_outputs()])?;

    let inputs = [real(p.l_input_step), real(p.h_input_step)];
    let mut stored = 0;
    for ((_, name, layers), input) in stored_levels(config).into_iter().zip(inputs) {
        for layer in 0..layers {
            let input = if layer == 0 { input } else { state };
            let block = Block { config, layer: pack.layer(member, stored), lanes: own.lanes, input, state };
            block.restore(&format!("{name}.{layer}"), &mut all)?;
            stored += 1;
        }
    }
    Ok(Params::from_tensors(config, &all.0, &Device::Cpu)?)
}

/// What tells the model of a pack from that of `config`: nothing where the weights of
/// one are those of the other.
fn differences(task: &str, own: &Shape, config: &ModelConfig) -> Result<Vec<String>, QuantError> {
    let wanted = config.shape(usize::from(own.members), own.lanes)?;
    let fields = |task: &str, shape: &Shape| {
        [
            ("task", task.to_owned()),
            ("width", shape.width.to_string()),
            ("heads", shape.heads.to_string()),
            ("inner", shape.inner.to_string()),
            ("h_layers", shape.h_layers.to_string()),
            ("l_layers", shape.l_layers.to_string()),
            ("shared_levels", shape.shared_levels.to_string()),
            ("second output of the halting head", format!("{:?}", shape.second_head)),
            ("RoPE", shape.rope.to_string()),
            ("learned positions", shape.learned_positions.to_string()),
            ("relation classes", shape.relations.to_string()),
        ]
    };
    let pairs = fields(task, own).into_iter().zip(fields(config.task.name(), &wanted));
    let differing = pairs.filter(|(own, wanted)| own != wanted);
    Ok(differing.map(|((name, own), (_, wanted))| format!("{name} is {own}, not {wanted}")).collect())
}

/// Restored tensors by name.
struct Tensors(HashMap<String, Tensor>);

impl Tensors {
    fn put(&mut self, name: &str, dims: &[usize], values: &[f64]) -> Result<(), QuantError> {
        let values = values.iter().map(|x| *x as f32).collect();
        self.0.insert(name.to_owned(), Tensor::from_vec(values, dims, &Device::Cpu)?);
        Ok(())
    }

    fn put_rows(&mut self, name: &str, matrix: &Linear) -> Result<(), QuantError> {
        let dims = [matrix.rows.len(), matrix.rows.first().map_or(0, Vec::len)];
        self.put(name, &dims, &matrix.rows.concat())
    }
}

/// A block of the pack on its way back.
struct Block<'a> {
    config: &'a ModelConfig,
    layer: Layer<'a>,
    lanes: LaneWidth,
    /// Worth of one unit of the block's input.
    input: f64,
    /// Worth of one unit of a normalised value.
    state: f64,
}

impl Block<'_> {
    fn restore(&self, name: &str, all: &mut Tensors) -> Result<(), QuantError> {
        let (config, layer) = (self.config, &self.layer);
        let (width, inner) = (config.width, config.inner);
        let gain = f64::from(1u32 << self.lanes.acc_shift());
        let guard = if config.positions.rope() { f64::from(1u32 << ROPE_GUARD_BITS) } else { 1.0 };
        let to_log2 = std::f64::consts::LOG2_E / (config.head_dim() as f64).sqrt();
        let score_unit = f64::from(layer.params.score_bits).exp2();

        let query = weights(layer.query, width, gain / (self.input * to_log2 * score_unit * guard));
        let key = weights(layer.key, width, gain / (self.input * guard));
        let (divided, multiplied) = balance(self.paired(query.row_norms()), self.paired(key.row_norms()));
        let (query, key) = (query.scale_outputs(&divided), key.scale_outputs(&multiplied));

        let value = weights(layer.value, width, gain / self.input);
        let attention_gain = f64::from(1u32 << self.lanes.attention_gain_bits());
        let out = weights(layer.out, width, gain * attention_gain / RESIDUAL);
        let (divided, multiplied) = balance(value.row_norms(), out.column_norms());
        let (value, out) = (value.scale_outputs(&divided), out.scale_inputs(&multiplied));

        // columns alternate: a gate, in units of its own, and its up
        let unit = f64::from(1u32 << GATE_BITS).recip();
        let units: Vec<f64> = (0..2 * inner).map(|n| if n.is_multiple_of(2) { unit } else { 1.0 }).collect();
        let gates = weights(layer.gate_up, 2 * inner, gain / self.state).scale_outputs(&units);
        let every_other =
            |first: usize| Linear { rows: gates.rows.iter().skip(first).step_by(2).cloned().collect() };
        let (gate, up) = (every_other(0), every_other(1));
        let link = 8_388_608.0 / f64::from(layer.params.gate_factor);
        let down = weights(layer.down, width, gain / (RESIDUAL * link));
        let (divided, multiplied) = balance(up.row_norms(), down.column_norms());
        let (up, down) = (up.scale_outputs(&divided), down.scale_inputs(&multiplied));

        let join =
            |parts: Vec<Linear>| Linear { rows: parts.into_iter().flat_map(|part| part.rows).collect() };
        all.put_rows(&format!("{name}.qkv"), &join(vec![query, key, value]))?;
        all.put_rows(&format!("{name}.out"), &out)?;
        all.put_rows(&format!("{name}.gate_up"), &join(vec![gate, up]))?;
        all.put_rows(&format!("{name}.down"), &down)?;
        if config.positions.relation() {
            let unit = std::f64::consts::LOG2_E * score_unit;
            let bias: Vec<f64> = layer.relation_bias.iter().map(|b| f64::from(*b) / unit).collect();
            all.put(&format!("{name}.relation_bias"), &[config.heads, config.relation_classes()], &bias)?;
        }
        Ok(())
    }

    /// Norms of rotated channels: under RoPE that of both partners together, so that they share one factor.
    fn paired(&self, norms: Vec<f64>) -> Vec<f64> {
        if self.config.positions.rope() { paired(norms, self.config.head_dim(), f64::hypot) } else { norms }
    }
}

/// The factors for the left and the right side that keep each product and give both the same norm.
///
/// Where one side is 0, so is the product, whatever the other is. The other then gets the median norm of
/// those that count: in the pack its unit means nothing, and weights a thousand times as large as all others
/// would throw a training run off its course.
fn balance(left: Vec<f64>, right: Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    let pairs = || left.iter().copied().zip(right.iter().copied());
    let mut norms: Vec<f64> = pairs()
        .filter(|&(left, right)| left > 0.0 && right > 0.0)
        .map(|(left, right)| (left * right).sqrt())
        .collect();
    norms.sort_by(f64::total_cmp);
    let usual = norms.get(norms.len() / 2).copied();
    let alone = |norm: f64| match usual {
        Some(usual) if norm > 0.0 => usual / norm,
        _ => 1.0,
    };
    let factors = |(left, right): (f64, f64)| {
        if left > 0.0 && right > 0.0 {
            let ratio = (left / right).sqrt();
            (ratio.recip(), ratio)
        } else {
            (alone(left), alone(right))
        }
    };
    pairs().map(factors).unzip()
}

/// The first `rows` columns of the pack's `matrix` as rows: weight times factor, times `unit / 2^32`.
fn weights(matrix: Matrix<'_>, rows: usize, unit: f64) -> Linear {
    let rows = columns(matrix).zip(matrix.factors).take(rows).map(|(column, factor)| {
        let scale = f64::from(*factor) * unit / 4_294_967_296.0;
        column.map(|w| f64::from(w) * scale).collect()
    });
    Linear { rows: rows.collect() }
}

/// The columns of the pack's `matrix`, which come in interleaved pairs.
pub(super) fn columns<'a>(matrix: Matrix<'a>) -> impl Iterator<Item = impl Iterator<Item = i8> + 'a> + 'a {
    let pairs = matrix.weights.chunks_exact(2 * matrix.depth);
    pairs.flat_map(|pair| [0, 1].map(|odd| pair.iter().skip(odd).step_by(2).copied()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::RunConfig;
    use crate::quant::AlignedPack;

    #[test]
    fn products_keep_their_worth_and_a_side_without_one_gets_the_usual_norm() {
        let (left, right) = (vec![4.0, 9.0, 900.0, 0.0, 0.0, 1.0], vec![1.0, 4.0, 0.0, 7.0, 0.0, 1.0]);
        let (divided, multiplied) = balance(left.clone(), right.clone());
        let scaled =
            |norms: Vec<f64>, by: Vec<f64>| norms.iter().zip(by).map(|(n, by)| n * by).collect::<Vec<_>>();
        // Balanced norms are 2, 6 and 1, of which 2 is the median.
        assert_eq!(scaled(left, divided), [2.0, 6.0, 2.0, 0.0, 0.0, 1.0]);
        assert_eq!(scaled(right, multiplied), [2.0, 6.0, 0.0, 2.0, 0.0, 1.0]);
        assert_eq!(balance(vec![3.0], vec![0.0]), (vec![1.0], vec![1.0]));
    }

    /// Units whose down weights all became 0 came back with ups a thousand times as large as all others.
    #[test]
    fn no_weight_of_a_released_pack_comes_back_out_of_scale() {
        for name in ["sudoku9-mcu", "sudoku9-mcu-i8", "sudoku9-quick", "sudoku4-demo"] {
            let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
            let file = AlignedPack::read(&models.join(format!("{name}.hrm"))).unwrap();
            let pack = file.open().unwrap();
            let config: RunConfig = serde_json::from_str(pack.header().unwrap().provenance.config).unwrap();
            for (tensor, values) in restore(&pack, 0, &config.model).unwrap().tensors() {
                if !tensor.ends_with("gate_up") {
                    continue;
                }
                let rows = values.to_vec2::<f32>().unwrap();
                let mut norms: Vec<f32> =
                    rows.iter().map(|row| row.iter().map(|w| w * w).sum::<f32>().sqrt()).collect();
                norms.sort_by(f32::total_cmp);
                let (median, largest) = (norms[norms.len() / 2], norms[norms.len() - 1]);
                assert!(largest < 50.0 * median, "{name} {tensor}: {largest} where {median} is usual");
            }
        }
    }
}
