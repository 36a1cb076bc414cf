//! What a file is, told by its first bytes: so that a file of another kind is named, not called damaged.

use std::fmt;
use std::io;
use std::path::Path;

use hrm_core::pack::MAGIC;

use crate::files::read_start;

/// A kind of file that people have where this program looks for puzzles or models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing at all.
    Empty,
    /// Zero bytes alone, as an interrupted copy or a full disk leaves them.
    Zeros,
    /// A pack of this program.
    Pack,
    /// Safetensors, of this program or another.
    Safetensors,
    /// Compressed with gzip.
    Gzip,
    /// UTF-8 or another encoding in which digits are single bytes.
    Text,
    /// Such text with puzzles in it.
    Puzzles,
    /// A configuration of `hrm-host train`.
    Configuration,
    /// What `hrm-host export` says of a pack, beside it.
    Card,
    /// Metrics of `hrm-host train`.
    Metrics,
    /// Git's stand-in for a large file.
    LfsPointer,
    /// A PyTorch file, in any of its formats.
    PyTorch,
    /// A pickled Python object.
    Pickle,
    /// A NumPy array.
    Numpy,
    /// NumPy arrays in a zip archive.
    NumpyArchive,
    /// A workbook of Excel or LibreOffice.
    Spreadsheet,
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
    /// A 7-Zip archive.
    SevenZip,
    /// A RAR archive.
    Rar,
    /// Compressed with xz.
    Xz,
    /// Compressed with bzip2.
    Bzip2,
    /// Compressed with Zstandard.
    Zstd,
    /// A Parquet table.
    Parquet,
    /// An Arrow or Feather table.
    Arrow,
    /// An SQLite database.
    Sqlite,
    /// An HDF5 file.
    Hdf5,
    /// A GGUF file.
    Gguf,
    /// A web page.
    Html,
    /// XML.
    Xml,
    /// JSON.
    Json,
    /// A PDF document.
    Pdf,
    /// An RTF document, as word processors write it.
    Rtf,
    /// A LaTeX document.
    Latex,
    /// A picture.
    Picture,
    /// An ELF program.
    Program,
    /// Text of two bytes a character, the lower one first.
    Utf16Le,
    /// Text of two bytes a character, the higher one first.
    Utf16Be,
    /// Text of four bytes a character, the lowest one first.
    Utf32Le,
    /// Text of four bytes a character, the highest one first.
    Utf32Be,
    /// Anything else that is no text.
    Binary,
}

/// The UTF-8 byte order mark.
pub const BOM: &[u8] = b"\xef\xbb\xbf";
/// The first bytes of gzip.
pub const GZIP: &[u8] = b"\x1f\x8b";
/// How much of a file is looked at.
const HEAD: usize = 4096;

const MARKS: &[(&[u8], Kind)] = &[
    (&MAGIC, Kind::Pack),
    (GZIP, Kind::Gzip),
    (b"version https://git-lfs.github.com/spec/", Kind::LfsPointer),
    (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", Kind::PyTorch), // before the zip format
    (b"\x93NUMPY", Kind::Numpy),
    (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
    (b"Rar!\x1a\x07", Kind::Rar),
    (b"\xfd7zXZ\x00", Kind::Xz),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (b"PAR1", Kind::Parquet),
    (b"ARROW1", Kind::Arrow),
    (b"FEA1", Kind::Arrow),
    (b"SQLite format 3\x00", Kind::Sqlite),
    (b"\x89HDF\r\n\x1a\n", Kind::Hdf5),
    (b"GGUF", Kind::Gguf),
    (b"%PDF-", Kind::Pdf),
    (b"{\\rtf", Kind::Rtf),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Spreadsheet), // Excel before 2007
    (b"\x89PNG\r\n\x1a\n", Kind::Picture),
    (b"\xff\xd8\xff", Kind::Picture),
    (b"GIF8", Kind::Picture),
    (b"\x7fELF", Kind::Program),
    (b"\xff\xfe\x00\x00", Kind::Utf32Le),
    (b"\x00\x00\xfe\xff", Kind::Utf32Be),
    (b"\xff\xfe", Kind::Utf16Le),
    (b"\xfe\xff", Kind::Utf16Be),
    (b"{\"event\":\"", Kind::Metrics),
];

/// What a file was wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Puzzles.
    Puzzles,
    /// A pack, a checkpoint or a run.
    Model,
    /// A configuration.
    Configuration,
    /// Metrics of a run.
    Metrics,
}

