//! The configurations that the project ships.

use std::path::PathBuf;

use hrm_host::config::{GradientKind, LossKind, PrefixRule, RunConfig};
use hrm_host::model::{Positions, parameter_count};

use crate::common::root;

fn folder() -> PathBuf {
    root().join("configs")
}

#[test]
fn every_configuration_is_valid_and_says_how_to_run_it() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        RunConfig::load(&path, &[]).unwrap_or_else(|e| panic!("{e}"));
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(text.contains(&format!("--config configs/{name}")), "{name}");
        seen += 1;
    }
    assert!(seen >= 3);
}

/// Point by point what the original's code says (its published configuration, eight GPUs).
#[test]
fn the_papers_recipe_is_the_papers() {
    let config = RunConfig::load(&folder().join("sudoku9-paper-1k.toml"), &[]).unwrap();
    let (m, d, t) = (&config.model, &config.data, &config.train);
    assert_eq!((m.width, m.heads, m.head_dim(), m.h_layers, m.l_layers), (512, 8, 64, 4, 4));
    assert_eq!((m.h_cycles, m.l_cycles, m.segments), (2, 2, 16));
    assert_eq!((m.vocab(), m.sequence(), m.positions), (11, 82, Positions::Rope));
    assert!(m.continue_head && !m.shared_levels);
    // 4 * width * 2/3, rounded, then up to a multiple of 256.
    assert_eq!(m.inner, ((4.0 * 512.0 * 2.0 / 3.0f64).round() as usize).div_ceil(256) * 256);

    assert_eq!((d.eased, d.eased_steps, d.symmetries, d.augmentations), (0.0, 0, true, 1000));
    assert!(d.validation_from.as_os_str().len() > 1, "all 1,000 rows are trained on");

    assert_eq!((t.batch, t.lr, t.warmup_steps, t.decay_steps), (768, 1e-4, 2000, 0));
    assert_eq!(t.steps, 20_000 * 1000 / 768);
    assert_eq!((t.beta1, t.beta2, t.weight_decay), (0.9, 0.95, 1.0));
    assert_eq!((t.ema, t.clip, t.exploration, t.explore_once), (0.0, 0.0, 0.1, false));
    assert_eq!(
        (t.loss, t.gradient, t.prefix),
        (LossKind::Stablemax, GradientKind::OneStep, PrefixRule::Sign)
    );
    assert_eq!((t.random_start, t.latent_noise, t.replay, t.rest, t.stagger), (0.0, 0.0, 0.0, 0.0, false));
}

/// 27,275,266 is what the original reports; it counts its puzzle embedding, one row of
/// 512 for all Sudokus, apart.
#[test]
fn the_papers_model_has_the_papers_number_of_parameters() {
    let config = RunConfig::load(&folder().join("sudoku9-paper-1k.toml"), &[]).unwrap();
    let block = 3 * 512 * 512 + 512 * 512 + 2 * 1536 * 512 + 1536 * 512;
    let (embedding, lm_head, q_head, puzzle_embedding) = (11 * 512, 11 * 512, 2 * 512 + 2, 512);
    assert_eq!(8 * block + embedding + lm_head + q_head, 27_275_266);
    assert_eq!(parameter_count(&config.model), 27_275_266 + puzzle_embedding);
}
