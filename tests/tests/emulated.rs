//! The firmware on every emulated board, bit for bit against this machine, and what it does with bad input.
//!
//! These tests need QEMU and the firmware images, so a plain `cargo test` lists them as ignored;
//! `cargo xtask test` builds what they need and runs them all.

use std::{fs, time::Duration};

use hrm_core::pack::AlignedBytes;
use hrm_core::{
    Hrm, Op, Pack, Values,
    digest::watch,
    fault,
    lane::LaneWidth,
    task::{
        Task,
        sudoku::{BLANK, Sudoku},
    },
    tokens_per_pass,
    wire::{Ask, Fault, FrameError, MAX_FRAME, NoModel, SelfTestState},
    workspace_bytes, workspace_words,
};
use hrm_emulator::{
    Board, Image, LinkError, Machine, MachineError, Proof,
    board::{BOARDS, corrupted, one_per_processor},
    compare::{Difference, compare, digests, host_words},
};
use hrm_firmware::Exit;
use hrm_tests::{
    equivalence::{Case, run},
    pack_file::PackFile,
    puzzles,
    synthetic::{self, ModelKind, SMALL, SMALL_KINDS},
};

fn case(name: &str, kind: ModelKind, count: usize, segments: u16) -> Case {
    let task = Sudoku::named(kind.task).unwrap();
    let pack = synthetic::pack(kind, 11);
    Case { name: name.into(), pack, puzzles: puzzles::drawn(&task, count, 5), segments }
}

fn equal_on_every_board(case: &Case) {
    equal_on(&BOARDS, case);
}

