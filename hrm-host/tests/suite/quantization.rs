//! The integer model follows the float model for every kind of model the configuration can describe.

use candle_core::{Device, Tensor};
use clap::Parser;
use hrm_core::lane::LaneWidth;
use hrm_core::pack::Provenance;
use hrm_core::task::sudoku::{Sudoku, SudokuKind};
use hrm_host::data::PuzzleSet;
use hrm_host::data::generate::{Recipe, generate};
use hrm_host::model::{Hrm, ModelConfig, Params, Positions};
use hrm_host::quant::compare::compare;
use hrm_host::quant::{About, AlignedPack, Coarser, IntegerModel, QuantError, quantize, restore};
use hrm_host::task::find;
use hrm_host::train::eval::{Answers, FloatModel};

use crate::common::root;
use crate::evaluation;

fn config(positions: Positions, shared_levels: bool, continue_head: bool) -> ModelConfig {
    ModelConfig {
        task: find("sudoku6").unwrap(),
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
        doubt_head: false,
        prefix: true,
        segments: 4,
    }
}

/// Random parameters with everything alive: the initial ones have zeros in the prefix, the
/// bias and the halting head.
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

/// Either model's failure.
type Failed = Box<dyn std::error::Error>;

fn puzzles(count: usize, seed: u64) -> PuzzleSet {
    let task = Sudoku::new(SudokuKind::Six);
    generate(&Recipe { task: task.into(), count, seed, givens: None }, |_| {}).unwrap()
}

fn pack(config: &ModelConfig, members: &[Params], lanes: LaneWidth) -> AlignedPack {
    let provenance =
        Provenance { config: "{}", program: "test", data: "none", seed: 1, steps: 0, samples: 0 };
    let about = About { provenance: &provenance, accuracy: None };
    quantize(config, members, &puzzles(16, 1), lanes, about).unwrap()
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
        let mut float = FloatModel { hrm: Hrm::new(&config, &params).unwrap(), batch: 8 };
        let set = puzzles(24, 2);
        for (lanes, first) in [(LaneWidth::I16, 0.999), (LaneWidth::I8, 0.997)] {
            let bytes = pack(&config, std::slice::from_ref(&params), lanes);
            let mut int = IntegerModel { pack: bytes.open().unwrap(), member: 0, batch: 8 };
            let segments = compare::<_, _, Failed>(&mut float, &mut int, &set, 3).unwrap();
            assert_eq!(segments.len(), 3);
            for a in segments {
                // Random weights make a recurrence that amplifies every difference from segment to segment.
                let cosine = if a.segment == 1 { first } else { 0.97 };
                assert!(a.rows == 24 && a.cosine_mean > cosine, "{positions:?} {lanes:?}: {a:?}");
            }
        }
    }
}

/// The widest that a configuration may ask for: sums of `down` would overflow in the usual units.
#[test]
fn columns_that_are_too_long_for_their_sums_are_stored_in_coarser_units() {
    let config = ModelConfig { width: 16, inner: 4096, ..config(Positions::Relation, true, false) };
    config.validate().unwrap();
    let params = lively(&config, 7);
    let mut float = FloatModel { hrm: Hrm::new(&config, &params).unwrap(), batch: 8 };
    for lanes in [LaneWidth::I16, LaneWidth::I8] {
        let bytes = pack(&config, std::slice::from_ref(&params), lanes);
        let opened = bytes.open().unwrap();
        let coarser = Coarser::of(&opened).unwrap();
        // of the rows of both layers' `down`, which are as many as the model is wide
        assert!((1..=2 * 16).contains(&coarser.columns), "{coarser:?}");
        assert!(coarser.times() > 1.0 && coarser.times() < 4.0, "{coarser:?}");
        let mut int = IntegerModel { pack: opened, member: 0, batch: 8 };
        let segments = compare::<_, _, Failed>(&mut float, &mut int, &puzzles(8, 2), 1).unwrap();
        let least = if lanes == LaneWidth::I16 { 0.998 } else { 0.98 };
        assert!(segments[0].cosine_mean > least, "{lanes:?}: {:?}", segments[0]);
    }
}

/// The factors of a level's first block hold the worth of its input, so levels that share blocks have one.
#[test]
fn levels_that_share_blocks_share_the_step_of_their_input() {
    for shared in [true, false] {
        let config = config(Positions::Relation, shared, false);
        for lanes in [LaneWidth::I16, LaneWidth::I8] {
            let bytes = pack(&config, &[lively(&config, 7)], lanes);
            let opened = bytes.open().unwrap();
            let params = opened.member(0).params;
            assert_eq!(params.l_input_step == params.h_input_step, shared, "{lanes:?}: {params:?}");
            assert_eq!(Coarser::of(&opened), None);
        }
    }
}

