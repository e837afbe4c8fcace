//! Whether a division of the gains lets any coalition do better on its own.

use super::coalition::Coalition;

/// How a division stands to the core.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoreCheck {
    /// Whether no coalition would get more alone, up to rounding.
    pub is_in_core: bool,
    /// The coalition that would gain most by leaving.
    pub worst: Coalition,
    /// What it would gain; negative if it would lose.
    pub excess: f64,
}

/// Compare a division with what each coalition could get alone, beyond what nobody gets. `None` of fewer
/// than two players, where nobody could leave.
///
/// # Panics
///
/// If the values are not those of all coalitions of the players.
#[must_use]
pub fn core_check(values: &[f64], division: &[f64]) -> Option<CoreCheck> {
    assert_eq!(values.len(), 1 << division.len(), "one value per coalition");
    let whole = values.len() - 1;
    let excess = |coalition: Coalition| {
        let members = (0..division.len()).filter(|player| coalition >> player & 1 == 1);
        values[coalition] - values[0] - members.map(|player| division[player]).sum::<f64>()
    };
    let (worst, excess) = (1..whole).map(|c| (c, excess(c))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(CoreCheck { is_in_core: excess <= rounding(values), worst, excess })
}

/// Whether joining a larger coalition is never worth less: then the Shapley value is in the core (Shapley
/// 1971).
#[must_use]
pub fn is_convex(values: &[f64]) -> bool {
    let players = super::exact::players_of(values);
    let tolerance = rounding(values);
    let pairs = (0..players).flat_map(|i| (i + 1..players).map(move |j| (1 << i, 1 << j)));
    let mut pairs = pairs;
    pairs.all(|(one, other)| {
        let mut without = (0..values.len()).filter(|c| c & (one | other) == 0);
        without.all(|c| {
            values[c | one | other] - values[c | one] - values[c | other] + values[c] >= -tolerance
        })
    })
}

/// What sums of such values lose to rounding.
fn rounding(values: &[f64]) -> f64 {
    1e-12 * values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()))
}

#[cfg(test)]
mod tests {
    use super::super::exact::shapley;
    use super::super::exact::tests::{glove, random, values};
    use super::*;

    #[test]
    fn the_glove_game_s_core_is_all_to_the_scarce_glove() {
        let check = core_check(&glove(), &shapley(&glove())).unwrap();
        // A left and the right glove get 5/6 together, and are worth 1.
        assert!(!check.is_in_core && (check.excess - 1.0 / 6.0).abs() < 1e-12);
        assert!(core_check(&glove(), &[0.0, 0.0, 1.0]).unwrap().is_in_core);
        assert!(!is_convex(&glove()));
    }

    #[test]
    fn convex_games_have_their_shapley_value_in_the_core() {
        for seed in 0..100 {
            let weights = random(5, seed);
            // Sums of unanimity games with weights above zero are convex.
            let game = values(5, |m| {
                let inside = m.iter().fold(0, |c, player| c | 1 << player);
                (1..32).filter(|c| c & inside == *c).map(|c: usize| weights[c].abs()).sum()
            });
            assert!(is_convex(&game), "seed {seed}");
            assert!(core_check(&game, &shapley(&game)).unwrap().is_in_core, "seed {seed}");
        }
    }

    #[test]
    fn alone_nobody_can_leave() {
        assert!(core_check(&[0.0, 2.0], &[2.0]).is_none());
    }
}
