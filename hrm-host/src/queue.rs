//! Many independent pieces of work on all threads, first come first served.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does `work` for each of `items` on all of rayon's threads and hands what came of it to `each`, on
/// this thread, as it comes.
///
/// A thread prepares its memory once and takes the next item whenever it is free, so items begin in order. A
/// thread ends where `work` gives `None`. Where `each` breaks off or panics, nobody waits for more: no
/// further item begins, and the flag that `work` sees is raised.
pub fn work_off<M, T: Send>(
    items: &[usize],
    prepare: impl Fn() -> M + Sync,
    work: impl Fn(&mut M, usize, &AtomicBool) -> Option<T> + Sync,
    mut each: impl FnMut(usize, T) -> ControlFlow<()>,
) {
    let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let (next, ended, prepare, work) = (&next, &ended, &prepare, &work);
    thread::scope(|scope| {
        // The sender goes with the workers: where they have ended, nothing more is received.
        scope.spawn(move || {
            rayon::broadcast(|_| {
                let mut memory = prepare();
                while let Some(&item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(done) = work(&mut memory, item, ended) else { break };
                    if sender.send((item, done)).is_err() {
                        break;
                    }
                }
            });
        });
        let _raised_in_the_end = Raise(ended);
        for (item, done) in receiver {
            if each(item, done).is_break() {
                break;
            }
        }
    });
}

/// Raises its flag when it goes.
struct Raise<'a>(&'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once() {
        let items: Vec<usize> = (0..200).map(|i| 3 * i).collect();
        let mut seen = Vec::new();
        work_off(
            &items,
            || 0usize,
            |done, item, _| {
                *done += 1;
                Some(item + 1)
            },
            |item, result| {
                assert_eq!(result, item + 1);
                seen.push(item);
                ControlFlow::Continue(())
            },
        );
        seen.sort_unstable();
        assert_eq!(seen, items);
    }

    #[test]
    fn a_panic_of_the_one_who_waits_ends_work_that_would_go_on() {
        let work = |(): &mut (), item: usize, ended: &AtomicBool| {
            while item > 0 && !ended.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            Some(())
        };
        let each = |_, ()| std::panic::resume_unwind(Box::new("enough"));
        let ended = std::panic::catch_unwind(|| work_off(&[0, 1, 2], || (), work, each));
        assert!(ended.is_err());
    }

    #[test]
    fn work_ends_where_either_side_stops() {
        let items: Vec<usize> = (0..1000).collect();
        let mut seen = 0;
        work_off(
            &items,
            || (),
            |(), item, _| Some(item),
            |_, _| {
                seen += 1;
                if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!(seen, 5);
        let mut seen = 0;
        work_off(
            &items,
            || (),
            |(), item, _| (item < 10).then_some(()),
            |_, ()| {
                seen += 1;
                ControlFlow::Continue(())
            },
        );
        assert_eq!(seen, 10);
    }
}