/// What kind of file `bytes` are.
pub fn kind_of(bytes: &[u8]) -> Kind {
    let head = &bytes[..bytes.len().min(HEAD)];
    if head.is_empty() {
        return Kind::Empty;
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Kind::Zeros;
    }
    if let Some((_, kind)) = MARKS.iter().find(|(mark, _)| head.starts_with(mark)) {
        return *kind;
    }
    match head {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => zip_of(head),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', ..] => Kind::Bzip2,
        [0x80, 2..=5, ..] => Kind::Pickle,
        _ if head.get(257..262) == Some(b"ustar") => Kind::Tar,
        _ if is_safetensors(bytes) => Kind::Safetensors,
        _ => text_of(head),
    }
}

/// What kind of file stands at `path`; only its beginning is read.
///
/// # Errors
/// What the system says.
pub fn kind_of_file(path: &Path) -> io::Result<Kind> {
    Ok(kind_of(&read_start(path, HEAD)?))
}

/// How the first entry of a workbook begins, whoever wrote it.
const OF_OFFICE: [&[u8]; 5] = [b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/", b"mimetype"];

/// A zip archive's kind, told by the name of its first entry.
fn zip_of(head: &[u8]) -> Kind {
    let length = head.get(26..28).map_or(0, |two| usize::from(two[0]) | usize::from(two[1]) << 8);
    let name = head.get(30..).map_or(&[][..], |rest| &rest[..rest.len().min(length)]);
    let of_torch = [&b"/data.pkl"[..], b"/version", b"/byteorder", b"/.format_version"];
    if of_torch.iter().any(|end| name.ends_with(end)) || name == b"data.pkl" {
        Kind::PyTorch
    } else if name.ends_with(b".npy") {
        Kind::NumpyArchive
    } else if OF_OFFICE.iter().any(|start| name.starts_with(start)) {
        Kind::Spreadsheet
    } else {
        Kind::Zip
    }
}

/// Eight bytes of a header's length and then JSON, even where the rest of the file is missing.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    (2..100_000_000).contains(&length) && (rest.starts_with(b"{\"") || rest.starts_with(b"{}"))
}

/// Which text, if it is text at all.
fn text_of(head: &[u8]) -> Kind {
    if let Some(kind) = wide_text_of(head) {
        return kind;
    }
    let control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1a);
    if head.iter().any(control) {
        return Kind::Binary;
    }
    let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    let lines = || text.split(|byte| *byte == b'\n');
    let start: Vec<u8> = text.iter().take(16).map(u8::to_ascii_lowercase).collect();
    if start.starts_with(b"<?xml") {
        Kind::Xml
    } else if matches!(start[..], [b'<', b'a'..=b'z' | b'!', ..]) {
        Kind::Html
    } else if is_json(text) {
        Kind::Json
    } else if lines().any(|line| line.trim_ascii_start().starts_with(b"\\documentclass")) {
        Kind::Latex
    } else if text.starts_with(b"# ") && lines().any(|line| line.starts_with(b"| pack | ")) {
        Kind::Card
    } else if lines().any(|line| line.trim_ascii() == b"[model]") {
        Kind::Configuration
    } else if text.split(|byte| !is_cell(*byte)).any(|cells| cells.len() >= 16) {
        Kind::Puzzles
    } else {
        Kind::Text
    }
}

fn is_cell(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'.'
}

/// Text of two or four bytes a character without a mark: all but one byte of a digit are 0.
fn wide_text_of(head: &[u8]) -> Option<Kind> {
    let zeros_but = |width: usize, place: usize| {
        let whole = &head[..head.len() / width * width];
        let holds = |(at, byte): (usize, &u8)| (*byte != 0) == (at % width == place);
        whole.len() >= 8 && whole.iter().enumerate().all(holds)
    };
    [(4, 0, Kind::Utf32Le), (4, 3, Kind::Utf32Be), (2, 0, Kind::Utf16Le), (2, 1, Kind::Utf16Be)]
        .into_iter()
        .find_map(|(width, place, kind)| zeros_but(width, place).then_some(kind))
}

