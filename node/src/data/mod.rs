//! Datasets: files that stay where they are, read only under an approved job.
//!
//! | module | does |
//! |---|---|
//! | [`register()`] | looks at every row of a file once: types, usable ids, hash |
//! | [`survey()`] | counts what a policy leaves of the ids |
//! | [`open_dataset`] | the only door to rows: needs all parties' approval and an unchanged file |
//! | `ids` | brings ids to one form and digests them for one job |
//!
//! Who learns what: everything here stays in this node. What leaves it are counts and hashes (the manifest), a rounded size
//! (the publication), and keyed digests of ids inside a protocol run.

mod facts;
mod fault;
pub(crate) mod file;
pub mod ids;
mod manifest;
mod one_row;
mod open;
mod register;
mod survey;
pub(crate) mod values;

pub use manifest::{Column, Dataset, Format, IdCounts, MANIFEST_VERSION, Manifest, Storage};
pub use one_row::Counts;
pub use open::{OpenDataset, open_dataset};
pub use register::register;
pub use survey::{eligible_ids, survey};
