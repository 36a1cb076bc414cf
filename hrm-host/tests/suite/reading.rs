//! Puzzle files as people have them, and files that are something else.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::common::{PACK, hrm, ok, root, words};

const Q: &str = "7.....8....2..5....3..6..9..7.6....1...1.3.7.....7.9.....4.2....9..3..1..2..1643.";
const A: &str = "769341852142895367538267194273689541954123678681574923316452789495738216827916435";

fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), bytes).unwrap();
}

/// What `data import` makes of a file: the rows that it writes.
fn import(bytes: impl AsRef<[u8]>, more: &[&str]) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "in", bytes);
    let (code, _, err) = hrm(&folder, &[&["data", "import", "in", "--out", "out.csv"], more].concat());
    if code != 0 {
        assert!(!folder.path().join("out.csv").exists(), "nothing is written");
        return Err(err);
    }
    let text = fs::read_to_string(folder.path().join("out.csv")).unwrap();
    Ok(text.lines().skip(1).map(str::to_owned).collect())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn folded(grid: &str) -> Vec<&str> {
    (0..9).map(|row| &grid[9 * row..][..9]).collect()
}

/// A grid as an array's elements.
fn spread(grid: &str) -> String {
    grid.replace('.', "0").chars().map(String::from).collect::<Vec<_>>().join(", ")
}

#[test]
fn csv_files_are_read_with_their_own_names_and_delimiters() {
    let zeros = Q.replace('.', "0");
    for (text, rating) in [
        (format!("source,question,answer,rating\n,{Q},{A},12\n"), "12"),
        (format!("quizzes,solutions\n{zeros},{A}\n"), ""),
        (format!("puzzle,solution\r\n{zeros},{A}\r\n"), ""),
        (format!("id,puzzle,solution,clues,difficulty\n1,{Q},{A},25,2.1\n"), "2.1"),
        (format!("id,puzzle,solution,difficulty\n1,{Q},{A},easy\n"), ""),
        (format!("Question,Answer,Rating\n{Q},{A},2.0\n"), "2"),
        (format!("question;answer;rating\n{Q};{A};2,5\n"), "2.5"),
        (format!("question\tanswer\n{Q}\t{A}\n"), ""),
        (format!("\u{feff}question,answer\n{Q},{A}\n"), ""),
        (format!("# made by hand\n\n\"question\",\"answer\"\n\"{Q}\",\"{A}\"\n"), ""),
        (format!("{Q},{A}\n"), ""),
        (format!("{Q};{A}\n"), ""),
        (format!("{Q} {A} # ER=11.2\n"), "11.2"),
        (format!("sep=;\nquestion;answer\n{Q};{A}\n"), ""),
        (format!("Sudoku of the week\n\nquestion,answer\n{Q},{A}\n"), ""),
        (format!("\"question\", \"answer\"\n\"{Q}\", \"{A}\"\n"), ""),
        (format!("'question','answer'\n'{Q}','{A}'\n"), ""),
        (format!("| question | answer |\n|---|:--|\n| {Q} | {A} |\n"), ""),
        (format!("question,answer\n\"{}\",{A}\n", folded(Q).join("\n")), ""),
        (format!("question,answer\n{},{A}\n", Q.replace('.', " ")), ""),
        (format!("question,answer\n\"[{}]\",{A}\n", spread(Q)), ""),
        (format!("question,answer,rating\n{Q},{A},1.5e3\n"), "1500"),
        (format!("question,answer,rating\n{Q},{A},N/A\n"), ""),
        (format!("question,answer,rating\n{Q},{A},hard\n"), ""),
        (format!("question,answer\n{Q},{A},,\n"), ""),
        (format!("question,answer,rating\n{Q},{A}\n"), ""),
        (format!("input,output\n{Q},{A}\n"), ""),
    ] {
        let expected = vec![format!(",{Q},{A},{rating}")];
        assert_eq!(import(&text, &[]), Ok(expected.clone()), "{text}");
        assert_eq!(import(gzip(text.as_bytes()), &[]), Ok(expected), "{text}");
    }
    let text = format!("given,full,from\n{Q},{A},here\n");
    let error = import(&text, &[]).unwrap_err();
    assert!(error.contains("there is no column `question`, only `given`, `full`, `from`"), "{error}");
    assert!(error.contains("--columns question=NAME"), "{error}");
    let columns = ["--columns", "question=given,answer=full,source=from"];
    assert_eq!(import(&text, &columns), Ok(vec![format!("here,{Q},{A},")]));
    let error = import(&text, &["--columns", "question=gvien"]).unwrap_err();
    assert!(error.contains("there is no column `gvien`"), "{error}");
    let error = import(&text, &["--columns", "puzzle=given"]).unwrap_err();
    assert!(error.contains("write question=NAME"), "{error}");
}

