//! What stands in a report, for tests here and of the library itself.

/// A report without the titles that cells have for cards, and without the marks around words and cells.
pub(crate) fn plain(html: &str) -> String {
    let parts = html.split("<span class=\"label\">").enumerate();
    let shown =
        parts.map(|(i, part)| part.split_once("</span>").filter(|_| i > 0).map_or(part, |(_, rest)| rest));
    let shown = shown.collect::<String>();
    ["<span class=\"whole\">", "<span>", "</span>"].iter().fold(shown, |text, mark| text.replace(mark, ""))
}
