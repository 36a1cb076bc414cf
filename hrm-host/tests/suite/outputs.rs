//! What a command writes: where, over what, and what it leaves alone.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::common::{CONFIG, command, everything, hrm, misused, ok, refused, said, words};

/// Puzzles, and what they say of themselves.
const HEADER: &str = "source,question,answer,rating\n";
const MINE: &str = "source,question,answer,rating\nmine,1.....2..3.....4,1243342143122134,0\n";

/// A folder with `rows.csv`, `tiny.toml` and, where `trained`, the run `run`.
fn folder(trained: bool) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), CONFIG).unwrap();
    let made = ["data", "generate", "--task", "sudoku4", "--count", "40", "--out", "rows.csv"];
    ok(dir.path(), &made);
    if trained {
        ok(dir.path(), &["train", "--config", "tiny.toml", "--out", "run"]);
    }
    dir
}

#[test]
fn what_this_command_did_not_make_is_not_replaced_and_neither_is_what_lies_beside_it() {
    let dir = folder(true);
    let at = dir.path();
    fs::create_dir(at.join("pictures")).unwrap();
    fs::create_dir(at.join("demo")).unwrap();
    fs::create_dir(at.join("project")).unwrap();
    for (name, text) in [
        ("train.csv", MINE),
        ("notes.csv", "date,weight\n"),
        ("logo.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("README.md", "# My project\n"),
        ("thesis.hrm", "no pack"),
        ("pictures/landscapes.csv", "lat,lon\n"),
        ("demo/config.toml", "[package]\n"),
        ("project/config.toml", CONFIG),
    ] {
        fs::write(at.join(name), text).unwrap();
    }
    let analyze = ["analyze", "run", "--data", "rows.csv", "--rows", "5", "--out", "pictures"];
    for (args, named) in [
        (&["curves", "run", "--out", "train.svg"][..], "train.csv is there already"),
        (&["curves", "run", "--out", "logo.svg"], "logo.svg is there already"),
        (&["export", "run", "--out", "README.hrm"], "README.md is there already"),
        (&["export", "run", "--out", "thesis.hrm"], "thesis.hrm is there already and is not an earlier pack"),
        (&["data", "import", "rows.csv", "--out", "notes.csv"], "notes.csv is there already"),
        // Puzzles that can be made again are replaced, but not somebody's own.
        (&["data", "import", "rows.csv", "--out", "train.csv"], "train.csv is there already"),
        (
            &["data", "generate", "--task", "sudoku4", "--count", "2", "--out", "train.csv"],
            "train.csv is there",
        ),
        (
            &words("data split rows.csv --validation 5 --out-train new.csv --out-validation notes.csv"),
            "notes.csv is there already",
        ),
        (&analyze, "landscapes.csv is there already"),
    ] {
        refused(at, args, named);
        refused(at, args, "--force");
    }
    // A card that somebody has written on is theirs.
    ok(at, &["export", "run", "--out", "mine.hrm"]);
    let card = fs::read_to_string(at.join("mine.md")).unwrap();
    fs::write(at.join("mine.md"), format!("{card}\n\nTrained for Ada.\n")).unwrap();
    refused(at, &["export", "run", "--out", "mine.hrm"], "mine.md is there already");
    fs::write(at.join("mine.md"), card).unwrap();

    refused(at, &["demo", "--out", "demo"], "config.toml is there already");
    refused(at, &["train", "--config", "project/config.toml", "--out", "project"], "project is not empty");

    // Who says so has it replaced.
    let (code, _, err) = hrm(at, &["curves", "run", "--out", "train.svg", "--force"]);
    assert!(code == 0 && fs::read_to_string(at.join("train.csv")).unwrap().starts_with("run,kind"), "{err}");
    ok(at, &[&analyze[..], &["--force"]].concat());
    // What the same commands wrote before needs no such word.
    for args in [&["curves", "run", "--out", "train.svg"][..], &analyze] {
        ok(at, args);
    }
    for _ in 0..2 {
        ok(at, &["export", "run", "--out", "mine.hrm"]);
    }
    ok(at, &["data", "import", "rows.csv", "--out", "copy.csv"]);
    ok(at, &["data", "import", "rows.csv", "--out", "copy.csv"]);
}

#[test]
fn what_is_read_is_not_overwritten_whatever_it_is_called() {
    let dir = folder(true);
    let at = dir.path();
    symlink("rows.csv", at.join("link.csv")).unwrap();
    fs::hard_link(at.join("rows.csv"), at.join("hard.csv")).unwrap();
    let absolute = at.join("rows.csv").display().to_string();
    for name in ["rows.csv", "./rows.csv", "run/../rows.csv", "link.csv", "hard.csv", &absolute] {
        for force in [&[][..], &["--force"]] {
            let import = [&["data", "import", "rows.csv", "--out", name], force].concat();
            refused(at, &import, "it is what this command reads (rows.csv)");
            let split = ["data", "split", "link.csv", "--validation", "5", "--out-train", name];
            let split = [&split[..], &["--out-validation", "v.csv"], force].concat();
            refused(at, &split, "it is what this command reads (link.csv)");
        }
    }
    let export = ["export", "run", "--data", "hard.csv", "--out", "rows.csv", "--force"];
    refused(at, &export, "it is what this command reads (hard.csv)");
    let checkpoint = "run/step-00000012.safetensors";
    refused(at, &["export", checkpoint, "--out", checkpoint, "--force"], "it is what this command reads");
}

#[test]
fn two_outputs_are_two_files() {
    let dir = folder(true);
    let at = dir.path();
    fs::write(at.join("a.csv"), "").unwrap();
    symlink("a.csv", at.join("link.csv")).unwrap();
    symlink("new.csv", at.join("dangling.csv")).unwrap();
    fs::hard_link(at.join("a.csv"), at.join("hard.csv")).unwrap();
    for (one, other) in [
        ("a.csv", "./a.csv"),
        ("a.csv", "link.csv"),
        ("hard.csv", "a.csv"),
        ("new.csv", "./new.csv"),
        ("new.csv", "dangling.csv"),
        ("-", "-"),
    ] {
        let split = ["data", "split", "rows.csv", "--validation", "5", "--out-train", one];
        refused(at, &[&split[..], &["--out-validation", other]].concat(), "are the same file");
    }
}

#[test]
fn a_folder_that_is_missing_is_named_before_there_is_anything_to_lose() {
    let dir = folder(true);
    let at = dir.path();
    // Making so many would take for ever.
    let generate = ["data", "generate", "--task", "sudoku9", "--count", "1000000000", "--out"];
    refused(at, &[&generate[..], &["nodir/g.csv"]].concat(), "there is no folder nodir");
    refused(at, &[&generate[..], &["rows.csv/g.csv"]].concat(), "rows.csv/g.csv");
    refused(at, &[&generate[..], &["run"]].concat(), "run: it is a folder");
    refused(at, &[&generate[..], &["new/"]].concat(), "there is no folder new/");
    refused(
        at,
        &["export", "run", "--out", "nodir/p.hrm", "--data", "missing.csv"],
        "there is no folder nodir",
    );
    refused(at, &["curves", "run", "--out", "nodir/c.svg"], "there is no folder nodir");
    refused(
        at,
        &["train", "--config", "tiny.toml", "--data", "rows.csv", "--out", "rows.csv/run"],
        "rows.csv",
    );
    refused(at, &["analyze", "run", "--data", "missing.csv", "--out", "rows.csv"], "rows.csv");
    for args in
        [&["train", "--config", "tiny.toml"][..], &["analyze", "run", "--data", "rows.csv"], &["demo"]]
    {
        refused(at, &[args, &["--out", "-"]].concat(), "only single files go to standard output");
    }
    // As long a name as the system takes is none too long.
    let long = format!("{}.csv", "n".repeat(251));
    ok(at, &["data", "import", "rows.csv", "--out", &long]);
}

#[test]
fn a_link_stays_a_link_and_a_mode_a_mode() {
    let dir = folder(false);
    let at = dir.path();
    fs::create_dir(at.join("store")).unwrap();
    fs::write(at.join("store/a.csv"), "").unwrap();
    fs::set_permissions(at.join("store/a.csv"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("store/a.csv", at.join("a.csv")).unwrap();
    symlink("store/new.csv", at.join("new.csv")).unwrap();
    for name in ["a.csv", "new.csv"] {
        ok(at, &["data", "import", "rows.csv", "--out", name]);
        assert!(at.join(name).is_symlink());
        assert_eq!(fs::read(at.join("store").join(name)).unwrap(), fs::read(at.join("rows.csv")).unwrap());
    }
    assert_eq!(fs::metadata(at.join("store/a.csv")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(at.join("store")).unwrap().count(), 2, "no litter");

    fs::set_permissions(at.join("store/a.csv"), fs::Permissions::from_mode(0o444)).unwrap();
    let import = ["data", "import", "rows.csv", "--out", "a.csv"];
    refused(at, &import, "a.csv is write-protected");
    ok(at, &[&import[..], &["--force"]].concat());
    assert_eq!(fs::metadata(at.join("store/a.csv")).unwrap().permissions().mode() & 0o777, 0o444);
}

#[test]
fn what_is_no_regular_file_is_written_to_and_stays() {
    let dir = folder(true);
    let at = dir.path();
    assert!(Command::new("mkfifo").arg(at.join("fifo")).status().unwrap().success());
    for (args, start) in [
        (&["data", "import", "rows.csv", "--out", "fifo"][..], HEADER.as_bytes()),
        (&["export", "run", "--out", "fifo"], b"HRM\x1a"),
    ] {
        let mut reader = Command::new("timeout");
        let reader =
            reader.args(["60", "cat", "fifo"]).current_dir(at).stdout(Stdio::piped()).spawn().unwrap();
        ok(at, args);
        assert!(fs::metadata(at.join("fifo")).unwrap().file_type().is_fifo());
        assert!(reader.wait_with_output().unwrap().stdout.starts_with(start), "the reader gets it all");
    }
    assert!(!at.join("fifo.md").exists(), "nothing lies beside a FIFO");

    // A device of our own, where we may make one: nothing happens to the system's.
    let made = Command::new("mknod").args(["null", "c", "1", "3"]).current_dir(at).status();
    if made.is_ok_and(|status| status.success()) {
        ok(at, &["data", "import", "rows.csv", "--out", "null"]);
        assert!(fs::metadata(at.join("null")).unwrap().file_type().is_char_device());
    }
}

#[test]
fn a_hyphen_is_standard_output() {
    let dir = folder(true);
    let at = dir.path();
    let rows = fs::read_to_string(at.join("rows.csv")).unwrap();
    symlink("/dev/stdout", at.join("out")).unwrap();
    for name in ["-", "out"] {
        let (code, out, err) = hrm(at, &["data", "import", "rows.csv", "--out", name]);
        assert!(code == 0 && out == rows, "{name}: {err}");
        let made = ["data", "generate", "--task", "sudoku4", "--count", "40", "--out", name];
        assert_eq!(hrm(at, &made).1, rows);
        let split = ["data", "split", "rows.csv", "--validation", "5", "--out-train", "t.csv"];
        let (code, out, err) = hrm(at, &[&split[..], &["--out-validation", name]].concat());
        assert!(code == 0 && out.lines().count() == 6, "{name}: {err}");
        let pack = command(at, &["export", "run", "--out", name]).output().unwrap();
        assert_eq!(pack.stdout[..4], *b"HRM\x1a");
        fs::write(at.join("got.hrm"), pack.stdout).unwrap();
        let (code, _, err) = hrm(at, &["inspect", "got.hrm"]);
        assert_eq!(code, 0, "all of the pack and nothing else: {err}");
    }
    assert!(!at.join("-").exists() && !at.join("-.md").exists() && at.join("out").is_symlink());

    // Where standard output is a file, what stands in it stays.
    fs::write(at.join("log"), "before\n").unwrap();
    let log = fs::OpenOptions::new().append(true).open(at.join("log")).unwrap();
    let status = command(at, &["data", "import", "rows.csv", "--out", "out"]).stdout(log).status().unwrap();
    assert!(status.success());
    assert_eq!(fs::read_to_string(at.join("log")).unwrap(), format!("before\n{rows}"));
}

#[test]
fn a_full_disk_leaves_everything_that_was_there() {
    let dir = folder(true);
    let at = dir.path();
    for (name, start) in [("t.csv", ""), ("v.csv", ""), ("p.hrm", ""), ("p.md", "")] {
        fs::write(at.join(name), start).unwrap();
    }
    let many = ["data", "generate", "--task", "sudoku4", "--count", "400", "--out", "many.csv"];
    ok(at, &many);
    let before = everything(at);
    // No file may grow beyond 2 KiB: enough for the small half of a split.
    let split = words("data split many.csv --validation 5 --out-validation v.csv --out-train t.csv");
    for args in [&split[..], &["export", "run", "--out", "p.hrm"]] {
        let program = command(at, args);
        let mut limited = Command::new("bash");
        limited.args(["-c", "ulimit -f 2; exec \"$0\" \"$@\""]).arg(program.get_program());
        let (code, _, err) = said(limited.args(program.get_args()).current_dir(at).output().unwrap());
        assert!(code == 1 && err.contains("cannot write") && err.contains("no file was changed"), "{err}");
        assert!(everything(at) == before, "{args:?}");
    }
}

#[test]
fn a_file_is_what_its_name_says() {
    let dir = folder(true);
    let at = dir.path();
    let split = "data split rows.csv --validation 5 --out-train t.csv --out-validation v.zip";
    for line in
        ["data import rows.csv --out p.xlsx", "data generate --task sudoku4 --count 1 --out g.tgz", split]
    {
        misused(at, &words(line), "what is written is CSV");
    }
    for line in ["export run --out pack.md", "export run --out PACK.MD", "export run --out pack.SVG"] {
        misused(at, &words(line), "what is written is a pack, and .");
    }
    misused(
        at,
        &words("report run --data rows.csv --out r.pdf"),
        ".pdf promises something else; name it .html",
    );
    for (name, is_gzip) in [("g.CSV.GZ", true), ("g.csv.gz", true), ("g.txt", false), ("g", false)] {
        ok(at, &["data", "import", "rows.csv", "--out", name]);
        assert_eq!(fs::read(at.join(name)).unwrap().starts_with(&[0x1f, 0x8b]), is_gzip, "{name}");
    }
}

#[test]
fn hard_puzzles_are_searched_near_others_and_apart_from_what_is_measured() {
    let dir = folder(false);
    let at = dir.path();
    let near = "data generate --task sudoku6 --count 20 --near a.csv --min-rating 2 --out b.csv";
    ok(at, &words("data generate --task sudoku6 --count 20 --out a.csv"));
    ok(at, &words(near));
    let rows = fs::read_to_string(at.join("b.csv")).unwrap();
    let ratings = rows.lines().skip(1).map(|row| row.rsplit(',').next().unwrap().parse::<u32>().unwrap());
    assert!(ratings.clone().count() == 20 && ratings.clone().all(|rating| rating >= 2), "{rows}");
    refused(at, &[&words(near)[..], &["--apart-from", "b.csv"]].concat(), "would be overwritten");
    refused(at, &words("data generate --task sudoku9 --count 1 --near a.csv --out c.csv"), "sudoku6");
    for wrong in ["--min-rating 2", "--apart-from a.csv", "--near a.csv --givens 12"] {
        let line = format!("data generate --task sudoku6 --count 1 --out c.csv {wrong}");
        assert_eq!(hrm(at, &words(&line)).0, 2, "{line}");
    }
}
