//! Nodes that stop, crash and start again.

use super::pair::Pair;
use super::question::{OVERLAP, TABLE, job};
use entente_wire::local::JobState;
use entente_wire::problem::Code;

#[test]
fn a_waiting_job_goes_on_after_both_nodes_restarted_at_every_step() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(TABLE, "GROUP BY b.tier"));
    restart(&mut pair);
    pair.bank.approve(hash, "mei").expect("counts");
    restart(&mut pair);
    pair.bank.approve(hash, "li").expect("counts");
    pair.pay.approve_all(hash);
    // Stopped before the coordinator got anything: what was signed is posted after the start.
    restart(&mut pair);
    repost(&mut pair);
    assert_eq!(
        (pair.bank.state(hash), pair.pay.state(hash)),
        (JobState::Ready, JobState::Ready)
    );
    restart(&mut pair);
    let session = pair.open();
    pair.run(session).expect("runs");
    restart(&mut pair);
    assert_eq!(pair.bank.state(hash), JobState::Done);
    assert!(pair.result(hash).starts_with("tier,customers,total\n"));
}

#[test]
fn a_session_cut_by_a_crash_counts_and_the_next_attempt_follows() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    drop(pair.open());
    restart(&mut pair);
    let view = pair.bank.view(hash);
    assert_eq!(view.state, JobState::Ready);
    assert_eq!(
        view.problem.map(|problem| problem.code),
        Some(Code::NodeNotRunning)
    );
    let session = pair.open();
    assert_eq!(session.asked.attempt, 2);
    pair.run(session).expect("runs");
    assert_eq!(pair.result(hash), "both_hold\n20\n");
}

#[test]
fn crashes_use_up_the_attempts() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    for _ in 0..3 {
        drop(pair.open());
        restart(&mut pair);
    }
    assert_eq!(
        (pair.bank.state(hash), pair.pay.state(hash)),
        (JobState::Failed, JobState::Failed)
    );
    assert!(pair.bank.dial().is_none());
}

#[test]
fn a_lost_store_changes_nothing_for_jobs() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let before = format!("{:?}", pair.bank.view(hash));
    pair.bank.running = None;
    std::fs::remove_dir_all(pair.bank.home.path().join("state")).expect("the store is there");
    pair.bank.start();
    assert_eq!(format!("{:?}", pair.bank.view(hash)), before);
}

#[test]
fn watchers_see_each_state() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    let watcher = pair.bank.jobs().subscribe(&hash.short()).expect("known");
    let state = || watcher.borrow().state;
    assert_eq!(state(), JobState::AwaitingApprovals);
    pair.bank.approve_all(hash);
    pair.pay.approve_all(hash);
    pair.deliver();
    assert_eq!(state(), JobState::Ready);
    let session = pair.open();
    assert_eq!(state(), JobState::Running);
    pair.run(session).expect("runs");
    assert_eq!(state(), JobState::Done);
}

fn restart(pair: &mut Pair) {
    pair.bank.start();
    pair.pay.start();
}

fn repost(pair: &mut Pair) {
    let (from_bank, from_pay) = (
        pair.bank.jobs().own_records(),
        pair.pay.jobs().own_records(),
    );
    from_bank
        .expect("reads")
        .into_iter()
        .for_each(|record| pair.pay.jobs().on_record(record));
    from_pay
        .expect("reads")
        .into_iter()
        .for_each(|record| pair.bank.jobs().on_record(record));
}
