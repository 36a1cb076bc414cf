//! `hrm-host eval --protocol paper`: the table of the paper, and what the same passes come to without labels.

use std::sync::atomic::Ordering;

use anyhow::Result;
use hrm_core::task::Task;
use hrm_host::quant::IntegerModel;
use hrm_host::task::Game;
use hrm_host::vote::paper::{Judged, Pass, Solved, Table, judge, passes};

use super::eval::Args;
use super::exit::Exit;
use super::model::Model;
use super::values::count;
use super::{draw_rows, interrupt};

/// Whose rules decide what is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Protocol {
    /// The paper's: perturbations and checkpoints, judged by the label; beside it our rules without
    /// labels, on the same passes
    Paper,
}

/// The passes of `model` over `puzzles`, by puzzle and perturbation.
fn passes_of(
    model: &mut Model,
    task: &Game,
    (puzzles, batch): (&[u8], usize),
    segments: usize,
) -> Result<Vec<Vec<Pass>>> {
    Ok(match model {
        Model::Float(model, _) => passes(model.as_mut(), task, puzzles, segments)?,
        Model::Pack { file, member } => {
            let mut model = IntegerModel { pack: file.open()?, member: *member, batch };
            passes(&mut model, task, puzzles, segments)?
        }
    })
}

/// Runs all passes and prints the table.
pub(super) fn paper(args: &Args) -> Result<Exit> {
    let (mut checkpoints, about) = args.model.newest(args.checkpoints)?;
    let (task, trained_segments) = checkpoints[0].trained()?;
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
        let of_model = |model| passes_of(model, &task, (&puzzles, args.model.batch), segments);
        let of_checkpoints = checkpoints.iter_mut().map(of_model).collect::<Result<Vec<_>>>()?;
        for (i, &row) in chunk.iter().enumerate() {
            let passes: Vec<&[Pass]> = of_checkpoints.iter().map(|puzzles| puzzles[i].as_slice()).collect();
            judged.push(judge(&passes, set.answer(row), |grid| task.accepts(set.question(row), grid)));
        }
        progress.show(judged.len(), Some(judged.iter().filter(|judged| judged.both).count()));
    }
    drop(progress);
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
