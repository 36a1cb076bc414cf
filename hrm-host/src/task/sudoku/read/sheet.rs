//! Grids as they stand in a spreadsheet: beside each other, not in its first column, or behind a column that
//! numbers the rows.
//!
//! Where the grids are is told by the columns that are empty in all rows. Each stack of grids below each
//! other becomes a text of its own, with as many lines as the whole, so that whatever is told of it names the
//! right line.

use super::cells::{all_cells, cell_in, is_cell, sides};
use super::remarks::numbers_columns;

/// Empty columns between grids that stand beside each other, at most.
const WIDEST_GAP: usize = 4;
/// Lines that are looked at to see whether a text may be a sheet.
const LINES_TO_TELL: usize = 40;

/// What a text is, seen as a spreadsheet.
pub(super) enum Sheet {
    /// No sheet, or one whose rows are those of a grid.
    None,
    /// The texts of its stacks, from the left.
    Stacks(Vec<String>),
    /// Where the grids are is not clear: the first row, and how many columns there are.
    Unclear(u64, usize),
    /// A row has another number of fields than most: its line, and both numbers.
    Ragged { line: u64, found: usize, expected: usize },
}

/// A line of a sheet.
enum Line<'t> {
    Row(Vec<&'t str>),
    /// A title, which is kept.
    Title(&'t str),
    /// The names of the columns, or a comment.
    Names,
    /// A blank line.
    Nothing,
}

impl Sheet {
    pub(super) fn of(text: &str) -> Self {
        if let Some(stacks) = apart(text) {
            return Sheet::Stacks(stacks);
        }
        let fields = [',', ';', '\t'].into_iter().find_map(|delimiter| of_fields(text, delimiter, false));
        let printed = || printed(text).and_then(|text| of_fields(&text, ',', true));
        fields.or_else(printed).unwrap_or(Sheet::None)
    }
}

/// What pandas prints, and a Markdown table, with commas between the fields; their rows are those of a sheet
/// where they are numbered.
fn printed(text: &str) -> Option<String> {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let is_table = lines().all(|line| line.trim().starts_with('|') && line.trim().ends_with('|'));
    let width = lines().next()?.split_whitespace().count();
    let widths = || lines().map(|line| line.split_whitespace().count());
    let is_printout =
        !is_table && (4..=9).contains(&width) && widths().all(|found| found == width || found == width + 1);
    if !is_table && !is_printout {
        return None;
    }
    let fields = |line: &str| -> String {
        let line = line.trim();
        if is_table {
            let is_rule = line.contains('-') && line.chars().all(|c| "|-: ".contains(c));
            return if is_rule { String::new() } else { line.trim_matches('|').replace('|', ",") };
        }
        let fields: Vec<&str> = line.split_whitespace().collect();
        // The column that numbers the rows has no name.
        if fields.len() == width { format!(",{}", fields.join(",")) } else { fields.join(",") }
    };
    Some(text.lines().map(|line| fields(line) + "\n").collect())
}

/// Grids beside each other with spaces between them, and none within a row, or one between its cells and more
/// between grids.
fn apart(text: &str) -> Option<Vec<String>> {
    let tight = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let wide = |line: &str| {
        line.trim().split("  ").filter(|part| !part.is_empty()).map(|part| part.replace(' ', "")).collect()
    };
    beside(text, tight).or_else(|| beside(text, wide))
}

/// The stacks of a text in which `split` parts every line into rows of grids.
fn beside(text: &str, split: impl Fn(&str) -> Vec<String>) -> Option<Vec<String>> {
    let rows = || text.lines().map(&split);
    let first = rows().find(|row| !row.is_empty())?;
    let side = first[0].len();
    let is_row = |row: &Vec<String>| {
        let cells = |part: &String| part.len() == side && part.chars().all(|c| is_cell(c, side));
        row.is_empty() || row.len() == first.len() && row.iter().all(cells)
    };
    if !sides().any(|known| known == side)
        || !(2..side).contains(&first.len())
        || !rows().all(|row| is_row(&row))
    {
        return None;
    }
    let stack = |place: usize| rows().map(|row| row.get(place).cloned().unwrap_or_default() + "\n").collect();
    Some((0..first.len()).map(stack).collect())
}

/// The sheet whose fields `delimiter` separates; nothing where it is none, or where its rows are not
/// `numbered` and should be.
fn of_fields(text: &str, delimiter: char, numbered: bool) -> Option<Sheet> {
    let fields = |line: &'_ str| -> Vec<String> { split(line, delimiter).map(str::to_owned).collect() };
    let is_usual = |width: usize| sides().any(|side| [side * side, 2 * side * side].contains(&width));
    let head: Vec<Vec<String>> =
        text.lines().filter(|line| !line.trim().is_empty()).take(LINES_TO_TELL).map(fields).collect();
    let index = has_index(&head);
    if numbered && !index {
        return None;
    }
    let names = text.lines().find(|line| index && !line.trim().is_empty());
    head.iter().map(Vec::len).max().filter(|width| *width > 4)?;
    let lines: Vec<Line<'_>> =
        text.lines().map(|line| line_of(line, delimiter, names)).collect::<Option<_>>()?;
    let rows: Vec<&Vec<&str>> =
        lines.iter().filter_map(|line| if let Line::Row(row) = line { Some(row) } else { None }).collect();
    let width = usual(&rows)?;
    let count = rows.len();
    if !index && is_usual(width) {
        return None;
    }
    let is_used =
        |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|field| !field.is_empty()));
    let used: Vec<bool> = (0..width).map(is_used).collect();
    let (first, last) = (used.iter().position(|used| *used)?, used.iter().rposition(|used| *used)?);
    let most =
        rows.iter().copied().flatten().filter_map(|field| field.parse::<usize>().ok()).max().unwrap_or(0);
    let may_be = || sides().filter(|side| most <= *side);
    // Four 4x4 with an empty row and an empty column between them have the outline of a 9x9.
    let is_square = width == 9 && most <= 4 && !used[width / 2];
    let is_grid = |side: usize| {
        width == side
            && (count.is_multiple_of(side) || rows.iter().any(|row| row.len() != width))
            && !is_square
    };
    if !index && (count < 4 || may_be().any(is_grid)) {
        return None;
    }
    // The line of the first row that is so.
    let place = |is: &dyn Fn(&[&str]) -> bool| {
        let found = lines.iter().position(|line| matches!(line, Line::Row(row) if is(row)));
        found.map_or(0, |place| place as u64 + 1)
    };
    if let Some(row) = rows.iter().find(|row| row.len() != width) {
        let line = place(&|row| row.len() != width);
        // What stands before the grids, a column that numbers the rows, counts as well.
        let index = usize::from(index);
        return Some(Sheet::Ragged { line, found: row.len() + index, expected: width + index });
    }
    if index && (sides().any(|side| side == width) || is_usual(width)) {
        return Some(Sheet::Stacks(vec![text_of(&lines, (0, width), true)]));
    }
    if count < 4 {
        return None;
    }
    let mut found: Vec<Vec<usize>> = Vec::new();
    let mut size = 0;
    for side in may_be().filter(|side| count >= *side) {
        let ways = stacks(&used[..=last], first, side);
        // A grid that begins in the first column and has as many as there are is read as every other text.
        let new = ways.into_iter().filter(|starts| index || starts.len() > 1 || width > side);
        found.extend(new.inspect(|_| size = side));
    }
    match &found[..] {
        // A first column that counts may number the rows.
        [starts] if index || !counts_down(&rows, first) => {
            let stack = |start: usize| text_of(&lines, (start, start + size), start == starts[0]);
            Some(Sheet::Stacks(starts.iter().map(|start| stack(*start)).collect()))
        }
        _ if !index && may_be().any(|side| width == side) => None,
        _ => Some(Sheet::Unclear(place(&|_| true), width)),
    }
}

