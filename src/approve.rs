//! `entente inbox`, `approve` and `deny`: a person reads the job's page and signs the job hash with their own key.
//!
//! The person's client does not take the hash from the node: it computes `H` from the submission's bytes, checks that `H`
//! covers the very page that is shown, and signs what it computed. So a node cannot have a person sign another job than
//! the one on the screen.

use crate::cli::Context;
use crate::duration;
use crate::failure::Failure;
use crate::local_node::{LocalNode, block_on};
use crate::people::key_problem;
use crate::screen::table;
use clap::Args;
use entente_certs::PrivateKey;
use entente_wire::approval::{PersonDecision, SignedDecision, Verdict};
use entente_wire::canonical::{self, Digest};
use entente_wire::local::{InboxItem, JobView};
use entente_wire::names::{OrgName, PersonName};
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::JobHash;
use entente_wire::sign::Signer;
use entente_wire::tags;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

/// Decide on a job with your own key.
#[derive(Args)]
pub(crate) struct Decide {
    /// J-…, as `entente inbox` lists it.
    job: String,
    /// Your name, as it was registered.
    #[arg(long = "as", value_name = "NAME")]
    person: PersonName,
    /// Your private key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Why, in a sentence; needed for a denial.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Do not ask on the terminal: for scripts that have shown the page in another way.
    #[arg(long)]
    yes: bool,
}

/// Lists the jobs that wait for our people.
pub(crate) fn inbox(context: &Context) -> Result<(), Failure> {
    block_on(async {
        let mut node = LocalNode::connect(&context.home).await?;
        let items = node.inbox().await?;
        context.screen.show(&items, |items| inbox_text(items));
        Ok(())
    })
}

fn inbox_text(items: &[InboxItem]) -> String {
    if items.is_empty() {
        return "nothing waits for a decision here".to_owned();
    }
    let rows = items
        .iter()
        .map(|item| {
            let decided: Vec<&str> = item.decided.iter().map(PersonName::as_str).collect();
            vec![
                item.job.id.clone(),
                item.job.name.clone(),
                item.job.asker.to_string(),
                item.submission.job.purpose.clone(),
                decided.join(", "),
                duration::moment(item.submission.job.expires_unix_s),
            ]
        })
        .collect();
    let table = table(
        &["job", "name", "asked by", "purpose", "decided", "expires"],
        &[],
        rows,
    );
    format!("{table}\nnext: `entente approve J-… --as NAME --key FILE` shows the page and asks")
}

impl Decide {
    pub(crate) fn approve(self, context: &Context) -> Result<(), Failure> {
        self.run(context, Verdict::Approve)
    }

    pub(crate) fn deny(self, context: &Context) -> Result<(), Failure> {
        if self.reason.trim().is_empty() {
            return Err(Failure::from(Problem::request(
                Code::Argument,
                "a denial says why",
                "add --reason \"…\"; the asking side reads it",
            )));
        }
        self.run(context, Verdict::Deny)
    }

    fn run(self, context: &Context, verdict: Verdict) -> Result<(), Failure> {
        let signer = load_signer(&self.key)?;
        block_on(async {
            let mut node = LocalNode::connect(&context.home).await?;
            let org = node.status().await?.org;
            let item = find(&mut node, &self.job).await?;
            let hash = proven_hash(&item)?;
            if !context.screen.is_json() {
                context.screen.line(page(&item, hash));
            }
            if !self.yes {
                confirm(context, verdict, hash)?;
            }
            let decision = Decision {
                org,
                person: self.person,
                verdict,
                reason: self.reason,
            };
            let job = decision.send(&mut node, hash, &signer).await?;
            context.screen.show(&job, |job| decided_text(verdict, job));
            Ok(())
        })
    }
}

/// A person's decision, before it is signed.
pub(crate) struct Decision {
    pub(crate) org: OrgName,
    pub(crate) person: PersonName,
    pub(crate) verdict: Verdict,
    pub(crate) reason: String,
}

impl Decision {
    /// Signs and hands in.
    pub(crate) async fn send(
        self,
        node: &mut LocalNode,
        job: JobHash,
        signer: &Signer,
    ) -> Result<JobView, Problem> {
        let decision = PersonDecision {
            job,
            org: self.org,
            person: self.person,
            verdict: self.verdict,
            reason: self.reason,
        };
        decision.check().map_err(|_| {
            Problem::request(
                Code::Argument,
                "the reason is too long or has control characters",
                "say it in a sentence",
            )
        })?;
        let signed = SignedDecision::sign(signer, decision);
        let body = canonical::to_bytes(&signed.decision);
        node.decide(body, signed.signature.0.to_vec()).await
    }
}

/// The person's key, as a signer.
pub(crate) fn load_signer(path: &Path) -> Result<Signer, Problem> {
    let key = PrivateKey::load(path).map_err(|fault| key_problem(&fault))?;
    Signer::from_pkcs8(key.pkcs8()).map_err(|fault| {
        Problem::request(
            Code::KeyFile,
            format!("{} cannot sign: {fault}", path.display()),
            "name the private key file that `entente people keygen` wrote",
        )
    })
}

