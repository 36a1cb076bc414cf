//! A board in use for long: requests of every kind, damaged frames, resets, pulled plugs, readers that
//! stall, clients that leave.
//!
//! A [`Client`] does one [`Act`] after the other and knows every answer beforehand. [`on_board`] puts it
//! before an emulated board, [`over_usb`] before the application behind a USB port on this machine.

mod client;
mod emulated;
mod known;
mod stand_in;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

pub use client::{Client, endless};
pub use emulated::on_board;
pub use known::{Known, solved_here};
pub use stand_in::over_usb;

/// What happens to a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A request is sent, and its answer is read.
    Request,
    /// A damaged frame is sent.
    Noise,
    /// Many requests are sent before an answer is read.
    Stall,
    /// The board is reset, or its plug pulled, in the middle of whatever it does.
    Cut,
    /// A client leaves in the middle of a conversation, and another comes.
    Leave,
}

/// How often each happens. The order is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Requests, apart from those that the other acts take.
    pub requests: usize,
    /// Damaged frames.
    pub noise: usize,
    /// Readers that stall.
    pub stalls: usize,
    /// Resets or pulled plugs.
    pub cuts: usize,
    /// Clients that leave.
    pub leaves: usize,
}

impl Amount {
    /// `requests`, a tenth as many damaged frames, and a hundredth as often everything else.
    pub fn around(requests: usize) -> Self {
        let [noise, rest] = [10, 100].map(|part| requests.div_ceil(part));
        Self { requests, noise, stalls: rest, cuts: rest, leaves: rest }
    }

    /// The acts, in an order drawn from `seed`.
    fn acts(self, seed: u64) -> Vec<Act> {
        let mut acts: Vec<Act> = [
            (Act::Request, self.requests),
            (Act::Noise, self.noise),
            (Act::Stall, self.stalls),
            (Act::Cut, self.cuts),
            (Act::Leave, self.leaves),
        ]
        .into_iter()
        .flat_map(|(act, count)| std::iter::repeat_n(act, count))
        .collect();
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        for at in (1..acts.len()).rev() {
            acts.swap(at, (rng.next_u64() % (at as u64 + 1)) as usize);
        }
        acts
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Requests that were answered, and rightly: those that the other acts took, too.
    pub answered: usize,
    /// Of them, those that were refused, as they had to be.
    pub refused: usize,
    /// Puzzles solved: a grid that breaks no rule.
    pub solved: usize,
    /// Errors by which the board told of damaged frames.
    pub noticed: usize,
    /// The most stack that was in use in the first tenth of the acts.
    pub stack_early: u32,
    /// The most stack that was in use at all.
    pub stack: u32,
}

/// Stack that an interrupt takes, which may come at a deeper moment than any before it. A leak on a board
/// without a heap would be the stack: one word a request is more than this after 128 of them.
pub const INTERRUPT: u32 = 512;

/// Lets `client` go through `amount` of acts in the order of `seed`; `act` does one. What was wrong
/// comes with the act's number.
fn through(
    client: &mut Client<'_>,
    (amount, seed): (Amount, u64),
    mut act: impl FnMut(&mut Client<'_>, Act) -> Result<(), String>,
) -> Result<Found, String> {
    let acts = amount.acts(seed);
    let tenth = acts.len().div_ceil(10);
    for (number, &next) in acts.iter().enumerate() {
        act(client, next).map_err(|wrong| format!("act {number} of seed {seed}, {next:?}: {wrong}"))?;
        if number < tenth {
            client.found.stack_early = client.found.stack;
        }
    }
    let Found { stack, stack_early, .. } = client.found;
    match stack <= stack_early + INTERRUPT {
        true => Ok(client.found),
        false => Err(format!("the stack grew from {stack_early} to {stack} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, Amount};

    #[test]
    fn acts_are_as_many_as_asked_for_and_in_an_order_of_their_seed() {
        let amount = Amount { requests: 50, noise: 7, stalls: 3, cuts: 2, leaves: 1 };
        let acts = amount.acts(4);
        let count = |wanted| acts.iter().filter(|&&act| act == wanted).count();
        let counts = [Act::Request, Act::Noise, Act::Stall, Act::Cut, Act::Leave].map(count);
        assert_eq!(counts, [50, 7, 3, 2, 1]);
        assert_eq!(acts, amount.acts(4));
        assert_ne!(acts, amount.acts(5));
        assert!(acts[..50].contains(&Act::Noise), "they stand in their order");
    }
}
