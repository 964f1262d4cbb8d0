//! What can be typed: the options that every noun has, the nouns, and the way from them to the file that does the work.

use crate::failure::Failure;
use crate::screen::Screen;
use crate::{
    approve, catalog, coordinator, data, demo, init, job, lab, link, node, people, policy, status,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Shown below the help: what scripts can rely on.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 the demo's answer was wrong; 2 wrong usage; 10 + the first digit of the \
error code otherwise (11 request, 12 policy, 13 job and approvals, 14 data, 15 linking, people and keys, 16 partner and \
network, 17 coordinator, 18 this node, 19 defect); 130 interrupted.";

/// Joint answers over customers that organisations share, while every row stays with the organisation that owns it.
#[derive(Parser)]
#[command(name = "entente", version, after_help = EXIT_CODES, propagate_version = true)]
struct Cli {
    /// The node's (or coordinator's) home folder.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "ENTENTE_HOME",
        default_value = "~/.entente",
        help_heading = "Everywhere"
    )]
    home: PathBuf,
    /// Print one JSON document instead of text; errors are JSON on standard error.
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Subcommand)]
enum Noun {
    /// Show a whole collaboration on this machine, checked against the truth.
    Demo(demo::Demo),
    /// Ask any question over local files, with as many organisations as it names.
    Lab(lab::Lab),
    /// Make an organisation's keys and its node's home folder.
    Init(init::Init),
    /// The people who approve: keygen, add, list.
    #[command(subcommand)]
    People(people::People),
    /// Host a collaboration: init, admit, run.
    #[command(subcommand)]
    Coordinator(coordinator::Coordinator),
    /// Run this organisation's node.
    Node(node::Run),
    /// The running node at a glance.
    Status(status::Show),
    /// Make the one line with which a partner links to this node.
    Invite(link::Invite),
    /// Link to a partner with its invite.
    Join(link::Join),
    /// The linked partners and their check words.
    Partners,
    /// Datasets: add, list.
    #[command(subcommand)]
    Data(data::Data),
    /// What partners may do with a dataset: new, check, publish, explain.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// What partners have published, and what we may do with it.
    Catalog,
    /// Ask: new, check, preview, submit, watch, result, cancel, list.
    #[command(subcommand)]
    Job(job::Job),
    /// Jobs that wait for a decision of our people.
    Inbox,
    /// Approve a job with your own key.
    Approve(approve::Decide),
    /// Deny a job with your own key.
    Deny(approve::Decide),
}

/// What every noun gets: where home is and where output goes.
pub(crate) struct Context {
    pub(crate) home: PathBuf,
    pub(crate) screen: Screen,
}

/// Parses the command line, does the work, and turns the outcome into an exit code.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Context {
        home: expand_home(cli.home),
        screen: Screen::new(cli.json),
    };
    match dispatch(&context, cli.noun) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.screen.failure(&failure);
            failure.exit_code()
        }
    }
}

fn dispatch(context: &Context, noun: Noun) -> Result<(), Failure> {
    match noun {
        Noun::Demo(demo) => demo.run(context),
        Noun::Lab(lab) => lab.run(context),
        Noun::Init(init) => init.run(context),
        Noun::People(people) => people.run(context),
        Noun::Coordinator(coordinator) => coordinator.run(context),
        Noun::Node(node) => node.run(context),
        Noun::Status(show) => show.run(context),
        Noun::Invite(invite) => invite.run(context),
        Noun::Join(join) => join.run(context),
        Noun::Partners => link::partners(context),
        Noun::Data(data) => data.run(context),
        Noun::Policy(policy) => policy.run(context),
        Noun::Catalog => catalog::show(context),
        Noun::Job(job) => job.run(context),
        Noun::Inbox => approve::inbox(context),
        Noun::Approve(decide) => decide.approve(context),
        Noun::Deny(decide) => decide.deny(context),
    }
}

/// `~` at the beginning of the default, which no shell has expanded.
fn expand_home(home: PathBuf) -> PathBuf {
    let Ok(rest) = home.strip_prefix("~") else {
        return home;
    };
    match std::env::var_os("HOME") {
        Some(user) => PathBuf::from(user).join(rest),
        None => home,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_default_home_is_below_the_users_own() {
        assert!(!expand_home("~/.entente".into()).starts_with("~"));
        assert_eq!(expand_home("/a/b".into()), PathBuf::from("/a/b"));
    }
}
