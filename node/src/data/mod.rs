//! Datasets: files that stay where they are, read only under an approved job.

pub mod ids;
pub mod manifest;

pub use manifest::{Column, Dataset, Format, IdCounts, Manifest, Storage};
