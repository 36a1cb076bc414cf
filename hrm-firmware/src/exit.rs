//! How the firmware ends, and the exit code that says so where something can receive one (semihosting).

use hrm_core::wire::NoModel;

/// Why the firmware ended. The number is the exit code of an emulator that runs it.
///
/// 1 is left to the emulator's own errors, 124 and above to shells and signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// A host asked it to leave.
    Shutdown = 0,
    /// A panic; the message is in the log.
    Panic = 10,
    /// A processor exception; the address is in the log.
    Exception = 11,
    /// There is no pack at the pack's address, or not a sound one; the reason is in the log.
    Pack = 12,
    /// The pack's model takes more memory than the board has set aside.
    Memory = 13,
    /// The pack is for a task this firmware does not know.
    Task = 14,
    /// The watchdog saw no progress.
    Watchdog = 15,
}

impl Exit {
    /// Every way to end.
    pub const ALL: [Exit; 7] =
        [Exit::Shutdown, Exit::Panic, Exit::Exception, Exit::Pack, Exit::Memory, Exit::Task, Exit::Watchdog];

    /// The exit code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The way of ending that `code` stands for.
    pub fn from_code(code: i32) -> Option<Exit> {
        Exit::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// What happened, and what to do about it.
    pub const fn explain(self) -> &'static str {
        match self {
            Exit::Shutdown => "the firmware left as asked",
            Exit::Panic => "the firmware panicked; the log says where",
            Exit::Exception => "the processor met an exception; the log has the address",
            Exit::Pack => {
                "the firmware refused the pack; the log says why, `hrm-host inspect PACK` checks the file"
            }
            Exit::Memory => {
                "the pack's model needs more memory than the board sets aside; the log has the figures"
            }
            Exit::Task => "the pack is for a task that this firmware does not know",
            Exit::Watchdog => "the firmware made no progress, and its watchdog noticed",
        }
    }
}

impl From<NoModel> for Exit {
    fn from(why: NoModel) -> Exit {
        match why {
            NoModel::Pack => Exit::Pack,
            NoModel::Memory => Exit::Memory,
            NoModel::Task => Exit::Task,
        }
    }
}