/// How many fields most rows have.
fn usual(rows: &[&Vec<&str>]) -> Option<usize> {
    let rows_of = |width: usize| rows.iter().filter(|row| row.len() == width).count();
    rows.iter().map(|row| row.len()).max_by_key(|width| (rows_of(*width), *width))
}

/// Whether most fields of `column` count, from one row that is not empty to the next: one may be missing, or
/// there twice.
fn counts_down(rows: &[&Vec<&str>], column: usize) -> bool {
    let filled = rows.iter().filter(|row| row.iter().any(|field| !field.is_empty()));
    let numbers: Option<Vec<usize>> = filled.map(|row| row.get(column)?.parse().ok()).collect();
    numbers.is_some_and(|numbers| {
        let start = *numbers.iter().min().unwrap_or(&2);
        let steps =
            numbers.windows(2).filter(|pair| pair[1] == pair[0] + 1 || pair[1] == start && pair[0] > 2);
        start < 2 && (count(&numbers, start) || 2 * steps.count() + 1 >= numbers.len())
    })
}

/// Whether `numbers` count from `start` on. They may begin anew with each grid.
fn count(numbers: &[usize], start: usize) -> bool {
    numbers.first() == Some(&start)
        && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair[1] == start)
}

/// What stands in the columns of a stack, from the first to the one behind its last; titles are those of the
/// `leftmost`.
fn text_of(lines: &[Line<'_>], (start, end): (usize, usize), leftmost: bool) -> String {
    let line = |line: &Line<'_>| match line {
        Line::Row(row) => row.get(start..end).unwrap_or_default().join(",") + "\n",
        Line::Title(title) if leftmost => format!("{title}\n"),
        // What interrupts a grid does so in every stack.
        Line::Title(_) | Line::Names => "#\n".to_owned(),
        Line::Nothing => "\n".to_owned(),
    };
    lines.iter().map(line).collect()
}

