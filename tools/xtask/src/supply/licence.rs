//! SPDX licence expressions: `MIT OR (Apache-2.0 AND BSD-3-Clause)`, with the `/` of older crates for `OR`.

use std::iter::Peekable;
use std::vec::IntoIter;

/// Whether `expression` can be fulfilled by licences that are `allowed`. What is no expression is not.
pub(super) fn permits(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut words = words(expression).into_iter().peekable();
    either(&mut words, allowed).is_some_and(|permitted| permitted && words.next().is_none())
}

/// The same in the words of SPDX alone.
pub(crate) fn in_spdx(expression: &str) -> String {
    words(expression).join(" ").replace("( ", "(").replace(" )", ")")
}

fn words(expression: &str) -> Vec<String> {
    let apart = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    apart.split_whitespace().map(str::to_owned).collect()
}

type Words = Peekable<IntoIter<String>>;

/// `both OR both OR …`; `None` where that does not stand there.
fn either(words: &mut Words, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut permitted = both(words, allowed)?;
    while words.next_if(|word| word == "OR").is_some() {
        permitted |= both(words, allowed)?;
    }
    Some(permitted)
}

/// `one AND one AND …`.
fn both(words: &mut Words, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut permitted = one(words, allowed)?;
    while words.next_if(|word| word == "AND").is_some() {
        permitted &= one(words, allowed)?;
    }
    Some(permitted)
}

/// A licence, perhaps with an exception, or an expression in parentheses.
fn one(words: &mut Words, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let word = words.next().filter(|word| !["OR", "AND", "WITH", ")"].contains(&word.as_str()))?;
    if word == "(" {
        let permitted = either(words, allowed)?;
        return words.next_if(|word| word == ")").map(|_| permitted);
    }
    match words.next_if(|word| word == "WITH") {
        Some(_) => words.next().map(|exception| allowed(&format!("{word} WITH {exception}"))),
        None => Some(allowed(&word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_is_enough_and_all_of_a_sum_are_needed() {
        let allowed = |licence: &str| ["MIT", "Zlib"].contains(&licence);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("GPL-3.0-only/MIT", true),
            ("Apache-2.0 / MIT", true),
            ("MIT AND GPL-3.0-only", false),
            ("MIT AND Zlib", true),
            ("(Apache-2.0 OR MIT) AND Zlib", true),
            ("(Apache-2.0 OR MIT) AND BSD-3-Clause", false),
            ("GPL-3.0-only AND MIT OR Zlib", true),
            ("MIT WITH some-exception", false),
            ("GPL-2.0-only WITH some-exception OR MIT", true),
            ("", false),
            ("MIT OR", false),
            ("MIT Zlib", false),
            ("(MIT", false),
            ("MIT)", false),
        ] {
            assert_eq!(permits(expression, &allowed), expected, "{expression:?}");
        }
    }

    #[test]
    fn older_spellings_become_spdx() {
        assert_eq!(in_spdx("MIT/Apache-2.0"), "MIT OR Apache-2.0");
        assert_eq!(in_spdx("(MIT OR Apache-2.0) AND NCSA"), "(MIT OR Apache-2.0) AND NCSA");
    }
}
