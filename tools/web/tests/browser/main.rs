//! The page in a real browser: opened from a folder, used by keyboard, looked at.
//!
//! What the engine computes there is compared with `hrm-core` on this machine. `HRM_WEB_PICTURES=FOLDER`
//! keeps pictures of the page at both widths, light and dark; `HRM_WEB_ENGINE=FILE` has an engine other than
//! the committed one on the page.

mod board;
mod cable;
mod devtools;
mod mistakes;

use std::path::{Path, PathBuf};

use devtools::Browser;
use hrm_core::lane::LaneWidth;
use hrm_core::pack::AlignedBytes;
use hrm_core::task::{Task, maze::Maze, sudoku::Sudoku};
use hrm_tests::puzzles;
use hrm_tests::synthetic::{self, ModelKind, SMALL, SMALL_KINDS, with_self_test};
use hrm_web::{ENGINE, Pack, RELEASED, page};
use hrm_web_engine::session::{Session, Wish};

const DESKTOP: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 740);
/// A phone of common size.
const LARGER_PHONE: (u32, u32) = (390, 844);
const EASY: &str = "1.....2..3.....4";
const HARD: &str = ".37.2..4..6..........1..3...85..7..2.....4..7...59....491.......7..3.8.1....7..9.";

/// The page with the released packs, in a folder of its own.
fn written(folder: &Path) -> String {
    written_with(folder, RELEASED)
}

