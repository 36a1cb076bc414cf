//! A QEMU machine that runs the firmware with a pack in its flash.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use hrm_core::pack::{AlignedBytes, Pack};
use hrm_firmware::Exit;
use tempfile::TempDir;

use crate::{
    advice::{self, Emulated, SOMEWHERE},
    board::Board,
    child::ends_with_us,
    image::{Image, PackRegion},
    link::{Hello, Link, LinkError},
    log,
    tasks::feature_for,
};

/// File with the firmware's log as it wrote it.
const LOG: &str = "log";

/// Socket of QEMU's monitor.
const MONITOR: &str = "monitor";

/// File with QEMU's own messages.
const MESSAGES: &str = "messages";

/// What QEMU's monitor says before it waits.
const PROMPT: &[u8] = b"(qemu) ";

/// How long a machine may take to start.
const START: Duration = Duration::from_secs(30);

/// How long a machine may take to end once it said goodbye.
const END: Duration = Duration::from_secs(10);

/// A running machine; dropping it ends QEMU.
///
/// Its UART is one end of a socket pair, so there is no port or path that another process could take, and a
/// machine that ends is seen at once.
pub struct Machine {
    board: Board,
    image: Image,
    pack: PathBuf,
    child: Child,
    status: Option<ExitStatus>,
    link: Link<UnixStream>,
    files: TempDir,
}

