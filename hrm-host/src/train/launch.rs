//! Which of several trainers this process is, as the program says that has started them.
//!
//! `mpirun`, Slurm's `srun` and `torchrun` start one process for each rank and tell it
//! by environment variables.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::Device;

use super::communicator::Communicator;
use super::error::TrainError;

/// Programs that start ranks, the innermost first: `srun` may start `mpirun`'s helpers, and
/// either may start `torchrun`.
const LAUNCHERS: [Launcher; 4] = [
    Launcher {
        name: "torchrun",
        rank: "RANK",
        ranks: "WORLD_SIZE",
        local: "LOCAL_RANK",
        job: &["TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "MASTER_PORT"],
    },
    Launcher {
        name: "Open MPI's mpirun",
        rank: "OMPI_COMM_WORLD_RANK",
        ranks: "OMPI_COMM_WORLD_SIZE",
        local: "OMPI_COMM_WORLD_LOCAL_RANK",
        job: &["PMIX_NAMESPACE"],
    },
    Launcher {
        name: "MPICH's mpirun",
        rank: "PMI_RANK",
        ranks: "PMI_SIZE",
        local: "MPI_LOCALRANKID",
        job: &["PMI_JOBID"],
    },
    // Of the task's own step: in a batch script, which is a single process, SLURM_PROCID and
    // SLURM_NTASKS are set as well.
    Launcher {
        name: "srun",
        rank: "SLURM_PROCID",
        ranks: "SLURM_STEP_NUM_TASKS",
        local: "SLURM_LOCALID",
        job: &["SLURM_JOB_ID", "SLURM_STEP_ID"],
    },
];

/// A program that starts ranks, and the variables by which it tells them.
#[derive(Debug)]
struct Launcher {
    name: &'static str,
    rank: &'static str,
    ranks: &'static str,
    local: &'static str,
    /// Together they differ from start to start.
    job: &'static [&'static str],
}

/// This process among several that train one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// This trainer's number, from 0.
    pub rank: usize,
    /// How many there are, at least 2.
    pub ranks: usize,
    /// This trainer's number among those of its machine, from 0: the GPU that it takes.
    pub local_rank: usize,
    /// What has started them.
    pub by: &'static str,
    job: String,
}