#[test]
fn lists_and_drawn_grids_are_read_and_their_answers_computed() {
    let rows = folded(Q);
    let plain = rows.join("\n");
    let bars: Vec<String> = rows.iter().map(|r| format!(" |{}|{}|{}|", &r[..3], &r[3..6], &r[6..])).collect();
    let spaced: Vec<String> = rows.iter().map(|row| row.replace('.', " ")).collect();
    let spaced: Vec<String> =
        spaced.iter().map(|r| format!("│{}│{}│{}│", &r[..3], &r[3..6], &r[6..])).collect();
    let commas: Vec<String> = rows
        .iter()
        .map(|row| row.chars().map(|c| c.to_string().replace('.', "")).collect::<Vec<_>>().join(","))
        .collect();
    for (text, rating) in [
        (Q.to_owned(), ""),
        (format!("0000183b305c {}  1.5\n", Q.replace('.', "0")), "1.5"),
        (format!("{Q} # ER=11.2\n"), "11.2"),
        (format!("{Q};ED=11.9/1.2/1.2;x;1\n"), "11.9"),
        (format!("\u{feff}{Q}\r\n"), ""),
        (format!("puzzle\n{Q}\n"), ""),
        (Q.replace('.', "_"), ""),
        (Q.replace('.', "-"), ""),
        (Q.replace('.', "*"), ""),
        (Q.replace('.', "X"), ""),
        (Q.replace('.', "?"), ""),
        (format!("#DA puzzle\n#C by hand\n{plain}\n"), ""),
        (format!("[Puzzle]\n{plain}\n[State]\n{}\n", folded(A).join("\n")), ""),
        (format!("Grid 01\n{}", plain.replace('.', "0")), ""),
        (format!(" *-----------*\n{}\n *-----------*\n", bars.join("\n")), ""),
        (format!("┌───┬───┬───┐\n{}\n└───┴───┴───┘\n", spaced.join("\n")), ""),
        (commas.join("\n"), ""),
        (commas.join("\n").replace(',', "\t"), ""),
        (format!("A,B,C,D,E,F,G,H,I\n{}", commas.join("\n")), ""),
        (format!("Hi all, here is my puzzle\n\n{}\n\nany help?\n", bars.join("\n")), ""),
        (Q.replace('.', " "), ""),
        (Q.replace('.', "·"), ""),
        (Q.replace('.', "□"), ""),
        (spread(Q).replace(", ", "\u{a0}"), ""),
        (format!("\u{200b}{Q}\u{200b}\r"), ""),
        (format!("[{}]", spread(Q)), ""),
        (
            format!(
                "board = [\n{}\n]\n",
                rows.iter().map(|row| format!("    [{}],\n", spread(row))).collect::<String>()
            ),
            "",
        ),
        (format!("[\"{}\"]", rows.join("\", \"")), ""),
        (format!("1: {Q}"), ""),
        (format!("1\n{plain}"), ""),
        (rows.iter().enumerate().map(|(row, text)| format!("{}: {text}\n", row + 1)).collect(), ""),
        (bars.join("\n").replace('|', "!"), ""),
        (rows.iter().map(|row| row.replace('.', " ").trim_end().to_owned() + "\n").collect(), ""),
        (format!("|{}\n|{}\n{}", " |".repeat(9), "---|".repeat(9), markdown(&rows)), ""),
        (format!("# Mine\n\n```\n{plain}\n```\n"), ""),
        (
            format!(
                "int b[9][9] = {{\n{}}};\n",
                rows.iter().map(|row| format!("  {{{}}},\n", spread(row))).collect::<String>()
            ),
            "",
        ),
        (format!("puzzles = [\n  '{Q}',\n]\n"), ""),
        (format!("; by hand\n% in spring\n{Q} % easy\n"), ""),
    ] {
        let expected = vec![format!(",{Q},{A},{rating}")];
        assert_eq!(import(&text, &["--solve"]), Ok(expected), "{text}");
        let error = import(&text, &[]).unwrap_err();
        assert!(error.contains("--solve"), "who lacks answers is told how to get them: {error}");
    }
    let error = import("1...............\n11..............\n1.....2..3.....4\n", &["--solve"]).unwrap_err();
    assert!(error.contains("line 1, column `question`: the puzzle has more than one solution"), "{error}");
    assert!(error.contains("line 2, column `question`: the givens at row 1, column 1"), "{error}");
    let error = import("123....4........\n", &["--solve"]).unwrap_err();
    assert!(error.contains("line 1, column `question`: the puzzle has no solution"), "{error}");
}

/// Rows as those of a Markdown table.
fn markdown(rows: &[&str]) -> String {
    let cells = |row: &str| row.replace('.', " ").chars().map(|c| format!(" {c} |")).collect::<String>();
    rows.iter().map(|row| format!("|{}\n", cells(row))).collect()
}

#[test]
fn what_nothing_needs_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let said = |text: String| {
        write(&folder, "in.csv", text);
        let (_, err) = ok(&folder, &["data", "import", "in.csv", "--out", "o.csv", "--force"]);
        err
    };
    let err = said(format!("question,answer,rating\n{Q},{A},hard\n{Q},{A},-\n"));
    assert!(err.contains("ratings that are no numbers, left out: 1; the first is line 2: \"hard\""), "{err}");
    let err = said(format!("question,answer\n{Q},{A}\n{A},{A}\n"));
    assert!(err.contains("puzzles without a blank cell") && err.contains("the first is line 3"), "{err}");
    // Who asks for questions needs neither answers nor ratings, nor all fields of a row.
    write(
        &folder,
        "latin.csv",
        [b"source,question,answer\nM\xfcller,", format!("{Q},{A}\n").as_bytes()].concat(),
    );
    let (code, _, err) = hrm(&folder, &["data", "stats", "latin.csv"]);
    assert_eq!(code, 0, "what is not UTF-8 is Latin-1: {err}");
    write(&folder, "q.csv", "question,answer,rating\n1.....2..3.....4,wrong,bad\n1.....2..3.....4\n");
    let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "q.csv"]);
    assert!(code == 0 && out.matches("1243342143122134").count() == 2, "{out}{err}");
    write(&folder, "q.csv", format!("{Q}\n{Q}\n"));
    let (code, out, err) = hrm(&folder, &["data", "stats", "q.csv"]);
    assert!(
        code == 0
            && out.contains("identical questions         1")
            && err.contains("lacks the answers of 2 puzzles"),
        "{out}{err}"
    );
}

#[test]
fn a_size_that_is_not_the_models_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "nine.csv", format!("question,answer\n{}", format!("{Q},{A}\n").repeat(20)));
    write(&folder, "nine.txt", format!("{Q}\n").repeat(20));
    for (args, code) in [
        (vec!["eval", PACK, "--data", "nine.csv"], 1),
        (vec!["analyze", PACK, "--data", "nine.csv"], 1),
        (vec!["data", "import", "nine.csv", "--task", "sudoku4", "--out", "o.csv"], 1),
        (vec!["solve", PACK, "--file", "nine.csv"], 3),
        (vec!["solve", PACK, "--file", "nine.txt"], 3),
        (vec!["solve", PACK, "nine.csv"], 3),
        (vec!["solve", PACK, Q], 3),
        (vec!["solve", PACK, "three.csv"], 3),
    ] {
        let (found, out, err) = hrm(&folder, &args);
        let told = format!("{out}{err}");
        let reason = if args.contains(&"three.csv") { "no file of that name" } else { "sudoku4" };
        assert!(
            found == code && told.contains(reason) && told.lines().count() == 1,
            "{args:?}: {found} {told}"
        );
    }
}

