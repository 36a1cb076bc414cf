//! What a command may take for its own earlier output, and what it may not: whatever
//! somebody else has a part in.
#![cfg(unix)]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::common::{CONFIG, command, everything, generated, hrm, ok, refused, said, trained, words};

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    generated(dir.path(), "rows.csv", "40", "1");
    dir
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn what_somebody_has_added_makes_a_file_theirs() {
    let dir = folder();
    let at = dir.path();
    trained(at, "run", &[]);
    generated(at, "made.csv", "3000", "1");
    let generate = ["data", "generate", "--task", "sudoku4", "--count", "3000", "--out", "made.csv"];
    let import = ["data", "import", "rows.csv", "--out", "made.csv"];
    let split = ["data", "split", "rows.csv", "--validation", "5", "--out-train", "made.csv"];
    let split = [&split[..], &["--out-validation", "v.csv"]].concat();
    let curves = ["curves", "run", "--out", "curves.svg"];
    let analyze = ["analyze", "run", "--data", "rows.csv", "--rows", "2", "--out", "pictures"];
    for args in [&curves[..], &analyze] {
        ok(at, args);
        assert_eq!(hrm(at, args).0, 0, "what is its own is replaced");
    }
    let mine = "mine,1.....2..3.....4,1243342143122134,0\n";
    for (name, added, commands) in [
        ("made.csv", mine, &[&generate[..], &import, &split][..]),
        ("curves.csv", "my note\n", &[&curves]),
        ("curves.svg", "<!-- checked by Ada -->\n", &[&curves]),
        ("pictures/paths.csv", "0,my mode,1,9,0,\n", &[&analyze]),
        ("pictures/landscapes.csv", "\n# thesis, figure 3\n", &[&analyze]),
        ("pictures/landscapes.svg", "<!-- thesis, figure 3 -->", &[&analyze]),
    ] {
        let own = fs::read(at.join(name)).unwrap();
        append(&at.join(name), added);
        for args in commands {
            refused(at, args, &format!("{name} is there already"));
        }
        assert_eq!(hrm(at, &[commands[0], &["--force"]].concat()).0, 0, "{name}");
        assert!(!fs::read_to_string(at.join(name)).unwrap().ends_with(added));
        fs::write(at.join(name), own).unwrap();
        let (code, _, err) = hrm(at, commands[0]);
        assert_eq!(code, 0, "{name} is its own again: {err}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_somebody_has_changed_is_theirs_even_where_its_form_is_kept() {
    let dir = folder();
    let at = dir.path();
    trained(at, "run", &[]);
    let generate = ["data", "generate", "--task", "sudoku4", "--count", "5", "--out", "made.csv"];
    let import = ["data", "import", "rows.csv", "--out", "imported.csv.gz"];
    let split = words("data split rows.csv --validation 5 --out-train t.csv --out-validation v.csv");
    let curves = ["curves", "run", "--out", "curves.svg"];
    let analyze = ["analyze", "run", "--data", "rows.csv", "--rows", "2", "--out", "pictures"];
    let export = ["export", "run", "--out", "model.hrm", "--rows", "0"];
    let man = ["man", "man"];
    for (args, files) in [
        (&generate[..], &["made.csv"][..]),
        (&import, &["imported.csv.gz"]),
        (&split, &["t.csv", "v.csv"]),
        (&curves, &["curves.csv"]),
        (&analyze, &["pictures/paths.csv", "pictures/landscapes.csv"]),
        (&export, &["model.md"]),
        (&man, &["man/hrm-host-eval.1"]),
    ] {
        for _ in 0..2 {
            let (code, _, err) = hrm(at, args);
            assert_eq!(code, 0, "its own unedited output is replaced: {args:?}: {err}");
        }
        for name in files {
            let own = fs::read(at.join(name)).unwrap();
            let mut edited = own.clone();
            // A digit or a letter: whatever form there is, it stays.
            let place = edited.len() - edited.iter().rev().position(u8::is_ascii_alphanumeric).unwrap() - 1;
            edited[place] = if edited[place] == b'1' { b'2' } else { b'1' };
            fs::write(at.join(name), &edited).unwrap();
            refused(at, args, &format!("{name} is there already"));
            assert_eq!(fs::read(at.join(name)).unwrap(), edited);
            // So is one that lacks a line, and a copy.
            let shorter = own.iter().position(|byte| *byte == b'\n').map_or(own.len() / 2, |end| end + 1);
            fs::write(at.join(name), &own[..shorter]).unwrap();
            refused(at, args, &format!("{name} is there already"));
            fs::write(at.join("copy"), &own).unwrap();
            fs::rename(at.join("copy"), at.join(name)).unwrap();
            refused(at, args, "was not written here by this program as");
            refused(at, args, "or was copied or edited since; give another name, or replace it with --force");
            ok(at, &[args, &["--force"]].concat());
        }
    }
    // A command replaces what it has made itself, not what another one has.
    refused(
        at,
        &["data", "import", "rows.csv", "--out", "made.csv"],
        "not written here by this program as a file of imported puzzles",
    );
    refused(
        at,
        &["data", "generate", "--task", "sudoku4", "--count", "5", "--out", "t.csv"],
        "t.csv is there",
    );
}

#[test]
fn pictures_of_a_run_are_not_written_over_its_puzzles() {
    let dir = folder();
    let at = dir.path();
    fs::copy(at.join("rows.csv"), at.join("paths.csv")).unwrap();
    let of = |file: &str| format!("data.validation_from={file}");
    trained(at, "run", &["--data", "rows.csv", "--set", &of("paths.csv"), "--set", "data.validation=0"]);
    let before = fs::read(at.join("rows.csv")).unwrap();
    for args in [
        &["curves", "run", "--out", "rows.svg", "--force"][..],
        &["curves", "run/metrics.jsonl", "--out", "rows.svg", "--force"],
        &["curves", "run", "--out", "paths.svg", "--force"],
        &["analyze", "run", "--data", "rows.csv", "--rows", "1", "--out", ".", "--force"],
    ] {
        refused(at, args, "it is what this command reads");
    }
    assert_eq!(fs::read(at.join("rows.csv")).unwrap(), before);
}

#[test]
fn what_somebody_writes_while_a_command_works_is_not_replaced() {
    let dir = folder();
    let at = dir.path();
    let import = ["data", "import", "-", "--out", "late.csv"];
    let mut program = command(at, &import);
    let mut child =
        program.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than a pipe holds is taken only once the outputs have been looked at.
    let row = "mine,1.....2..3.....4,1243342143122134,0\n";
    input.write_all(format!("source,question,answer,rating\n{}", row.repeat(10_000)).as_bytes()).unwrap();
    fs::write(at.join("late.csv"), "theirs\n").unwrap();
    drop(input);
    let (code, _, err) = said(child.wait_with_output().unwrap());
    assert!(code == 1 && err.contains("late.csv: it was written by another program meanwhile"), "{err}");
    assert_eq!(fs::read_to_string(at.join("late.csv")).unwrap(), "theirs\n");
    let kept = err.rsplit("what was to be written is in ").next().unwrap().split(';').next().unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap().lines().count(), 10_001, "{err}");
}

#[test]
fn a_pack_is_replaced_by_later_ones_of_its_run_alone() {
    let dir = folder();
    let at = dir.path();
    trained(at, "a", &[]);
    trained(at, "b", &["--set", "train.seed=2"]);
    trained(at, "c", &["--set", "train.lr=5e-4"]);
    let export = |run| ["export", run, "--out", "model.hrm", "--rows", "0"];
    ok(at, &export("a"));
    let of_a = |more: [&'static str; 2]| [&export("a")[..], &more].concat();
    for args in [&export("b")[..], &export("c"), &of_a(["--lanes", "8"]), &of_a(["--segments", "9"])] {
        refused(at, args, "model.hrm is there already and is not an earlier pack of this run");
    }
    assert_eq!(hrm(at, &export("a")).0, 0, "the same again");
    // The run goes on, by the same configuration.
    let more = ["--set", "train.steps=1000"];
    trained(at, "d", &[&more[..], &["--max-steps", "6"]].concat());
    let export = ["export", "d", "--out", "d.hrm", "--rows", "0"];
    ok(at, &export);
    fs::copy(at.join("d/step-00000006.safetensors"), at.join("early.safetensors")).unwrap();
    ok(at, &["train", "--resume", "--out", "d", "--max-steps", "6"]);
    ok(at, &export);
    let early = ["export", "early.safetensors", "--out", "d.hrm", "--rows", "0"];
    refused(at, &early, "d.hrm is there already and is not an earlier pack of this run");
    ok(at, &[&early[..], &["--force"]].concat());
}

#[test]
fn the_files_of_a_run_are_written_by_training_alone() {
    let dir = folder();
    let at = dir.path();
    trained(at, "run", &[]);
    std::os::unix::fs::symlink("run/latest", at.join("link")).unwrap();
    let own = [
        "config.toml",
        "latest",
        "lock",
        "metrics.jsonl",
        "step-00000012.safetensors",
        "step-00000099.safetensors",
    ];
    let own: Vec<String> = own.iter().map(|name| format!("run/{name}")).chain(["link".into()]).collect();
    for name in &own {
        for args in [
            &["export", "run", "--out", name, "--force"][..],
            &["export", "run/step-00000012.safetensors", "--out", name, "--force"],
            &["data", "import", "rows.csv", "--out", name, "--force"],
            &["data", "generate", "--task", "sudoku4", "--count", "5", "--out", name, "--force"],
        ] {
            let before = everything(at);
            let (code, _, err) = hrm(at, args);
            let told = err.contains("which training alone writes") || err.contains("this command reads");
            assert!(code == 1 && told, "{args:?}: {err}");
            assert!(everything(at) == before, "{args:?}");
        }
    }
    // Others may lie there, and outside of a run the names are nobody's.
    for args in [["export", "run", "--out", "run/model.hrm"], ["export", "run", "--out", "latest"]] {
        ok(at, &args);
    }
    assert_eq!(hrm(at, &["train", "--resume", "--out", "run", "--finish-in", "1"]).0, 0, "the run is intact");
}

#[test]
fn a_file_behind_standard_input_or_output_is_known_by_its_name_as_well() {
    let dir = folder();
    let at = dir.path();
    let rows = fs::read(at.join("rows.csv")).unwrap();
    let append = || OpenOptions::new().append(true).open(at.join("rows.csv")).unwrap();
    let import = command(at, &["data", "import", "rows.csv", "--out", "-"]).stdout(append()).output();
    let (code, _, err) = said(import.unwrap());
    assert!(code == 1 && err.contains("standard output would be overwritten"), "{err}");
    let import = command(at, &["data", "import", "-", "--out", "rows.csv"])
        .stdin(File::open(at.join("rows.csv")).unwrap())
        .output();
    let (code, _, err) = said(import.unwrap());
    assert!(code == 1 && err.contains("it is what this command reads (standard input)"), "{err}");
    let split =
        ["data", "split", "rows.csv", "--validation", "5", "--out-train", "-", "--out-validation", "v.csv"];
    let (code, _, err) =
        said(command(at, &split).stdout(File::create(at.join("v.csv")).unwrap()).output().unwrap());
    assert!(code == 1 && err.contains("are the same file"), "{err}");
    assert_eq!(fs::read(at.join("rows.csv")).unwrap(), rows);
}

#[test]
fn what_somebody_has_changed_in_a_run_s_configuration_is_obeyed_or_refused_and_stays() {
    let dir = folder();
    let at = dir.path();
    trained(at, "run", &[]);
    let path = at.join("run/config.toml");
    let own = fs::read_to_string(&path).unwrap();
    let resume = ["train", "--resume", "--out", "run", "--max-steps", "1"];
    let changed = |from: &str, to: &str| {
        let text = own.replacen(from, to, 1);
        assert_ne!(text, own, "{from}");
        fs::write(&path, text).unwrap();
    };

    changed("[train]", "[train");
    refused(at, &resume, "run/config.toml");
    refused(at, &resume, "or delete it to go on");
    changed("width = 16", "width = 32");
    refused(at, &resume, "model.width");
    changed("steps = 12", "# One more, to see the rate.\nsteps = 13");
    refused(at, &[&resume[..], &["--config", "tiny.toml"]].concat(), "run/config.toml was changed");
    let edited = fs::read_to_string(&path).unwrap();
    let (code, _, err) = hrm(at, &resume);
    assert!(code == 0 && err.contains("going on with its train.steps"), "{err}");
    assert!(at.join("run/step-00000013.safetensors").exists(), "{err}");
    assert_eq!(fs::read_to_string(&path).unwrap(), edited, "with its comment");
    let (code, _, err) = hrm(at, &[&resume[..], &["--set", "train.steps=14"]].concat());
    assert!(code == 0 && !err.contains("was changed"), "the checkpoint says the same now: {err}");
    fs::remove_file(&path).unwrap();
    ok(at, &[&resume[..], &["--set", "train.steps=15"]].concat());
    assert!(fs::read_to_string(&path).unwrap().contains("steps = 15"));
}

#[test]
fn advice_names_what_there_is() {
    let dir = folder();
    let at = dir.path();
    trained(at, "run", &["--set", "train.keep=1"]);
    trained(at, "other", &[]);
    refused(at, &["export", "run", "other", "--out", "both.hrm"], "name them (run/step-*.safetensors)");
    fs::write(at.join("tiny.toml"), CONFIG).unwrap();

    let lock = File::open(at.join("other/lock")).unwrap();
    lock.lock().unwrap();
    for resume in [&["--resume"][..], &["--config", "tiny.toml"]] {
        refused(at, &[&["train", "--out", "other"], resume].concat(), "another process is training in other");
    }
    drop(lock);

    // The only checkpoint is torn.
    let name = "run/step-00000012.safetensors";
    let bytes = fs::read(at.join(name)).unwrap();
    fs::write(at.join(name), &bytes[..bytes.len() / 2]).unwrap();
    for args in [
        &["export", "run", "--out", "torn.hrm"][..],
        &["eval", name, "--data", "rows.csv"],
        &["eval", "run", "--data", "rows.csv"],
        &["train", "--resume", "--out", "run"],
    ] {
        let (code, _, err) = hrm(at, args);
        assert!(code == 1 && err.contains("damaged") && err.contains("train anew"), "{args:?}: {err}");
        assert!(!err.contains("earlier checkpoint") && !err.contains("the same run has"), "{args:?}: {err}");
    }
    fs::write(at.join("run/step-00000006.safetensors"), bytes).unwrap();
    refused(at, &["eval", name, "--data", "rows.csv"], "the same run has run/step-00000006.safetensors");

    let metrics = File::open(at.join("other/metrics.jsonl")).unwrap();
    let (code, _, err) =
        said(command(at, &["curves", "-", "--out", "c.svg"]).stdin(metrics).output().unwrap());
    assert_eq!(code, 0, "{err}");
}

#[test]
fn limits_that_mean_nothing_are_no_command_line() {
    let dir = tempfile::tempdir().unwrap();
    for (option, values) in [
        ("--tolerance", &["nan", "inf", "-1", "101", "much"][..]),
        ("--least-cosine", &["nan", "-1", "2", "inf"]),
        ("--least-cells", &["nan", "-1", "101"]),
        ("--least-weights", &["nan", "-inf", "101"]),
    ] {
        for value in values {
            let limit = format!("{option}={value}");
            let verify = ["verify", "a.hrm", "--checkpoint", "run", "--data", "rows.csv", &limit];
            let (code, _, err) = hrm(dir.path(), &verify);
            assert!(
                code == 2 && err.contains(option) && err.contains("give a number from 0 to"),
                "{limit}: {err}"
            );
        }
    }
}

#[test]
fn messages_name_the_folder_that_a_link_leads_into() {
    let dir = folder();
    let at = dir.path();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, at.join(name)).unwrap();
    link("nowhere/a.csv", "a.csv");
    link("gone", "pictures");
    fs::create_dir(at.join("store")).unwrap();
    link("store/b.csv/c.csv", "c.csv");
    fs::write(at.join("store/b.csv"), "").unwrap();
    refused(at, &["data", "import", "rows.csv", "--out", "a.csv"], "nowhere; make it first");
    refused(at, &["data", "import", "rows.csv", "--out", "pictures/d.csv"], "there is no folder ./gone");
    refused(at, &["data", "import", "rows.csv", "--out", "c.csv"], "cannot write c.csv: Not a directory");
    for name in ["pictures", "pictures/new"] {
        let analyze = ["analyze", "model.hrm", "--data", "rows.csv", "--out", name];
        refused(at, &analyze, "the folder pictures: it is a link to gone, which is not there");
    }
}

/// Runs `args` as another user, where these tests may.
fn as_another_user(folder: &Path, args: &[&str]) -> Option<(i32, String, String)> {
    const NOBODY: &str = "65534";
    let program = command(folder, args);
    let mut other = std::process::Command::new("setpriv");
    other
        .args(["--reuid", NOBODY, "--clear-groups"])
        .arg(program.get_program())
        .args(args)
        .current_dir(folder);
    let output = other.output().ok()?;
    // Not root, or the program lies where others may not look.
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    (!message.starts_with("setpriv")).then(|| said(output))
}

#[test]
fn what_only_its_owner_may_replace_is_named_before_any_work() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder();
    let at = dir.path();
    let mode =
        |name: &str, mode| fs::set_permissions(at.join(name), fs::Permissions::from_mode(mode)).unwrap();
    fs::create_dir(at.join("shared")).unwrap();
    fs::create_dir(at.join("closed")).unwrap();
    generated(at, "shared/rows.csv", "5", "1");
    std::os::unix::fs::symlink("closed/new.csv", at.join("new.csv")).unwrap();
    for (name, bits) in [(".", 0o777), ("shared", 0o1777), ("closed", 0o755), ("shared/rows.csv", 0o666)] {
        mode(name, bits);
    }
    // Making so many would take for ever.
    let generate = ["data", "generate", "--task", "sudoku9", "--count", "1000000000", "--out"];
    for more in [&[][..], &["--force"]] {
        let Some((code, _, err)) = as_another_user(at, &[&generate[..], &["shared/rows.csv"], more].concat())
        else {
            return;
        };
        assert!(code == 1 && err.contains("belongs to another user"), "{err}");
        assert!(err.contains("in the folder shared only"), "{err}");
    }
    let (code, _, err) = as_another_user(at, &[&generate[..], &["new.csv"]].concat()).unwrap();
    assert!(
        code == 1 && err.contains("cannot write into the folder ") && err.contains("closed: Permission"),
        "{err}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_wants_more_memory_than_there_is_says_so() {
    let dir = folder();
    let at = dir.path();
    fs::write(at.join("tiny.toml"), CONFIG).unwrap();
    let huge =
        ["train", "--config", "tiny.toml", "--out", "run", "--threads", "1", "--set", "train.batch=1000000"];
    let program = command(at, &huge);
    let mut limited = std::process::Command::new("bash");
    limited.args(["-c", "ulimit -v 1000000; exec \"$0\" \"$@\""]).arg(program.get_program());
    let (code, _, err) = said(limited.args(program.get_args()).current_dir(at).output().unwrap());
    assert!(code == 1 && err.contains("not enough memory") && err.contains("train.batch"), "{err}");
}

#[test]
fn the_files_of_a_folder_that_is_read_are_inputs() {
    let dir = folder();
    crate::common::generated(dir.path(), "puzzles.csv", "20", "1");
    for (out, part) in [("whole", None), ("parts", Some("train"))] {
        let export = ["data", "export", "puzzles.csv", "--format", "hrm", "--out", out];
        let part_words: Vec<&str> = part.into_iter().flat_map(|part| ["--part", part]).collect();
        ok(dir.path(), &[&export[..], &part_words].concat());
        let before = crate::common::everything(&dir.path().join(out));
        let input = part.map_or(out.to_owned(), |part| format!("{out}/{part}"));
        let over = format!("{input}/all__inputs.npy");
        let import = ["data", "import", &input, "--out", &over, "--force"];
        let (code, _, err) = crate::common::hrm(dir.path(), &import);
        assert!(code == 1 && err.contains("input"), "{code}: {err}");
        assert_eq!(crate::common::everything(&dir.path().join(out)), before);
    }
}
