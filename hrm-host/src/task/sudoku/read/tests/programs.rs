//! Boards in the code of programs, wherever they stand in a text, and lines of code and prose beside puzzles.

use super::*;

/// The rows of a board, each as `row` draws its cells, which `between` parts, with `next` between rows.
fn drawn(rows: &[String], (row, between, blank): (&str, &str, &str), next: &str) -> String {
    let draw = |cells: &String| row.replace('@', &apart(cells, between, blank));
    rows.iter().map(draw).collect::<Vec<_>>().join(next)
}

/// Boards as languages write them: what stands around the rows, and how these are drawn.
const BOARDS: [(&str, (&str, &str, &str), &str); 38] = [
    ("grid = [@]", ("[@]", ", ", "0"), ",\n        "),
    ("grid = [[@]]", ("@", ",", "0"), "],["),
    ("b = np.array([@], dtype=int)", ("[@]", ", ", "0"), ",\n              "),
    ("b = np.array(\n    [\n        @,\n    ]\n)", ("[@]", ", ", "None"), ",\n        "),
    ("int b[4][4] = {\n@\n};", ("\t{@}", ", ", "0"), ",\n"),
    ("int b[4][4] = {@};", ("{@}", ",", "0"), ",\n    "),
    ("int main() { int n = 4; int b[4][4] = {@}; solve(b, n); return 0; }", ("{@}", ",", "0"), ", "),
    ("int b[16] = {@};", ("@", ",", "0"), ", "),
    ("int b[16] = {\n@};", ("    @", ", ", "0"), ",\n"),
    ("int b[4][4] = {\n@\n};", ("{@}, /* a */", ",", "0"), "\n"),
    ("int b[4][4] = {\n@\n};", ("{@}, // 1 row", ",", "0"), "\n"),
    ("std::vector<std::string> b{@};", ("\"@\"", "", "."), ", "),
    ("char[][] b = {\n@\n};", ("{'@'}", "','", "."), ",\n"),
    ("int[][] b = new int[][] {\n@\n};", ("new int[] {@}", ", ", "0"), ",\n"),
    ("List<List<Integer>> b = List.of(@);", ("List.of(@)", ", ", "0"), ",\n"),
    ("val b = arrayOf(\n@\n)", ("    intArrayOf(@)", ", ", "0"), ",\n"),
    ("$b = array(\n@\n);", ("array(@)", ", ", "0"), ",\n"),
    ("board = [\n@\n]", ("  %w[@]", " ", "."), ",\n"),
    ("rows = [@]", ("[@]", ", ", "nil"), ",\n"),
    ("let b = vec![\n@,\n];", ("vec![@]", ", ", "0"), ",\n"),
    ("let b = [@];", ("b\"@\"", "", "."), ", "),
    ("puzzle = [ @ ]", ("[@]", ",", "0"), "\n         , "),
    ("problem(1, [@]).", ("[@]", ",", "_"), ",\n            "),
    ("local b = {@}", ("{@}", ", ", "0"), ", "),
    ("(def board [@])", ("[@]", " ", "0"), " ; a row\n"),
    ("let b = [|@|]", ("[|@|]", ";", "0"), ";\n"),
    ("A = [@];", ("@", " ", "0"), "; "),
    ("A = [@];", ("@", " ", "0"), "\n     "),
    ("b = matrix(@);", ("[@]", ",", "0"), ",\n"),
    ("m <- matrix(c(@), nrow=4, byrow=TRUE)", ("@", ",", "0"), ",\n"),
    ("board:\n@", ("  - [@]", ", ", "0"), "\n"),
    ("board:\n@", ("  - \"@\"", "", "."), "\n"),
    ("char *p =\n@;", ("  \"@\"", "", "."), "\n"),
    ("const p =\n@;", ("  '@\\n'", "", "0"), " +\n"),
    ("grid = \"\"\"\n@\"\"\"", ("@", "", "."), "\n"),
    ("const g = `@\n`;", ("@", "", "."), "\n"),
    ("solve('''@''')", ("@", "", "."), "\n"),
    ("(defparameter *b*\n  #2A(@))", ("(@)", " ", "0"), "\n     "),
];

/// What may stand above and below.
const AROUND: [(&str, &str); 6] = [
    ("", ""),
    ("def p(a):\n    return a\n\n", "\nprint(p(grid), board[0][0], board[3][3])\n"),
    ("My puzzle\n", "Thanks, I've tried :(\n"),
    ("# Title\n\nSome prose (and more), as it's usual.\n\n```\n", "```\n\nN = 4\n"),
    ("dirs = [(0, 1), (1, 0), (0, -1), (-1, 0)]\n", "boxes = [[0] * 4 for _ in range(4)]\ns = Sudoku()\n"),
    ("function solve(g) {\n  return g;\n}\n\n", "\nfor (int i = 0; i < 4; i++) { f(b[i][0]); }\n"),
];