#[test]
fn a_puzzle_file_may_stand_where_puzzles_do() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "s4.csv", "question\n1.....2..3.....4\n");
    let (code, out, err) = hrm(&folder, &["solve", PACK, "s4.csv"]);
    assert!(code == 0 && out.contains("1243342143122134"), "{out}{err}");
}

#[test]
fn arguments_in_each_others_place_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(PACK, folder.path().join("m.hrm")).unwrap();
    fs::copy(root().join("models/sudoku4-demo.md"), folder.path().join("m.md")).unwrap();
    fs::copy(root().join("configs/sudoku4-demo.toml"), folder.path().join("c.toml")).unwrap();
    fs::copy(root().join("configs/sudoku4-demo.toml"), folder.path().join("c.txt")).unwrap();
    write(&folder, "rows.csv", "question,answer\n1.....2..3.....4,1243342143122134\n");
    write(&folder, "x.png", b"\x89PNG\r\n\x1a\n\0\0");
    for (command, reason) in [
        (
            "eval rows.csv --data m.hrm",
            "rows.csv is a puzzle file, neither a pack nor a checkpoint; puzzles go to --data",
        ),
        ("eval m.hrm --data m.hrm", "m.hrm is a pack, not a puzzle file; a model stands before the options"),
        ("solve rows.csv m.hrm", "rows.csv: not a pack but a puzzle file; puzzles go to --data"),
        ("inspect rows.csv", "a puzzle file"),
        ("inspect x.png", "a picture"),
        ("inspect m.md", "m.md: not a pack but a model card; name the pack that it describes"),
        ("eval m.md --data rows.csv", "m.md is a model card"),
        (
            "inspect .",
            "a folder without checkpoints (step-*.safetensors); name a run that has one, a checkpoint file or a pack, for example ./m.hrm",
        ),
        (
            "curves rows.csv --out x.svg",
            "rows.csv is a puzzle file, not the metrics of a run; name a run directory",
        ),
        ("curves m.hrm --out x.svg", "m.hrm is a pack, not the metrics of a run"),
        ("export rows.csv --out y.hrm", "a puzzle file"),
        ("train --config m.hrm --out run", "m.hrm is a pack, not a configuration; `train --from`"),
        (
            "train --config rows.csv --out run",
            "rows.csv is a puzzle file, not a configuration; puzzles go to --data",
        ),
        ("train --config x.png --out run", "x.png is a picture, not a configuration"),
        (
            "train --config c.toml --data c.toml --out run",
            "c.toml is a configuration (TOML), not a puzzle file",
        ),
        ("train --from rows.csv --out run", "a puzzle file"),
    ] {
        let (code, _, err) = hrm(&folder, &words(command));
        assert!(code == 1 && err.contains(reason), "{command}: {err}");
    }
    let (code, out, err) = hrm(&folder, &["inspect", "c.txt"]);
    assert!(
        code == 0 && out.contains("sudoku4, as a pack of one member"),
        "whatever it is called: {out}{err}"
    );
}

#[test]
fn a_model_that_is_empty_or_cut_short_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let header = r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#;
    let cut = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 8]].concat();
    let (whole, at) = (cut.len() + 8, cut.len());
    let of_pack = fs::read(PACK).unwrap();
    for (bytes, reason) in [
        (Vec::new(), "empty".to_owned()),
        (vec![0; 5000], "nothing but zero bytes".to_owned()),
        (cut.clone(), format!("cut short, at {at} of {whole} bytes")),
        (cut[..30].to_vec(), "cut short, at 30 of ".to_owned()),
    ] {
        write(&folder, "m.safetensors", bytes);
        for command in ["export m.safetensors --out x.hrm", "eval m.safetensors --data rows.csv"] {
            let (code, _, err) = hrm(&folder, &words(command));
            assert!(code == 1 && err.contains(&reason), "{command}: {err}");
        }
    }
    write(&folder, "m.hrm", &of_pack[..5000]);
    let (code, _, err) = hrm(&folder, &["solve", "m.hrm", "1.....2..3.....4"]);
    assert!(code == 1 && err.contains("5000") && err.contains(&of_pack.len().to_string()), "{err}");
}

#[test]
fn a_solution_under_its_puzzle_is_its_answer() {
    let drawn = |grid: &str| folded(grid).join("\n");
    for text in [
        format!("{Q}\n{A}\n"),
        format!("puzzle: {Q}\nsolution: {A}\n"),
        format!("{}\n\nSolution:\n{}\n", drawn(Q), drawn(A)),
        format!("[[{}], [{}]]", spread(Q), spread(A)),
    ] {
        assert_eq!(import(&text, &[]), Ok(vec![format!(",{Q},{A},")]), "{text}");
    }
    assert_eq!(import(format!("{Q}\n{Q}\n{A}\n"), &["--solve"]).unwrap().len(), 2);
}

