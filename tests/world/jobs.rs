//! Jobs of a world, from asking to the result.

use super::command::{self, Outcome};
use super::{BANK, PAY, World, unique, until};
use serde_json::Value;

impl World {
    /// Submits a job at an organisation; its id.
    pub(crate) fn submit(&self, org: &str, yaml: &str) -> String {
        self.try_submit(org, yaml).json()["id"]
            .as_str()
            .expect("a job has an id")
            .to_owned()
    }

    /// Submits a job that may be refused.
    pub(crate) fn try_submit(&self, org: &str, yaml: &str) -> Outcome {
        let name = format!("{org}-{}.yaml", unique());
        let path = self.file(&name, yaml);
        self.at(org, &["job", "submit", &path])
    }

    /// Waits until a job is in an organisation's inbox.
    pub(crate) fn await_inbox(&self, org: &str, job: &str) {
        until(&format!("{job} in {org}'s inbox"), || {
            let inbox = self.at(org, &["inbox"]).json();
            let items = inbox.as_array()?;
            items
                .iter()
                .any(|item| item["job"]["id"] == job)
                .then_some(())
        });
    }

    /// One person's approval.
    pub(crate) fn approve(&self, org: &str, job: &str, person: &str) -> Outcome {
        let key = self.key(org, person);
        self.at(
            org,
            &["approve", job, "--as", person, "--key", &key, "--yes"],
        )
    }

    /// A person's private key file.
    pub(crate) fn key(&self, org: &str, person: &str) -> String {
        self.home(org)
            .join(format!("{person}.key"))
            .display()
            .to_string()
    }

    /// Everybody who is needed approves at both organisations.
    pub(crate) fn approve_all(&self, job: &str) {
        for org in [BANK, PAY] {
            self.await_inbox(org, job);
            self.approve(org, job, "data-owner").json();
            self.approve(org, job, "compliance").json();
        }
    }

    /// Follows a job at an organisation to its end; its last state.
    pub(crate) fn end(&self, org: &str, job: &str) -> Value {
        let outcome = self.at(org, &["job", "watch", job]);
        outcome.last_json_line()
    }

    /// Submits, approves and follows; the job's id and last state.
    pub(crate) fn run(&self, yaml: &str) -> (String, Value) {
        let job = self.submit(BANK, yaml);
        self.approve_all(&job);
        let end = self.end(BANK, &job);
        (job, end)
    }

    /// A job's result, as CSV.
    pub(crate) fn result(&self, org: &str, job: &str) -> String {
        let outcome = command::entente_text(&self.home(org), &["job", "result", job, "--csv"]);
        assert!(outcome.succeeded(), "{outcome:?}");
        outcome.stdout
    }
}
