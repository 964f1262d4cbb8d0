//! Partners and coordinators that cheat.

mod approvals;
mod delivery;
mod records;
mod sessions;
