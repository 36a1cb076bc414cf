//! Text without a header: a puzzle a line, or grids drawn on several lines, or both.

use hrm_core::task::{Task, sudoku::Sudoku};

use super::array::Array;
use super::cells::{is_blank, is_cell, sizes};
use super::doubt::Uneven;
use super::drawing::{self, Line, cells_in};
use super::numbers::Numbers;
use super::puzzle_line::{one_line, tokens};
use super::remarks::{
    are_candidates, diagnosis, first_word, floats, is_comment, is_nearly_row, is_number_or_size, is_title,
    longest, numbers_columns, wrong_row,
};
use super::stretch::{Certainty, Drawn, Grid, Grids, Stretch};
use super::writing::Writing;
use crate::data::problem::Problem;
use crate::data::read::{Fault, Item, Row};

/// Bytes of the longest line that is looked at for a puzzle.
pub(super) const LONGEST_LINE: usize = 4096;
/// Lines that are looked at for the first puzzle.
const LINES_TO_FIRST: usize = 1000;

/// The size of the first puzzle in `text`.
pub(super) fn task(text: &str) -> Option<Sudoku> {
    let end = text.match_indices('\n').nth(LINES_TO_FIRST);
    let beginning = &text[..end.map_or(text.len(), |(end, _)| end)];
    let first = |task: Sudoku| {
        let mut found: Option<(u8, u64, usize)> = None;
        visit(beginning, task, &mut |item| {
            let place = match item {
                Item::Row(row) => (0, row.line, 0),
                Item::Fault(Fault { line, problem, .. }) => match doubt_of_size(problem) {
                    // What is cut off is a row of larger grids, too.
                    Some(2) => (2, *line, task.side()),
                    Some(doubt) => (doubt, *line, 0),
                    None => return,
                },
                Item::Passed { .. } | Item::EmptyEdge { .. } => return,
            };
            found = Some(found.map_or(place, |found| found.min(place)));
        });
        found.map(|place| (place, task))
    };
    // The largest first: what is a row of nine is no grid of 4x4.
    let found = sizes().rev().filter_map(first).min_by_key(|(place, _)| *place);
    found.map(|(_, task)| task).or_else(|| nearest(beginning))
}

/// How much less certain the size of rows is than that of a puzzle, if only their grids have a `problem`.
fn doubt_of_size(problem: &Problem) -> Option<u8> {
    use Problem::*;
    match problem {
        EmptyRow | EmptyEdge(_) | BesideUneven { .. } => Some(0),
        Height { .. } | Numbered { .. } | Heading | RowNumbers | Section(_) | MoreColumns { .. } => Some(1),
        Candidates | Cells { .. } | Drawn { .. } | Narrow | Strange { .. } | UnevenRow { .. } | Unwritten => {
            Some(1)
        }
        Spaces { .. } => Some(2),
        _ => None,
    }
}

/// The size nearest to the first line that might be a puzzle.
fn nearest(text: &str) -> Option<Sudoku> {
    let near = |line: &str| {
        if floats(line).is_some() {
            return sizes().find(|size| size.side() == tokens(line).count());
        }
        let longest = longest(line)?;
        let length = longest.chars().count();
        let cells = longest.chars().filter(|c| is_cell(*c, 9)).count();
        if 8 * cells < 7 * length || longest.chars().all(is_blank) {
            return None;
        }
        sizes().find(|size| size.cells().abs_diff(length) <= size.side() / 2)
    };
    text.lines().find_map(near)
}

