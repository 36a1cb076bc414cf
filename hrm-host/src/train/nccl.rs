//! One process per GPU: the mean of the gradients by NVIDIA's collective communication library.

use std::ffi::c_char;
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::cuda_backend::cudarc::nccl::result::NcclError;
use candle_core::cuda_backend::cudarc::nccl::{Comm, Id, ReduceOp, sys};
use candle_core::{CudaDevice, Device};

use super::communicator::Communicator;
use super::error::TrainError;
use crate::files::replace_file;

/// How long a rank waits for rank 0 to come.
const PATIENCE: Duration = Duration::from_secs(600);
/// Bytes of the name that NCCL gives a group of ranks.
const ID_BYTES: usize = 128;

/// A rank's connection to the other GPUs.
pub struct Nccl {
    comm: Comm,
    device: CudaDevice,
}

impl Nccl {
    /// Joins `ranks` processes as `rank`, with the GPU `device`. Rank 0 leaves the group's name in the file
    /// `meeting`, which must not exist before and which every rank must be able to read.
    ///
    /// # Errors
    /// Where NCCL cannot be loaded, the file is in the way or never comes, or the
    /// GPUs do not find each other.
    pub fn join(device: &Device, rank: usize, ranks: usize, meeting: &Path) -> Result<Self, TrainError> {
        // SAFETY: asks the loader only; NCCL's initialisers touch nothing of this program.
        if !unsafe { sys::is_culib_present() } {
            return Err(TrainError::Peers(
                "libnccl.so cannot be loaded (Python package nvidia-nccl)".to_owned(),
            ));
        }
        let device = device.as_cuda_device()?.clone();
        let id = if rank == 0 { announce(meeting)? } else { hear(meeting)? };
        let comm =
            Comm::from_rank(device.cuda_stream(), rank, ranks, id).map_err(said("meet the other ranks"))?;
        if rank == 0 {
            // All have read it, and it is in nobody's way.
            let _ = std::fs::remove_file(meeting);
        }
        Ok(Self { comm, device })
    }
}

/// Makes the group's name and leaves it in `meeting`.
fn announce(meeting: &Path) -> Result<Id, TrainError> {
    if meeting.exists() {
        let path = meeting.display();
        return Err(TrainError::Peers(format!(
            "{path} is from another start; delete it or name another file"
        )));
    }
    let id = Id::new().map_err(said("name the group"))?;
    let bytes = id.internal().map(|c| c as u8);
    replace_file(meeting, |file| file.write_all(&bytes)).map_err(io("write", meeting))?;
    Ok(id)
}

/// Waits for the group's name in `meeting`.
fn hear(meeting: &Path) -> Result<Id, TrainError> {
    let since = Instant::now();
    while !meeting.exists() {
        if since.elapsed() > PATIENCE {
            let path = meeting.display();
            return Err(TrainError::Peers(format!("rank 0 has not written {path} within 10 minutes")));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let bytes = std::fs::read(meeting).map_err(io("read", meeting))?;
    let name: [u8; ID_BYTES] = bytes
        .try_into()
        .map_err(|_| TrainError::Peers(format!("{} is no group's name", meeting.display())))?;
    Ok(Id::uninit(name.map(|byte| byte as c_char)))
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TrainError {
    move |source| TrainError::Io { action, path: path.to_owned(), source }
}

fn said(attempt: &'static str) -> impl Fn(NcclError) -> TrainError {
    move |error| TrainError::Peers(format!("NCCL could not {attempt}: {:?}", error.0))
}

impl Communicator for Nccl {
    fn rank(&self) -> usize {
        self.comm.rank()
    }

    fn ranks(&self) -> usize {
        self.comm.world_size()
    }

    fn mean(&mut self, values: &mut [f32]) -> Result<(), TrainError> {
        let mut on_device = self.device.clone_htod(&*values)?;
        self.comm
            .all_reduce_in_place(&mut on_device, &ReduceOp::Avg)
            .map_err(said("average the gradients"))?;
        values.copy_from_slice(&self.device.clone_dtoh(&on_device)?);
        Ok(())
    }

    fn any(&mut self, bits: u64) -> Result<u64, TrainError> {
        // NCCL has no bitwise operations: a number for each bit, and the greatest of all ranks.
        let apart: Vec<f32> = (0..u64::BITS).map(|bit| (bits >> bit & 1) as f32).collect();
        let mut on_device = self.device.clone_htod(&apart)?;
        self.comm
            .all_reduce_in_place(&mut on_device, &ReduceOp::Max)
            .map_err(said("hear the other ranks"))?;
        let all: Vec<f32> = self.device.clone_dtoh(&on_device)?;
        Ok(all.iter().enumerate().fold(0, |any, (bit, &set)| any | u64::from(set > 0.0) << bit))
    }
}
