//! The page on which a pack is seen thinking: what the command writes and serves. How it looks and thinks in
//! a browser is tested in `tools/web/tests/browser`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::common::{PACK, command, hrm, ok};

#[test]
fn the_page_is_one_file_that_is_written_anew_as_long_as_nobody_has_changed_it() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("seen/page/index.html");
    for _ in 0..2 {
        let (code, out, said) = hrm(dir.path(), &["web", "--out", "seen/page"]);
        assert!(code == 0 && out.is_empty() && said.contains("index.html: open it"), "{said}");
    }
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("<!doctype html>") && text.contains("sudoku9-plus.hrm"));
    fs::write(&page, text + "<!-- mine -->").unwrap();
    let (code, _, said) = hrm(dir.path(), &["web", "--out", "seen/page"]);
    assert!(code == 1 && said.contains("--force"), "{said}");
}

#[test]
fn a_pack_of_ones_own_comes_first_and_what_is_no_pack_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(PACK, dir.path().join("mine.hrm")).unwrap();
    fs::write(dir.path().join("other.hrm"), "no pack").unwrap();
    ok(dir.path(), &["web", "mine.hrm", "--out", "page"]);
    let text = fs::read_to_string(dir.path().join("page/index.html")).unwrap();
    assert!(text.find("\"mine.hrm\"").unwrap() < text.find("\"models/sudoku9-mcu.hrm\"").unwrap());
    let (code, _, said) = hrm(dir.path(), &["web", "mine.hrm", "other.hrm", "--out", "none"]);
    assert!(code == 1 && said.contains("other.hrm") && !dir.path().join("none").exists(), "{said}");
}

#[test]
fn the_page_is_served_to_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let mut server =
        command(dir.path(), &["web"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let host = url.trim().strip_prefix("http://").and_then(|url| url.strip_suffix('/')).expect("an address");
    assert!(host.starts_with("127.0.0.1:"), "{url}");
    let mut client = TcpStream::connect(host).unwrap();
    write!(client, "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.trim_end().ends_with("</html>"));
}

#[test]
fn the_digest_of_a_solve_is_the_one_that_the_page_shows() {
    let dir = tempfile::tempdir().unwrap();
    for (puzzle, digest) in [("1.....2..3.....4", "\"503fdc1e\""), ("1243342143122134", "\"00000000\"")] {
        for more in [&["--threads", "1", "--json"][..], &["--json"]] {
            let (_, out, said) = hrm(dir.path(), &[&["solve", PACK, puzzle][..], more].concat());
            assert!(out.contains(&format!("\"digest\":{digest}")), "{out}{said}");
        }
    }
}
