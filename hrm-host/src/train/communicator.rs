//! What data-parallel trainers tell each other: nothing but the mean of their gradients.
//!
//! Every rank holds the same parameters and its own rows. One mean per step keeps the parameters equal, bit for bit,
//! because all ranks make the same update of the same mean.

use std::sync::{Arc, Barrier, Mutex, PoisonError};

use super::error::TrainError;

/// A rank's connection to the others.
pub trait Communicator {
    /// This trainer's number, from 0. Rank 0 draws what a lone trainer draws.
    fn rank(&self) -> usize;

    /// How many trainers there are.
    fn ranks(&self) -> usize;

    /// Replaces `values` by the mean over all ranks, elementwise. Every rank must call it equally often, with equally
    /// many values; every rank gets the same bits.
    ///
    /// # Errors
    /// Where another rank cannot be reached.
    fn mean(&mut self, values: &mut [f32]) -> Result<(), TrainError>;
}

/// One trainer alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Communicator for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn ranks(&self) -> usize {
        1
    }

    fn mean(&mut self, _: &mut [f32]) -> Result<(), TrainError> {
        Ok(())
    }
}

/// Trainers on threads of one process.
#[derive(Debug)]
pub struct InProcess {
    rank: usize,
    meeting: Arc<Meeting>,
}

#[derive(Debug)]
struct Meeting {
    barrier: Barrier,
    parts: Mutex<Vec<Vec<f32>>>, // by rank
}

impl InProcess {
    /// `ranks` connected ends, in order of their ranks.
    pub fn group(ranks: usize) -> Vec<Self> {
        let parts = Mutex::new(vec![Vec::new(); ranks]);
        let meeting = Arc::new(Meeting { barrier: Barrier::new(ranks), parts });
        (0..ranks).map(|rank| Self { rank, meeting: meeting.clone() }).collect()
    }
}

impl Communicator for InProcess {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.meeting.parts.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn mean(&mut self, values: &mut [f32]) -> Result<(), TrainError> {
        let Meeting { barrier, parts } = &*self.meeting;
        let lock = || parts.lock().unwrap_or_else(PoisonError::into_inner);
        lock()[self.rank] = values.to_vec();
        barrier.wait();
        let agreed = {
            let parts = lock();
            let equal = parts.iter().all(|part| part.len() == values.len());
            if equal {
                // In the order of the ranks everywhere, so that every rank rounds alike.
                for (i, value) in values.iter_mut().enumerate() {
                    *value = parts.iter().map(|part| part[i]).sum::<f32>() / parts.len() as f32;
                }
            }
            equal
        };
        // Nobody comes back with the next values before everybody has read these.
        barrier.wait();
        match agreed {
            true => Ok(()),
            false => Err(TrainError::Peers(format!(
                "rank {} has {} gradients and another rank has not",
                self.rank,
                values.len()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_gets_the_mean_again_and_again() {
        let results: Vec<Vec<Vec<f32>>> = std::thread::scope(|scope| {
            let ranks = InProcess::group(3).into_iter().map(|mut peer| {
                scope.spawn(move || {
                    assert_eq!(peer.ranks(), 3);
                    (0..50)
                        .map(|round| {
                            let mut values = vec![peer.rank() as f32 * 3.0, round as f32];
                            peer.mean(&mut values).unwrap();
                            values
                        })
                        .collect()
                })
            });
            let ranks: Vec<_> = ranks.collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        });
        for rounds in results {
            for (round, values) in rounds.iter().enumerate() {
                assert_eq!(*values, [3.0, round as f32]);
            }
        }
    }

    #[test]
    fn unequal_lengths_are_refused_by_every_rank() {
        std::thread::scope(|scope| {
            for mut peer in InProcess::group(2) {
                scope.spawn(move || {
                    let mut values = vec![1.0; 2 + peer.rank()];
                    let error = peer.mean(&mut values).unwrap_err().to_string();
                    assert!(error.contains("gradients"), "{error}");
                });
            }
        });
    }
}
