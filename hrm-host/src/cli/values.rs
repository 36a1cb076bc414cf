//! Values of options: what the command line alone shows to be wrong is refused before anything else,
//! with the exit code for that.

use std::ffi::OsStr;
use std::fmt::Display;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use hrm_core::LOGIT_BITS;
pub(super) use hrm_host::report::count;
use hrm_host::task::{Game, find, names};

/// Something that only several options together show to be wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misuse(pub(crate) String);

/// A whole number of a size that has a most.
pub(super) trait Whole: FromStr + PartialOrd + Display + From<bool> {
    const MOST: Self;
}

impl Whole for u8 {
    const MOST: Self = Self::MAX;
}

impl Whole for u16 {
    const MOST: Self = Self::MAX;
}

impl Whole for u32 {
    const MOST: Self = Self::MAX;
}

impl Whole for u64 {
    const MOST: Self = Self::MAX;
}

impl Whole for usize {
    const MOST: Self = Self::MAX;
}

/// A whole number from 0 on.
pub(super) fn from_0<T: Whole>(text: &str) -> Result<T, String> {
    within(text, T::from(false), T::MOST)
}

/// A whole number from 1 on.
pub(super) fn at_least_1<T: Whole>(text: &str) -> Result<T, String> {
    within(text, T::from(true), T::MOST)
}

/// A task by its name; help shows the usual ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tasks;

impl TypedValueParser for Tasks {
    type Value = Game;

    fn parse_ref(&self, cmd: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Game, clap::Error> {
        StringValueParser::new().try_map(|name| find(&name)).parse_ref(cmd, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(names().into_iter().map(PossibleValue::new)))
    }
}

/// Per cent, as a whole number.
pub(super) fn percent(text: &str) -> Result<u8, String> {
    within(text, 0, 100)
}

/// More threads than any machine that this program has met has processors; each costs memory for a model.
const MOST_THREADS: usize = 512;

/// Threads to work with.
pub(super) fn threads(text: &str) -> Result<usize, String> {
    within(text, 1, MOST_THREADS)
        .map_err(|range| format!("{range}, or leave the option out for one thread per processor"))
}

/// Most seconds that anything is waited for: ten years, which no clock overflows at.
const LONGEST: u64 = 315_360_000;

/// Seconds to wait, 0 for not at all.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    within(text, 0, LONGEST)
}

/// Seconds to wait, at least one.
pub(super) fn at_least_1_second(text: &str) -> Result<u64, String> {
    within(text, 1, LONGEST)
}

/// Most steps that anybody asks a run for: with those it has done they still fit a configuration.
const MOST_STEPS: u64 = 1_000_000_000_000;

/// Steps of training, 0 for none.
pub(super) fn steps(text: &str) -> Result<u64, String> {
    within(text, 0, MOST_STEPS)
}

/// Steps of training, at least one.
pub(super) fn at_least_1_step(text: &str) -> Result<u64, String> {
    within(text, 1, MOST_STEPS)
}

fn within<T: Whole>(text: &str, least: T, most: T) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| (&least..=&most).contains(&number));
    number.ok_or_else(|| format!("give a whole number from {least} to {most}"))
}

/// A number above 0.
pub(super) fn above_0(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "give a number above 0".to_owned())?;
    if number > 0.0 && number.is_finite() { Ok(number) } else { Err("give a number above 0".to_owned()) }
}

/// What 1 is in logits.
pub(super) const LOGIT: f64 = (1u32 << LOGIT_BITS) as f64;

/// A logit, in units of 1 / [`LOGIT`].
pub(super) fn logit(text: &str) -> Result<i32, String> {
    let most = f64::from(1u32 << (31 - LOGIT_BITS));
    let number = text.parse().ok().filter(|number: &f64| number.abs() < most);
    let number = number.ok_or_else(|| format!("give a number above -{most} and below {most}"))?;
    Ok((number * LOGIT).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_refused() {
        let longest = std::time::Duration::from_secs(seconds(&LONGEST.to_string()).unwrap());
        assert!(std::time::Instant::now().checked_add(longest).is_some());
        assert!(seconds("315360001").is_err() && at_least_1_second("0").is_err() && seconds("0") == Ok(0));
        for bad in [(u64::MAX).to_string(), (MOST_STEPS + 1).to_string()] {
            let told = Err("give a whole number from 1 to 1000000000000".to_owned());
            assert!(steps(&bad).is_err() && at_least_1_step(&bad) == told, "{bad}");
        }
        assert!(steps("0") == Ok(0) && at_least_1_step("0").is_err());
        assert!(i64::try_from(MOST_STEPS).is_ok_and(|most| most.checked_mul(1_000_000).is_some()));
        assert_eq!(at_least_1::<u16>("1"), Ok(1));
        assert_eq!(at_least_1::<usize>("7"), Ok(7));
        for bad in ["0", "-1", "65536", "x", ""] {
            assert!(at_least_1::<u16>(bad).is_err(), "{bad}");
        }
        for bad in ["0", "513", "abc", "-1", "18446744073709551616"] {
            assert!(threads(bad).unwrap_err().starts_with("give a whole number from 1 to 512,"), "{bad}");
        }
        assert_eq!((threads("1"), threads("512")), (Ok(1), Ok(512)));
        for bad in ["65536", "0", "x"] {
            assert_eq!(at_least_1::<u16>(bad), Err("give a whole number from 1 to 65535".to_owned()));
        }
        assert_eq!((from_0::<u16>("0"), from_0::<u8>("255")), (Ok(0), Ok(255)));
        assert_eq!((percent("100"), above_0("0.5")), (Ok(100), Ok(0.5)));
        assert!(
            percent("101").is_err()
                && above_0("0").is_err()
                && above_0("nan").is_err()
                && above_0("inf").is_err()
        );
    }
}
