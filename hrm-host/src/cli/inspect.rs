//! `hrm-host inspect`

use std::path::PathBuf;

use anyhow::{Result, ensure};
use hrm_core::pack::{Matrix, Pack};
use hrm_core::{state_bytes, workspace_bytes};
use hrm_emulator::board::{HARDWARE, Hardware};
use hrm_host::config::RunConfig;
use hrm_host::files::ends_in;
use hrm_host::kind::Kind;
use hrm_host::quant::{AlignedPack, Footprint};
use serde::Serialize;
use std::collections::BTreeMap;

use super::exit::Exit;
use super::footprint;
use super::model::{configuration_of, is_run, kind_at};

/// Show what is in a pack, or what a configuration's model will take: flash, RAM, work, and
/// the boards that have room.
///
/// Of a pack: every tensor with its size, factors and work, and the exact memory it needs. Of a configuration
/// (a TOML file, a run directory or a checkpoint): the same sizes before anything is trained.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Pack, configuration (TOML), run directory or checkpoint
    #[arg(value_name = "PACK|CONFIG")]
    what: PathBuf,
    /// With a configuration: change one of its keys, for example model.width=128; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// One tensor of the pack.
#[derive(Debug, Serialize)]
struct Row {
    member: usize,
    name: String,
    inputs: usize,
    columns: usize,
    /// Bytes, factors included.
    bytes: usize,
    /// Multiply-accumulates per segment.
    macs: u64,
    /// Smallest and largest factor of a column, real.
    factors: [f64; 2],
}

