//! The product's path: files registered and opened, a plan from the question's text, each side's local query, the rows that the
//! protocol gets, and the table from what it releases.

use super::files;
use super::question::Question;
use super::tables::{Rows, Table};
use crate::data::{
    Dataset, OpenDataset, Prepared, Released, SpillFolder, Storage, eligible_ids, joint_table,
    joint_types, open_unapproved, prepare, register,
};
use crate::jobs::protocol::Sizes;
use entente_protocols::release::Cells;
use entente_wire::names::{ColumnName, DatasetName, OrgName};
use entente_wire::plan::Plan;
use entente_wire::policy::{IdKind, Policy};
use entente_wire::publication::Publication;
use entente_wire::sql::{Catalog, plan};
use std::path::{Path, PathBuf};

/// The key of both sides' digests.
const DIGEST_KEY: [u8; 32] = [7; 32];

/// One organisation's registered table of one world.
struct Held {
    open: OpenDataset,
    publication: Publication,
}

/// Both organisations' tables of one world.
pub(super) struct World {
    bank: Held,
    platform: Held,
}

impl Catalog for World {
    fn publication(&self, org: &OrgName, dataset: &DatasetName) -> Option<&Publication> {
        let held = [&self.bank, &self.platform].map(|held| &held.publication);
        held.into_iter()
            .find(|known| known.org == *org && known.policy.dataset == *dataset)
    }

    fn orgs(&self) -> Vec<OrgName> {
        [&self.bank, &self.platform]
            .map(|held| held.publication.org.clone())
            .to_vec()
    }
}

fn held(table: &Table, rows: &Rows, world: usize, folder: &Path, spill: &SpillFolder) -> Held {
    let path = files::write(table, rows, world, folder);
    let policy = Policy::from_toml(&table.policy());
    let policy = policy.unwrap_or_else(|problem| panic!("{problem:?}\n{}", table.policy()));
    let kind: IdKind = "e164(+86)".to_owned().try_into().expect("a kind of ids");
    let id = ColumnName("mobile".to_owned());
    let registered = register(&policy.dataset, &path, &[(id.clone(), kind)], spill);
    let (dataset, _): (Dataset, _) = registered.unwrap_or_else(|problem| panic!("{problem:?}"));
    let eligible = eligible_ids(&dataset, &policy, &id, spill).expect("counts");
    let entering = rows.iter().filter(|row| row.consent == Some(true)).count();
    assert_eq!(
        eligible, entering as u64,
        "one row an id, and all consenting"
    );
    let publication = Publication {
        org: table.org.parse().expect("a name"),
        version: 1,
        schema: dataset.schema(&policy),
        // No question is asked of a set that is published as empty.
        ids_rounded: eligible
            .next_multiple_of(policy.set_grid)
            .max(policy.set_grid),
        policy: policy.clone(),
    };
    let open = open_unapproved(&dataset, &policy).unwrap_or_else(|problem| panic!("{problem:?}"));
    Held { open, publication }
}

/// A question of one world, as both nodes hold it before the protocol runs.
pub(super) struct Asked {
    pub(super) plan: Plan,
    /// In the order of the plan's sides.
    pub(super) prepared: [Prepared; 2],
    /// Published sizes.
    pub(super) sizes: Sizes,
}

impl World {
    pub(super) fn new(
        tables: [&Table; 2],
        rows: [&Rows; 2],
        number: usize,
        folder: &Path,
        spill: &SpillFolder,
    ) -> Self {
        let [bank, platform] =
            [0, 1].map(|org| held(tables[org], rows[org], number, folder, spill));
        Self { bank, platform }
    }

    pub(super) fn ask(&self, question: &Question, spill: &SpillFolder) -> Asked {
        let asker = &self.bank.publication.org;
        let plan = plan(&question.job(), asker, self);
        let plan = plan.unwrap_or_else(|problems| panic!("{problems:#?}\n{}", question.ask()));
        let held = [0, 1].map(|side| match plan.sides[side].org == *asker {
            true => &self.bank,
            false => &self.platform,
        });
        let prepared = [0, 1].map(|side| {
            let open = &held[side].open;
            let prepared = prepare(
                open,
                &plan,
                &plan.sides[side].org,
                DIGEST_KEY,
                spill,
                &mut |_, _| Ok(()),
            );
            prepared.unwrap_or_else(|problem| panic!("{problem:?}\n{}", question.ask()))
        });
        let receiver = usize::from(plan.sides[0].org != plan.receiver);
        let ids = |side: usize| held[side].publication.ids_rounded;
        let sizes = Sizes {
            receiver: ids(receiver),
            sender: ids(1 - receiver),
        };
        Asked {
            plan,
            prepared,
            sizes,
        }
    }
}

/// The table as its readers get it.
pub(super) struct Answer {
    /// The file.
    pub(super) csv: String,
    pub(super) suppressed: u64,
    /// Decimals of each column's numbers; none of counts and keys.
    pub(super) decimals: Vec<Option<u8>>,
}

impl Asked {
    /// R's place among the sides.
    pub(super) fn receiver(&self) -> usize {
        usize::from(self.plan.sides[0].org != self.plan.receiver)
    }

    pub(super) fn answer(&self, cells: &Cells, folder: &Path, name: &str) -> Answer {
        let released = Released {
            cells,
            errors: None,
        };
        let table =
            joint_table(&self.plan, released).unwrap_or_else(|problem| panic!("{problem:?}"));
        let path: PathBuf = folder.join(name);
        table.write_csv(&path).expect("a disk with room");
        let types = joint_types(&self.plan, false).expect("types");
        let decimals = types.iter().map(|storage| match storage {
            Storage::Decimal { scale, .. } => Some(*scale),
            _ => None,
        });
        Answer {
            csv: std::fs::read_to_string(path).expect("just written"),
            suppressed: table.suppressed,
            decimals: decimals.collect(),
        }
    }
}