fn written_with(folder: &Path, packs: &[Pack<'_>]) -> String {
    let engine = std::env::var_os("HRM_WEB_ENGINE").map(|path| std::fs::read(path).expect("HRM_WEB_ENGINE"));
    let path = folder.join("index.html");
    std::fs::write(&path, page(engine.as_deref().unwrap_or(ENGINE), packs)).unwrap();
    format!("file://{}", path.display())
}

/// The same session on this machine.
fn here(name: &str) -> Session {
    let pack = RELEASED.iter().find(|pack| pack.name == name).expect(name);
    Session::open(Box::leak(Box::new(AlignedBytes::copy_of(pack.bytes))).bytes()).unwrap()
}

/// Grid, digest and work of a puzzle, thought about on this machine.
fn solved_here(name: &str, puzzle: &str, wish: Wish) -> (String, String, u32) {
    let mut session = here(name);
    session.begin(puzzle, wish).unwrap();
    loop {
        let report = session.advance();
        if report.done == 1 {
            return (session.grid(), format!("{:08x}", report.digest), report.segments);
        }
    }
}

const FASTEST: &str = "{ const speed = document.getElementById('speed'); speed.value = speed.max; speed.dispatchEvent(new Event('input')) }";

/// The grid as the page shows it, `.` for a blank.
const GRID: &str = "[...document.querySelectorAll('#grid input')].map(cell => cell.value || '.').join('')";

const DIGEST: &str = "document.getElementById('digest').textContent";

fn choose_pack(browser: &mut Browser, pack: &Pack<'_>) {
    browser.value("document.getElementById('pack').focus()");
    browser.press("Home");
    while browser.text("document.getElementById('pack').value") != pack.name {
        browser.press("ArrowDown");
    }
    let crc = hrm_core::Pack::open(AlignedBytes::copy_of(pack.bytes).bytes()).unwrap().crc();
    browser.wait(&format!("document.getElementById('about').textContent.includes('{crc:08x}')"));
}

/// Has every pack of the page run its self-test, whose digests this machine computed.
fn self_tests(browser: &mut Browser, packs: &[Pack<'_>]) {
    for pack in packs {
        choose_pack(browser, pack);
        browser.value("document.getElementById('self-test').click()");
        browser.wait("/^(Passed|FAILED|This)/.test(document.getElementById('self-tested').textContent)");
        let told = browser.text("document.getElementById('self-tested').textContent");
        assert!(told.starts_with("Passed"), "{}: {told}", pack.name);
    }
}

fn pictures() -> Option<PathBuf> {
    std::env::var_os("HRM_WEB_PICTURES").map(PathBuf::from)
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn a_puzzle_is_solved_by_keyboard_alone_and_the_grid_and_digest_are_this_machines() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&folder.path().join("profile"));
    browser.look(DESKTOP, "light");
    browser.open(&written(folder.path()));

    browser.tab_to("pack");
    while browser.text("document.getElementById('pack').value") != "models/sudoku4-demo.hrm" {
        browser.press("ArrowDown");
    }
    browser.wait("document.querySelectorAll('#grid input').length === 16");
    browser.tab_to("puzzle");
    browser.value("document.getElementById('puzzle').select()");
    browser.type_text(EASY);
    browser.press("Enter");
    browser.wait("document.body.dataset.state === 'done'");
    let (grid, digest, _) = solved_here("models/sudoku4-demo.hrm", EASY, Wish::default());
    assert_eq!(browser.text(GRID), grid);
    assert_eq!(browser.text("document.getElementById('digest').textContent"), digest);
    assert!(browser.text("document.getElementById('live').textContent").starts_with("Solved after 1 guess"));

    // The same puzzle, typed into an empty grid with arrows and digits.
    browser.value("document.getElementById('example').focus()");
    browser.press("End");
    browser.press("ArrowUp");
    browser.wait("document.getElementById('puzzle').value === '.'.repeat(16)");
    browser.value("document.querySelector('#grid input').focus()");
    for symbol in EASY.chars() {
        match symbol {
            '.' => browser.press("ArrowRight"),
            digit => browser.type_text(&digit.to_string()),
        }
    }
    assert_eq!(browser.text("document.getElementById('puzzle').value"), EASY);
    browser.tab_to("step");
    browser.press("Enter");
    browser.wait("document.body.dataset.state === 'done'");
    assert_eq!(browser.text("document.getElementById('digest').textContent"), digest);

    // Compared with a digest from elsewhere.
    browser.tab_to("other");
    browser.type_text(&digest);
    assert!(browser.text("document.getElementById('compared').textContent").starts_with("Equal"));
    browser.type_text("0");
    assert_eq!(browser.complaints, [""; 0]);
    let own = |address: &String| ["file:", "blob:", "data:"].iter().any(|own| address.starts_with(own));
    assert!(browser.asked.iter().all(own), "{:?}", browser.asked);
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn every_released_pack_computes_the_bits_that_it_computes_here() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&folder.path().join("profile"));
    browser.open(&written(folder.path()));
    self_tests(&mut browser, RELEASED);
    // several guesses, cells supposed, another seed
    choose_pack(&mut browser, &RELEASED[0]);
    browser.value(FASTEST);
    for seed in [0, 3] {
        browser.value(&format!(
            "document.getElementById('seed').value = {seed}; document.getElementById('puzzle').value = '{HARD}';
             document.getElementById('ask').requestSubmit()"
        ));
        browser.wait("document.body.dataset.state === 'done'");
        let (grid, digest, segments) =
            solved_here("models/sudoku9-mcu.hrm", HARD, Wish { seed, ..Wish::default() });
        assert_eq!(browser.text(GRID), grid, "seed {seed}");
        assert_eq!(browser.text("document.getElementById('digest').textContent"), digest, "seed {seed}");
        let told = browser.text("document.getElementById('now').textContent");
        assert!(told.contains(&format!("{segments} segments")), "{told}");
        println!("{told}");
    }
    assert_eq!(browser.complaints, [""; 0]);
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn small_models_of_every_kind_are_equal_to_this_machines() {
    let mut packs: Vec<(&str, Vec<u8>)> =
        SMALL_KINDS.iter().map(|(name, kind)| (*name, of_sudoku(*kind))).collect();
    let maze = Maze::named("maze7x9").unwrap();
    let kind = ModelKind { task: "maze7x9", lanes: LaneWidth::I8, ..SMALL };
    packs.push(("7x9 maze", with_self_test(&synthetic::pack(kind, 11), &puzzles::mazes(&maze, 12, 5), 4)));
    let packs: Vec<Pack<'_>> = packs.iter().map(|(name, bytes)| Pack { name, bytes }).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&folder.path().join("profile"));
    browser.open(&written_with(folder.path(), &packs));
    self_tests(&mut browser, &packs);
    // a maze, whose cells are walls and ways
    let puzzle = maze.text(&puzzles::mazes(&maze, 1, 7)[0]).to_string();
    browser.value(&format!("document.getElementById('puzzle').value = '{puzzle}'"));
    browser.value("document.getElementById('step').click()");
    browser.wait("document.getElementById('now').textContent.startsWith('Guess 1, segment 1')");
    let walls = browser.value("document.querySelectorAll('[data-symbol=\"#\"].given').length");
    assert_eq!(walls, puzzle.matches('#').count());
    if let Some(folder) = pictures() {
        browser.picture(&folder.join("maze.png"));
    }
    assert_eq!(browser.complaints, [""; 0]);
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn a_maze_is_drawn_as_a_grid_and_solved_step_by_step() {
    const MAZE: &str = "models/maze-mini.hrm";
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&folder.path().join("profile"));
    browser.look(DESKTOP, "light");
    browser.open(&written(folder.path()));
    choose_pack(&mut browser, RELEASED.iter().find(|pack| pack.name == MAZE).unwrap());
    let rows = "[...document.querySelectorAll('#grid tr')].map(row => row.cells.length).join(' ')";
    assert_eq!(browser.text(rows), ["10"; 10].join(" "));
    let help = browser.text("document.getElementById('puzzle-help').textContent");
    for sign in ["# is a wall", "S the start", "G the goal", "a point an open cell", "from S to G with o"] {
        assert!(help.contains(sign), "{help}");
    }
    let examples =
        browser.value("[...document.getElementById('example').options].map(option => option.value)");
    let examples: Vec<String> = serde_json::from_value(examples).unwrap();
    let cells = |symbol| format!("document.querySelectorAll('#grid [data-symbol=\"{symbol}\"]').length");
    let count = |text: &str, symbol| text.matches(symbol).count();
    // each but the empty grid and one's own
    for (place, puzzle) in examples.iter().enumerate().filter(|(_, text)| text.contains('S')) {
        browser.value(&format!(
            "{{ const example = document.getElementById('example'); example.selectedIndex = {place};
               example.dispatchEvent(new Event('change')) }}"
        ));
        assert_eq!(browser.text("document.getElementById('puzzle').value"), *puzzle);
        assert_eq!(browser.value(&cells('#')), count(puzzle, '#'));
        let (grid, digest, segments) = solved_here(MAZE, puzzle, Wish::default());
        for _ in 0..segments {
            let before = browser.text(DIGEST);
            browser.value("document.getElementById('step').click()");
            browser.wait(&format!("{DIGEST} !== '{before}'"));
        }
        let told = browser.text("document.getElementById('now').textContent");
        assert!(told.starts_with("Solved after"), "{told}");
        assert_eq!(browser.text(GRID), grid.replace(' ', "."));
        assert_eq!(browser.value(&cells('o')), count(&grid, 'o'));
        assert_eq!(browser.text(DIGEST), digest);
        let command = browser.text("document.getElementById('command').textContent");
        assert!(command.contains(&format!("solve {MAZE} \"{puzzle}\"")), "{command}");
        if let Some(folder) = pictures() {
            browser.picture(&folder.join(format!("maze-{place}.png")));
        }
    }
    // an open cell is typed as a point
    browser.value("document.getElementById('draw').click()");
    browser.wait("document.body.dataset.state === 'idle'");
    let walls = browser.value(&cells('#')).as_u64().unwrap();
    browser.value("document.querySelector('#grid input[data-symbol=\"#\"]').focus()");
    browser.type_text(".");
    assert_eq!(browser.value(&cells('#')), walls - 1);
    assert_eq!(browser.complaints, [""; 0]);
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn a_phone_shows_how_to_begin_without_being_scrolled_and_the_grid_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&folder.path().join("profile"));
    browser.look(LARGER_PHONE, "light");
    browser.open(&written(folder.path()));
    let mut place = |id: &str, edge: &str| {
        browser
            .value(&format!("document.getElementById('{id}').getBoundingClientRect().{edge}"))
            .as_f64()
            .unwrap()
    };
    let (think, grid) = (place("think", "bottom"), place("grid", "top"));
    assert!(think <= 844.0 && grid < think + 150.0, "Think ends at {think}, the grid begins at {grid}");
    let order = ["puzzle", "think", "grid", "told", "bits"].map(|id| place(id, "top"));
    assert!(order.is_sorted(), "{order:?}");
    browser.value("document.getElementById('board').hidden = false");
    let last = browser.value("document.querySelector('main > :last-child').id");
    assert_eq!(last, "board");
    if let Some(folder) = pictures() {
        browser.picture(&folder.join("phone-first.png"));
        browser.look(DESKTOP, "light");
        browser.picture(&folder.join("desktop-first.png"));
    }
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn the_puzzle_comes_first_and_cells_are_square_with_and_without_web_serial() {
    let folder = tempfile::tempdir().unwrap();
    let url = written(folder.path());
    for serial in ["{}", "undefined"] {
        let mut browser = Browser::start(&folder.path().join(serial));
        browser
            .before(&format!("Object.defineProperty(Navigator.prototype, 'serial', {{ value: {serial} }})"));
        for width in [960, 1100, DESKTOP.0] {
            browser.look((width, DESKTOP.1), "light");
            browser.open(&url);
            let hidden = browser.value("document.getElementById('board').hidden");
            assert_eq!(hidden, serial == "undefined");
            let left = |id: &str| format!("document.getElementById('{id}').getBoundingClientRect().left");
            let order = ["asked", "seen", "told"].map(|id| browser.value(&left(id)).as_f64().unwrap());
            assert!(order.is_sorted_by(|a, b| a < b), "{width} wide, serial {serial}: {order:?}");
            let cells =
                "[...document.querySelectorAll('#grid input')].map(cell => cell.getBoundingClientRect())";
            let square =
                browser.value(&format!("{cells}.every(cell => Math.abs(cell.width - cell.height) < 3)"));
            assert_eq!(square, true, "{width} wide, serial {serial}");
        }
    }
}

