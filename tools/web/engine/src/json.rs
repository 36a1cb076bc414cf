//! Texts in JSON, which every page reads: numbers are written as they are, texts through this.

use core::fmt::{Display, Formatter, Result, Write};

/// A text in quotation marks.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if u32::from(c) < 0x20 => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_text_does_not() {
        assert_eq!(Quoted("a \"b\" \\ c\nd é").to_string(), r#""a \"b\" \\ c\u000ad é""#);
    }
}
