//! This organisation's datasets as jobs see them: registered, surveyed under a policy, published; and everybody's publications
//! as a catalogue. Partners are told schema, policy and a rounded size, never data.

use super::budget::{Budget, LossBudget, WINDOW_MS, YEAR_MS};
use super::view::View;
use super::{Core, Jobs};
use crate::data::{self, Dataset, SpillFolder};
use crate::ledger::{Fact, SignedRecord};
use entente_wire::canonical::Digest;
use entente_wire::local::{CatalogEntry, DatasetReport, IdReport};
use entente_wire::names::{ColumnName, DatasetName};
use entente_wire::plan::Side;
use entente_wire::policy::{Epsilon, IdKind, Policy};
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::Publication;
use entente_wire::sign::{Kind, Record};
use entente_wire::sql::Catalog;
use entente_wire::tags;
use std::path::Path;

impl Jobs {
    /// Registers a file as a dataset, or a new version of it. Reads the whole file; blocking.
    pub fn add_dataset(
        &self,
        name: &DatasetName,
        path: &Path,
        ids: &[(ColumnName, IdKind)],
    ) -> Result<DatasetReport, Problem> {
        let (dataset, report) = data::register(name, path, ids, &self.core.spill)?;
        let published = self
            .core
            .live()
            .view
            .publication(&self.core.own, name)
            .cloned();
        // Where a policy is in force, the new version is counted under it, so that jobs can go on with it.
        let surveyed = match &published {
            Some(publication) => {
                let policy = Some(&publication.policy);
                Some(data::survey(&dataset, policy, &self.core.spill)?)
            }
            None => None,
        };
        let manifest = Record::sign(
            &self.core.node_key,
            Kind::Manifest,
            &self.core.own,
            &dataset.manifest,
        );
        let registered = Fact::DatasetRegistered {
            manifest: SignedRecord::from(&manifest),
            dataset,
            report: report.clone(),
        };
        let now_ms = self.core.now_ms();
        self.core.ledger.record(now_ms, registered)?;
        if let (Some(publication), Some(report)) = (&published, &surveyed) {
            let fact = Fact::DatasetSurveyed {
                policy: publication.policy_digest(),
                report: report.clone(),
            };
            self.core.ledger.record(now_ms, fact)?;
        }
        Ok(with_version(surveyed.unwrap_or(report), published.as_ref()))
    }

    /// All registered datasets.
    pub fn datasets(&self) -> Result<Vec<DatasetReport>, Problem> {
        let live = self.core.live();
        let registered = self.core.ledger.datasets()?.into_iter();
        let reports = registered.map(|registered| {
            let published = live
                .view
                .publication(&self.core.own, &registered.report.dataset);
            with_version(registered.report, published)
        });
        Ok(reports.collect())
    }

    /// A registered dataset, to check a policy against.
    pub fn dataset(&self, name: &DatasetName) -> Result<Dataset, Problem> {
        self.core
            .registered(name)
            .map(|registered| registered.dataset)
    }

    /// Where ids go that do not fit into memory.
    pub(crate) fn spill(&self) -> &SpillFolder {
        &self.core.spill
    }

    /// The policy that a dataset of ours is published under.
    pub fn published_policy(&self, name: &DatasetName) -> Result<Policy, Problem> {
        let live = self.core.live();
        let publication = live.view.publication(&self.core.own, name);
        publication
            .map(|publication| publication.policy.clone())
            .ok_or_else(|| {
                let what = format!("no policy of the dataset {name} is published here");
                let todo = format!("publish one: `entente policy publish {name}`");
                Problem::request(Code::DatasetUnknown, what, todo)
            })
    }

    /// Publishes a policy that was checked against the dataset: counts what it leaves of the ids (reads the whole file;
    /// blocking), signs, records and sends. Jobs approved under another policy are void from here on.
    pub fn publish(&self, policy: Policy) -> Result<Publication, Problem> {
        let core = &self.core;
        let dataset = core.registered(&policy.dataset)?.dataset;
        let report = data::survey(&dataset, Some(&policy), &core.spill)?;
        let most = report.enterable_ids(&policy);
        if most == 0 {
            let what = format!(
                "no id of {} can enter a job under this policy",
                policy.dataset
            );
            let todo =
                "see `entente data list` for what was rejected, without consent or conflicting";
            return Err(Problem::here(Code::NoUsableIds, what, todo));
        }
        let mut live = core.live();
        let held = live.view.publication(&core.own, &policy.dataset);
        let publication = Publication {
            org: core.own.clone(),
            version: held.map_or(1, |held| held.version.saturating_add(1)),
            schema: dataset.schema(&policy),
            ids_rounded: most.next_multiple_of(policy.set_grid.max(1)),
            policy,
        };
        publication.check().map_err(|flaw| {
            Problem::request(
                Code::PolicyFile,
                format!("the policy does not fit the dataset: {flaw}"),
                flaw.fix,
            )
        })?;
        let now_ms = core.now_ms();
        let surveyed = Fact::DatasetSurveyed {
            policy: publication.policy_digest(),
            report,
        };
        core.ledger.record(now_ms, surveyed)?;
        if let Some(held) = held.filter(|held| says_the_same(held, &publication)) {
            return Ok(held.clone());
        }
        let record = Record::sign(&core.node_key, Kind::Publication, &core.own, &publication);
        core.ledger.record(
            now_ms,
            Fact::PublicationSeen {
                record: SignedRecord::from(&record),
            },
        )?;
        core.view_changed(&mut live)?;
        core.post(record);
        Ok(publication)
    }

