//! Waiting for a disk that is full: somebody may make room, and what is in memory alone is worth the wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// After the first attempt; every further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How often `stop` is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Tries `attempt` until it succeeds, fails for a reason that `may_pass` denies, `patience` is
/// over, or `stop` is newly set.
///
/// Before each wait `tell` is called with the error and the time that is left.
pub(super) fn patiently<C, T, E>(
    context: &mut C,
    patience: Duration,
    stop: &AtomicBool,
    mut attempt: impl FnMut(&mut C) -> Result<T, E>,
    may_pass: impl Fn(&E) -> bool,
    mut tell: impl FnMut(&mut C, &E, Duration),
) -> Result<T, E> {
    let until = Instant::now() + patience;
    let stopped_before = stop.load(Ordering::Relaxed);
    let mut wait = FIRST_WAIT;
    loop {
        let error = match attempt(context) {
            Err(error) if may_pass(&error) => error,
            done => return done,
        };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(error);
        }
        tell(context, &error, left);
        let next = Instant::now() + wait.min(left);
        while Instant::now() < next {
            sleep(LOOK);
            if !stopped_before && stop.load(Ordering::Relaxed) {
                return Err(error);
            }
        }
        wait = (2 * wait).min(LONGEST_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What came of attempts, of which the first `failing` fail; how often it was tried, and told.
    fn tried(
        patience: Duration,
        failing: usize,
        stop_at: Option<usize>,
    ) -> (Result<(), usize>, usize, usize) {
        let stop = AtomicBool::new(false);
        let mut counts = (0, 0);
        let attempt = |(tried, _): &mut (usize, usize)| {
            *tried += 1;
            if *tried > failing { Ok(()) } else { Err(*tried) }
        };
        let tell = |(tried, told): &mut (usize, usize), _: &usize, _| {
            *told += 1;
            stop.fetch_or(stop_at == Some(*tried), Ordering::Relaxed);
        };
        let result = patiently(&mut counts, patience, &stop, attempt, |&error| error != 100, tell);
        (result, counts.0, counts.1)
    }

    #[test]
    fn it_tries_until_there_is_room_time_is_up_or_it_is_told_to_stop() {
        let long = Duration::from_secs(3600);
        assert_eq!(tried(long, 0, None), (Ok(()), 1, 0));
        assert_eq!(tried(long, 2, None), (Ok(()), 3, 2));
        assert_eq!(tried(Duration::ZERO, 2, None), (Err(1), 1, 0));
        let (result, tries, told) = tried(Duration::from_millis(300), usize::MAX, None);
        assert!(result == Err(tries) && tries == told + 1, "{tries} tries, told {told} times");
        assert_eq!(tried(long, usize::MAX, Some(1)), (Err(1), 1, 1));
    }

    #[test]
    fn what_does_not_pass_is_not_waited_for() {
        let stop = AtomicBool::new(false);
        let fails = |_: &mut ()| Err::<(), _>("no such folder");
        let told = |_: &mut (), _: &&str, _| panic!("it waits");
        let result = patiently(&mut (), Duration::from_secs(3600), &stop, fails, |_| false, told);
        assert_eq!(result, Err("no such folder"));
    }

    #[test]
    fn a_run_that_was_stopped_waits_too() {
        let (stop, mut tries) = (AtomicBool::new(true), 0);
        let attempt = |tries: &mut usize| {
            *tries += 1;
            if *tries == 2 { Ok(()) } else { Err(()) }
        };
        assert_eq!(
            patiently(&mut tries, Duration::from_secs(3600), &stop, attempt, |()| true, |_, (), _| {}),
            Ok(())
        );
    }
}