/// `{"` or `[{`, and `["` and `[[` before anything but cells, with any space between: a section header like
/// `[Puzzle]` is none, and arrays of cells are puzzles.
fn is_json(text: &[u8]) -> bool {
    let inner = |text: &[u8], skipped: &[u8]| {
        text.iter().copied().find(|byte| !byte.is_ascii_whitespace() && !skipped.contains(byte))
    };
    match text.split_first() {
        Some((b'{', rest)) => matches!(inner(rest, b""), Some(b'"' | b'}')),
        Some((b'[', rest)) => match inner(rest, b"") {
            Some(b'{') => true,
            // A table of TOML.
            Some(b'[') if inner(rest, b"[").is_some_and(|byte| byte.is_ascii_alphabetic()) => false,
            Some(b'"' | b'[') => {
                !inner(rest, b"[]\"',").is_some_and(|byte| is_cell(byte) || b"_-*?xXnN".contains(&byte))
            }
            _ => false,
        },
        _ => false,
    }
}

impl Kind {
    /// What to do with such a file where another one was `wanted`, as a clause that follows "FILE is KIND; ".
    pub fn advice(self, wanted: Wanted) -> &'static str {
        match self {
            Kind::Empty => "download, copy or make it again",
            Kind::Zeros => {
                "its content was never written (a copy that was interrupted, a disk that was full): get it again"
            }
            Kind::LfsPointer => "run `git lfs pull` in its repository to get the file itself",
            Kind::PyTorch | Kind::Pickle => {
                "`hrm-host import` makes a run of a checkpoint of the original PyTorch code"
            }
            Kind::Numpy if wanted == Wanted::Puzzles => {
                "`hrm-host data import FOLDER` reads the folder of a data set; write other rows as CSV with the columns question,answer"
            }
            Kind::Spreadsheet => "save the sheet as CSV (UTF-8)",
            Kind::Rtf => "save it as plain text",
            Kind::Latex if wanted == Wanted::Puzzles => {
                "write its grids into a text file, one row a line and a blank as `.`"
            }
            Kind::Gzip => "unpack it with `gunzip`",
            Kind::Zip => "unpack it with `unzip`, then name the file that was in it",
            Kind::Tar => "unpack it with `tar xf`, then name the file that was in it",
            Kind::SevenZip | Kind::Rar => "unpack it, then name the file that was in it",
            Kind::Xz => "unpack it with `xz -d`",
            Kind::Bzip2 => "unpack it with `bunzip2`",
            Kind::Zstd => "unpack it with `zstd -d`",
            Kind::Html => {
                "where it is a download that failed, open it to see why and download the file itself; a table in it can be saved as \
                 CSV with a spreadsheet"
            }
            Kind::Utf16Le => "save it as UTF-8, for example with `iconv -f UTF-16LE -t UTF-8`",
            Kind::Utf16Be => "save it as UTF-8, for example with `iconv -f UTF-16BE -t UTF-8`",
            Kind::Utf32Le => "save it as UTF-8, for example with `iconv -f UTF-32LE -t UTF-8`",
            Kind::Utf32Be => "save it as UTF-8, for example with `iconv -f UTF-32BE -t UTF-8`",
            Kind::Pack | Kind::Safetensors => match wanted {
                Wanted::Puzzles => "a model stands before the options, and puzzles go to --data or --file",
                Wanted::Model => "a checkpoint of `hrm-host train` is one file of a run directory",
                Wanted::Configuration => {
                    "`train --from` starts from it; --config wants a file like configs/sudoku9-mcu.toml"
                }
                Wanted::Metrics => "name the run directory that it was made in",
            },
            Kind::Puzzles => match wanted {
                Wanted::Puzzles => "check its contents",
                Wanted::Model => {
                    "puzzles go to --data (or `solve --file`), and here stands a pack, a checkpoint or a run"
                }
                Wanted::Configuration => {
                    "puzzles go to --data; a configuration is a file like configs/sudoku9-mcu.toml"
                }
                Wanted::Metrics => {
                    "name a run directory, or its metrics.jsonl; `hrm-host data stats` shows puzzles"
                }
            },
            Kind::Configuration => match wanted {
                Wanted::Model => {
                    "`hrm-host train --config` trains a model as it says, and the run is the model then"
                }
                Wanted::Puzzles => "it goes to --config; puzzles go to --data",
                Wanted::Configuration | Wanted::Metrics => "name a run directory",
            },
            Kind::Card => "name the pack that it describes, the .hrm beside it",
            Kind::Metrics => match wanted {
                Wanted::Metrics => "check its contents",
                _ => "`hrm-host curves` draws them; name the run directory that they lie in",
            },
            Kind::Numpy | Kind::NumpyArchive | Kind::Parquet | Kind::Arrow | Kind::Sqlite | Kind::Hdf5
                if wanted == Wanted::Puzzles =>
            {
                "write its rows as CSV with the columns question,answer"
            }
            Kind::Json if wanted == Wanted::Puzzles => {
                "write its rows as CSV with the columns question,answer, for example with `jq -r \
                 'if type == \"array\" then .[] else . end | [.puzzle, .solution] | @csv'`"
            }
            Kind::Xml if wanted == Wanted::Puzzles => {
                "write its puzzles one a line, for example with `grep -o 'data=\"[0-9.]*' FILE | cut -d '\"' -f 2`, \
                 where they stand in attributes called `data`"
            }
            _ => match wanted {
                Wanted::Puzzles => "check the path",
                Wanted::Model => {
                    "check the path: a pack (.hrm), a checkpoint (.safetensors) or a run directory is wanted"
                }
                Wanted::Configuration => {
                    "check the path: a TOML file like configs/sudoku9-mcu.toml is wanted"
                }
                Wanted::Metrics => "check the path: a run directory or its metrics.jsonl is wanted",
            },
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Empty => "empty",
            Kind::Zeros => "nothing but zero bytes",
            Kind::Pack => "a pack",
            Kind::Safetensors => "a safetensors file",
            Kind::Gzip => "compressed with gzip",
            Kind::Text => "a text file",
            Kind::Puzzles => "a puzzle file",
            Kind::Configuration => "a configuration (TOML)",
            Kind::Card => "a model card",
            Kind::Metrics => "a file of metrics",
            Kind::LfsPointer => "a Git LFS pointer",
            Kind::PyTorch => "a PyTorch file",
            Kind::Pickle => "a pickled Python object",
            Kind::Numpy => "a NumPy array",
            Kind::NumpyArchive => "an archive of NumPy arrays",
            Kind::Spreadsheet => "a spreadsheet",
            Kind::Zip => "a zip archive",
            Kind::Tar => "a tar archive",
            Kind::SevenZip => "a 7-Zip archive",
            Kind::Rar => "a RAR archive",
            Kind::Xz => "compressed with xz",
            Kind::Bzip2 => "compressed with bzip2",
            Kind::Zstd => "compressed with Zstandard",
            Kind::Parquet => "a Parquet table",
            Kind::Arrow => "an Arrow table",
            Kind::Sqlite => "an SQLite database",
            Kind::Hdf5 => "an HDF5 file",
            Kind::Gguf => "a GGUF file",
            Kind::Html => "a web page (HTML)",
            Kind::Xml => "an XML file",
            Kind::Json => "a JSON file",
            Kind::Pdf => "a PDF document",
            Kind::Rtf => "an RTF document",
            Kind::Latex => "a LaTeX document",
            Kind::Picture => "a picture",
            Kind::Program => "a program (ELF)",
            Kind::Utf16Le | Kind::Utf16Be => "text in UTF-16",
            Kind::Utf32Le | Kind::Utf32Be => "text in UTF-32",
            Kind::Binary => "binary data of an unknown kind",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zip(name: &str) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.resize(26, 0);
        bytes.extend([name.len() as u8, 0, 0, 0]);
        bytes.extend(name.as_bytes());
        bytes
    }

