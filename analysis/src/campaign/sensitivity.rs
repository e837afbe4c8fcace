//! How answers hang on the set of strategies.

use super::Settings;
use super::answer::{Sensitivity, Subgame};
use super::equilibria::{SUBGAME_WORK, Solved};
use super::paired_means::Basis;
use super::tensor::WholeGame;
use crate::experiment::Design;
use crate::game::anarchy::{PairedBlocks, anarchy_point, simultaneous_bounds};
use crate::game::pure_equilibria;
use crate::stats::Interval;

/// Numbers of strategies per player that are compared.
const SIZES: [usize; 3] = [3, 5, 7];

/// Every strategy left out in turn, and fewer strategies for all.
pub(super) fn sensitivity(
    design: &Design,
    whole: &WholeGame,
    settings: &Settings<'_>,
) -> Sensitivity {
    let counts: Vec<usize> = design.players.iter().map(|player| player.strategies.len()).collect();
    let all = |count: &usize| -> Vec<usize> { (0..*count).collect() };
    let mut without = Vec::new();
    for (player, count) in counts.iter().enumerate().filter(|(_, count)| **count > 1) {
        for strategy in 0..*count {
            let mut kept: Vec<Vec<usize>> = counts.iter().map(all).collect();
            kept[player].remove(strategy);
            let (player, strategy) = (Some(player), Some(strategy));
            without.push(Subgame { player, strategy, ..subgame(whole, kept, settings) });
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let sizes = SIZES.iter().filter(|size| **size <= most).map(|size| {
        let kept = design.players.iter().map(|p| spread(p.strategies.len(), *size, p.default));
        subgame(whole, kept.collect(), settings)
    });
    Sensitivity { sizes: sizes.collect(), without }
}

/// So many strategies spread evenly over all, the first and the last among them; the one next to the default
/// makes room for it.
fn spread(count: usize, wanted: usize, default: usize) -> Vec<usize> {
    if count <= wanted {
        return (0..count).collect();
    }
    let place = |index: usize| (index * (count - 1) + (wanted - 1) / 2) / (wanted - 1);
    let mut kept: Vec<usize> = (0..wanted).map(place).collect();
    if !kept.contains(&default) {
        let nearest = (1..wanted - 1).min_by_key(|index| kept[*index].abs_diff(default));
        kept[nearest.unwrap_or(0)] = default;
        kept.sort_unstable();
    }
    kept
}

fn subgame(whole: &WholeGame, kept: Vec<Vec<usize>>, settings: &Settings<'_>) -> Subgame {
    let mut all = kept.clone();
    all.resize(whole.game.players(), vec![0]);
    let game = whole.game.restricted(&all);
    let solved = Solved::of(&game, settings, SUBGAME_WORK);
    let point = anarchy_point(&game, &solved.points).ok();
    // Fitted points do not rest on the blocks that bounds would rest on.
    let is_paired = whole.basis == Basis::WholeBlocks;
    let bounds = PairedBlocks::of(&game)
        .filter(|_| is_paired)
        .and_then(|blocks| simultaneous_bounds(&game, &blocks, None).ok())
        .map(|bounds| Interval { low: bounds.anarchy.low, high: bounds.anarchy.high });
    let numbered = |profile: usize| -> Vec<usize> {
        kept.iter().enumerate().map(|(player, kept)| kept[game.strategy(profile, player)]).collect()
    };
    Subgame {
        player: None,
        strategy: None,
        size: kept.iter().map(Vec::len).max().unwrap_or(0),
        pure: pure_equilibria(&game).into_iter().map(numbered).collect(),
        anarchy: point.map(|point| point.anarchy),
        bounds,
        completeness: solved.found.completeness.to_string(),
        kept,
    }
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn strategies_are_spread_with_the_ends_and_the_default() {
        assert_eq!(spread(7, 3, 3), [0, 3, 6]);
        assert_eq!(spread(7, 3, 1), [0, 1, 6]);
        assert_eq!(spread(7, 5, 0).len(), 5);
        assert_eq!(spread(3, 5, 1), [0, 1, 2]);
        for (count, wanted) in [(5, 3), (7, 5), (9, 7)] {
            for default in 0..count {
                let kept = spread(count, wanted, default);
                assert!(kept.windows(2).all(|pair| pair[0] < pair[1]), "{kept:?}");
                assert!(kept.contains(&default) && kept.len() == wanted, "{kept:?}");
            }
        }
    }
}
