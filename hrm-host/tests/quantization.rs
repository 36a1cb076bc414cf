//! The integer model follows the float model for every kind of model the configuration can describe.

use candle_core::{Device, Tensor};
use hrm_core::lane::LaneWidth;
use hrm_core::pack::Provenance;
use hrm_host::model::{Hrm, ModelConfig, Params, Positions, TaskName};
use hrm_host::quant::{About, AlignedPack, compare, quantize};

fn config(positions: Positions, shared_levels: bool, continue_head: bool) -> ModelConfig {
    ModelConfig {
        task: TaskName::Sudoku6,
        width: 32,
        heads: 2,
        inner: 48,
        h_layers: 2,
        l_layers: 2,
        h_cycles: 2,
        l_cycles: 2,
        shared_levels,
        positions,
        continue_head,
        segments: 4,
    }
}

/// Random parameters with everything alive: the initial ones have zeros in the prefix, the bias and the halting head.
fn lively(config: &ModelConfig, seed: u64) -> Params {
    let params = Params::init(config, seed, &Device::Cpu).unwrap();
    for (index, (name, var)) in params.vars().enumerate() {
        if ["embed.prefix", "relation_bias", "q_head"].iter().any(|part| name.contains(part)) {
            let count = var.elem_count();
            let values: Vec<f32> =
                (0..count).map(|i| ((i * 37 + index * 11) as f32 * 0.7).sin() * 0.5).collect();
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
        }
    }
    params
}

fn puzzles(config: &ModelConfig, count: usize) -> Vec<Vec<u8>> {
    let vocab = config.vocab();
    let token = |i: usize| if i * 7 % 3 == 0 { 2 + (i * i * 31 % (vocab - 2)) as u8 } else { 1 };
    (0..count).map(|p| (0..config.cells()).map(|c| token(p * 101 + c)).collect()).collect()
}

fn pack(config: &ModelConfig, members: &[Params], lanes: LaneWidth) -> AlignedPack {
    let provenance =
        Provenance { config: "{}", program: "test", data: "none", seed: 1, steps: 0, samples: 0 };
    let about = About { provenance: &provenance, accuracy: None };
    quantize(config, members, &puzzles(config, 16), lanes, about).unwrap()
}

#[test]
fn integers_follow_floats() {
    use Positions::*;
    for (positions, shared, resume) in [
        (Rope, false, true),
        (Rope, true, false),
        (Relation, true, false),
        (Learned, false, false),
        (LearnedRelation, true, true),
    ] {
        let config = config(positions, shared, resume);
        let params = lively(&config, 7);
        let model = Hrm::new(&config, &params).unwrap();
        let tokens: Vec<Vec<u8>> = puzzles(&config, 40)[16..].to_vec();
        let float = compare::run_float(&model, &tokens, 3, true).unwrap();
        for (lanes, cosine) in [(LaneWidth::I16, 0.998), (LaneWidth::I8, 0.98)] {
            let bytes = pack(&config, std::slice::from_ref(&params), lanes);
            let int = compare::run_integer(&bytes.open().unwrap(), 0, &tokens, 3, true).unwrap();
            for a in compare::agreement(&float, &int, &tokens) {
                assert!(a.cosine_mean > cosine, "{positions:?} {lanes:?}: {a:?}");
            }
        }
    }
}

#[test]
fn members_are_independent() {
    let config = config(Positions::Relation, true, false);
    let members = [lively(&config, 1), lively(&config, 2)];
    let tokens = puzzles(&config, 4);
    let both = pack(&config, &members, LaneWidth::I16);
    let both = both.open().unwrap();
    for (index, member) in members.iter().enumerate() {
        let alone = pack(&config, std::slice::from_ref(member), LaneWidth::I16);
        let run = |pack, member| compare::run_integer(pack, member, &tokens, 2, true).unwrap();
        let (left, right) = (run(&both, index), run(&alone.open().unwrap(), 0));
        for (left, right) in left.iter().flatten().zip(right.iter().flatten()) {
            assert_eq!(left.z_h, right.z_h, "member {index}");
        }
    }
}
