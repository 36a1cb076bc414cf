//! A conversation with one board that outlives its cable.

use std::thread;
use std::time::{Duration, Instant};

use super::name::is_address;
use super::{Port, PortError};
use crate::advice::{self, SOMEWHERE};
use crate::{Hello, Link, LinkError};

/// How long a board is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until it says who it is.
    pub hello: Duration,
    /// For an answer, or one segment of it.
    pub answer: Duration,
    /// Until it is back after it was lost in the middle.
    pub back: Duration,
}

/// How often a lost board is looked for.
const AGAIN: Duration = Duration::from_millis(250);

/// A board on a line.
pub struct Session {
    name: String,
    baud: u32,
    patience: Patience,
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
    #[error("{name}: {problem}{}", advice(name, problem))]
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

/// What to do about `error` of the line called `name`.
fn advice(name: &str, error: &LinkError) -> String {
    let advice = match is_address(name) {
        true => advice::emulated(error, SOMEWHERE),
        false => advice::real(error),
    };
    advice.map_or_else(String::new, |advice| format!("; {advice}"))
}

impl Session {
    /// Opens `name`, and makes the board there drop what it may still be doing. It may still test
    /// itself ([`Self::ready`]).
    ///
    /// # Errors
    /// Where there is no board.
    pub fn open(name: &str, baud: u32, patience: Patience) -> Result<Self, SessionError> {
        let (link, hello) = connect(name, baud, patience)?;
        Ok(Self { name: name.into(), baud, patience, link, hello })
    }

    /// Waits until the board has tested itself.
    ///
    /// # Errors
    /// Where it does not come to an end with that.
    pub fn ready(&mut self) -> Result<(), SessionError> {
        let failed = |problem| SessionError::Link { name: self.name.clone(), problem };
        self.hello = self.link.ready().map_err(failed)?;
        Ok(())
    }

    /// Who is there.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Talks to the board. Where it is lost in the middle (unplugged, reset), `lost` is told, and once it is
    /// back the whole conversation is repeated: requests change nothing on a board.
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
        let patience = self.patience.back;
        let end = Instant::now() + patience;
        loop {
            let last = match connect(&self.name, self.baud, self.patience) {
                Ok((link, _)) => {
                    self.link = link;
                    match self.link.ready() {
                        Ok(hello) => return self.same(hello),
                        Err(problem) => SessionError::Link { name: self.name.clone(), problem },
                    }
                }
                Err(error) => error,
            };
            if Instant::now() >= end {
                return Err(SessionError::Lost {
                    name: self.name.clone(),
                    lost,
                    patience,
                    last: Box::new(last),
                });
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

fn connect(name: &str, baud: u32, patience: Patience) -> Result<(Link<Port>, Hello), SessionError> {
    let mut link = Link::new(Port::open(name, baud)?);
    let failed = |problem| SessionError::Link { name: name.into(), problem };
    link.set_timeout(patience.hello);
    let hello = link.hello().map_err(failed)?;
    link.set_timeout(patience.answer);
    // What a host that died has left behind.
    link.cancel().map_err(failed)?;
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
