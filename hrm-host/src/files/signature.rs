//! Whose a file is, by all of its content.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::form::Form;
use super::mark;

/// By what a file that this program makes is known, so that it may replace an earlier one.
#[derive(Clone, Copy)]
pub struct Signature<'a> {
    name: &'a str,
    known: Known<'a>,
    form: Option<Form>,
}

#[derive(Clone, Copy)]
enum Known<'a> {
    /// Its content alone tells, to the last byte.
    ByContent(&'a dyn Fn(&mut dyn BufRead) -> io::Result<bool>),
    /// A note was kept of it.
    ByMark,
}

impl<'a> Signature<'a> {
    /// Of files called `name` (`a pack`), which are this program's where all of their content `is_own`: what
    /// somebody has added is theirs.
    pub const fn of_content(name: &'a str, is_own: &'a dyn Fn(&mut dyn BufRead) -> io::Result<bool>) -> Self {
        Self { name, known: Known::ByContent(is_own), form: None }
    }

    /// Of files called `name` (`a model card`), which are this program's as long as nobody has changed one.
    pub const fn of_mark(name: &'a str) -> Self {
        Self { name, known: Known::ByMark, form: None }
    }

    /// The same of files whose names may not promise another form.
    pub const fn in_form(self, form: Form) -> Self {
        Self { form: Some(form), ..self }
    }

    /// What to call such a file.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The form of such a file.
    pub(super) fn form(&self) -> Option<Form> {
        self.form
    }

    /// What is said of a file that is none.
    pub(super) fn lacking(&self) -> String {
        match self.known {
            Known::ByContent(_) => format!("is not {} as this program has written it", self.name),
            Known::ByMark => {
                format!(
                    "was not written here by this program as {}, or was copied or edited since",
                    self.name
                )
            }
        }
    }

    /// What is to be noted of a file that is written.
    pub(super) fn mark(&self) -> Option<String> {
        matches!(self.known, Known::ByMark).then(|| self.name.to_owned())
    }

    /// Whether the file at `path` is such a file, or is empty.
    pub(super) fn is_on(&self, path: &Path) -> io::Result<bool> {
        let mut file = BufReader::new(File::open(path)?);
        if file.fill_buf()?.is_empty() {
            return Ok(true);
        }
        let own = match self.known {
            Known::ByContent(is_own) => is_own(&mut file),
            Known::ByMark => mark::is_kept(file, self.name),
        };
        let of_content =
            [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];
        match own {
            Err(error) if of_content.contains(&error.kind()) => Ok(false),
            own => own,
        }
    }
}

/// All of `file`.
///
/// # Errors
/// What the system says.
pub fn whole(file: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All of `file` as a text, where it is one.
///
/// # Errors
/// What the system says.
pub fn whole_text(file: &mut dyn BufRead) -> io::Result<String> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::super::Plan;
    use super::*;

    const TABLE: Signature<'static> = Signature::of_mark("a table");

    fn written(path: &Path, text: &str) {
        let mut plan = Plan::new(true, [] as [&Path; 0]);
        plan.output(path, TABLE).unwrap().write(|file| file.write_all(text.as_bytes())).unwrap();
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    #[test]
    fn a_file_is_known_until_somebody_changes_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        let text = format!("a,b\n{}", "own,1\n".repeat(10_000));
        let is_own = || TABLE.is_on(&path).unwrap();
        written(&path, &text);
        assert!(is_own() && Signature::of_mark("a card").is_on(&path).is_ok_and(|own| !own));
        let moved = dir.path().join("y.csv");
        fs::rename(&path, &moved).unwrap();
        assert!(TABLE.is_on(&moved).unwrap());
        // A copy is somebody's own, and so is what is put in its place.
        fs::write(&path, fs::read(&moved).unwrap()).unwrap();
        assert!(!is_own());
        let changes: [fn(&str) -> String; 4] = [
            |text| format!("{text}own,2\n"),
            |text| text.replacen("own,1\n", "", 1),
            |text| text.replacen("own,1", "own,2", 1),
            |_| "a,b\n".to_owned(),
        ];
        for change in changes {
            written(&path, &text);
            assert!(is_own());
            let mut file = OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
            file.write_all(change(&text).as_bytes()).unwrap();
            assert!(!is_own());
        }
        fs::write(&path, "").unwrap();
        assert!(is_own(), "what is empty is nobody's work");
    }
}
