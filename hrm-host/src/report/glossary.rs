//! The words of a report, each explained once, at its end.

use maud::{Markup, html};

use super::layout::command;

/// A word by which it is linked, as it is written, and what it means.
const WORDS: [(&str, &str, &str); 23] = [
    (
        "segment",
        "segment",
        "one round of the model's thought: a fixed number of cycles of its two levels, after which its grid can be read.",
    ),
    (
        "pass",
        "one pass",
        "the puzzle is asked once, as it is, for as many segments as the table of the model says, and the grid after the last one counts. It \
         is right where every cell is, or where it is another valid grid of a puzzle with several solutions.",
    ),
    (
        "voted",
        "voted",
        "the puzzle is guessed on again and again, as a device does it, and a rule says which grid is the answer (`hrm-host eval --vote`).",
    ),
    (
        "guess",
        "guess",
        "one thought about one image of the puzzle, from the start: a few segments, until its policy ends it.",
    ),
    (
        "group",
        "full group",
        "all symmetries of the task. An image of the puzzle is what one of them makes of it; its answer is the image of the answer. \
         Relabelled images are those of a short list instead.",
    ),
    (
        "supposed",
        "cells supposed",
        "blank cells that a guess has filled in with what the guess before it ended on. They may be wrong: what is checked in the end is the \
         puzzle itself.",
    ),
    (
        "patience",
        "patience",
        "so many segments without a change of its grid end a guess; 0 waits for its last segment.",
    ),
    (
        "doubt",
        "doubt",
        "the output by which a model with a doubt head says after each segment whether cells that it supposes are wrong: its logit, above 0 \
         where it believes so. A guess with more doubt than its policy allows is dropped.",
    ),
    (
        "halting",
        "halting head",
        "the output by which the model itself says after each segment whether to stop.",
    ),
    (
        "belief",
        "belief",
        "the probability by which the halting head holds the grid for right: the sigmoid of its logit q_halt. Grids are counted by tenths of it.",
    ),
    (
        "given",
        "given",
        "what of each puzzle's answer is filled in before it is asked: nothing, a share of the blanks, or all but one row or cell.",
    ),
    (
        "lost",
        "lost again",
        "right after some segment and wrong after the last one. A model that reasons stays with the answer that it has.",
    ),
    (
        "state",
        "z_H",
        "the slow state, the part of the model's memory that its grid is read out of, carried from segment to segment.",
    ),
    (
        "moves",
        "moves",
        "how far z_H goes in one segment, relative to its size after it; the mean of the last four segments of one pass.",
    ),
    ("soon", "solved soon", "right for good within the first quarter of the segments of one pass."),
    (
        "late",
        "solved late",
        "right at the end of one pass, and for good only after more than a quarter of the segments.",
    ),
    ("rest", "at rest", "moves below the limit that is given: z_H hardly changes any more."),
    ("wandering", "wandering", "wrong at the end of one pass, and not at rest."),
    (
        "landscape",
        "landscape",
        "the plane through the end of a thought along the two directions in which z_H moved most (its principal components). At each place \
         the grid is read out of the state there; most of these states no thought ever had, so valleys are seen, and nothing is proven.",
    ),
    (
        "sample-segments",
        "sample-segments",
        "what training is counted in: a segment of one puzzle of a batch, summed over all steps.",
    ),
    (
        "restored",
        "restored",
        "a pack holds integers. The float model that is drawn and compared has these integers as its weights, and computes with floats.",
    ),
    ("interval", "interval", "Wilson's interval at 95 %, of a share among puzzles drawn at random."),
    (
        "mcnemar",
        "p-value",
        "of McNemar's exact test, two-sided: how probable a split at least as uneven of the puzzles that only one of two models has right \
         is where both are equally good. Nothing is corrected for asking it several times.",
    ),
];

/// A word, linked to what it means.
pub(super) fn word(id: &str) -> Markup {
    let term = WORDS.iter().find(|(own, ..)| *own == id).map_or(id, |(_, term, _)| term);
    word_as(id, term)
}

/// The same, written as `text`.
pub(super) fn word_as(id: &str, text: &str) -> Markup {
    html! { a.word href={ "#" (id) } { (text) } }
}

/// A text with its commands, which stand between backticks.
fn with_commands(text: &str) -> Markup {
    html! {
        @for (i, part) in text.split('`').enumerate() {
            @if i % 2 == 0 { (part) } @else { (command(part)) }
        }
    }
}

/// All of them, with `broken`: what counts as a broken rule of the task.
pub(super) fn words(broken: &str) -> Markup {
    html! {
        h2 id="words" { "Words" }
        dl {
            @for (id, term, meaning) in WORDS { dt id=(id) { (term) } dd { (with_commands(meaning)) } }
            dt id="broken" { "rules broken" }
            dd { "what is wrong with a grid as far as the puzzle alone tells, without its answer (the papers' energy). " (broken) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_linked_is_explained_and_no_two_have_one_name() {
        let page = concat!(include_str!("page.rs"), include_str!("sections.rs"));
        let calls = ["(word(\"", "(word_as(\""].into_iter().flat_map(|call| page.split(call).skip(1));
        let linked: Vec<&str> = calls.filter_map(|rest| rest.split('"').next()).collect();
        for (id, term, _) in WORDS {
            assert!(linked.contains(&id), "{term} is explained and never used");
            assert_eq!(WORDS.iter().filter(|(other, ..)| *other == id).count(), 1, "{id}");
        }
        for id in linked {
            assert!(WORDS.iter().any(|(own, ..)| *own == id), "{id} is not explained");
        }
    }
}