#[test]
fn every_command_reads_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "k.csv.gz", gzip(b"quizzes,solutions\n1000002003000004,1243342143122134\n"));
    for command in ["stats k.csv.gz", "import k.csv.gz --out o.csv"] {
        ok(&folder, &[&["data"], &words(command)[..]].concat());
    }
    ok(&folder, &["eval", PACK, "--data", "k.csv.gz", "--rows", "1", "--hints", "0"]);
    let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "k.csv.gz"]);
    assert!(code == 0 && out.contains("1243342143122134"), "{out}{err}");
    let args = ["train", "--config", "demo.toml", "--data", "k.csv.gz", "--out", "run", "--max-steps", "1"];
    fs::copy(root().join("configs/sudoku4-demo.toml"), folder.path().join("demo.toml")).unwrap();
    ok(&folder, &[&args[..], &["--set", "data.validation=0"]].concat());
    // Who solves needs no answers; who measures does, and is told how to get them.
    write(&folder, "q.csv", "question\n1.....2..3.....4\n");
    let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "q.csv"]);
    assert!(code == 0 && out.contains("1243342143122134"), "{out}{err}");
    let (code, _, err) = hrm(&folder, &["eval", PACK, "--data", "q.csv"]);
    assert!(code == 1 && err.contains("q.csv has questions and no answers"), "{err}");
    assert!(err.contains("data import q.csv --solve"), "{err}");
    // A wrong answer is nothing to a solver.
    write(&folder, "w.csv", "question,answer\n1.....2..3.....4,1111111111111111\n");
    ok(&folder, &["solve", PACK, "--file", "w.csv"]);
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    for (args, input) in [
        (vec!["solve", PACK, "-"], &b"1.....2..3.....4\n"[..]),
        (vec!["solve", PACK], b"1.....2..3.....4\n"),
        (vec!["solve", PACK, "--file", "-"], b"question,answer\n1.....2..3.....4,1243342143122134\n"),
        (vec!["data", "import", "-", "--out", "o.csv"], b"1.....2..3.....4,1243342143122134\n"),
        (vec!["data", "stats", "-"], b"1.....2..3.....4,1243342143122134\n"),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hrm-host"))
            .args(&args)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn all_bad_rows_are_told_at_once() {
    let good = "1.....2..3.....4,1243342143122134";
    let bad = "1.....2..3.....4,1243342143122143";
    let mut text = format!("question,answer\n{good}\n{bad}\n{good},x\n1.....2..3....,{}\n", &good[17..]);
    text.extend(std::iter::repeat_n(format!("{bad}\n"), 20));
    let error = import(&text, &[]).unwrap_err();
    assert!(error.contains("line 3, column `answer`"), "{error}");
    assert!(error.contains("line 4: 3 fields where the header names 2"), "{error}");
    assert!(error.contains("line 5, column `question`: 16 characters expected and 14 found"), "{error}");
    assert!(error.contains("\n13 more of 24 rows are wrong"), "{error}");
}

#[test]
fn the_line_of_a_bad_row_is_told_whatever_ends_lines() {
    let (good, bad) = ("1.....2..3.....4,1243342143122134", "1.....2..3.....4,1243342143122143");
    for end in ["\n", "\r\n", "\n\n", "\r\n\r\n"] {
        // Spreadsheets leave rows without text.
        let text = ["question,answer", good, ",", bad, ",", ",", ""].join(end);
        let line = text[..text.find(bad).unwrap()].matches('\n').count() + 1;
        let error = import(&text, &[]).unwrap_err();
        assert!(error.contains(&format!("line {line}, column `answer`")), "{end:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(import(text.replace(bad, good), &[]).unwrap().len(), 2);
    }
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "q.csv", "question;answer\n1.....2..3.....4;\n;\n;\n");
    let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "q.csv"]);
    assert!(code == 0 && out.contains("1243342143122134") && !err.contains("of 3"), "{out}{err}");
}

#[test]
fn an_empty_row_or_a_heading_never_makes_another_puzzle() {
    let folder = tempfile::tempdir().unwrap();
    let solved = "1243342143122134";
    for (text, code) in [
        ("1,,,\n,,2,\n,3,,\n,,,4\n", 0),
        (";;;\n1;;3;4\n2;3;4;\n;4;1;\n;;;\n", 3),
        ("1,2,3,4\n1,,,\n,,2,\n,3,,\n,,,4\n", 0),
        ("  1 2 3 4\nA 1 . . .\nB . . 2 .\nC . 3 . .\nD . . . 4\n", 0),
    ] {
        write(&folder, "in.csv", text);
        let (found, out, err) = hrm(&folder, &["solve", PACK, "--file", "in.csv"]);
        assert!(found == code && out.contains(solved) == (code == 0), "{text}{out}{err}");
        assert_eq!(code != 0, format!("{out}{err}").contains("line 1: this row is empty"), "{out}{err}");
    }
}

#[test]
fn what_is_no_puzzle_is_told_by_every_command_that_reads_puzzles() {
    let folder = tempfile::tempdir().unwrap();
    let row = "1.....2..3.....4,1243342143122134\n";
    // Its first row is empty, and its puzzle has one solution; the answer follows.
    let edge = ",,,\n,,2,3\n1,,,\n3,,,4\n";
    let drawn = format!("{edge}\n2,3,4,1\n4,1,2,3\n1,4,3,2\n3,2,1,4\n");
    write(&folder, "w.txt", format!("{row}hello\n{row}hello\n{}\n{drawn}", row.repeat(8)));
    let arrays = "[[1,0,0,0],[0,0,2,0],[0,3,0,0],[0,0,0,4]]\n";
    write(&folder, "a.txt", format!("{arrays}hello\n{arrays}abc\n"));
    fs::copy(root().join("configs/sudoku4-demo.toml"), folder.path().join("demo.toml")).unwrap();
    for file in ["w.txt", "a.txt"] {
        for (command, whole) in [
            (&["solve", PACK, "--file", file][..], false),
            (&["data", "stats", file], false),
            (&["data", "import", file, "--solve", "--out", "o.csv", "--force"], false),
            (
                &[
                    "data",
                    "split",
                    file,
                    "--validation",
                    "1",
                    "--out-train",
                    "t.csv",
                    "--out-validation",
                    "v.csv",
                ],
                true,
            ),
            (&["data", "export", file, "--format", "hrm", "--out", "hrm"], true),
            (&["eval", PACK, "--data", file, "--rows", "1", "--hints", "0"], true),
            (&["eval", PACK, "--data", file, "--rows", "1", "--hints", "0", "--vote"], true),
            (&["analyze", PACK, "--data", file, "--rows", "1"], true),
            (
                &[
                    "train",
                    "--config",
                    "demo.toml",
                    "--data",
                    file,
                    "--out",
                    "run",
                    "--max-steps",
                    "1",
                    "--set",
                    "data.validation=0",
                ],
                true,
            ),
            (&["export", "run", "--out", "r.hrm", "--rows", "0"], true),
        ] {
            // Of questions alone some want answers.
            if file == "a.txt" && whole {
                continue;
            }
            let (_, out, err) = hrm(&folder, command);
            let told = "2 lines without a puzzle passed over; the first is line 2: \"hello\"";
            assert!(err.contains(told), "{command:?}: {out}{err}");
            let told = "w.txt: line 14 is empty and is read as the first row of a grid; if it is none";
            assert_eq!(err.contains(told), file == "w.txt", "{command:?}: {out}{err}");
        }
    }
    let (_, _, err) = hrm(&folder, &["solve", PACK, edge]);
    assert!(err.contains("puzzle 1: line 1 is empty and is read as the first row"), "{err}");
    let (_, _, err) = hrm(&folder, &["solve", PACK, "hello\n1.....2..3.....4"]);
    assert!(err.contains("puzzle 1: 1 line without a puzzle passed over"), "{err}");
}

