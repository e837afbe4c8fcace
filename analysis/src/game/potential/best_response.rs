//! Where players go who move to best responses one at a time.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use crate::game::Game;

/// The graph whose nodes are the pure profiles, with an edge for every move of one player to one of its best
/// responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BestResponseGraph {
    /// By profile, the profiles that a move leads to.
    pub moves: Vec<Vec<usize>>,
    /// The sets of profiles that reach each other: single profiles that nobody leaves, and sets with
    /// cycles. Profiles that are only passed through are in none.
    pub components: Vec<Component>,
}

/// Profiles between which the players can go round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The profiles, rising.
    pub profiles: Vec<usize>,
    /// A shortest cycle through the first of them; empty of a single profile.
    pub cycle: Vec<usize>,
    /// Whether no move leads out: play that gets here stays (a sink equilibrium: Goemans, Mirrokni and Vetta
    /// 2005).
    pub is_sink: bool,
}

impl BestResponseGraph {
    /// The graph of moves that gain something.
    #[must_use]
    pub fn strict(game: &Game) -> Self {
        Self::of(game, false)
    }

    /// The graph of moves to best responses, also from one to another that pays as much.
    #[must_use]
    pub fn weak(game: &Game) -> Self {
        Self::of(game, true)
    }

    fn of(game: &Game, with_ties: bool) -> Self {
        let moves: Vec<Vec<usize>> = (0..game.profiles())
            .map(|profile| {
                let players = 0..game.players();
                players.flat_map(|player| best_moves(game, profile, player, with_ties)).collect()
            })
            .collect();
        let components = components(&moves);
        Self { moves, components }
    }

    /// The components that can be gone round.
    pub fn cycles(&self) -> impl Iterator<Item = &Component> {
        self.components.iter().filter(|component| component.profiles.len() > 1)
    }

    /// Whether players who move to best responses always come to rest.
    #[must_use]
    pub fn is_acyclic(&self) -> bool {
        self.cycles().next().is_none()
    }
}

fn best_moves(game: &Game, profile: usize, player: usize, with_ties: bool) -> Vec<usize> {
    let payoff = |at: usize| game.payoff(at, player);
    let best = game.deviations(profile, player).map(payoff).fold(f64::NEG_INFINITY, f64::max);
    if payoff(profile) >= best && !with_ties {
        return Vec::new();
    }
    let others = game.deviations(profile, player).filter(|other| *other != profile);
    others.filter(|other| payoff(*other) >= best).collect()
}

fn components(moves: &[Vec<usize>]) -> Vec<Component> {
    let mut graph = DiGraph::<(), ()>::with_capacity(moves.len(), moves.iter().map(Vec::len).sum());
    let nodes: Vec<_> = moves.iter().map(|_| graph.add_node(())).collect();
    for (from, targets) in moves.iter().enumerate() {
        targets.iter().for_each(|to| {
            graph.add_edge(nodes[from], nodes[*to], ());
        });
    }
    let mut found: Vec<Component> = kosaraju_scc(&graph)
        .into_iter()
        .map(|members| {
            let mut profiles: Vec<usize> = members.into_iter().map(|node| node.index()).collect();
            profiles.sort_unstable();
            let is_inside = |profile: &usize| profiles.binary_search(profile).is_ok();
            let is_sink = profiles.iter().all(|profile| moves[*profile].iter().all(is_inside));
            let cycle = shortest_cycle(moves, profiles[0], is_inside);
            Component { profiles, cycle, is_sink }
        })
        .filter(|component| component.profiles.len() > 1 || component.is_sink)
        .collect();
    found.sort_by_key(|component| component.profiles[0]);
    found
}

/// A shortest way from a profile back to itself inside its component, by breadth first.
fn shortest_cycle(
    moves: &[Vec<usize>],
    start: usize,
    is_inside: impl Fn(&usize) -> bool,
) -> Vec<usize> {
    let mut before = std::collections::BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in moves[at].iter().filter(|next| is_inside(next)) {
            if *next == start {
                let back = std::iter::successors(Some(at), |profile| before.get(profile).copied());
                let mut cycle: Vec<usize> = back.collect();
                cycle.reverse();
                return cycle;
            }
            before.entry(*next).or_insert_with(|| {
                queue.push_back(*next);
                at
            });
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::super::test::tests::*;
    use super::*;

    #[test]
    fn pennies_go_round_and_the_prisoners_rest() {
        let graph = BestResponseGraph::strict(&matching_pennies());
        let [component] = &graph.components[..] else { panic!("{graph:?}") };
        assert_eq!((component.profiles.len(), component.cycle.len()), (4, 4));
        assert!(component.is_sink && !graph.is_acyclic());
        let graph = BestResponseGraph::strict(&prisoners());
        assert!(graph.is_acyclic());
        assert_eq!(
            graph.components,
            [Component { profiles: vec![3], cycle: vec![], is_sink: true }]
        );
    }

    #[test]
    fn sinks_of_one_profile_are_the_strict_rest_points() {
        for seed in 0..200 {
            let game = random_game(&[3, 3, 2], seed);
            let graph = BestResponseGraph::strict(&game);
            let single: Vec<usize> = graph
                .components
                .iter()
                .filter(|component| component.profiles.len() == 1)
                .map(|component| component.profiles[0])
                .collect();
            let rests = |p: &usize| (0..3).all(|player| game.pure_regret(*p, player) <= 0.0);
            assert_eq!(single, (0..18).filter(rests).collect::<Vec<usize>>(), "seed {seed}");
            assert!(graph.components.iter().any(|component| component.is_sink), "seed {seed}");
            for component in graph.cycles() {
                for (index, profile) in component.cycle.iter().enumerate() {
                    let next = component.cycle[(index + 1) % component.cycle.len()];
                    assert!(graph.moves[*profile].contains(&next), "seed {seed}");
                }
            }
        }
    }

    #[test]
    fn ties_are_moves_of_the_weak_graph_only() {
        let flat = game(&[2, 2], &[1.0; 8]);
        assert!(BestResponseGraph::strict(&flat).is_acyclic());
        let weak = BestResponseGraph::weak(&flat);
        assert_eq!(weak.components.len(), 1);
        assert_eq!(weak.components[0].profiles, [0, 1, 2, 3]);
    }
}