#[test]
fn boards_of_all_languages_are_read_wherever_they_stand() {
    for side in [4, 6, 9] {
        let rows = puzzle(side, &[]);
        for (board, (above, below)) in BOARDS.iter().flat_map(|board| AROUND.map(|around| (board, around))) {
            let (frame, row, next) = *board;
            let text = format!("{above}{}\n{below}", frame.replace('@', &drawn(&rows, row, next)));
            let Told { rows: read, faults, .. } = told_of(side, &text);
            assert_eq!((read, faults), (vec![rows.concat()], Vec::new()), "{text}");
            assert_eq!(task_of_text(&text), Some(sudoku(side)), "{text}");
        }
    }
}

#[test]
fn arrays_are_read_as_json_python_and_numpy_write_them() {
    let puzzle = "1.....2..3.....4";
    let rows = ["1, 0, 0, 0", "0, 0, 2, 0", "0, 3, 0, 0", "0, 0, 0, 4"];
    let strings = ["1...", "..2.", ".3..", "...4"];
    let cells = puzzle.replace('.', "0").chars().map(String::from).collect::<Vec<_>>();
    for text in [
        format!("[[{}]]", rows.join("], [")),
        format!("board = [\n    [{}],  # made by hand\n]\n", rows.join("],\n    [")),
        format!("np.array([[{}]])", rows.join("],\n [").replace(',', "")),
        format!("[[{}]]", rows.join("]\n [").replace(',', ".")),
        format!("([{}])", rows.join("],[")),
        format!("[{}]", rows.join(",").replace('0', "None")),
        format!("['{}']", strings.join("', '")),
        format!("[\"{puzzle}\"]"),
        format!("puzzles = [\n  '{puzzle}',\n]\n"),
        format!("[\n{}\n]", cells.join(",\n    ")),
        format!("[\"{}\"]", cells.join("\", \"").replace('0', "")),
    ] {
        assert_eq!(told_of(4, &text), Told::only(vec![puzzle.to_owned()]), "{text}");
    }
    assert_eq!(told_of(4, &format!("[\n'{puzzle}',\n'{puzzle}'\n]")).rows, [puzzle; 2]);
    for text in
        ["[Puzzle]\n1...\n", "[[\"question\",\"answer\"]]", "[{\"puzzle\": 1}]", "[1, 2, 3]", puzzle, ""]
    {
        assert!(Array::of(text).is_none(), "{text}");
    }
}

#[test]
fn a_board_that_lost_something_is_no_other_board() {
    let rows = GRIDS[0].map(String::from);
    for (frame, row, next) in BOARDS {
        let text = frame.replace('@', &drawn(&rows, row, next)) + "\n";
        let marks = |c: char| c.is_ascii_digit() || ".,;[](){}\"'".contains(c);
        for (at, mark) in text.match_indices(marks) {
            let lost = text[..at].to_owned() + &text[at + mark.len()..];
            let Told { rows: read, .. } = told_of(4, &lost);
            assert!(read.iter().all(|read| *read == rows.concat()), "{lost}{read:?}");
        }
        let lines: Vec<&str> = text.lines().collect();
        for place in (0..lines.len()).filter(|_| lines.len() > 2) {
            for lines in [
                [&lines[..place], &lines[place + 1..]].concat(),
                [&lines[..=place], &lines[place..]].concat(),
            ] {
                let lost = lines.join("\n");
                let Told { rows: read, .. } = told_of(4, &lost);
                assert!(read.iter().all(|read| *read == rows.concat()), "{lost}{read:?}");
            }
        }
    }
}

