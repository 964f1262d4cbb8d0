//! The task that holds one gathering and the round that comes of it: the shell around [`Gathering`] and [`Round`], with clock, streams and sum.

use super::departure::Departure;
use super::down::opening;
use super::facts::{Place, RoundFacts};
use super::gathering::Gathering;
use super::phase::Stage;
use super::round::{Action, Round};
use super::seat::{
    Deed, Event, Joining, Opening, Seat, Seating, UntilDropped, look_who_is_admitted,
};
use super::table::Room;
use super::upload::{Sum, Uploads, Vector, taken_at};
use crate::limits::{
    ROUND_BYTES_PER_S, ROUND_EVENTS_AHEAD, ROUND_UPLOADS, RoundWaits, VECTOR_BYTES_PER_S_MIN,
};
use crate::members::Members;
use crate::service::{Watches, stopped, stops};
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::JobHash;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use tracing::{error, info};

/// What a host is started with.
pub(super) struct Invitation {
    pub(super) job: JobHash,
    pub(super) facts: Arc<RoundFacts>,
    pub(super) room: Room,
    pub(super) joins: mpsc::Receiver<Joining>,
    pub(super) waits: RoundWaits,
    pub(super) watches: Watches,
    pub(super) members: Members,
}

/// Holds all of one round; when it ends everything is given back.
pub(super) struct Host {
    job: JobHash,
    facts: Arc<RoundFacts>,
    room: Room,
    joins: mpsc::Receiver<Joining>,
    waits: RoundWaits,
    members: Members,
    stopping: watch::Receiver<bool>,
    heartbeat: Interval,
    events: (mpsc::Sender<Event>, mpsc::Receiver<Event>),
    uploads: Uploads,
    seats: BTreeMap<Place, Seat>,
    sum: Sum,
    opening: Option<UntilDropped>,
    /// The look at the list of who is admitted that is under way.
    looking: Option<UntilDropped>,
}

/// What a host wakes up for.
enum Turn {
    Joined(Box<Joining>),
    Heard(Event),
    Late,
    Beat,
    Stop,
}

