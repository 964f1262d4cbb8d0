//! What one fault costs, and whom.

use super::*;

#[test]
fn every_fault_at_every_stage_costs_the_member_alone_if_enough_are_left() {
    for stage in STAGES.into_iter().filter(|stage| *stage < Stage::Opening) {
        for fault in FAULTS {
            let bench = Bench::new(4, 3, &[(2, stage, fault)]).play(in_order);
            bench.holds_together();
            assert_eq!(bench.end, Some(None), "{stage:?} {fault:?}");
            // Once its words are in the sum they stay.
            let counts = stage > Stage::Contributing
                || (stage == Stage::Contributing
                    && matches!(fault, Fault::VanishesAfter | Fault::Repeats));
            assert_eq!(
                bench.added.contains(&Place::made_up(2)),
                counts,
                "{stage:?} {fault:?}"
            );
        }
    }
}

#[test]
fn every_fault_before_the_votes_ends_a_round_that_needs_everybody_with_a_reason() {
    for stage in [
        Stage::Introducing,
        Stage::Dealing,
        Stage::Contributing,
        Stage::Voting,
    ] {
        for fault in [Fault::VanishesBefore, Fault::Hangs, Fault::JumpsAhead] {
            let bench = Bench::new(4, 4, &[(2, stage, fault)]).play(in_order);
            let problem = bench.end.flatten().expect("a problem");
            assert_eq!(problem.code, Code::PartnerSilent);
            assert_eq!(problem.side, Side::Network);
            assert!(problem.what.contains("member-0002"), "{problem}");
            assert!(problem.what.contains("3 "), "{problem}");
        }
    }
}

#[test]
fn a_recipient_that_goes_at_any_stage_ends_the_round_in_its_name() {
    for stage in STAGES
        .into_iter()
        .filter(|stage| *stage != Stage::Unmasking)
    {
        for (fault, code) in [
            (Fault::VanishesBefore, Code::PartnerSilent),
            (Fault::Hangs, Code::PartnerSilent),
            (Fault::JumpsAhead, Code::PartnerMisbehaved),
        ] {
            let bench = Bench::new(4, 2, &[(0, stage, fault)]).play(in_order);
            let problem = bench.end.flatten().expect("a problem");
            assert_eq!(problem.code, code, "{stage:?} {fault:?}");
            assert!(
                matches!(&problem.side, Side::Partner { org } if org.as_str() == "member-0000")
            );
            assert!(problem.what.contains("member-0000, who opens the sum"));
        }
    }
}

#[test]
fn why_the_recipient_left_is_told_to_all() {
    let mut bench = Bench::new(3, 3, &[]);
    let why = Problem::here(Code::Disk, "its disk is full", "free some space");
    let why = entente_wire::canonical::to_bytes(&why);
    bench.round.gone(Place::made_up(0), Departure::left(&why));
    let problem = bench.play(in_order).end.flatten().expect("a problem");
    assert_eq!(problem.code, Code::PartnerAborted);
    assert!(problem.what.contains("its disk is full"), "{problem}");
    assert_eq!(problem.todo, "free some space");

    let mut bench = Bench::new(3, 3, &[]);
    bench
        .round
        .gone(Place::made_up(0), Departure::left(b"\x1b[2J"));
    let problem = bench.play(in_order).end.flatten().expect("a problem");
    assert!(problem.what.contains("without a reason"), "{problem}");
}

#[test]
fn who_votes_late_is_told_the_votes_and_is_not_waited_for() {
    let faults = [
        (3, Stage::Voting, Fault::Hangs),
        (0, Stage::Opening, Fault::Hangs),
    ];
    let mut bench = Bench::new(4, 3, &faults);
    // Never `late`: all of this goes without a deadline.
    while bench.opened_with.is_none() {
        while let Some(action) = bench.round.next_action() {
            bench.act(action);
        }
        let next = bench.inputs.pop_front();
        next.into_iter()
            .for_each(|(from, input)| bench.put(from, input));
    }
    assert_eq!(bench.round.stage(), Stage::Opening);
    assert!(!bench.told_votes.contains(&Place::made_up(3)));
    bench
        .round
        .said(Place::made_up(3), Answer::Vote(vec![4; 64]));
    while let Some(action) = bench.round.next_action() {
        bench.act(action);
    }
    assert!(bench.told_votes.contains(&Place::made_up(3)));
    assert!(bench.dismissed.is_empty());
    bench
        .round
        .said(Place::made_up(3), Answer::Unmasking(vec![5]));
    bench.round.said(Place::made_up(0), Answer::Opened);
    assert_eq!(bench.play(in_order).end, Some(None));
}

#[test]
fn a_contribution_counts_whatever_becomes_of_its_member() {
    let mut facts = facts(4, 4);
    (facts.quorum, facts.threshold) = (3, 3);
    for (fault, ends_well) in [(Fault::VanishesAfter, true), (Fault::VanishesBefore, false)] {
        // It goes while others have not contributed yet.
        let faults = [(2, Stage::Contributing, fault)];
        let bench = Bench::of(facts.clone(), &faults).play(in_order);
        assert_eq!(bench.end == Some(None), ends_well, "{fault:?}");
        let survivors = bench.survivors.map(|all| all.len());
        assert_eq!(survivors, ends_well.then_some(4));
    }
}

#[test]
fn a_slow_voter_is_waited_for_where_its_box_may_be_needed() {
    // In a graph of few neighbours a box opens some secrets only, so the threshold alone is not enough.
    for threshold in [3, 2] {
        // The quorum of 3 is there without the last; then one that voted vanishes before it unmasks.
        let faults = [(2, Stage::Unmasking, Fault::VanishesBefore)];
        let mut facts = facts(4, 3);
        facts.threshold = threshold;
        let bench = Bench::of(facts, &faults).play_with_last_vote_late();
        assert_eq!(bench.end, Some(None));
        let boxes = [1, 3].map(Place::made_up);
        assert_eq!(bench.opened_with, Some(boxes.into()));
    }
}

impl Bench {
    /// The last of four votes when nobody else has anything to say.
    fn play_with_last_vote_late(mut self) -> Self {
        let last = Place::made_up(3);
        let mut held = Vec::new();
        while self.end.is_none() {
            while let Some(action) = self.round.next_action() {
                self.act(action);
            }
            match self.inputs.pop_front() {
                Some((from, Input::Said(Answer::Vote(vote)))) if from == last => held.push(vote),
                Some((from, input)) => self.put(from, input),
                None if self.end.is_none() => {
                    assert_eq!(self.round.stage(), Stage::Unmasking);
                    let vote = held.pop().expect("it votes only once");
                    self.round.said(last, Answer::Vote(vote));
                }
                None => {}
            }
        }
        self
    }
}

#[test]
fn a_member_is_told_what_it_did_wrong() {
    let at = |misstep| Departure::Broke(misstep).told_to(&"north-bank".parse().expect("a name"));
    let told = at(Misstep::OutOfOrder {
        sent: "a vote",
        due: "a dealing",
    });
    assert_eq!(told.code, Code::CoordinatorRefused);
    assert!(
        told.what.contains("a vote came where a dealing was due"),
        "{told}"
    );
}
