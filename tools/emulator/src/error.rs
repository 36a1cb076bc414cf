//! How the programs show an error.

use std::error::Error;

/// `error` and its causes, but for those that the text before them tells already.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    for cause in std::iter::successors(error.source(), |cause| (*cause).source()) {
        let cause = cause.to_string();
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}
