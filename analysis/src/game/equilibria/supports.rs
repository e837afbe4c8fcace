//! Which strategies may be played together, small supports first.

use crate::game::Game;

/// The strategies that each player plays with positive probability, ascending.
pub(super) type Support = Vec<Vec<usize>>;

/// All supports of a game, ordered by the number of strategies and then by how unequal the players are.
pub(super) struct Supports {
    shape: Vec<usize>,
    sizes: std::vec::IntoIter<Vec<usize>>,
    /// The support that comes next.
    next: Option<Support>,
}

/// Games with more combinations of support sizes than this are not enumerated.
const MOST_SIZES: usize = 4_000_000;

impl Supports {
    /// None if there are too many to begin with.
    pub(super) fn of(shape: &[usize]) -> Option<Self> {
        let combinations =
            shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        if combinations? > MOST_SIZES {
            return None;
        }
        let mut sizes = vec![Vec::new()];
        for most in shape {
            let longer = |sizes: &Vec<usize>| {
                let sizes = sizes.clone();
                (1..=*most).map(move |size| [&sizes[..], &[size]].concat())
            };
            sizes = sizes.iter().flat_map(longer).collect();
        }
        let spread = |sizes: &[usize]| sizes.iter().max().copied() > sizes.iter().min().copied();
        sizes.sort_by_cached_key(|sizes| {
            (sizes.iter().sum::<usize>(), spread(sizes), sizes.iter().max().copied(), sizes.clone())
        });
        let mut supports = Self { shape: shape.to_vec(), sizes: sizes.into_iter(), next: None };
        supports.next = supports.of_next_sizes();
        Some(supports)
    }

    fn of_next_sizes(&mut self) -> Option<Support> {
        let sizes = self.sizes.next()?;
        Some(sizes.iter().map(|size| (0..*size).collect()).collect())
    }
}

impl Iterator for Supports {
    type Item = Support;

    fn next(&mut self) -> Option<Support> {
        let present = self.next.take()?;
        let mut following = present.clone();
        let advanced = following.iter_mut().zip(&self.shape).rev().any(|(strategies, count)| {
            let advanced = next_combination(strategies, *count);
            if !advanced {
                let size = strategies.len();
                *strategies = (0..size).collect();
            }
            advanced
        });
        self.next = if advanced { Some(following) } else { self.of_next_sizes() };
        Some(present)
    }
}

/// The next combination of the same size in lexicographic order; false behind the last.
fn next_combination(combination: &mut [usize], count: usize) -> bool {
    let size = combination.len();
    let last = |place: usize| count - size + place;
    let Some(place) = (0..size).rev().find(|place| combination[*place] < last(*place)) else {
        return false;
    };
    let first = combination[place] + 1;
    for (offset, entry) in combination[place..].iter_mut().enumerate() {
        *entry = first + offset;
    }
    true
}

/// The numbers of the profiles in which a player plays its first strategy and the others strategies of their
/// supports; the last player's strategy changes fastest.
pub(super) fn profiles_of_others(game: &Game, support: &[Vec<usize>], player: usize) -> Vec<usize> {
    let mut profiles = vec![0];
    for (other, strategies) in support.iter().enumerate().filter(|(other, _)| *other != player) {
        let stride = game.strides()[other];
        profiles = profiles
            .iter()
            .flat_map(|profile| strategies.iter().map(move |strategy| profile + strategy * stride))
            .collect();
    }
    profiles
}

/// Whether some strategy of the support is worse than another strategy of its player as long as the others keep
/// to their supports: never better, and worse against something. Then no equilibrium has this support, because
/// there everything that the supports allow happens with positive probability.
pub(super) fn has_dominated(game: &Game, support: &[Vec<usize>]) -> bool {
    (0..game.players()).any(|player| {
        let others = profiles_of_others(game, support, player);
        let stride = game.strides()[player];
        support[player].iter().any(|strategy| {
            (0..game.strategies(player)).any(|by| {
                let mut is_better = false;
                let never_worse = others.iter().all(|profile| {
                    let better = game.payoff(profile + by * stride, player);
                    let worse = game.payoff(profile + strategy * stride, player);
                    is_better |= better > worse;
                    better >= worse
                });
                never_worse && is_better
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;

    #[test]
    fn every_support_comes_once_and_small_ones_first() {
        let supports: Vec<Support> = Supports::of(&[3, 2, 4]).unwrap().collect();
        assert_eq!(supports.len(), 7 * 3 * 15);
        let different: std::collections::BTreeSet<&Support> = supports.iter().collect();
        assert_eq!(different.len(), supports.len());
        let size = |support: &Support| support.iter().map(Vec::len).sum::<usize>();
        assert!(supports.is_sorted_by_key(size));
        assert_eq!(supports[314], [vec![0, 1, 2], vec![0, 1], vec![0, 1, 2, 3]]);
    }

    #[test]
    fn dominated_strategies_are_not_played() {
        let dilemma = [3.0, 3.0, 0.0, 5.0, 5.0, 0.0, 1.0, 1.0];
        let game = Game::new(Player::numbered(&[2, 2]), dilemma.to_vec()).unwrap();
        let left: Vec<Support> =
            Supports::of(&[2, 2]).unwrap().filter(|s| !has_dominated(&game, s)).collect();
        assert_eq!(left, [[vec![1], vec![1]]]);
    }
}
