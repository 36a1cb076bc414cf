//! What the program says before it is too late, and whom it blames.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::process::{Command, Output};

use hrm_host::config::RunConfig;
use hrm_host::quant::{AlignedPack, Footprint};
use hrm_host::task::find;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{CONFIG, hrm, ok, root};

/// A folder with a small configuration in it.
fn with_config() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), CONFIG).unwrap();
    dir
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let (out, _) = ok(folder, &[args, &["--json"]].concat());
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_configuration_tells_the_size_of_the_pack_that_it_becomes() {
    let dir = with_config();
    let folder = dir.path();
    let before = json(folder, &["inspect", "tiny.toml"])["footprint"].clone();
    let train = ["train", "--config", "tiny.toml", "--out", "run", "--set", "train.checkpoint_minutes=1e-9"];
    let (code, _, said) = hrm(folder, &train);
    let flash = format!("as a pack: {} bytes of flash", before["pack_bytes"]);
    assert!(code == 0 && said.contains(&flash) && said.contains("room for it: pico2, "), "{said}");
    assert!(said.contains(&format!("{} parameters", before["parameters"])), "{said}");
    assert_eq!(
        json(folder, &["inspect", "run"])["footprint"],
        before,
        "the run tells what its configuration did"
    );

    for (lanes, memory) in [("16", 0), ("8", 1)] {
        for members in [1, 2] {
            let count = members.to_string();
            let export = [
                "export",
                "run",
                "--out",
                "x.hrm",
                "--lanes",
                lanes,
                "--members",
                &count,
                "--calibration",
                "2",
                "--force",
            ];
            ok(folder, &export);
            let pack = json(folder, &["inspect", "x.hrm"]);
            let more = (members - 1) * before["member_bytes"].as_u64().unwrap();
            let bytes = before["pack_bytes"].as_u64().unwrap() + more;
            assert_eq!(pack["bytes"].as_u64().unwrap(), bytes);
            assert_eq!(fs::metadata(folder.join("x.hrm")).unwrap().len(), bytes);
            for key in ["workspace_bytes", "state_bytes"] {
                assert_eq!(pack[key], before["memory"][memory][key], "{lanes} bits, {members} members");
            }
            assert_eq!(pack["segment_macs"], before["segment_macs"]);
        }
    }
}

#[test]
fn every_released_pack_has_the_size_that_its_configuration_tells() {
    let mut seen = 0;
    for entry in fs::read_dir(root().join("models")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "hrm") {
            continue;
        }
        let file = AlignedPack::read(&path).unwrap();
        let pack = file.open().unwrap();
        let config: RunConfig = serde_json::from_str(pack.header().unwrap().provenance.config).unwrap();
        assert_eq!(config.without_folders(), config, "{}", path.display());
        // A pack may be for another size of its task than the model was configured for.
        let size = find(pack.header().unwrap().task).unwrap();
        let of_size = RunConfig { model: config.model.for_task(size).unwrap(), ..config };
        let told = Footprint::of(&of_size).unwrap();
        assert_eq!(told.pack_bytes, file.bytes().len(), "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 5);
}

#[test]
fn what_could_not_be_exported_or_does_not_fit_is_told_before_training() {
    let dir = with_config();
    let inspect = |more: &[&str]| hrm(dir.path(), &[&["inspect", "tiny.toml"], more].concat());
    for (set, why) in [
        ("model.width=24", "`model.width` is 24, but must be a multiple of 16"),
        ("model.heads=16", "`model.heads` is 16, but must divide width = 16"),
    ] {
        let (code, out, said) = inspect(&["--set", set]);
        assert!(code == 2 && out.is_empty() && said.contains(why) && said.contains(set), "{said}");
    }
    let large = ["--set", "model.task=sudoku9", "--set", "model.width=256", "--set", "model.heads=4"];
    let (code, out, said) = inspect(&large);
    assert!(code == 0 && out.contains("bytes of memory needed, 94208 set aside"), "{out}{said}");
    let (code, _, said) = inspect(&["--set", "model.wdith=16"]);
    assert!(code == 2 && said.contains("did you mean `model.width`?"), "{said}");
    let (code, _, said) = hrm(dir.path(), &["solve", ".", "1..............."]);
    assert!(
        code == 1 && said.contains("is a folder, not a pack") && said.contains("hrm-host export"),
        "{said}"
    );
}

#[test]
fn a_refused_run_names_the_key_and_the_next_command() {
    let dir = with_config();
    let folder = dir.path();
    let train = |more: &[&str]| {
        let (code, _, said) = hrm(folder, &[&["train"], more].concat());
        assert_eq!(code, 1, "{more:?}: {said}");
        said
    };
    let start = ["--config", "tiny.toml", "--out", "run"];
    ok(folder, &[&["train"][..], &start, &["--max-steps", "1"]].concat());

    let said = train(&["--resume", "--out", "run/step-00000001.safetensors"]);
    assert!(said.contains("is a file") && said.contains("hrm-host train --resume --out run`"), "{said}");
    let said = train(&["--config", "tiny.toml", "--out", "tiny.toml"]);
    assert!(said.contains("tiny.toml is a file; --out wants the folder"), "{said}");

    let nine = CONFIG.replace("sudoku4", "sudoku9").replace("[data]", "[data]\ntrain = \"nowhere.csv\"");
    fs::write(folder.join("nine.toml"), nine).unwrap();
    let said = train(&["--resume", "--config", "nine.toml", "--out", "run"]);
    assert!(
        said.contains("another model") && said.contains("model.task") && said.contains("nine.toml"),
        "{said}"
    );

    let made = ["data", "generate", "--task", "sudoku4", "--count", "3", "--out", "three.csv"];
    ok(folder, &made);
    let few = ["--config", "tiny.toml", "--out", "few", "--data", "three.csv"];
    let said = train(&few);
    assert!(said.contains("data.validation = 8 of 3 rows") && !said.contains("--apart"), "{said}");
    let (_, advice) = said.split_once("--set ").unwrap();
    let set = advice.split_whitespace().next().unwrap();
    let (code, _, said) = hrm(folder, &[&["train"][..], &few, &["--set", set, "--max-steps", "1"]].concat());
    assert!(set.starts_with("data.validation=") && code == 0, "the advice is good: {set}: {said}");
}

#[test]
fn a_search_for_more_puzzles_than_there_are_ends_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    // 4x4 has 288 grids with 16 single blanks each.
    let more =
        ["data", "generate", "--task", "sudoku4", "--givens", "15", "--count", "1000000", "--out", "x.csv"];
    let (code, _, said) = hrm(dir.path(), &more);
    assert!(code == 1 && said.contains("of 1000000 different puzzles") && said.contains("ask for"), "{said}");
    assert!(!dir.path().join("x.csv").exists());
}

