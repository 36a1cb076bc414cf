//! Reads a pickle without running it: what would be a call in Python is a name and its arguments here.
//!
//! Values lie in one list and refer to each other by their place in it, so that a value which is used a
//! million times is there once, and a pickle cannot grow beyond its own size.

use std::collections::HashMap;

/// Place of a value among all of them.
pub(super) type Id = usize;

/// A value of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes,
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or a function, `module.name`.
    Global(String),
    /// A call of a function, `REDUCE`.
    Call {
        function: Id,
        arguments: Id,
    },
    /// An object of a class, `NEWOBJ`.
    Object {
        class: Id,
    },
    /// What the file keeps outside of the pickle.
    Persistent(Id),
}

/// Why bytes are no pickle that this reader takes.
#[derive(Debug, thiserror::Error)]
#[error("{what} at byte {at} of its pickle")]
pub(super) struct PickleError {
    what: String,
    at: usize,
}

/// All values of a pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Vec<Value>,
    /// The value that Python would give.
    pub(super) root: Id,
}

impl Pickle {
    /// Reads one pickle of protocol 2 to 5.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PickleError> {
        let mut reader = Reader {
            bytes,
            at: 0,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        };
        loop {
            let at = reader.at;
            match reader.step() {
                Ok(None) => (),
                Ok(Some(root)) => return Ok(Self { values: reader.values, root }),
                Err(what) => return Err(PickleError { what, at }),
            }
        }
    }

    /// A value.
    pub(super) fn get(&self, id: Id) -> &Value {
        &self.values[id]
    }

    /// The name of a class or function.
    pub(super) fn global(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Global(name) => Some(name),
            _ => None,
        }
    }

    /// The elements of a tuple.
    pub(super) fn tuple(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(parts) => Some(parts),
            _ => None,
        }
    }

    /// A text.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number that counts something.
    pub(super) fn count(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The functions that Python would call, also those whose results it would throw away.
    pub(super) fn called(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(|value| match value {
            Value::Call { function, .. } => Some(self.global(*function).unwrap_or("a computed function")),
            _ => None,
        })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    /// How high the stack was at every open mark.
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
}

impl<'a> Reader<'a> {
    /// Does what the next instruction says; the last one gives the result.
    fn step(&mut self) -> Result<Option<Id>, String> {
        let instruction = self.take(1)?[0];
        match instruction {
            0x80 => drop(self.take(1)?), // PROTO
            0x95 => drop(self.take(8)?), // FRAME
            b'.' => return self.pop().map(Some),
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool(instruction == 0x88)),
            b'K' => self.integer(1)?,
            b'M' => self.integer(2)?,
            b'J' => {
                let value = i32::from_le_bytes(self.take(4)?.try_into().unwrap_or_default());
                self.push(Value::Int(value.into()));
            }
            0x8a => self.long()?,
            b'G' => {
                let value = f64::from_be_bytes(self.take(8)?.try_into().unwrap_or_default());
                self.push(Value::Float(value));
            }
            b'X' => self.text(4)?,
            0x8c => self.text(1)?,
            0x8d => self.text(8)?,
            b'U' | b'C' => self.skip_bytes(1)?,
            b'T' | b'B' => self.skip_bytes(4)?,
            0x8e => self.skip_bytes(8)?,
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85..=0x87 => self.tuple_of(usize::from(instruction - 0x84))?,
            b't' => {
                let parts = self.pop_to_mark()?;
                self.push(Value::Tuple(parts));
            }
            b']' => self.push(Value::List(Vec::new())),
            b'l' => {
                let parts = self.pop_to_mark()?;
                self.push(Value::List(parts));
            }
            b'a' => {
                let part = self.pop()?;
                self.extend_list(vec![part])?;
            }
            b'e' => {
                let parts = self.pop_to_mark()?;
                self.extend_list(parts)?;
            }
            b'}' => self.push(Value::Dict(Vec::new())),
            b'd' => {
                let parts = self.pop_to_mark()?;
                self.push(Value::Dict(Vec::new()));
                self.extend_dict(&parts)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend_dict(&[key, value])?;
            }
            b'u' => {
                let parts = self.pop_to_mark()?;
                self.extend_dict(&parts)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Global(format!("{module}.{name}")));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Value::Text(module), Value::Text(name)) = (&self.values[module], &self.values[name])
                else {
                    return Err("a class without a name".into());
                };
                let global = Value::Global(format!("{module}.{name}"));
                self.push(global);
            }
            b'R' => self.call()?,
            0x81 => {
                let (_, class) = (self.pop()?, self.pop()?);
                self.push(Value::Object { class });
            }
            0x92 => {
                let (_, _, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.push(Value::Object { class });
            }
            b'b' => drop(self.pop()?), // BUILD: attributes of the object below, of which none is wanted
            b'Q' => {
                let what = self.pop()?;
                self.push(Value::Persistent(what));
            }
            b'q' => self.remember(1)?,
            b'r' => self.remember(4)?,
            0x94 => {
                let top = self.top()?;
                self.memo.insert(self.memo.len(), top);
            }
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            other => return Err(format!("the unknown instruction {other:#04x}")),
        }
        Ok(None)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or("the end of the data")?;
        self.at += count;
        Ok(taken)
    }

    /// An unsigned number of `size` bytes.
    fn size(&mut self, size: usize) -> Result<usize, String> {
        let value = self.take(size)?.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        usize::try_from(value).map_err(|_| "a size beyond this machine's".into())
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("the end of the data")?;
        let line = self.take(end + 1)?;
        Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned())
    }

    fn push(&mut self, value: Value) {
        self.values.push(value);
        self.stack.push(self.values.len() - 1);
    }

    fn top(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(|| "an empty stack".into())
    }

    fn pop(&mut self) -> Result<Id, String> {
        let top = self.top()?;
        if self.marks.last().is_some_and(|mark| *mark >= self.stack.len()) {
            return Err("an empty stack above a mark".into());
        }
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("a mark that is missing")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn integer(&mut self, bytes: usize) -> Result<(), String> {
        let value = self.size(bytes)?;
        self.push(Value::Int(value as i64));
        Ok(())
    }

    /// A signed number of the length that precedes it.
    fn long(&mut self) -> Result<(), String> {
        let length = self.size(1)?;
        let bytes = self.take(length)?;
        if bytes.len() > 8 {
            return Err("a number of more than 64 bits".into());
        }
        let negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
        let mut whole = [if negative { 0xff } else { 0 }; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        self.push(Value::Int(i64::from_le_bytes(whole)));
        Ok(())
    }

    fn text(&mut self, size: usize) -> Result<(), String> {
        let length = self.size(size)?;
        let bytes = self.take(length)?;
        self.push(Value::Text(String::from_utf8_lossy(bytes).into_owned()));
        Ok(())
    }

    fn skip_bytes(&mut self, size: usize) -> Result<(), String> {
        let length = self.size(size)?;
        self.take(length)?;
        self.push(Value::Bytes);
        Ok(())
    }

    fn tuple_of(&mut self, count: usize) -> Result<(), String> {
        let mut parts = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        parts.reverse();
        self.push(Value::Tuple(parts));
        Ok(())
    }

    fn extend_list(&mut self, parts: Vec<Id>) -> Result<(), String> {
        let top = self.top()?;
        match &mut self.values[top] {
            Value::List(list) => list.extend(parts),
            Value::Object { .. } | Value::Call { .. } => (), // of a class of its own
            _ => return Err("elements of what is no list".into()),
        }
        Ok(())
    }

    fn extend_dict(&mut self, parts: &[Id]) -> Result<(), String> {
        if !parts.len().is_multiple_of(2) {
            return Err("a key without a value".into());
        }
        let top = self.top()?;
        match &mut self.values[top] {
            Value::Dict(dict) => dict.extend(parts.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
            Value::Object { .. } | Value::Call { .. } => (),
            _ => return Err("entries of what is no dictionary".into()),
        }
        Ok(())
    }

    /// A call; that of `OrderedDict` without arguments is an empty dictionary.
    fn call(&mut self) -> Result<(), String> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let ordered = self.values[function] == Value::Global("collections.OrderedDict".into());
        let empty = self.values[arguments] == Value::Tuple(Vec::new());
        self.push(match ordered && empty {
            true => Value::Dict(Vec::new()),
            false => Value::Call { function, arguments },
        });
        Ok(())
    }

    fn remember(&mut self, size: usize) -> Result<(), String> {
        let (at, top) = (self.size(size)?, self.top()?);
        self.memo.insert(at, top);
        Ok(())
    }

    fn recall(&mut self, size: usize) -> Result<(), String> {
        let at = self.size(size)?;
        let id = *self.memo.get(&at).ok_or("a value that was never stored")?;
        self.stack.push(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_that_is_used_often_is_there_once() {
        // Thirty lists, each of which holds the one before twice: 2^30 elements in Python, 31 values here.
        let mut bytes = b"\x80\x02]q\x00".to_vec();
        for at in 0..30u8 {
            bytes.extend([b']', b'(', b'h', at, b'h', at, b'e', b'q', at + 1]);
        }
        bytes.push(b'.');
        let pickle = Pickle::read(&bytes).unwrap();
        assert_eq!(pickle.values.len(), 31);
        assert!(matches!(pickle.get(pickle.root), Value::List(parts) if parts.len() == 2));
    }

    #[test]
    fn a_call_is_told_even_where_its_result_is_thrown_away() {
        let pickle = Pickle::read(b"\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R0}.").unwrap();
        assert_eq!(pickle.called().collect::<Vec<_>>(), ["posix.system"]);
        assert_eq!(*pickle.get(pickle.root), Value::Dict(vec![]));
    }

    #[test]
    fn what_python_writes_is_read_at_every_protocol() {
        // pickle.dumps({"a": [1, -2, 300], "b": (True, None)}, protocol) of Python 3.13
        let two: &[u8] = b"\x80\x02}q\x00(X\x01\0\0\0aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01eX\x01\0\0\0bq\x03\x88N\x86q\x04u.";
        let four: &[u8] = b"\x80\x04\x95\x21\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffM,\x01e\x8c\x01b\x94\x88N\x86\x94u.";
        for bytes in [two, four] {
            let pickle = Pickle::read(bytes).unwrap();
            let Value::Dict(entries) = pickle.get(pickle.root) else { panic!("{pickle:?}") };
            assert_eq!(pickle.text(entries[0].0), Some("a"));
            let Value::List(numbers) = pickle.get(entries[0].1) else { panic!("{pickle:?}") };
            let numbers: Vec<_> = numbers.iter().map(|id| pickle.get(*id).clone()).collect();
            assert_eq!(numbers, [Value::Int(1), Value::Int(-2), Value::Int(300)]);
            assert_eq!(pickle.tuple(entries[1].1).unwrap().len(), 2);
            for cut in 0..bytes.len() {
                assert!(Pickle::read(&bytes[..cut]).is_err(), "cut at {cut}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Pickle::read(&bytes);
        }

        #[test]
        fn any_instructions_are_read_or_refused(
            bytes in prop::collection::vec(prop::sample::select(b"\x80\x01.N\x88KMJX(012)\x85\x86\x87t]lae}dsucRQbqhrj\x81\x92\x93\x94".to_vec()), 0..60)
        ) {
            let _ = Pickle::read(&bytes);
        }
    }
}
