//! Datasets: files that stay where they are, read only under an approved job.
//!
//! | module | does |
//! |---|---|
//! | [`register()`] | looks at every row of a file once: types, usable ids, hash |
//! | [`survey()`] | counts what a policy leaves of the ids |
//! | [`open_dataset`] | the only door to rows: needs all parties' approval and an unchanged file |
//! | [`prepare`] | the local query: ids, group codes and measures for the protocol |
//! | [`table()`], [`write_rows`] | results over the receiver's own rows |
//! | [`vector()`] | the local query of an aggregation: this organisation's own table |
//! | [`joint_table()`], [`aggregation_table`] | the result of a blind join or an aggregation, from released cells |
//! | [`write_parquet`] | a result's copy as Parquet |
//! | `ids` | brings ids to one form and digests them for one job |
//!
//! Who learns what: everything here stays in this node. What leaves it are counts and hashes (the manifest), a rounded size
//! (the publication), and keyed digests of ids inside a protocol run.

mod csv_out;
mod derived;
mod expression;
mod facts;
mod fault;
mod file;
mod first_look;
mod group;
mod id_pass;
pub mod ids;
mod joint_rows;
mod joint_table;
mod layout;
mod local_query;
mod manifest;
mod measure;
mod one_row;
mod open;
mod parquet_out;
mod prepared;
mod question;
mod quotient;
mod register;
mod result_records;
mod review;
mod row_values;
mod rows;
mod spill;
mod statistics;
mod survey;
mod table;
mod values;
mod vector;
mod write_rows;

pub(crate) use facts::{list, orderable, usable};
pub use joint_rows::JointRows;
pub use joint_table::{Released, aggregation_table, aggregation_types, joint_table, joint_types};
pub use layout::{Cell, Table};
pub use local_query::{Progress, prepare};
pub use manifest::{Column, Dataset, Format, IdCounts, MANIFEST_VERSION, Manifest, Storage};
pub use one_row::Counts;
#[cfg(test)]
pub(crate) use open::open_unapproved;
pub use open::{OpenDataset, open_dataset};
pub use parquet_out::write_parquet;
pub use prepared::{Bucket, Prepared};
pub use register::register;
pub(crate) use review::{ColumnReview, Review, review};
pub use rows::RowSet;
pub use spill::SpillFolder;
pub use survey::{eligible_ids, survey};
pub use table::{AVERAGE_DECIMALS, table, table_types};
pub use vector::{Vector, vector};
pub use write_rows::{Shown, row_types, write_rows};

#[cfg(test)]
mod tests;
