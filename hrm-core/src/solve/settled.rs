//! Noticing that a recurrence repeats itself.

/// Digests of the last states, newest last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recent {
    digests: [u32; Self::CAPACITY],
    known: usize,
}

impl Recent {
    /// The longest cycle that is noticed.
    const CAPACITY: usize = 8;

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.known = 0;
    }

    /// Takes in the next state's digest; `Some(period)` where the state stood `period` (1 to 8) segments ago.
    pub(super) fn push(&mut self, digest: u32) -> Option<u8> {
        let back = self.digests.iter().rev().take(self.known).position(|&known| known == digest);
        self.digests.rotate_left(1);
        if let Some(newest) = self.digests.last_mut() {
            *newest = digest;
        }
        self.known = (self.known + 1).min(Self::CAPACITY);
        back.and_then(|back| u8::try_from(back + 1).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_up_to_eight_are_noticed() {
        for period in 1..=10u32 {
            let mut recent = Recent::default();
            let noticed =
                (0..30).map(|segment| recent.push(100 + segment % period)).position(|p| p.is_some());
            assert_eq!(noticed, (period <= 8).then_some(period as usize));
        }
    }

    #[test]
    fn the_period_is_the_distance_to_the_newest_equal() {
        let mut recent = Recent::default();
        let periods = [5, 6, 7, 6, 6, 0, 0].map(|digest| recent.push(digest));
        assert_eq!(periods, [None, None, None, Some(2), Some(1), None, Some(1)]);
        recent.clear();
        // The zeros an empty history is filled with are no digests.
        assert_eq!(Recent::default().push(0), None);
        assert_eq!(recent.push(0), None);
    }
}
