//! Candidates and the votes for them.

use core::cmp::Reverse;

use heapless::Vec;

use super::Progress;

/// A guess's grid, mapped back, and where it was found.
#[derive(Clone, Debug)]
pub(super) struct Candidate<G> {
    pub(super) grid: G,
    pub(super) found: Progress,
}

impl<G> Candidate<G> {
    /// Whether this is the better one to hand back unproven: fewer violations, then halted, then more
    /// confident. A tie is for the one seen first.
    pub(super) fn beats(&self, other: &Self) -> bool {
        let rank = |candidate: &Self| {
            let found = &candidate.found;
            (Reverse(found.violations.unwrap_or(0)), found.halted, found.confidence)
        };
        rank(self) > rank(other)
    }
}

/// A grid that halted guesses end on.
#[derive(Clone, Debug)]
pub(super) struct Entry<G> {
    pub(super) candidate: Candidate<G>,
    pub(super) votes: u16,
    /// Of these, those that no vote for another grid has stood against: an entry without any may have to go.
    hold: u16,
    /// Sum of the voters' halt confidences.
    weight: i64,
}

impl<G> Entry<G> {
    fn ranks(&self) -> (u16, i64, Reverse<u16>) {
        (self.votes, self.weight, Reverse(self.candidate.found.guess))
    }
}

/// Votes for up to 8 different grids; as long as there are no more, every vote counts.
///
/// Where a ninth appears, it takes the place of the weakest of the entries without hold. Where every one has
/// some, its vote stands against one of each (Misra and Gries' way of finding frequent elements). The leader
/// never has to go.
///
/// What is lost of a grid's votes stood against other grids', at least seven at a time. So of `n` votes a grid
/// with more than `n / 8` is there at the end, and one with more than half of them leads, in whatever order
/// they came.
#[derive(Clone, Debug)]
pub(super) struct Tally<G> {
    entries: Vec<Entry<G>, 8>,
    /// The most votes that a grid may have beyond those counted.
    uncounted: u16,
}

impl<G: Clone + AsRef<[u8]>> Tally<G> {
    pub(super) fn new() -> Self {
        Tally { entries: Vec::new(), uncounted: 0 }
    }

    /// Counts the vote of a halted guess.
    pub(super) fn vote(&mut self, candidate: &Candidate<G>) {
        let weight = i64::from(candidate.found.confidence);
        let known = |entry: &&mut Entry<G>| entry.candidate.grid.as_ref() == candidate.grid.as_ref();
        if let Some(entry) = self.entries.iter_mut().find(known) {
            entry.votes = entry.votes.saturating_add(1);
            entry.hold = entry.hold.saturating_add(1);
            entry.weight = entry.weight.saturating_add(weight);
            return;
        }
        let fresh = Entry { candidate: candidate.clone(), votes: 1, hold: 1, weight };
        if let Err(fresh) = self.entries.push(fresh) {
            self.make_room(fresh);
        }
    }

    fn make_room(&mut self, mut fresh: Entry<G>) {
        let leader = self.leader().map(Entry::ranks);
        let others = self.entries.iter_mut().filter(|entry| Some(entry.ranks()) != leader);
        let Some(weakest) = others.min_by_key(|entry| (entry.hold, entry.ranks())) else { return };
        if weakest.hold == 0 {
            *weakest = fresh;
            return;
        }
        fresh.hold = 0;
        // What has no hold left may be whichever of two grids.
        if weakest.hold == 1 && weakest.ranks() < fresh.ranks() {
            *weakest = fresh;
        }
        self.entries.iter_mut().for_each(|entry| entry.hold = entry.hold.saturating_sub(1));
        self.uncounted = self.uncounted.saturating_add(1);
    }

    /// The grid with most votes; ties by weight, then first seen.
    pub(super) fn leader(&self) -> Option<&Entry<G>> {
        self.entries.iter().max_by_key(|entry| entry.ranks())
    }

