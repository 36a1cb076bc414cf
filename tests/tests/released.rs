//! The models that are given away: what their files tell, the bits they compute, and the puzzles they solve.
//!
//! All of it runs on this machine, without emulator and without candle. A change of a kernel together with
//! its definition, which every comparison of two machines would let pass, is noticed here: packs in the field
//! would fail their self-test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use hrm_core::pack::AlignedBytes;
use hrm_core::{
    Hrm, Pack, Reasoner, Shape,
    digest::run_digest,
    lane::LaneWidth,
    task::{Task, maze::Maze, sudoku::Sudoku},
    workspace_bytes, workspace_words,
};
use hrm_emulator::board::{HARDWARE, Hardware};
use hrm_tests::puzzles;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

/// Every file in `models/` whose name ends in `extension`.
fn files(extension: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(models()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    found.sort();
    assert!(!found.is_empty(), "no .{extension} in models/");
    found
}

/// Words of a text that would be a path on somebody's machine: they begin at a root, a home, a
/// drive or a folder above.
fn paths_in(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`|,()[]{}<>=".contains(c));
    let begins = |word: &str| {
        let drive = word.as_bytes().get(1..3).is_some_and(|rest| rest == b":\\" || rest == b":/");
        let rooted = word.starts_with('/') && word.len() > 1;
        drive || rooted || ["~/", "../", "..\\", "\\\\", "file:"].iter().any(|start| word.starts_with(start))
    };
    words.filter(|word| begins(word)).collect()
}

#[test]
fn nothing_in_models_tells_where_files_lay() {
    for path in files("hrm") {
        let bytes = fs::read(&path).unwrap();
        let aligned = AlignedBytes::copy_of(&bytes);
        let pack = Pack::open(aligned.bytes()).unwrap();
        let header = pack.header().unwrap();
        let p = &header.provenance;
        for text in [header.task, p.config, p.program, p.data] {
            assert_eq!(paths_in(text), [""; 0], "{}", path.display());
        }
        // The configuration's values are numbers, words and the names of files: none has a folder.
        let values = p.config.split('"').skip(1).step_by(2);
        let folders: Vec<&str> = values.filter(|text| text.contains(['/', '\\'])).collect();
        assert_eq!(folders, [""; 0], "{}", path.display());
    }
    for path in files("md") {
        assert_eq!(paths_in(&fs::read_to_string(&path).unwrap()), [""; 0], "{}", path.display());
    }
    assert_eq!(
        paths_in("train = \"/root/x.csv\" | ../a.csv | C:\\b.csv, a / b, H x L, and/or"),
        ["/root/x.csv", "../a.csv", "C:\\b.csv"]
    );
}

#[test]
fn every_card_is_its_packs() {
    for path in files("hrm") {
        let bytes = fs::read(&path).unwrap();
        let aligned = AlignedBytes::copy_of(&bytes);
        let pack = Pack::open(aligned.bytes()).unwrap();
        let card = fs::read_to_string(path.with_extension("md")).unwrap();
        // hrm-host's tests have the whole table
        let card = card.replace(',', "");
        let told = format!("| pack | {} bytes CRC-32 {:08x} |", bytes.len(), pack.crc());
        assert!(card.contains(&told), "{}: {told}", path.display());
        assert_eq!(Shape::stated_by(&bytes), Some(*pack.shape()), "{}", path.display());
        assert!(
            card.contains(&format!("| RAM | {} bytes |", workspace_bytes(pack.shape()))),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_released_pack_passes_its_self_test() {
    for path in files("hrm") {
        let bytes = fs::read(&path).unwrap();
        let aligned = AlignedBytes::copy_of(&bytes);
        let pack = Pack::open(aligned.bytes()).unwrap();
        let test = pack.self_test().unwrap_or_else(|| panic!("{} has no self-test", path.display()));
        let mut memory = vec![0; workspace_words(pack.shape())];
        let mut model = Hrm::new(pack, &mut memory).unwrap();
        let members = usize::from(pack.shape().members);
        assert!(test.digests.len() >= members, "{}: a member is not tested", path.display());
        for row in 0..test.digests.len() {
            let (tokens, expected) = test.row(row).unwrap();
            let digest = run_digest(&mut model, row % members, tokens, test.segments).unwrap();
            assert_eq!(
                format!("{digest:08x}"),
                format!("{expected:08x}"),
                "{}, puzzle {row}",
                path.display()
            );
        }
    }
}

/// How many of the committed puzzles are solved right after so many segments of one pass; few for the large
/// model, which takes long.
const SOLVED: [(&str, [(usize, usize); 2]); 5] = [
    ("sudoku9-1k.hrm", [(4, 10), (16, 16)]),
    ("sudoku9-mcu.hrm", [(4, 13), (16, 17)]),
    ("sudoku9-mcu-i8.hrm", [(4, 13), (16, 18)]),
    ("sudoku9-plus.hrm", [(2, 6), (4, 13)]),
    ("sudoku9-quick.hrm", [(4, 6), (16, 7)]),
];

/// Integers are the same everywhere, so the numbers are exact and not bounds.
#[test]
fn every_released_9x9_model_solves_as_many_of_the_committed_puzzles_as_it_did() {
    let task = Sudoku::named("sudoku9").unwrap();
    let of_task = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("sudoku9");
    let released: Vec<PathBuf> = files("hrm").into_iter().filter(of_task).collect();
    let names: Vec<&str> = released.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names.len(), SOLVED.len(), "a budget for every model: {names:?}");
    for (name, expected) in SOLVED {
        let bytes = fs::read(models().join(name)).unwrap();
        let aligned = AlignedBytes::copy_of(&bytes);
        let pack = Pack::open(aligned.bytes()).unwrap();
        let mut memory = vec![0; workspace_words(pack.shape())];
        let mut model = Hrm::new(pack, &mut memory).unwrap();
        let mut solved = expected.map(|(segments, _)| (segments, 0));
        for puzzle in puzzles::committed() {
            model.begin(0, &puzzle);
            for segment in 1..=expected[1].0 {
                model.segment(&mut ()).unwrap();
                for (at, count) in &mut solved {
                    *count += usize::from(*at == segment && task.accepts(&puzzle, model.grid()));
                }
            }
        }
        assert_eq!(solved, expected, "{name}: (segments, puzzles solved)");
    }
}

/// How many of the committed mazes the model finds a shortest way through in one pass; as exact as above.
#[test]
fn the_released_maze_model_finds_as_many_ways_as_it_did() {
    let bytes = fs::read(models().join("maze-mini.hrm")).unwrap();
    let aligned = AlignedBytes::copy_of(&bytes);
    let pack = Pack::open(aligned.bytes()).unwrap();
    let task = Maze::named(pack.header().unwrap().task).unwrap();
    let mut memory = vec![0; workspace_words(pack.shape())];
    let mut model = Hrm::new(pack, &mut memory).unwrap();
    let mut found = 0;
    for puzzle in puzzles::committed_mazes(&task) {
        model.begin(0, &puzzle);
        for _ in 0..16 {
            model.segment(&mut ()).unwrap();
        }
        found += usize::from(task.accepts(&puzzle, model.grid()));
    }
    assert_eq!(found, 17);
}

/// The table of docs/PERFORMANCE.md: board, processor, a segment.
#[test]
fn the_seconds_of_the_documents_are_those_that_inspect_prints() {
    let path = models().join("sudoku9-mcu.hrm");
    let bytes = fs::read(&path).unwrap();
    let shape = Shape::stated_by(&bytes).unwrap();
    let text = fs::read_to_string(models().join("../docs/PERFORMANCE.md")).unwrap();
    for board in HARDWARE {
        let start = format!("| `{}` |", board.name);
        let row = text.lines().find(|line| line.starts_with(&start)).expect(board.name);
        let told: f64 =
            row.split('|').nth(3).and_then(|cell| cell.trim().strip_suffix(" s")?.parse().ok()).expect(row);
        let seconds = board.seconds_a_segment(bytes.len() as u64, &shape);
        assert!((told / seconds - 1.0).abs() < 0.03, "{row}: {seconds}");
        // 28 MB before a pass over the weights served more than four tokens
        assert!(board.weights_read_a_segment(bytes.len() as u64, &shape) <= 7_000_000, "{}", board.name);
    }
}

/// Boards in the order of the columns of README's first table.
const COLUMNS: [&str; 5] = ["nrf52840-dk", "blackpill-f411", "pico2", "olimex-h405", "nucleo-h743zi"];

#[test]
fn the_readme_has_every_model_with_its_bytes_and_its_segments_times_the_seconds_of_one() {
    let text = fs::read_to_string(models().join("../README.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `sudoku") || line.starts_with("| `maze"));
    let (mut checked, mut told) = (0, BTreeSet::new());
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[1].split('`').nth(1).unwrap();
        let aligned = AlignedBytes::copy_of(&fs::read(models().join(format!("{name}.hrm"))).unwrap());
        let (bytes, pack) = (aligned.bytes(), Pack::open(aligned.bytes()).unwrap());
        let (shape, task) = (*pack.shape(), pack.header().unwrap().task);
        let sizes = [bytes.len(), workspace_bytes(&shape)].map(|size| size.to_string());
        // a model's further rows leave them out
        if told.insert(name.to_owned()) {
            assert_eq!([cells[2], cells[3]].map(|size| size.replace(',', "")), sizes, "{row}");
        }
        let segments: f64 = cells[6].parse().expect(row);
        for (board, cell) in COLUMNS.iter().zip(&cells[7..]) {
            let board = Hardware::find(board).unwrap();
            let room = board.hold(task, bytes.len() as u64, workspace_bytes(&shape) as u64).is_ok();
            assert_eq!(room, *cell != "no room", "{row}: {}", board.name);
            if !room {
                continue;
            }
            let seconds = segments * board.seconds_a_segment(bytes.len() as u64, &shape);
            let (below, time) = match cell.strip_prefix("< ") {
                Some(bound) => (true, bound),
                None => (false, *cell),
            };
            let (number, unit) = time.split_once(' ').expect(row);
            let number = number.parse::<f64>().expect(row) * if unit == "min" { 60.0 } else { 1.0 };
            let right = if below { seconds < number } else { (number / seconds - 1.0).abs() < 0.05 };
            assert!(right, "{row}: {} takes {seconds:.2} s", board.name);
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} cells of README's table were understood");
    let released: BTreeSet<String> =
        files("hrm").iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(told, released, "README's table has a row for every released model");
}

#[test]
fn the_instructions_of_the_estimate_are_those_that_were_counted() {
    let text = fs::read_to_string(models().join("../docs/performance/instructions.csv")).unwrap();
    for board in HARDWARE {
        let processor = board.cpu.replace("cortex-m", "Cortex-M");
        for (model, width, lanes) in [
            ("96-i16", 96, LaneWidth::I16),
            ("96-i8", 96, LaneWidth::I8),
            ("128-i16", 128, LaneWidth::I16),
            ("128-i8", 128, LaneWidth::I8),
        ] {
            let start = format!("{processor},{model},\"segment\",");
            let row = text.lines().find(|line| line.starts_with(&start)).expect(&start);
            let counted: f64 = row.rsplit(',').next().unwrap().parse().unwrap();
            let used = board.instructions_a_mac(width, lanes);
            assert!((used / counted - 1.0).abs() < 0.002, "{row}: the estimate goes by {used}");
        }
    }
}
