//! The commands that repeat a report: as a whole, and each part of it by itself.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::Result;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use hrm_host::files::name_of;
use hrm_host::shell::{operand, quoted};

use super::super::analyze::{self, Questions};
use super::super::eval;
use super::super::outputs::Force;
use super::super::policy::PolicyArgs;
use super::super::progress::ProgressArgs;
use super::super::taking_negative_numbers;
use super::Args;

/// What repeats the report that the command line `words` asks for, and each part of it; `packs` says which of
/// its models are packs. All files stand without their folders: a report tells nobody where they lay.
pub(super) fn commands(words: impl IntoIterator<Item = OsString>, packs: &[bool]) -> Result<Vec<String>> {
    let report = taking_negative_numbers(<Args as clap::Args>::augment_args(Command::new("report")));
    let found = report.try_get_matches_from(words.into_iter().skip(1))?;
    let models: Vec<String> = found.get_raw("models").into_iter().flatten().map(bare).collect();

    let [force, progress] = [names::<Force>(), names::<ProgressArgs>()];
    let of_report =
        names::<Args>().into_iter().filter(|name| !force.contains(name) && !progress.contains(name));
    let whole = [models.clone(), given::<Args>(&found, &of_report.collect(), false)].concat();
    let mut commands = vec![line(&["hrm-host", "report"], &whole)];

    let (of_eval, of_analyze) = (names::<eval::Args>(), names::<analyze::Args>());
    // The same option has another default there.
    let questions = |known: &BTreeSet<String>| given::<Questions>(&found, known, true);
    let policy = given::<PolicyArgs>(&found, &of_eval, false);
    let threads = given::<Args>(&found, &BTreeSet::from(["threads".to_owned()]), false);
    for (model, pack) in models.iter().zip(packs) {
        let mut add = |name: &str, parts: &[&[String]]| {
            let parts = [slice::from_ref(model), parts.concat().as_slice(), &threads].concat();
            commands.push(line(&["hrm-host", name], &parts));
        };
        add("eval", &[&questions(&of_eval)]);
        add("analyze", &[&questions(&of_analyze)]);
        if *pack {
            let vote = ["--hints", "0", "--vote"].map(str::to_owned);
            add("eval", &[&questions(&of_eval), &vote, &policy]);
        }
    }
    Ok(commands)
}

/// The names of a group of options.
fn names<A: clap::Args>() -> BTreeSet<String> {
    A::augment_args(Command::new("")).get_arguments().map(|arg| arg.get_id().to_string()).collect()
}

/// The options of group `A` among the `known` ones as `found` on a command line, with those that have their
/// defaults where these are `wanted`.
fn given<A: clap::Args>(found: &ArgMatches, known: &BTreeSet<String>, wanted: bool) -> Vec<String> {
    let mut words = Vec::new();
    for arg in A::augment_args(Command::new("")).get_arguments() {
        let (id, Some(long)) = (arg.get_id().as_str(), arg.get_long()) else { continue };
        let counts = match found.value_source(id) {
            Some(ValueSource::DefaultValue) => wanted && arg.get_action().takes_values(),
            source => source.is_some() && (arg.get_action().takes_values() || found.get_flag(id)),
        };
        if !counts || !known.contains(id) {
            continue;
        }
        if !arg.get_action().takes_values() {
            words.push(format!("--{long}"));
            continue;
        }
        let is_file = arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
        for value in found.get_raw(id).into_iter().flatten() {
            let value = if is_file { bare(value) } else { value.to_string_lossy().into_owned() };
            match value.starts_with('-') && value != "-" {
                true => words.push(format!("--{long}={value}")),
                false => words.extend([format!("--{long}"), value]),
            }
        }
    }
    words
}

/// The last part of a path, such that no command takes it for an option.
fn bare(path: &OsStr) -> String {
    operand(name_of(Path::new(path)))
}

