//! What stands in a report, with the room that it has: tables become cards where there is little, and
//! commands break between words alone.

use maud::{Markup, html};

/// A table called `name`, of a kind that `class` tells the style, with the titles of its columns.
///
/// Where it is wider than the page it is scrolled, by keyboard, too. Each cell also says its title,
/// which is shown in cards.
pub(super) fn table(name: &str, class: &str, heads: &[Markup], rows: Vec<Vec<Markup>>) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label=(name) { table class=(class) {
            thead { tr { @for head in heads { th scope="col" { (head) } } } }
            tbody { @for row in rows { tr {
                @for (head, cell) in heads.iter().zip(row) { td { span.label { (head) } span { (cell) } } }
            } } }
        } }
    }
}

/// Texts as titles or cells of a table.
pub(super) fn cells<T: maud::Render>(texts: impl IntoIterator<Item = T>) -> Vec<Markup> {
    texts.into_iter().map(|text| html! { (text) }).collect()
}

/// An answer to a question, whose numbers do not part from their per cent.
pub(super) fn verdict(text: &str) -> Markup {
    html! { p.verdict { (text.replace(" %", "\u{a0}%")) } }
}

/// A command, none of whose words breaks that fits a line: `--rows` stays whole.
pub(super) fn command(text: &str) -> Markup {
    html! { code { @for (i, word) in text.split(' ').enumerate() { @if i > 0 { " " } span.whole { (word) } } } }
}
