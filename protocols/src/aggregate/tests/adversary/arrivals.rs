//! What a coordinator that looks at messages when they come can spare the others.

use super::*;

/// An introduction that its member did not sign is refused by everybody, neighbour or not; and a coordinator that looks at it on arrival loses one
/// member instead of the round.
#[test]
fn one_bad_signature_costs_one_member_if_it_is_looked_at_on_arrival() {
    let stage = Stage::new();
    let spoil = |member: Member, introduction: &mut Introduction| {
        introduction.signature[0] ^= u8::from(member.0 == 4);
    };
    assert!(stage.with(spoil).sum.is_none());
    let outcome = stage.run(&|hop, bytes| {
        let bytes = stage.changed(hop, bytes, spoil);
        let is_introduction = hop.kind == Introduction::KIND.number();
        let checked = Introduction::decode(&bytes, &stage.terms)
            .is_ok_and(|introduction| introduction.check(&stage.terms).is_ok());
        (!is_introduction || checked).then_some(bytes)
    });
    assert_eq!(outcome.sum.expect("four are enough").survivors.len(), 4);
}

/// The same for what comes later: too few boxes, a contribution or a vote signed over something else.
#[test]
fn what_is_looked_at_on_arrival_costs_its_sender_alone() {
    for (spoilt, left) in [(Dealing::KIND, 4), (Contribution::KIND, 4), (Vote::KIND, 5)] {
        let (stage, seen) = (Stage::new(), Mutex::<Seen>::default());
        let outcome = stage.run(&|hop, bytes| {
            let mut seen = seen.lock().expect("one thread at a time");
            let is_spoilt = hop.member.0 == 1 && hop.kind == spoilt.number();
            let bytes = if is_spoilt {
                spoil(&stage, hop, bytes)
            } else {
                bytes
            };
            seen.passes(&stage.terms, hop, &bytes).then_some(bytes)
        });
        let survivors = outcome.sum.expect("four are enough").survivors;
        assert_eq!(survivors.len(), left, "{spoilt:?}");
    }
}

fn spoil(stage: &Stage, hop: Hop, bytes: Vec<u8>) -> Vec<u8> {
    let bytes = stage.changed(hop, bytes, |_, dealing: &mut Dealing| {
        dealing.shares.pop();
    });
    let bytes = stage.changed(hop, bytes, |_, contribution: &mut Contribution| {
        contribution.signature[0] ^= 1;
    });
    stage.changed(hop, bytes, |_, vote: &mut Vote| vote.signature[0] ^= 1)
}

/// What a coordinator has to know to look at messages.
#[derive(Default)]
struct Seen {
    introductions: Option<Introductions>,
    view: Option<View>,
    survivors: Option<MemberSet>,
}

impl Seen {
    fn passes(&mut self, terms: &Terms, hop: Hop, bytes: &[u8]) -> bool {
        let cohort = self.introductions.as_ref();
        match hop.kind {
            0x0702 => self.introductions = Introductions::decode(bytes, terms).ok(),
            0x0704 => {
                let delivery = Delivery::decode(bytes, terms).expect("the coordinator's own");
                let view = View::new(terms, cohort.expect("seen"), &delivery.sharing);
                self.view = Some(view);
            }
            0x0706 => {
                let heard = Survivors::decode(bytes, terms).expect("the coordinator's own");
                self.survivors = Some(heard.survivors);
            }
            0x0703 => {
                let dealing = Dealing::decode(bytes, terms);
                return dealing
                    .is_ok_and(|dealing| dealing.check(terms, cohort.expect("seen")).is_ok());
            }
            0x0705 => {
                let view = self.view.as_ref().expect("seen");
                let contribution = Contribution::decode(bytes, terms);
                return contribution.is_ok_and(|one| one.check(terms, view).is_ok());
            }
            0x0707 => {
                let view = self.view.as_ref().expect("seen");
                let survivors = self.survivors.as_ref().expect("seen");
                let vote = Vote::decode(bytes, terms);
                return vote.is_ok_and(|vote| vote.check(terms, view, survivors).is_ok());
            }
            _ => {}
        }
        true
    }
}
