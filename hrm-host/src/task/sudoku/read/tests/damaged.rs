//! Every writing of puzzles, with one character, field or line missing or there twice: what is read is what
//! was written, or something is refused.

use super::tables::{ANSWERS, paired};
use super::*;

const FIELD_ENDS: [char; 6] = [',', ';', '\t', '|', ' ', '\n'];

type Pairs = Vec<(String, Option<String>)>;

/// Texts that hold [`GRIDS`], and whether their blanks are not written, so that a digit that is missing is a
/// blank.
fn writings() -> Vec<(String, bool)> {
    let rows = |draw: &dyn Fn(&str) -> String| -> String {
        let grid = |rows: &[&str; 4]| rows.iter().map(|row| draw(row) + "\n").collect::<String>() + "\n";
        GRIDS.iter().map(grid).collect()
    };
    let list = |line: &dyn Fn(&str, &str) -> String| -> String {
        let all = GRIDS.iter().zip(&ANSWERS).map(|(grid, answer)| line(&grid.concat(), &answer.concat()));
        all.map(|line| line + "\n").collect()
    };
    let numbered = |draw: &dyn Fn(usize, &str) -> String| -> String {
        let row = |(place, row): (usize, &&str)| draw(place + 1, row) + "\n";
        GRIDS.iter().map(|rows| rows.iter().enumerate().map(row).collect::<String>() + "\n").collect()
    };
    let floats =
        |row: &str, between: &str| apart(row, between, "0").replace(['1'], "1.0").replace('2', "2.0");
    // Markdown has a rule below the first row.
    let tables = |draw: &dyn Fn(&str) -> String| -> String {
        let rule = "|---|---|---|---|\n";
        let grid = |rows: &[&str; 4]| {
            format!(
                "{}\n{rule}{}\n",
                draw(rows[0]),
                rows[1..].iter().map(|row| draw(row) + "\n").collect::<String>()
            )
        };
        GRIDS.iter().map(grid).collect()
    };
    let beside = |blank: &str, gap: &str| -> String {
        let row = |(row, answer): (&&str, &&str)| {
            format!("{},,{}\n", apart(row, ",", blank), apart(answer, ",", ""))
        };
        let band = |(grid, answer): (&[&str; 4], &[&str; 4])| -> String {
            grid.iter().zip(answer).map(row).collect::<String>() + gap
        };
        GRIDS.iter().zip(&ANSWERS).map(band).collect()
    };
    let titled = |blank: &str, gap: &str| -> String {
        let grid = |(place, grid): (usize, &[&str; 4])| -> String {
            let rows = grid.iter().map(|row| apart(row, ",", blank) + "\n").collect::<String>();
            let (before, behind) = if place % 2 == 0 { ("", ",,,") } else { (",,", ",") };
            format!("{before}Puzzle {}{behind}\n{rows}{gap}", place + 1)
        };
        GRIDS.iter().enumerate().map(grid).collect()
    };
    vec![
        (beside("", "\n"), true),
        (beside("0", "\n"), false),
        (beside("", ",,,,,,,,\n"), true),
        (beside("0", ",,,,,,,,\n"), false),
        (titled("", ",,,\n"), true),
        (titled("0", ",,,\n"), false),
        (titled("0", "\n"), false),
        (format!("[{}]\n", GRIDS.map(|grid| format!("\"{}\"", grid.concat())).join(", ")), false),
        (format!("[\n{}\n]\n", GRIDS.map(|grid| format!("  \"{}\"", grid.concat())).join(",\n")), false),
        (list(&|q, _| format!("{q} hard")), false),
        (list(&|q, _| format!("{q} -> hard")), false),
        (list(&|q, a| format!("{q} {a} hard")), false),
        (list(&|q, _| q.to_owned()), false),
        (list(&|q, _| q.replace('.', "0")), false),
        (list(&|q, a| format!("{q},{a}")), false),
        (list(&|q, a| format!("17,{q},{a},2.5")), false),
        (list(&|q, _| format!("0a7b {q} 1.5")), false),
        (list(&|q, _| format!("{q} # ER=1.2")), false),
        (list(&|q, _| apart(q, " ", ".")), false),
        (list(&|q, _| apart(q, ",", "0")), false),
        (list(&|q, a| format!("{},{}", apart(q, ",", ""), apart(a, ",", ""))), true),
        (list(&|q, _| apart(q, ";", "")), true),
        (list(&|q, _| [&q[..4], &q[4..8], &q[8..12], &q[12..]].join("/")), false),
        (list(&|q, a| format!("{q}\n{a}")), false),
        (rows(&|row| row.to_owned()), false),
        (rows(&|row| row.replace('.', " ")), true),
        (rows(&|row| apart(row, " ", "0")), false),
        (rows(&|row| apart(row, ",", "0")), false),
        (rows(&|row| apart(row, "\t", ".")), false),
        (rows(&|row| apart(row, "\t", "NaN")), false),
        (rows(&|row| apart(row, ",", "")), true),
        (rows(&|row| apart(row, ";", "")), true),
        (rows(&|row| apart(row, "\t", "")), true),
        (rows(&|row| apart(row, " & ", "")), true),
        (rows(&|row| apart(row, "\t", "").replace('1', "1.0").replace('4', "4.0")), true),
        (rows(&|row| floats(row, ",")), false),
        (rows(&|row| format!("| {} |", apart(row, " | ", "0"))), false),
        (rows(&|row| format!("| {} |", apart(row, " | ", " "))), true),
        (rows(&|row| apart(row, " | ", "0")), false),
        (tables(&|row| format!("| {} |", apart(row, " | ", "0"))), false),
        (tables(&|row| format!("| {} |", apart(row, " | ", " "))), true),
        (tables(&|row| format!("| `{}` |", apart(row, "` | `", " "))), true),
        (rows(&|row| format!("|{}|{}|", &row[..2], &row[2..])), false),
        (rows(&|row| format!("{}|{}", &row[..2], &row[2..])), false),
        (rows(&|row| format!("|{}|{}|", &row[..2], &row[2..]).replace('.', " ")), true),
        (rows(&|row| format!("{} | {}", apart(&row[..2], " ", " "), apart(&row[2..], " ", " "))), true),
        (rows(&|row| format!(",{}", apart(row, ",", ""))), true),
        (rows(&|row| format!("{};", apart(row, ";", ""))), true),
        (rows(&|row| format!("{0},,{0}", apart(row, ",", "0"))), false),
        (rows(&|row| format!("{0},,{0}", apart(row, ",", ""))), true),
        (format!("[Puzzle]\n{}", rows(&|row| row.to_owned())), false),
        (format!("a,b,c,d\n{}", rows(&|row| apart(row, ",", ""))), true),
        (format!(",a,b,c,d\n{}", numbered(&|n, row| format!("{n},{}", apart(row, ",", "")))), true),
        (numbered(&|n, row| format!("{n}: {row}")), false),
        (numbered(&|n, row| format!("{n} |{}|{}|", &row[..2], &row[2..]).replace('.', " ")), true),
        (numbered(&|n, row| format!("{n}|{}|{}|", &row[..2], &row[2..])), false),
        (
            numbered(&|n, row| {
                format!("{n} | {} | {} |", apart(&row[..2], " ", " "), apart(&row[2..], " ", " "))
            }),
            true,
        ),
        (
            numbered(&|n, row| {
                format!("{} | {} | {} |", n - 1, apart(&row[..2], " ", "."), apart(&row[2..], " ", "."))
            }),
            false,
        ),
        (numbered(&|n, row| format!("{n} | {} |", apart(row, " | ", " "))), true),
        (numbered(&|n, row| format!("{n}: {}", row.replace('.', " "))), true),
        (numbered(&|n, row| format!("{n}. {}", row.replace('.', " "))), true),
        (numbered(&|n, row| format!("{n}. {row}")), false),
        (numbered(&|n, row| format!("{n} {row}")), false),
        (numbered(&|n, row| format!("{n}  {}", apart(row, " ", "0"))), false),
        (numbered(&|n, row| format!("{n} | {}", apart(row, " ", "."))), false),
        (numbered(&|n, row| format!("{n},{}", apart(row, ",", ""))), true),
        (numbered(&|n, row| format!("{n}\t{}", apart(row, "\t", "0"))), false),
        (format!("  1 2 3 4\n{}", numbered(&|n, row| format!("{n} | {}", apart(row, " ", ".")))), false),
        (lines_numbered(&rows(&|row| row.to_owned())), false),
        (lines_numbered(&rows(&|row| row.replace('.', " "))), true),
        (rows(&|row| format!("{} | {}", &row[..1], apart(&row[1..], " ", "."))), false),
        (rows(&|row| apart(row, ",", "") + "\n"), true),
        (rows(&|row| apart(row, "\t", "0") + "\n"), false),
        (numbered(&|n, row| format!("R{n},{}", apart(row, ",", "0"))), false),
        (
            GRIDS.map(|grid| format!("[{}]\n", grid.map(|row| apart(row, " ", "0")).join("; "))).concat(),
            false,
        ),
        (rows(&|row| format!("[{}],", apart(row, ", ", "0"))), false),
    ]
    .into_iter()
    .chain(foreign())
    .collect()
}

