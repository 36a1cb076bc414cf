//! Puzzles per second of the integer model on this machine, beside the float model it came from: fused
//! kernels and candle's own operations.
//!
//! `cargo run --release -p hrm-host --example evaluation -- --threads 2`
//!
//! All of them take turns in one process, so that whatever else the machine does falls on all alike; the
//! best and the median turn of each are told, and puzzles per second of processor time (Linux), which
//! other programs disturb least.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use hrm_host::config::RunConfig;
use hrm_host::model::{Backend, Hrm};
use hrm_host::quant::{AlignedPack, IntegerModel, restore};
use hrm_host::train::eval::{Answers, FloatModel};

/// Measures evaluation without hints: every puzzle thinks all segments.
#[derive(Parser)]
pub(crate) struct Options {
    /// Pack with 16-bit lanes, from which the float model is restored, too
    #[arg(long, default_value = "models/sudoku9-mcu.hrm")]
    pub(crate) wide: PathBuf,
    /// Pack with 8-bit lanes
    #[arg(long, default_value = "models/sudoku9-mcu-i8.hrm")]
    pub(crate) narrow: PathBuf,
    /// Puzzles in a turn
    #[arg(long, default_value_t = 32)]
    rows: usize,
    /// Segments each
    #[arg(long, default_value_t = 16)]
    segments: usize,
    /// Turns of each model
    #[arg(long, default_value_t = 7)]
    turns: usize,
    /// Worker threads; 0 for one per processor
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Levels of the processor's instructions, the best first, and how each is chosen. (The portable kernels
/// would take most of the time, and no x86-64 of today is left to them.)
#[cfg(target_arch = "x86_64")]
fn levels() -> Vec<(String, Box<dyn Fn()>)> {
    use hrm_core::kernels::x86::{Level, limit};
    let best = Level::of_processor();
    let measured = |level: &Level| *level <= best && (*level > Level::Portable || *level == best);
    let choice = |level: Level| -> Box<dyn Fn()> {
        Box::new(move || {
            let _ = limit(level);
        })
    };
    Level::ALL.into_iter().rev().filter(measured).map(|level| (format!("{level:?}"), choice(level))).collect()
}

/// One level on other processors.
#[cfg(not(target_arch = "x86_64"))]
fn levels() -> Vec<(String, Box<dyn Fn()>)> {
    vec![("portable".into(), Box::new(|| ()))]
}

/// What a turn took.
#[derive(Clone, Copy)]
struct Turn {
    seconds: f64,
    processor_seconds: f64,
}

/// Processor time of this process, all threads, in seconds; 0 where the system does not tell as Linux does.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // behind the program's name in parentheses: the 12th and 13th are user and system time, in hundredths
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// How long `model` takes for `puzzles`.
fn turn<M>(model: &mut M, puzzles: &[u8], segments: usize) -> Result<Turn>
where
    M: Answers<Error: std::error::Error + Send + Sync + 'static>,
{
    let (begin, before) = (Instant::now(), processor_seconds());
    model.answer(puzzles, segments, &mut |_| {})?;
    Ok(Turn { seconds: begin.elapsed().as_secs_f64(), processor_seconds: processor_seconds() - before })
}

fn main() -> Result<()> {
    println!("{}", measure(&Options::parse())?);
    Ok(())
}

/// The table.
pub(crate) fn measure(options: &Options) -> Result<String> {
    if options.threads > 0 {
        rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    }
    let read = |path: &PathBuf| AlignedPack::read(path).with_context(|| path.display().to_string());
    let files = [read(&options.wide)?, read(&options.narrow)?];
    let packs = [files[0].open()?, files[1].open()?];
    let recorded: RunConfig = serde_json::from_str(packs[0].header()?.provenance.config)
        .with_context(|| format!("{} does not say how it was trained", options.wide.display()))?;
    let config = recorded.model;
    let params = restore(&packs[0], 0, &config)?;
    let float = |backend| {
        Ok::<_, anyhow::Error>(FloatModel {
            hrm: Hrm::with_backend(&config, &params, backend)?,
            batch: options.rows,
        })
    };
    let (mut composite, mut fused) = (float(Backend::Composite)?, float(Backend::Fused)?);
    let mut integer = packs.map(|pack| IntegerModel { pack, member: 0, batch: options.rows });
    // what is in the cells changes no time: here every fourth one is given
    let cell = |i: usize| if i.is_multiple_of(4) { 2 + (i * 7 % (config.vocab() - 2)) as u8 } else { 1 };
    let puzzles: Vec<u8> = (0..options.rows * config.cells()).map(cell).collect();

    let levels = levels();
    let mut names = vec!["float, candle's operations".to_owned(), "float, fused".to_owned()];
    for (level, _) in &levels {
        names.extend(["16", "8"].map(|lanes| format!("int8, {lanes}-bit lanes, {level}")));
    }
    let mut seconds: Vec<Vec<Turn>> = vec![Vec::new(); names.len()];
    for _ in 0..options.turns.max(1) {
        seconds[0].push(turn(&mut composite, &puzzles, options.segments)?);
        seconds[1].push(turn(&mut fused, &puzzles, options.segments)?);
        for ((_, choose), seconds) in levels.iter().zip(seconds[2..].chunks_exact_mut(2)) {
            choose();
            for (model, seconds) in integer.iter_mut().zip(seconds) {
                seconds.push(turn(model, &puzzles, options.segments)?);
            }
        }
    }
    let mut lines = vec![
        format!(
            "{} puzzles, {} segments, {} threads, {} turns",
            options.rows,
            options.segments,
            rayon::current_num_threads(),
            options.turns
        ),
        "| model | puzzles/s, best | median | against candle's operations | against fused | puzzles per processor second | against candle's operations | against fused |".to_owned(),
        "|---|--:|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    let rate = |seconds: f64| options.rows as f64 / seconds;
    let rates: Vec<[f64; 3]> = seconds
        .iter_mut()
        .map(|turns| {
            turns.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
            let processor = turns.iter().map(|turn| turn.processor_seconds).sum::<f64>() / turns.len() as f64;
            [rate(turns[0].seconds), rate(turns[turns.len() / 2].seconds), rate(processor)]
        })
        .collect();
    for (name, [best, median, processor]) in names.iter().zip(&rates) {
        let [(a, b), (c, d)] =
            [(median, 1), (processor, 2)].map(|(own, i)| (own / rates[0][i], own / rates[1][i]));
        lines.push(format!(
            "| {name} | {best:.1} | {median:.1} | {a:.2} | {b:.2} | {processor:.1} | {c:.2} | {d:.2} |"
        ));
    }
    Ok(lines.join("\n"))
}
