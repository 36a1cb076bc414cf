//! A task of one file (`examples/latin.rs`) goes the whole way: puzzles, training, export, proof, answers.
//!
//! This test is that program: it calls itself with a command line, and without one it is the test.
//! With `--ignored` it goes on to an emulated board, which needs QEMU and the images that
//! `cargo xtask test` builds.

#[path = "../examples/latin.rs"]
mod latin;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output};

/// Set where this program is the one with the task of its own.
const PROGRAM: &str = "HRM_TEST_PROGRAM";

/// The demo's model, smaller.
const CONFIG: &str = r#"
    [model]
    task = "latin4"
    width = 32
    heads = 2
    inner = 32
    h_layers = 1
    l_layers = 1
    h_cycles = 1
    l_cycles = 1
    shared_levels = true
    positions = "relation"
    continue_head = false
    segments = 4

    [data]
    generate = 100
    validation = 20

    [train]
    batch = 16
    steps = 50
    log_steps = 10
    eval_steps = 50
    eval_rows = 20
"#;

fn main() -> ExitCode {
    if std::env::var_os(PROGRAM).is_some() {
        return latin::main();
    }
    let folder = tempfile::tempdir().unwrap();
    a_task_of_one_file_goes_the_whole_way(folder.path());
    println!("test a_task_of_one_file_goes_the_whole_way ... ok");
    if std::env::args().any(|arg| arg == "--ignored") {
        it_runs_on_a_board_that_carries_it(folder.path());
        println!("test it_runs_on_a_board_that_carries_it ... ok");
    }
    ExitCode::SUCCESS
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(args).env(PROGRAM, "").current_dir(folder);
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

/// What a command prints that succeeds, on both streams.
fn says(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(output.status.success(), "{args:?}: {:?}\n{text}", output.status.code());
    text
}

fn a_task_of_one_file_goes_the_whole_way(folder: &Path) {
    // Puzzles of its own, which are read again, checked and computed.
    says(folder, &["data", "generate", "--task", "latin5", "--count", "30", "--out", "five.csv"]);
    says(folder, &["data", "generate", "--task", "latin4", "--count", "40", "--out", "four.csv"]);
    let written = fs::read_to_string(folder.join("four.csv")).unwrap();
    let (_, row) = written.split_once('\n').unwrap();
    let question = row.split(',').nth(1).unwrap();
    assert!(question.len() == 16 && question.contains(|c| ('A'..='D').contains(&c)), "{row}");
    let stats = says(folder, &["data", "stats", "four.csv"]);
    assert!(stats.contains("latin4"), "{stats}");
    fs::write(folder.join("drawn.txt"), "ABCD\nC.AB\n....\nDCBA\n").unwrap();
    says(folder, &["data", "import", "drawn.txt", "--solve", "--out", "solved.csv"]);
    assert!(fs::read_to_string(folder.join("solved.csv")).unwrap().contains("ABCDCDABBADCDCBA"));
    fs::write(folder.join("wrong.csv"), "question,answer\nAB..............,ABCDABCDABCDABCD\n").unwrap();
    let wrong = run(folder, &["data", "import", "wrong.csv", "--out", "never.csv"]);
    let wrong = String::from_utf8(wrong.stderr).unwrap();
    assert!(wrong.contains("line 2, column `answer`: the answer is wrong"), "{wrong}");

    // Fifty steps, a pack, and the proof that both compute the same.
    fs::write(folder.join("latin.toml"), CONFIG).unwrap();
    says(folder, &["train", "--config", "latin.toml", "--out", "run"]);
    says(folder, &["export", "run", "--out", "latin.hrm"]);
    let verify = ["verify", "latin.hrm", "--checkpoint", "run", "--data", "four.csv", "--rows", "20"];
    says(folder, &[&verify[..], &["--hints", "0", "--tolerance", "100"]].concat());

    // Whatever fifty steps have taught it, a grid that it calls solved is right.
    let solved = run(folder, &["solve", "latin.hrm", "AB..CD..BA..DCB.", "--guesses", "200"]);
    let text = String::from_utf8(solved.stdout).unwrap();
    assert!(matches!(solved.status.code(), Some(0 | 4)), "{text}");
    let is_row = |line: &str| line.len() == 7 && line.split(' ').all(|cell| "ABCD".contains(cell));
    assert_eq!(text.lines().filter(|line| is_row(line)).count(), 4, "a picture of letters: {text}");
    let refused = run(folder, &["solve", "latin.hrm", "AA.............."]);
    assert_eq!(refused.status.code(), Some(3));

    // The program without this task names those that it has.
    let other = Command::new(env!("CARGO_BIN_EXE_hrm-host"))
        .args(["solve", "latin.hrm", "AB.............."])
        .current_dir(folder)
        .output()
        .unwrap();
    let other = String::from_utf8(other.stderr).unwrap();
    assert!(other.contains("knows no task latin4; it has "), "{other}");
}

/// The pack that the test above has left, on the image that carries every task.
fn it_runs_on_a_board_that_carries_it(folder: &Path) {
    let program = std::env::current_exe().unwrap();
    let images = program.ancestors().map(|folder| folder.join("firmware-images/mps2-an386-every-task.elf"));
    let image =
        images.into_iter().find(|path| path.exists()).expect("cargo xtask firmware --for-tests mps2-an386");
    let own = folder.join("images");
    fs::create_dir(&own).unwrap();
    fs::copy(image, own.join("mps2-an386.elf")).unwrap();
    let verify = ["verify", "latin.hrm", "--board", "mps2-an386", "--data", "four.csv", "--rows", "3"];
    let mut verify = command(folder, &[&verify[..], &["--hints", "0"]].concat());
    let output = verify.env("HRM_FIRMWARE", &own).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(output.status.success() && text.contains("equal: 3 puzzles"), "{text}");
}
