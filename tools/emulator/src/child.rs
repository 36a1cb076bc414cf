//! A program of somebody else's that has no use without this one.

use std::process::Command;

/// Has `command` end where this program, or the thread that starts it, does, however that comes about:
/// SIGKILL lets nothing be tidied up. It hears no Ctrl-C, which is this program's to answer.
///
/// Other systems than Linux have no such thing: there it goes on where this program is killed.
#[cfg(target_os = "linux")]
pub(crate) fn ends_with_us(command: &mut Command) {
    use std::io;
    use std::os::unix::process::CommandExt as _;

    let us = std::process::id();
    command.process_group(0);
    let ask = move || {
        // SAFETY: system calls that change nothing of this program's, and may be made between fork and exec.
        let (asked, parent) =
            unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), libc::getppid()) };
        match asked {
            0 if parent.cast_unsigned() == us => Ok(()),
            0 => Err(io::ErrorKind::NotFound.into()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: `ask` allocates nothing and takes no lock.
    unsafe { command.pre_exec(ask) };
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn ends_with_us(_: &mut Command) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Says that this test program is the one that will be killed.
    const PARENT: &str = "HRM_TEST_PARENT";

    /// Whether process `id` runs: one that has ended may be left for somebody to ask how.
    fn runs(id: &str) -> bool {
        let status = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        status.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
    }

    #[test]
    fn what_a_killed_program_has_started_ends_with_it() {
        if std::env::var_os(PARENT).is_some() {
            let mut sleep = Command::new("sleep");
            ends_with_us(sleep.arg("1000"));
            println!("\nstarted {}", sleep.spawn().unwrap().id());
            loop {
                thread::sleep(Duration::from_secs(1));
            }
        }
        let mut parent = Command::new(std::env::current_exe().unwrap());
        let name = "child::tests::what_a_killed_program_has_started_ends_with_it";
        parent.args(["--exact", name, "--nocapture"]).env(PARENT, "1").stdout(Stdio::piped());
        let mut parent = parent.spawn().unwrap();
        let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines().map(Result::unwrap);
        let sleep = lines.find_map(|line| line.strip_prefix("started ").map(str::to_owned)).unwrap();
        assert!(runs(&sleep));
        parent.kill().unwrap();
        parent.wait().unwrap();
        for _ in 0..500 {
            if !runs(&sleep) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Command::new("kill").args(["-KILL", &sleep]).status().unwrap();
        panic!("it still ran after its parent was killed");
    }
}
