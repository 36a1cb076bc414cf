//! One process for each rank, on one machine or many: the mean of the gradients by MPI.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::environment::{Universe, initialize_with_threading};
use mpi::request::StaticScope;
use mpi::traits::{Communicator as _, CommunicatorCollectives as _, Equivalence};

use super::communicator::Communicator;
use super::error::TrainError;
use super::launch::Launch;

/// How long the others are waited for once this rank was asked to stop. Where a rank has died, its launcher
/// asks the rest to stop, and mpirun kills them a second later: what they have must be saved by then. Nothing
/// is lost where the others are only slow, since all save what they had before this step.
const PATIENCE: Duration = Duration::from_millis(600);
/// How often it is looked whether they have come. Waiting takes no processor time from them.
const LOOK: Duration = Duration::from_micros(100);

/// A rank's connection to the others.
pub struct Mpi {
    /// Gone once the ranks have parted. MPI is not ended on any other way, because that waits for every rank.
    universe: Option<Universe>,
    stop: Arc<AtomicBool>,
}

impl Mpi {
    /// Joins the ranks of `launch`.
    ///
    /// # Errors
    /// Where this program's MPI does not see the ranks that were started.
    pub fn join(launch: &Launch, stop: Arc<AtomicBool>) -> Result<Self, TrainError> {
        let (universe, _) = initialize_with_threading(Threading::Funneled)
            .ok_or_else(|| TrainError::Launch("MPI was started twice in this process".to_owned()))?;
        let (ranks, rank) = (universe.world().size() as usize, universe.world().rank() as usize);
        let joined = Self { universe: Some(universe), stop };
        if (rank, ranks) != (launch.rank, launch.ranks) {
            return Err(TrainError::Launch(format!(
                "{} has started {} ranks and calls this one {}, but for MPI it is rank {rank} of {ranks}: start the ranks with the \
                 mpirun, or with srun and the --mpi plug-in, of the MPI that hrm-host was built with (torchrun starts ranks for GPUs \
                 alone)",
                launch.by, launch.ranks, launch.rank
            )));
        }
        Ok(joined)
    }

    /// Replaces `values` by the result of `operation` over all ranks.
    fn reduce<T: Equivalence + Copy + 'static>(
        &mut self,
        values: &mut [T],
        operation: SystemOperation,
    ) -> Result<(), TrainError> {
        let Some(universe) = &self.universe else {
            return Err(TrainError::Peers("the ranks have parted".to_owned()));
        };
        let world = universe.world();
        // MPI reads and writes these until the request is done, so they stay where they are until then.
        let buffers = Box::into_raw(Box::new((values.to_vec(), values.to_vec())));
        // SAFETY: the pointer is of a box of this call, and nothing else refers to it.
        let (mine, all) = unsafe { &mut *buffers };
        let mut request =
            world.immediate_all_reduce_into(StaticScope, mine.as_slice(), all.as_mut_slice(), operation);
        let mut asked: Option<Instant> = None;
        loop {
            match request.test() {
                Ok(_) => break,
                Err(going_on) => request = going_on,
            }
            if self.stop.load(Ordering::Relaxed)
                && asked.get_or_insert_with(Instant::now).elapsed() > PATIENCE
            {
                // What the others send may still come: request and buffers are given up, not freed.
                std::mem::forget(request);
                return Err(TrainError::Lost { rank: world.rank() as usize });
            }
            std::thread::sleep(LOOK);
        }
        // SAFETY: the request is done, so MPI uses the box no more.
        let buffers = unsafe { Box::from_raw(buffers) };
        values.copy_from_slice(&buffers.1);
        Ok(())
    }
}

impl Drop for Mpi {
    fn drop(&mut self) {
        // Ending MPI waits for all ranks, and this one has failed: leaving without a word has the
        // launcher end the others.
        std::mem::forget(self.universe.take());
    }
}

impl Communicator for Mpi {
    fn rank(&self) -> usize {
        self.universe.as_ref().map_or(0, |universe| universe.world().rank() as usize)
    }

    fn ranks(&self) -> usize {
        self.universe.as_ref().map_or(1, |universe| universe.world().size() as usize)
    }

    fn mean(&mut self, values: &mut [f32]) -> Result<(), TrainError> {
        self.reduce(values, SystemOperation::sum())?;
        let ranks = self.ranks() as f32;
        values.iter_mut().for_each(|value| *value /= ranks);
        Ok(())
    }

    fn any(&mut self, bits: u64) -> Result<u64, TrainError> {
        let mut bits = [bits];
        self.reduce(&mut bits, SystemOperation::bitwise_or())?;
        Ok(bits[0])
    }

    fn part(&mut self) {
        drop(self.universe.take());
    }
}
