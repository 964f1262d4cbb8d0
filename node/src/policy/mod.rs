//! A data owner's policy against the data it speaks of: what stands in the way of publishing it, what its owner should know,
//! and what a partner may do with a column and why.
//!
//! The form of a policy and its own rules are `entente_wire::policy`; here is what only the owner's node can tell, because
//! it holds the data. Counts and names come out, never a value.

mod check;
mod columns;
mod explain;

#[cfg(test)]
mod tests;

pub use check::check;
pub use explain::explain;
