//! What this program notes of a file that it has written, so that it knows it again for as long as nobody has
//! changed it: what it is, how long, and a sum over all of it.
//!
//! The note is an extended attribute of the file, because tables have no room for one. An editor that writes
//! a file anew drops it, one that writes into the file leaves a note that no longer fits, and a copy has
//! none: all of these are somebody's own. So is every file on a system without such attributes.

use std::fs::File;
use std::io::{self, BufReader, Write};

use crc::{CRC_64_XZ, Crc, Digest};

static SUM: Crc<u64> = Crc::<u64>::new(&CRC_64_XZ);

/// Passes on what is written, and sums it up.
pub(super) struct Summed<W> {
    to: W,
    sum: Digest<'static, u64>,
    length: u64,
}

impl<W> Summed<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, sum: SUM.digest(), length: 0 }
    }

    /// The note of a file of this `kind` with this content.
    pub(super) fn note(self, kind: &str) -> String {
        format!("{kind}; {} bytes; CRC-64 {:016x}", self.length, self.sum.finalize())
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.sum.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Keeps `note` with `file`, where the system can.
pub(super) fn keep(file: &File, note: &str) {
    attribute::set(file, note.as_bytes());
}

/// Whether `file` is of this `kind` and still as this program has written it.
///
/// # Errors
/// What the system says.
pub(super) fn is_kept(mut file: BufReader<File>, kind: &str) -> io::Result<bool> {
    let Some(note) = attribute::get(file.get_ref())? else { return Ok(false) };
    let mut summed = Summed::new(io::sink());
    io::copy(&mut file, &mut summed)?;
    Ok(note == summed.note(kind).as_bytes())
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod attribute {
    use std::ffi::CStr;
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;

    const NAME: &CStr = c"user.hrm-host";
    /// No note is as long.
    const MOST: usize = 256;
    #[cfg(target_os = "linux")]
    const ABSENT: i32 = libc::ENODATA;
    #[cfg(target_os = "macos")]
    const ABSENT: i32 = libc::ENOATTR;
    /// What the system says where a file has no such attribute, or one of another program's length, and where
    /// it has none at all or shows none.
    const NONE: [i32; 6] = [ABSENT, libc::ENOTSUP, libc::ERANGE, libc::ENOSYS, libc::EPERM, libc::EACCES];

    pub(super) fn set(file: &File, value: &[u8]) {
        let (name, bytes, length) = (NAME.as_ptr(), value.as_ptr().cast(), value.len());
        // SAFETY: `bytes` are `length` bytes that are only read, and the name ends with a zero. A
        // failure changes nothing.
        unsafe {
            #[cfg(target_os = "linux")]
            libc::fsetxattr(file.as_raw_fd(), name, bytes, length, 0);
            #[cfg(target_os = "macos")]
            libc::fsetxattr(file.as_raw_fd(), name, bytes, length, 0, 0);
        }
    }

    pub(super) fn get(file: &File) -> io::Result<Option<Vec<u8>>> {
        let mut value = vec![0_u8; MOST];
        let (name, bytes, length) = (NAME.as_ptr(), value.as_mut_ptr().cast(), value.len());
        // SAFETY: `bytes` has room for `length` bytes, and the name ends with a zero.
        let found = unsafe {
            #[cfg(target_os = "linux")]
            let found = libc::fgetxattr(file.as_raw_fd(), name, bytes, length);
            #[cfg(target_os = "macos")]
            let found = libc::fgetxattr(file.as_raw_fd(), name, bytes, length, 0, 0);
            found
        };
        let Ok(found) = usize::try_from(found) else {
            let error = io::Error::last_os_error();
            return if NONE.contains(&error.raw_os_error().unwrap_or(0)) { Ok(None) } else { Err(error) };
        };
        value.truncate(found);
        Ok(Some(value))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod attribute {
    use std::fs::File;

    pub(super) fn set(_: &File, _: &[u8]) {}

    pub(super) fn get(_: &File) -> std::io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
}