    /// Whether no other grid can reach the leader's votes with `remaining` more guesses.
    pub(super) fn decided(&self, remaining: u32) -> bool {
        let Some(leader) = self.leader() else { return false };
        let others = self.entries.iter().filter(|entry| entry.ranks() != leader.ranks());
        let second = others.map(|entry| entry.votes).max().unwrap_or(0);
        let reachable = u32::from(second) + u32::from(self.uncounted) + remaining;
        u32::from(leader.votes) > reachable
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{collections::BTreeMap, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    /// The tally of `votes`, each a grid and a confidence, and its leader after each.
    fn tally(votes: &[(u8, i32)]) -> (Tally<[u8; 1]>, Vec<(u8, u16)>) {
        let mut tally = Tally::new();
        let mut led = Vec::new();
        for (guess, &(grid, confidence)) in votes.iter().enumerate() {
            let found = Progress { guess: guess as u16, confidence, ..Progress::default() };
            tally.vote(&Candidate { grid: [grid], found });
            let leader = tally.leader().expect("somebody voted");
            led.push((leader.candidate.grid[0], leader.votes));
        }
        (tally, led)
    }

    /// Votes and summed confidences of every grid, and when it was first seen.
    fn counted(votes: &[(u8, i32)]) -> BTreeMap<u8, (u16, i64, Reverse<usize>)> {
        let mut counts = BTreeMap::new();
        for (guess, &(grid, confidence)) in votes.iter().enumerate() {
            let count = counts.entry(grid).or_insert((0, 0, Reverse(guess)));
            (count.0, count.1) = (count.0 + 1, count.1 + i64::from(confidence));
        }
        counts
    }

    /// Grids of which a few are frequent, in an order in which these may come first, last or between.
    fn votes() -> impl Strategy<Value = Vec<(u8, i32)>> {
        let vote = (prop_oneof![0u8..3, 0u8..40], -9i32..9);
        (prop::collection::vec(vote, 1..120), 0..3u8).prop_map(|(mut votes, order)| {
            match order {
                0 => votes.sort_by_key(|vote| vote.0),
                1 => votes.sort_by_key(|vote| Reverse(vote.0)),
                _ => {}
            }
            votes
        })
    }

    #[test]
    fn a_majority_that_comes_behind_eight_confident_grids_leads() {
        // None of the eight ever has more than two votes, and all are surer of themselves.
        let sure = |grid| (grid, 1000);
        let mut votes: Vec<_> = (0..8).map(sure).chain((0..8).map(sure)).collect();
        votes.extend([(9, 1); 17]);
        let (_, led) = tally(&votes);
        assert!(matches!(led.last(), Some((9, 12..))), "{led:?}");
        // Nor need its votes stand together.
        let votes: Vec<_> = (0..40).flat_map(|grid| [sure(grid), (99, -1), (99, -1)]).collect();
        assert_eq!(tally(&votes).1.last(), Some(&(99, 80)));
        let votes: Vec<_> = (0..40).flat_map(|grid| [sure(grid), (99, -1)]).chain([(99, -1)]).collect();
        assert_eq!(tally(&votes).1.last().map(|led| led.0), Some(99));
    }

    proptest! {
        #[test]
        fn what_is_promised_of_votes_holds(votes in votes()) {
            let (whole, _) = tally(&votes);
            let counts = counted(&votes);
            let leader = whole.leader().expect("a vote");
            let (first, count) = counts.iter().max_by_key(|(_, count)| **count).expect("a vote");
            if counts.len() <= 8 {
                prop_assert_eq!((leader.candidate.grid[0], leader.votes, leader.weight), (*first, count.0, count.1));
            }
            // With a vote each, the surest of all leads.
            if count.0 == 1 {
                prop_assert_eq!(leader.candidate.grid[0], *first);
            }
            for (grid, &(true_votes, ..)) in &counts {
                let held = whole.entries.iter().find(|entry| entry.candidate.grid[0] == *grid);
                let seen = held.map_or(0, |entry| entry.votes);
                prop_assert!(seen <= true_votes && true_votes - seen <= whole.uncounted);
                prop_assert!(held.is_some() || usize::from(true_votes) * 8 <= votes.len());
                if 2 * usize::from(true_votes) > votes.len() {
                    prop_assert_eq!(leader.candidate.grid[0], *grid);
                }
            }
        }

        #[test]
        fn what_is_decided_stays_so(votes in votes(), others in prop::collection::vec(0u8..40, 0..20)) {
            for end in 1..=votes.len() {
                let (before, _) = tally(&votes[..end]);
                let leader = before.leader().expect("a vote").candidate.grid[0];
                let after: Vec<_> =
                    votes[..end].iter().copied().chain(others.iter().map(|&grid| (grid, 8))).collect();
                if before.decided(others.len() as u32) {
                    prop_assert_eq!(tally(&after).1.last().map(|led| led.0), Some(leader));
                    let counts = counted(&after);
                    let second = counts.iter().filter(|(grid, _)| **grid != leader).map(|(_, count)| count.0);
                    prop_assert!(second.max() < Some(counts[&leader].0));
                }
            }
        }
    }
}
