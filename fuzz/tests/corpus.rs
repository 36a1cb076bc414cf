//! Every input that fuzzing has kept is given to its target once more.

use std::{collections::BTreeSet, fs, path::PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use hrm_fuzz::TARGETS;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

#[test]
fn no_input_of_the_corpus_breaks_a_promise() {
    for target in TARGETS {
        let kept = fs::read_to_string(corpus().join(target.name).with_extension("txt")).expect("a corpus");
        assert!(!kept.is_empty(), "{}", target.name);
        for (number, line) in (1..).zip(kept.lines()) {
            println!("{}, line {number}", target.name);
            (target.run)(&BASE64_STANDARD.decode(line).expect("base64"));
        }
    }
}

#[test]
fn every_corpus_has_its_target() {
    let files = fs::read_dir(corpus()).expect("a folder").flatten();
    let names: BTreeSet<_> =
        files.map(|file| file.path().file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    assert_eq!(names, TARGETS.iter().map(|target| target.name.to_owned()).collect());
}
