//! Named limits on everything that a user, a partner or the coordinator can send.

/// Largest canonical document (job, policy, registry, approval …). Real ones are a few kilobytes.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// Longest SQL question. Real ones are under a kilobyte; the parser's recursion is bounded separately.
pub const QUESTION_BYTES_MAX: usize = 16 * 1024;
/// Longest sentence of a problem. Two of them, percent- and base64-encoded, have to fit the 16 KiB of a gRPC trailer.
pub const PROBLEM_TEXT_BYTES_MAX: usize = 1_500;
/// Most people one organisation registers.
pub const PEOPLE_MAX: usize = 1_000;
/// Most columns in one dataset.
pub const COLUMNS_MAX: usize = 2_000;
/// Most values in a group column's public domain.
pub const DOMAIN_VALUES_MAX: usize = 10_000;
/// Most organisations in one job.
pub const PARTIES_MAX: usize = 1_000;
/// One gRPC message between nodes; protocol chunks are at most 1 MiB plus framing.
pub const RPC_MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Largest control message of a session; the largest is an abort with its problem.
pub const CONTROL_BYTES_MAX: usize = 16 * 1024;
/// Version of the whole cross-party contract; nodes and coordinators of another version are refused by name.
pub const WIRE_VERSION: u32 = 1;