/// Tells `visit` of every puzzle of `task` in `text`, and of every line that is none.
pub(super) fn visit(text: &str, task: Sudoku, visit: &mut dyn FnMut(Item<'_>)) {
    let writing = Writing::of(task, text);
    let mut reader = Reader {
        task,
        stretch: Stretch::new(task, writing.titles_have_fields, writing.spaces_are_cut),
        writing,
        section: None,
        has_section: false,
        listed: false,
        titled: false,
        numbers: Numbers::default(),
        heading: None,
        drawn: false,
        visit,
    };
    let cut = reader.writing.spaces_are_cut;
    let lines = if cut { drawing::numbered(text) } else { drawing::without_second_ends(text) };
    let mut lines = lines.into_iter().peekable();
    while let Some((number, line)) = lines.next() {
        reader.line(number, line, lines.peek().map(|(_, next)| *next));
    }
    reader.end_grid();
}

/// The only grid in `text`, which may stand on several lines.
pub(super) fn only_grid(text: &str) -> Option<String> {
    sizes().rev().find_map(|task| {
        let mut found = Vec::new();
        visit(text, task, &mut |item| match item {
            Item::Row(row) => found.push(Some(row.question.to_owned())),
            Item::Fault(_) => found.push(None),
            Item::Passed { .. } | Item::EmptyEdge { .. } => {}
        });
        if found.len() == 1 { found.pop().flatten() } else { None }
    })
}

struct Reader<'v> {
    task: Sudoku,
    writing: Writing,
    /// The rows so far of the grids that are being read.
    stretch: Stretch,
    /// The section that the lines belong to, where its cells are not read; its name where that is still to be
    /// told.
    section: Option<Option<String>>,
    /// Whether there was one of a puzzle.
    has_section: bool,
    /// Whether a puzzle on one line has been read.
    listed: bool,
    /// Whether a line was passed over before any such puzzle, as a title or a number is that stands above
    /// each.
    titled: bool,
    numbers: Numbers,
    /// What the line right above the first row of all begins with.
    heading: Option<String>,
    /// Whether a row of a drawn grid has been read.
    drawn: bool,
    visit: &'v mut dyn FnMut(Item<'_>),
}

