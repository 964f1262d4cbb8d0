//! `--org NAME --data DATASET=FILE… --policy FILE…`, as often as there are organisations: what follows an `--org` belongs to it.

use crate::failure::file_problem;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};
use entente_wire::names::{DatasetName, OrgName, Role};
use entente_wire::policy::Policy;
use entente_wire::problem::{Code, Problem};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Most organisations on one machine: each is a process with its own runtime.
const ORGANISATIONS_MAX: usize = 16;

/// One thing that was typed, with its place on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Typed {
    Org(String),
    Data(String),
    Policy(PathBuf),
}

/// All organisations as typed, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Organisations {
    typed: Vec<(usize, Typed)>,
}

/// One organisation, its files read as far as its policies.
pub(super) struct Organisation {
    pub(super) org: OrgName,
    pub(super) datasets: Vec<Dataset>,
}

/// One file with the policy for it.
pub(super) struct Dataset {
    pub(super) file: PathBuf,
    pub(super) policy: Policy,
    pub(super) policy_text: String,
}

impl Organisation {
    /// Every role that one of its policies names.
    pub(super) fn roles(&self) -> BTreeSet<Role> {
        let roles = self.datasets.iter().map(|each| &each.policy.approvers.of);
        roles.flatten().cloned().collect()
    }
}

impl Args for Organisations {
    fn augment_args(command: Command) -> Command {
        let arg = |name: &'static str, value: &'static str, help: &'static str| {
            Arg::new(name)
                .long(name)
                .value_name(value)
                .help(help)
                .action(ArgAction::Append)
        };
        command
            .arg(
                arg(
                    "org",
                    "NAME",
                    "An organisation; what follows belongs to it, up to the next --org",
                )
                .required(true),
            )
            .arg(arg(
                "data",
                "DATASET=FILE",
                "A dataset of that organisation: .csv or .parquet",
            ))
            .arg(
                arg(
                    "policy",
                    "FILE",
                    "The policy for a dataset of that organisation, which its [dataset] names",
                )
                .value_parser(value_parser!(PathBuf)),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Organisations {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut organisations = Self::default();
        organisations.update_from_arg_matches(matches)?;
        Ok(organisations)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let places = |name: &str| matches.indices_of(name).into_iter().flatten();
        let text = |name: &str| matches.get_many::<String>(name).into_iter().flatten();
        let paths = matches.get_many::<PathBuf>("policy").into_iter().flatten();
        let mut typed: Vec<(usize, Typed)> = Vec::new();
        typed.extend(places("org").zip(text("org").cloned().map(Typed::Org)));
        typed.extend(places("data").zip(text("data").cloned().map(Typed::Data)));
        typed.extend(places("policy").zip(paths.cloned().map(Typed::Policy)));
        typed.sort_by_key(|(place, _)| *place);
        self.typed = typed;
        Ok(())
    }
}

/// What was typed for one organisation.
struct Section {
    org: OrgName,
    data: Vec<(DatasetName, PathBuf)>,
    policies: Vec<PathBuf>,
}

impl Organisations {
    /// Parses names, reads policies and pairs each dataset with its policy.
    pub(super) fn read(&self) -> Result<Vec<Organisation>, Problem> {
        let sections = self.sections()?;
        if !(2..=ORGANISATIONS_MAX).contains(&sections.len()) {
            return Err(wrong(
                format!("{} organisations are named", sections.len()),
                format!("name 2 to {ORGANISATIONS_MAX}, each with --org"),
            ));
        }
        for (at, section) in sections.iter().enumerate() {
            if sections[..at]
                .iter()
                .any(|before| before.org == section.org)
            {
                return Err(wrong(
                    format!("--org {} stands there twice", section.org),
                    "put all its --data and --policy after one --org",
                ));
            }
        }
        sections.into_iter().map(Section::read).collect()
    }

