//! A planner's metrics: scalings are counted at their outcome, predictions shown beside what came of them.

mod support;

use nashtrace::abi::Status;
use nashtrace::record::{
    EffectKind, NameSpace, PlannerDecision, PlannerEffect, PlannerFlag, PlannerTick, Record,
};
use support::{TIMEOUT_MS, api, name, options, start, stop, turn};

/// The samples of the planner's own metrics, as Prometheus reads them.
fn samples() -> Vec<String> {
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
    let mut buffer = vec![0_u8; 1 << 18];
    let mut length = 0;
    // SAFETY: the buffer has its length, which is writable.
    let status =
        unsafe { (api().metrics_text)(buffer.as_mut_ptr().cast(), buffer.len(), &raw mut length) };
    assert_eq!(status, Status::Ok);
    let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
    text.lines().filter(|line| line.starts_with("dynamo_planner_")).map(str::to_owned).collect()
}

fn empty<T: Record>() -> T {
    let mut record = T::new_zeroed();
    record.head_mut().struct_size = size_of::<T>() as u32;
    record
}

/// A tick that saw and predicted these request rates, and decided on so many replicas of a worker type.
fn tick(number: u64, flags: u32, rates: (f64, f64), worker_type: u32, decided: u32) {
    let mut tick: PlannerTick = empty();
    (tick.tick, tick.flags) = (number, flags);
    (tick.observed_request_rate, tick.predicted_request_rate) = rates;
    // It did not observe what it predicted of the prompts, and not predict the rest.
    (tick.observed_isl, tick.predicted_isl) = (f64::NAN, 100.0);
    (tick.predicted_osl, tick.predicted_kv_hit_rate) = (f64::NAN, f64::NAN);
    let mut decision: PlannerDecision = empty();
    (decision.tick, decision.worker_type, decision.decided) = (number, worker_type, decided);
    // SAFETY: both are whole.
    unsafe {
        assert_eq!((api().planner_tick)(&tick), Status::Ok);
        assert_eq!((api().planner_decision)(&decision), Status::Ok);
    }
}

fn effect(tick: u64, effect: EffectKind, worker_type: u32, from: u32, to: u32) {
    let mut record: PlannerEffect = empty();
    (record.tick, record.effect, record.worker_type) = (tick, effect as u8, worker_type);
    (record.from, record.to) = (from, to);
    // SAFETY: it is whole.
    assert_eq!(unsafe { (api().planner_effect)(&record) }, Status::Ok);
}

#[test]
fn scalings_are_counted_at_their_outcome_and_predictions_meet_theirs() {
    const FRESH: u32 = PlannerFlag::FreshTraffic as u32;
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    start(&options(directory.path()));
    let decode = name(NameSpace::WorkerType, "decode");
    tick(1, FRESH, (5.0, 6.5), decode, 2);
    effect(1, EffectKind::Submitted, decode, 1, 2);
    effect(1, EffectKind::Applied, decode, 1, 2);
    assert_eq!(samples(), Vec::<String>::new(), "nothing has come of it yet");

    effect(2, EffectKind::Observed, decode, 1, 2);
    tick(2, FRESH, (7.0, 8.0), decode, 1);
    effect(3, EffectKind::Observed, decode, 2, 1);
    let expected = [
        r#"dynamo_planner_actual_load{metric_type="request_rate"} 7"#,
        r#"dynamo_planner_predicted_load{metric_type="request_rate"} 6.5"#,
        r#"dynamo_planner_scaling_events_total{direction="down",worker_type="decode"} 1"#,
        r#"dynamo_planner_scaling_events_total{direction="up",worker_type="decode"} 1"#,
    ];
    assert_eq!(samples(), expected);

    // What is only advised is never a scaling, whatever happens to the workers.
    tick(3, PlannerFlag::Advisory as u32, (f64::NAN, f64::NAN), decode, 4);
    effect(4, EffectKind::Observed, decode, 1, 4);
    assert_eq!(samples(), expected);
    stop();
}
