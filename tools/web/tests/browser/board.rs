//! The page with a board: the firmware's application on a thread of this machine, behind a
//! stand-in for a serial port.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::{self, JoinHandle};

use hrm_core::digest::run_digest;
use hrm_core::task::sudoku::Sudoku;
use hrm_core::wire::{Memory, NoModel, PROTOCOL};
use hrm_core::{Hrm, Pack, task::Task, workspace_words};
use hrm_emulator::Link;
use hrm_firmware::{About, Exit, refuse_all};
use hrm_tests::loopback::{self, SocketBoard};
use hrm_web::RELEASED;
use hrm_web_engine::session::Wish;

use crate::cable::{Cable, give, plug_in};
use crate::devtools::Browser;
use crate::{DIGEST, FASTEST, GRID, HARD, choose_pack, pictures, solved_here, written, written_with};

const MODEL: &str = "models/sudoku9-mcu.hrm";
/// Has no solution, which no rule that one sees tells: whatever the model is, it guesses until it is stopped.
const ENDLESS: &str = ".37.2..4..6.........91..3...85..7..2.....4..7...59....491.......7..3.8.1....7..9.";
const TOLD: &str = "document.getElementById('board-told').textContent";
const READY: &str = "document.body.dataset.board === 'ready'";
const NONE: &str = "document.body.dataset.board === 'none'";

/// A released pack, in memory for good.
fn released(name: &str) -> Pack<'static> {
    let pack = RELEASED.iter().find(|pack| pack.name == name).expect(name);
    let bytes = Box::leak(Box::new(hrm_core::pack::AlignedBytes::copy_of(pack.bytes)));
    Pack::open(bytes.bytes()).unwrap()
}

fn model(pack: Pack<'static>) -> Hrm<'static, 'static> {
    Hrm::new(pack, vec![0; workspace_words(pack.shape())].leak()).unwrap()
}

/// A board and its line.
struct Board {
    link: Link<UnixStream>,
    program: JoinHandle<(Exit, SocketBoard)>,
}

impl Board {
    /// One with a released pack, which says that its CRC-32 is `crc`.
    fn with(pack: Pack<'static>, crc: u32) -> Self {
        let about = About {
            pack_crc: crc,
            shape: *pack.shape(),
            memory: Memory::default(),
            self_test: pack.self_test(),
            last_end: None,
        };
        let task = Sudoku::named(pack.header().unwrap().task).unwrap();
        let (link, program) = loopback::spawn(model(pack), task, about, true);
        Self { link, program }
    }

    fn cable(&mut self) -> Cable {
        Cable::to(self.link.line().try_clone().unwrap())
    }

    fn leave(mut self) {
        self.link.cancel().unwrap();
        self.link.shutdown().unwrap();
        assert_eq!(self.program.join().unwrap().0, Exit::Shutdown);
    }
}

/// A browser whose pages have serial ports, and its profile in `folder`.
fn with_serial(folder: &Path) -> Browser {
    let mut browser = Browser::start(&folder.join("profile"));
    plug_in(&mut browser);
    browser
}

fn ask(browser: &mut Browser, puzzle: &str) {
    browser.value(&format!(
        "{{ const puzzle = document.getElementById('puzzle'); puzzle.value = '{puzzle}'; puzzle.dispatchEvent(new Event('input')) }}"
    ));
}

