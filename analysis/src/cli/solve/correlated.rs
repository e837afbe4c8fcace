//! The section of correlated and coarse correlated equilibria.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Section, Solved};
use crate::game::{
    CorrelatedEquilibrium, CorrelatedError, CorrelatedKind, Deadline, Game, extreme_correlated,
};
use crate::report::{Table, number, sentence};

pub(super) const SECTION: Section =
    Section { title: "Correlated equilibria", json, print, is_shown: |_| true };

const KINDS: [(&str, CorrelatedKind); 2] =
    [("correlated", CorrelatedKind::Correlated), ("coarse_correlated", CorrelatedKind::Coarse)];

type Extreme = Result<CorrelatedEquilibrium, CorrelatedError>;

/// The least and the largest expectation of each kind, of each value.
pub(super) struct Correlated {
    /// Name of the kind, name of the value, least, largest.
    rows: Vec<(&'static str, &'static str, [Extreme; 2])>,
}

impl Correlated {
    pub(super) fn of(game: &Game, deadline: Deadline) -> Self {
        let welfare: Vec<f64> = (0..game.profiles()).map(|profile| game.welfare(profile)).collect();
        let values = [("welfare", Some(&welfare[..])), ("cost", game.costs())];
        let mut rows = Vec::new();
        for (kind_name, kind) in KINDS {
            for (name, values) in values {
                let Some(values) = values else { continue };
                let extreme = |largest| extreme_correlated(game, kind, values, largest, deadline);
                let extremes = [false, true].map(extreme);
                rows.push((kind_name, name, extremes));
            }
        }
        Self { rows }
    }

    /// The largest social cost of this kind of equilibrium.
    pub(super) fn costliest(&self, kind: CorrelatedKind) -> Option<f64> {
        let (name, _) = KINDS.iter().find(|(_, known)| *known == kind)?;
        let row = self.rows.iter().find(|(row, value, _)| row == name && *value == "cost")?;
        row.2[1].as_ref().ok().map(|largest| largest.value)
    }
}

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    let one = |extreme: &Extreme| match extreme {
        Ok(extreme) => json!({
            "value": extreme.value,
            "distribution": extreme.distribution,
            "violation": extreme.violation,
        }),
        Err(error) => json!({"error": error.to_string()}),
    };
    for (kind, _) in KINDS {
        let rows = solved.correlated.rows.iter().filter(|(name, _, _)| *name == kind);
        let values: Map<String, Value> = rows
            .map(|(_, value, [least, largest])| {
                ((*value).to_owned(), json!({"least": one(least), "largest": one(largest)}))
            })
            .collect();
        answer.insert(kind.to_owned(), values.into());
    }
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&["kind", "of", "least", "largest"]).left(1);
    for (kind, value, [least, largest]) in &solved.correlated.rows {
        if let Some(error) = [least, largest].iter().find_map(|extreme| extreme.as_ref().err()) {
            writeln!(out, "{}", sentence(&error.to_string()))?;
            continue;
        }
        let text = |extreme: &Extreme| {
            extreme.as_ref().map_or_else(|_| String::new(), |e| number(e.value))
        };
        table.row(vec![kind.replace('_', " "), (*value).to_owned(), text(least), text(largest)]);
    }
    write!(out, "{table}")
}