#[test]
fn the_committed_puzzles_are_made_by_the_command_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for task in ["sudoku9", "maze10x10"] {
        let name = format!("{task}.csv");
        let made = ["data", "generate", "--task", task, "--count", "20", "--seed", "3", "--out", &name];
        ok(dir.path(), &made);
        let committed = fs::read(root().join("tests/data").join(&name)).unwrap();
        assert!(fs::read(dir.path().join(&name)).unwrap() == committed, "{name}");
    }
}

#[test]
fn shells_and_manual_readers_get_every_command() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, said) = hrm(dir.path(), &["completions", shell]);
        assert!(code == 0 && out.contains("flash-pack") && out.contains("completions"), "{shell}: {said}");
    }
    // Bash at least is asked itself, also below the first word.
    let (_, script, _) = hrm(dir.path(), &["completions", "bash"]);
    for (words, completed) in
        [("hrm-host tr", "train"), ("hrm-host data sp", "split"), ("hrm-host train --th", "--threads")]
    {
        let (before, last) = words.rsplit_once(' ').unwrap();
        let asked = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={}; _hrm__host hrm-host '{last}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            words.split(' ').count() - 1,
            before.rsplit(' ').next().unwrap(),
        );
        let answer =
            std::process::Command::new("bash").args(["--norc", "-c", &asked]).output().expect("bash");
        assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), completed, "{words}");
    }
    let (code, _, said) = hrm(dir.path(), &["completions", "tcsh"]);
    assert!(code == 2 && said.contains("bash"), "{said}");

    for round in 0..2 {
        let (code, _, said) = hrm(dir.path(), &["man", "pages"]);
        assert!(code == 0, "round {round}: {said}");
    }
    let read = |name: &str| fs::read_to_string(dir.path().join("pages").join(name)).unwrap();
    assert!(read("hrm-host.1").contains("hrm\\-host\\-train(1)"));
    assert!(read("hrm-host-train.1").contains("\\-\\-finish\\-in"));
    assert!(read("hrm-host-device-flash-pack.1").contains("\\-\\-dry\\-run"));
    let eval = read("hrm-host-eval.1");
    assert!(
        eval.contains("[\\-\\-shard <I/N>]") && eval.contains("\\-\\-data <FILE>"),
        "values stand in the synopsis: {eval}"
    );
    assert!(
        read("hrm-host-data-import.1").contains("\\fBhrm\\-host\\-data\\-split\\fR(1)"),
        "pages name each other"
    );
    let (code, out, said) = hrm(dir.path(), &["man", "-"]);
    assert!(code == 0 && out.contains(".TH hrm-host-solve") && !dir.path().join("-").exists(), "{said}");

    // Somebody else's page stays, and nothing is half written.
    fs::write(dir.path().join("pages/hrm-host-solve.1"), ".TH other 1\n").unwrap();
    fs::remove_file(dir.path().join("pages/hrm-host.1")).unwrap();
    let (code, _, said) = hrm(dir.path(), &["man", "pages"]);
    assert!(code == 1 && said.contains("hrm-host-solve.1") && said.contains("--force"), "{said}");
    assert!(!dir.path().join("pages/hrm-host.1").exists());
    ok(dir.path(), &["man", "pages", "--force"]);
}

