//! The campaign in one or two sentences.

use super::answer::{Anarchy, LoadAnswer, PriceRow};
use crate::experiment::Design;
use crate::stats::Interval;

/// The sentence about the Price of Anarchy that is most certain, or that could be largest if none is; and how many loads are
/// not identified.
pub(super) fn verdict(design: &Design, loads: &[LoadAnswer]) -> String {
    let prices: Vec<(usize, &Anarchy)> = loads
        .iter()
        .filter_map(|load| Some((load.load, load.anarchy.first()?)))
        .filter(|(_, price)| price.anarchy.is_some())
        .collect();
    if prices.is_empty() {
        let reason = loads.iter().find_map(|load| load.anarchy.first()?.reason.clone());
        let reason = reason.unwrap_or_else(|| "there are no loads".to_owned());
        return format!(
            "NOT IDENTIFIED: no Price of Anarchy can be given under any load ({reason})."
        );
    }
    let (unknown, all) = (loads.len() - prices.len(), loads.len());
    let unbanded = prices.iter().filter(|(_, price)| band(price).is_none()).count();
    let mut rest = String::new();
    if unknown > 0 {
        rest += &format!(" Of {all} loads, {unknown} are NOT IDENTIFIED.");
    }
    if unbanded > 0 && unbanded < prices.len() {
        rest += &format!(" Of {all} loads, {unbanded} have a point without an interval.");
    }
    format!("{}{rest}", headline(design, &prices))
}

fn headline(design: &Design, prices: &[(usize, &Anarchy)]) -> String {
    let sentence = |load: usize, price: &Anarchy| {
        let under = format!("under load {}", design.loads[load].name);
        (price.cost.name.clone(), under, excess(banded_point(price).unwrap_or(f64::NAN)))
    };
    let banded = || prices.iter().filter_map(|(load, price)| Some((*load, *price, band(price)?)));
    let certain = banded().filter(|(_, _, band)| band.low > 1.0);
    if let Some((load, price, band)) = certain.max_by(|a, b| a.2.low.total_cmp(&b.2.low)) {
        let (cost, under, point) = sentence(load, price);
        return format!(
            "Selfish play costs {} to {} more than the optimum in {cost} {under} (point {point}): anarchy is certain at 95 %.",
            excess(band.low),
            excess(band.high)
        );
    }
    if let Some((load, price, band)) = banded().max_by(|a, b| a.2.high.total_cmp(&b.2.high)) {
        let (cost, under, point) = sentence(load, price);
        return format!(
            "No anarchy is proved: selfish play costs {} to {} more than the optimum in {cost} {under}, where it may be \
             largest (point {point}).",
            excess(band.low),
            excess(band.high)
        );
    }
    let point = |price: &Anarchy| price.anarchy.unwrap_or(0.0);
    let largest = prices.iter().max_by(|a, b| point(a.1).total_cmp(&point(b.1)));
    let Some((load, price)) = largest else { return String::new() };
    let (cost, under, point) = sentence(*load, price);
    let reason = price.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    format!(
        "Selfish play costs {point} more than the optimum in {cost} {under}, as a point without an interval{reason}."
    )
}

/// How far a ratio is above 1, in percent, with as many digits as tell it from nothing.
pub(super) fn excess(ratio: f64) -> String {
    let excess = 100.0 * (ratio - 1.0);
    match excess.abs() {
        size if !size.is_finite() => "-".to_owned(),
        size if size < 1e-10 => "0 %".to_owned(),
        size if size < 0.001 => format!("{}0.001 %", if excess > 0.0 { "< " } else { "> -" }),
        size if size < 0.1 => format!("{excess:.3} %"),
        size if size < 10.0 => format!("{excess:.2} %"),
        _ => format!("{excess:.1} %"),
    }
}

/// The simultaneous bounds that belong to the point: over all equilibria where they are known, else over pure ones.
pub(super) fn band(price: &Anarchy) -> Option<Interval> {
    banded_row(price)?.simultaneous
}

/// The point that [`band`] belongs to; the price over all equilibria without a band.
pub(super) fn banded_point(price: &Anarchy) -> Option<f64> {
    banded_row(price).map_or(price.anarchy, |row| row.point)
}

fn banded_row(price: &Anarchy) -> Option<&PriceRow> {
    let row =
        |name: &str| price.rows.iter().find(|row| row.name == name && row.simultaneous.is_some());
    row("anarchy_all").or_else(|| row("anarchy_pure"))
}

#[cfg(test)]
mod tests {
    use super::excess;

    #[test]
    fn an_excess_is_told_from_nothing() {
        let told = [1.0, 1.000_000_1, 1.0004, 1.158, 1.5, 0.9931].map(excess);
        assert_eq!(told, ["0 %", "< 0.001 %", "0.040 %", "15.8 %", "50.0 %", "-0.69 %"]);
    }
}