#[test]
fn letters_as_long_as_a_puzzle_are_none_and_are_not_passed_over() {
    let row = "1.....2..3.....4,1243342143122134\n";
    let error = import(format!("{row}abcdefghijklmnop\n{row}"), &[]).unwrap_err();
    assert!(error.contains("line 2: there is no puzzle in \"abcdefghijklmnop\""), "{error}");
}

#[test]
fn a_file_of_nothing_that_can_be_seen_is_empty() {
    for bytes in [&b"\xef\xbb\xbf"[..], b"\xef\xbb\xbf\r\n", "\u{200b}\n\u{a0}".as_bytes()] {
        let error = import(bytes, &[]).unwrap_err();
        assert!(error.contains("in is empty"), "{error}");
    }
}

#[test]
fn grids_of_a_spreadsheet_are_read_wherever_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let solved = "1243342143122134";
    for text in [
        "C1,C2,C3,C4\n1,,,\n,,2,\n,3,,\n,,,4\n",
        "c0,c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,c14,c15\n1,0,0,0,0,0,2,0,0,3,0,0,0,0,0,4\n",
        "col1,col2,col3,col4\n1,,,\n,,2,\n,3,,\n,,,4\n",
        ",0,1,2,3\n0,1,,,\n1,,,2,\n2,,3,,\n3,,,,4\n",
        ",0,1,2,3\n0,1.0,,,\n1,,,2.0,\n2,,3.0,,\n3,,,,4.0\n",
        ",0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n0,1,0,0,0,0,0,2,0,0,3,0,0,0,0,0,4\n1,1,0,0,0,0,0,2,0,0,3,0,0,0,0,0,4\n",
        ",1,,,\n,,,2,\n,,3,,\n,,,,4\n",
        "1,,,,,1,,4,3\n,,2,,,3,,,1\n,3,,,,,3,,2\n,,,4,,,,,4\n",
        "1... 1.43\n..2. 3..1\n.3.. .3.2\n...4 ...4\n",
        "1 |  \n  |2 \n--+--\n 3|  \n  | 4\n",
        "1 |\n  |2\n--+--\n 3|\n  | 4\n",
    ] {
        write(&folder, "in.csv", text);
        let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "in.csv"]);
        assert!(code == 0 && out.contains(solved) && !out.contains("refused"), "{text}{out}{err}");
    }
    for text in ["1,,,,1,,3,4\n,,2,,3,,,1\n,3,,,,3,,2\n,,,4,,,,4\n", ",,,,\n,,,2,\n,,3,,\n,,,,4\n"] {
        write(&folder, "in.csv", text);
        let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "in.csv"]);
        assert!(
            code == 3 && out.contains("line 1: rows of ") && out.contains("one empty column"),
            "{out}{err}"
        );
    }
}

#[test]
fn advice_about_a_stream_is_none_for_files() {
    let folder = tempfile::tempdir().unwrap();
    let said = |args: &[&str], input: &[u8]| {
        let mut child = crate::common::command(folder.path(), args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        crate::common::said(child.wait_with_output().unwrap()).2
    };
    let import = ["data", "import", "-", "--out", "o.csv"];
    let err = said(&import, b"1.....2..3.....4\n");
    assert!(err.contains("data import - --solve"), "{err}");
    let err = said(&import, b"{\"quiz\": \"1.....2..3.....4\"}");
    assert!(err.contains("[.quiz] | @csv' > NEW.csv"), "{err}");
    let err = said(&import, &gzip(Q.repeat(20).as_bytes())[..40]);
    assert!(err.contains("standard input is gzip") && !err.contains("download"), "{err}");
    let pack = fs::read(PACK).unwrap();
    let err = said(&["solve", "-", "1.....2..3.....4"], &pack[..5000]);
    assert!(err.contains("standard input: not a usable pack"), "{err}");
    let header = r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#;
    let cut = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 8]].concat();
    let err = said(&["eval", "-", "--data", "rows.csv"], &cut);
    assert!(err.contains("standard input is damaged") && !err.contains("beside it"), "{err}");
    let err = said(&["eval", "-", "--data", "rows.csv"], &cut[..30]);
    assert!(err.contains("at 30 of more than 63 bytes"), "{err}");
}

#[test]
fn gzip_is_unpacked_as_often_as_it_was_packed_and_zero_bytes_may_follow() {
    let text = format!("{Q},{A}\n");
    let once = gzip(text.as_bytes());
    let padded = [&once[..], &[0; 512]].concat();
    let expected = Ok(vec![format!(",{Q},{A},")]);
    for bytes in
        [gzip(&once), gzip(&gzip(&once)), padded.clone(), gzip(&padded), [&once[..], &[0; 3]].concat()]
    {
        assert_eq!(import(bytes, &[]), expected);
    }
    assert_eq!(import([&once[..], &once].concat(), &[]).unwrap().len(), 2);
    assert!(import([&once[..], b"rest"].concat(), &[]).unwrap_err().contains("gzip but damaged"));
}

