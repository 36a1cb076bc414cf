//! `hrm-host eval --protocol paper`: the table of the paper, and what the same passes come to without labels.

use std::sync::atomic::Ordering;

use anyhow::{Result, ensure};
use hrm_core::task::Task;
use hrm_host::quant::{AlignedPack, IntegerModel};
use hrm_host::task::Game;
use hrm_host::train::checkpoint::RunDir;
use hrm_host::train::eval::FloatModel;
use hrm_host::vote::paper::{Judged, Pass, Solved, Table, judge, passes};

use super::eval::Args;
use super::exit::Exit;
use super::model::{Model, ModelArgs};
use super::values::count;
use super::{draw_rows, interrupt};

/// Whose rules decide what is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Protocol {
    /// The paper's: perturbations and checkpoints, judged by the label; beside it our rules without labels, on the same passes
    Paper,
}

/// The models whose passes are judged together, oldest first.
enum Checkpoints {
    /// Checkpoints of a run.
    Float(Vec<FloatModel>),
    /// Members of a pack.
    Members { file: AlignedPack, members: Vec<usize>, batch: usize },
}

impl Checkpoints {
    /// The model that was named; of a run its `newest` newest checkpoints, of a pack its members, unless one is named.
    fn open(args: &ModelArgs, newest: usize) -> Result<(Self, String)> {
        let (model, about) = args.open()?;
        match model {
            Model::Pack { file, member } => {
                // Without a name it is the last, and the others come before it.
                let first =
                    if args.member().is_some() { member } else { (member + 1).saturating_sub(newest) };
                Ok((Self::Members { file, members: (first..=member).collect(), batch: args.batch }, about))
            }
            Model::Float(last) if args.path().is_dir() => {
                let last_path = super::model::newest(args.path())?;
                let all = RunDir::open(args.path()).checkpoints();
                let older = all.iter().take_while(|path| **path != last_path).count();
                let mut models = Vec::new();
                for path in &all[older.saturating_sub(newest - 1)..older] {
                    models.push(args.float(path)?.0);
                }
                models.push(*last);
                Ok((Self::Float(models), about))
            }
            Model::Float(model) => Ok((Self::Float(vec![*model]), about)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Float(models) => models.len(),
            Self::Members { members, .. } => members.len(),
        }
    }

    /// The task, and the segments that the models were trained to take.
    fn trained(&self) -> Result<(String, usize)> {
        Ok(match self {
            Self::Float(models) => {
                let config = models[0].hrm.config();
                (config.task.name().to_owned(), config.segments)
            }
            Self::Members { file, .. } => {
                let pack = file.open()?;
                (pack.header()?.task.to_owned(), usize::from(pack.shape().segments))
            }
        })
    }

    /// The passes over `puzzles`, by checkpoint, puzzle and perturbation.
    fn passes(&mut self, task: &Game, puzzles: &[u8], segments: usize) -> Result<Vec<Vec<Vec<Pass>>>> {
        match self {
            Self::Float(models) => models
                .iter_mut()
                .map(|model| passes(model, task, puzzles, segments).map_err(Into::into))
                .collect(),
            Self::Members { file, members, batch } => {
                let pack = file.open()?;
                let member = |&member: &usize| {
                    let mut model = IntegerModel { pack, member, batch: *batch };
                    passes(&mut model, task, puzzles, segments).map_err(Into::into)
                };
                members.iter().map(member).collect()
            }
        }
    }
}

/// Runs all passes and prints the table.
pub(super) fn paper(args: &Args) -> Result<Exit> {
    let (mut checkpoints, about) = Checkpoints::open(&args.model, args.checkpoints)?;
    let (task, trained_segments) = checkpoints.trained()?;
    let segments = usize::from(args.policy.policy(trained_segments as u16)?.first_segments);
    let set = draw_rows(&args.file, &task, args.rows, args.seed)?;
    let task = set.task();
    let perturbations = task.perturbations();
    let stop = interrupt::watch();
    let mut progress = args.progress.start_only("passes", set.len());
    let mut judged: Vec<Judged> = Vec::new();
    let rows: Vec<usize> = (0..set.len()).collect();
    for chunk in rows.chunks(args.model.batch.max(1)) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let puzzles: Vec<u8> = chunk.iter().flat_map(|&row| set.question(row)).copied().collect();
        let of_checkpoints = checkpoints.passes(&task, &puzzles, segments)?;
        for (i, &row) in chunk.iter().enumerate() {
            let passes: Vec<Vec<Pass>> = of_checkpoints.iter().map(|puzzles| puzzles[i].clone()).collect();
            judged.push(judge(&passes, set.answer(row), |grid| task.accepts(set.question(row), grid)));
        }
        progress.show(judged.len(), Some(judged.iter().filter(|judged| judged.both).count()));
    }
    drop(progress);
    ensure!(!judged.is_empty(), "interrupted before the first puzzles were judged");
    let table = Table::of(&judged, checkpoints.len(), perturbations);
    if args.json {
        let report = serde_json::json!({
            "model": about, "data": args.file.data, "seed": args.seed, "segments": segments, "checkpoints": checkpoints.len(),
            "perturbations": perturbations, "complete": judged.len() == set.len(), "protocol": "paper", "table": table,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{about}");
        println!(
            "{} of {}, seed {}; {} x {}, {} each",
            count(set.len(), "puzzle"),
            args.file.data.display(),
            args.seed,
            count(checkpoints.len(), "checkpoint"),
            count(perturbations, "perturbation"),
            count(segments, "segment")
        );
        print!("{}", text(&table, segments));
        if judged.len() < set.len() {
            println!("of {} of the {} puzzles", judged.len(), set.len());
        }
    }
    if judged.len() < set.len() {
        eprintln!("interrupted: {} of {} puzzles are left", set.len() - judged.len(), set.len());
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::Success)
}

/// The table as a person reads it.
fn text(table: &Table, segments: usize) -> String {
    let row = |name: &str, rule: &Solved| {
        let percent = |share: f64| 100.0 * share;
        let wrong = rule.wrong.map_or("–".to_owned(), |wrong| wrong.to_string());
        format!(
            "{name:<44} {:>8.1}   {:>5.1} to {:>5.1}   {wrong:>11}   {:>8}\n",
            percent(rule.solved as f64 / table.rows.max(1) as f64),
            percent(rule.interval[0]),
            percent(rule.interval[1]),
            rule.passes * segments,
        )
    };
    [
        "                                             solved %   95 % interval   wrong grids   segments\n"
            .to_owned(),
        "by the label, as in the paper\n".to_owned(),
        row("  one pass", &table.one_pass),
        row("  + input perturbation", &table.perturbed),
        row("  + model bootstrapping", &table.bootstrapped),
        row("  + both", &table.both),
        "without a label, on the same passes\n".to_owned(),
        row("  a grid that the checker accepts", &table.checked),
        row("  the grid that most halted passes end on", &table.voted),
    ]
    .concat()
}
