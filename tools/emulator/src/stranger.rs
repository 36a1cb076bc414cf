//! What somebody else on the line says, where the HRM firmware was expected.

use std::fmt;

/// So many bytes are kept.
const KEPT: usize = 256;
/// So many characters of them are shown.
const SHOWN: usize = 60;

/// Bytes that came and were no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stranger {
    heard: Vec<u8>,
    more: bool,
    echo: bool,
}

impl Stranger {
    /// Notes what came.
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        let room = KEPT - self.heard.len();
        self.more |= bytes.len() > room;
        self.heard.extend(&bytes[..bytes.len().min(room)]);
    }

    /// Notes whether `sent`, our own words, are among them.
    pub(crate) fn compare(&mut self, sent: &[u8]) {
        self.echo |= self.heard.windows(sent.len().max(1)).any(|window| window == sent);
    }

    /// Whether nothing came.
    pub fn is_silent(&self) -> bool {
        self.heard.is_empty()
    }

    /// Whether our own words came back.
    pub fn is_echo(&self) -> bool {
        self.echo
    }

    /// What was heard as text, where it is text.
    pub(crate) fn text(&self) -> Option<&str> {
        // The end may be half a character.
        let text = match std::str::from_utf8(&self.heard) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => {
                str::from_utf8(&self.heard[..error.valid_up_to()]).ok()?
            }
            Err(_) => return None,
        };
        let readable = |c: char| !c.is_control() || "\r\n\t\x1b\x08".contains(c);
        (!text.trim().is_empty() && text.chars().all(readable)).then_some(text)
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = format!("{}{} bytes came", if self.more { "more than " } else { "" }, self.heard.len());
        if self.echo {
            return write!(
                f,
                "what was sent came back unchanged: the line echoes (a loop between transmit and receive, or a program that \
                 echoes what it reads), and no HRM firmware answered"
            );
        }
        let Some(text) = self.text() else {
            let start: Vec<String> = self.heard.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            return write!(f, "{count}, but no frame: they begin {}", start.join(" "));
        };
        let shown: String = text.chars().take(SHOWN).collect();
        let prompt = if text.contains(">>> ") { " (it looks like a Python prompt)" } else { "" };
        write!(f, "{count}, but no frame: they read {shown:?}{prompt}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(bytes: &[u8]) -> Stranger {
        let mut stranger = Stranger::default();
        bytes.chunks(7).for_each(|part| stranger.hear(part));
        stranger
    }

    #[test]
    fn text_is_quoted_and_noise_is_shown_in_hexadecimal() {
        let said = heard(b"\r\nSyntaxError: invalid syntax\r\n>>> ").to_string();
        assert!(said.contains("SyntaxError: invalid syntax") && said.contains("a Python prompt"), "{said}");
        let said = heard("nach dem Start: Grüße \u{20ac}".as_bytes()).to_string();
        assert!(said.contains("Grüße") && !said.contains("Python"), "{said}");
        let said = heard(&[0x80, 0xff, 3, 9]).to_string();
        assert!(said.ends_with("they begin 80 ff 03 09"), "{said}");
        let said = heard(&[b'x'; 1000]).to_string();
        assert!(said.starts_with("more than 256 bytes came") && said.len() < 400, "{said}");
        assert!(heard(b"").is_silent() && !heard(b"x").is_silent());
    }

    #[test]
    fn our_own_words_are_recognised_among_others() {
        let mut stranger = heard(&[9, 3, 4, 1, 5, 0, 7]);
        stranger.compare(&[4, 1, 6]);
        assert!(!stranger.is_echo());
        stranger.compare(&[4, 1, 5, 0]);
        assert!(stranger.is_echo() && stranger.to_string().contains("the line echoes"));
    }
}