impl Host {
    pub(super) fn new(invitation: Invitation) -> Self {
        let Invitation {
            job,
            facts,
            room,
            joins,
            waits,
            watches,
            members,
        } = invitation;
        let between = watches.heartbeat;
        let mut heartbeat = interval_at(Instant::now() + between, between);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            uploads: Uploads::new(facts.vector_bytes(), waits),
            job,
            facts,
            room,
            joins,
            waits,
            members,
            stopping: watches.stopping,
            heartbeat,
            events: mpsc::channel(ROUND_EVENTS_AHEAD),
            seats: BTreeMap::new(),
            sum: Sum::default(),
            opening: None,
            looking: None,
        }
    }

    pub(super) async fn run(mut self) {
        let ended = match self.gather().await {
            Ok(Some((number, gathering))) => self.play(number, &gathering).await,
            Ok(None) => return,
            Err(problem) => Some(problem),
        };
        let job = self.job;
        match &ended {
            Some(problem) => info!(%job, %problem, "a round ended without a sum"),
            None => info!(%job, "a round ended with its sum opened"),
        }
        self.end(ended.as_ref());
    }

    /// Waits for all parties, or for enough of them. Nothing where all went again.
    async fn gather(&mut self) -> Result<Option<(u64, Gathering)>, Problem> {
        let mut gathering = Gathering::default();
        let mut deadline = Instant::now() + self.waits.gather;
        while !gathering.is_complete(&self.facts) {
            match self.turn(deadline).await {
                Turn::Joined(joining) => {
                    // From the first of those that are here.
                    if self.seats.is_empty() {
                        deadline = Instant::now() + self.waits.gather;
                    }
                    self.seat(&mut gathering, *joining);
                }
                Turn::Heard((seating, deed)) => self.hear_early(&mut gathering, seating, deed),
                Turn::Beat => self.beat(),
                Turn::Late => break,
                Turn::Stop => return Err(stops()),
            }
            if self.seats.is_empty() && self.room.close_if_quiet(&self.joins) {
                return Ok(None);
            }
        }
        self.room.close();
        while let Ok(joining) = self.joins.try_recv() {
            self.seat(&mut gathering, joining);
        }
        let number = gathering.number(&self.facts)?;
        self.room.hold(self.facts.held_bytes())?;
        Ok(Some((number, gathering)))
    }

    /// Plays the round; tells the problem it ended with.
    async fn play(&mut self, number: u64, gathering: &Gathering) -> Option<Problem> {
        let (job, members) = (self.job, self.seats.len());
        info!(%job, number, members, "a round begins");
        let mut round = Round::begin(self.facts.clone(), number, gathering.places());
        let mut stage = round.stage();
        let mut deadline = Instant::now() + self.wait_at(stage);
        loop {
            while let Some(action) = round.next_action() {
                match action {
                    Action::End(problem) => return problem,
                    action => self.act(&mut round, action),
                }
            }
            if round.stage() != stage {
                stage = round.stage();
                deadline = Instant::now() + self.wait_at(stage);
            }
            match self.turn(deadline).await {
                Turn::Heard((seating, deed)) if self.sits(seating) => {
                    self.hear(&mut round, seating.place, deed).await;
                }
                // Of a stream that has no part any more; and nobody joins a round that has begun.
                Turn::Heard(_) | Turn::Joined(_) => {}
                Turn::Beat => self.beat(),
                Turn::Late => round.late(),
                Turn::Stop => round.end(Some(stops())),
            }
        }
    }

    async fn turn(&mut self, deadline: Instant) -> Turn {
        // Whoever answered before a deadline is in time, however long its answer waited here; no member has more than a few to give.
        tokio::select! {
            biased;
            () = stopped(&mut self.stopping) => Turn::Stop,
            Some(event) = self.events.1.recv() => Turn::Heard(event),
            () = sleep_until(deadline) => Turn::Late,
            _ = self.heartbeat.tick() => Turn::Beat,
            Some(joining) = self.joins.recv() => Turn::Joined(Box::new(joining)),
        }
    }

    fn wait_at(&self, stage: Stage) -> Duration {
        let vector = self.facts.vector_bytes();
        match stage {
            Stage::Contributing => {
                let all = vector * self.seats.len();
                self.waits.upload + taken_at(all, ROUND_BYTES_PER_S)
            }
            Stage::Opening => self.waits.upload + taken_at(vector, VECTOR_BYTES_PER_S_MIN),
            Stage::Introducing => self.waits.prepare,
            _ => self.waits.step,
        }
    }

    fn seat(&mut self, gathering: &mut Gathering, joining: Joining) {
        let (place, round_min) = (joining.place, joining.round_min);
        let seat = joining.sit(self.events.0.clone(), self.uploads.clone());
        gathering.come(place, round_min);
        if let Some(older) = self.seats.insert(place, seat) {
            older.end(Some(Departure::Replaced.told_to(self.facts.org(place))));
        }
    }

    fn sits(&self, seating: Seating) -> bool {
        let seat = self.seats.get(&seating.place);
        seat.is_some_and(|seat| seat.id() == seating.seat)
    }

    /// Before a round begins there is nothing to say but farewell.
    fn hear_early(&mut self, gathering: &mut Gathering, seating: Seating, deed: Deed) {
        if !self.sits(seating) {
            return;
        }
        let went = match deed {
            Deed::Went(went) => went,
            Deed::Said(answer) => answer.before_the_round(),
            Deed::Uploaded(_) => Departure::Closed,
        };
        gathering.go(seating.place);
        self.dismiss(seating.place, went.told_to(self.facts.org(seating.place)));
    }

    async fn hear(&mut self, round: &mut Round, from: Place, deed: Deed) {
        match deed {
            Deed::Said(answer) => round.said(from, answer),
            Deed::Went(went) => round.gone(from, went),
            Deed::Uploaded(vector) if round.uploaded(from) => {
                if let Err(problem) = self.add(vector).await {
                    round.end(Some(problem));
                }
            }
            Deed::Uploaded(_) => {}
        }
    }

    fn act(&mut self, round: &mut Round, action: Action) {
        match action {
            Action::Tell(place, down) => {
                let told = self.seats.get(&place).map(|seat| seat.tell(down));
                if let Some(Err(went)) = told {
                    round.gone(place, went);
                }
            }
            Action::Dismiss(place, problem) => self.dismiss(place, problem),
            Action::TakeUploads => {
                self.sum = Sum::new(self.facts.words);
                self.uploads.open(ROUND_UPLOADS);
            }
            Action::Open(unmaskings) => self.open(unmaskings),
            // The round is over with it; whoever plays it takes this one.
            Action::End(_) => {}
        }
    }

    fn dismiss(&mut self, place: Place, problem: Problem) {
        if let Some(seat) = self.seats.remove(&place) {
            seat.end(Some(problem));
        }
    }

    /// Adds where it holds up nobody else's round.
    async fn add(&mut self, vector: Vector) -> Result<(), Problem> {
        let mut sum = std::mem::take(&mut self.sum);
        let adding = spawn_blocking(move || {
            sum.add(&vector);
            sum
        });
        self.sum = adding.await.map_err(|failed| {
            error!(%failed, "a vector could not be added");
            Problem::here(
                Code::Defect,
                "the coordinator failed over a round",
                "look into the coordinator's log and report this as a defect",
            )
        })?;
        Ok(())
    }

    fn open(&mut self, unmaskings: BTreeMap<Place, Vec<u8>>) {
        let place = self.facts.recipient;
        let Some(seat) = self.seats.get(&place) else {
            return;
        };
        let sender = Opening {
            seating: Seating {
                place,
                seat: seat.id(),
            },
            replies: seat.replies.clone(),
            events: self.events.0.clone(),
        };
        let sum = Arc::new(std::mem::take(&mut self.sum));
        self.opening = Some(sender.start(opening(unmaskings, sum)));
    }

    fn beat(&mut self) {
        self.seats.values().for_each(Seat::beat);
        // One look at a time, however slow the disk.
        if self
            .looking
            .as_ref()
            .is_some_and(|looking| !looking.0.is_finished())
        {
            return;
        }
        let (members, events) = (self.members.clone(), self.events.0.clone());
        self.looking = Some(look_who_is_admitted(&self.seats, members, events));
    }

    /// The last word to all, those included that came too late to be seated.
    fn end(&mut self, problem: Option<&Problem>) {
        self.opening = None;
        self.room.close();
        while let Ok(late) = self.joins.try_recv() {
            late.turn_away(problem.cloned());
        }
        for (_, seat) in std::mem::take(&mut self.seats) {
            seat.end(problem.cloned());
        }
    }
}
