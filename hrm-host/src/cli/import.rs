//! `hrm-host import`

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use hrm_host::files::{CONFIG, make_folder, replace_file};
use hrm_host::original::{checkpoint_at, import};
use hrm_host::shell::argument;
use hrm_host::task::Game;
use hrm_host::train::checkpoint::{RunDir, TrainedModel};

use super::exit::Exit;
use super::values::Tasks;

/// Make a run of a checkpoint of the original PyTorch HRM, for `eval`, `verify`, `export`,
/// `analyze` and `train --from`.
///
/// Reads `step_N` as `torch.save` writes it, or safetensors of the same tensors, and the all_config.yaml
/// beside it. Nothing in the file is executed, and every tensor is accounted for. docs/IMPORTING.md goes from
/// a checkpoint to a board.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Checkpoint, or a folder of checkpoints (its newest step_N)
    path: PathBuf,
    /// Run folder to make; must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The original's configuration; all_config.yaml beside the checkpoint by default
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What the model was trained on; otherwise its vocabulary and the data's name tell
    #[arg(long, value_parser = Tasks)]
    task: Option<Game>,
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    let shown = args.path.display();
    let path = checkpoint_at(&args.path)
        .with_context(|| format!("cannot read {shown}"))?
        .with_context(|| format!("{shown} is a folder without a step_N"))?;
    let dir = RunDir::open(&args.out);
    let unused = dir.is_unused().with_context(|| format!("cannot list {}", args.out.display()))?;
    ensure!(unused, "{} is not empty; give another --out", args.out.display());
    let imported = import(&path, args.config.as_deref(), args.task)
        .with_context(|| format!("cannot import {}", path.display()))?;

    make_folder(&args.out)?;
    let (config, step) = (imported.config, imported.step);
    let samples = step.saturating_mul(config.train.batch as u64);
    let written = args.out.join(CONFIG);
    replace_file(&written, |file| file.write_all(config.to_toml().as_bytes()))
        .with_context(|| format!("cannot write {}", written.display()))?;
    let model = TrainedModel { config, params: imported.params, step, samples, data: None };
    let written = dir.put(&model.to_archive()?, step)?;

    let shape = &model.config.model;
    println!(
        "{}: {} tensors, {} parameters; {}, width {}, {} heads, {} + {} layers, {} x {} cycles, {} segments",
        path.display(),
        imported.tensors,
        model.params.count(),
        shape.task,
        shape.width,
        shape.heads,
        shape.h_layers,
        shape.l_layers,
        shape.h_cycles,
        shape.l_cycles,
        shape.segments
    );
    if !imported.unknown.is_empty() {
        eprintln!(
            "note: keys that the original HRM does not have, passed over: {}; if they change the model, its answers differ \
             (`hrm-host verify {} --golden FILE` tells)",
            imported.unknown.join(", "),
            argument(&args.out)
        );
    }
    if let Err(error) = shape.validate() {
        eprintln!("note: no pack can be made of this model: {error}");
    }
    println!("wrote {}", written.display());
    Ok(Exit::Success)
}
