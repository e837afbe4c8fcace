//! The campaign in one or two sentences.

use super::answer::{Anarchy, LoadAnswer};
use crate::experiment::Design;
use crate::report::number;
use crate::stats::Interval;

/// The sentence about the Price of Anarchy that is most certain, and how many loads are not identified.
pub(super) fn verdict(design: &Design, loads: &[LoadAnswer]) -> String {
    let prices: Vec<(usize, &Anarchy)> = loads
        .iter()
        .filter_map(|load| Some((load.load, load.anarchy.first()?)))
        .filter(|(_, price)| price.anarchy.is_some())
        .collect();
    let unknown = loads.len() - prices.len();
    let rest = match unknown {
        0 => String::new(),
        _ => format!(" Of {} loads, {unknown} are NOT IDENTIFIED.", loads.len()),
    };
    let lowest = |price: &Anarchy| band(price).map_or(0.0, |band| band.low);
    let Some((load, price)) = prices.iter().copied().max_by(|a, b| {
        let point = |price: &Anarchy| price.anarchy.unwrap_or(0.0);
        lowest(a.1).total_cmp(&lowest(b.1)).then(point(a.1).total_cmp(&point(b.1)))
    }) else {
        let reason = loads.iter().find_map(|load| load.anarchy.first()?.reason.clone());
        let reason = reason.unwrap_or_else(|| "there are no loads".to_owned());
        return format!(
            "NOT IDENTIFIED: no Price of Anarchy can be given under any load ({reason})."
        );
    };
    let under = format!("under load {}", design.loads[load].name);
    let (cost, point) = (&price.cost.name, number(price.anarchy.unwrap_or(f64::NAN)));
    let first = match band(price) {
        Some(band) if band.low > 1.0 => format!(
            "Selfish play costs {} to {} times the optimum in {cost} {under} (point {point}): anarchy is certain at 95 %.",
            number(band.low),
            number(band.high)
        ),
        Some(band) => format!(
            "No anarchy is proved: the Price of Anarchy in {cost} is between {} and {} {under}, where it is largest (point {point}).",
            number(band.low),
            number(band.high)
        ),
        None => format!(
            "The Price of Anarchy in {cost} is {point} {under}, without an interval{}.",
            price.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"))
        ),
    };
    format!("{first}{rest}")
}

/// The simultaneous bounds that belong to the point: over all equilibria where they are known.
pub(super) fn band(price: &Anarchy) -> Option<Interval> {
    let row = |name: &str| price.rows.iter().find(|row| row.name == name)?.simultaneous;
    row("anarchy_all").or_else(|| row("anarchy_pure"))
}
