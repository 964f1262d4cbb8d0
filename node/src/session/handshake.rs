//! Open and Nonce: both sides sign what they will use and commit to a nonce, then both open the nonces.

use super::line::Voice;
use super::{
    Agreed, Identity, Limits, Line, Role, Runs, Sessions, blame, defect, not_proven, record,
};
use entente_wire::limits::WIRE_VERSION;
use entente_wire::problem::Problem;
use entente_wire::session::{Contribution, Control, Opening, SessionNonce, id_key, session_id};
use entente_wire::sign::{Kind, Record};
use ring::rand::{SecureRandom, SystemRandom};

/// A partner's Open whose signature verified.
pub(super) struct TheirOpen {
    pub(super) opening: Opening,
    record: Record,
}

impl<R: Runs> Sessions<R> {
    /// The dialer's handshake. `opened` is told the attempt as soon as it is used up.
    pub(super) async fn dial_handshake(
        &self,
        line: &mut Line,
        grant: &R::Grant,
        opened: &mut Option<u32>,
    ) -> Result<Agreed, Problem> {
        let nonce = draw_nonce()?;
        let own = self.own_opening(grant, &nonce).await?;
        *opened = Some(own.attempt);
        say_open(&line.voice, &self.identity, &self.limits, &own).await?;
        let theirs = hear_open(line, &self.limits).await?;
        own.meets(&line.voice.partner.org, &theirs.opening)?;
        say_nonce(&line.voice, &self.limits, &nonce).await?;
        let their_nonce = hear_nonce(line, &self.limits, &theirs.opening).await?;
        Ok(agree(Role::Dialer, own, theirs, &nonce, &their_nonce))
    }

    /// The listener's handshake after the dialer's Open was admitted.
    pub(super) async fn answer_handshake(
        &self,
        line: &mut Line,
        grant: &R::Grant,
        theirs: TheirOpen,
    ) -> Result<Agreed, Problem> {
        let nonce = draw_nonce()?;
        let own = self.own_opening(grant, &nonce).await?;
        own.meets(&line.voice.partner.org, &theirs.opening)?;
        say_open(&line.voice, &self.identity, &self.limits, &own).await?;
        let their_nonce = hear_nonce(line, &self.limits, &theirs.opening).await?;
        say_nonce(&line.voice, &self.limits, &nonce).await?;
        Ok(agree(Role::Listener, own, theirs, &nonce, &their_nonce))
    }

    async fn own_opening(
        &self,
        grant: &R::Grant,
        nonce: &SessionNonce,
    ) -> Result<Opening, Problem> {
        let (grant, commitment) = (grant.clone(), nonce.commitment());
        self.blocking(move |runs| runs.opening(&grant, commitment))
            .await
    }
}

/// The partner's Open: of our version, signed by its node.
pub(super) async fn hear_open(line: &mut Line, limits: &Limits) -> Result<TheirOpen, Problem> {
    let control = line.incoming.hear(limits.control, "its Open").await?;
    let Control::Open { opening, signature } = control else {
        let what = "another message came where its Open was due";
        return Err(line.incoming.misbehaved(what));
    };
    let partner = &line.voice.partner;
    if opening.version != WIRE_VERSION {
        let theirs = Some(u64::from(opening.version));
        return Err(blame::other_version(&partner.org, theirs));
    }
    opening
        .verify(partner.node_key, &partner.org, &signature)
        .map_err(|error| not_proven(partner, &error))?;
    let record = record(partner, Kind::Opening, &opening, &signature);
    Ok(TheirOpen { opening, record })
}

/// This side's contribution to the session id: unpredictable to the partner before its Open has arrived.
fn draw_nonce() -> Result<SessionNonce, Problem> {
    let mut bytes = [0; 32];
    let drawn = SystemRandom::new().fill(&mut bytes);
    drawn.map_err(|_| defect("the operating system gave no randomness"))?;
    Ok(SessionNonce(bytes))
}

async fn say_open(
    voice: &Voice,
    identity: &Identity,
    limits: &Limits,
    own: &Opening,
) -> Result<(), Problem> {
    let open = Control::open(&identity.signer, &identity.org, own.clone());
    voice.say(&open, limits.control, "the Open").await
}

async fn say_nonce(voice: &Voice, limits: &Limits, nonce: &SessionNonce) -> Result<(), Problem> {
    let nonce = Control::Nonce { nonce: *nonce };
    voice.say(&nonce, limits.control, "the Nonce").await
}

async fn hear_nonce(
    line: &mut Line,
    limits: &Limits,
    theirs: &Opening,
) -> Result<SessionNonce, Problem> {
    let control = line.incoming.hear(limits.control, "its Nonce").await?;
    let Control::Nonce { nonce } = control else {
        let what = "another message came where its Nonce was due";
        return Err(line.incoming.misbehaved(what));
    };
    nonce.opens(&line.voice.partner.org, theirs)?;
    Ok(nonce)
}

/// What both sides derive; the asker's parts stand first on both.
fn agree(
    role: Role,
    own: Opening,
    theirs: TheirOpen,
    mine: &SessionNonce,
    other: &SessionNonce,
) -> Agreed {
    let here = Contribution {
        opening: &own,
        nonce: mine,
    };
    let there = Contribution {
        opening: &theirs.opening,
        nonce: other,
    };
    let (asker, answerer) = match role {
        Role::Dialer => (here, there),
        Role::Listener => (there, here),
    };
    Agreed {
        sid: session_id(asker, answerer),
        id_key: id_key(asker, answerer),
        partner: theirs.opening,
        partner_record: theirs.record,
        own,
    }
}