fn equal_on(boards: &[Board], case: &Case) {
    match run(case, boards) {
        Ok(outcomes) => {
            for (board, Proof { segments, time, .. }) in outcomes {
                let seconds = time.as_secs_f32();
                println!("{}: {segments} segments equal on {} in {seconds:.1} s", case.name, board.name);
            }
        }
        Err(difference) => panic!("{difference}"),
    }
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn small_models_of_every_kind_are_equal() {
    for (name, kind) in SMALL_KINDS {
        equal_on_every_board(&case(name, kind, 6, 4));
    }
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_9x9_model_is_equal() {
    let kind = ModelKind { task: "sudoku9", width: 96, heads: 4, inner: 256, ..SMALL };
    equal_on_every_board(&case("9x9, width 96", kind, 2, 2));
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn the_released_models_are_equal() {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");
    let mut tried = 0;
    for entry in fs::read_dir(models).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "hrm") {
            continue;
        }
        let pack = fs::read(&path).unwrap();
        let aligned = AlignedBytes::copy_of(&pack);
        // Mazes are proven in tasks.rs, on the board that carries them.
        let Some(task) = Sudoku::named(Pack::open(aligned.bytes()).unwrap().header().unwrap().task) else {
            continue;
        };
        let shape = *Pack::open(aligned.bytes()).unwrap().shape();
        // A wide model takes an emulator long.
        let (rows, segments) = match (task.cells() == 81, shape.width > 96) {
            (false, _) => (50, 8),
            (true, false) => (8, 2),
            (true, true) => (2, 2),
        };
        let puzzles = match task.cells() {
            81 => puzzles::committed().into_iter().take(rows).collect(),
            _ => puzzles::drawn(&task, rows, 5),
        };
        let name = format!("{} on {} puzzles", path.file_name().unwrap().display(), puzzles.len());
        let (fitting, small): (Vec<Board>, Vec<Board>) = BOARDS.iter().partition(|board| {
            let image = Image::built(board.name).unwrap();
            pack.len() as u64 <= image.pack_region().bytes
                && workspace_bytes(&shape) as u64 <= image.sizes().workspace
        });
        assert!(fitting.len() >= 4, "{name}: too large for {small:?}");
        equal_on(&fitting, &Case { name, pack, puzzles, segments });
        tried += 1;
    }
    assert!(tried > 0, "no pack in {models}");
}

/// Starts a board that has no use for the pack: what it says to a hello, how it ends, and its log.
fn refused(file: &PackFile, board: Board) -> (Fault, Exit, String) {
    let mut machine = Machine::start(board, Image::built(board.name).unwrap(), &file.path).unwrap();
    let fault = match machine.call(|link| Ok(link.hello())).unwrap() {
        Err(LinkError::Refused(fault)) => fault,
        other => panic!("{other:?}"),
    };
    machine.call(|link| link.shutdown()).unwrap();
    let status = machine.wait(Duration::from_secs(20)).unwrap();
    let exit = Exit::from_code(status.code().unwrap()).expect("a code of the firmware");
    (fault, exit, machine.log().join("\n"))
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_board_introduces_itself_logs_and_leaves() {
    let pack = synthetic::pack(SMALL, 1);
    let aligned = AlignedBytes::copy_of(&pack);
    let open = Pack::open(aligned.bytes()).unwrap();
    for board in BOARDS {
        let file = PackFile::new(&pack);
        let image = Image::built(board.name).unwrap();
        let (region, sizes) = (image.pack_region(), image.sizes());
        let (machine, hello) = Machine::boot(board, image, &file.path).unwrap();
        assert_eq!((hello.board.as_str(), hello.task.as_str()), (board.name, "sudoku4"));
        assert_eq!(hello.firmware, hrm_firmware::VERSION);
        assert_eq!((hello.pack_crc, hello.shape), (open.crc(), *open.shape()));
        assert!(
            hello.memory.stack_used > 0 && hello.memory.stack_used < hello.memory.stack,
            "{:?}",
            hello.memory
        );
        assert!(hello.micros.is_some());
        assert_eq!(hello.self_test, SelfTestState::Absent);
        assert_eq!(u64::from(hello.memory.pack_region), region.bytes);
        assert_eq!(hello.memory.pack as usize, pack.len());
        assert_eq!(u64::from(hello.memory.workspace_region), sizes.workspace);
        assert_eq!(hello.memory.workspace as usize, workspace_bytes(open.shape()));
        let room = usize::try_from(sizes.workspace).unwrap();
        assert_eq!(usize::from(hello.memory.tokens_per_pass), tokens_per_pass(open.shape(), room));
        assert_eq!(hello.last_end, None);
        assert_eq!(u64::from(hello.memory.stack), sizes.stack);
        let log = machine.log().join("\n");
        assert!(log.contains("Ready"), "{log}");
        assert_eq!(machine.shutdown().unwrap().code(), Some(Exit::Shutdown.code().into()));
    }
}

/// Most bytes of stack that the firmware may ever have used after a segment: its start, its
/// protocol and the segment itself.
const STACK_LIMIT: u32 = 12 * 1024;
/// Where kernels are the portable ones: a Cortex-M0+ has few registers, so the compiler keeps more there.
/// Every board sets 20 KiB aside.
const SLOW_STACK_LIMIT: u32 = 14 * 1024;

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_segment_keeps_to_its_stack_on_every_processor() {
    let wide = ModelKind { task: "sudoku9", width: 96, heads: 4, inner: 256, ..SMALL };
    let rope = ModelKind { rope: true, relation: false, lanes: LaneWidth::I8, ..wide };
    for kind in [wide, rope] {
        let file = PackFile::new(&synthetic::pack(kind, 1));
        let tokens = vec![BLANK; 81];
        for board in one_per_processor() {
            let (mut machine, hello) = file.boot(board);
            let ask = Ask { member: 0, tokens: &tokens };
            machine.call(|link| link.digest(ask, 1, |_| {})).unwrap();
            let used = machine.call(|link| link.hello()).unwrap().memory.stack_used;
            println!("{}, {:?}: {used} bytes of {}", board.name, kind.lanes, hello.memory.stack);
            assert!(used > hello.memory.stack_used, "{}: a segment takes no stack?", board.name);
            let limit = if board.slow { SLOW_STACK_LIMIT } else { STACK_LIMIT };
            assert!(used <= limit, "{}: {used} bytes of stack, {limit} allowed", board.name);
            machine.shutdown().unwrap();
        }
    }
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_corrupted_kernel_is_found_where_it_slips() {
    let case = case("corrupted", SMALL, 1, 4);
    let aligned = AlignedBytes::copy_of(&case.pack);
    let pack = Pack::open(aligned.bytes()).unwrap();
    let mut memory = vec![0; workspace_words(pack.shape())];
    let mut host = Hrm::new(pack, &mut memory).unwrap();
    let ask = Ask { member: 0, tokens: &case.puzzles[0] };
    // Where the sound kernel first gives a value that the corrupted one gets wrong.
    let (segment, index, value) = (0..case.segments)
        .find_map(|segment| {
            let mut outputs = Outputs(Vec::new());
            watch(&mut host, 0, ask.tokens, segment.into(), &mut outputs).unwrap();
            let index = outputs.0.iter().position(|&value| fault::hits(value))?;
            Some((segment, index as u32, outputs.0[index]))
        })
        .expect("a value that the corrupted kernel gets wrong");
    let expected = digests(&mut host, ask, case.segments);
    for board in corrupted() {
        let file = PackFile::new(&case.pack);
        let image = Image::built(&format!("{}-fault-injection", board.name)).unwrap();
        let (mut machine, hello) = Machine::boot(board, image, &file.path).unwrap();
        assert!(hello.firmware.ends_with("+fault-injection"), "{}", hello.firmware);
        let mut memory = vec![0; host_words(pack.shape(), &hello)];
        let mut host = Hrm::new(pack, &mut memory).unwrap();
        let found =
            machine.call(|link| compare(&mut host, link, ask, &expected)).unwrap().expect("a difference");
        let Difference::Element { segment: s, op, index: i, host: Some(ours), device: Some(theirs), .. } =
            found
        else {
            panic!("{found}");
        };
        assert_eq!((s, op, i, ours, theirs), (segment, Op::Attention, index, value, value + 1), "{found}");
    }
}

/// Every attention output of a segment.
struct Outputs(Vec<i32>);

impl hrm_core::Trace for Outputs {
    fn op(&mut self, op: Op, values: Values<'_>) {
        if op == Op::Attention {
            self.0.extend((0..values.len()).filter_map(|i| values.get(i)));
        }
    }
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn bad_packs_are_refused_at_boot_with_the_reason() {
    let pack = synthetic::pack(SMALL, 1);
    let mut flipped = pack.clone();
    flipped[pack.len() / 2] ^= 0x10;
    let mut foreign = pack.clone();
    foreign[4] = 0x7F;
    let wide = synthetic::pack(
        ModelKind { task: "sudoku9", width: 512, heads: 8, inner: 16, layers: 1, ..SMALL },
        1,
    );
    for (name, pack, why, exit, reason) in [
        ("empty", &[][..], NoModel::Pack, Exit::Pack, "not a pack"),
        ("not a pack", b"PK\x03\x04 and so on, for quite a while", NoModel::Pack, Exit::Pack, "not a pack"),
        ("another version", &foreign, NoModel::Pack, Exit::Pack, "format version 127"),
        ("truncated", &pack[..pack.len() - 40], NoModel::Pack, Exit::Pack, "damaged"),
        ("one bit flipped", &flipped, NoModel::Pack, Exit::Pack, "damaged"),
        ("too large for the workspace", &wide, NoModel::Memory, Exit::Memory, "bytes of memory"),
    ] {
        for board in one_per_processor() {
            let (fault, got, log) = refused(&PackFile::new(pack), board);
            assert_eq!((fault, got), (Fault::NoModel(why), exit), "{name} on {}: {log}", board.name);
            assert!(log.contains(reason), "{name} on {}: {log}", board.name);
        }
    }
    assert_eq!(PackFile::new(&pack).boot(BOARDS[0]).0.shutdown().unwrap().code(), Some(0));
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_pack_larger_than_its_flash_is_refused_before_the_start() {
    let file = PackFile::new(&vec![0; (2 << 20) + 1]);
    let image = Image::built(BOARDS[0].name).unwrap();
    let error = Machine::start(BOARDS[0], image, &file.path).err().unwrap();
    assert!(matches!(error, MachineError::PackTooLarge { bytes: 0x20_0001, .. }), "{error}");
    let image = Image::built(BOARDS[0].name).unwrap();
    let error = Machine::start(BOARDS[0], image, &file.path.with_extension("missing")).err().unwrap();
    assert!(error.to_string().contains("cannot read the pack"), "{error}");
}

#[test]
#[ignore = "needs the emulator and the firmware: cargo xtask test"]
fn a_board_survives_garbage_on_its_uart() {
    for board in BOARDS {
        survives_garbage(board);
    }
}

fn survives_garbage(board: Board) {
    let file = PackFile::new(&synthetic::pack(SMALL, 1));
    let (mut machine, _) = file.boot(board);
    let tokens = [1; 16];
    let fault = machine.call(|link| {
        link.write(&[7; 4 * MAX_FRAME])?;
        link.write(&[0])?;
        Ok(link.answer(0, |response| Err::<(), _>(response)))
    });
    assert!(matches!(fault, Ok(Err(LinkError::Refused(Fault::Frame(FrameError::Oversized))))), "{fault:?}");
    machine.call(|link| link.write(&[200, 3, 1, 4, 1, 5])).unwrap(); // a frame that breaks off
    machine.call(|link| link.hello()).unwrap();
    let short = Ask { member: 0, tokens: &tokens[..3] };
    let error = machine.call(|link| link.digest(short, 1, |_| {})).unwrap_err().to_string();
    assert!(error.contains("the puzzle is none of its task") && error.contains("log: "), "{error}");
    let done = machine.call(|link| link.digest(Ask { member: 0, tokens: &tokens }, 2, |_| {})).unwrap();
    assert_eq!(done.len(), 2);
    let log = machine.log().join("\n");
    assert!(log.contains("Noise(Oversized)") && log.contains("Length"), "{log}");
    machine.shutdown().unwrap();
}
