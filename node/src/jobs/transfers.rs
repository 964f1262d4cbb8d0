//! How a blind join makes its oblivious transfers: whichever way ends sooner over the link as the asker measured it. Both nodes compute
//! it alike; neither way tells anybody more.

use super::joint;
use super::protocol::{CORES, Sizes};
use entente_protocols::blind;
use entente_wire::link_speed::LinkSpeed;
use entente_wire::plan::Plan;
use entente_wire::problem::Problem;
use entente_wire::seal::Transfers;

/// What one node computes in the blind join for one id of either side, whatever the table, with the line's encryption.
const FAST_ID_NANOSECONDS: u64 = 1_700;
/// The same with silent transfers.
const SILENT_ID_NANOSECONDS: u64 = 3_650;
/// And for each word of the table, cells times moments.
const WORD_NANOSECONDS: u64 = 5;
/// Of ten bytes, those in the direction that carries more.
const TENTHS_IN_ONE_DIRECTION: u64 = 6;

/// The way, and the job with it.
pub(super) fn chosen(
    plan: &Plan,
    sizes: Sizes,
    link: Option<LinkSpeed>,
) -> Result<(Transfers, blind::Job), Problem> {
    let fast = joint::job(plan, sizes, Transfers::Fast)?;
    let Some(link) = link else {
        return Ok((Transfers::Fast, fast));
    };
    let silent = joint::job(plan, sizes, Transfers::Silent)?;
    let takes = |transfers, job: &blind::Job| milliseconds(job, sizes, transfers, Some(link));
    match takes(Transfers::Silent, &silent) < takes(Transfers::Fast, &fast) {
        true => Ok((Transfers::Silent, silent)),
        false => Ok((Transfers::Fast, fast)),
    }
}

/// How long the job takes: both nodes compute while bytes travel.
pub(super) fn milliseconds(
    job: &blind::Job,
    sizes: Sizes,
    transfers: Transfers,
    link: Option<LinkSpeed>,
) -> u64 {
    let ids = sizes.receiver.saturating_add(sizes.sender);
    let words = job.setup().table().words() as u64;
    let an_id = match transfers {
        Transfers::Fast => FAST_ID_NANOSECONDS,
        Transfers::Silent => SILENT_ID_NANOSECONDS,
    };
    let computing = ids.saturating_mul(an_id + words * WORD_NANOSECONDS) / CORES / 1_000_000;
    let bytes = job.bytes() / 10 * TENTHS_IN_ONE_DIRECTION;
    computing.max(link.map_or(0, |link| link.milliseconds(bytes)))
}