/// Runs `line`, as it was printed, in a shell that calls this program by its name.
#[cfg(unix)]
fn as_copied(folder: &Path, line: &str) -> Output {
    let place = Path::new(env!("CARGO_BIN_EXE_hrm-host")).parent().unwrap();
    let path = format!("{}:{}", place.display(), std::env::var("PATH").unwrap());
    Command::new("sh").args(["-c", line]).current_dir(folder).env("PATH", path).output().unwrap()
}

/// The command in backticks that contains `part`.
#[cfg(unix)]
fn advised<'t>(text: &'t str, part: &str) -> &'t str {
    text.split('`')
        .skip(1)
        .step_by(2)
        .find(|command| command.contains(part))
        .unwrap_or_else(|| panic!("{text}"))
}

#[cfg(unix)]
#[test]
fn commands_that_are_told_can_be_copied_whatever_files_are_called() {
    let dir = with_config();
    let folder = dir.path();
    let train = ["train", "--config", "tiny.toml", "--threads", "1", "--max-steps", "1", "--out", "my run's"];
    let (_, err) = ok(folder, &train);
    let line = err.lines().find_map(|line| line.strip_prefix("go on with: ")).unwrap();
    let output = as_copied(folder, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));

    fs::write(folder.join("my questions.csv"), "question\n1.....2..3.....4\n").unwrap();
    let (code, _, err) = hrm(folder, &["eval", "my run's", "--data", "my questions.csv"]);
    assert_eq!(code, 1, "{err}");
    let output = as_copied(folder, advised(&err, "data import"));
    assert!(output.status.success(), "{err}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::read_to_string(folder.join("NEW.csv")).unwrap().contains("1.....2..3.....4"));

    // Columns of unusual names are named again.
    fs::write(folder.join("mine.csv"), "initial\n1.....2..3.....4\n").unwrap();
    let eval = ["eval", "my run's", "--data", "mine.csv", "--columns", "question=initial"];
    let (_, _, err) = hrm(folder, &eval);
    fs::remove_file(folder.join("NEW.csv")).unwrap();
    let output = as_copied(folder, advised(&err, "data import"));
    assert!(output.status.success(), "{err}: {}", String::from_utf8_lossy(&output.stderr));

    let (_, _, err) = hrm(folder, &["verify", "my run's", "--checkpoint", "my run's", "--data", "mine.csv"]);
    assert!(err.contains(r"`hrm-host export 'my run'\''s' --out NAME.hrm`"), "{err}");
}

#[test]
fn a_folder_that_is_not_there_is_not_said_to_be_empty() {
    let dir = with_config();
    let (code, _, err) = hrm(dir.path(), &["train", "--resume", "--out", "mistyped"]);
    assert!(code == 1 && err.contains("mistyped does not exist"), "{err}");
    fs::create_dir(dir.path().join("empty")).unwrap();
    let (code, _, err) = hrm(dir.path(), &["train", "--resume", "--out", "empty"]);
    assert!(code == 1 && err.contains("empty holds no checkpoint"), "{err}");
}

#[test]
fn a_search_that_found_nothing_does_not_advise_to_ask_for_nothing() {
    let dir = with_config();
    let sudoku =
        ["data", "generate", "--task", "sudoku9", "--count", "1", "--givens", "17", "--out", "g.csv"];
    let (code, _, err) = hrm(dir.path(), &sudoku);
    assert!(code == 1 && err.contains("only 0 of 1") && !err.contains("ask for 0"), "{err}");
}

#[test]
fn a_puzzle_in_the_place_of_the_pack_is_told() {
    let pack = root().join("models/sudoku4-demo.hrm");
    let pack = pack.to_str().unwrap();
    let (code, _, said) = hrm(root(), &["solve", "1.....2..3.....4", pack]);
    assert!(code == 2 && said.contains("hrm-host solve PACK PUZZLE"), "{code} {said}");
    let (code, _, said) = hrm(root(), &["solve", "no.hrm", "1.....2..3.....4"]);
    assert!(code == 1 && !said.contains("PACK PUZZLE"), "{code} {said}");
}
