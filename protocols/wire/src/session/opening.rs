//! How a session begins: what each node signs before it reads a row, its committed nonce, and what both derive from the two.
//!
//! Each node commits to its nonce before it sees the other's, so neither can choose the session's identity.

use super::continued::Continued;
use crate::canonical::Digest;
use crate::hexadecimal::hexadecimal;
use crate::limits::WIRE_VERSION;
use crate::names::OrgName;
use crate::problem::{Code, Problem};
use crate::seal::JobHash;
use crate::sign::{self, Kind, PublicKey, SignError, Signature};
use crate::tags;
use serde::{Deserialize, Serialize};

/// What each node signs before it reads a row: the job, the attempt, and the data it will use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// [`crate::limits::WIRE_VERSION`].
    pub version: u32,
    /// `H`.
    pub job: JobHash,
    /// Counts the sessions of this job; a node never opens the same one twice.
    pub attempt: u32,
    /// Digest of the signed manifest of the dataset version used.
    pub dataset_version: Digest,
    /// Ids that will be announced to the protocol, rounded up to `set_grid`.
    pub ids_rounded: u64,
    /// Commitment to the nonce: [`SessionNonce::commitment`], made after the dataset version is fixed.
    pub nonce_commitment: Digest,
    /// What this node has kept of earlier sessions of the job, if it would go on from there.
    pub continues: Option<Continued>,
    /// An earlier job of the same plan over the version of its own data that this node would use now, whose table it holds as
    /// released. Where both nodes name the same job, its table is the answer and no protocol runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<JobHash>,
}

impl Opening {
    /// Whether `org` signed this with `node_key`.
    pub fn verify(
        &self,
        node_key: PublicKey,
        org: &OrgName,
        signature: &Signature,
    ) -> Result<(), SignError> {
        sign::verify_document(node_key, Kind::Opening, org, self, signature)
    }

    /// Whether the partner opens the same session as we do.
    pub fn meets(&self, partner: &OrgName, theirs: &Self) -> Result<(), Problem> {
        if theirs.version != WIRE_VERSION {
            return Err(Problem::partner(
                partner,
                Code::VersionDiffers,
                format!(
                    "{partner} speaks version {} of the contract between nodes, this node version {WIRE_VERSION}",
                    theirs.version
                ),
                "upgrade the older of the two nodes",
            ));
        }
        if (theirs.job, theirs.attempt) != (self.job, self.attempt) {
            return Err(Problem::partner(
                partner,
                Code::PartnerMisbehaved,
                format!(
                    "{partner} opened attempt {} of {}, we attempt {} of {}",
                    theirs.attempt,
                    theirs.job.short(),
                    self.attempt,
                    self.job.short()
                ),
                "start the job again; if it repeats, compare both nodes' logs",
            ));
        }
        if theirs.nonce_commitment == self.nonce_commitment {
            return Err(Problem::partner(
                partner,
                Code::PartnerMisbehaved,
                format!("{partner} sent our own nonce commitment back"),
                "do not repeat the job before the partner has explained it",
            ));
        }
        Ok(())
    }

    fn digest(&self) -> Digest {
        Digest::of_document(tags::OPENING_DIGEST, self)
    }
}

hexadecimal! {
    /// 32 random bytes of one node, committed to in its [`Opening`] and opened after both openings are known.
    SessionNonce, 32
}

impl SessionNonce {
    /// What the opening holds.
    pub fn commitment(&self) -> Digest {
        Digest::of(tags::NONCE, &[&self.0])
    }

    /// Whether this nonce is the one that `partner` committed to.
    pub fn opens(&self, partner: &OrgName, opening: &Opening) -> Result<(), Problem> {
        if self.commitment() == opening.nonce_commitment {
            return Ok(());
        }
        Err(Problem::partner(
            partner,
            Code::PartnerMisbehaved,
            format!("{partner} opened another nonce than it committed to"),
            "do not repeat the job before the partner has explained it",
        ))
    }
}

/// One side's part in what both sides derive.
#[derive(Debug, Clone, Copy)]
pub struct Contribution<'a> {
    /// Its signed opening.
    pub opening: &'a Opening,
    /// Its opened nonce.
    pub nonce: &'a SessionNonce,
}

/// The session's identity, `sid` in protocols.md: every protocol hash takes it in. The same at both sides.
pub fn session_id(asker: Contribution<'_>, other: Contribution<'_>) -> Digest {
    Digest::of(
        tags::SESSION,
        &[
            &asker.opening.job.0.0,
            &asker.opening.attempt.to_be_bytes(),
            &asker.nonce.0,
            &other.nonce.0,
            &asker.opening.digest().0,
            &other.opening.digest().0,
        ],
    )
}