fn split(line: &str, delimiter: char) -> impl Iterator<Item = &str> {
    line.split(delimiter).map(|field| field.trim().trim_matches(['"', '`']).trim())
}

/// Whether the first column numbers the rows, as pandas writes it: without a name, beside columns that have
/// names.
fn has_index(head: &[Vec<String>]) -> bool {
    let Some((names, rows)) = head.split_first() else { return false };
    let unnamed =
        names.first().is_some_and(|name| name.is_empty() || name == "Unnamed: 0" || name == "index");
    let numbers: Option<Vec<usize>> =
        rows.iter().filter(|row| *row != names).map(|row| row.first()?.parse().ok()).collect();
    unnamed
        && names[1..].iter().all(|name| !name.is_empty())
        && rows.len() > 1
        && numbers.is_some_and(|numbers| count(&numbers, 0) || count(&numbers, 1))
}

/// What a line is; nothing where it is none of a sheet. Where there are `names` of columns, the first column
/// numbers the rows and is left out.
fn line_of<'t>(line: &'t str, delimiter: char, names: Option<&str>) -> Option<Line<'t>> {
    // A row of nothing but tabs is one.
    if line.trim_matches([' ', '\r']).is_empty() {
        return Some(Line::Nothing);
    }
    // Digits alone may be a row, as they may in every other text.
    let numbered = numbers_columns(line) && (names.is_some() || line.contains(|c: char| c.is_alphabetic()));
    if numbered || line.starts_with('#') || names == Some(line) {
        return Some(Line::Names);
    }
    let fields: Vec<&str> = split(line, delimiter).skip(usize::from(names.is_some())).map(cell_in).collect();
    // The number of a grid stands alone.
    if !line.contains(delimiter) && line.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Line::Title(line));
    }
    let is_cell = |field: &&str| field.is_empty() || field.len() == 1 && all_cells(field);
    if fields.iter().all(is_cell) {
        return Some(Line::Row(fields));
    }
    let words = fields.iter().filter(|field| !field.is_empty());
    let is_title = words.clone().count() <= 4
        && words.clone().all(|field| field.starts_with(|c: char| c.is_alphabetic()) && field.len() <= 40);
    is_title.then_some(Line::Title(line))
}