fn line(command: &[&str], words: &[String]) -> String {
    let words = words.iter().map(|word| quoted(word));
    command.iter().map(|word| (*word).to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::super::Cli;
    use super::*;

    fn repeating(words: &[&str], packs: &[bool]) -> Vec<String> {
        let words = ["hrm-host", "report"].iter().chain(words);
        commands(words.map(OsString::from), packs).unwrap()
    }

    #[test]
    fn whatever_option_changes_a_result_stands_in_the_command_that_repeats_it() {
        let mut words = vec!["deep/a.hrm".to_owned(), "--data=deep/x.csv".to_owned()];
        let mut expected = Vec::new();
        for arg in <PolicyArgs as clap::Args>::augment_args(Command::new("")).get_arguments() {
            let option = format!("--{}", arg.get_long().unwrap());
            let values = arg.get_possible_values();
            let value = values.last().map_or("2".to_owned(), |value| value.get_name().to_owned());
            expected.push(if arg.get_action().takes_values() { format!("{option} {value}") } else { option });
        }
        assert!(expected.len() > 10 && expected.contains(&"--rule unchecked".to_owned()), "{expected:?}");
        words.extend(expected.iter().flat_map(|option| option.split(' ')).map(str::to_owned));
        for more in
            ["--rest 0.2", "--columns question=q,answer=a", "--seed 7", "--threads 3", "--out deep/r.html"]
        {
            words.extend(more.split(' ').map(str::to_owned));
        }
        words.extend(["--force", "--quiet"].map(str::to_owned));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = repeating(&words, &[true]);
        let [whole, pass, analyze, vote] = found.as_slice() else { panic!("{found:?}") };
        for option in &expected {
            assert!(whole.contains(option) && vote.contains(option), "{option}: {found:?}");
        }
        for command in &found {
            for option in
                ["a.hrm", "--data x.csv", "--columns question=q,answer=a", "--seed 7", "--threads 3"]
            {
                assert!(command.contains(option), "{option}: {command}");
            }
            assert!(
                !command.contains("deep") && !command.contains("--force") && !command.contains("--quiet")
            );
            assert!(Cli::from_words(command.split(' ')).is_ok(), "{command}");
        }
        assert!(analyze.contains("--rest 0.2 ") && whole.contains("--rest 0.2 ") && !pass.contains("--rest"));
        assert!(whole.ends_with("--out r.html --threads 3"), "{whole}");
        assert!(analyze.contains("--rows 100") && pass.contains("--rows 100") && !whole.contains("--rows"));
    }

    #[test]
    fn without_options_the_commands_are_short_and_a_run_has_none_of_a_pack() {
        let found = repeating(
            &["runs/a", "b.hrm", "--data", "x.csv", "--max-doubt", "-1.5", "--out", "-"],
            &[false, true],
        );
        assert_eq!(found[0], "hrm-host report a b.hrm --data x.csv --max-doubt=-1.5 --out -");
        assert_eq!(found[1], "hrm-host eval a --data x.csv --rows 100 --seed 1");
        assert_eq!(found[2], "hrm-host analyze a --data x.csv --rows 100 --seed 1 --rest 0.05");
        assert_eq!(
            found[5],
            "hrm-host eval b.hrm --data x.csv --rows 100 --seed 1 --hints 0 --vote --max-doubt=-1.5"
        );
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn a_shell_hands_every_name_over_as_it_is() {
        let found = repeating(&["./-x.hrm", "it's mine.hrm", "--data=-", "--out", "r.html"], &[true, true]);
        assert_eq!(found[0], r"hrm-host report ./-x.hrm 'it'\''s mine.hrm' --data - --out r.html");
        for (word, told) in [
            ("", "''"),
            ("$HOME", "'$HOME'"),
            ("a*b", "'a*b'"),
            ("~", "'~'"),
            ("a=b,c", "a=b,c"),
            ("größe", "'größe'"),
        ] {
            assert_eq!(quoted(word), told);
        }
    }
}