/// A pack of a small Sudoku model with a self-test on drawn puzzles.
fn of_sudoku(kind: ModelKind) -> Vec<u8> {
    let task = Sudoku::named(kind.task).unwrap();
    with_self_test(&synthetic::pack(kind, 11), &puzzles::drawn(&task, 12, 5), 4)
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn what_is_no_puzzle_and_what_is_no_pack_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&folder.path().join("profile"));
    browser.open(&written(folder.path()));
    let trouble = "document.getElementById('trouble').textContent";
    for (puzzle, part) in [
        ("123".to_owned(), "81 characters expected and 3 found"),
        (format!("11{}", ".".repeat(79)), "row 1, column 1 and row 1, column 2"),
        (format!("x{}", ".".repeat(80)), "'x'"),
    ] {
        browser.value(&format!(
            "document.getElementById('puzzle').value = '{puzzle}'; document.getElementById('ask').requestSubmit()"
        ));
        browser.wait(&format!("{trouble} !== ''"));
        assert!(browser.text(trouble).contains(part), "{}", browser.text(trouble));
        assert_eq!(browser.text("document.getElementById('now').textContent"), browser.text(trouble));
        browser.value("document.getElementById('example').dispatchEvent(new Event('change'))");
    }
    browser.value(
        "{ const files = new DataTransfer(); files.items.add(new File(['no pack'], 'x.hrm'));
           document.dispatchEvent(new DragEvent('drop', { dataTransfer: files })); 0 }",
    );
    browser.wait(&format!("{trouble}.startsWith('x.hrm cannot be used')"));
    // the pack before it is still there
    browser.value("document.getElementById('ask').requestSubmit()");
    browser.wait("document.getElementById('state').textContent !== '–'");
    assert_eq!(browser.complaints, [""; 0]);
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn the_page_fits_a_desk_and_a_phone_light_and_dark() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&folder.path().join("profile"));
    browser.look(DESKTOP, "light");
    browser.open(&written(folder.path()));
    browser.value(FASTEST);
    browser.value(&format!(
        "document.getElementById('puzzle').value = '{HARD}'; document.getElementById('ask').requestSubmit()"
    ));
    browser.wait("document.querySelectorAll('#guess-list li').length >= 3");
    let first = browser.text("document.querySelector('#guess-list li').textContent");
    assert!(first.contains("dropped: out of segments"), "{first}");
    let halting = browser.text("document.getElementById('charts').lastChild.textContent");
    assert!(halting.contains("at most -"), "it never believed that it was right: {halting}");
    browser.value("document.getElementById('think').click()");
    browser.wait("document.body.dataset.state !== 'running'");
    for (name, size) in [("desktop", DESKTOP), ("phone", PHONE)] {
        for scheme in ["light", "dark"] {
            browser.look(size, scheme);
            let wide = browser.value("document.documentElement.scrollWidth <= window.innerWidth");
            assert_eq!(wide, true, "{name}: the page is wider than its window");
            assert_eq!(browser.unreadable(), [""; 0], "{name}, {scheme}");
            if let Some(folder) = pictures() {
                browser.picture(&folder.join(format!("{name}-{scheme}.png")));
            }
        }
    }
    browser.look(DESKTOP, "light");
    browser.value("document.getElementById('think').click()");
    browser.wait("document.body.dataset.state === 'done'");
    if let Some(folder) = pictures() {
        browser.picture(&folder.join("desktop-solved.png"));
    }
    for scheme in ["light", "dark"] {
        browser.look(DESKTOP, scheme);
        assert_eq!(browser.unreadable(), [""; 0], "solved, {scheme}");
    }
    // what a screen reader is told of the grid
    let tree = browser.call("Accessibility.getFullAXTree", serde_json::json!({}));
    let tree = tree.to_string();
    for part in ["row 1, column 2, given", "\"What it believes\"", "z_H moved: "] {
        assert!(tree.contains(part), "{part} is not in the accessibility tree");
    }
    assert_eq!(browser.complaints, [""; 0]);
}
