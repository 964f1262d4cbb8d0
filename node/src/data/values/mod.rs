//! Values exactly: numbers as decimals, never as floating point where it can be helped; days and moments; and which type a
//! column of text has.

pub(crate) mod exact;
pub(crate) mod infer;
pub(crate) mod moment;
pub(crate) mod render;
pub(crate) mod typed;