impl Reader<'_> {
    fn line(&mut self, number: u64, line: &str, next: Option<&str>) {
        let line = line.trim_end_matches(['\r', '\x0c', '\x1a']);
        let text = line.trim();
        let whole = line.len() == self.task.side();
        if text.is_empty() {
            return match self.writing.blank(line) {
                Line::Open(row) => self.add(number, line, row, Certainty::Open),
                Line::Uneven(fields) => self.uneven(fields, number, ""),
                _ => {
                    let grids = self.stretch.gap();
                    self.tell(grids);
                }
            };
        }
        if text.len() > LONGEST_LINE {
            return self.long_line(number, text);
        }
        if is_comment(text, self.writing.has_delimiter(';')) {
            self.interrupt(text);
            let rest = text.trim_start_matches(['#', '%', '/', ';', ' ']);
            if one_line(self.task, rest).is_some()
                || matches!(self.writing.line(rest), Line::Row(_))
                || Array::of(rest).is_some()
            {
                (self.visit)(Item::Passed { line: number, text });
            }
            return;
        }
        let section = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_name = |name: &&str| {
            let digits = name.chars().filter(char::is_ascii_digit).count();
            name.starts_with(char::is_alphabetic) && !name.contains(['[', ']']) && digits < 4
        };
        if let Some(section) = section.filter(is_name) {
            self.end_grid();
            self.stretch.set_broken(false);
            return self.begin_section(section.trim());
        }
        let puzzle = one_line(self.task, line);
        let drawn = without_comment(line);
        if let Some(section) = &self.section {
            let holds_cells =
                puzzle.is_some() || matches!(self.writing.line(drawn), Line::Row(_) | Line::Wrong(_));
            if let Some(name) = section.clone().filter(|_| holds_cells) {
                self.section = Some(None);
                (self.visit)(Item::Fault(&Fault::of_line(number, Problem::Section(name))));
            }
            return;
        }
        if let Some(row) = puzzle {
            self.interrupt(text);
            self.listed = true;
            let numbers = std::mem::take(&mut self.numbers);
            let may_answer = row.is_complete() && numbers.may_be_puzzle();
            return match row.problem().or(may_answer.then_some(Problem::PerhapsAnswer)) {
                Some(problem) => (self.visit)(Item::Fault(&Fault::of_line(number, problem))),
                None => (self.visit)(Item::Row(row.as_row(number))),
            };
        }
        match self.writing.line(drawn) {
            Line::Row(row) => self.add(number, drawn, row, Certainty::Row),
            Line::Open(row) => self.add(number, drawn, row, Certainty::Open),
            Line::Spaced(_)
                if self.stretch.is_between()
                    && !(whole || self.writing.spaces_are_cut)
                    && is_number_or_size(self.task, text) =>
            {
                self.other(number, text, next, None);
            }
            Line::Spaced(row) => self.add(number, drawn, row, Certainty::Spaced { whole }),
            Line::Rule => {
                let of_table = line.split('|').filter(|part| part.contains('-')).count() == self.task.side();
                self.stretch.add_rule(of_table);
            }
            Line::Uneven(fields) => self.uneven(fields, number, text),
            Line::Wrong(problem) => self.other(number, text, next, Some(problem)),
            Line::Other => self.other(number, text, next, None),
        }
    }

    /// A line of empty fields, not as many as a row has: space, or what is left of a row of the grid beside it.
    fn uneven(&mut self, fields: usize, line: u64, text: &str) {
        let uneven = Uneven { line, fields };
        self.stretch.set_beside(false, uneven);
        self.interrupt(text);
        self.stretch.set_beside(true, uneven);
        if !text.is_empty() {
            (self.visit)(Item::Passed { line, text });
        }
    }

    /// What follows belongs to a section. In `[State]` and `[PencilMarks]` stand the cells of a puzzle that
    /// was read.
    fn begin_section(&mut self, name: &str) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        self.has_section |= is("puzzle");
        let known = self.has_section && (is("state") || is("pencilmarks"));
        self.section = (!is("puzzle")).then(|| (!known).then(|| name.to_owned()));
    }

    /// A line that is longer than any with a puzzle.
    fn long_line(&mut self, line: u64, text: &str) {
        let start: String = text.chars().take(LONGEST_LINE).collect();
        if is_title(self.task, &start) {
            self.interrupt(&start);
            return (self.visit)(Item::Passed { line, text: &start });
        }
        self.fault(line, Problem::Long(text.chars().count()));
    }

    /// A line that is neither a puzzle nor part of one.
    fn other(&mut self, line: u64, text: &str, next: Option<&str>, wrong: Option<Problem>) {
        let (side, found) = (self.task.side(), cells_in(self.task, text));
        let wrong = wrong.or_else(|| are_candidates(self.task, text).then_some(Problem::Candidates));
        let of_grid = text.chars().filter(|&c| is_cell(c, side) || c == ' ' || c == '|').count();
        let begins = || {
            let next = next.map_or(Line::Other, |next| self.writing.line(next));
            (wrong.is_some() || is_nearly_row(self.task, text))
                && matches!(next, Line::Row(_) | Line::Spaced(_))
        };
        let lacks_one = self.stretch.is_between() && self.is_row_but_one(text, next);
        let is_damaged = lacks_one && !self.numbers.counts(text, !self.stretch.ends_tight());
        let of_row = wrong.is_some() || 2 * of_grid > text.chars().count() && found < 2 * side;
        if of_row && !self.stretch.is_between() || self.stretch.is_between() && (is_damaged || begins()) {
            // It counts as a row, so that the next grid begins where it does.
            let problem = wrong.unwrap_or_else(|| wrong_row(side, found, text));
            let (kind, shape) = (Certainty::Row, String::new());
            return self.stretch.add(Drawn { line, row: Err(problem), kind, label: None, shape });
        }
        if numbers_columns(text) {
            return self.interrupt(text);
        }
        if is_title(self.task, text) {
            let uneven = Some(Uneven { line, fields: found }).filter(|_| lacks_one);
            uneven.iter().for_each(|uneven| self.stretch.set_beside(false, *uneven));
            self.no_puzzle(line, text);
            return uneven.iter().for_each(|uneven| self.stretch.set_beside(true, *uneven));
        }
        self.fault(line, wrong.unwrap_or_else(|| diagnosis(self.task, text)));
    }

    /// Whether `text` has a cell more or less than the row right above or below it, and nothing parts those of either.
    /// Dates and sizes have none.
    fn is_row_but_one(&self, text: &str, next: Option<&str>) -> bool {
        let side = self.task.side();
        let is_tight = |line: &str| {
            matches!(self.writing.line(line), Line::Row(_)) && line.trim().chars().all(|c| is_cell(c, side))
        };
        let is_number = || !text.contains('x') && is_number_or_size(self.task, text);
        text.len().abs_diff(side) == 1
            && text.chars().all(|c| is_cell(c, side))
            && (is_number() || !is_title(self.task, text))
            && (self.stretch.ends_tight() || next.is_some_and(is_tight))
    }

    /// A line that says something about puzzles, or what is left of one in a list without titles: cells
    /// alone, or as many letters as a puzzle has cells.
    fn no_puzzle(&mut self, line: u64, text: &str) {
        let is_rest = text.chars().all(|c| c.is_ascii_digit() || is_cell(c, self.task.side()))
            || text.chars().count() == self.task.cells() && !text.contains(char::is_whitespace);
        if self.listed && !self.titled && is_rest {
            return self.fault(line, diagnosis(self.task, text));
        }
        self.interrupt(text);
        if is_number_or_size(self.task, text) {
            match self.numbers.add(line, text) {
                (0..3, _) => {}
                (3, first) => return self.fault(first, Problem::Remains),
                _ => return self.stretch.set_broken(true),
            }
        }
        self.titled |= !self.listed;
        (self.visit)(Item::Passed { line, text });
    }

    fn add(&mut self, line: u64, text: &str, row: String, kind: Certainty) {
        self.drawn = true;
        let (label, shape) = self.writing.shape(text);
        self.stretch.add(Drawn { line, row: Ok(row), kind, label, shape });
    }

    /// A line that cannot be read: whatever it was meant to be, rows right below it may belong to it.
    fn fault(&mut self, line: u64, problem: Problem) {
        self.end_grid();
        self.stretch.set_broken(true);
        (self.visit)(Item::Fault(&Fault::of_line(line, problem)));
    }

    /// A line that is no row. In the middle of a grid it leaves open which rows belong together below it,
    /// unless one that begins as it does stood above the first grid.
    fn interrupt(&mut self, text: &str) {
        let word = first_word(text);
        if !is_number_or_size(self.task, text) {
            self.numbers.interrupt();
        }
        let is_heading = self.heading.as_ref() == Some(&word);
        let whole = self.end_grid();
        self.stretch.set_broken(!whole && !is_heading);
        if !self.drawn {
            self.heading = Some(word);
        }
    }

    /// Tells of the grids in the rows so far; whether all is well with them.
    fn end_grid(&mut self) -> bool {
        let grids = self.stretch.end();
        self.tell(grids)
    }

    fn tell(&mut self, grids: Grids) -> bool {
        for found in grids.found {
            let below_remains = std::mem::take(&mut self.numbers).may_be_puzzle();
            match &found {
                Ok(Grid { line, cells, .. }) if below_remains && !cells.contains(is_blank) => {
                    let problem = Problem::PerhapsAnswer;
                    (self.visit)(Item::Fault(&Fault::of_line(*line, problem)));
                }
                Ok(Grid { line, cells: question, empty }) => {
                    for (line, edge) in empty {
                        (self.visit)(Item::EmptyEdge { line: *line, edge });
                    }
                    let (line, rating) = (*line, Ok(None));
                    (self.visit)(Item::Row(Row { line, question, answer: None, rating, source: "" }));
                }
                Err(fault) => (self.visit)(Item::Fault(fault)),
            }
        }
        grids.whole
    }
}