/// As `cat a.csv b.csv` makes them.
#[test]
fn the_header_of_each_of_several_files_in_one_is_no_row() {
    let (q, a) = ("1.....2..3.....4", "1243342143122134");
    for text in [
        format!("puzzle,solution\n{q},{a}\n"),
        format!("source,question,answer,rating\nx,{q},{a},1\n"),
        format!("| puzzle | solution |\n|---|---|\n| `{q}` | `{a}` |\n"),
    ] {
        for joined in [text.repeat(2).into_bytes(), [gzip(text.as_bytes()), gzip(text.as_bytes())].concat()] {
            let rows = import(&joined, &[]).unwrap();
            assert!(
                rows.len() == 2 && rows[0] == rows[1] && rows[0].contains(&format!(",{q},{a},")),
                "{rows:?}"
            );
        }
    }
    let other = format!("puzzle,solution\n{q},{a}\nquestion,solution\n{q},{a}\n");
    assert!(import(other, &[]).unwrap_err().contains("line 3"));
}

#[test]
fn a_header_of_other_columns_within_a_table_is_told_once() {
    let (q, a) = ("1.....2..3.....4", "1243342143122134");
    let row = |names: &str| names.replace("puzzle", q).replace("solution", a).replace("clues", "4");
    for (first, second) in [
        ("puzzle,solution", "solution,puzzle"),
        ("puzzle;solution", "Solution;Puzzle"),
        ("puzzle,solution,clues", "clues,puzzle,solution"),
        ("puzzle,solution,clues", "solution,puzzle"),
        ("puzzle\tsolution", "solution\tpuzzle\tclues"),
    ] {
        let rows = |names: &str| format!("{}\n", row(&names.to_ascii_lowercase())).repeat(2);
        let text = format!("# mine\n{first}\n{}\n{second}\n{}", rows(first), rows(second));
        let error = import(&text, &[]).unwrap_err();
        let told = error.matches("line ").count();
        assert!(error.contains("line 6: a second header") && error.contains("in line 2,"), "{error}");
        assert!(told == 2, "{error}");
    }
    // Words in other columns are none.
    let text = format!("puzzle,source\n{q},puzzle\n{q},input\n");
    assert_eq!(import(text, &["--solve"]).unwrap().len(), 2);
}

#[test]
fn columns_that_may_each_be_the_question_are_refused() {
    let (one, other) = ("1.....2..3.....4", "..4......3.....4");
    for names in ["question,question", "question,puzzle", "Puzzle,board"] {
        let text = format!("{names},answer\n{one},{other},1243342143122134\n");
        let error = import(&text, &[]).unwrap_err();
        assert!(error.contains("line 1: `") && error.contains("--columns question=NAME"), "{error}");
    }
    let text = format!("question,puzzle,answer\n{other},{one},1243342143122134\n");
    let rows = import(&text, &["--columns", "question=puzzle"]);
    assert_eq!(rows, Ok(vec![format!(",{one},1243342143122134,")]));
}

#[test]
fn what_is_wrong_is_called_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let long = "1.....2..3.....4".repeat(10_000);
    for (text, reason) in [
        ("1.....2..3.....5", "character 16 is 5; the digits of a 4x4 are 1 to 4"),
        ("1_____2__3_____5", "character 16 is 5; the digits of a 4x4 are 1 to 4"),
        ("1.....2..3.....a", "character 16 is 'a'"),
        (&long[..], "a line or field of 160000 characters"),
        (
            "1 . . . | 1 2 4 3\n. . 2 . | 4 3 2 1\n",
            "8 cells, where a puzzle on one line has 16 and a row of a drawn grid 4",
        ),
    ] {
        write(&folder, "in.txt", text);
        let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "in.txt"]);
        assert!(code == 3 && format!("{out}{err}").contains(reason), "{out}{err}");
    }
    let answers = ["NULL", "None", "N/A", "-", "nan", ""];
    let rows = answers.map(|none| format!("1.....2..3.....4,{none}\n")).concat();
    let rows = import(format!("question,answer\n{rows}"), &["--solve"]).unwrap();
    assert_eq!(rows, vec![",1.....2..3.....4,1243342143122134,"; answers.len()]);
    // A grid drawn in the only column, and an array whose first row is empty.
    let text = "question\n\"1...\n..2.\n.3..\n...4\"\n";
    assert_eq!(import(text, &["--solve"]), Ok(vec![",1.....2..3.....4,1243342143122134,".to_owned()]));
    let text = r#"[["","","",""],["4","3","",""],["","","1",""],["","4","",""]]"#;
    assert_eq!(import(text, &["--solve"]), Ok(vec![",....43....1..4..,2143432132141432,".to_owned()]));
}

#[test]
fn a_6x6_puzzle_with_upright_boxes_is_told_which_boxes_are_meant() {
    let (question, answer) = ("....2.5...3.3..5.....4....26..2...1.", "463125516234324561631452152643245316");
    let error = import(format!("question,answer\n{question},{answer}\n"), &[]).unwrap_err();
    assert!(error.contains("2 rows x 3 columns") && error.contains("3 rows x 2 columns"), "{error}");
    // Turned, it fits.
    let turned = |grid: &str| -> String {
        (0..36).map(|cell| grid.as_bytes()[cell % 6 * 6 + cell / 6] as char).collect()
    };
    let (question, answer) = (turned(question), turned(answer));
    let rows = import(format!("question,answer\n{question},{answer}\n"), &[]);
    assert_eq!(rows, Ok(vec![format!(",{question},{answer},")]));
    // Without answers, and where no givens clash.
    let question = "...1..5...3.32..6.6...5.1..64..4....";
    let error = import(question, &["--solve"]).unwrap_err();
    assert!(error.contains("no solution; with boxes of 3 rows x 2 columns it has"), "{error}");
    assert_eq!(import(turned(question), &["--solve"]).unwrap().len(), 1);
}

