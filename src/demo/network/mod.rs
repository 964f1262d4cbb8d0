//! `entente demo --parties N`: one question over the same columns of many banks, added up under masks, with one of them lost on the
//! way, and with noise; every table is checked against the truth of exactly the banks that it says are in it.

mod banks;
mod likely;
mod narrative;
mod oracle;
mod question;
mod story;
mod verdict;

pub(super) use banks::PARTIES;
pub(super) use story::tell;