/// Runs the subcommand.
pub(super) fn run(args: Args) -> Result<Exit> {
    if let Some(config) = configuration(&args)? {
        return of_configuration(&args, &config);
    }
    let file = AlignedPack::read(&args.what)?;
    let pack = file.open()?;
    let (header, shape) = (pack.header()?, *pack.shape());
    let rows = rows(&pack);
    if args.json {
        let report = serde_json::json!({
            "pack": args.what, "bytes": pack.bytes(), "crc": format!("{:08x}", pack.crc()), "header": header,
            "tensors": rows, "workspace_bytes": workspace_bytes(&shape), "state_bytes": state_bytes(&shape),
            "segment_macs": shape.segment_macs(),
            "boards": fitting(&pack, header.task).map(|(board, seconds)| (board.name, seconds)).collect::<BTreeMap<_, _>>(),
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(Exit::Success);
    }
    println!("{}: {}, {} bytes, CRC-32 {:08x}", args.what.display(), header.task, pack.bytes(), pack.crc());
    let p = &header.provenance;
    println!("trained: {} steps, {} sample-segments, seed {}; {}", p.steps, p.samples, p.seed, p.data);
    if let Some(a) = header.accuracy {
        println!(
            "validation, {} % hints: float {} of {}, int {} of {}",
            a.hints_percent, a.float_exact, a.rows, a.int_exact, a.rows
        );
    }
    println!(
        "\n{:<28} {:>6} {:>7} {:>9} {:>13}   factors",
        "tensor", "inputs", "columns", "bytes", "MAC/segment"
    );
    for row in &rows {
        println!(
            "{:<28} {:>6} {:>7} {:>9} {:>13}   {:.2e} to {:.2e}",
            format!("{}.{}", row.member, row.name),
            row.inputs,
            row.columns,
            row.bytes,
            row.macs,
            row.factors[0],
            row.factors[1]
        );
    }
    println!("\nMAC per segment   {:>12} (attention included)", shape.segment_macs());
    println!("RAM, workspace    {:>12} bytes", workspace_bytes(&shape));
    println!("  of it states    {:>12} bytes ({}-bit lanes)", state_bytes(&shape), 8 * shape.lanes.bytes());
    println!(
        "\nseconds at least, estimated (docs/PERFORMANCE.md): a segment, a first guess of {}",
        shape.segments
    );
    for (board, seconds) in fitting(&pack, header.task) {
        let guess = seconds * f64::from(shape.segments);
        println!("  {:<16} {:>10} {:>8}", board.name, three_digits(seconds), three_digits(guess));
    }
    Ok(Exit::Success)
}

/// A number above 0 with three digits that count, or all of those before its point.
fn three_digits(number: f64) -> String {
    let leading = number.log10().floor() as i32;
    format!("{number:.*}", (2 - leading).clamp(0, 6) as usize)
}

/// The boards that have room for `pack`, and the seconds that a segment takes each at least.
fn fitting<'a>(pack: &Pack<'_>, task: &'a str) -> impl Iterator<Item = (Hardware, f64)> + use<'a> {
    let (bytes, shape) = (pack.bytes() as u64, *pack.shape());
    let room = move |board: &Hardware| board.hold(task, bytes, workspace_bytes(&shape) as u64).is_ok();
    HARDWARE.into_iter().filter(room).map(move |board| (board, board.seconds_a_segment(bytes, &shape)))
}

/// The configuration that is asked about; `None` where it is a pack.
fn configuration(args: &Args) -> Result<Option<RunConfig>> {
    let kind = if is_run(&args.what)? { Kind::Safetensors } else { kind_at(&args.what)? };
    // One that lacks its [model] is a configuration by its name.
    let by_name = kind == Kind::Text && ends_in(&args.what, "toml");
    match kind {
        _ if by_name => {}
        Kind::Configuration => {}
        Kind::Safetensors => return Ok(Some(configuration_of(&args.what)?.with(&args.overrides)?)),
        _ => {
            let what = args.what.display();
            ensure!(args.overrides.is_empty(), "--set changes a configuration; {what} is {kind}");
            return Ok(None);
        }
    }
    Ok(Some(RunConfig::load(&args.what, &args.overrides)?))
}

/// What the model of a configuration will take.
fn of_configuration(args: &Args, config: &RunConfig) -> Result<Exit> {
    let footprint = Footprint::of(config)?;
    if args.json {
        let boards = |memory| {
            let fitting = footprint.boards(memory).filter(|(_, problem)| problem.is_none());
            fitting.map(|(board, _)| board.name).collect::<Vec<_>>()
        };
        let [wide, narrow] = &footprint.memory;
        let report = serde_json::json!({
            "configuration": args.what, "task": config.model.task, "footprint": footprint,
            "boards": { "16": boards(wide), "8": boards(narrow) },
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{}: {}, as a pack of one member", args.what.display(), config.model.task);
        println!("{}", footprint::table(&footprint));
    }
    Ok(Exit::Success)
}

fn rows(pack: &Pack<'_>) -> Vec<Row> {
    let shape = *pack.shape();
    let (h, l) = (u64::from(shape.h_cycles), u64::from(shape.l_cycles));
    let sequence = shape.sequence() as u64;
    let mut rows = Vec::new();
    for member in 0..usize::from(shape.members) {
        let mut push =
            |name: String, matrix: Matrix<'_>, tokens: u64| rows.push(row(member, name, matrix, tokens));
        for index in 0..shape.stored_layers() {
            let layer = pack.layer(member, index);
            let (level, at, calls) = match index.checked_sub(usize::from(shape.l_layers)) {
                _ if shape.shared_levels => ("level", index, h * l + h),
                None => ("level_l", index, h * l),
                Some(at) => ("level_h", at, h),
            };
            for (part, matrix) in [
                ("query", layer.query),
                ("key", layer.key),
                ("value", layer.value),
                ("out", layer.out),
                ("gate_up", layer.gate_up),
                ("down", layer.down),
            ] {
                push(format!("{level}.{at}.{part}"), matrix, calls * sequence);
            }
        }
        let heads = pack.member(member);
        push("lm_head".into(), heads.logits, u64::from(shape.cells));
        push("q_head".into(), heads.halt, 1);
    }
    rows
}

fn row(member: usize, name: String, matrix: Matrix<'_>, tokens: u64) -> Row {
    let real = matrix.factors.iter().map(|f| f64::from(*f) / 4_294_967_296.0);
    let (low, high) = real.fold((f64::MAX, f64::MIN), |(low, high), f| (low.min(f), high.max(f)));
    Row {
        member,
        name,
        inputs: matrix.depth,
        columns: matrix.factors.len(),
        bytes: matrix.weights.len() + 4 * matrix.factors.len(),
        macs: tokens * matrix.weights.len() as u64,
        factors: [low, high],
    }
}

#[cfg(test)]
mod tests {
    use super::three_digits;

    #[test]
    fn short_times_are_told_by_as_many_digits_as_long_ones() {
        let told = [0.000_456_7, 0.045_6, 0.914, 2.14, 34.2, 1756.6].map(three_digits);
        assert_eq!(told, ["0.000457", "0.0456", "0.914", "2.14", "34.2", "1757"]);
    }
}
