//! What data-parallel trainers tell each other: the mean of their gradients, and a word of bits.
//!
//! Every rank holds the same parameters and its own rows. One mean per step keeps the parameters
//! equal, bit for bit, because all ranks make the same update of the same mean. By the bits they stop
//! and save at the same step.

use std::sync::{Arc, Barrier, Mutex, PoisonError};

use super::error::TrainError;

/// A rank's connection to the others.
pub trait Communicator {
    /// This trainer's number, from 0. Rank 0 draws what a lone trainer draws.
    fn rank(&self) -> usize;

    /// How many trainers there are.
    fn ranks(&self) -> usize;

    /// Replaces `values` by the mean over all ranks, elementwise. Every rank must call it equally often, with
    /// equally many values; every rank gets the same bits.
    ///
    /// # Errors
    /// Where another rank cannot be reached.
    fn mean(&mut self, values: &mut [f32]) -> Result<(), TrainError>;

    /// The bits that are set in `bits` of any rank. Every rank must call it equally often;
    /// every rank gets the same.
    ///
    /// # Errors
    /// Where another rank cannot be reached.
    fn any(&mut self, bits: u64) -> Result<u64, TrainError>;

    /// Takes leave of the others; every rank must come to it, and nothing else may follow.
    fn part(&mut self) {}
}

/// Whether every rank has the same `value`. Every rank must call it equally often.
///
/// # Errors
/// Where another rank cannot be reached.
pub fn agree(peers: &mut dyn Communicator, value: u64) -> Result<bool, TrainError> {
    // A bit that is 1 here and 0 there is set in one of `value` and in one of `!value`.
    let (ones, zeros) = (peers.any(value)?, peers.any(!value)?);
    Ok(ones & zeros == 0)
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

    fn any(&mut self, bits: u64) -> Result<u64, TrainError> {
        Ok(bits)
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
    bits: Mutex<Vec<u64>>,       // by rank
}

impl InProcess {
    /// `ranks` connected ends, in order of their ranks.
    pub fn group(ranks: usize) -> Vec<Self> {
        let parts = Mutex::new(vec![Vec::new(); ranks]);
        let bits = Mutex::new(vec![0; ranks]);
        let meeting = Arc::new(Meeting { barrier: Barrier::new(ranks), parts, bits });
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
        let Meeting { barrier, parts, .. } = &*self.meeting;
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

    fn any(&mut self, bits: u64) -> Result<u64, TrainError> {
        let Meeting { barrier, bits: of_all, .. } = &*self.meeting;
        let lock = || of_all.lock().unwrap_or_else(PoisonError::into_inner);
        lock()[self.rank] = bits;
        barrier.wait();
        let any = lock().iter().fold(0, |any, bits| any | bits);
        barrier.wait();
        Ok(any)
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
    fn every_rank_hears_every_bit_and_whether_all_have_one_value() {
        let results: Vec<_> = std::thread::scope(|scope| {
            let ranks = InProcess::group(3).into_iter().map(|mut peer| {
                scope.spawn(move || {
                    let rank = peer.rank() as u64;
                    let any = peer.any(1 << (60 + rank)).unwrap();
                    (any, agree(&mut peer, 77).unwrap(), agree(&mut peer, 76 + rank / 2).unwrap())
                })
            });
            let ranks: Vec<_> = ranks.collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        });
        assert_eq!(results, [(7 << 60, true, false); 3]);
        assert_eq!((Alone.any(5).unwrap(), agree(&mut Alone, 5).unwrap()), (5, true));
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
