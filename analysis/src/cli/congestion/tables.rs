//! The answer as tables.

use std::io::{self, Write};

use super::Resource;
use super::play::Played;
use crate::cli::show::interval;
use crate::report::{Table, heading, number, percent, sentence, warning};

pub(super) fn print(
    resources: &[Resource],
    played: Option<&Played>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}", heading("Fitted latencies"))?;
    let columns = [
        "resource",
        "parameter",
        "value",
        "95 % interval",
        "measurements",
        "residual",
        "explained",
    ];
    let mut table = Table::new(&columns).left(1);
    for resource in resources {
        for (index, parameter) in resource.fit.parameters.iter().enumerate() {
            let once = |text: String| if index == 0 { text } else { String::new() };
            let high = parameter.interval.high;
            table.row(vec![
                once(resource.name.clone()),
                parameter.name.clone(),
                number(parameter.value),
                if high.is_finite() {
                    interval(Some(&parameter.interval))
                } else {
                    format!("from {}", number(parameter.interval.low))
                },
                once(resource.fit.observations.to_string()),
                once(number(resource.fit.residual)),
                once(percent(resource.fit.explained)),
            ]);
        }
    }
    writeln!(out, "{table}")?;
    let Some(played) = played else {
        let hint = "No game is played: give --demand, --players or --weights.";
        return writeln!(out, "{}", sentence(hint));
    };
    print_game(played, out)
}

fn print_game(played: &Played, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", heading(&format!("Game: {}", played.title)))?;
    let who = played.outcomes.first().map(|outcome| &outcome.choices[..]).unwrap_or_default();
    let names = who.iter().map(|(name, _)| name.as_str());
    let columns: Vec<&str> =
        ["outcome", "social cost", "potential"].into_iter().chain(names).collect();
    let mut table = Table::new(&columns).optional(2);
    for outcome in &played.outcomes {
        let head = [
            outcome.name.to_owned(),
            number(outcome.cost),
            outcome.potential.map_or_else(|| "-".to_owned(), number),
        ];
        let choices = outcome.choices.iter().map(|(_, what)| what.clone());
        table.row(head.into_iter().chain(choices).collect());
    }
    writeln!(out, "{table}")?;
    match played.anarchy {
        Ok((anarchy, stability)) => {
            writeln!(out, "  Price of Anarchy   {}", number(anarchy))?;
            writeln!(out, "  Price of Stability {}", number(stability))?;
        }
        Err(verdict) => writeln!(out, "  Price of Anarchy   {}", warning(verdict.name()))?,
    }
    if let Some(replayed) = &played.replayed {
        let spread = interval(Some(&replayed.spread));
        let text = format!(
            "  Over {} refits the Price of Anarchy is {spread} (95 % of them).",
            replayed.refits
        );
        writeln!(out, "{text}")?;
    }
    if let Some(robust) = played.robust {
        let text = "No equilibrium of any kind, and no learner without regret, costs more than";
        writeln!(
            out,
            "{}",
            sentence(&format!("{text} {} times the optimum (smoothness).", number(robust)))
        )?;
    }
    for note in &played.notes {
        writeln!(out, "{}", sentence(&format!("Note: {note}.")))?;
    }
    Ok(())
}