/// The ways in which grids of `side` columns stand in the columns from `first` on, to the last of which they
/// go: where each begins. Columns between them are empty, and those beside these are not, so that it is known
/// which is which.
fn stacks(used: &[bool], first: usize, side: usize) -> Vec<Vec<usize>> {
    let span = used.len() - first;
    let alone = (span == side).then(|| vec![first]);
    let several = (1..=WIDEST_GAP).filter_map(|gap| {
        let count = (span + gap) / (side + gap);
        let starts: Vec<usize> = (0..count).map(|n| first + n * (side + gap)).collect();
        let clear = |start: &usize| {
            let behind = start + side;
            used[*start] && used[behind - 1] && used[behind..].iter().take(gap).all(|used| !used)
        };
        let whole = count > 1 && (span + gap).is_multiple_of(side + gap) && starts.iter().all(clear);
        whole.then_some(starts)
    });
    alone.into_iter().chain(several).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [&str; 4] = ["1,,,", ",,2,", ",3,,", ",,,4"];
    const OTHER: [&str; 4] = ["4,,,1", ",1,,", ",,1,", "1,,,4"];

    fn joined(lines: impl IntoIterator<Item = String>) -> String {
        lines.into_iter().map(|line| line + "\n").collect()
    }

    fn told(text: &str) -> String {
        match Sheet::of(text) {
            Sheet::None => "none".to_owned(),
            Sheet::Stacks(stacks) => stacks.join("/"),
            Sheet::Unclear(line, columns) => format!("line {line}: {columns} columns"),
            Sheet::Ragged { line, found, expected } => format!("line {line}: {found} of {expected}"),
        }
    }

    #[test]
    fn grids_are_found_by_the_empty_columns_around_them() {
        let (rows, other) = (joined(ROWS.map(String::from)), joined(OTHER.map(String::from)));
        for text in [
            joined(ROWS.map(|row| format!(",{row}"))),
            joined(ROWS.map(|row| format!(",,{row},"))),
            joined(ROWS.map(|row| format!("{row},"))),
            joined(ROWS.map(|row| format!(",{row}"))).replace(',', "\t"),
            joined(ROWS.map(|row| format!("\"\",{row}"))),
        ] {
            assert_eq!(told(&text), rows, "{text}");
        }
        let tabs = "\t1\t\t\t\n\t\t\t\t\n\t\t3\t\t\n\t\t\t2\t4\n";
        assert_eq!(told(tabs), "1,,,\n,,,\n,3,,\n,,2,4\n");
        let beside = |gap: &str| joined((0..4).map(|row| format!("{}{gap}{}", ROWS[row], OTHER[row])));
        for gap in [",,", ",,,", ",,,,"] {
            assert_eq!(told(&beside(gap)), format!("{rows}/{other}"), "{gap}");
        }
        let numbered = |row: usize| format!("{row},{}", ROWS[row]);
        for head in [",0,1,2,3", "Unnamed: 0,0,1,2,3", ",c0,c1,c2,c3"] {
            let text = format!("{head}\n{}", joined((0..4).map(numbered)));
            assert_eq!(told(&text), format!("#\n{rows}"), "{text}");
            let floats = text.replace(",4\n", ",4.0\n");
            assert_eq!(told(&floats), format!("#\n{rows}"), "{floats}");
        }
        assert_eq!(
            told("12.. 3...\n..1. .1..\n\n.1.. ..1.\n...1 ...2\n"),
            "12..\n..1.\n\n.1..\n...1\n/3...\n.1..\n\n..1.\n...2\n"
        );
        let titled = format!("Puzzle 1,,,,,Puzzle 2\n{}", beside(",,"));
        assert_eq!(told(&titled), format!("Puzzle 1,,,,,Puzzle 2\n{rows}/#\n{other}"));
    }

    #[test]
    fn what_is_not_clear_is_refused_and_what_is_no_sheet_is_left_alone() {
        // A grid whose first, or whose last column is empty; one with a column too many; two that touch.
        for rows in [
            [",,,,", ",,,2,", ",,3,,", ",,,,4"],
            [",1,,,", ",,2,,", ",3,,,", ",,1,,"],
            ["1,2,,,", ",,2,,1", ",3,,,", ",,,4,2"],
        ] {
            assert_eq!(told(&joined(rows.map(String::from))), "line 1: 5 columns");
        }
        let touching = joined((0..4).map(|row| format!("{},{}", ROWS[row], OTHER[row])));
        assert_eq!(told(&touching), "line 1: 8 columns");
        for text in [
            joined(ROWS.map(String::from)),
            "1.....2..3.....4\n".repeat(5),
            "question,answer\n1.....2..3.....4,1243342143122134\n".to_owned(),
            format!("{}\n", ["1"; 81].join(",")).repeat(9),
            format!("{}\n", ["5"; 9].join(",")).repeat(9),
            "A text, with, some, commas, in, it\n".repeat(9),
            String::new(),
        ] {
            assert_eq!(told(&text), "none", "{text}");
        }
    }
}