fn click(browser: &mut Browser, id: &str) {
    browser.value(&format!("document.getElementById('{id}').click()"));
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn a_board_solves_the_puzzle_and_computes_the_pages_bits() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = with_serial(folder.path());
    browser.look((1200, 900), "light");
    browser.open(&written(folder.path()));
    let pack = released(MODEL);
    let mut board = Board::with(pack, pack.crc());
    let mut cable = board.cable();

    // The page opens the board's pack by itself, and leaves the puzzle alone.
    choose_pack(&mut browser, RELEASED.iter().find(|pack| pack.name.contains("quick")).unwrap());
    ask(&mut browser, HARD);
    browser.tab_to("board-ask");
    browser.press("Enter");
    cable.wait(&mut browser, READY);
    assert_eq!(browser.text("document.getElementById('pack').value"), MODEL);
    assert_eq!(browser.text("document.getElementById('puzzle').value"), HARD);
    assert_eq!(browser.text("document.getElementById('example').value"), "own");
    let about = browser.text("document.getElementById('board-about').textContent");
    for part in
        ["loopback, ", &format!("protocol {PROTOCOL}"), &format!("{:08x}", pack.crc()), "self-test: passed"]
    {
        assert!(about.contains(part), "{about}");
    }
    assert_eq!(browser.value("cable.options.baudRate"), 115_200);
    assert_eq!(browser.value("cable.signals.dataTerminalReady"), true);

    // The keyboard goes on where it was, and Enter once more has the board solve.
    assert_eq!(browser.text("document.activeElement.id"), "board-solve");
    browser.press("Enter");
    cable.wait(&mut browser, "document.querySelectorAll('#guess-list li').length >= 2");
    picture(&mut browser, "board-thinks");
    cable.wait(&mut browser, READY);
    let (grid, digest, segments) = solved_here(MODEL, HARD, Wish::default());
    assert_eq!(browser.text(GRID), grid);
    assert_eq!(browser.text(DIGEST), digest);
    let now = browser.text("document.getElementById('now').textContent");
    let work = format!(" guesses, {segments} segments, ");
    assert!(now.starts_with("Solved by loopback after ") && now.contains(&work), "{now}");
    let told = browser.text(TOLD);
    assert!(told.starts_with(&format!("All {segments} segments are this page’s, too")), "{told}");
    let guesses = browser.value("document.querySelectorAll('#guess-list li').length");
    assert!(now.contains(&format!(" after {guesses} guesses, ")), "{now}: {guesses} listed");

    click(&mut browser, "board-bits");
    cable.wait(&mut browser, READY);
    let task = Sudoku::named("sudoku9").unwrap();
    let mut tokens = [0; 81];
    task.parse(HARD, &mut tokens).unwrap();
    let digest = run_digest(&mut model(pack), 0, &tokens, 4).unwrap();
    assert_eq!(
        browser.text(TOLD),
        format!("Equal: every operation of 4 segments, digest {digest:08x} on both.")
    );
    assert_eq!(browser.text(GRID), grid, "the answer is still there");
    picture(&mut browser, "board");

    // Back to this page's own thinking, which the board does not disturb; then the port is given back.
    browser.value(FASTEST);
    click(&mut browser, "think");
    browser.wait("document.body.dataset.state === 'done'");
    assert_eq!(browser.text(GRID), grid);
    browser.tab_to("board-leave");
    browser.press("Enter");
    browser.wait(NONE);
    browser.wait("port.readable === null");
    assert_eq!(browser.text(TOLD), "The port is closed.");
    assert_eq!(browser.complaints, [""; 0]);
    board.leave();
}