async fn find(node: &mut LocalNode, job: &str) -> Result<InboxItem, Problem> {
    let items = node.inbox().await?;
    let wanted = job.to_ascii_lowercase();
    let mut matching = items.into_iter().filter(|item| {
        item.job.id.eq_ignore_ascii_case(job)
            || (wanted.len() >= 8 && item.job.hash.to_string().starts_with(&wanted))
    });
    match (matching.next(), matching.next()) {
        (Some(item), None) => Ok(item),
        (Some(_), Some(_)) => Err(Problem::request(
            Code::Argument,
            format!("{job} names more than one job"),
            "write more digits of its hash, from `entente inbox --json`",
        )),
        _ => Err(Problem::request(
            Code::JobUnknown,
            format!("{job} does not wait for a decision here"),
            "see `entente inbox` and `entente job list`",
        )),
    }
}

/// `H`, computed here from the submission's bytes, once it covers the job text and the page that will be shown.
pub(crate) fn proven_hash(item: &InboxItem) -> Result<JobHash, Problem> {
    let submission = &item.submission;
    let hash = submission.hash();
    let covered = submission.seal.job == submission.job.digest()
        && submission.seal.leakage == Digest::of_document(tags::LEAKAGE, &item.statement)
        && item.job.hash == hash
        && item.job.id == hash.short();
    if covered {
        return Ok(hash);
    }
    Err(Problem::here(
        Code::JobDiffers,
        "the page that this node shows is not the job that the hash covers",
        "do not approve; have the node's machine examined",
    ))
}

/// Everything a person has to see before deciding.
fn page(item: &InboxItem, hash: JobHash) -> String {
    let job = &item.submission.job;
    let readers: Vec<&str> = job.results_to.iter().map(OrgName::as_str).collect();
    format!(
        "{} {}, asked by {}\n\n\
         purpose:     {}\n\
         legal basis: {}\n\
         read by:     {}\n\
         runs:        {}\n\
         expires:     {}\n\
         H:           {hash}\n\n\
         {}\n\n{}",
        hash.short(),
        job.name,
        item.submission.seal.asker,
        job.purpose,
        job.legal_basis,
        readers.join(", "),
        job.runs,
        duration::moment(job.expires_unix_s),
        job.ask.trim_end(),
        item.statement.page()
    )
}

/// Asks for the job's name: an answer that nobody gives by mistake.
fn confirm(context: &Context, verdict: Verdict, hash: JobHash) -> Result<(), Failure> {
    let verb = match verdict {
        Verdict::Approve => "approve",
        Verdict::Deny => "deny",
    };
    context
        .screen
        .notice(format!("type {} to {verb} it:", hash.short()));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim().eq_ignore_ascii_case(&hash.short()) {
        return Ok(());
    }
    Err(Failure::from(Problem::request(
        Code::Argument,
        "nothing was decided",
        format!("type {} when asked, or use --yes in a script", hash.short()),
    )))
}

fn decided_text(verdict: Verdict, job: &JobView) -> String {
    let what = match verdict {
        Verdict::Approve => "approved",
        Verdict::Deny => "denied",
    };
    format!("{what}; {} {}", job.id, crate::progress::line(job))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// An inbox item as a node would show it, whose hash covers text and page.
    fn item() -> InboxItem {
        let statement = json!({
            "runs": [], "recipients": [], "observers": [], "assumptions": [], "cost": {"bytes": 1, "seconds": 1, "memory_mib": 1}
        });
        let statement: entente_wire::leakage::Statement =
            serde_json::from_value(statement).expect("a statement");
        let yaml = crate::job::template("a-test");
        let job = entente_wire::job::Job::from_yaml(&yaml).expect("a job");
        let digest = Digest::of("a test", &[]);
        let seal = json!({
            "job": job.digest(), "nonce": "00".repeat(16), "asker": "north-bank", "plan_version": 1,
            "plan": digest, "protocol": {"name": "ecdh", "profile": "ristretto255"},
            "parties": {}, "leakage": Digest::of_document(tags::LEAKAGE, &statement)
        });
        let seal: entente_wire::seal::Seal = serde_json::from_value(seal).expect("a seal");
        let hash = seal.hash();
        let view = json!({
            "hash": hash, "id": hash.short(), "name": job.name, "asker": "north-bank", "parties": [],
            "state": "awaiting-approvals", "waiting_for": [], "progress": null, "problem": null,
            "result_rows": null, "suppressed_groups": null, "summed_parties": null, "result_path": null
        });
        InboxItem {
            job: serde_json::from_value(view).expect("a view"),
            submission: entente_wire::submission::Submission { job, seal },
            statement,
            decided: Vec::new(),
        }
    }

    #[test]
    fn the_hash_is_computed_from_the_submissions_own_bytes() {
        let item = item();
        let hash = proven_hash(&item).expect("everything is covered");
        assert_eq!(hash, item.submission.seal.hash());
    }

    #[test]
    fn a_page_that_the_hash_does_not_cover_is_not_signed() {
        let mut item = item();
        item.statement
            .assumptions
            .push("nobody learns anything".to_owned());
        let problem = proven_hash(&item).expect_err("the page is another");
        assert_eq!(problem.code, Code::JobDiffers);
    }

    #[test]
    fn a_text_that_the_hash_does_not_cover_is_not_signed() {
        let mut changed = item();
        changed.submission.job.purpose = "something harmless".to_owned();
        proven_hash(&changed).expect_err("the text is another");
        let mut other = item();
        other.job.id = "J-00000000".to_owned();
        proven_hash(&other).expect_err("the name is another job's");
    }
}
