//! The intervals of the Price of Anarchy and of Stability.

use super::noise::{Scatter, blocks, common_interest, indifferent, measure};
use super::{Check, Measure, Outcome, Plan, count, covers};
use crate::game::anarchy::{anarchy_point, resample_anarchy, simultaneous_bounds};
use crate::game::congestion::{AtomicCongestion, Latency};
use crate::game::{CorrelatedKind, Deadline, Game, extreme_correlated, pure_equilibria};

/// A game whose Price of Anarchy is known.
struct Truth {
    name: &'static str,
    game: Game,
    anarchy: f64,
    stability: f64,
    /// The costliest correlated equilibrium over the optimum.
    correlated: f64,
}

impl Truth {
    fn of(name: &'static str, game: Game) -> Self {
        let pure: Vec<_> = pure_equilibria(&game).iter().map(|p| game.pure_profile(*p)).collect();
        let point = anarchy_point(&game, &pure).expect("a game of costs with a pure equilibrium");
        let costs = game.costs().expect("a game of costs");
        let correlated =
            extreme_correlated(&game, CorrelatedKind::Correlated, costs, true, Deadline::NEVER)
                .expect("a small linear program");
        let correlated = correlated.value / point.optimum_cost;
        Self { name, anarchy: point.anarchy, stability: point.stability, correlated, game }
    }
}

/// Three players on single resources of cost x, 2 x, 3 x: every pure equilibrium is optimal.
fn singletons() -> Game {
    let links = [1.0, 2.0, 3.0].map(|slope| Latency::affine(slope, 0.0)).to_vec();
    let strategies = vec![vec![vec![0], vec![1], vec![2]]; 3];
    AtomicCongestion::unweighted(links, strategies).to_game().expect("a game")
}

/// Braess's network with three players: the Price of Anarchy is 1.2, and so is that of Stability.
fn braess() -> Game {
    let (x, constant) = (Latency::affine(1.0, 0.0), Latency::affine(0.0, 3.5));
    let links = vec![x.clone(), x, constant.clone(), constant, Latency::affine(0.0, 0.0)];
    let paths = vec![vec![0, 2], vec![3, 1], vec![0, 4, 1]];
    AtomicCongestion::unweighted(links, vec![paths; 3]).to_game().expect("a game")
}

/// The example of Christodoulou and Koutsoupias (2005) that is tight at 5/2.
fn five_halves() -> Game {
    let strategies = |i: usize| {
        let (one, two) = ((i + 1) % 3, (i + 2) % 3);
        vec![vec![i, 3 + i], vec![one, two, 3 + one]]
    };
    let links = vec![Latency::affine(1.0, 0.0); 6];
    AtomicCongestion::unweighted(links, (0..3).map(strategies).collect()).to_game().expect("a game")
}

const SCATTERS: [Scatter; 3] = [
    Scatter { blocks: 10, variation: 0.10, common: 0.9 },
    Scatter { blocks: 5, variation: 0.05, common: 0.9 },
    Scatter { blocks: 10, variation: 0.05, common: 0.0 },
];

/// Resamples of each data set; the spread claims nothing, so that a few will do.
const RESAMPLES: usize = 100;

const SUBJECTS: [(&str, Measure); 6] = [
    ("Price of Anarchy, simultaneous bounds", Measure::Coverage),
    ("Price of Stability, simultaneous bounds", Measure::Coverage),
    ("Price of Anarchy, all equilibria", Measure::Coverage),
    ("Price of Anarchy, resampled", Measure::Spread),
    ("Price of Anarchy above 1", Measure::FalseClaim),
    ("Price of Anarchy above 1, all equilibria", Measure::FalseClaim),
];

pub(super) fn checks(plan: Plan) -> Vec<Check> {
    let truths = [
        Truth::of("nothing matters", indifferent(&[3, 3, 3])),
        Truth::of("common interest", common_interest(&[3, 3, 3])),
        Truth::of("x, 2 x, 3 x", singletons()),
        Truth::of("Braess", braess()),
        Truth::of("tight 5/2", five_halves()),
    ];
    let mut checks = Vec::new();
    for truth in &truths {
        for scatter in SCATTERS {
            let data = format!("{}: {}", truth.name, scatter.describe());
            let found = count(plan, &data, &SUBJECTS, |seed| one(truth, scatter, seed));
            // Where anarchy has a price, claiming it is not false.
            let judged = |check: &Check| {
                check.measure != Measure::FalseClaim
                    || (if check.subject == SUBJECTS[4].0 {
                        truth.anarchy
                    } else {
                        truth.correlated
                    }) <= 1.0 + 1e-9
            };
            checks.extend(found.into_iter().filter(judged));
        }
    }
    checks
}

fn one(truth: &Truth, scatter: Scatter, seed: u64) -> Vec<Outcome> {
    let measured = measure(&truth.game, scatter, seed);
    let blocks = blocks(&measured);
    let spread = resample_anarchy(&measured, &blocks, RESAMPLES, seed, Deadline::NEVER).ok();
    let spread = spread.map(|found| covers(found.anarchy.low, found.anarchy.high, truth.anarchy));
    let Ok(bounds) = simultaneous_bounds(&measured, &blocks, Some(Deadline::NEVER)) else {
        return vec![None, None, None, spread, None, None];
    };
    let (anarchy, stability) = (bounds.anarchy, bounds.stability);
    let all = bounds.all_equilibria;
    vec![
        Some(covers(anarchy.low, anarchy.high, truth.anarchy)),
        Some(covers(stability.low, stability.high, truth.stability)),
        // The equilibria's worst lies between the worst pure one and the worst correlated one.
        all.map(|bound| {
            covers(bound.low, f64::INFINITY, truth.anarchy)
                && covers(0.0, bound.high, truth.correlated)
        }),
        spread,
        Some(anarchy.low > 1.0),
        all.map(|bound| bound.low > 1.0),
    ]
}