#[test]
fn what_is_wrong_with_a_board_is_named() {
    for (text, expected) in [
        ("[[1,0,0,0],[0,2,0],[0,3,0,0],[0,0,0,4]]", "1: row 2 of this array has 3 cells, and each has 4"),
        ("[1,0,0,0,\n0,2,0,\n0,3,0,0,\n0,0,0,0,4]", "2: row 2 of this array has 3 cells, and each has 4"),
        ("[[1,0,0,0],\n[0,0,2,0],\n[0,0,0,4]]", "1: the grid that begins here has 3 rows and not 4"),
        ("x = [[1,0,0,0],\n[0,0,2,0],\n[0,3,0,0],\n[0,0,0,4]\n", "1: `[` in column 5 of this line"),
        ("[[1,0,0,0],\n [0,0,2,0,\n[0,3,0,0],\n[0,0,0,4]]\n", "2: `[` in column 2 of this line"),
        ("1,0,0,0,0,0,2,0,0,3,0,0,0,0,0,4]\n", "1: `]` in column 32 of this line"),
        (
            "[[1,0,0,0],\n[0,O,2,0],\n[0,3,0,0],\n[0,0,0,4]]",
            "2: \"O\" stands in an array in the place of a cell",
        ),
        ("[[1,0,0,0],\n[0,02,0,0],\n[0,3,0,0],\n[0,0,0,4]]", "2: \"02\" stands in an array"),
        ("[[1,0,0,0],\n[0,,2,0],\n[0,3,0,0],\n[0,0,0,4]]", "2: a cell is empty here"),
        ("reshape([1 0 0 0 0 0 2 0 0 3 0 0 0 0 0 4], 4, 4)", "1: `matrix` of R"),
    ] {
        let Told { rows: read, faults, .. } = told_of(4, text);
        let is_named = faults.iter().any(|fault| fault.starts_with(expected));
        assert!(read.is_empty() && is_named, "{text}\n{faults:?}");
        // A field of a table says the same.
        let of_field = parse(sudoku(4), &grid_in(text), &mut [0; 16]).unwrap_err().to_string();
        let (_, expected) = expected.split_once(": ").unwrap();
        let is_open = text.ends_with('\n');
        assert!(is_open || of_field.starts_with(expected), "{text}\n{of_field}");
        assert!(is_open || task_of_field(text) == Some(sudoku(4)), "{text}");
    }
    let whole = "[[1,0,0,0],[0,0,2,0],[0,3,0,0],[0,0,0,4]]";
    assert_eq!(grid_in(whole), "1000002003000004");
    // What is damaged leaves the others as they are.
    let Told { rows: read, faults, .. } =
        told_of(4, &format!("a = {whole}\n\nb = {}\n\nc = {whole}\n", whole.replace("1,", "")));
    assert_eq!((read.len(), faults.len()), (2, 1), "{faults:?}");
}

#[test]
fn cells_in_comments_are_told_and_never_read() {
    let board = "{1,0,0,0},\n{0,0,2,0},\n{0,3,0,0},\n{0,0,0,4},\n";
    for (open, close) in [("# ", ""), ("// ", ""), ("/* ", " */"), ("-- ", ""), (";; ", "")] {
        for place in 0..5 {
            let mut lines: Vec<String> = board.lines().map(str::to_owned).collect();
            lines.insert(place, format!("{open}{{0,2,0,0}},{close}"));
            let text = format!("int b[4][4] = {{\n{}\n}};\n", lines.join("\n"));
            let Told { rows: read, faults, passed, .. } = told_of(4, &text);
            assert_eq!((read, faults), (vec!["1.....2..3.....4".to_owned()], Vec::new()), "{text}");
            assert_eq!(passed, [place as u64 + 2], "{text}");
            // Where one of the rows themselves is a comment, one is missing.
            let text = text.replacen("{0,0,2,0},\n", "", 1);
            assert!(told_of(4, &text).rows.is_empty(), "{text}");
        }
    }
    for mark in ["# ", "// ", "-- "] {
        let whole = format!("int b[4][4] = {{\n{board}}};\n");
        let text = format!("{mark}{}\n{whole}", whole.replace('\n', ""));
        let Told { rows: read, faults, passed, .. } = told_of(4, &text);
        assert_eq!((read.len(), faults, passed), (1, Vec::new(), vec![1]), "{text}");
    }
    let text =
        format!("/*\nint c[4][4] = {{\n{}}};\n*/\nint b[4][4] = {{\n{board}}};\n", board.replace('1', "2"));
    let Told { rows: read, faults, passed, .. } = told_of(4, &text);
    assert_eq!((read, faults), (vec!["1.....2..3.....4".to_owned()], Vec::new()), "{text}");
    assert_eq!(passed, [3, 4, 5, 6], "{text}");
}

