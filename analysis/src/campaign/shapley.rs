//! What each player brings, between baseline and intelligent strategies.

use super::answer::{Coalition, ShapleyPlayer, ShapleyValues};
use super::paired_means::{PairedMeans, Rows};
use super::tensor::{LoadTensor, UsedRun};
use crate::experiment::Design;
use crate::game::shapley::{Basis, CoalitionValues, MOST_PLAYERS, ShapleyAnswer};

/// Orders of arrival, for more players than exact sums are made for.
const PERMUTATIONS: usize = 10_000;

/// Shapley values, or why they are not known. Only the profiles of coalitions are needed.
pub(super) fn shapley(
    design: &Design,
    tensor: &LoadTensor<'_>,
    seed: u64,
) -> Result<ShapleyValues, String> {
    let marks: Option<Vec<[usize; 2]>> =
        design.players.iter().map(|player| Some([player.baseline?, player.intelligent?])).collect();
    let marks = marks
        .ok_or("the design does not give every player a baseline and an intelligent strategy")?;
    if marks.len() > MOST_PLAYERS {
        return Err(format!("more than {MOST_PLAYERS} players have too many coalitions"));
    }
    let is_member = |coalition: usize, player: usize| coalition >> player & 1 == 1;
    let profile = |coalition: usize| -> Vec<usize> {
        let choice = |(player, marks): (usize, &[usize; 2])| {
            marks[usize::from(is_member(coalition, player))]
        };
        marks.iter().enumerate().map(choice).collect()
    };
    let coalitions = 0..1_usize << marks.len();
    let runs = |coalition: usize| {
        let runs = tensor.get(&design.profile_number(&profile(coalition)));
        let value = |run: &UsedRun<'_>| (run.record.block, vec![run.payoffs.iter().sum::<f64>()]);
        runs.into_iter().flatten().map(value).collect()
    };
    let rows: Rows = coalitions.clone().map(runs).collect();
    // With a coalition missing, the blocks stay as they are, and the table says which one it is.
    let rows = match rows.iter().any(Vec::is_empty) {
        true => rows,
        false => PairedMeans::of(rows).rows,
    };
    let measured = |(block, values): (usize, Vec<f64>)| (Some(format!("{block:08}")), values[0]);
    let measurements = rows.into_iter().map(|runs| runs.into_iter().map(measured).collect());
    let names = design.players.iter().map(|player| player.name.clone()).collect();
    let table = CoalitionValues::of_measurements(names, measurements.collect())
        .map_err(|error| format!("NOT IDENTIFIED: {error}"))?;
    let found = ShapleyAnswer::of(&table, PERMUTATIONS, seed);
    let share = |(player, share): (usize, &crate::game::shapley::Share)| ShapleyPlayer {
        player,
        value: share.value,
        interval: share.interval,
    };
    let coalition = |coalition: usize| Coalition {
        members: (0..marks.len()).filter(|player| is_member(coalition, *player)).collect(),
        profile: profile(coalition),
        value: table.values()[coalition],
    };
    Ok(ShapleyValues {
        players: found.shares.iter().enumerate().map(share).collect(),
        coalitions: coalitions.map(coalition).collect(),
        interactions: found.interactions,
        in_core: found.core.map(|core| core.is_in_core),
        blocks: match found.basis {
            Some(Basis::PairedBlocks(blocks)) => blocks,
            _ => 0,
        },
    })
}
