//! Arrays of whole numbers in NumPy's `.npy` files.
//!
//! Written here because readers at hand take a header's word for how much memory to reserve, and
//! write other bytes than NumPy.

/// The first bytes of every file.
const MAGIC: &[u8] = b"\x93NUMPY";
/// Data begins at a multiple of this.
const ALIGNMENT: usize = 64;

/// Types of whole numbers that the original's data sets are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    U8,
    I32,
    I64,
}

impl Whole {
    const fn code(self) -> &'static str {
        match self {
            Whole::U8 => "|u1",
            Whole::I32 => "<i4",
            Whole::I64 => "<i8",
        }
    }
}

/// An array and its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<i64>,
}

impl Array {
    /// Reads a file's bytes. Any type of whole number is taken.
    ///
    /// # Errors
    /// What is wrong, as words that follow the file's name.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let (header, data) = parts(bytes).ok_or("is no NumPy array, or cut short")?;
        let value = |key: &str| {
            let (_, rest) = header.split_once(&format!("'{key}':"))?;
            Some(rest.trim_start())
        };
        let descr = value("descr").and_then(|rest| rest.strip_prefix('\'')?.split('\'').next());
        let descr = descr.ok_or("has no simple type, as arrays of whole numbers do")?;
        if value("fortran_order").is_none_or(|order| !order.starts_with("False")) {
            return Err("is in Fortran order; write it with numpy.ascontiguousarray".into());
        }
        let shape = value("shape")
            .and_then(|rest| rest.strip_prefix('(')?.split_once(')'))
            .and_then(|(shape, _)| {
                let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
                sizes.map(|size| size.parse().ok()).collect::<Option<Vec<usize>>>()
            })
            .ok_or("has no shape")?;
        let values = whole_numbers(descr, data).ok_or_else(|| {
            format!("is of type {descr}; data sets hold whole numbers of 1 to 8 bytes, the lowest first")
        })?;
        let count = shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
        if count != Some(values.len()) {
            return Err(format!(
                "has {} values where its shape is {shape:?}; was it cut short?",
                values.len()
            ));
        }
        Ok(Self { shape, values })
    }

    /// The bytes of a file as NumPy writes it.
    pub(super) fn write(&self, whole: Whole) -> Vec<u8> {
        let sizes: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        let shape = if let [only] = &sizes[..] { format!("{only},") } else { sizes.join(", ") };
        let code = whole.code();
        let mut header = format!("{{'descr': '{code}', 'fortran_order': False, 'shape': ({shape}), }}");
        // NumPy leaves room for the first size to grow, 21 digits in all.
        header.push_str(&" ".repeat(21usize.saturating_sub(sizes.first().map_or(21, String::len))));
        let before = MAGIC.len() + 4;
        let whole_length = (before + header.len() + 1).next_multiple_of(ALIGNMENT);
        header.push_str(&" ".repeat(whole_length - before - header.len() - 1));
        header.push('\n');
        let mut bytes = [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
        for value in &self.values {
            match whole {
                Whole::U8 => bytes.push(*value as u8),
                Whole::I32 => bytes.extend((*value as i32).to_le_bytes()),
                Whole::I64 => bytes.extend(value.to_le_bytes()),
            }
        }
        bytes
    }
}

/// Header and data of a file.
fn parts(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (version, rest) = rest.split_at_checked(2)?;
    let (length, rest) = match version[0] {
        1 => rest.split_at_checked(2)?,
        2 | 3 => rest.split_at_checked(4)?,
        _ => return None,
    };
    let length = length.iter().rev().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// The numbers in `data`, if the type is one of whole numbers and they are whole.
fn whole_numbers(descr: &str, data: &[u8]) -> Option<Vec<i64>> {
    let (order, kind) = descr.split_at_checked(1)?;
    let (signed, size) = match kind {
        "u1" | "u2" | "u4" | "u8" => (false, kind[1..].parse::<usize>().ok()?),
        "i1" | "i2" | "i4" | "i8" => (true, kind[1..].parse::<usize>().ok()?),
        _ => return None,
    };
    if !(order == "<" || (size == 1 && order == "|")) || !data.len().is_multiple_of(size) {
        return None;
    }
    let number = |bytes: &[u8]| {
        let negative = signed && bytes[size - 1] & 0x80 != 0;
        let mut whole = [if negative { 0xff } else { 0 }; 8];
        whole[..size].copy_from_slice(bytes);
        i64::from_le_bytes(whole)
    };
    Some(data.chunks_exact(size).map(number).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_numpy_writes_is_read() {
        // numpy.save of arange(3, dtype=...), NumPy 2.4
        let file = |descr: &str, data: &[u8]| {
            let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (3,), }}");
            while !(10 + header.len() + 1).is_multiple_of(64) {
                header.push(' ');
            }
            header.push('\n');
            [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
        };
        for (descr, data) in [
            ("|u1", vec![0, 1, 2]),
            ("|i1", vec![0, 1, 2]),
            ("<i2", vec![0, 0, 1, 0, 2, 0]),
            ("<u8", [0u64, 1, 2].iter().flat_map(|n| n.to_le_bytes()).collect()),
        ] {
            assert_eq!(
                Array::read(&file(descr, &data)).unwrap(),
                Array { shape: vec![3], values: vec![0, 1, 2] }
            );
        }
        assert_eq!(Array::read(&file("|i1", &[255, 0, 1])).unwrap().values, [-1, 0, 1]);
        for (descr, data, why) in [
            (">i2", vec![0; 6], "is of type >i2"),
            ("<f4", vec![0; 12], "is of type <f4"),
            ("|u1", vec![0; 2], "has 2 values where its shape is [3]"),
        ] {
            assert!(Array::read(&file(descr, &data)).unwrap_err().starts_with(why));
        }
    }

    #[test]
    fn a_header_that_promises_much_reserves_nothing() {
        let array = Array { shape: vec![usize::MAX, 2], values: vec![] };
        let error = Array::read(&array.write(Whole::U8)).unwrap_err();
        assert!(error.contains("was it cut short?"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in 0usize..40, columns in 1usize..20, seed: u8) {
            let values: Vec<i64> = (0..rows * columns).map(|at| (at as u8 ^ seed).into()).collect();
            let array = Array { shape: vec![rows, columns], values };
            for whole in [Whole::U8, Whole::I32, Whole::I64] {
                let bytes = array.write(whole);
                prop_assert_eq!(&Array::read(&bytes).unwrap(), &array);
                prop_assert!(bytes.len() % 64 == rows * columns * [1, 4, 8][whole as usize] % 64);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Array::read(&bytes);
            let _ = Array::read(&[MAGIC, &bytes].concat());
        }
    }
}
