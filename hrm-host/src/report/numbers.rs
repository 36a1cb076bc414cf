//! Numbers as a report writes them.

use crate::train::eval::wilson;

/// `1,234,567`.
pub fn grouped(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `text` with the numbers grouped that stand behind its last colon: what a pack says of its data, where the
/// name of the file before them stays as it is.
pub fn grouped_rows(text: &str) -> String {
    let (name, rows) = text.rsplit_once(": ").map_or(("", text), |(name, _)| text.split_at(name.len() + 2));
    let words = rows.split(' ').map(|word| word.parse::<u64>().map_or_else(|_| word.to_owned(), grouped));
    name.to_owned() + &words.collect::<Vec<_>>().join(" ")
}

/// `number` grouped, and `word`, in the plural unless that is 1.
pub fn count(number: usize, word: &str) -> String {
    format!("{} {word}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// A share in per cent, with its interval.
pub(super) fn share(hits: usize, rows: usize) -> String {
    if rows == 0 {
        return DASH.to_owned();
    }
    let [from, to] = wilson(hits, rows).map(|share| 100.0 * share);
    format!("{:.1} ({from:.1} to {to:.1})", 100.0 * hits as f64 / rows as f64)
}

/// A number with so many digits behind the point; a dash for what is a mean or median of nothing.
pub(super) fn number(x: Option<f64>, digits: usize) -> String {
    x.map_or(DASH.to_owned(), |x| format!("{x:.digits$}"))
}

/// What stands for a number that does not exist.
pub(super) const DASH: &str = "–";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_counted_and_missing() {
        let cases =
            [(0_u64, "0"), (999, "999"), (1_000, "1,000"), (258_960, "258,960"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
        let counted = [0, 1, 2, 1_000].map(|number| count(number, "puzzle"));
        assert_eq!(counted, ["0 puzzles", "1 puzzle", "2 puzzles", "1,000 puzzles"]);
        assert_eq!([number(None, 1), number(Some(0.25), 2), share(0, 0)], ["–", "0.25", "–"]);
        let rows = "of 2024: all 10000.csv: 84548 rows for training, 200 held out";
        assert_eq!(grouped_rows(rows), "of 2024: all 10000.csv: 84,548 rows for training, 200 held out");
        assert_eq!(grouped_rows("rows 1000 to 2000"), "rows 1,000 to 2,000");
        assert!(share(1, 2).starts_with("50.0 ("));
    }
}
