//! Games of two players, solved in exact arithmetic.
//!
//! Every equilibrium is a convex combination of extreme ones, which are pairs of vertices of the best-response
//! polytopes in which every strategy of either player is unplayed or a best reply (Mangasarian 1964). Extreme
//! equilibria that may be mixed with each other form the continua (Avis, Rosenberg, Savani and von Stengel 2010).

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};

use super::answer::{Certificate, Completeness, Component, Equilibria, Equilibrium, Work};
use super::certify::{Verdict, certify};
use super::exact::exact;
use super::vertices::{Labels, Vertex, vertices};
use super::{Found, Search, extended};
use crate::game::Game;

/// The equilibria of a game of two players that is what remains of another one, if there is time for all.
pub(super) fn equilibria(
    game: &Game,
    reduced: &Game,
    kept: &[Vec<usize>],
    search: Search<'_>,
) -> Equilibria {
    let [rows, columns] = [0, 1].map(|player| reduced.strategies(player));
    let both = || {
        if (search.stop)() {
            return None;
        }
        let x = vertices(&positive_integers(reduced, 1), search.stop)?;
        let y = vertices(&transposed(&positive_integers(reduced, 0)), search.stop)?;
        Some((x, y))
    };
    let Some((x, y)) = both() else {
        let mut found = Found::default();
        found.pure(reduced);
        found.reasons.push("there was no time to enumerate the best-response polytopes".to_owned());
        return found.answer(game, kept);
    };
    // The second polytope counts its own strategies first: its labels are put into the order of the first.
    let y_labels: Vec<Labels> = y.iter().map(|v| v.labels.rotated(columns, rows)).collect();
    let mut pairs = Vec::new();
    for (i, x) in x.iter().enumerate() {
        for (j, labels) in y_labels.iter().enumerate() {
            if x.labels.complete(labels, rows + columns) {
                pairs.push((i, j));
            }
        }
    }
    let components = connected(&pairs);
    let continua: Vec<&Vec<usize>> = components.iter().filter(|part| part.len() > 1).collect();
    let mut list: Vec<Equilibrium> = pairs
        .iter()
        .enumerate()
        .map(|(number, &(i, j))| {
            let fractions = [weights(&x[i]), weights(&y[j])];
            let floats = |player: usize| {
                fractions[player].iter().map(|w| w.to_f64().unwrap_or(f64::NAN)).collect()
            };
            let profile = extended(game, kept, &[floats(0), floats(1)]);
            let is_strict = x[i].labels.is_apart(&y_labels[j]);
            let component = continua.iter().position(|part| part.contains(&number));
            let text = extended_fractions(game, kept, &fractions);
            let mut equilibrium = Equilibrium {
                certificate: Certificate::Exact,
                is_strict,
                is_isolated: Some(component.is_none()),
                component,
                fractions: Some(text),
                ..Equilibrium::of_profile(game, profile)
            };
            equilibrium.index = index(game, &equilibrium);
            // In fractions it is an equilibrium exactly; what is left is the rounding of its weights.
            equilibrium.radius = Some(f64::EPSILON);
            equilibrium
        })
        .collect();
    let components = continua
        .iter()
        .map(|part| {
            let pairs: Vec<(usize, usize)> = part.iter().map(|number| pairs[*number]).collect();
            let points = part.iter().map(|number| list[*number].profile.clone()).collect();
            component(game, &pairs, points)
        })
        .collect::<Vec<Component>>();
    sort(&mut list);
    answer(list, components)
}

fn answer(equilibria: Vec<Equilibrium>, components: Vec<Component>) -> Equilibria {
    let sum: Option<i32> = equilibria.iter().map(|e| e.index.map(i32::from)).sum();
    let mut reasons = Vec::new();
    let completeness = if !components.is_empty() {
        reasons.push(
            "there are continua of equilibria; all their extreme points are listed".to_owned(),
        );
        Completeness::CompleteUpToDegeneracy
    } else if sum.is_some_and(|sum| sum != 1) {
        reasons.push(format!(
            "the indices of the equilibria sum to {} instead of 1",
            sum.unwrap_or(0)
        ));
        Completeness::Found(equilibria.len())
    } else {
        Completeness::Complete
    };
    Equilibria { equilibria, components, completeness, reasons, work: Work::default() }
}

/// Pure ones first, then by size of support.
fn sort(list: &mut [Equilibrium]) {
    list.sort_by_cached_key(|equilibrium| {
        let support = equilibrium.support();
        (support.iter().map(Vec::len).sum::<usize>(), support)
    });
}

/// A player's payoffs as positive integers in the same proportions, by row and column.
fn positive_integers(game: &Game, player: usize) -> Vec<Vec<BigInt>> {
    let payoffs: Vec<BigRational> =
        (0..game.profiles()).map(|profile| exact(game.payoff(profile, player))).collect();
    // Fractions of two: the largest denominator is a multiple of all others.
    let unit = payoffs.iter().map(BigRational::denom).max().cloned().unwrap_or_else(BigInt::one);
    let integers = payoffs.iter().map(|payoff| payoff.numer() * (&unit / payoff.denom()));
    let integers: Vec<BigInt> = integers.collect();
    let least = integers.iter().min().cloned().unwrap_or_else(BigInt::zero);
    let shifted: Vec<BigInt> = integers.iter().map(|payoff| payoff - &least + 1).collect();
    shifted.chunks(game.strategies(1)).map(<[BigInt]>::to_vec).collect()
}

