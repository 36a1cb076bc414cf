//! What people get wrong, and what the page says of it and leaves as it was.

use super::devtools::Browser;
use super::{DESKTOP, EASY, FASTEST, choose_pack, written};
use hrm_web::{Pack, RELEASED};

const TROUBLE: &str = "document.getElementById('trouble').textContent";
const NOW: &str = "document.getElementById('now').textContent";
const LIVE: &str = "document.getElementById('live').textContent";
const PUZZLE: &str = "document.getElementById('puzzle').value";
const CHOSEN: &str =
    "[document.getElementById('pack').value, document.getElementById('pack').selectedOptions[0].text,
    document.getElementById('about').textContent, document.getElementById('command').textContent].join('; ')";
const PACKS: &str = "document.getElementById('pack').options.length";

/// The pack for 4 x 4 grids.
fn small() -> &'static Pack<'static> {
    RELEASED.iter().find(|pack| pack.name == "models/sudoku4-demo.hrm").unwrap()
}

/// The page with it and with the easy puzzle.
fn opened(folder: &tempfile::TempDir) -> Browser {
    let mut browser = Browser::start(&folder.path().join("profile"));
    browser.look(DESKTOP, "light");
    browser.open(&written(folder.path()));
    choose_pack(&mut browser, small());
    browser.wait("document.querySelectorAll('#grid input').length === 16");
    browser.value(FASTEST);
    browser.value(&format!(
        "document.getElementById('puzzle').value = '{EASY}'; document.getElementById('puzzle').dispatchEvent(new Event('input'))"
    ));
    browser
}

