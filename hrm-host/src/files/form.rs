//! What the end of a file's name promises of its content.

use std::path::Path;

use super::place::ends_in;

/// The form of a file that this program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// What to call it.
    pub(super) name: &'static str,
    /// The endings of names that say so.
    endings: &'static [&'static str],
    /// What to do about a name that says something else.
    pub(super) advice: &'static str,
}

/// Endings that promise something, whatever program a reader has.
const PROMISES: [&str; 38] = [
    "csv",
    "tsv",
    "gz",
    "tgz",
    "tar",
    "zip",
    "xz",
    "zst",
    "bz2",
    "7z",
    "xlsx",
    "xls",
    "ods",
    "parquet",
    "json",
    "jsonl",
    "yaml",
    "yml",
    "toml",
    "npy",
    "npz",
    "html",
    "htm",
    "md",
    "pdf",
    "svg",
    "png",
    "jpg",
    "jpeg",
    "hrm",
    "safetensors",
    "pt",
    "pth",
    "onnx",
    "tflite",
    "uf2",
    "elf",
    "hex",
];

impl Form {
    /// A table of puzzles.
    pub const CSV: Form =
        Form { name: "CSV", endings: &["csv", "gz"], advice: "name it .csv, or .csv.gz for gzip" };
    /// A page.
    pub const HTML: Form = Form { name: "HTML", endings: &["html", "htm"], advice: "name it .html" };
    /// A pack.
    pub const PACK: Form = Form { name: "a pack", endings: &["hrm"], advice: "name it .hrm" };
    /// Blocks of flash.
    pub const UF2: Form = Form { name: "UF2", endings: &["uf2"], advice: "name it .uf2" };

    /// The ending of `path`, where that promises something else.
    pub(super) fn broken_by(self, path: &Path) -> Option<&'static str> {
        PROMISES.into_iter().find(|end| ends_in(path, end)).filter(|end| !self.endings.contains(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_promise_is_as_good_as_the_right_one() {
        for form in [Form::CSV, Form::HTML, Form::PACK, Form::UF2] {
            let promised = form.endings.iter().map(|end| format!("x.{end}"));
            for name in
                promised.chain(["x", "-", "x.txt", "x.bin", ".csv", "x.tar.", "csv"].map(String::from))
            {
                assert_eq!(form.broken_by(Path::new(&name)), None, "{form:?}: {name}");
            }
            let broken =
                PROMISES.iter().filter(|end| form.broken_by(Path::new(&format!("x.{end}"))).is_some());
            assert_eq!(broken.count(), PROMISES.len() - form.endings.len(), "{form:?}");
            assert_eq!(form.broken_by(Path::new("a.hrm.PDF")), Some("pdf"));
        }
    }
}
