//! Writing files so that nothing is lost: not what was there, not half of what is new.
//!
//! A command makes a [`Plan`] of what it reads and writes before it begins to work. The plan refuses to
//! overwrite an input, another output, or a file that this program did not make. Then every output is
//! [staged](Output::stage) in full, and only when all are there does [`commit`] put them in place.
//!
//! `place` finds out where a name leads, `form` what it promises, `signature`, `mark` and `run` whose a file
//! is, `plan` asks them, `staged` writes, `unfinished` leaves nothing behind, and `stamp` sees what others have
//! done meanwhile. `input` reads.

mod folder;
mod form;
mod input;
mod mark;
mod place;
mod plan;
mod run;
mod signature;
mod staged;
mod stamp;
mod unfinished;

pub use folder::{check_folder, is_folder, make_folder};
pub use form::Form;
pub use input::{crc32, is_stdin, name_of, read, read_start, read_text, shown};
pub use place::{ends_in, folder_of};
pub use plan::{Output, Plan, PlanError};
pub use run::{
    CONFIG, LATEST, LOCK, METRICS, checkpoint_name, is_checkpoint, is_of_run, is_rank_folder, rank_folder,
};
pub use signature::{Signature, whole, whole_text};
pub use staged::{Staged, WriteError, commit, replace_file};
pub use unfinished::{Fresh, abandon, has_written};
