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

/// A grid that halted guesses ended on.
#[derive(Clone, Debug)]
pub(super) struct Entry<G> {
    pub(super) candidate: Candidate<G>,
    pub(super) votes: u16,
    /// Sum of the voters' halt confidences.
    weight: i64,
}

/// Votes for up to 8 different grids. Where a ninth appears, it takes the place of the weakest that has no
/// more votes than itself, which is the newest of the least confident.
#[derive(Clone, Debug)]
pub(super) struct Tally<G> {
    entries: Vec<Entry<G>, 8>,
    /// Votes of grids that had to go.
    dropped: u16,
}

impl<G: Clone + AsRef<[u8]>> Tally<G> {
    pub(super) fn new() -> Self {
        Tally { entries: Vec::new(), dropped: 0 }
    }

    /// Counts the vote of a halted guess.
    pub(super) fn vote(&mut self, candidate: &Candidate<G>) {
        let confidence = i64::from(candidate.found.confidence);
        let known = |entry: &&mut Entry<G>| entry.candidate.grid.as_ref() == candidate.grid.as_ref();
        if let Some(entry) = self.entries.iter_mut().find(known) {
            entry.votes = entry.votes.saturating_add(1);
            entry.weight = entry.weight.saturating_add(confidence);
            return;
        }
        let fresh = Entry { candidate: candidate.clone(), votes: 1, weight: confidence };
        if let Err(fresh) = self.entries.push(fresh) {
            self.dropped = self.dropped.saturating_add(1);
            let weakest = self.entries.iter_mut().rev().min_by_key(|entry| (entry.votes, entry.weight));
            if let Some(weakest) = weakest.filter(|weakest| (weakest.votes, weakest.weight) < (1, confidence))
            {
                *weakest = fresh;
            }
        }
    }

    /// The grid with most votes; ties by weight, then first seen.
    pub(super) fn leader(&self) -> Option<&Entry<G>> {
        self.entries
            .iter()
            .max_by_key(|entry| (entry.votes, entry.weight, Reverse(entry.candidate.found.guess)))
    }

    /// Whether no other grid can reach the leader's votes with `remaining` more guesses.
    pub(super) fn decided(&self, remaining: u32) -> bool {
        let Some(leader) = self.leader() else { return false };
        let guess = leader.candidate.found.guess;
        let others = self.entries.iter().filter(|entry| entry.candidate.found.guess != guess);
        let second = others.map(|entry| entry.votes).max().unwrap_or(0);
        let reachable = u32::from(second) + u32::from(self.dropped) + remaining;
        u32::from(leader.votes) > reachable
    }
}
