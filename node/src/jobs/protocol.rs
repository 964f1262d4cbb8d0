//! From a plan and two published sizes to the protocol's parameters and cost: what both nodes compute alike before anybody
//! approves, from the protocol library and nothing else.

use super::{joint, transfers};
use entente_protocols::blind;
use entente_protocols::fault::Fault;
use entente_protocols::psi::vole::{self, Readers};
use entente_protocols::security::Security;
use entente_protocols::vole::{NOISE, code};
use entente_wire::job::SecurityChoice;
use entente_wire::leakage::Cost;
use entente_wire::link_speed::LinkSpeed;
use entente_wire::plan::{Matching, Plan};
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::{BlindTerms, Protocol, Transfers, VoleTerms};

/// Most buckets in flight: enough that one computes while another waits for the partner, few enough that their memory stays
/// small beside a node's.
const LANES_MAX: u64 = 3;
/// What one node computes for one id of either side, on one core of a small cloud machine.
const VOLE_ID_NANOSECONDS: u64 = 400;
/// Cores that a node is taken to have.
pub(super) const CORES: u64 = 2;
/// What a bucket in flight holds for each of its ids, of either side.
const VOLE_ID_MEMORY_BYTES: u64 = 128;
/// What a bucket in flight holds whatever its size: the vectors of the silent VOLE.
const VOLE_LANE_MEMORY_MIB: u64 = 24;
/// As [`VOLE_ID_MEMORY_BYTES`]: hints have three entries an id.
const BLIND_ID_MEMORY_BYTES: u64 = 192;
/// As [`VOLE_LANE_MEMORY_MIB`], with the trees of one tile of bins.
const BLIND_LANE_MEMORY_MIB: u64 = 64;

/// Padded sizes of the two roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) receiver: u64,
    pub(super) sender: u64,
}

/// The plan's protocol with its parameters at these sizes, and what a run costs over the link as it was measured.
pub(super) fn agreed(
    plan: &Plan,
    sizes: Sizes,
    link: Option<LinkSpeed>,
) -> Result<(Protocol, Cost), Problem> {
    match plan.matching {
        Matching::Ecdh => Ok((
            Protocol::ecdh(),
            Cost::of_ecdh(sizes.receiver, sizes.sender),
        )),
        Matching::Vole { security } => {
            let job = vole_job(plan, sizes, security)?;
            let terms = terms(&job, security);
            let cost = cost(&job, sizes, &terms);
            Ok((Protocol::Vole(terms), cost))
        }
        Matching::Blind => {
            let (transfers, job) = transfers::chosen(plan, sizes, link)?;
            let terms = blind_terms(&job, transfers, link);
            let mut cost = blind_cost(&job, sizes, &terms);
            cost.bytes += joint::release_terms(plan)?.bytes();
            Ok((Protocol::Blind(terms), cost))
        }
    }
}

/// VOLE-PSI as the plan wants it.
pub(super) fn vole_job(
    plan: &Plan,
    sizes: Sizes,
    security: SecurityChoice,
) -> Result<vole::Job, Problem> {
    let readers = match plan.is_mutual() {
        true => Readers::Both,
        false => Readers::ReceiverOnly,
    };
    let security = match security {
        SecurityChoice::SemiHonest => Security::SemiHonest,
        SecurityChoice::Malicious => Security::Malicious,
    };
    vole::Job::new(sizes.receiver, sizes.sender, security, readers)
        .map_err(|fault| too_large(&fault))
}

/// The planner refuses such sizes first.
pub(super) fn too_large(fault: &Fault) -> Problem {
    let what = format!("the two lists do not fit the protocol: {fault}");
    Problem::here(Code::Defect, what, "report this with both nodes' versions")
}

fn terms(job: &vole::Job, security: SecurityChoice) -> VoleTerms {
    let (buckets, setup) = (job.buckets(), job.setup());
    VoleTerms {
        version: vole::VERSION,
        security,
        code: code::NAME.to_owned(),
        noise: NOISE as u32,
        buckets: buckets.count(),
        receiver_bucket_ids: setup.sizes().receiver(),
        sender_bucket_ids: setup.sizes().sender(),
        vector_elements: setup.vector_elements() as u32,
        tag_bytes: setup.tag_bytes() as u32,
        lanes: buckets.count().min(LANES_MAX) as u32,
    }
}

fn blind_terms(job: &blind::Job, transfers: Transfers, link: Option<LinkSpeed>) -> BlindTerms {
    let (buckets, setup) = (job.buckets(), job.setup());
    let table = setup.table();
    BlindTerms {
        version: blind::VERSION,
        code: code::NAME.to_owned(),
        noise: NOISE as u32,
        buckets: buckets.count(),
        receiver_bucket_ids: setup.sizes().receiver(),
        sender_bucket_ids: setup.sizes().sender(),
        bins: setup.bins(),
        equality_bits: setup.equality_bits(),
        vector_elements: setup.vector_elements() as u32,
        hint_words: setup.hint_words() as u32,
        receiver_groups: table.receiver_groups(),
        sender_groups: table.sender_groups(),
        transfers,
        link,
        lanes: buckets.count().min(LANES_MAX) as u32,
    }
}

fn blind_cost(job: &blind::Job, sizes: Sizes, terms: &BlindTerms) -> Cost {
    let milliseconds = transfers::milliseconds(job, sizes, terms.transfers, terms.link);
    let bucket_ids = u64::from(terms.receiver_bucket_ids) + u64::from(terms.sender_bucket_ids);
    let lane_mib = BLIND_LANE_MEMORY_MIB + (bucket_ids * BLIND_ID_MEMORY_BYTES).div_ceil(1 << 20);
    Cost {
        bytes: job.bytes(),
        seconds: milliseconds.div_ceil(1_000),
        memory_mib: u64::from(terms.lanes) * lane_mib,
        link: terms.link,
    }
}

/// Bytes are exact; seconds and memory come from figures measured on a small cloud machine.
fn cost(job: &vole::Job, sizes: Sizes, terms: &VoleTerms) -> Cost {
    let ids = sizes.receiver.saturating_add(sizes.sender);
    let nanoseconds = ids.saturating_mul(VOLE_ID_NANOSECONDS) / CORES;
    let bucket_ids = u64::from(terms.receiver_bucket_ids) + u64::from(terms.sender_bucket_ids);
    let lane_mib = VOLE_LANE_MEMORY_MIB + (bucket_ids * VOLE_ID_MEMORY_BYTES).div_ceil(1 << 20);
    Cost {
        bytes: job.bytes(),
        seconds: nanoseconds.div_ceil(1_000_000_000),
        memory_mib: u64::from(terms.lanes) * lane_mib,
        link: None,
    }
}