/// Texts that hold [`GRIDS`] as other languages and people write them.
fn foreign() -> Vec<(String, bool)> {
    let grids =
        |above: &dyn Fn(usize) -> String, draw: &dyn Fn(usize, &str) -> String, below: &str| -> String {
            let row = |(place, row): (usize, &&str)| draw(place, row) + "\n";
            let grid = |(place, grid): (usize, &[&str; 4])| {
                format!("{}{}{below}\n", above(place), grid.iter().enumerate().map(row).collect::<String>())
            };
            GRIDS.iter().enumerate().map(grid).collect()
        };
    let none = |_: usize| String::new();
    let plain = |_: usize, row: &str| row.to_owned();
    let letter = |row: usize| char::from(b'A' + row as u8);
    let table = |_: usize| "|   | 1 | 2 | 3 | 4 |\n|---|---|---|---|---|\n".to_owned();
    let list =
        |line: &dyn Fn(&str) -> String| GRIDS.iter().map(|grid| line(&grid.concat())).collect::<String>();
    let tuple = |grid: &[&str; 4]| {
        format!("({})\n", grid.map(|row| format!("({})", apart(row, ", ", "0"))).join(", "))
    };
    vec![
        (grids(&|_| "[code]\n".to_owned(), &plain, "[/code]\n"), false),
        (list(&|grid| format!("[code]{grid}[/code]\n")), false),
        (grids(&|place| format!("== {place} ==\n"), &plain, ""), false),
        (grids(&|place| format!("--- Puzzle {place} ---\n"), &plain, ""), false),
        (grids(&|_| "*** hard ***\n".to_owned(), &|_, row| apart(row, " ", "0"), ""), false),
        (grids(&|place| format!("2024-05-{:02}\n", place + 1), &plain, ""), false),
        (list(&|grid| format!("01/05/2024\n{grid}\n")), false),
        (
            grids(&table, &|row, cells| format!("| {} | {} |", letter(row), apart(cells, " | ", "0")), ""),
            false,
        ),
        (grids(&table, &|row, cells| format!("| r{} | {} |", row + 1, apart(cells, " | ", " ")), ""), true),
        (
            grids(
                &|_| "  1 2 3 4\n".to_owned(),
                &|row, cells| format!("{} {}", letter(row), apart(cells, " ", " ")),
                "",
            ),
            true,
        ),
        (
            grids(
                &|_| "    1 2 3 4\n".to_owned(),
                &|row, cells| format!("{} | {} |", row + 1, apart(cells, " ", " ")),
                "",
            ),
            true,
        ),
        (grids(&none, &|row, cells| format!("row {}: {}", row + 1, apart(cells, " ", "0")), ""), false),
        (grids(&none, &|_, cells| format!(r"{} \\ \hline", apart(cells, " & ", "")), ""), true),
        (grids(&none, &|_, cells| format!("|{}|.", apart(cells, "|", " ")), ""), true),
        (GRIDS.iter().map(tuple).collect(), false),
        (list(&|grid| format!("matrix(c({}), nrow=4, byrow=TRUE)\n", apart(grid, ",", "0"))), false),
    ]
}

