//! The plane in which points of a high-dimensional space differ most: their first two principal components.

use hrm_core::task::draw;
use rand_pcg::Pcg64;

/// Rounds of the power iteration; a component converges as fast as its variance exceeds the next one's, and
/// where two are equal any direction between them is as good.
const ROUNDS: usize = 200;
/// Seeds the directions that take the place of components which the points do not have.
const SEED: u128 = 1;

/// Two orthonormal directions, and the share of the points' variance along each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plane {
    pub(super) axes: [Vec<f64>; 2],
    pub(super) explained: [f64; 2],
}

impl Plane {
    /// The plane of `points`, all of one size; arbitrary directions take the place of
    /// components that they do not have.
    pub(super) fn through(points: &[Vec<f64>]) -> Self {
        let size = points.first().map_or(0, Vec::len);
        let mean: Vec<f64> =
            (0..size).map(|d| points.iter().map(|p| p[d]).sum::<f64>() / points.len() as f64).collect();
        let centred: Vec<Vec<f64>> =
            points.iter().map(|p| p.iter().zip(&mean).map(|(x, m)| x - m).collect()).collect();
        let total: f64 = centred.iter().map(|p| dot(p, p)).sum();
        let mut rng = Pcg64::new(SEED, 0);
        let mut found: Vec<Vec<f64>> = Vec::new();
        let mut explained = [0.0; 2];
        for explained in &mut explained {
            let mut axis = unit(arbitrary(size, &mut rng), &found).unwrap_or_default();
            for _ in 0..ROUNDS {
                // covariance times axis: sum over points of (p . axis) p
                let mut next = vec![0.0; size];
                for point in &centred {
                    let along = dot(point, &axis);
                    next.iter_mut().zip(point).for_each(|(n, p)| *n += along * p);
                }
                match unit(next, &found) {
                    Some(next) => axis = next,
                    None => break,
                }
            }
            let along: f64 = centred.iter().map(|p| dot(p, &axis)).map(|x| x * x).sum();
            *explained = if total > 0.0 { along / total } else { 0.0 };
            found.push(axis);
        }
        let second = found.pop().unwrap_or_default();
        Plane { axes: [found.pop().unwrap_or_default(), second], explained }
    }

    /// `x` in this plane's coordinates.
    pub(super) fn project(&self, x: &[f64]) -> [f64; 2] {
        [dot(&self.axes[0], x), dot(&self.axes[1], x)]
    }
}

/// `x` without what lies along `others`, as long as 1; `None` where nothing is left.
fn unit(mut x: Vec<f64>, others: &[Vec<f64>]) -> Option<Vec<f64>> {
    let before = dot(&x, &x).sqrt();
    for other in others {
        let along = dot(&x, other);
        x.iter_mut().zip(other).for_each(|(x, o)| *x -= along * o);
    }
    let length = dot(&x, &x).sqrt();
    (length > 1e-9 * before).then(|| x.into_iter().map(|x| x / length).collect())
}

/// A direction like any other.
fn arbitrary(size: usize, rng: &mut Pcg64) -> Vec<f64> {
    (0..size).map(|_| f64::from(draw::below(rng, 2001)) - 1000.0).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn the_longest_directions_are_found() {
        // Spread 10 along (3, 4, 0)/5, 1 along z, nothing along the third; the mean is far from the origin.
        let points: Vec<Vec<f64>> = [(-10.0, 1.0), (10.0, 1.0), (-10.0, -1.0), (10.0, -1.0)]
            .map(|(a, b)| vec![100.0 + 0.6 * a, 50.0 + 0.8 * a, b])
            .into();
        let plane = Plane::through(&points);
        let [first, second] = &plane.axes;
        assert!(close(first[0] / first[1], 0.75) && close(first[2], 0.0) && close(dot(first, first), 1.0));
        assert!(close(second[2].abs(), 1.0));
        assert!(close(plane.explained[0], 100.0 / 101.0) && close(plane.explained[1], 1.0 / 101.0));
        let [x, y] = plane.project(&[0.6, 0.8, 0.0]);
        assert!(close(x.abs(), 1.0) && close(y, 0.0));
    }

    #[test]
    fn points_on_a_line_or_in_one_place_have_a_plane_too() {
        for points in [vec![vec![0.0, 1.0, 2.0], vec![0.0, 3.0, 2.0]], vec![vec![1.0; 3]; 4]] {
            let plane = Plane::through(&points);
            let [first, second] = &plane.axes;
            assert!(close(dot(first, first), 1.0) && close(dot(second, second), 1.0));
            assert!(close(dot(first, second), 0.0) && plane.explained[1] == 0.0 || plane.explained[1] < 1e-9);
        }
    }
}
