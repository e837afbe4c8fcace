//! The test for an ordinal potential.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use crate::game::Game;

/// Whether some function of the profile rises exactly where the mover gains: so it is if no cycle of moves
/// that do not hurt the mover has one that gains (Voorneveld and Norde 1997).
#[must_use]
pub fn has_ordinal_potential(game: &Game) -> bool {
    let mut graph = DiGraph::<(), ()>::with_capacity(game.profiles(), 0);
    let nodes: Vec<_> = (0..game.profiles()).map(|_| graph.add_node(())).collect();
    let mut gains = Vec::new();
    for profile in 0..game.profiles() {
        for player in 0..game.players() {
            for other in game.deviations(profile, player).filter(|other| *other != profile) {
                let gain = game.payoff(other, player) - game.payoff(profile, player);
                if gain >= 0.0 {
                    graph.add_edge(nodes[profile], nodes[other], ());
                }
                if gain > 0.0 {
                    gains.push((profile, other));
                }
            }
        }
    }
    let mut component = vec![0; game.profiles()];
    for (number, members) in kosaraju_scc(&graph).into_iter().enumerate() {
        members.into_iter().for_each(|node| component[node.index()] = number);
    }
    gains.into_iter().all(|(from, to)| component[from] != component[to])
}

#[cfg(test)]
mod tests {
    use super::super::test::tests::*;
    use super::*;

    #[test]
    fn exact_potentials_are_ordinal_and_circles_are_not() {
        for game in [prisoners(), battle_of_the_sexes()] {
            assert!(has_ordinal_potential(&game));
        }
        for game in [matching_pennies(), rock_paper_scissors(), jordan()] {
            assert!(!has_ordinal_potential(&game));
        }
    }

    #[test]
    fn an_ordinal_potential_need_not_be_exact() {
        let game = game(&[2, 2], &[0., 0., 0., 1., 5., 0., 7., 1.]);
        assert!(super::super::test::exact_potential(&game).potential.is_none());
        assert!(has_ordinal_potential(&game));
    }

    #[test]
    fn a_circle_through_ties_with_one_gain_is_none() {
        // Both players are indifferent, but player 1 gains by one move on the way round.
        let game = game(&[2, 2], &[0., 0., 1., 0., 0., 0., 0., 0.]);
        assert!(has_ordinal_potential(&game) == all_gains_rise(&game));
    }

    /// By definition, through the least fixed point: no profile reaches itself by harmless moves with a gain.
    fn all_gains_rise(game: &Game) -> bool {
        let n = game.profiles();
        let mut reach = vec![vec![false; n]; n];
        let mut gains = Vec::new();
        for (p, reached) in reach.iter_mut().enumerate() {
            for i in 0..game.players() {
                for q in game.deviations(p, i).filter(|q| *q != p) {
                    let gain = game.payoff(q, i) - game.payoff(p, i);
                    reached[q] |= gain >= 0.0;
                    if gain > 0.0 {
                        gains.push((p, q));
                    }
                }
            }
        }
        for k in 0..n {
            for i in 0..n {
                for j in 0..n {
                    reach[i][j] |= reach[i][k] && reach[k][j];
                }
            }
        }
        gains.into_iter().all(|(p, q)| !reach[q][p])
    }

    #[test]
    fn agrees_with_the_definition_on_random_games_with_ties() {
        let mut seen = [0, 0];
        for seed in 0..400 {
            let smooth = random_game(&[2, 3], seed);
            let rounded: Vec<f64> = smooth.payoffs().iter().map(|p| (p * 1.6).round()).collect();
            let game = game(&[2, 3], &rounded);
            let known = all_gains_rise(&game);
            assert_eq!(has_ordinal_potential(&game), known, "seed {seed}");
            seen[usize::from(known)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
    }
}
