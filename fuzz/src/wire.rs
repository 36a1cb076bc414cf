//! Frames: what a line may carry, and messages that must come back as they were sent.

use hrm_core::wire::{Decoder, MAX_FRAME, PROTOCOL, Request, Response, encode, id_of, open};

/// Cuts `bytes` into frames; what passes is read as every kind of message.
pub(crate) fn cut_into_frames(bytes: &[u8]) {
    let mut decoder = Decoder::new();
    for &byte in bytes {
        if let Some(Ok(envelope)) = decoder.push(byte) {
            read(envelope);
        }
    }
}

/// Reads `bytes` as an envelope whose checksum was right: a message that is understood is
/// written, cut and read again.
pub(crate) fn read_back(bytes: &[u8]) {
    read(bytes);
    read(&[&[PROTOCOL], bytes].concat());
}

fn read(envelope: &[u8]) {
    id_of(envelope);
    if let Ok((id, request)) = open::<Request<'_>>(envelope) {
        comes_back(id, &request, |back| {
            open::<Request<'_>>(back).is_ok_and(|(of, back)| of == id && back == request)
        });
    }
    if let Ok((id, response)) = open::<Response<'_>>(envelope) {
        comes_back(id, &response, |back| {
            open::<Response<'_>>(back).is_ok_and(|(of, back)| of == id && back == response)
        });
    }
}

fn comes_back<M: serde::Serialize>(id: u16, message: &M, equal: impl Fn(&[u8]) -> bool) {
    let mut frame = [0; MAX_FRAME];
    // A message may be read that is too long to be sent.
    let Ok(frame) = encode(id, message, &mut frame) else { return };
    let mut decoder = Decoder::new();
    let (last, before) = frame.split_last().expect("a frame ends with zero");
    assert!(before.iter().all(|&byte| decoder.push(byte).is_none()));
    let envelope = decoder.push(*last).expect("a whole frame").expect("a sound one");
    assert!(equal(envelope));
}