/// Pictures at a desk's and a phone's width, light and dark.
fn picture(browser: &mut Browser, name: &str) {
    for (width, height) in [(1200, 900), (390, 844)] {
        for scheme in ["light", "dark"] {
            browser.look((width, height), scheme);
            let fits = browser.value("document.documentElement.scrollWidth <= window.innerWidth");
            assert_eq!(fits, true, "{name}: the page is wider than {width} pixels");
            if let Some(folder) = pictures() {
                browser.picture(&folder.join(format!("{name}-{width}-{scheme}.png")));
            }
        }
    }
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn a_board_can_be_stopped_and_unplugged_and_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = with_serial(folder.path());
    // whoever would wait a minute waits five seconds
    browser.before(
        "{ const wait = setTimeout; globalThis.setTimeout = (act, ms) => wait(act, Math.min(ms, 5000)) }",
    );
    browser.open(&written(folder.path()));
    let pack = released(MODEL);
    let mut board = Board::with(pack, pack.crc());
    let mut cable = board.cable();
    click(&mut browser, "board-ask");
    cable.wait(&mut browser, READY);
    let some_guesses = "document.querySelectorAll('#guess-list li').length >= 3";

    // by its button
    ask(&mut browser, ENDLESS);
    click(&mut browser, "board-solve");
    cable.wait(&mut browser, some_guesses);
    click(&mut browser, "board-cancel");
    cable.wait(&mut browser, READY);
    let now = browser.text("document.getElementById('now').textContent");
    assert!(now.starts_with("Cancelled after "), "{now}");

    // by another puzzle, which is then asked
    click(&mut browser, "board-solve");
    cable.wait(&mut browser, some_guesses);
    ask(&mut browser, HARD);
    cable.wait(&mut browser, READY);
    assert_eq!(browser.text(TOLD), "The board has dropped the puzzle.");
    assert_eq!(browser.text("document.body.dataset.state"), "idle");

    // by its cable: it goes on thinking, and is found again
    ask(&mut browser, ENDLESS);
    click(&mut browser, "board-solve");
    cable.wait(&mut browser, some_guesses);
    browser.value("cable.unplug()");
    browser.wait(NONE);
    let told = browser.text(TOLD);
    assert!(told.starts_with("The board is gone") && told.contains("Plug it in"), "{told}");
    let now = browser.text("document.getElementById('now').textContent");
    assert!(now.contains("the board was lost after"), "{now}");
    ask(&mut browser, HARD);
    click(&mut browser, "board-ask");
    cable.wait(&mut browser, READY);
    click(&mut browser, "board-solve");
    cable.wait(&mut browser, READY);
    assert_eq!(browser.text(GRID), solved_here(MODEL, HARD, Wish::default()).0);

    // by silence
    click(&mut browser, "board-solve");
    browser.wait(&format!("{NONE} && {TOLD}.startsWith('The board no longer answers')"));
    click(&mut browser, "board-ask");
    cable.wait(&mut browser, READY);

    // while nothing is asked
    browser.value("cable.unplug()");
    browser.wait(NONE);
    assert!(browser.text(TOLD).starts_with("The board is gone"));
    assert_eq!(browser.complaints, [""; 0]);
    board.leave();
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn a_board_that_computes_other_bits_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = with_serial(folder.path());
    browser.open(&written(folder.path()));
    // another model, which says that it is this one
    let mut board = Board::with(released("models/sudoku9-mcu-i8.hrm"), released(MODEL).crc());
    let mut cable = board.cable();
    click(&mut browser, "board-ask");
    cable.wait(&mut browser, READY);
    ask(&mut browser, HARD);
    for button in ["board-solve", "board-bits"] {
        click(&mut browser, button);
        cable.wait(&mut browser, READY);
        let told = browser.text(TOLD);
        assert!(told.starts_with("DIFFERENT") && told.contains("hrm-host device verify"), "{told}");
    }
    assert_eq!(browser.complaints, [""; 0]);
    board.leave();
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn a_board_with_a_pack_that_the_page_has_not_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = with_serial(folder.path());
    let quick: Vec<_> = RELEASED.iter().filter(|pack| pack.name.contains("quick")).copied().collect();
    browser.open(&written_with(folder.path(), &quick));
    let pack = released(MODEL);
    let mut board = Board::with(pack, pack.crc());
    let mut cable = board.cable();
    click(&mut browser, "board-ask");
    cable.wait(&mut browser, READY);
    ask(&mut browser, HARD);
    click(&mut browser, "board-solve");
    cable.wait(&mut browser, READY);
    let (grid, _, segments) = solved_here(MODEL, HARD, Wish::default());
    assert_eq!(browser.text(GRID), grid);
    assert_eq!(browser.text(DIGEST), "–", "that of another pack is none of this thought");
    assert!(browser.text(TOLD).contains("nothing was compared"));
    let now = browser.text("document.getElementById('now').textContent");
    assert!(now.contains(&format!(" guesses, {segments} segments")), "{now}");
    let charts =
        "[...document.querySelectorAll('#charts svg')].map(chart => chart.getAttribute('aria-label')).join()";
    let charts = browser.text(charts);
    assert!(charts.starts_with("z_H moved: –") && !charts.contains("NaN"), "{charts}");
    click(&mut browser, "board-bits");
    cable.wait(&mut browser, READY);
    let mut tokens = [0; 81];
    Sudoku::named("sudoku9").unwrap().parse(HARD, &mut tokens).unwrap();
    let digest = run_digest(&mut model(pack), 0, &tokens, 4).unwrap();
    assert!(browser.text(TOLD).contains(&format!("{digest:08x}")));
    assert_eq!(browser.complaints, [""; 0]);
    board.leave();
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn what_keeps_a_board_from_answering_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = with_serial(folder.path());
    // a page that has one pack of mazes
    let maze = RELEASED.iter().filter(|pack| pack.name.contains("maze")).copied().collect::<Vec<_>>();
    let page = written_with(folder.path(), &maze);
    browser.open(&page);
    let told = |browser: &mut Browser, part: &str| {
        browser.wait(&format!("{NONE} && {TOLD}.includes('{part}')"));
        browser.wait("port.readable === null");
    };
    let sent = "cable.sent.length > 0";

    browser.value("cable.chosen = false");
    click(&mut browser, "board-ask");
    told(&mut browser, "No port was chosen");
    browser.value("cable.chosen = cable.taken = true");
    click(&mut browser, "board-ask");
    told(&mut browser, "another program may have it");
    browser.value("cable.taken = false");

    click(&mut browser, "board-ask");
    told(&mut browser, "Nothing answers at that port");
    browser.value("cable.sent.splice(0).length");
    click(&mut browser, "board-ask");
    browser.wait(sent);
    give(&mut browser, b"MicroPython v1.24\r\n>>> ");
    told(&mut browser, "it is not the HRM firmware");
    browser.value("cable.sent.splice(0).length");
    click(&mut browser, "board-ask");
    browser.wait(sent);
    give(&mut browser, &of_version_9());
    told(&mut browser, "The board speaks protocol version 9");

    let (mut link, board) = loopback::pair(true);
    let mut cable = Cable::to(link.line().try_clone().unwrap());
    let program = thread::spawn(move || refuse_all(board, NoModel::Pack));
    click(&mut browser, "board-ask");
    cable.wait(&mut browser, &format!("{TOLD}.includes('it has no sound pack in its flash')"));
    told(&mut browser, "hrm-host device flash-pack");
    link.shutdown().unwrap();
    assert_eq!(program.join().unwrap(), Exit::from(NoModel::Pack));

    let pack = released("models/sudoku4-demo.hrm");
    let mut board = Board::with(pack, pack.crc());
    let mut cable = board.cable();
    click(&mut browser, "board-ask");
    cable.wait(&mut browser, NONE);
    told(&mut browser, "has a pack for sudoku4, of which this page has none");
    board.leave();
    assert_eq!(browser.complaints, [""; 0]);

    // a browser without serial ports is not shown what it cannot do
    browser.before("Object.defineProperty(navigator, 'serial', { value: undefined })");
    browser.open(&page);
    assert_eq!(browser.value("document.getElementById('board').checkVisibility()"), false);
    assert_eq!(browser.complaints, [""; 0]);
}

/// A *cancelled* of another version: no zero in it but the last, so COBS puts one byte before it.
fn of_version_9() -> Vec<u8> {
    let envelope = [9, 1, 4];
    let crc = hrm_core::digest::CRC.checksum(&envelope).to_le_bytes();
    [&[8], &envelope[..], &crc, &[0]].concat()
}
