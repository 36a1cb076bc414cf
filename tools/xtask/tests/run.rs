//! `cargo xtask run` where there is no probe-rs.

use std::process::Command;

use hrm_emulator::board::{HARDWARE, INSTALL_PROBE_RS, WITHOUT_A_PROBE};

/// Exit code, standard output, standard error of `cargo xtask run` with `args`, where no
/// program is found at all.
fn run(args: &[&str]) -> (i32, String, String) {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = xtask.arg("run").args(args).env("PATH", "").env_remove("CARGO").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_missing_probe_rs_is_told_before_anything_is_built() {
    for board in HARDWARE {
        let (code, out, err) = run(&[board.name]);
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.contains(INSTALL_PROBE_RS) && err.contains(WITHOUT_A_PROBE), "{err}");
        // Commands are shown where they are run.
        assert!(!err.contains('$'), "{err}");
    }
}

#[test]
fn which_command_it_would_be_is_said_without_building() {
    for board in HARDWARE {
        let (code, out, err) = run(&[board.name, "--dry-run", "--", "--probe", "0123:4567"]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(out.starts_with(&format!("probe-rs run --chip {} ", board.chip)), "{out}");
        assert!(
            out.contains(" --probe 0123:4567 ") && out.ends_with(&format!("{}.elf\n", board.name)),
            "{out}"
        );
    }
}

#[test]
fn an_emulated_board_is_not_flashed() {
    let (code, _, err) = run(&["mps2-an386"]);
    assert!(code == 1 && err.contains("hrm-host device emulate mps2-an386 PACK"), "{err}");
}
