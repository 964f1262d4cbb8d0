//! The blind join between the two nodes: bucket by bucket to shares of the table, then one release of the whole.
//!
//! A bucket leaves this node's share of its cells and nothing else, in memory, until all are over; neither node learns which ids are
//! common. The release opens what the plan says, to its readers; what it costs in privacy loss is spent before its first message.

use super::answer::Learned;
use super::joint::{self, Shape};
use super::matching::{Ended, Matching, defect};
use crate::data::JointRows;
use entente_protocols::blind::{Bucket, Party};
use entente_protocols::channel::Channel;
use entente_protocols::psi::SessionId;
use entente_protocols::release;
use entente_wire::canonical::Digest;
use entente_wire::plan::SideColumn;
use entente_wire::seal::{BlindTerms, Protocol};
use rand_chacha::ChaCha20Rng;

/// Domain of the release's session identity.
const RELEASE_TAG: &str = "entente/1/release-of";

impl Matching<'_> {
    /// Bucket by bucket, several in flight; then the table is released, once.
    pub(super) fn blind(
        &self,
        sealed: &BlindTerms,
        channels: &mut [Channel],
        break_off: &(dyn Fn() + Sync),
        rng: &mut ChaCha20Rng,
    ) -> Result<Learned, Ended> {
        let plan = self.plan();
        let job = joint::job(plan, self.sizes(), sealed.transfers).map_err(Ended::Data)?;
        self.check_sealed(&Protocol::Blind(sealed.clone()))?;
        let shape = Shape::of(plan).map_err(Ended::Data)?;
        let sid = SessionId::new(self.terms.sid.0);
        let rows = Rows {
            matching: self,
            buckets: job.buckets().count(),
            columns: shape.columns(self.receives()),
            break_off,
        };
        match self.receives() {
            true => job.receive(channels, sid, self.todo, &rows, rng)?,
            false => job.send(channels, sid, self.todo, &rows, rng)?,
        }
        let Some(channel) = channels.first_mut() else {
            return Err(Ended::Data(defect("a blind join was given no lane")));
        };
        self.release(&shape, sealed.buckets, channel, rng)
    }

    /// On the first lane, after all buckets are over at both nodes. What it costs is spent before its first message.
    fn release(
        &self,
        shape: &Shape,
        buckets: u64,
        channel: &mut Channel,
        rng: &mut ChaCha20Rng,
    ) -> Result<Learned, Ended> {
        let moments = shape.table.moments().iter();
        let bits: Vec<u32> = moments.map(|moment| moment.bits).collect();
        let share = self.kept.shares.sum(buckets, shape.table.words(), &bits);
        let share = share.ok_or_else(|| Ended::Data(defect("a bucket has left no share")))?;
        let terms = joint::release_terms(self.plan()).map_err(Ended::Data)?;
        // Shares of different runs of a bucket do not add up to a table: what was said in all of them names the release.
        let said = self.kept.course.said().map_err(Ended::Data)?;
        let sid = SessionId::new(Digest::of(RELEASE_TAG, &[&self.terms.sid.0, &said]).0);
        (self.before_release)().map_err(Ended::Data)?;
        let opened = match self.receives() {
            true => release::receiver::run(channel, sid, &terms, &share, rng)?,
            false => release::sender::run(channel, sid, &terms, &share, rng)?,
        };
        let reads = self.plan().recipients().contains(&self.own);
        match (opened, reads) {
            (Some(cells), true) => Ok(Learned::Cells(cells)),
            (None, false) => Ok(Learned::Nothing),
            _ => Err(Ended::Data(defect("the release opened to another party"))),
        }
    }
}

/// This organisation's rows, bucket by bucket, with what the plan adds up.
struct Rows<'a> {
    matching: &'a Matching<'a>,
    buckets: u64,
    columns: &'a [SideColumn],
    break_off: &'a (dyn Fn() + Sync),
}

impl Party for Rows<'_> {
    type Error = Ended;

    fn load(&self, bucket: u64) -> Result<Bucket, Ended> {
        let prepared = &self.matching.kept.prepared;
        let rows = prepared.joint_rows(self.buckets, bucket, self.columns);
        let JointRows {
            ids,
            codes,
            columns,
        } = rows.map_err(Ended::Data)?;
        Ok(Bucket {
            ids,
            codes,
            columns,
        })
    }

    fn finished(&self, number: u64, shares: Vec<u128>, said: [u8; 32]) -> Result<(), Ended> {
        self.matching.kept.shares.keep(number, shares);
        self.matching.kept.course.finish(number, said);
        Ok(())
    }

    fn broke_off(&self) {
        (self.break_off)();
    }
}
