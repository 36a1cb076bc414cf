//! Words as a shell reads them, for commands that users copy.

use std::path::Path;

use crate::files::is_stdin;

/// `word` as a POSIX shell hands it over unchanged.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./,:=@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `path` as an argument of a command that is to be copied: quoted, and never taken for an option.
pub fn argument(path: &Path) -> String {
    if is_stdin(path) { "-".to_owned() } else { quoted(&operand(path.display().to_string())) }
}

/// `text`, which names a file, such that no command takes it for an option; `-` is no option.
pub fn operand(text: String) -> String {
    if text.starts_with('-') && text != "-" { format!("./{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_word_that_was_quoted() {
        for word in ["", "a", "my run", "it's", "$HOME `x` \"y\" \\", "a=b,c", "*?[a]", "~", "new\nline"] {
            let command = format!("printf %s {}", quoted(word));
            let output = std::process::Command::new("sh").args(["-c", &command]).output().expect("a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), word, "{command}");
        }
    }

    #[test]
    fn no_path_is_taken_for_an_option() {
        assert_eq!(argument(Path::new("my run")), "'my run'");
        assert_eq!(argument(Path::new("-x")), "./-x");
        assert_eq!(argument(Path::new("-")), "-");
    }
}
