//! The comparing traces against plain recomputation over the same stream.

use hrm_core::{
    Op, Trace, Values,
    digest::{CRC, ChunkTrace, CrcTrace, MAX_CHUNKS, ProbeTrace},
};
use proptest::{collection::vec, prelude::*};

/// A segment's calls: operations with 16-bit or 32-bit output.
fn calls() -> impl Strategy<Value = Vec<(Op, Vec<i16>, bool)>> {
    vec((prop::sample::select(Op::ALL.to_vec()), vec(any::<i16>(), 0..40), any::<bool>()), 0..40)
}

fn play(calls: &[(Op, Vec<i16>, bool)], trace: &mut impl Trace) {
    trace.begin_segment();
    for (op, values, wide) in calls {
        match wide {
            false => trace.op(*op, Values::I16(values)),
            true => {
                let values: Vec<i32> = values.iter().map(|&v| i32::from(v) * 1000).collect();
                trace.op(*op, Values::I32(&values));
            }
        }
    }
}

/// The stream as (operation, value, little-endian bytes as stored).
fn elements(calls: &[(Op, Vec<i16>, bool)]) -> Vec<(Op, i32, Vec<u8>)> {
    let one = |op: Op, v: i16, wide: bool| match wide {
        false => (op, i32::from(v), v.to_le_bytes().to_vec()),
        true => (op, i32::from(v) * 1000, (i32::from(v) * 1000).to_le_bytes().to_vec()),
    };
    calls.iter().flat_map(|(op, values, wide)| values.iter().map(|&v| one(*op, v, *wide))).collect()
}

fn crc<'a>(bytes: impl Iterator<Item = &'a Vec<u8>>) -> u32 {
    CRC.checksum(&bytes.flatten().copied().collect::<Vec<u8>>())
}

proptest! {
    #[test]
    fn groups(calls in calls()) {
        let mut trace = CrcTrace::default();
        play(&calls, &mut trace);
        play(&calls, &mut trace); // a new segment forgets the last
        let elements = elements(&calls);
        for (op, got) in Op::ALL.into_iter().zip(trace.crcs()) {
            prop_assert_eq!(got, crc(elements.iter().filter(|e| e.0 == op).map(|e| &e.2)), "{}", op.name());
        }
    }

    #[test]
    fn chunks(calls in calls(), from in 0_u32..900, chunk in 1_u32..50) {
        let mut trace = ChunkTrace::new(from, chunk);
        play(&calls, &mut trace);
        let (crcs, total) = trace.finish();
        let elements = elements(&calls);
        prop_assert_eq!(total as usize, elements.len());
        let watched = elements.get(from as usize..).unwrap_or_default();
        let expected: Vec<u32> =
            watched.chunks(chunk as usize).take(MAX_CHUNKS).map(|c| crc(c.iter().map(|e| &e.2))).collect();
        prop_assert_eq!(crcs.as_slice(), expected);
    }

    #[test]
    fn probes(calls in calls(), from in 0_u32..200, len in 0_usize..60, op in prop::sample::select(Op::ALL.to_vec())) {
        let mut out = vec![i32::MIN; len];
        let mut trace = ProbeTrace::new(op, from, &mut out);
        play(&calls, &mut trace);
        let (total, captured) = (trace.total(), trace.captured());
        let values: Vec<i32> = elements(&calls).iter().filter(|e| e.0 == op).map(|e| e.1).collect();
        let expected: Vec<i32> = values.iter().skip(from as usize).take(len).copied().collect();
        prop_assert_eq!(total as usize, values.len());
        prop_assert_eq!(captured, expected.len());
        prop_assert_eq!(&out[..captured], expected);
        prop_assert!(out[captured..].iter().all(|&v| v == i32::MIN), "what does not exist is left alone");
    }
}

#[test]
fn crcs_are_those_of_the_published_standard() {
    assert_eq!(CRC.checksum(b"123456789"), 0xCBF4_3926);
    let mut trace = CrcTrace::default();
    trace.op(Op::Key, Values::I8(&b"123456789".map(|b| b as i8)));
    assert_eq!(trace.crcs()[Op::Key as usize], 0xCBF4_3926);
}
