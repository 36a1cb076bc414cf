//! Bounded draws from any random number generator, the same on every target.

use rand_core::Rng;

/// A draw from `0..bound` (0 where `bound` is 0 or 1) by multiply-shift: `floor(u32 * bound / 2^32)`.
///
/// Every value's probability differs from `1 / bound` by less than `2^-32`. One `next_u32` is consumed
/// whatever the bound, so a sequence of draws never hangs and stays aligned across targets.
pub fn below<R: Rng>(rng: &mut R, bound: u32) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(bound)) >> 32) as u32
}

/// Shuffles `items` uniformly (Fisher-Yates from the end, with [`below`]); `len - 1` draws are consumed.
/// At most 2^32 - 1 items are reached.
pub fn shuffle<T, R: Rng>(rng: &mut R, mut items: &mut [T]) {
    while let Some((last, before)) = core::mem::take(&mut items).split_last_mut()
        && !before.is_empty()
    {
        let other = below(rng, u32::try_from(before.len() + 1).unwrap_or(u32::MAX)) as usize;
        if let Some(other) = before.get_mut(other) {
            core::mem::swap(last, other);
        }
        items = before;
    }
}

#[cfg(test)]
mod tests {
    use rand_pcg::Pcg32;

    use super::*;

    #[test]
    fn draws_stay_below_the_bound_and_reach_it() {
        let mut rng = Pcg32::new(1, 1);
        let mut seen = [0u32; 7];
        for _ in 0..7000 {
            seen[below(&mut rng, 7) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| (800..1200).contains(&n)), "{seen:?}");
        assert_eq!(below(&mut rng, 0), 0);
        assert_eq!(below(&mut rng, 1), 0);
    }

    #[test]
    fn every_order_of_four_is_drawn_equally_often() {
        let mut rng = Pcg32::new(2, 1);
        let mut count = [0u32; 256];
        for _ in 0..24_000 {
            let mut items = [0u8, 1, 2, 3];
            shuffle(&mut rng, &mut items);
            count[items.iter().fold(0, |code, &i| code * 4 + usize::from(i))] += 1;
        }
        let drawn: [u32; 24] = {
            let mut kept = [0; 24];
            let mut next = 0;
            for &n in count.iter().filter(|&&n| n > 0) {
                kept[next] = n;
                next += 1;
            }
            assert_eq!(next, 24);
            kept
        };
        // Expected 1000 each, standard deviation 31.
        assert!(drawn.iter().all(|&n| (840..1160).contains(&n)), "{drawn:?}");
    }
}
