//! The paper's three questions, asked of the user's own model: does it keep what it has found ([`trivial`]),
//! does it get there gradually ([`descent`]), and where does it come to rest ([`modes`], [`landscape`])?
//!
//! Data flows one way: puzzles → [`path`] (where a model stood after every segment) → one summary per
//! question, and two of the halting head ([`halting`], [`calibration`]) → [`study`], all of them.

pub mod calibration;
pub mod descent;
pub mod halting;
pub mod landscape;
pub mod modes;
pub mod path;
mod plane;
pub mod study;
pub mod trivial;

/// The value in the middle, or between the two there; `None` of nothing.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[last.div_ceil(2)]))
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn an_even_number_of_values_has_its_median_between_two() {
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0, 9.0]), Some(4.0));
        assert_eq!(median(Vec::new()), None);
    }
}
