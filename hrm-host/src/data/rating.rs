//! A puzzle's difficulty as its source states it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A rating from 0 to 4294967295.999, kept to the thousandth: whole ratings stay whole, and 11.2 stays 11.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rating {
    thousandths: u64,
}

/// The text is no rating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rating is a number from 0 to {}, with up to three digits after the point", u32::MAX)]
pub struct NoRating;

impl Rating {
    /// As a floating-point number.
    pub fn to_f64(self) -> f64 {
        self.thousandths as f64 / 1000.0
    }
}

impl From<u32> for Rating {
    fn from(whole: u32) -> Self {
        Rating { thousandths: u64::from(whole) * 1000 }
    }
}

impl FromStr for Rating {
    type Err = NoRating;

    /// Reads `12`, `11.2`, `11,2` and `1.12e1`; digits beyond the thousandth are rounded.
    fn from_str(text: &str) -> Result<Self, NoRating> {
        if let Some(number) =
            text.bytes().any(|byte| byte == b'e' || byte == b'E').then(|| text.parse::<f64>())
        {
            let number =
                number.ok().filter(|number| (0.0..4_294_967_295.999).contains(number)).ok_or(NoRating)?;
            return Ok(Rating { thousandths: (number * 1000.0).round() as u64 });
        }
        let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && part.is_empty() || !digits(whole) || !digits(part) {
            return Err(NoRating);
        }
        let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| NoRating)? };
        let digit = |place: usize| part.as_bytes().get(place).map_or(0, |digit| u64::from(digit - b'0'));
        let up = u64::from(digit(3) >= 5);
        let thousandths = u64::from(whole) * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2) + up;
        Ok(Rating { thousandths: thousandths.min(u64::from(u32::MAX) * 1000 + 999) })
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.thousandths / 1000, self.thousandths % 1000);
        if part == 0 {
            return write!(f, "{whole}");
        }
        f.write_str(format!("{whole}.{part:03}").trim_end_matches('0'))
    }
}

impl Serialize for Rating {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.thousandths.is_multiple_of(1000) {
            serializer.serialize_u64(self.thousandths / 1000)
        } else {
            serializer.serialize_f64(self.to_f64())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_read_back_as_written() {
        for (text, written) in [
            ("0", "0"),
            ("12", "12"),
            ("4294967295", "4294967295"),
            ("11.2", "11.2"),
            ("11,2", "11.2"),
            ("2.0", "2"),
            ("1.05", "1.05"),
            (".5", "0.5"),
            ("3.", "3"),
            ("1.23456", "1.235"),
            ("1.9996", "2"),
            ("1.5e3", "1500"),
            ("1E-1", "0.1"),
        ] {
            let rating: Rating = text.parse().expect(text);
            assert_eq!(rating.to_string(), written);
            assert_eq!(rating.to_string().parse(), Ok(rating));
            assert_eq!(serde_json::to_string(&rating).ok().as_deref(), Some(written));
        }
        for text in ["", ".", "-1", "1e10", "e", "easy", "4294967296", "1.2.3", "NaN", "1 2"] {
            assert_eq!(text.parse::<Rating>(), Err(NoRating), "{text}");
        }
    }
}