    fn sections(&self) -> Result<Vec<Section>, Problem> {
        let mut sections: Vec<Section> = Vec::new();
        for (_, typed) in &self.typed {
            match (typed, sections.last_mut()) {
                (Typed::Org(name), _) => sections.push(Section {
                    org: label(name)?,
                    data: Vec::new(),
                    policies: Vec::new(),
                }),
                (Typed::Data(text), Some(section)) => section.data.push(dataset(text)?),
                (Typed::Policy(path), Some(section)) => section.policies.push(path.clone()),
                (_, None) => {
                    return Err(wrong(
                        "--data or --policy stands before the first --org",
                        "put them after the organisation they belong to",
                    ));
                }
            }
        }
        Ok(sections)
    }
}

impl Section {
    fn read(self) -> Result<Organisation, Problem> {
        let mut policies = Vec::new();
        for path in &self.policies {
            policies.push(read_policy(path)?);
        }
        let mut datasets = Vec::new();
        for (name, file) in self.data {
            let place = policies
                .iter()
                .position(|(policy, _)| policy.dataset == name);
            let (policy, policy_text) = match place {
                Some(place) => policies.swap_remove(place),
                None => {
                    return Err(wrong(
                        format!("{} has no policy for {name}", self.org),
                        format!("add --policy FILE whose [dataset] says name = \"{name}\""),
                    ));
                }
            };
            let file =
                std::path::absolute(&file).map_err(|fault| file_problem(&file, "found", &fault))?;
            datasets.push(Dataset {
                file,
                policy,
                policy_text,
            });
        }
        if let Some((policy, _)) = policies.first() {
            return Err(wrong(
                format!(
                    "{} has a policy for {}, but no such data",
                    self.org, policy.dataset
                ),
                format!("add --data {}=FILE", policy.dataset),
            ));
        }
        let org = self.org;
        Ok(Organisation { org, datasets })
    }
}

fn read_policy(path: &Path) -> Result<(Policy, String), Problem> {
    let text = std::fs::read_to_string(path).map_err(|fault| file_problem(path, "read", &fault))?;
    let policy = Policy::from_toml(&text).map_err(|mut problem| {
        problem.what = format!("{}: {}", path.display(), problem.what);
        problem
    })?;
    Ok((policy, text))
}

fn dataset(text: &str) -> Result<(DatasetName, PathBuf), Problem> {
    match text.split_once('=') {
        Some((name, file)) if !file.is_empty() => Ok((label(name)?, PathBuf::from(file))),
        _ => Err(wrong(
            format!("--data {text} names no file"),
            "write --data DATASET=FILE",
        )),
    }
}

fn label<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|fault: T::Err| wrong(fault.to_string(), "choose another name"))
}

fn wrong(what: impl AsRef<str>, todo: impl AsRef<str>) -> Problem {
    Problem::request(Code::Argument, what, todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Organisations {
        let command = Organisations::augment_args(Command::new("lab").no_binary_name(true));
        let matches = command.get_matches_from(line.split(' '));
        Organisations::from_arg_matches(&matches).expect("indices are there")
    }

    #[test]
    fn what_follows_an_org_belongs_to_it() {
        let sections =
            typed("--org a --data x=1 --policy p --org b --policy q --data y=2 --data z=3")
                .sections()
                .expect("well formed");
        let summary: Vec<_> = sections
            .iter()
            .map(|section| {
                (
                    section.org.as_str(),
                    section.data.len(),
                    section.policies.len(),
                )
            })
            .collect();
        assert_eq!(summary, [("a", 1, 1), ("b", 2, 1)]);
    }

    #[test]
    fn wrong_lines_say_what_to_write() {
        for line in [
            "--data x=1 --org a",
            "--org a --org a",
            "--org a",
            "--org A --org b",
            "--org a --data x --org b",
            "--org a --data x=1 --org b",
        ] {
            let problem = typed(line).read().err().expect("a wrong line is refused");
            assert_eq!(problem.code, Code::Argument, "{line}");
            assert!(!problem.todo.is_empty(), "{line}");
        }
    }
}
