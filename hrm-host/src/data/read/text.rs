//! Characters that only look unlike those of a grid: other kinds of spaces, dots and boxes
//! for blanks, wide digits.

/// `bytes` with such characters replaced. Lines stay where they are; what is not UTF-8 is taken for Latin-1.
pub(super) fn plain(mut bytes: Vec<u8>) -> String {
    // Old Macs end lines with a carriage return alone.
    if bytes.contains(&b'\r') && !bytes.contains(&b'\n') {
        bytes.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => return text,
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let latin = chunk.invalid().iter().map(|&byte| char::from(byte));
        text.extend(chunk.valid().chars().chain(latin).filter_map(plain_char));
    }
    text
}

/// What `c` is in a grid; nothing where it cannot be seen.
fn plain_char(c: char) -> Option<char> {
    Some(match c {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => return None,
        // The parts of a keycap.
        '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}' => return None,
        '０'..='９' => char::from_digit(c as u32 - '０' as u32, 10).unwrap_or(c),
        '·' | '•' | '∙' | '⋅' | '․' | '．' | '◦' | '○' | '□' | '▢' | '▫' | '◻' | '⬜' => {
            '.'
        }
        '，' => ',',
        '；' => ';',
        '｜' => '|',
        c if c.is_whitespace() && !c.is_ascii() => ' ',
        c => c,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_grid_becomes_one() {
        for (given, expected) in [
            ("5\u{a0}3·\u{200b}.", "5 3.."),
            ("５３．□", "53.."),
            ("5\u{fe0f}\u{20e3}⬜", "5."),
            ("a\rb\r", "a\nb\n"),
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("é│", "é│"),
        ] {
            assert_eq!(plain(given.into()), expected, "{given}");
        }
        assert_eq!(plain(b"5\xa03\xb7\xe9".to_vec()), "5 3.é");
    }
}