/// Why a machine did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// QEMU is missing.
    #[error("cannot run {program}: {source}; install it with `cargo xtask setup`")]
    Qemu {
        /// QEMU's program for the board.
        program: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The pack cannot be read.
    #[error("cannot read the pack {path}: {source}")]
    Pack {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The pack does not fit.
    #[error("the pack {path} has {bytes} bytes, {board} keeps {} for it at {:#x}", region.bytes, region.start)]
    PackTooLarge {
        /// Which file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// Which board.
        board: &'static str,
        /// What it has.
        region: PackRegion,
    },
    /// A file or a process could not be handled.
    #[error("cannot start {board}: {source}")]
    Start {
        /// Which board.
        board: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// QEMU's monitor, which has the reset button, does not answer.
    #[error("cannot reset {board}: {source}")]
    Reset {
        /// Which board.
        board: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A call failed; `report` is what to do about it, and what the machine left behind.
    #[error("{board}: {source}{report}")]
    Call {
        /// Which board.
        board: &'static str,
        /// What went wrong.
        source: LinkError,
        /// Advice; how it ended, its log and QEMU's messages.
        report: String,
    },
}

impl Machine {
    /// Starts `board` with `image` and the pack at `pack`, and waits until it has tested itself.
    pub fn boot(board: Board, image: Image, pack: &Path) -> Result<(Machine, Hello), MachineError> {
        let mut machine = Machine::start(board, image, pack)?;
        machine.link.set_timeout(START);
        let hello = machine.call(Link::ready)?;
        machine.link.set_timeout(Duration::from_secs(120));
        Ok((machine, hello))
    }

    /// Starts `board` without waiting for anything.
    pub fn start(board: Board, image: Image, pack: &Path) -> Result<Machine, MachineError> {
        let region = image.pack_region();
        let bytes =
            fs::metadata(pack).map_err(|source| MachineError::Pack { path: pack.into(), source })?.len();
        if bytes > region.bytes {
            return Err(MachineError::PackTooLarge { path: pack.into(), bytes, board: board.name, region });
        }
        let start = |source| MachineError::Start { board: board.name, source };
        let files = tempfile::Builder::new().prefix("hrm-emulator-").tempdir().map_err(start)?;
        let (ours, theirs) = UnixStream::pair().map_err(start)?;
        ours.set_read_timeout(Some(Duration::from_millis(100))).map_err(start)?;
        let log = File::create(files.path().join(LOG)).map_err(start)?;
        let messages = File::create(files.path().join(MESSAGES)).map_err(start)?;
        let program = board.emulator();
        let mut command = Command::new(program);
        command
            .args(board.options())
            .arg("-monitor")
            .arg(format!("unix:{},server=on,wait=off", escaped(&files.path().join(MONITOR))))
            // The UART is the socket that QEMU inherits as its standard input.
            .args(["-chardev", "socket,id=uart,fd=0", "-serial", "chardev:uart"])
            // A file that the firmware opens as `:tt`, its log, is QEMU's standard output.
            .args(["-semihosting-config", "enable=on,target=native"])
            .arg("-kernel")
            .arg(image.path())
            .arg("-device")
            .arg(format!("loader,file={},addr={:#x},force-raw=on", escaped(pack), region.start))
            .stdin(OwnedFd::from(theirs))
            .stdout(log)
            .stderr(messages);
        ends_with_us(&mut command);
        let child = command.spawn().map_err(|source| MachineError::Qemu { program, source })?;
        Ok(Machine { board, image, pack: pack.into(), child, status: None, link: Link::new(ours), files })
    }

    /// The board.
    pub fn board(&self) -> Board {
        self.board
    }

    /// Talks to the firmware; a failure comes with the log and the exit code.
    pub fn call<A>(
        &mut self,
        call: impl FnOnce(&mut Link<UnixStream>) -> Result<A, LinkError>,
    ) -> Result<A, MachineError> {
        call(&mut self.link).map_err(|source| MachineError::Call {
            board: self.board.name,
            report: self.advice(&source) + &self.report(matches!(source, LinkError::Closed)),
            source,
        })
    }

    /// Presses the reset button: at any moment, without a word to the firmware. What the board sends meanwhile is
    /// read: some UARTs of QEMU wait for a reader, and then the monitor waits for them.
    pub fn reset(&mut self) -> Result<(), MachineError> {
        let monitor = UnixStream::connect(self.files.path().join(MONITOR));
        let pressed = monitor.and_then(|monitor| {
            let mut line = self.link.line().try_clone()?;
            let (done, mut arrived) = (AtomicBool::new(false), Vec::new());
            let pressed = thread::scope(|scope| {
                scope.spawn(|| {
                    let mut buffer = [0; 4096];
                    while !done.load(Ordering::Relaxed) {
                        // A line that fails tells so at the next call.
                        let count = line.read(&mut buffer).unwrap_or(0);
                        arrived.extend_from_slice(&buffer[..count]);
                    }
                });
                let pressed = press(monitor);
                done.store(true, Ordering::Relaxed);
                pressed
            });
            self.link.arrive(&arrived);
            pressed
        });
        pressed.map_err(|source| MachineError::Reset { board: self.board.name, source })
    }

    /// A second handle of the line to the UART, for a [`bridge`](crate::bridge).
    pub fn line(&mut self) -> io::Result<UnixStream> {
        self.link.line().try_clone()
    }

    /// How QEMU has ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Asks the firmware to leave, and waits until QEMU has ended.
    pub fn shutdown(mut self) -> Result<ExitStatus, MachineError> {
        self.call(Link::shutdown)?;
        self.wait(END)
    }

    /// Waits until QEMU has ended by itself. Its exit code is the firmware's [`Exit`].
    pub fn wait(&mut self, timeout: Duration) -> Result<ExitStatus, MachineError> {
        let end = Instant::now() + timeout;
        loop {
            let status = self.child.try_wait().map_err(|source| self.start_error(source))?;
            if let Some(status) = status {
                self.status = Some(status);
                return Ok(status);
            }
            if Instant::now() >= end {
                let report = self.report(false);
                return Err(MachineError::Call {
                    board: self.board.name,
                    source: LinkError::Timeout(timeout),
                    report,
                });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The firmware's log so far, decoded.
    pub fn log(&self) -> Vec<String> {
        let bytes = fs::read(self.files.path().join(LOG)).unwrap_or_default();
        log::decode(&self.image, &bytes)
    }

    fn start_error(&self, source: io::Error) -> MachineError {
        MachineError::Start { board: self.board.name, source }
    }

    /// What to do about `error`.
    fn advice(&self, error: &LinkError) -> String {
        let feature = feature_of(&self.pack);
        let known = Emulated {
            board: self.board.name,
            pack: &self.pack.display().to_string(),
            feature: feature.as_deref().unwrap_or(SOMEWHERE.feature),
        };
        // One's own machine has one client.
        let told = !matches!(error, LinkError::Timeout(_));
        let advice = told.then(|| advice::emulated(error, known)).flatten();
        advice.map_or_else(String::new, |advice| format!("; {advice}"))
    }

    /// How it ended (waiting a moment where it is about to), its log, QEMU's messages;
    /// each on lines of its own.
    fn report(&mut self, ending: bool) -> String {
        let mut report = String::new();
        if ending {
            let _ = self.wait(END);
        }
        let status = self.status.or_else(|| self.child.try_wait().ok().flatten());
        if let Some(status) = status {
            let exit = status.code().and_then(Exit::from_code);
            let meaning = exit.map_or("not one of the firmware's exit codes", Exit::explain);
            let _ = write!(report, "\n  QEMU ended, {status}: {meaning}");
        }
        for line in self.log() {
            let _ = write!(report, "\n  log: {line}");
        }
        let messages = fs::read(self.files.path().join(MESSAGES)).unwrap_or_default();
        for line in String::from_utf8_lossy(&messages).lines() {
            let _ = write!(report, "\n  QEMU: {line}");
        }
        report
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if self.status.is_none() {
            // Both fail only where it has ended already.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The feature by which a board's program has the task of the pack at `path`.
fn feature_of(path: &Path) -> Option<String> {
    let pack = AlignedBytes::copy_of(&fs::read(path).ok()?);
    feature_for(Pack::open(pack.bytes()).ok()?.header().ok()?.task)
}

/// A path as a value among QEMU's comma-separated options.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

/// Has QEMU's monitor reset the machine, and waits until that is done.
fn press(mut monitor: UnixStream) -> io::Result<()> {
    monitor.set_read_timeout(Some(START))?;
    monitor.write_all(b"system_reset\n")?;
    // The second prompt says that it is done.
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while heard.windows(PROMPT.len()).filter(|&text| text == PROMPT).count() < 2 {
        monitor.read_exact(&mut byte)?;
        heard.push(byte[0]);
    }
    Ok(())
}
