//! `hrm-host curves`

use std::path::PathBuf;

use anyhow::{Result, bail};
use hrm_host::files::{commit, ends_in, folder_of};
use hrm_host::plot::curves::svg;
use hrm_host::plot::history::{History, TABLE, metrics_of, to_csv};
use hrm_host::plot::{PICTURE, titled};

use super::exit::Exit;
use super::outputs::{Force, data_of};
use super::values::{Misuse, count};

/// Draw learning curves of one or more runs (SVG), with the numbers behind them beside it (CSV).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run directories, or metrics.jsonl files
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The picture; the table gets the same name with the ending .csv. To `-`, standard output, or a
    /// FIFO goes the picture alone
    #[arg(long, value_name = "FILE.svg")]
    out: PathBuf,
    #[command(flatten)]
    force: Force,
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    let metrics = args.runs.iter().map(|run| metrics_of(run)).collect::<Result<Vec<_>, _>>()?;
    let read =
        metrics.into_iter().flat_map(|metrics| data_of(folder_of(&metrics)).into_iter().chain([metrics]));
    let mut plan = args.force.plan(read.collect::<Vec<_>>());
    let picture = plan.output(&args.out, PICTURE)?;
    if !picture.is_stream() && !ends_in(&args.out, "svg") {
        bail!(Misuse(format!(
            "--out {}: the picture is an SVG, so its name must end in .svg",
            args.out.display()
        )));
    }
    // Beside a stream there is no place for a table.
    let table =
        (!picture.is_stream()).then(|| plan.output(&args.out.with_extension("csv"), TABLE)).transpose()?;
    let mut runs = args.runs.iter().map(|path| History::read(path)).collect::<Result<Vec<_>, _>>()?;
    tell_apart(&mut runs);
    for run in runs.iter().filter(|run| run.damaged > 0) {
        eprintln!("warning: {}: {} damaged lines of metrics were left out", run.name, run.damaged);
    }
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let drawn = titled(&svg(&runs)?, &format!("Learning curves of {}", names.join(", ")));
    let mut staged = vec![picture.stage(|file| file.write_all(drawn.as_bytes()))?];
    if let Some(table) = &table {
        staged.push(table.stage(|file| to_csv(&runs, file).map_err(Into::into))?);
    }
    commit(staged)?;
    let told = runs.iter().map(describe);
    match &table {
        Some(table) => {
            eprintln!("wrote {} and {}", picture.shown(), table.shown());
            told.for_each(|told| println!("{told}"));
        }
        None => {
            eprintln!("wrote {}, without a table", picture.shown());
            told.for_each(|told| eprintln!("{told}"));
        }
    }
    Ok(Exit::Success)
}

/// Numbers the runs whose directories have the same name.
fn tell_apart(runs: &mut [History]) {
    let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
    for (i, run) in runs.iter_mut().enumerate() {
        if names.iter().filter(|name| **name == run.name).count() > 1 {
            let earlier = names[..i].iter().filter(|name| **name == run.name).count();
            run.name = format!("{} ({})", run.name, earlier + 1);
        }
    }
}

/// Where a run stands: its last loss and its last evaluation.
fn describe(run: &History) -> String {
    let loss =
        run.logged.last().map_or(String::new(), |l| format!("  loss {:.4} at step {}", l.loss, l.step));
    let exact = run.evaluated.last().map_or("  not evaluated yet".to_owned(), |e| {
        let levels: Vec<String> =
            e.levels.iter().map(|level| format!("{} %: {:.1}", level.hints, 100.0 * level.exact)).collect();
        format!(
            "  exact % by hints at step {} ({} sample-segments, {:.1} min, {})  {}",
            e.step,
            e.samples,
            e.minutes,
            count(e.levels.first().map_or(0, |level| level.rows), "puzzle"),
            levels.join("  ")
        )
    });
    format!("{}:{loss}{exact}", run.name)
}
