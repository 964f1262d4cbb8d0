//! Closing: both sides sign what they sent and received, and each compares the other's word with its own.
//!
//! The dialer speaks first; the other side puts the end on disk before it answers. So a dialer that has heard the answer knows
//! that both nodes hold the run as done. An answer lost on the way leaves the dialer without it: the attempt then counts as
//! broken at the dialer, which tries again; whether the other side has a run left is that side's rule.

use super::limits::Limits;
use super::{Agreed, End, Line, Role, Runs, Sessions, blame, not_proven, record};
use entente_protocols::channel::Totals;
use entente_wire::canonical::Digest;
use entente_wire::problem::Problem;
use entente_wire::session::{Control, Transcript};
use entente_wire::sign::{Kind, Record};
use tokio::time::{Instant, timeout_at};

impl<R: Runs> Sessions<R> {
    /// Exchanges and compares transcripts, then records the end. `early` is the dialer's Closing, if it came already.
    pub(super) async fn close(
        &self,
        line: &mut Line,
        role: Role,
        grant: &R::Grant,
        agreed: &Agreed,
        (outcome, totals): (R::Outcome, Totals),
        early: Option<Control>,
    ) -> Result<(), Problem> {
        let own = transcript(agreed, &totals);
        let (signer, org) = (&self.identity.signer, &self.identity.org);
        let closing = Control::closing(signer, org, own.clone());
        let step = "its Closing";
        if role == Role::Dialer {
            line.voice.say(&closing, self.limits.control, step).await?;
        }
        let theirs = match early {
            Some(control) => control,
            None => hear_closing(line, &self.limits).await?,
        };
        let partner_record = check(line, &own, theirs)?;
        let grant = grant.clone();
        let end = End::Closed {
            outcome,
            own,
            partner_record,
        };
        self.blocking(move |runs| runs.ended(&grant, end)).await?;
        if role == Role::Listener {
            let said = line.voice.say(&closing, self.limits.control, step).await;
            if let Err(problem) = said {
                tracing::warn!(code = %problem.code, "the partner did not take our Closing");
            }
        }
        Ok(())
    }
}

/// The partner may still be at work: it is waited for like a protocol message.
async fn hear_closing(line: &mut Line, limits: &Limits) -> Result<Control, Problem> {
    let step = "its Closing";
    let stalled = Instant::now() + limits.stall;
    loop {
        let heard = timeout_at(stalled, line.incoming.hear(limits.idle, step)).await;
        let heard = heard
            .unwrap_or_else(|_| Err(blame::silent(&line.voice.partner.org, step, limits.stall)));
        match heard? {
            Control::Working {} => {}
            control => return Ok(control),
        }
    }
}

fn transcript(agreed: &Agreed, totals: &Totals) -> Transcript {
    Transcript {
        job: agreed.own.job,
        attempt: agreed.own.attempt,
        sent: Digest(totals.sent_hash),
        received: Digest(totals.received_hash),
        sent_bytes: totals.sent_bytes,
        received_bytes: totals.received_bytes,
    }
}

/// What the partner signed has to mirror what this node saw.
fn check(line: &Line, own: &Transcript, theirs: Control) -> Result<Record, Problem> {
    let Control::Closing {
        transcript,
        signature,
    } = theirs
    else {
        let what = "another message came where its Closing was due";
        return Err(line.incoming.misbehaved(what));
    };
    let partner = &line.voice.partner;
    transcript
        .verify(partner.node_key, &partner.org, &signature)
        .map_err(|error| not_proven(partner, &error))?;
    own.mirrors(&partner.org, &transcript)?;
    Ok(record(partner, Kind::Transcript, &transcript, &signature))
}