#[test]
fn an_import_warns_of_puzzles_with_several_solutions() {
    let folder = tempfile::tempdir().unwrap();
    let two = ".....1..1.43.31.,2431312412434312";
    write(&folder, "two.csv", format!("question,answer\n1.....2..3.....4,1243342143122134\n{two}\n"));
    let (_, err) = ok(&folder, &["data", "import", "two.csv", "--out", "o.csv"]);
    assert!(
        err.contains("warning: 1 of 2 puzzles have more than one solution, the first in line 3"),
        "{err}"
    );
    let (code, _, err) = hrm(&folder, &["data", "import", "two.csv", "--out", "p.csv", "--check-unique"]);
    assert!(code != 0 && err.contains("line 3") && err.contains("3421213412434312"), "{err}");
    assert!(!folder.path().join("p.csv").exists());
}

#[test]
fn what_is_no_puzzle_file_is_named() {
    for (bytes, reason) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"[..], "git lfs pull"),
        (b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.csv", "a zip archive"),
        (
            b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0d\0\0\0rope/data.pkl",
            "a PyTorch file",
        ),
        (b"\xff\xfe1\0.\0.\0.\0", "iconv -f UTF-16LE"),
        (b"\xfe\xff\x001\0.\0.\0.", "iconv -f UTF-16BE"),
        (b"\xff\xfe\0\x001\0\0\0", "iconv -f UTF-32LE"),
        (b"\0\0\0\x31\0\0\0\x32\0\0\0\x33", "iconv -f UTF-32BE"),
        (b"\xfd7zXZ\0\0\x04", "xz -d"),
        (b"BZh91AY&SY", "bunzip2"),
        (b"\x28\xb5\x2f\xfd\x24", "zstd -d"),
        (b"PAR1\x15\x04", "a Parquet table"),
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b"%PDF-1.4\n", "a PDF document"),
        (b"{\\rtf1\\ansi 1.....2..3.....4}", "an RTF document, not a puzzle file; save it as plain text"),
        (b"\\documentclass{article}\n\\begin{sudoku}\n|1| | |2|.\n", "a LaTeX document"),
        (b"{\"puzzle\": \"1\"}", "a JSON file"),
        (b"HRM\x1a\x01\0\0\0", "a pack"),
        (b"\n\n", "empty"),
        (b"Entry not found", "line 1 is \"Entry not found\""),
        (b"question,answer\n", "no puzzles"),
        (
            b"question,answer\n12,34\n",
            "line 2, column `question`: 2 characters; sudoku4 has 16, sudoku6 has 36",
        ),
        (b"question,answer\n7.00008E+80,7E+80\n", "a spreadsheet took for a number"),
    ] {
        for bytes in [bytes.to_vec(), gzip(bytes)] {
            let error = import(bytes, &[]).unwrap_err();
            assert!(error.contains(reason) && error.contains("in"), "{reason}: {error}");
        }
    }
    let error = import(&gzip(Q.repeat(20).as_bytes())[..40], &[]).unwrap_err();
    assert!(error.contains("gzip but damaged"), "{error}");
}

#[test]
fn what_is_no_model_is_named_wherever_one_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "rows.csv", "question,answer\n1.....2..3.....4,1243342143122134\n");
    let header = r#"{"a":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}}"#;
    let other = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 8]].concat();
    for (bytes, reason) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"[..], "a Git LFS pointer"),
        (
            b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0d\0\0\0rope/data.pkl",
            "a PyTorch file",
        ),
        (b"\x1f\x8b\x08\0", "compressed with gzip"),
        (&other, "a safetensors file"),
    ] {
        write(&folder, "model", bytes);
        for command in [
            "eval model --data rows.csv",
            "analyze model --data rows.csv",
            "solve model 1.....2..3.....4",
            "inspect model",
            "train --from model --data rows.csv --out run",
            "export model --out x.hrm",
        ] {
            let (code, _, err) = hrm(&folder, &words(command));
            assert!(code == 1 && err.contains(reason) && !err.contains("damaged"), "{command}: {err}");
        }
    }
}

#[test]
fn an_answer_that_moved_into_the_place_of_its_question_is_no_puzzle() {
    let folder = tempfile::tempdir().unwrap();
    let (one, solved) = ("1.....2..3.....4", "1243342143122134");
    for row in [format!("{one},{solved}"), format!("7,{solved}")] {
        write(&folder, "t.csv", format!("id,question,answer\n{row}\n8,{one},{solved}\n"));
        let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "t.csv"]);
        assert!(code == 3 && out.contains("line 2: 2 fields where the header names 3"), "{out}{err}");
    }
    // A comma too many.
    write(&folder, "t.csv", format!("answer,question\nb,{one},{solved}\nx,{solved},{one}\n"));
    let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "t.csv"]);
    assert!(code == 3 && out.contains("line 3: 3 fields where the header names 2"), "{out}{err}");
    // A database's table.
    let text = format!(" id | puzzle | solution \n----+----+----\n 1 | {one} | {solved}\n(1 row)\n");
    assert_eq!(import(text, &[]), Ok(vec![format!(",{one},{solved},")]));
    // Titles of grids beside each other are no names of columns.
    let rows = "1,,,,,1,2,4,3\n,,2,,,3,4,2,1\n,3,,,,4,3,1,2\n,,,4,,2,1,3,4\n";
    assert_eq!(import(format!("Puzzle,,,,,Solution\n{rows}"), &[]).map(|rows| rows.len()), Ok(1));
}