/// The key under which both sides digest their ids in this session (protocols.md §9); fresh with every session that does not go
/// on from an earlier one, so digests of two sessions cannot be joined.
pub fn id_key(asker: Contribution<'_>, other: Contribution<'_>) -> [u8; 32] {
    let parts: [&[u8]; 3] = [&asker.opening.job.0.0, &asker.nonce.0, &other.nonce.0];
    Digest::of(tags::ID_KEY, &parts).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::signer;
    use crate::session::{BucketSet, Control};

    fn org(name: &str) -> OrgName {
        name.parse().expect("a valid name")
    }

    fn opening(nonce: &SessionNonce) -> Opening {
        Opening {
            version: WIRE_VERSION,
            job: JobHash(Digest([1; 32])),
            attempt: 1,
            dataset_version: Digest([2; 32]),
            ids_rounded: 1_000,
            nonce_commitment: nonce.commitment(),
            continues: None,
            answered_by: None,
        }
    }

    #[test]
    fn a_signed_opening_comes_back_whole_and_only_under_its_own_name() {
        let key = signer("river");
        let ours = opening(&SessionNonce([3; 32]));
        let sent = Control::open(&key, &org("river-pay"), ours.clone()).to_bytes();
        let Ok(Control::Open { opening, signature }) = Control::from_bytes(&sent) else {
            unreachable!("own bytes");
        };
        assert_eq!(opening, ours);
        let verify =
            |opening: &Opening, org: &OrgName| opening.verify(key.public_key(), org, &signature);
        assert!(verify(&opening, &org("river-pay")).is_ok());
        assert!(verify(&opening, &org("north-bank")).is_err());
        let mut other = opening.clone();
        other.ids_rounded += 1;
        assert!(verify(&other, &org("river-pay")).is_err());
        let stranger = signer("stranger").public_key();
        assert!(
            opening
                .verify(stranger, &org("river-pay"), &signature)
                .is_err()
        );
    }

    #[test]
    fn openings_meet_only_for_the_same_session_of_the_same_version() {
        let ours = opening(&SessionNonce([3; 32]));
        let theirs = opening(&SessionNonce([4; 32]));
        let river = org("river-pay");
        let code = |theirs: &Opening| ours.meets(&river, theirs).map_err(|problem| problem.code);
        assert_eq!(code(&theirs), Ok(()));
        let mut newer = theirs.clone();
        newer.version += 1;
        assert_eq!(code(&newer), Err(Code::VersionDiffers));
        let mut later = theirs.clone();
        later.attempt += 1;
        assert_eq!(code(&later), Err(Code::PartnerMisbehaved));
        let mut elsewhere = theirs.clone();
        elsewhere.job = JobHash(Digest([9; 32]));
        assert_eq!(code(&elsewhere), Err(Code::PartnerMisbehaved));
        assert_eq!(
            code(&ours),
            Err(Code::PartnerMisbehaved),
            "our own opening, reflected"
        );
    }

    #[test]
    fn a_nonce_opens_its_own_commitment_only() {
        let (nonce, other) = (SessionNonce([3; 32]), SessionNonce([4; 32]));
        let river = org("river-pay");
        assert!(nonce.opens(&river, &opening(&nonce)).is_ok());
        let problem = other
            .opens(&river, &opening(&nonce))
            .expect_err("another nonce");
        assert_eq!(problem.code, Code::PartnerMisbehaved);
    }

    #[test]
    fn everything_that_a_session_is_bound_to_changes_its_identity() {
        let (a, b, c) = (
            SessionNonce([3; 32]),
            SessionNonce([4; 32]),
            SessionNonce([5; 32]),
        );
        let (ours, theirs) = (opening(&a), opening(&b));
        let asker = Contribution {
            opening: &ours,
            nonce: &a,
        };
        let other = Contribution {
            opening: &theirs,
            nonce: &b,
        };
        let sid = session_id(asker, other);
        assert_ne!(sid, session_id(other, asker), "roles");
        assert_ne!(
            sid,
            session_id(asker, Contribution { nonce: &c, ..other }),
            "a nonce"
        );
        assert_ne!(
            id_key(asker, other),
            id_key(asker, Contribution { nonce: &c, ..other })
        );
        for change in [
            |opening: &mut Opening| opening.attempt += 1,
            |opening: &mut Opening| opening.job.0.0[0] ^= 1,
            |opening: &mut Opening| opening.dataset_version.0[0] ^= 1,
            |opening: &mut Opening| opening.ids_rounded += 1,
            |opening: &mut Opening| {
                opening.continues = Some(Continued {
                    session: Digest([6; 32]),
                    finished: BucketSet::new(&[true]),
                });
            },
        ] {
            let mut changed = ours.clone();
            change(&mut changed);
            let asker = Contribution {
                opening: &changed,
                nonce: &a,
            };
            assert_ne!(sid, session_id(asker, other));
        }
    }
}