fn transposed(matrix: &[Vec<BigInt>]) -> Vec<Vec<BigInt>> {
    let column = |column: usize| matrix.iter().map(|row| row[column].clone()).collect();
    (0..matrix[0].len()).map(column).collect()
}

fn weights(vertex: &Vertex) -> Vec<BigRational> {
    let sum: BigInt = vertex.weights().iter().sum();
    vertex.weights().iter().map(|x| BigRational::new(x.clone(), sum.clone())).collect()
}

fn extended_fractions(
    game: &Game,
    kept: &[Vec<usize>],
    fractions: &[Vec<BigRational>; 2],
) -> Vec<Vec<String>> {
    let of_player = |player: usize| {
        let mut all = vec!["0".to_owned(); game.strategies(player)];
        for (strategy, weight) in kept[player].iter().zip(&fractions[player]) {
            all[*strategy] = weight.to_string();
        }
        all
    };
    (0..2).map(of_player).collect()
}

/// The index of an equilibrium without ties, by the Jacobian at it.
fn index(game: &Game, equilibrium: &Equilibrium) -> Option<i8> {
    let support = equilibrium.support();
    if !equilibrium.is_strict || support[0].len() != support[1].len() {
        return None;
    }
    let played = |(player, played): (usize, &Vec<usize>)| {
        played.iter().map(|strategy| equilibrium.profile[player][*strategy]).collect()
    };
    let weights: Vec<Vec<f64>> = support.iter().enumerate().map(played).collect();
    match certify(game, &support, &weights) {
        Verdict::Proved(root) | Verdict::Tied { root, .. } => Some(root.index),
        Verdict::None | Verdict::Unproved => None,
    }
}

/// Pairs that share a vertex, directly or through others, by their numbers.
fn connected(pairs: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for (number, (x, y)) in pairs.iter().enumerate() {
        let touches = |part: &Vec<usize>| {
            part.iter().any(|other| pairs[*other].0 == *x || pairs[*other].1 == *y)
        };
        let (mut joined, apart): (Vec<_>, Vec<_>) = parts.into_iter().partition(touches);
        let mut part: Vec<usize> = joined.drain(..).flatten().collect();
        part.push(number);
        part.sort_unstable();
        parts = apart;
        parts.push(part);
    }
    parts.sort();
    parts
}

fn component(game: &Game, pairs: &[(usize, usize)], points: Vec<Vec<Vec<f64>>>) -> Component {
    let distinct = |of: &dyn Fn(&(usize, usize)) -> usize| {
        let mut all: Vec<usize> = pairs.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let [x, y] = [distinct(&|pair| pair.0), distinct(&|pair| pair.1)];
    let is_hull = x.len() * y.len() == pairs.len();
    // A set of first strategies that all go with the same second ones: its convex hulls' dimensions add up.
    let dimension = |own: &dyn Fn(&(usize, usize)) -> usize,
                     other: &dyn Fn(&(usize, usize)) -> usize| {
        let partners = |vertex: usize| -> Vec<usize> {
            let mut all: Vec<usize> =
                pairs.iter().filter(|p| own(p) == vertex).map(other).collect();
            all.sort_unstable();
            all
        };
        let vertices = distinct(own);
        let of_vertex = |vertex: &usize| {
            let with = partners(*vertex);
            let same = |v: &&usize| {
                let theirs = partners(**v);
                with.iter().all(|partner| theirs.contains(partner))
            };
            let own_set: Vec<usize> = vertices.iter().filter(same).copied().collect();
            let chosen =
                |pair: &(usize, usize)| own_set.contains(&own(pair)) && with.contains(&other(pair));
            let number = pairs.iter().position(&chosen).unwrap_or(0);
            let base = &points[number];
            let offsets =
                pairs.iter().zip(&points).filter(|(pair, _)| chosen(pair)).map(|(_, point)| {
                    let flat = point.iter().flatten().zip(base.iter().flatten());
                    flat.map(|(a, b)| a - b).collect::<Vec<f64>>()
                });
            rank(&offsets.collect::<Vec<_>>())
        };
        vertices.iter().map(of_vertex).max().unwrap_or(0)
    };
    let largest = dimension(&|pair| pair.0, &|pair| pair.1).max(dimension(&|p| p.1, &|p| p.0));
    let played = |player: usize, strategy: usize| points.iter().any(|p| p[player][strategy] > 0.0);
    let support = (0..2)
        .map(|player| (0..game.strategies(player)).filter(|s| played(player, *s)).collect())
        .collect();
    Component { support, dimension: largest, points, is_hull }
}

/// The dimension of the space that some vectors span.
pub(super) fn rank(vectors: &[Vec<f64>]) -> usize {
    let columns = vectors.first().map_or(0, Vec::len);
    let entries = vectors.iter().flatten().copied();
    nalgebra::DMatrix::from_row_iterator(vectors.len(), columns, entries).rank(1e-9)
}
