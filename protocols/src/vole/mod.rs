//! Silent vector oblivious linear evaluation (protocols.md §3): R gets A and C, S gets Δ and B, with C = B + A·Δ over GF(2^128),
//! for the price of a few hundred oblivious transfers.

pub mod code;
pub mod tree;