#[test]
fn a_quotation_mark_that_is_never_closed_swallows_no_rows() {
    let (one, solved) = ("1.....2..3.....4", "1243342143122134");
    for open in [0, 1] {
        for (delimiter, close) in [(',', ""), ('\t', ""), (',', "\"")] {
            let row = |quote: &str| format!("{one},{solved},{quote}easy");
            let rows: Vec<String> = (0..4).map(|at| row(if at == open { "\"" } else { "" })).collect();
            let text = format!("question,answer,comment\n{}{close}\n", rows.join("\n"))
                .replace(',', &delimiter.to_string());
            let told = import(text.clone(), &[]).unwrap_err();
            assert!(
                told.contains(&format!("line {}: rows of puzzles stand within one field", open + 2)),
                "{text}\n{told}"
            );
        }
    }
    // The header's last one.
    let rows = format!("\"1\",\"{one}\",\"{solved}\"\n\"2\",\"{one}\",\"{solved}\"\n");
    let told = import(format!("\"id\",\"question\",\"answer\n{rows}"), &[]).unwrap_err();
    assert!(told.contains("line 1: rows of puzzles stand within one field"), "{told}");
    // Two lines that became one.
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "joined.csv", format!("question,answer\n{one},{solved} {one},{solved}\n"));
    let (code, out, _) = hrm(&folder, &["solve", PACK, "--file", "joined.csv"]);
    assert!(code == 3 && out.contains("3 fields where the header names 2"), "{code} {out}");
    // Text of several lines may be quoted.
    let text = format!("question,answer,comment\n{one},{solved},\"easy,\nand 1.2, 3.4\"\n{one},{solved},\n");
    assert_eq!(import(text, &[]).map(|rows| rows.len()), Ok(2));
}

#[test]
fn a_second_puzzle_on_a_line_is_refused_and_not_dropped() {
    const FOUR: [&str; 2] = ["....43...1....3.", ".....2...3...1.."];
    let (q, r, complete) = (FOUR[0], FOUR[1], "1243431231242431");
    let folder = tempfile::tempdir().unwrap();
    for line in [
        format!("{q} {r}"),
        format!("{q},{r}"),
        format!("{r}\t{q}\t{r}"),
        format!("{q}\x0c{r}"),
        format!("{q}\u{2028}{r}"),
        format!("{complete},{q}"),
        format!("{q},{complete},{r}"),
        format!("1000000000000001,{q}"),
    ] {
        write(&folder, "list.txt", format!("{line}\n{r}\n"));
        let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "list.txt"]);
        assert!(
            code != 0 && out.contains("refused: list.txt, line 1: more than one puzzle"),
            "{line:?}: {out}{err}"
        );
        let err = import(format!("{line}\n"), &["--solve"]).unwrap_err();
        assert!(err.contains("line 1") && err.contains("more than one puzzle"), "{line:?}: {err}");
    }
    write(&folder, "list.txt", format!("{q},{complete},3\n"));
    ok(&folder, &["solve", PACK, "--file", "list.txt"]);
}

#[test]
fn a_letter_in_a_sheets_first_cell_is_no_label() {
    let rows: Vec<String> =
        folded(Q).iter().map(|row| row.chars().map(String::from).collect::<Vec<_>>().join(",")).collect();
    let plain = rows.join("\n");
    let expected = import(format!("{plain}\n"), &["--solve"]).unwrap();
    for (from, to) in [("7,", "B,"), ("7,", "l,"), ("7,", "R1,")] {
        let err = import(plain.replacen(from, to, 1), &["--solve"]).unwrap_err();
        assert!(err.contains("line 1"), "{to}: {err}");
    }
    // Labels in a column of their own are read.
    let labelled: Vec<String> = ('A'..='I').zip(&rows).map(|(label, row)| format!("{label},{row}")).collect();
    assert_eq!(import(labelled.join("\n"), &["--solve"]).unwrap(), expected);
}

#[test]
fn a_shortened_printout_is_refused() {
    let rows = "[[0 5 3 ... 0 0 2]\n [0 1 2 ... 0 0 4]\n [0 0 0 ... 3 0 0]\n ...\n [1 0 0 ... 0 0 0]\n [0 0 0 ... 2 0 0]\n [0 0 1 ... 0 0 0]]\n";
    let list = format!("['{Q}' '{Q}' ... '{Q}']\n");
    for text in [rows, &list] {
        let err = import(text, &["--solve"]).unwrap_err();
        assert!(err.contains("leaves out"), "{err}");
    }
}

#[test]
fn spaces_between_the_cells_of_a_maze_are_no_cells() {
    let close = import("S.G##\n#####\n#####\n", &["--solve"]);
    assert_eq!(close.as_ref().map(Vec::len), Ok(1));
    for task in [&["--solve"][..], &["--solve", "--task", "maze3x5"]] {
        assert_eq!(import("S . G # #\n# # # # #\n# # # # #\n", task), close);
    }
}

#[test]
fn a_puzzle_without_one_solution_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let several = "has several solutions; if it should have one, look whether a cell or a line was lost";
    // A sheet with a row of commas alone; a list with such a puzzle, and with one that has no answer.
    for (name, text, told) in [
        ("sheet", "1,2,,\n3,4,,\n,,,\n,,,1\n", vec![format!("note: sheet, line 1: this puzzle {several}")]),
        ("proper", "12.33.2.2.1...3.\n", vec![]),
        (
            "list",
            "1234341221434321\n12..............\n123....4........\n................\n",
            vec![
                "note: list, line 3: 1 of 4 puzzles has no solution; ".into(),
                "note: list, line 2: the first of 2 of 4 puzzles that have several solutions; ".into(),
            ],
        ),
    ] {
        write(&folder, name, text);
        let (_, _, err) = hrm(&folder, &["solve", PACK, "--file", name, "--guesses", "1"]);
        let notes: Vec<&str> = err.lines().filter(|line| line.starts_with("note: ")).collect();
        assert_eq!(notes.len(), told.len(), "{name}: {err}");
        assert!(notes.iter().zip(&told).all(|(note, told)| note.starts_with(told.as_str())), "{name}: {err}");
    }
    // A row is lost above the last line, and the empty one in its place.
    write(&folder, "lost", "1,2,,\n3,4,,\n,,,1\n,,,\n");
    let (code, out, err) = hrm(&folder, &["solve", PACK, "--file", "lost", "--guesses", "1"]);
    assert!(code == 3 && out.contains("refused: lost, line 4: this row is empty"), "{out}{err}");
    let measured = ["eval", PACK, "--data", "lost"];
    for args in [&["data", "import", "lost", "--out", "-"][..], &["data", "stats", "lost"], &measured] {
        let (code, _, err) = hrm(&folder, args);
        assert!(code == 1 && err.contains("lost, line 4: this row is empty"), "{args:?}: {err}");
    }
}
