//! S's part of a release. The roles are those of the blind join; who reads is another matter.

use super::{AGREEMENT, BEFORE_OPENING, Cells, Terms, noise, opening, threshold};
use crate::agreement::Role;
use crate::blind::ots::{Ots, Way};
use crate::blind::selection;
use crate::blind::word::Word;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::secret::Secret;
use crate::session_id::SessionId;
use rand_core::CryptoRng;

/// S's part of [`super::receiver::run`]. Returns the table's cells if S reads.
pub fn run(
    channel: &mut Channel,
    sid: SessionId,
    terms: &Terms,
    shares: &[u128],
    rng: &mut impl CryptoRng,
) -> Result<Option<Cells>, Fault> {
    terms.check(shares)?;
    let sid = sid.part("release", 0);
    let mut shares = Secret::new(shares.to_vec());
    if terms.adds_noise(Role::Sender) {
        noise::add(terms, shares.expose_mut(), rng)?;
    }
    match terms.is_wide() {
        true => of_words::<u128>(channel, sid, terms, shares.expose(), rng),
        false => of_words::<u64>(channel, sid, terms, shares.expose(), rng),
    }
}

fn of_words<W: Word>(
    channel: &mut Channel,
    sid: SessionId,
    terms: &Terms,
    shares: &[u128],
    rng: &mut impl CryptoRng,
) -> Result<Option<Cells>, Fault> {
    AGREEMENT.agree(channel, &sid, &terms.digest(), Role::Sender)?;
    let mut ots = Ots::set_up_at_sender(&Way::Fast, channel, &sid, rng)?;
    let counts = Secret::new(terms.counts(shares));
    let bits = terms.count_bits();
    let shown = threshold::send(channel, &mut ots, bits, counts.expose(), rng)?;
    let shown = Secret::new(shown);
    let rows = Secret::new(terms.rows_to_open(W::ONE, shares));
    let (selection, shown, rows) = (&terms.selection(), shown.expose(), rows.expose());
    let selected = selection::send::<W>(channel, &mut ots, selection, shown, rows, rng)?;
    BEFORE_OPENING.compare(channel, &sid, Role::Sender)?;
    let selected = Secret::new(selected);
    opening::open(channel, &sid, terms, Role::Sender, selected.expose(), rng)
}
