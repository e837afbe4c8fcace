//! Games by their payoffs, and looking things up among their equilibria.

use nashtrace_analysis::game::{Equilibria, Equilibrium, Game, Player, Search, equilibria};
use nashtrace_analysis::load::game_of_text;

/// All equilibria, with the default seed and all the time it takes.
pub(crate) fn solve(game: &Game) -> Equilibria {
    equilibria(game, Search { seed: 0, stop: &|| false, budget: None })
}

/// A game of two players by their payoffs, row by row.
pub(crate) fn bimatrix(rows: usize, payoffs: &[(f64, f64)]) -> Game {
    let flat = payoffs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    Game::new(Player::numbered(&[rows, payoffs.len() / rows]), flat).unwrap()
}

/// A game by its payoffs, the first player's strategy changing fastest.
pub(crate) fn first_fastest(shape: &[usize], payoffs: &str) -> Game {
    let players: String = (1..=shape.len()).map(|number| format!("\"{number}\" ")).collect();
    let counts: String = shape.iter().map(|count| format!("{count} ")).collect();
    game_of_text(&format!("NFG 1 R \"\" {{ {players} }} {{ {counts} }}\n\n{payoffs}")).unwrap()
}

/// A game by a rule that gives the payoffs of a profile.
pub(crate) fn by_rule(shape: &[usize], mut rule: impl FnMut(&[usize]) -> Vec<f64>) -> Game {
    let players = Player::numbered(shape);
    let profiles: usize = shape.iter().product();
    let zeros = Game::new(players.clone(), vec![0.0; profiles * shape.len()]).unwrap();
    let payoffs = (0..profiles).flat_map(|number| rule(&zeros.profile(number))).collect();
    Game::new(players, payoffs).unwrap()
}

/// The equilibrium that is within a tolerance of a profile, given as the weights of all players in a row.
pub(crate) fn near<'a>(found: &'a Equilibria, weights: &[f64], tolerance: f64) -> &'a Equilibrium {
    let is_near = |equilibrium: &&Equilibrium| {
        let own = equilibrium.profile.iter().flatten();
        own.clone().count() == weights.len()
            && own.zip(weights).all(|(a, b)| (a - b).abs() <= tolerance)
    };
    found.equilibria.iter().find(is_near).unwrap_or_else(|| {
        let profiles: Vec<_> = found.equilibria.iter().map(|e| &e.profile).collect();
        panic!("{weights:?} is not among {profiles:?}")
    })
}

/// Assert that numbers are within a tolerance of each other.
pub(crate) fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    let is_close = found.len() == expected.len()
        && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance);
    assert!(is_close, "{found:?} instead of {expected:?}");
}
