//! Named limits on everything that a user, a partner or the coordinator can send.

/// Largest canonical document (job, policy, registry, approval …). Real ones are a few kilobytes; a submission with the longest job and
/// the seal of [`PARTIES_MAX`] parties with the longest names needs all of it.
pub const DOCUMENT_BYTES_MAX: usize = 512 * 1024;
/// Longest file that people write, of which a policy or a job is made.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// Largest canonical publication: a policy and the schema that goes with it.
pub const PUBLICATION_BYTES_MAX: usize = 256 * 1024;
/// Longest SQL question. Real ones are under a kilobyte; the parser's recursion is bounded separately.
pub const QUESTION_BYTES_MAX: usize = 16 * 1024;
/// Longest sentence of a problem. Two of them, percent- and base64-encoded, have to fit the 16 KiB of a gRPC trailer.
pub const PROBLEM_TEXT_BYTES_MAX: usize = 1_500;
/// Longest purpose, legal basis or reason: a short paragraph.
pub const WORDS_BYTES_MAX: usize = 2_000;
/// Most runs of one job. A question that is asked daily for a year stays below.
pub const RUNS_MAX: u32 = 1_000;
/// The last second of the year 9999: later moments have no RFC 3339 form.
pub const EXPIRES_UNIX_S_MAX: u64 = 253_402_300_799;
/// Largest privacy loss in millionths, one run or one year. A loss of 1,000 protects nothing; more is a typing error.
pub const EPSILON_MILLIONTHS_MAX: u64 = 1_000_000_000;
/// Largest number of ids in a rule (smallest group, smallest set, grid): a hundred times all people.
pub const IDS_MAX: u64 = 1_000_000_000_000;
/// Most runs in a budget of 30 days: one every second or so.
pub const JOBS_PER_30D_MAX: u64 = 1_000_000;
/// Most roles in one quorum.
pub const ROLES_MAX: usize = 32;
/// Longest column name.
pub const COLUMN_NAME_BYTES_MAX: usize = 256;
/// Longest value in a public domain.
pub const DOMAIN_VALUE_BYTES_MAX: usize = 256;
/// Largest canonical policy; with its schema it has to fit a publication.
pub const POLICY_BYTES_MAX: usize = PUBLICATION_BYTES_MAX / 2;
/// Largest canonical job; with its seal it has to fit a document.
pub const JOB_BYTES_MAX: usize = 128 * 1024;
/// Most people one organisation registers.
pub const PEOPLE_MAX: usize = 1_000;
/// Most columns in one dataset.
pub const COLUMNS_MAX: usize = 2_000;
/// Most values in a group column's public domain.
pub const DOMAIN_VALUES_MAX: usize = 10_000;
/// Most ids of one side under ECDH-PSI, which runs in one piece: both lists are in memory at once, as points.
pub const ECDH_IDS_MAX: u64 = 1 << 24;
/// Most ids of one side under VOLE-PSI, which runs in buckets. The protocol library plans no larger job (its bound of the same
/// value): places in a list are 32-bit numbers.
pub const VOLE_IDS_MAX: u64 = 1 << 31;
/// Most cells of a table by the blind join: both nodes compute and send for every bin in every group of a side.
pub const BLIND_CELLS_MAX: u64 = 4_096;
/// Most words of a table by the blind join, moments times cells: each is computed for every bin, so more would turn seconds into
/// hours, and each is opened, so more would be a list rather than a table.
pub const BLIND_WORDS_MAX: u64 = 16_384;
/// Most bits of one sum: with its sign it stays below 10^38, which results are written in, and a multiplication by 2 cannot wrap
/// 128 bits.
pub const MOMENT_BITS_MAX: u8 = 127;
/// Most organisations in one job.
pub const PARTIES_MAX: usize = 1_000;
/// One gRPC message between nodes; protocol chunks are at most 1 MiB plus framing.
pub const RPC_MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Largest control message of a session; the largest is an abort with its problem.
pub const CONTROL_BYTES_MAX: usize = 16 * 1024;
/// Sessions that one job may open, the first included: a line that breaks three times needs a person, and a partner that
/// breaks off after it has read its answer gets it at most this often.
pub const ATTEMPTS_MAX: u32 = 3;
/// Version of the whole cross-party contract; nodes and coordinators of another version are refused by name.
pub const WIRE_VERSION: u32 = 1;
/// Fewest organisations in an aggregation: between two, the sum tells each the other's numbers.
pub const AGGREGATE_PARTIES_MIN: usize = 3;
/// Most words of one member's vector in an aggregation, cells times sums.
pub const AGGREGATE_WORDS_MAX: u64 = 10_000_000;
/// Bytes of one message of words in a round: whole words, and with its framing below the smallest limit on messages.
pub const ROUND_WORDS_BYTES: usize = 128 * 1024;