#[test]
fn prose_and_code_beside_puzzles_are_passed_over() {
    let puzzle = GRIDS[0].concat();
    for line in [
        "A hard one",
        "I think it is easy",
        "12 points",
        "Author: B. Smith, 2 May 2021",
        "Time: 12:35",
        "Date: 2021-05-02",
        "N = 4",
        "n=3;",
        "f(1, 2, 3)",
        "x = [1, 2, 3]",
        "\"a\": 1,",
        "\"b\": [1, 2, 3, 4],",
        "s = Sudoku()",
        "print(board[0][0], board[3][3])",
        "p1 = \"\"\"",
        "- a bullet of a list",
        "(see below)",
        "* Level 5, page 12",
        "<?php",
        ":- use_module(library(clpfd)).",
        "Q1",
    ] {
        for text in [
            format!("{line}\n{puzzle}\n"),
            format!("{puzzle}\n{line}\n"),
            format!("{line}\n{}\n", GRIDS[0].join("\n")),
            format!("{line}\n\n{}\n\n{line}\n", GRIDS[0].join("\n")),
        ] {
            let Told { rows: read, faults, passed, .. } = told_of(4, &text);
            assert_eq!((read, faults), (vec![puzzle.clone()], Vec::new()), "{text}");
            assert!(!passed.is_empty(), "{text}");
        }
    }
    // Brackets and numbers beside puzzles are none of arrays.
    for (open, close) in [("", ")"), ("(", ")"), ("[", "]"), ("", ":")] {
        let text: String = (1..4).map(|number| format!("{open}{number}{close} {puzzle}\n")).collect();
        assert_eq!(told_of(4, &text), Told::only(vec![puzzle.clone(); 3]), "{text}");
    }
    // A puzzle that lost something is none of words.
    for lost in [
        "1.....2..3....",
        "easy 1.....2..3....",
        "1.....2..3.... # easy",
        "Nr. 1: 1.....2..3.....44",
        "1xxxxx2xx3xxxx4",
        "1XXX XX2X X3XX XX4",
    ] {
        for text in [format!("{lost}\n{puzzle}\n"), format!("{puzzle}\n{lost}\n")] {
            let Told { rows: read, faults, .. } = told_of(4, &text);
            assert_eq!((read, faults.len()), (vec![puzzle.clone()], 1), "{text}");
        }
    }
}

#[test]
fn digits_may_be_bold_in_a_table_of_markdown() {
    let rows = GRIDS[0].map(|row| {
        let cell = |c: char| if c == '.' { "       |".to_owned() } else { format!(" **{c}** |") };
        format!("|{}", row.chars().map(cell).collect::<String>())
    });
    let text = format!("|{}\n|{}\n{}\n", " |".repeat(4), "---|".repeat(4), rows.join("\n"));
    assert_eq!(told_of(4, &text), Told::only(vec![GRIDS[0].concat()]), "{text}");
    let Told { faults, .. } = told_of(4, "0,0,5,0\n");
    assert!(faults[0].contains("'5' stands in this row"), "{faults:?}");
}

#[test]
fn rows_between_quotation_marks_are_rows_whatever_was_lost() {
    let rows = ["1...", "..2.", ".3..", "...4"].map(|row| format!("\"{row}\"\n"));
    assert_eq!(told_of(4, &rows.concat()), Told::only(vec!["1.....2..3.....4".to_owned()]));
    for lost in 0..4 {
        let text: String = (0..4).filter(|row| *row != lost).map(|row| &rows[row][..]).collect();
        let Told { rows: read, faults, .. } = told_of(4, &text);
        assert!(read.is_empty() && faults.len() == 1, "{text}{faults:?}");
        let mut text = rows.clone();
        text[lost] = text[lost].replacen('.', "", 1);
        let Told { rows: read, faults, .. } = told_of(4, &text.concat());
        assert!(read.is_empty() && !faults.is_empty(), "{text:?}{faults:?}");
    }
}

#[test]
fn a_matrix_is_read_as_r_prints_it() {
    for side in [4, 6, 9] {
        let rows = puzzle(side, &[]);
        let heading: String = (1..=side).map(|column| format!(" [,{column}]")).collect();
        let row = |(number, row): (usize, &String)| {
            let cells = row.chars().map(|c| format!("{:>5}", c.to_string().replace('.', "0")));
            format!("[{number},]{}\n", cells.collect::<String>())
        };
        let text = format!("    {heading}\n{}", (1..).zip(&rows).map(row).collect::<String>());
        assert_eq!(told_of(side, &text), Told::only(vec![rows.concat()]), "{text}");
        let lost = text.replacen("[2,]", "#[2,]", 1);
        assert!(told_of(side, &lost).rows.is_empty(), "{lost}");
    }
}

#[test]
fn what_is_said_beside_a_puzzle_is_none_of_its_cells() {
    let puzzle = "1.....2..3.....4";
    for text in [
        format!("easy={puzzle}\n"),
        format!("2021-03-04,{puzzle},1342421324313124\n"),
        format!("2021-03-04 {puzzle}\n"),
        format!("puzzles = [\n    (\"{puzzle}\", 3),\n]\n"),
        format!("[(12, '{puzzle}')]\n"),
    ] {
        let Told { rows: read, faults, .. } = told_of(4, &text);
        assert_eq!((read, faults), (vec![puzzle.to_owned()], Vec::new()), "{text}");
    }
    for text in [
        "easy=1.....2..3....\n1.....2..3.....4\n",
        "2021-03-04,1.....2..3....,1342421324313124\n",
        "puzzles = [\n    (\"1.....2..3....\", 3),\n    (\"1.....2..3.....4\", 3),\n]\n",
        "[\"1.....2..3.....4\", \"\"]\n",
    ] {
        assert!(!told_of(4, text).faults.is_empty(), "{text}");
    }
}
