//! From checkpoints to a pack: loaded, calibrated, quantized, and measured beside the float model.

use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use hrm_core::lane::LaneWidth;
use hrm_core::pack::Provenance;
use hrm_host::config::RunConfig;
use hrm_host::data::generate::{Recipe, generate};
use hrm_host::data::hints::{ease, with_hints};
use hrm_host::data::{Puzzle, PuzzleSet};
use hrm_host::files::name_of;
use hrm_host::model::{Hrm, Params};
use hrm_host::quant::compare::{Agreement, compare_while};
use hrm_host::quant::{
    About, AlignedPack, IntegerModel, PROGRAM, SELF_TEST_SEGMENTS, quantize, resized, rows_told,
    with_self_test,
};
use hrm_host::task::Game;
use hrm_host::train::RunData;
use hrm_host::train::checkpoint::{TrainedModel, load_model};
use hrm_host::train::eval::FloatModel;
use hrm_host::train::run::HINT_LEVELS;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use super::Args;
use crate::cli::values::count;

/// What becomes a pack: the checkpoints of a run, oldest first, and how far the newest had come.
pub(super) struct Trained {
    pub(super) config: RunConfig,
    pub(super) members: Vec<Params>,
    pub(super) steps: u64,
    samples: u64,
    /// Seeds of the members' runs, each once.
    seeds: Vec<u64>,
    /// The fingerprint of the rows they were trained on, where a checkpoint says it.
    rows: Option<String>,
}

impl Trained {
    pub(super) fn load(paths: &[PathBuf], raw: bool) -> Result<Self> {
        let (mut members, mut newest) = (Vec::new(), None::<(RunConfig, u64, u64)>);
        let (mut seeds, mut rows) = (Vec::new(), None::<(String, &PathBuf)>);
        for path in paths {
            let TrainedModel { config, params, step, samples, data } = load_model(path, !raw)?;
            if let (Some((rows, first)), Some(data)) = (&rows, &data) {
                ensure!(
                    rows == data,
                    "{} was trained on other rows than {}: members of a pack are calibrated on the same rows, and measured on rows \
                     that are held out from all of them",
                    path.display(),
                    first.display()
                );
            }
            rows = rows.or(data.map(|data| (data, path)));
            if !seeds.contains(&config.train.seed) {
                seeds.push(config.train.seed);
            }
            if let Some((before, ..)) = &newest {
                ensure!(
                    before.model == config.model,
                    "{} has another [model] than {}: members of a pack share one shape",
                    path.display(),
                    paths[0].display()
                );
            }
            members.push(params);
            newest = Some((config, step, samples));
        }
        let (config, steps, samples) = newest.context("no checkpoint given")?;
        Ok(Self { config, members, steps, samples, seeds, rows: rows.map(|(rows, _)| rows) })
    }

    /// Whether `puzzles` are what it was trained on, as far as it says.
    pub(super) fn knows(&self, puzzles: &RunData) -> bool {
        self.rows.as_ref().is_none_or(|rows| *rows == puzzles.fingerprint())
    }

    /// What the pack says of the rows `puzzles`, which it `knows` or not.
    fn data_told(&self, puzzles: &RunData, knows: bool) -> String {
        let rows = if knows {
            rows_told(&self.config, puzzles.train.len(), puzzles.validation.len())
        } else {
            let (from, rows) = (&self.config.data.train, puzzles.train.len());
            format!("{}: {rows} rows to calibrate on, not those that were trained on", name_of(from))
        };
        match &self.seeds[..] {
            [_] => rows,
            seeds => {
                let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
                format!("{rows}; members of runs with seeds {}", seeds.join(", "))
            }
        }
    }
}

