//! What the program makes for boards, and what it says where there is none.

use std::fs;

use crate::common::root;

fn hrm(args: &[&str]) -> (i32, String, String) {
    crate::common::hrm(&root(), args)
}

const PACK: &str = "models/sudoku4-demo.hrm";

#[test]
fn a_pack_becomes_a_file_for_the_drive_of_a_pico_2() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pack.uf2");
    let args = ["device", "uf2", "pico2", PACK, "--out", out.to_str().unwrap()];
    for _ in 0..2 {
        // The second time it replaces its own earlier output.
        let (code, _, err) = hrm(&args);
        assert_eq!(code, 0, "{err}");
    }
    let pack = fs::read(root().join(PACK)).unwrap();
    let file = fs::read(&out).unwrap();
    let word = |block: &[u8], index: usize| u32::from_le_bytes(block[4 * index..][..4].try_into().unwrap());
    let mut flash = Vec::new();
    for (number, block) in file.chunks(512).enumerate() {
        assert_eq!(word(block, 3), 0x1020_0000 + flash.len() as u32, "block {number}");
        flash.extend_from_slice(&block[32..32 + 256]);
    }
    assert_eq!(flash.len() % 4096, 0);
    assert!(flash.starts_with(&pack) && flash[pack.len()..].iter().all(|&byte| byte == 0xFF));

    fs::write(&out, "somebody's").unwrap();
    let (code, _, err) = hrm(&args);
    assert!(code != 0 && err.contains("pack.uf2"), "{code} {err}");
    assert_eq!(fs::read(&out).unwrap(), b"somebody's");
}

#[test]
fn a_board_without_such_a_drive_is_told_of_other_ways() {
    let (code, _, err) = hrm(&["device", "uf2", "olimex-h405", PACK, "--out", "never.uf2"]);
    assert!(code != 0 && err.contains("olimex-h405") && err.contains("boards/README.md"), "{code} {err}");
    assert!(!root().join("never.uf2").exists());
}

#[test]
fn a_log_session_leaves_nothing_armed() {
    // Any image will do where the command is only printed; without one the build command is named.
    let (_, out, err) = hrm(&["device", "log", "pico2", "--dry-run"]);
    assert!(
        out.contains("--no-catch-reset --no-catch-hardfault") || err.contains("cargo xtask firmware"),
        "{out}{err}"
    );
}
