//! The carried states: puzzles that start anywhere, noise on the way, and coming to rest.
//!
//! A model trained so does not depend on one start, and several random starts of one puzzle give
//! different attempts at it. Every number comes from the run's own generator, on the host, so a
//! resumed run goes on exactly.

use candle_core::{Result, Tensor};
use rand_core::Rng;

use super::draw::chance;
use crate::model::Carry;

/// `len` values of mean 0 and standard deviation `std`: sums of four uniform numbers, which are
/// close to normal and end at `±2 sqrt(3) std`. One number is drawn per value, and the bits are
/// the same on every machine.
pub fn noise<R: Rng>(len: usize, std: f64, rng: &mut R) -> Vec<f32> {
    // Four 16-bit digits: the sum's variance is 4 (2^32 - 1) / 12, its mean 2 (2^16 - 1).
    let scale = std / (((1u64 << 32) - 1) as f64 / 3.0).sqrt();
    let mut value = || {
        let word = rng.next_u64();
        let sum: u64 = (0..4).map(|digit| word >> (16 * digit) & 0xffff).sum();
        ((sum as f64 - 2.0 * 65_535.0) * scale) as f32
    };
    (0..len).map(|_| value()).collect()
}

/// `carry` with noise of standard deviation `std` added to both states.
///
/// # Errors
/// Where the device fails.
pub fn disturb<R: Rng>(carry: &Carry, std: f64, rng: &mut R) -> Result<Carry> {
    let mut add = |z: &Tensor| z + Tensor::from_vec(noise(z.elem_count(), std, rng), z.shape(), z.device())?;
    Ok(Carry { z_h: add(&carry.z_h)?, z_l: add(&carry.z_l)? })
}

/// `carry` where each row that is `fresh` starts, with probability `share`, from states of standard deviation
/// 1 that are random at every position.
///
/// # Errors
/// Where the device fails.
pub fn start_anywhere<R: Rng>(carry: &Carry, fresh: &[bool], share: f64, rng: &mut R) -> Result<Carry> {
    let (rows, sequence, width) = carry.z_h.dims3()?;
    let chosen: Vec<usize> = (0..rows).filter(|&row| fresh[row] && chance(rng, share)).collect();
    if chosen.is_empty() {
        return Ok(carry.clone());
    }
    // The new states follow the old ones, and every row takes its own.
    let mut from: Vec<u32> = (0..rows as u32).collect();
    for (start, &row) in chosen.iter().enumerate() {
        from[row] = (rows + start) as u32;
    }
    let device = carry.z_h.device();
    let from = Tensor::new(from, device)?;
    let mut start = |z: &Tensor| {
        let states = noise(chosen.len() * sequence * width, 1.0, rng);
        let states = Tensor::from_vec(states, (chosen.len(), sequence, width), device)?;
        Tensor::cat(&[z, &states], 0)?.index_select(&from, 0)
    };
    Ok(Carry { z_h: start(&carry.z_h)?, z_l: start(&carry.z_l)? })
}

/// Which rows of `z_h` (`[B, sequence, width]`) differ from `before` by less than `share` of their size:
/// `|z_h - before| < share |z_h|`.
///
/// # Errors
/// Where the device fails.
pub fn at_rest(before: &Tensor, z_h: &Tensor, share: f64) -> Result<Vec<bool>> {
    let square = |x: &Tensor| x.sqr()?.flatten_from(1)?.sum(1)?.to_vec1::<f32>();
    let (moved, size) = (square(&(z_h - before)?)?, square(z_h)?);
    Ok(moved
        .iter()
        .zip(size)
        .map(|(&moved, size)| f64::from(moved) < share * share * f64::from(size))
        .collect())
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};
    use rand_core::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;

    fn moments(values: &[f32]) -> (f64, f64) {
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
        (mean, (square / values.len() as f64).sqrt())
    }

    fn zeros() -> Carry {
        let z = Tensor::zeros((3, 10, 16), DType::F32, &Device::Cpu).unwrap();
        Carry { z_h: z.clone(), z_l: z }
    }

    fn values(z: &Tensor) -> Vec<f32> {
        z.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn noise_has_the_asked_spread() {
        let values = noise(200_000, 0.3, &mut Pcg64::seed_from_u64(1));
        let (mean, std) = moments(&values);
        assert!(mean.abs() < 3e-3 && (std / 0.3 - 1.0).abs() < 5e-3, "{mean} {std}");
        assert!(values.iter().all(|v| v.abs() <= 0.3 * 2.0 * 1.733));
        // About as many beyond one and two deviations as a normal distribution has: 31.7 and 4.55 %.
        let beyond = |k: f32| values.iter().filter(|v| v.abs() > k * 0.3).count() as f64 / 200_000.0;
        assert!((beyond(1.0) - 0.317).abs() < 0.02 && (beyond(2.0) - 0.0455).abs() < 0.01);
    }

    #[test]
    fn both_states_are_disturbed_differently_and_by_the_seed() {
        let disturbed = |seed| disturb(&zeros(), 0.5, &mut Pcg64::seed_from_u64(seed)).unwrap();
        let once = disturbed(1);
        let (h, l) = (values(&once.z_h), values(&once.z_l));
        assert!((moments(&h).1 - 0.5).abs() < 0.05 && (moments(&l).1 - 0.5).abs() < 0.05);
        assert_ne!(h, l);
        assert_eq!(values(&disturbed(1).z_h), h);
        assert_ne!(values(&disturbed(2).z_h), h);
    }

    #[test]
    fn rows_that_hardly_move_are_at_rest() {
        let before = Tensor::ones((3, 10, 16), DType::F32, &Device::Cpu).unwrap();
        let factors = Tensor::new(&[1.0f32, 1.01, 1.1], &Device::Cpu).unwrap().reshape((3, 1, 1)).unwrap();
        let after = before.broadcast_mul(&factors).unwrap();
        // |1.01 - 1| / 1.01 = 0.0099 and |1.1 - 1| / 1.1 = 0.091
        assert_eq!(at_rest(&before, &after, 0.05).unwrap(), [true, true, false]);
        assert_eq!(at_rest(&before, &after, 0.005).unwrap(), [true, false, false]);
        assert_eq!(at_rest(&before, &after, 0.0).unwrap(), [false; 3]);
    }

    #[test]
    fn only_fresh_rows_start_anywhere() {
        let mut rng = Pcg64::seed_from_u64(1);
        let started = start_anywhere(&zeros(), &[true, false, true], 1.0, &mut rng).unwrap();
        for z in [&started.z_h, &started.z_l] {
            let rows: Vec<f64> = values(z).chunks_exact(160).map(|row| moments(row).1).collect();
            assert!((rows[0] - 1.0).abs() < 0.2 && rows[1] == 0.0 && (rows[2] - 1.0).abs() < 0.2, "{rows:?}");
        }
        let never = start_anywhere(&zeros(), &[true; 3], 0.0, &mut rng).unwrap();
        assert_eq!(values(&never.z_h), vec![0.0; 480]);
    }
}