/// The pack of the run's own size, calibrated on `puzzles`, which it `knows` where it was trained on them;
/// `told` is the configuration that it states.
pub(super) fn quantized(
    args: &Args,
    trained: &Trained,
    (told, lanes): (&RunConfig, LaneWidth),
    (puzzles, knows): (&RunData, bool),
) -> Result<AlignedPack> {
    let &Trained { ref config, ref members, steps, samples, .. } = trained;
    let json = serde_json::to_string(told)?;
    let data = trained.data_told(puzzles, knows);
    let seed = config.train.seed;
    let provenance = Provenance { config: &json, program: PROGRAM, data: &data, seed, steps, samples };
    let about = About { provenance: &provenance, accuracy: None };
    let calibration = calibration_rows(&puzzles.train, args.calibration, seed);
    args.progress.note(&format!("calibrating on {}", count(calibration.len(), "training puzzle")));
    let pack = quantize(&config.model, members, &calibration, lanes, about)?;
    // A device checks itself at power-on: a puzzle for each member, so that a flashed pack and its
    // kernels are known to be sound.
    let tests: Vec<&[u8]> = calibration.iter().take(members.len()).map(|row| row.question).collect();
    Ok(with_self_test(&pack, &tests, SELF_TEST_SEGMENTS)?)
}

/// The newest member beside its float model after a pass over validation puzzles, at each of [`HINT_LEVELS`].
pub(super) fn measured(
    args: &Args,
    trained: &Trained,
    pack: &AlignedPack,
    validation: &PuzzleSet,
) -> Result<Vec<(u8, Agreement)>> {
    let Trained { config, members, .. } = trained;
    let rows: Vec<usize> = (0..args.rows.min(validation.len())).collect();
    let validation = validation.subset(&rows);
    let mut progress = args.progress.start(HINT_LEVELS.len() * validation.len());
    let newest = members.last().context("no checkpoint given")?;
    let mut float = FloatModel { hrm: Hrm::new(&config.model, newest)?, batch: 16 };
    let mut int = IntegerModel { pack: pack.open()?, member: members.len() - 1, batch: 16 };
    let mut levels = Vec::new();
    for hints in HINT_LEVELS {
        progress.stage(format!("measure, {hints} % hints"), (0, validation.len()));
        let set = with_hints(&validation, hints, config.data.seed);
        let mut watch = |done| {
            progress.show(done, None);
            ControlFlow::Continue(())
        };
        let segments = config.model.segments;
        let agreement =
            compare_while::<_, _, anyhow::Error>(&mut float, &mut int, &set, segments, &mut watch)?;
        levels.extend(agreement.into_iter().next_back().map(|last| (hints, last)));
    }
    Ok(levels)
}

/// `pack` for another size of its task, with a self-test where there is a generator
/// that makes puzzles for it.
pub(super) fn for_size(pack: &AlignedPack, task: Game) -> Result<AlignedPack> {
    let pack = resized(pack, task)?;
    let Some(_) = task.generator() else { return Ok(pack) };
    let opened = pack.open()?;
    let (members, seed) = (usize::from(opened.shape().members), opened.header()?.provenance.seed);
    let puzzles = generate(&Recipe { task, count: members, seed, givens: None }, |_| ())?;
    let tests: Vec<&[u8]> = puzzles.iter().map(|row| row.question).collect();
    Ok(with_self_test(&pack, &tests, SELF_TEST_SEGMENTS)?)
}

/// Training rows spread evenly over the file, every second one with 1 to blanks - 1 hints, as the
/// papers ease puzzles, whatever the run's `data.eased` was: a device is asked easier ones, too.
fn calibration_rows(train: &PuzzleSet, count: usize, seed: u64) -> PuzzleSet {
    let count = count.min(train.len());
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut set = PuzzleSet::new(train.task());
    for i in 0..count {
        let row = train.get(i * train.len() / count);
        let mut question = row.question.to_vec();
        if i % 2 == 1 {
            ease(train.task().blank(), &mut question, row.answer, 1.0, &mut rng);
        }
        set.push(Puzzle { question: &question, ..row });
    }
    set
}
