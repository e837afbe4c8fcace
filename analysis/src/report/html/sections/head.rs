//! The top of the page: the verdict in words, its doubts, and one row per load.

use super::super::names::{Names, counted, maybe, range};
use super::super::table::Table;
use crate::campaign::{Analysis, Doubt, LoadAnswer};
use crate::report::{count, number};

/// Doubts that a reader is shown without asking.
const SHOWN: usize = 8;

/// The top of the page.
pub(in crate::report::html) struct Head {
    /// The design's name.
    pub(in crate::report::html) name: String,
    /// What it asks.
    pub(in crate::report::html) description: String,
    /// What was measured, in a sentence.
    pub(in crate::report::html) measured: String,
    /// The verdict.
    pub(in crate::report::html) verdict: String,
    /// The weightiest doubts.
    pub(in crate::report::html) doubts: Vec<Said>,
    /// The other doubts.
    pub(in crate::report::html) more_doubts: Vec<Said>,
    /// By load.
    pub(in crate::report::html) glance: Table,
    /// Version of the analysis.
    pub(in crate::report::html) schema_version: u32,
    /// Version of this program.
    pub(in crate::report::html) nashtrace: String,
}

/// A doubt in words.
pub(in crate::report::html) struct Said {
    /// What it may cost.
    pub(in crate::report::html) weight: &'static str,
    /// `heavy`, `middle` or `light`.
    pub(in crate::report::html) class: &'static str,
    /// The doubt.
    pub(in crate::report::html) sentence: String,
}

impl Head {
    pub(in crate::report::html) fn of(analysis: &Analysis) -> Self {
        let design = &analysis.design;
        let names = Names { design };
        let mut doubts = said(&analysis.doubts, names);
        let heavy = doubts.iter().filter(|doubt| doubt.class == "heavy").count();
        let more_doubts = doubts.split_off(heavy.max(SHOWN).min(doubts.len()));
        let runs = &analysis.runs;
        Self {
            name: design.name.clone(),
            description: design.description.clone(),
            measured: format!(
                "{}, {}, {}, {}; {} of {} planned runs are used; driver {}.",
                counted(design.players.len(), "player"),
                counted(design.profiles, "profile"),
                counted(design.loads.len(), "load"),
                counted(design.blocks, "block"),
                count(runs.used as u64),
                count(runs.planned as u64),
                design.driver
            ),
            verdict: analysis.verdict.clone(),
            doubts,
            more_doubts,
            glance: glance(analysis, names),
            schema_version: analysis.schema_version,
            nashtrace: analysis.provenance.nashtrace.clone(),
        }
    }
}

/// Doubts of the same words under several loads are said once.
fn said(doubts: &[Doubt], names: Names<'_>) -> Vec<Said> {
    let mut groups: Vec<(&Doubt, Vec<&str>)> = Vec::new();
    for doubt in doubts {
        let load = doubt.load.map(|load| names.load(load));
        let same = |(known, _): &&mut (&Doubt, Vec<&str>)| {
            (&known.sentence, known.weight) == (&doubt.sentence, doubt.weight)
                && known.load.is_some() == load.is_some()
        };
        match groups.iter_mut().find(same) {
            Some((_, loads)) => loads.extend(load),
            None => groups.push((doubt, load.into_iter().collect())),
        }
    }
    let sentence = |(doubt, loads): (&Doubt, Vec<&str>)| {
        let (weight, class) = weight(doubt.weight);
        let is_named = |load: &str| doubt.sentence.contains(&format!("load {load}"));
        let sentence = match loads.as_slice() {
            [] => doubt.sentence.clone(),
            [load] if is_named(load) => doubt.sentence.clone(),
            [load] => format!("Load {load}: {}", doubt.sentence),
            loads => format!("Loads {}: {}", loads.join(", "), doubt.sentence),
        };
        Said { weight, class, sentence }
    };
    groups.into_iter().map(sentence).collect()
}

fn weight(weight: u8) -> (&'static str, &'static str) {
    match weight {
        3.. => ("The verdict may be wrong", "heavy"),
        2 => ("An answer may be wrong", "middle"),
        _ => ("Read with care", "light"),
    }
}

fn glance(analysis: &Analysis, names: Names<'_>) -> Table {
    let mut table = Table::new(&[
        "load",
        "Price of Anarchy",
        "95 % bounds",
        "verdict",
        "Price of Stability",
        "pure equilibria",
        "largest regret of the default",
        "tail inflation",
    ])
    .text(&[3, 6]);
    let tails = &analysis.over_loads.tail_inflation;
    for load in &analysis.loads {
        let price = load.anarchy.first();
        let tail = tails.iter().find(|point| point.load == load.load);
        let band = analysis.over_loads.anarchy.iter().find(|point| point.load == load.load);
        table.row([
            names.load(load.load).to_owned(),
            maybe(price.and_then(|price| price.anarchy)),
            range(band.and_then(|point| point.band)),
            price.map_or_else(|| "-".to_owned(), |price| price.verdict.clone()),
            maybe(price.and_then(|price| price.stability)),
            pure(load),
            largest_regret(load, names),
            maybe(tail.and_then(|point| point.point)),
        ]);
    }
    table
}

fn pure(load: &LoadAnswer) -> String {
    load.equilibria.as_ref().map_or_else(
        || "not identified".to_owned(),
        |found| found.list.iter().filter(|one| one.pure.is_some()).count().to_string(),
    )
}

fn largest_regret(load: &LoadAnswer, names: Names<'_>) -> String {
    let known = load.regret.iter().filter_map(|regret| Some((regret.point?, regret.player)));
    let largest = known.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    largest.map_or_else(
        || "-".to_owned(),
        |(point, player)| match point > 0.0 {
            true => format!("{} ({})", number(point), names.player(player)),
            false => "0: nobody would move".to_owned(),
        },
    )
}