impl Launch {
    /// What this process was started as; `None` for a lone trainer. `variable` looks up the environment.
    ///
    /// # Errors
    /// Where a launcher's variables are no numbers, or contradict each other.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, TrainError> {
        let there = |launcher: &&Launcher| {
            [launcher.rank, launcher.ranks].iter().all(|name| variable(name).is_some())
        };
        let Some(launcher) = LAUNCHERS.iter().find(there) else { return Ok(None) };
        let number = |name: &str| -> Result<Option<usize>, TrainError> {
            let Some(text) = variable(name) else { return Ok(None) };
            text.trim().parse().map(Some).map_err(|_| {
                TrainError::Launch(format!(
                    "{name} (set by {}) is {text:?}, which is no number",
                    launcher.name
                ))
            })
        };
        let rank = number(launcher.rank)?.unwrap_or(0);
        let ranks = number(launcher.ranks)?.unwrap_or(1);
        if rank >= ranks {
            let Launcher { name, rank: of_rank, ranks: of_ranks, .. } = launcher;
            return Err(TrainError::Launch(format!(
                "{of_rank} = {rank} and {of_ranks} = {ranks} (set by {name}) contradict each other"
            )));
        }
        if ranks == 1 {
            return Ok(None);
        }
        let job: Vec<String> = launcher.job.iter().filter_map(|name| variable(name)).collect();
        let job = job.join("-").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        Ok(Some(Self {
            rank,
            ranks,
            local_rank: number(launcher.local)?.unwrap_or(0),
            by: launcher.name,
            job,
        }))
    }

    /// As [`Self::of`], from this process's environment.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn from_environment() -> Result<Option<Self>, TrainError> {
        Self::of(|name| std::env::var(name).ok())
    }

    /// Meets the other ranks: by NCCL between GPUs, by MPI between processors. `out` is the
    /// run's folder, beside which NCCL's ranks leave each other a word; once `stop` is set,
    /// nobody is waited for much longer.
    ///
    /// # Errors
    /// Where this program was built without what `device` needs, or the ranks do not find each other.
    pub fn join(
        &self,
        device: &Device,
        out: &Path,
        stop: &Arc<AtomicBool>,
    ) -> Result<Box<dyn Communicator>, TrainError> {
        if device.is_cpu() { self.join_processors(stop) } else { self.join_gpus(device, out) }
    }

    #[cfg(feature = "mpi")]
    fn join_processors(&self, stop: &Arc<AtomicBool>) -> Result<Box<dyn Communicator>, TrainError> {
        Ok(Box::new(super::mpi::Mpi::join(self, stop.clone())?))
    }

    #[cfg(not(feature = "mpi"))]
    fn join_processors(&self, _: &Arc<AtomicBool>) -> Result<Box<dyn Communicator>, TrainError> {
        Err(self.not_built("MPI", "mpi"))
    }

    #[cfg(feature = "nccl")]
    fn join_gpus(&self, device: &Device, out: &Path) -> Result<Box<dyn Communicator>, TrainError> {
        let nccl = super::nccl::Nccl::join(device, self.rank, self.ranks, &self.meeting(out))?;
        Ok(Box::new(nccl))
    }

    #[cfg(not(feature = "nccl"))]
    fn join_gpus(&self, _: &Device, _: &Path) -> Result<Box<dyn Communicator>, TrainError> {
        Err(self.not_built("NCCL", "nccl"))
    }

    /// The file beside the run's folder by which the ranks of this start find each other.
    pub fn meeting(&self, out: &Path) -> PathBuf {
        let mut name = out.as_os_str().to_owned();
        name.push(format!(".meeting-{}", self.job));
        PathBuf::from(name)
    }

    /// Why a program without `engine` cannot train among others.
    pub fn not_built(&self, engine: &str, feature: &str) -> TrainError {
        TrainError::Launch(format!(
            "{} has started {} ranks, and this hrm-host was built without {engine}, by which they would train one model; build it \
             with `cargo build --release -p hrm-host --features {feature}` (docs/TRAINING.md), or start a single process",
            self.by, self.ranks
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(variables: &[(&str, &str)]) -> Result<Option<Launch>, TrainError> {
        Launch::of(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    fn found(variables: &[(&str, &str)]) -> Option<(usize, usize, usize, &'static str)> {
        launch(variables).unwrap().map(|l| (l.rank, l.ranks, l.local_rank, l.by))
    }

    #[test]
    fn every_launcher_is_known_by_its_variables() {
        let torchrun = [("RANK", "3"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", "1")];
        assert_eq!(found(&torchrun), Some((3, 8, 1, "torchrun")));
        let mpirun = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
        ];
        assert_eq!(found(&mpirun), Some((1, 2, 1, "Open MPI's mpirun")));
        let srun = [("SLURM_PROCID", "5"), ("SLURM_STEP_NUM_TASKS", "6"), ("SLURM_LOCALID", "2")];
        assert_eq!(found(&srun), Some((5, 6, 2, "srun")));
        // Without a local rank, the first GPU.
        assert_eq!(found(&[("PMI_RANK", "1"), ("PMI_SIZE", "2")]), Some((1, 2, 0, "MPICH's mpirun")));
        // One inside another: what has started this very process counts.
        let nested = [&srun[..], &mpirun[..]].concat();
        assert_eq!(found(&nested), Some((1, 2, 1, "Open MPI's mpirun")));
    }

    #[test]
    fn a_lone_process_is_one_whatever_has_started_it() {
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("RANK", "3")]), None, "half of a launcher's variables are somebody else's");
        assert_eq!(found(&[("RANK", "0"), ("WORLD_SIZE", "1")]), None);
        // A batch script of a job with four tasks.
        assert_eq!(found(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4")]), None);
    }

    #[test]
    fn variables_that_make_no_sense_are_named() {
        let said = |variables: &[(&str, &str)]| launch(variables).unwrap_err().to_string();
        let text = said(&[("RANK", "x"), ("WORLD_SIZE", "2")]);
        assert!(text.contains("RANK (set by torchrun) is \"x\""), "{text}");
        let text = said(&[("PMI_RANK", "2"), ("PMI_SIZE", "2")]);
        assert!(text.contains("PMI_RANK = 2 and PMI_SIZE = 2"), "{text}");
    }

    #[test]
    fn starts_of_one_run_meet_at_different_places() {
        let at = |step: &str| {
            let of_step = [
                ("SLURM_PROCID", "1"),
                ("SLURM_STEP_NUM_TASKS", "2"),
                ("SLURM_JOB_ID", "17"),
                ("SLURM_STEP_ID", step),
            ];
            launch(&of_step).unwrap().unwrap().meeting(Path::new("runs/one"))
        };
        assert_eq!(at("0"), Path::new("runs/one.meeting-17-0"));
        assert_ne!(at("0"), at("1"));
    }
}