/// A row of a drawn grid without the comment behind it.
fn without_comment(line: &str) -> &str {
    let end = line.find(['#', '%']).or_else(|| line.find("//"));
    end.map_or(line, |end| line[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use hrm_core::task::sudoku::SudokuKind;
    use proptest::prelude::*;

    use super::*;

    const Q: &str = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";
    const A: &str = "534678912672195348198342567859761423426853791713924856961537284287419635345286179";

    fn nine() -> Sudoku {
        Sudoku::new(SudokuKind::Nine)
    }

    fn rows_of_nine() -> impl Iterator<Item = &'static str> {
        (0..9).map(|row| &Q[9 * row..][..9])
    }

    /// What is told of `text`: rows and faults as `line question answer rating` and `line problem`, then
    /// lines passed over.
    fn told(text: &str) -> (Vec<String>, usize) {
        let (mut told, mut passed) = (Vec::new(), 0);
        visit(text, nine(), &mut |item| match item {
            Item::Row(row) => {
                let rating = row.rating.ok().flatten().map_or("-".to_owned(), |rating| rating.to_string());
                told.push(format!("{} {} {} {rating}", row.line, row.question, row.answer.unwrap_or("-")));
            }
            Item::Fault(fault) => told.push(format!("{} {}", fault.line, fault.problem)),
            Item::Passed { .. } => passed += 1,
            Item::EmptyEdge { .. } => {}
        });
        (told, passed)
    }

    #[test]
    fn what_is_left_of_a_puzzle_in_a_list_is_told_and_a_title_is_not() {
        for rest in ["7", "7..", "123", "7...."] {
            for text in [format!("{Q}\n{rest}\n{Q}\n"), format!("{Q}\n{Q}\n{rest}")] {
                let (rows, passed) = told(&text);
                assert_eq!((rows.len(), passed), (3, 0), "{text}: {rows:?}");
            }
            let (rows, passed) = told(&format!("12\n{Q}\n13\n{Q}\n"));
            assert_eq!((rows.len(), passed), (2, 2), "{rows:?}");
        }
        assert_eq!(told(&format!("{Q}\nhard ones\n{Q}\n")).0.len(), 2);
    }

    #[test]
    fn a_line_may_say_more_than_its_puzzle() {
        for (line, answer, rating) in [
            (Q.to_owned(), "-", "-"),
            (format!("  {Q}  \r"), "-", "-"),
            (format!("{Q},{A}"), A, "-"),
            (format!("\"{Q}\";\"{A}\""), A, "-"),
            (format!("17,{Q},{A},25,2.1"), A, "-"),
            (format!("{Q},{A},2.1"), A, "2.1"),
            (format!("0000183b305c {Q}  1.5"), "-", "1.5"),
            (format!("{Q} # ER=11.2 of 2011"), "-", "11.2"),
            (format!("{Q} # 3 of a list"), "-", "-"),
            (format!("{Q};ED=11.9/1.2/1.2;x;1"), "-", "11.9"),
            (format!("{Q}\t{A}\t7"), A, "7"),
            (format!(":0000:x:{Q}:::"), "-", "-"),
        ] {
            assert_eq!(told(&line), (vec![format!("1 {Q} {answer} {rating}")], 0), "{line}");
        }
        let spread: Vec<String> = Q.chars().map(String::from).collect();
        for line in [spread.join(" "), spread.join(","), rows_of_nine().collect::<Vec<_>>().join(" ")] {
            assert_eq!(told(&line), (vec![format!("1 {Q} - -")], 0), "{line}");
        }
    }

    #[test]
    fn grids_on_several_lines_follow_each_other() {
        let plain = rows_of_nine().collect::<Vec<_>>().join("\n");
        let dashes = plain.replace('.', "-");
        let barred: Vec<String> =
            rows_of_nine().map(|row| format!("|{}|{}|{}|", &row[..3], &row[3..6], &row[6..])).collect();
        let rule = "*-----------*\n";
        let boxed =
            |rule: &str| barred.chunks(3).map(|band| band.join("\n") + "\n" + rule).collect::<String>();
        let both =
            |first: usize, second: usize| vec![format!("{first} {Q} - -"), format!("{second} {Q} - -")];
        for (text, expected, passed) in [
            (format!("{plain}\n{plain}"), both(1, 10), 0),
            (format!("Grid 01\n{plain}\nGrid 02\n{plain}\n"), both(2, 12), 2),
            (format!("#Aauthor\n{plain}\n\n\n{plain}\n"), both(2, 13), 0),
            (format!("[Puzzle]\n{plain}\n[State]\n{plain}\n[puzzle]\n{plain}"), both(2, 22), 0),
            (format!("{rule}{}{rule}{}", boxed(rule), boxed("|---+---+---|\n")), both(2, 15), 0),
            (format!("{}\n{Q}", boxed("---|---|---\n")), both(1, 14), 0),
            (format!("{}\n{plain}", boxed("\n")), both(1, 14), 0),
        ] {
            assert_eq!(told(&text), (expected, passed), "{text}");
        }
        assert_eq!(told(&dashes).0, [format!("1 {} - -", Q.replace('.', "-"))]);
    }

    #[test]
    fn a_bad_line_is_told_and_the_next_puzzle_is_read() {
        let plain = rows_of_nine().collect::<Vec<_>>().join("\n");
        let good = |line: usize| format!("{line} {Q} - -");
        let (told_of, _) = told(&format!("{}\n{Q}", &Q[1..]));
        assert!(told_of[0].starts_with("1 81 characters expected and 80 found"), "{told_of:?}");
        assert_eq!(told_of[1], good(2));
        let (told_of, _) = told(&format!("{}\n\n{plain}", plain.replacen("53..7....", "53..7...", 1)));
        assert!(
            told_of[0].starts_with("1 81 characters") || told_of[0].starts_with("1 8 cells"),
            "{told_of:?}"
        );
        let (told_of, _) = told(&format!("{}\n{plain}", plain.replacen("6..195...", "6..195..", 1)));
        assert_eq!(told_of, ["2 8 cells where a row of the grid has 9".to_owned(), good(10)]);
        let (told_of, _) = told(&format!("{}\n\n{plain}", plain.rsplit_once('\n').expect("rows").0));
        assert_eq!(told_of, ["1 the grid that begins here has 8 rows and not 9".to_owned(), good(10)]);
        let (told_of, _) = told(&format!("=> @~1~\n{Q}"));
        assert!(told_of[0].starts_with("1 there is no puzzle in") && told_of[1] == good(2), "{told_of:?}");
        let (told_of, _) = told(&format!("1.....2..3.....4\n{}\n7.00008E+80", Q.replace('3', "a")));
        assert!(told_of[0].starts_with("1 sudoku4 where sudoku9"), "{told_of:?}");
        assert!(told_of[1].starts_with("2 character 2 is 'a'"), "{told_of:?}");
        assert!(told_of[2].contains("a spreadsheet took for a number"), "{told_of:?}");
    }

    #[test]
    fn the_first_puzzle_decides_the_size() {
        let size = |text: &str| task(text).map(|task| task.name());
        assert_eq!(size(&format!("# 1.....2..3.....4\nGrid 01\n{Q}\n1.....2..3.....4")), Some("sudoku9"));
        assert_eq!(size(&format!("1.....2..3.....4\n{Q}")), Some("sudoku4"));
        assert_eq!(size("1...\n..2.\n.3..\n...4\n"), Some("sudoku4"));
        assert_eq!(size("....2.\n5...3.\n3..5..\n...4..\n..26..\n2...1.\n"), Some("sudoku6"));
        assert_eq!(size(&Q[1..]), Some("sudoku9"));
        assert_eq!(size("hello"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[0-9.x_*|+ ,;#\\[\\]a-e\n-]{0,400}", any in "(?s).{0,200}") {
            for text in [&text, &any] {
                let _ = task(text);
                for kind in SudokuKind::ALL {
                    visit(text, Sudoku::new(kind), &mut |_| {});
                }
            }
        }

        /// Blank lines, comments and another end of line change nothing.
        #[test]
        fn a_list_is_read_however_its_lines_end(ends in prop::collection::vec("(\r)?\n(#[a-z ]{0,5}(\r)?\n|[ \t]{0,3}\n){0,3}", 1..6)) {
            let text: String = ends.iter().map(|end| format!("{Q}{end}")).collect();
            let (told, passed) = told(&text);
            prop_assert_eq!((told.len(), passed), (ends.len(), 0));
            prop_assert!(told.iter().all(|row| row.contains(Q)));
        }
    }
}