/// Drops a file on the page.
fn drop_file(browser: &mut Browser, name: &str, bytes: &[u8]) {
    browser.value(&format!(
        "{{ const files = new DataTransfer(); files.items.add(new File([new Uint8Array({bytes:?})], '{name}'));
           document.dispatchEvent(new DragEvent('drop', {{ dataTransfer: files }})); 0 }}"
    ));
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn a_pack_that_cannot_be_used_is_not_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = opened(&folder);
    let before = (browser.text(CHOSEN), browser.value(PACKS));
    let sound = small().bytes;
    let mut damaged = sound.to_vec();
    damaged[sound.len() / 2] ^= 1;
    let faulty =
        [("junk.hrm", &b"no pack"[..]), ("damaged.hrm", &damaged), ("cut.hrm", &sound[..sound.len() / 2])];
    for (name, bytes) in faulty {
        drop_file(&mut browser, name, bytes);
        browser.wait(&format!("{TROUBLE}.startsWith('{name} cannot be used')"));
        assert_eq!((browser.text(CHOSEN), browser.value(PACKS)), before, "{name}");
    }
    // a sound one is chosen, and stays where one of its name is damaged
    drop_file(&mut browser, "mine.hrm", sound);
    browser.wait("document.getElementById('pack').value === 'mine.hrm'");
    let count = browser.value(PACKS);
    for bytes in [&damaged[..], sound] {
        drop_file(&mut browser, "mine.hrm", bytes);
        browser.wait(&format!("{TROUBLE}.startsWith('mine.hrm') === {}", bytes != sound));
        browser.value("document.getElementById('pack').dispatchEvent(new Event('change'))");
        browser.wait(&format!("{TROUBLE} === ''"));
        assert_eq!(browser.text(TROUBLE), "");
        assert_eq!(browser.text("document.getElementById('pack').value"), "mine.hrm");
        assert_eq!(browser.value(PACKS), count);
    }
    assert_eq!(browser.complaints, [""; 0]);
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn a_wrong_key_is_told_and_the_next_one_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = opened(&folder);
    let cell = |at: usize| format!("document.querySelectorAll('#grid input')[{at}]");
    browser.value(&format!("{}.focus()", cell(0)));
    browser.type_text("x");
    for told in [browser.text(NOW), browser.text(LIVE)] {
        assert_eq!(told, "“x” is no cell of this puzzle: type one of 1 2 3 4, or a point for a blank.");
    }
    assert_eq!(browser.text(PUZZLE), EASY);
    browser.type_text("4");
    assert_eq!(browser.text(PUZZLE), format!("4{}", &EASY[1..]));
    assert_eq!(browser.text(NOW), "Not asked yet.");
    browser.value(&format!("{}.focus()", cell(0)));
    browser.type_text("9");
    browser.press("Delete");
    assert_eq!(browser.text(PUZZLE), format!(".{}", &EASY[1..]));
    // the last cell, which no other comes after
    browser.value(&format!("{}.focus()", cell(15)));
    browser.type_text("31");
    assert!(browser.text(PUZZLE).ends_with('1'));
    assert_eq!(browser.complaints, [""; 0]);
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn what_would_be_refused_is_told_while_one_types() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = opened(&folder);
    let grid = "[...document.querySelectorAll('#grid input')].map(field => field.value || '.').join('')";
    let told = [
        (EASY[..3].to_owned(), "Not asked yet: 3 of 16 characters."),
        (format!("{EASY}1"), "Not asked yet: 17 of 16 characters."),
        (
            format!("11{}", ".".repeat(14)),
            "Not asked yet: the givens at row 1, column 1 and row 1, column 2 contradict each other.",
        ),
        (EASY.to_owned(), "Not asked yet."),
    ];
    for (puzzle, now) in told {
        browser.value(&format!(
            "{PUZZLE} = '{puzzle}'; document.getElementById('puzzle').dispatchEvent(new Event('input'))"
        ));
        browser.wait(&format!("{NOW} === '{now}'"));
        let shown = format!("{puzzle:.<16}");
        assert_eq!(browser.text(grid), shown[..16], "the grid follows");
        assert_eq!(browser.text(TROUBLE), "", "nothing is wrong before it is asked");
    }
    assert_eq!(browser.complaints, [""; 0]);
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn nothing_can_be_asked_before_the_engine_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&folder.path().join("profile"));
    browser.before("window.Worker = class { postMessage() {} }");
    browser.show(&written(folder.path()));
    assert_eq!(browser.text(NOW), "Loading …");
    let asked = "[...document.querySelectorAll('button, select, textarea, input')]";
    assert_eq!(browser.value(&format!("{asked}.filter(part => !part.matches(':disabled')).length")), 0);
    // nothing moves once the puzzle is there
    let ratio =
        "(({ width, height }) => width / height)(document.getElementById('grid').getBoundingClientRect())";
    let ratio = browser.value(ratio).as_f64().unwrap();
    assert!((0.95..1.05).contains(&ratio), "the grid's place is {ratio} times as wide as high");
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn an_option_out_of_its_range_is_named_before_it_thinks() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = opened(&folder);
    let wrong = [
        ("guesses", "", "Most guesses: a whole number from 1 to 65,535 is expected."),
        ("guesses", "0", "Most guesses: a whole number from 1 to 65,535 is expected."),
        ("suppose", "2.5", "Cells supposed: a whole number from 0 to 81 is expected."),
        ("seed", "4294967296", "Seed: a whole number from 0 to 4,294,967,295 is expected."),
    ];
    for (id, value, told) in wrong {
        let field = format!("document.getElementById('{id}')");
        let set = |value: &str| {
            format!(
                "{field}.value = '{value}'; {field}.dispatchEvent(new Event('input')); {field}.closest('details').open = false"
            )
        };
        for button in ["think", "step"] {
            browser.value(&set(value));
            browser.value(&format!("document.getElementById('{button}').click()"));
            browser.wait(&format!("{TROUBLE} !== ''"));
            assert_eq!(browser.text(TROUBLE), told);
            assert_eq!(browser.value(&format!("{field}.closest('details').open")), true);
            assert_eq!(browser.text("document.activeElement.id"), id);
            let invalid =
                "[...document.querySelectorAll('[aria-invalid=\"true\"]')].map(field => field.id).join(' ')";
            assert_eq!(browser.text(invalid), id);
            assert_eq!(browser.text("document.body.dataset.state"), "idle");
            assert_eq!(browser.text("document.getElementById('command').textContent"), "");
        }
        browser.value(&set("3"));
        assert_eq!(browser.text(TROUBLE), "");
    }
    browser.value("document.getElementById('think').click()");
    browser.wait("document.body.dataset.state === 'done'");
    assert_eq!(browser.complaints, [""; 0]);
}

/// What the page says of a digest from elsewhere.
fn compared(browser: &mut Browser, other: &str) -> String {
    browser.value(&format!(
        "document.getElementById('other').value = '{other}'; document.getElementById('other').dispatchEvent(new Event('input'))"
    ));
    browser.text("document.getElementById('compared').textContent")
}

#[test]
#[ignore = "needs a browser: `cargo xtask web --test`"]
fn what_is_no_digest_is_not_called_different() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = opened(&folder);
    let none = "This is no digest: it has 8 hexadecimal digits (0 to 9, a to f).";
    assert_eq!(["xyz", "1a2b3c4d", ""].map(|other| compared(&mut browser, other)), [none, "", ""]);
    browser.value("document.getElementById('think').click()");
    browser.wait("document.body.dataset.state === 'done'");
    assert_eq!(["xyz", "1a2b3c4", "1a2b3c4g"].map(|other| compared(&mut browser, other)), [none; 3]);
    assert!(compared(&mut browser, "1A2B3C4D").starts_with("Different"));
}