#[test]
fn members_are_independent() {
    let config = config(Positions::Relation, true, false);
    let members = [lively(&config, 1), lively(&config, 2)];
    let both = pack(&config, &members, LaneWidth::I16);
    let states = |pack: &AlignedPack, member| {
        let mut states = Vec::new();
        let mut model = IntegerModel { pack: pack.open().unwrap(), member, batch: 4 };
        let puzzles = puzzles(4, 3);
        let tokens: Vec<u8> = (0..4).flat_map(|row| puzzles.question(row).to_vec()).collect();
        model.answer(&tokens, 2, &mut |moment| states.extend_from_slice(moment.z_h)).unwrap();
        states
    };
    for (index, member) in members.iter().enumerate() {
        let alone = pack(&config, std::slice::from_ref(member), LaneWidth::I16);
        assert_eq!(states(&both, index), states(&alone, 0), "member {index}");
    }
    assert_ne!(states(&both, 0), states(&both, 1));
}

#[test]
fn a_diverged_checkpoint_is_refused_by_name() {
    let config = config(Positions::Relation, true, false);
    let params = lively(&config, 1);
    let (_, bad) = params.vars().find(|(name, _)| *name == "level.1.down").unwrap();
    bad.set(&(bad.as_tensor() * f64::NAN).unwrap()).unwrap();
    let provenance =
        Provenance { config: "{}", program: "test", data: "none", seed: 1, steps: 0, samples: 0 };
    let about = About { provenance: &provenance, accuracy: None };
    let error = quantize(&config, &[params], &puzzles(1, 1), LaneWidth::I16, about).unwrap_err();
    assert!(matches!(&error, QuantError::NotFinite { place } if place == "level.1.down"), "{error}");
}

#[test]
fn a_pack_gives_the_float_model_back() {
    use Positions::*;
    for (positions, shared, resume) in
        [(Rope, false, true), (Relation, true, false), (Learned, false, false), (LearnedRelation, true, true)]
    {
        let config = config(positions, shared, resume);
        let params = lively(&config, 7);
        let set = puzzles(24, 2);
        for lanes in [LaneWidth::I16, LaneWidth::I8] {
            let bytes = pack(&config, &[lively(&config, 1), params.clone()], lanes);
            let restored = restore(&bytes.open().unwrap(), 1, &config).unwrap();
            let mut before = FloatModel { hrm: Hrm::new(&config, &params).unwrap(), batch: 8 };
            let mut after = FloatModel { hrm: Hrm::new(&config, &restored).unwrap(), batch: 8 };
            let segments = compare::<_, _, Failed>(&mut before, &mut after, &set, 1).unwrap();
            // Weights are rounded, and with 8-bit lanes relation biases are as coarse as the scores.
            let least = if lanes == LaneWidth::I16 { 0.9993 } else { 0.998 };
            assert!(segments[0].cosine_mean > least, "{positions:?} {lanes:?}: {:?}", segments[0]);

            let weight = |params: &Params, name: &str| {
                params.get(name).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
            };
            for name in ["lm_head", "q_head.bias", "embed.tokens", "init.h", "init.l"] {
                let (old, new) = (weight(&params, name), weight(&restored, name));
                let largest = old.iter().fold(0.0f32, |max, x| x.abs().max(max));
                let near = |(a, b): (&f32, &f32)| (a - b).abs() <= largest / 100.0;
                assert!(old.iter().zip(&new).all(near), "{positions:?} {lanes:?} {name}");
            }
        }
    }
}

#[test]
fn a_pack_of_another_shape_is_not_restored() {
    let own = config(Positions::Relation, true, false);
    let bytes = pack(&own, &[lively(&own, 1)], LaneWidth::I16);
    let opened = bytes.open().unwrap();
    let longer = ModelConfig { h_cycles: 3, l_cycles: 4, segments: 9, ..own.clone() };
    assert!(restore(&opened, 0, &longer).is_ok(), "cycles and segments change no weight");
    for other in [
        ModelConfig { inner: 64, ..own.clone() },
        ModelConfig { positions: Positions::Rope, ..own.clone() },
        ModelConfig { task: find("sudoku9").unwrap(), ..own },
    ] {
        let error = restore(&opened, 0, &other).unwrap_err();
        assert!(matches!(&error, QuantError::OtherShape { .. }), "{error}");
    }
}

/// Published figures stand beside this example's command, which takes what is released.
#[test]
fn the_example_that_times_evaluation_takes_the_released_packs() {
    let arguments = ["evaluation", "--rows", "1", "--segments", "1", "--turns", "1"];
    let mut options = evaluation::Options::parse_from(arguments);
    options.wide = root().join(options.wide);
    options.narrow = root().join(options.narrow);
    let table = evaluation::measure(&options).unwrap();
    for row in ["float, candle's operations", "float, fused", "int8, 16-bit lanes", "int8, 8-bit lanes"] {
        assert!(table.contains(&format!("| {row}")), "{table}");
    }
}
