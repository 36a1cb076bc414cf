//! A standard output that was closed before the program began, as `>&-` does.
//!
//! Rust opens the null device in its place, and results would be lost without a word. So before that a pipe
//! that nobody reads takes its place: every command ends as it does where its reader has left.

/// Called before `main`, and before the standard library looks at what is open.
#[used]
#[cfg(target_os = "linux")]
#[unsafe(link_section = ".init_array")]
static OPEN: extern "C" fn() = {
    extern "C" fn open() {
        // SAFETY: these calls take numbers and a place for two of them, and nothing else of
        // this process is running yet.
        unsafe {
            let mut ends = [0; 2];
            if libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) != -1 || libc::pipe(ends.as_mut_ptr()) != 0 {
                return;
            }
            let [reader, writer] = ends;
            if writer == libc::STDOUT_FILENO {
                libc::close(reader);
                return;
            }
            // This closes the other end where that has got the number.
            libc::dup2(writer, libc::STDOUT_FILENO);
            libc::close(writer);
            if reader != libc::STDOUT_FILENO {
                libc::close(reader);
            }
        }
    }
    open
};
