//! The answer as JSON.

use serde_json::{Map, Value, json};

use super::Resource;
use super::play::{Outcome, Played};
use crate::cli::show::finite;

pub(super) fn answer(resources: &[Resource], played: Option<&Played>) -> Value {
    json!({
        "resources": resources.iter().map(resource).collect::<Vec<Value>>(),
        "game": played.map(game),
    })
}

fn resource(resource: &Resource) -> Value {
    let parameters: Map<String, Value> = resource
        .fit
        .parameters
        .iter()
        .map(|parameter| {
            // A capacity may have no upper end.
            let (low, high) = (finite(parameter.interval.low), finite(parameter.interval.high));
            let interval = json!({"low": low, "high": high});
            (parameter.name.clone(), json!({"value": parameter.value, "interval": interval}))
        })
        .collect();
    json!({
        "resource": resource.name,
        "parameters": parameters,
        "observations": resource.fit.observations,
        "residual": resource.fit.residual,
        "explained": finite(resource.fit.explained),
    })
}

fn game(played: &Played) -> Value {
    let (point, verdict) = match played.anarchy {
        Ok(point) => (Some(point), "identified"),
        Err(verdict) => (None, verdict.name()),
    };
    json!({
        "title": played.title,
        "outcomes": played.outcomes.iter().map(outcome).collect::<Vec<Value>>(),
        "poa": {
            "point": point.map(|point| point.0),
            "spread": played.replayed.map(|replayed| replayed.spread),
            "refits": played.replayed.map(|replayed| replayed.refits),
            "refits_unanswered": played.replayed.map(|replayed| replayed.unanswered),
            "robust": played.robust,
            "verdict": verdict,
        },
        "pos": point.map(|point| point.1),
        "notes": played.notes,
    })
}

fn outcome(outcome: &Outcome) -> Value {
    let choices: Map<String, Value> =
        outcome.choices.iter().map(|(who, what)| (who.clone(), json!(what))).collect();
    json!({
        "outcome": outcome.name,
        "choices": choices,
        "cost": outcome.cost,
        "potential": outcome.potential,
    })
}