    #[test]
    fn every_kind_is_known_by_its_first_bytes() {
        let utf16: Vec<u8> = "quizzes,solutions".bytes().flat_map(|byte| [byte, 0]).collect();
        let utf16_big: Vec<u8> = "quizzes,solutions".bytes().flat_map(|byte| [0, byte]).collect();
        let utf32: Vec<u8> = "quizzes".bytes().flat_map(|byte| [byte, 0, 0, 0]).collect();
        let utf32_big: Vec<u8> = "quizzes".bytes().flat_map(|byte| [0, 0, 0, byte]).collect();
        let mut tar = vec![b'a'; 257];
        tar.extend(b"ustar");
        let cases: Vec<(&[u8], Kind)> = vec![
            (b"", Kind::Empty),
            (b"HRM\x1a\x01\x00", Kind::Pack),
            (b"\x40\0\0\0\0\0\0\0{\"__metadata__\":{}}", Kind::Safetensors),
            (b"\x1f\x8b\x08", Kind::Gzip),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", Kind::LfsPointer),
            (b"\x80\x02}q\x00.", Kind::Pickle),
            (b"BZh91AY&SY", Kind::Bzip2),
            (b"\xfd7zXZ\x00\x00", Kind::Xz),
            (b"PAR1\x15\x04", Kind::Parquet),
            (b"\n <!DOCTYPE html><html>", Kind::Html),
            (b"<HTML><body>404</body>", Kind::Html),
            (b"<pre>\n53..7....</pre>", Kind::Html),
            (b"[[puzzle]]\nquestion = 3\n", Kind::Text),
            (b"<?xml version='1.0'?>", Kind::Xml),
            (b"{\"puzzle\": \"1...\"}", Kind::Json),
            (b"[[\"question\",\"answer\"]]", Kind::Json),
            (b"[[\"5\",\"3\",\".\"]]", Kind::Text),
            (b"[Puzzle]\n53..7....\n", Kind::Text),
            (b"# a run\n[model]\r\nwidth = 3\n", Kind::Configuration),
            (b"# m.hrm\n\n| task | maze |\n| pack | 9 bytes |\n```toml\n[model]\n```\n", Kind::Card),
            (b"{\"event\":\"start\",\"step\":0}\n", Kind::Metrics),
            (&[0; 64], Kind::Zeros),
            (b"%PDF-1.7", Kind::Pdf),
            (b"{\\rtf1\\ansi 1.....2..3.....4}", Kind::Rtf),
            (b"% by me\n\\documentclass{article}\n", Kind::Latex),
            (b"\\begin{sudoku}\n|1| | | |.\n", Kind::Text),
            (b"\\begin{tabular}{c}\n1 & & & 2 \\\\\n", Kind::Text),
            (b"\xff\xfe1\x00", Kind::Utf16Le),
            (b"\xfe\xff\x001", Kind::Utf16Be),
            (&utf16, Kind::Utf16Le),
            (&utf16_big, Kind::Utf16Be),
            (&utf32, Kind::Utf32Le),
            (&utf32_big, Kind::Utf32Be),
            (&tar, Kind::Tar),
            (b"\xef\xbb\xbf1.....2..3.....4\r\n", Kind::Puzzles),
            (b"1.....2..3.....4", Kind::Puzzles),
            (b"na\xefve,1.....2..3.....4", Kind::Puzzles),
            (b"5 3 . . 7\n", Kind::Text),
            (b"1.....2..3\0....4", Kind::Binary),
        ];
        for (bytes, kind) in cases {
            assert_eq!(kind_of(bytes), kind, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_zip_archive_is_known_by_its_first_entry() {
        for (name, kind) in [
            ("step_2500/data.pkl", Kind::PyTorch),
            ("archive/data.pkl", Kind::PyTorch),
            ("all__inputs.npy", Kind::NumpyArchive),
            ("[Content_Types].xml", Kind::Spreadsheet),
            ("docProps/app.xml", Kind::Spreadsheet),
            ("_rels/.rels", Kind::Spreadsheet),
            ("sudoku.csv", Kind::Zip),
        ] {
            assert_eq!(kind_of(&zip(name)), kind, "{name}");
        }
        assert_eq!(kind_of(b"PK\x03\x04 and little more"), Kind::Zip);
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_kind(bytes in prop::collection::vec(any::<u8>(), 0..300), mark in 0..MARKS.len()) {
            let _ = kind_of(&bytes);
            let marked = [MARKS[mark].0, bytes.as_slice()].concat();
            prop_assert!(!matches!(kind_of(&marked), Kind::Text | Kind::Puzzles));
        }
    }
}
