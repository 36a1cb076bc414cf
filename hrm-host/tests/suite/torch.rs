//! Files of `torch.save`, made by hand: what they hold is chosen here, not by PyTorch.
#![allow(dead_code, reason = "every test file uses some of it")]

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A tensor of a state dict.
pub(crate) struct Stored {
    pub(crate) name: String,
    /// Class of its storage, for example `FloatStorage`.
    pub(crate) class: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

impl Stored {
    /// A contiguous tensor of f32.
    pub(crate) fn f32(name: &str, shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self {
            name: name.into(),
            class: "FloatStorage",
            shape: shape.into(),
            strides: contiguous(shape),
            bytes,
        }
    }
}

pub(crate) fn contiguous(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|at| shape[at + 1..].iter().product()).collect()
}

/// `torch.save` of a state dict of `tensors`.
pub(crate) fn state_dict(tensors: &[Stored]) -> Vec<u8> {
    archive(&pickle(tensors), tensors.iter().map(|tensor| tensor.bytes.as_slice()))
}

/// Its pickle, which refers to the bytes of each tensor by its number.
pub(crate) fn pickle(tensors: &[Stored]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}q\x00(".to_vec();
    for (key, tensor) in tensors.iter().enumerate() {
        text(&mut pickle, &tensor.name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(format!("ctorch\n{}\n", tensor.class).bytes());
        text(&mut pickle, &key.to_string());
        text(&mut pickle, "cpu");
        number(&mut pickle, tensor.bytes.len());
        pickle.push(b't');
        pickle.push(b'Q');
        number(&mut pickle, 0);
        for numbers in [&tensor.shape, &tensor.strides] {
            pickle.push(b'(');
            numbers.iter().for_each(|n| number(&mut pickle, *n));
            pickle.push(b't');
        }
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    pickle.extend(b"u.");
    pickle
}

/// An archive of `torch.save` with this pickle.
pub(crate) fn archive<'a>(pickle: &[u8], storages: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(format!("archive/{name}"), stored).unwrap();
        zip.write_all(bytes).unwrap();
    };
    add("data.pkl", pickle);
    add("byteorder", b"little");
    for (key, bytes) in storages.into_iter().enumerate() {
        add(&format!("data/{key}"), bytes);
    }
    add("version", b"3\n");
    zip.finish().unwrap().into_inner()
}

/// The instruction for a text.
pub(crate) fn text(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.bytes());
}

fn number(pickle: &mut Vec<u8>, number: usize) {
    pickle.push(b'J');
    pickle.extend((number as i32).to_le_bytes());
}