    /// Everybody's publications, with what this organisation may do and what the budgets have left.
    pub fn catalog(&self) -> Result<Vec<CatalogEntry>, Problem> {
        let core = &self.core;
        let live = core.live();
        let entries = live.view.publications().map(|publication| {
            let policy = &publication.policy;
            let columns = policy.columns.iter().map(|(name, column)| {
                let verbs = column
                    .may
                    .iter()
                    .filter(|(_, orgs)| orgs.contains(&core.own));
                (name.clone(), verbs.map(|(verb, _)| *verb).collect())
            });
            let left = (publication.org != core.own).then(|| core.left(publication));
            let (jobs_left_30d, epsilon_left_year) = left.transpose()?.unzip();
            Ok(CatalogEntry {
                publication: publication.clone(),
                for_us: columns.collect(),
                jobs_left_30d,
                epsilon_left_year,
            })
        });
        entries.collect()
    }
}

impl Core {
    /// Sessions and privacy loss that a partner's dataset has left with us.
    fn left(&self, publication: &Publication) -> Result<(u64, Epsilon), Problem> {
        let (owner, dataset) = (&publication.org, &publication.policy.dataset);
        let (now_ms, limits) = (self.now_ms(), &publication.policy.budget);
        let since_ms = now_ms.saturating_sub(WINDOW_MS);
        let opened = self.ledger.sessions_over_theirs(owner, dataset, since_ms)?;
        let sessions = Budget {
            owner,
            dataset,
            user: &self.own,
            limit: limits.jobs_per_30d,
        };
        let since_ms = now_ms.saturating_sub(YEAR_MS);
        let spent = self.ledger.losses_over_theirs(owner, dataset, since_ms)?;
        let losses = LossBudget {
            owner,
            dataset,
            user: &self.own,
            limit: limits.epsilon_per_year,
        };
        Ok((sessions.left(&opened), losses.left(&spent)))
    }

    fn registered(&self, name: &DatasetName) -> Result<crate::ledger::Registered, Problem> {
        self.ledger.dataset(name)?.ok_or_else(|| {
            let what = format!("no dataset {name} is registered here");
            let todo =
                format!("register it: `entente data add {name} --from FILE --id COLUMN=KIND`");
            Problem::request(Code::DatasetUnknown, what, todo)
        })
    }

    /// Ids of our side that can enter this job, as counted when the dataset was registered or published: of an event table that is collapsed
    /// all that consent, else not those whose rows conflict.
    pub(super) fn eligible(&self, view: &View, side: &Side) -> Result<u64, Problem> {
        match side.derived {
            Some(_) => self.counted(view, side, IdReport::enterable_ids),
            None => self.counted(view, side, |ids| ids.eligible_ids),
        }
    }

    /// The size that a list of our side's is padded to, whichever id column it is matched on: the one that was published, as long as the
    /// registered dataset has it.
    pub(super) fn padded(&self, view: &View, side: &Side, policy: &Policy) -> Result<u64, Problem> {
        self.eligible(view, side)?;
        let report = self.registered(&side.dataset)?.report;
        Ok(report
            .enterable_ids(policy)
            .next_multiple_of(policy.set_grid.max(1)))
    }

    fn counted(
        &self,
        view: &View,
        side: &Side,
        count: impl FnOnce(&IdReport) -> Option<u64>,
    ) -> Result<u64, Problem> {
        let registered = self.registered(&side.dataset)?;
        let policy = view
            .publication(&self.own, &side.dataset)
            .map(Publication::policy_digest);
        let surveyed = registered
            .surveyed_under
            .filter(|under| Some(*under) == policy);
        let ids = registered.report.ids.iter().find(|id| id.column == side.id);
        surveyed.and(ids).and_then(count).ok_or_else(|| {
            let what = format!(
                "the ids of {} were not counted under its published policy",
                side.dataset
            );
            Problem::here(
                Code::DatasetUnknown,
                what,
                format!(
                    "publish it again: `entente policy publish {}`",
                    side.dataset
                ),
            )
        })
    }
}

fn with_version(report: DatasetReport, published: Option<&Publication>) -> DatasetReport {
    DatasetReport {
        published_version: published.map(|publication| publication.version),
        ..report
    }
}

/// Whether two publications differ in nothing but the version: publishing again then changes nothing for anybody.
fn says_the_same(one: &Publication, other: &Publication) -> bool {
    let digest = |publication: &Publication| {
        let parts = (
            &publication.policy,
            &publication.schema,
            publication.ids_rounded,
        );
        Digest::of_document(tags::POLICY, &parts)
    };
    digest(one) == digest(other)
}
