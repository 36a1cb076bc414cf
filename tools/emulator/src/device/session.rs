//! A conversation with one board that outlives its cable.

use std::thread;
use std::time::{Duration, Instant};

use super::{Port, PortError};
use crate::{Hello, Link, LinkError};

/// How long a board may take to say who it is.
const HELLO: Duration = Duration::from_secs(10);

/// How often a lost board is looked for.
const AGAIN: Duration = Duration::from_millis(250);

/// A board on a line.
pub struct Session {
    name: String,
    baud: u32,
    timeout: Duration,
    patience: Duration,
    link: Link<Port>,
    hello: Hello,
}

/// Why a conversation ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The line cannot be opened.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Nobody there, or nobody who understands.
    #[error("{name}: {problem}{}", hint(problem))]
    Link {
        /// The line.
        name: String,
        /// What went wrong.
        problem: LinkError,
    },
    /// The board did not come back.
    #[error("{name}: lost the board ({lost}), and it did not come back within {} s: {last}", patience.as_secs())]
    Lost {
        /// The line.
        name: String,
        /// How it was lost.
        lost: LinkError,
        /// How long it was waited for.
        patience: Duration,
        /// What the last look for it gave.
        last: Box<SessionError>,
    },
    /// Another board, or another pack, is there now.
    #[error("{name}: {found} with pack {found_pack:08x} came back instead of {board} with pack {pack:08x}")]
    Changed {
        /// The line.
        name: String,
        /// The board there was.
        board: String,
        /// Its pack.
        pack: u32,
        /// The board there is.
        found: String,
        /// Its pack.
        found_pack: u32,
    },
}

/// What to look at where a board is silent.
fn hint(error: &LinkError) -> &'static str {
    match error {
        LinkError::Timeout(_) => {
            "; is it powered and flashed (`cargo xtask run BOARD`), are transmit and receive crossed, is the baud rate right?"
        }
        _ => "",
    }
}

impl Session {
    /// Opens `name`, waits until the board there is ready, and makes it drop what it may still be doing.
    ///
    /// An answer may take `timeout`; a board that is lost in the middle is waited for as long as `patience`.
    ///
    /// # Errors
    /// Where there is no board.
    pub fn open(name: &str, baud: u32, timeout: Duration, patience: Duration) -> Result<Self, SessionError> {
        let (link, hello) = connect(name, baud, timeout)?;
        Ok(Self { name: name.into(), baud, timeout, patience, link, hello })
    }

    /// Who is there.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Talks to the board. Where it is lost in the middle (unplugged, reset), `lost` is told, and once it is back the whole
    /// conversation is repeated: requests change nothing on a board.
    ///
    /// # Errors
    /// What the board refuses, or that it did not come back.
    pub fn call<A>(
        &mut self,
        mut talk: impl FnMut(&mut Link<Port>) -> Result<A, LinkError>,
        mut lost: impl FnMut(&LinkError),
    ) -> Result<A, SessionError> {
        loop {
            match talk(&mut self.link) {
                Ok(answer) => return Ok(answer),
                Err(error) if is_loss(&error) => {
                    lost(&error);
                    self.reconnect(error)?;
                }
                Err(problem) => return Err(SessionError::Link { name: self.name.clone(), problem }),
            }
        }
    }

    fn reconnect(&mut self, lost: LinkError) -> Result<(), SessionError> {
        let end = Instant::now() + self.patience;
        loop {
            let last = match connect(&self.name, self.baud, self.timeout) {
                Ok((link, hello)) => {
                    self.link = link;
                    return self.same(hello);
                }
                Err(error) => error,
            };
            if Instant::now() >= end {
                let (name, patience) = (self.name.clone(), self.patience);
                return Err(SessionError::Lost { name, lost, patience, last: Box::new(last) });
            }
            thread::sleep(AGAIN);
        }
    }

    fn same(&mut self, hello: Hello) -> Result<(), SessionError> {
        if (&hello.board, hello.pack_crc) == (&self.hello.board, self.hello.pack_crc) {
            self.hello = hello;
            return Ok(());
        }
        Err(SessionError::Changed {
            name: self.name.clone(),
            board: self.hello.board.clone(),
            pack: self.hello.pack_crc,
            found: hello.board,
            found_pack: hello.pack_crc,
        })
    }
}

fn connect(name: &str, baud: u32, timeout: Duration) -> Result<(Link<Port>, Hello), SessionError> {
    let mut link = Link::new(Port::open(name, baud)?);
    let failed = |problem| SessionError::Link { name: name.into(), problem };
    link.set_timeout(HELLO);
    link.hello().map_err(failed)?;
    link.set_timeout(timeout);
    // What a host that died has left behind.
    link.cancel().map_err(failed)?;
    let hello = link.ready().map_err(failed)?;
    Ok((link, hello))
}

/// Whether the line, not the request, is at fault.
fn is_loss(error: &LinkError) -> bool {
    matches!(
        error,
        LinkError::Closed
            | LinkError::Io(_)
            | LinkError::Timeout(_)
            | LinkError::Frame(_)
            | LinkError::Stranger(_)
            | LinkError::Refused(hrm_core::wire::Fault::Frame(_))
    )
}
