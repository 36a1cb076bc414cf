//! The page: its parts in one file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const FRAME: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/style.css");
const WORKER: &str = include_str!("../page/worker.js");
/// In the order in which they need each other.
const SCRIPTS: [&str; 7] = [
    include_str!("../page/thinker.js"),
    include_str!("../page/examples.js"),
    include_str!("../page/board.js"),
    include_str!("../page/chart.js"),
    include_str!("../page/device.js"),
    include_str!("../page/asking.js"),
    include_str!("../page/app.js"),
];

/// A pack that the page brings along.
#[derive(Clone, Copy, Debug)]
pub struct Pack<'a> {
    /// Its file's name, or its path where that is the same for everybody.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// The page's script.
fn script() -> String {
    format!("(() => {{\n'use strict';\n{}}})();\n", SCRIPTS.join("\n"))
}

/// What the page may do, for its own `meta` element and for a server's header: run the script and style that
/// it came with, compile WebAssembly, start a worker of its own. It may ask no one for anything.
pub fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {} 'wasm-unsafe-eval'; style-src {}; worker-src blob:; img-src data:; \
         base-uri 'none'; form-action 'none'",
        hash(&script()),
        hash(STYLE)
    )
}

/// The page with `engine` and `packs`, of which the first is open at once.
pub fn page(engine: &[u8], packs: &[Pack<'_>]) -> String {
    let encoded =
        |pack: &Pack<'_>| serde_json::json!({ "name": pack.name, "bytes": STANDARD.encode(pack.bytes) });
    let packs: Vec<_> = packs.iter().map(encoded).collect();
    let parts = serde_json::json!({ "engine": STANDARD.encode(engine), "packs": packs });
    // a file's name must not end the element that it stands in
    let parts = parts.to_string().replace('<', "\\u003c");
    let parts = [
        ("{{policy}}", policy()),
        ("{{style}}", STYLE.to_owned()),
        ("{{worker}}", WORKER.to_owned()),
        ("{{parts}}", parts),
        ("{{script}}", script()),
    ];
    parts.iter().fold(FRAME.to_owned(), |page, (place, part)| page.replacen(place, part, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_no_address_and_runs_nothing_but_its_own_script() {
        let page =
            page(b"engine", &[Pack { name: "</script><script>alert(1)</script>.hrm", bytes: b"pack" }]);
        assert!(!page.contains("{{"), "a place was not filled in");
        assert_eq!(page.matches("<script").count(), 3, "worker, parts, script");
        for forbidden in [" style=", " onclick=", "src=\"http", "innerHTML", "eval("] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        let addresses: Vec<&str> = page.match_indices("http").map(|(at, _)| &page[at..at + 26]).collect();
        assert_eq!(
            addresses,
            ["http-equiv=\"Content-Securit", "http://www.w3.org/2000/svg"].map(|a| &a[..26])
        );
    }

    #[test]
    fn the_policy_is_of_the_script_and_the_style_as_they_stand_in_the_page() {
        let page = page(b"", &[]);
        let between = |open: &str, close: &str| {
            let from = page.rfind(open).unwrap() + open.len();
            page[from..from + page[from..].find(close).unwrap()].to_owned()
        };
        for text in [between("<script>", "</script>"), between("<style>", "</style>")] {
            let hash = STANDARD.encode(Sha256::digest(&text));
            assert!(page.contains(&format!("'sha256-{hash}'")));
        }
        assert!(policy().starts_with("default-src 'none'; ") && !policy().contains("unsafe-inline"));
    }
}