/// As `cat -n` numbers lines.
fn lines_numbered(text: &str) -> String {
    (1..).zip(text.lines()).map(|(number, line)| format!("{number:>6}\t{line}\n")).collect()
}

/// What is read of a text is written in it: each puzzle once, with its answer, or something is refused.
fn is_right(damaged: &str, written: &Pairs) -> bool {
    let (read, faults) = paired(damaged);
    let is_known = |(question, answer): &(String, Option<String>)| {
        written.iter().any(|pair| pair.0 == *question && (pair.1 == *answer || answer.is_none()))
    };
    let drops = written.iter().any(|(question, _)| read.iter().all(|pair| pair.0 != *question));
    // A damaged answer is not ignored.
    let lacks = read.iter().any(|pair| !written.contains(pair))
        && ANSWERS.iter().any(|answer| !damaged.contains(&answer.concat()));
    read.iter().all(is_known) && (faults > 0 || !drops && !lacks)
}

#[test]
fn what_is_damaged_is_read_as_it_was_written_or_refused() {
    let mut wrong: Vec<(usize, String)> = Vec::new();
    for (number, (text, bare)) in writings().into_iter().enumerate() {
        let (written, faults) = paired(&text);
        let known = |question: &String| GRIDS.iter().any(|grid| grid.concat() == *question);
        assert!(
            faults == 0 && written.len() >= 3 && written.iter().all(|(q, _)| known(q)),
            "{text}{written:?}"
        );
        let mut check = |damaged: String| {
            if !is_right(&damaged, &written) {
                wrong.push((number, format!("{damaged}{:?}", paired(&damaged))));
            }
        };
        for (at, c) in text.char_indices() {
            let (before, behind) = (&text[..at], &text[at + 1..]);
            if !(bare && c.is_ascii_digit()) {
                check(format!("{before}{behind}"));
            }
            check(format!("{before}{c}{c}{behind}"));
            // A field, and the delimiter behind it; whole grids may be missing.
            let end = text[at..].find(FIELD_ENDS).map_or(text.len(), |end| at + end + 1);
            let starts = at == 0 || before.ends_with(FIELD_ENDS);
            let ends_in_space = bare && text[at..end].ends_with([' ', '\n']);
            if starts && end - at < 16 && !ends_in_space {
                check(format!("{before}{}", &text[end..]));
                check(format!("{before}{}{}", &text[at..end], &text[at..]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", cases(&wrong));
}

/// As above, where a row has lost two characters, or two fields.
#[test]
fn a_row_that_lost_twice_is_refused() {
    let mut wrong: Vec<(usize, String)> = Vec::new();
    for (number, (text, bare)) in writings().into_iter().enumerate() {
        let (written, _) = paired(&text);
        let mut check = |damaged: String| {
            if !is_right(&damaged, &written) {
                wrong.push((number, format!("{damaged}{:?}", paired(&damaged))));
            }
        };
        let lines: Vec<&str> = text.lines().collect();
        for (place, line) in lines.iter().enumerate().filter(|(_, line)| line.len() < 30) {
            let with = |line: &str| -> String {
                let all = lines.iter().enumerate().map(|(at, old)| if at == place { line } else { old });
                all.flat_map(|line| [line, "\n"]).collect()
            };
            let is_lost = |at: usize| !(bare && line.as_bytes()[at].is_ascii_digit());
            // What is left of a float may be a blank.
            let are_apart = |(first, second): &(usize, usize)| second - first > 2 || !line.contains(".0");
            for (first, second) in pairs(line.len()).filter(are_apart) {
                if !is_lost(first) || !is_lost(second) {
                    continue;
                }
                check(with(&format!(
                    "{}{}{}",
                    &line[..first],
                    &line[first + 1..second],
                    &line[second + 1..]
                )));
            }
            let fields: Vec<&str> = line.split_inclusive(FIELD_ENDS).collect();
            let is_whole = |at: usize| {
                fields[at].len() < 16 && !(bare && (fields[at].ends_with(' ') || at + 1 == fields.len()))
            };
            for (first, second) in
                pairs(fields.len()).filter(|(first, second)| is_whole(*first) && is_whole(*second))
            {
                let kept = (0..fields.len()).filter(|field| ![first, second].contains(field));
                check(with(&kept.map(|field| fields[field]).collect::<String>()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", cases(&wrong));
}

/// How many cases there are, and the first ones of each writing.
fn cases(wrong: &[(usize, String)]) -> String {
    let of = |number: usize| wrong.iter().filter(move |case| case.0 == number);
    let first = (0..writings().len()).flat_map(|number| of(number).take(3)).map(|case| case.1.clone());
    format!("{} cases, such as\n{}", wrong.len(), first.collect::<Vec<_>>().join("\n\n"))
}

/// Each two of `count` things.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)))
}

/// Three digits and points look like three cells.
#[test]
fn a_row_of_floats_is_none_of_their_characters() {
    let sixes = ["65....", "...12.", "4.3...", "..5..1", ".1..6.", "2...3."];
    let nines = [
        "694......",
        "...1..7..",
        ".2.....5.",
        "7..4..1..",
        "...5..2..",
        "..3..6...",
        "1....8...",
        ".6.9....4",
        "4...7..6.",
    ];
    for rows in [&sixes[..], &nines[..]] {
        for between in ["\t", " | ", ",", ";"] {
            let cell = |c: char| if c == '.' { String::new() } else { format!("{c}.0") };
            let row = |row: &&str| row.chars().map(cell).collect::<Vec<_>>().join(between) + "\n";
            let text: String = rows.iter().map(row).collect();
            assert_eq!(told_of(rows.len(), &text), Told::only(vec![rows.concat()]), "{text}");
        }
    }
}

#[test]
fn numbers_of_rows_are_no_cells_where_the_last_column_is_empty() {
    let (rows, faults) = told("1,3,,4,\n2,,,1,\n3,,3,,\n4,1,,2,\n");
    assert!(rows.is_empty() && faults > 0, "{rows:?}");
}

#[test]
fn a_heading_of_the_next_grid_is_no_last_row() {
    let grid =
        |rows: &[&str]| rows.iter().map(|row| fields(row).replace(",,", ",0,") + "\n").collect::<String>();
    for (lost, head) in (0..4).flat_map(|lost| ["0,1,2,3\n", "1,2,3,4\n"].map(|head| (lost, head))) {
        for first in [head, ""] {
            let rest: Vec<&str> = (0..4).filter(|row| *row != lost).map(|row| GRIDS[0][row]).collect();
            let text = format!("{first}{}{head}{}", grid(&rest), grid(&GRIDS[1]));
            assert!(told(&text).0.iter().all(|row| *row == GRIDS[1].concat()), "{text}");
        }
    }
}

#[test]
fn a_grid_in_a_section_that_is_not_read_is_told() {
    let grid = GRIDS[0].join("\n");
    for head in ["[Puzle]\n", "#A me\n[Grid]\n", "[State]\n", "[easy]\n"] {
        for text in [format!("{head}{grid}\n"), format!("{head}{}\n", GRIDS[0].concat())] {
            assert_eq!(told(&text), (Vec::new(), 1), "{text}");
        }
    }
    let text = format!("[Author]\nme\n[Puzzle]\n{grid}\n[State]\n{grid}\n[Level]\n1\n");
    assert_eq!(told(&text), (vec![GRIDS[0].concat()], 0));
}

#[test]
fn names_above_grids_and_below_tables_are_passed_over() {
    let beside: String =
        (0..4).map(|row| format!("{},,{}\n", fields(GRIDS[0][row]), fields(ANSWERS[0][row]))).collect();
    for names in ["A,B,C,D,,A,B,C,D", "P0,,,,,P1", "Quiz,,,,,Answer"] {
        let (rows, faults) = paired(&format!("{names}\n{beside}"));
        assert_eq!((rows, faults), (vec![(GRIDS[0].concat(), Some(ANSWERS[0].concat()))], 0), "{names}");
    }
    let cells = |row: &&str, blank: &str| {
        row.chars().map(|c| format!(" {} ", c.to_string().replace('.', blank))).collect::<Vec<_>>().join("|")
    };
    let table =
        |blank: &str| GRIDS[0].iter().map(|row| format!("|{}|\n", cells(row, blank))).collect::<String>();
    let rule = "+---+---+---+---+\n";
    for text in [
        format!(
            " a | b | c | d \n---+---+---+---\n{}(4 rows)\n",
            table(" ").lines().map(|row| row.trim_matches('|').to_owned() + "\n").collect::<String>()
        ),
        format!("{rule}| a | b | c | d |\n{rule}{}{rule}4 rows in set (0.00 sec)\n", table("NULL")),
        format!(
            "grid:\n{}",
            GRIDS[0]
                .map(|row| format!("  - [{}]\n", fields(row).replace(",,", ",0,").replace(",,", ",0,")))
                .concat()
        ),
    ] {
        let read = told(&text);
        assert!(
            read == (vec![GRIDS[0].concat()], 0) || text.starts_with("grid") && read.1 > 0,
            "{text}{read:?}"
        );
    }
}
