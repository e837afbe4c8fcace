//! The games that fitted latencies are put into.

use super::{Arguments, Resource};
use crate::game::anarchy::{Verdict, anarchy_point, smoothness};
use crate::game::congestion::{
    AtomicCongestion, AtomicPlayer, Latency, ParallelLinks, ParallelOutcome, Pool, Replayed,
    SelfishCaching, TwoPools, replay,
};
use crate::game::{Game, pure_equilibria};

/// What a game came to.
pub(super) struct Played {
    /// The game, for people.
    pub(super) title: String,
    /// Equilibria and optimum: name, what they are, social cost.
    pub(super) outcomes: Vec<Outcome>,
    /// Price of Anarchy and of Stability, or why there is none.
    pub(super) anarchy: Result<(f64, f64), Verdict>,
    /// How the Price of Anarchy varies over refits.
    pub(super) replayed: Option<Replayed>,
    /// The bound by smoothness, of games with few players.
    pub(super) robust: Option<f64>,
    /// What a reader must know.
    pub(super) notes: Vec<String>,
}

/// One distribution of the load, or profile.
pub(super) struct Outcome {
    pub(super) name: &'static str,
    /// What everyone does: load by resource, or strategy by player.
    pub(super) choices: Vec<(String, String)>,
    pub(super) cost: f64,
    /// Rosenthal's potential, or for divisible load the sum of the latencies' integrals.
    pub(super) potential: Option<f64>,
}

/// Profiles of weighted players that are tried, at most.
const MOST_PROFILES: f64 = 65_536.0;

/// Play parallel links; nothing if no load is given.
pub(super) fn links(
    arguments: &Arguments,
    resources: &[Resource],
) -> Result<Option<Played>, String> {
    let latencies = || resources.iter().map(|resource| resource.fit.latency.clone()).collect();
    let play: Box<dyn Fn(Vec<Latency>) -> Result<Played, String> + Sync> = if let Some(demand) =
        arguments.demand
    {
        Box::new(move |links| divisible(resources, links, demand))
    } else if let Some(players) = arguments.players {
        Box::new(move |links| identical(resources, links, players as usize))
    } else if let Some(weights) = arguments.weights.clone() {
        if weights.len() < 2 {
            return Err("--weights needs at least two loads".to_owned());
        }
        if (resources.len() as f64).powi(weights.len() as i32) > MOST_PROFILES {
            return Err(format!(
                "{} weighted requests on {} resources are too many to try all; use --demand or --players",
                weights.len(),
                resources.len()
            ));
        }
        Box::new(move |links| weighted(resources, links, &weights))
    } else {
        return Ok(None);
    };
    let mut played = play(latencies())?;
    let measured: Vec<_> =
        resources.iter().map(|resource| (&resource.observations[..], &resource.fit)).collect();
    let refits = arguments.refits as usize;
    let (seed, deadline) = (arguments.seed, arguments.limit.deadline());
    played.replayed = replay(&measured, arguments.family(), refits, seed, deadline, |links| {
        play(links).ok()?.anarchy.ok().map(|(anarchy, _)| anarchy)
    });
    let made = played.replayed.map_or(0, |replayed| replayed.refits);
    if deadline.has_passed() && made < refits {
        played.notes.push(format!(
            "time was up: {made} of {refits} refits were made; --time-limit allows for more"
        ));
    }
    if let Some(Replayed { unanswered, .. }) = played.replayed
        && unanswered > 0.05
    {
        let share = crate::report::percent(unanswered);
        played
            .notes
            .push(format!("{share} of the refits have no answer: the fit is not sure of itself"));
    }
    Ok(Some(played))
}

fn by_link(resources: &[Resource], loads: &[f64]) -> Vec<(String, String)> {
    let named = resources.iter().zip(loads);
    named.map(|(resource, load)| (resource.name.clone(), crate::report::number(*load))).collect()
}

fn ratio(worst: f64, best: f64, optimum: f64) -> Result<(f64, f64), Verdict> {
    if optimum > 0.0 { Ok((worst / optimum, best / optimum)) } else { Err(Verdict::Unbounded) }
}

fn divisible(resources: &[Resource], links: Vec<Latency>, demand: f64) -> Result<Played, String> {
    let links = ParallelLinks { links };
    let wardrop = links.wardrop(demand).map_err(|error| error.to_string())?;
    let optimum = links.divisible_optimum(demand).map_err(|error| error.to_string())?;
    let anarchy = ratio(wardrop.cost, wardrop.cost, optimum.cost);
    let outcome = |name, found: ParallelOutcome| {
        let integrals = links.links.iter().zip(&found.loads);
        Outcome {
            name,
            choices: by_link(resources, &found.loads),
            cost: found.cost,
            potential: Some(integrals.map(|(link, load)| link.integral(*load)).sum()),
        }
    };
    Ok(Played {
        title: format!("many small requests, load {} together", crate::report::number(demand)),
        outcomes: vec![outcome("Wardrop equilibrium", wardrop), outcome("optimum", optimum)],
        anarchy,
        replayed: None,
        robust: None,
        notes: Vec::new(),
    })
}

fn identical(
    resources: &[Resource],
    links: Vec<Latency>,
    players: usize,
) -> Result<Played, String> {
    let links = ParallelLinks { links };
    let found = links.atomic(players).map_err(|error| error.to_string())?;
    let anarchy = ratio(found.worst.cost, found.best.cost, found.optimum.cost);
    let outcome = |name, found: ParallelOutcome| {
        let numbers = links.links.iter().zip(&found.loads);
        let rosenthal = |(link, load): (&Latency, &f64)| {
            (1..=*load as usize).map(|users| link.at(users as f64)).sum::<f64>()
        };
        Outcome {
            name,
            choices: by_link(resources, &found.loads),
            cost: found.cost,
            potential: Some(numbers.map(rosenthal).sum()),
        }
    };
    Ok(Played {
        title: format!("{players} equal requests"),
        outcomes: vec![
            outcome("worst equilibrium", found.worst),
            outcome("best equilibrium", found.best),
            outcome("optimum", found.optimum),
        ],
        anarchy,
        replayed: None,
        robust: None,
        notes: Vec::new(),
    })
}

fn weighted(
    resources: &[Resource],
    links: Vec<Latency>,
    weights: &[f64],
) -> Result<Played, String> {
    let strategies: Vec<Vec<usize>> = (0..links.len()).map(|link| vec![link]).collect();
    let player = |weight: &f64| AtomicPlayer { weight: *weight, strategies: strategies.clone() };
    let congestion =
        AtomicCongestion { resources: links, players: weights.iter().map(player).collect() };
    let game = congestion.to_game().map_err(|error| error.to_string())?;
    let name = |strategy: usize| resources[strategy].name.clone();
    let mut played = of_game(&game, format!("{} weighted requests", weights.len()), name);
    for outcome in &mut played.outcomes {
        outcome.potential = None;
    }
    Ok(played)
}

/// The pure equilibria and the optimum of a game of costs, with names for the strategies.
fn of_game(game: &Game, title: String, name: impl Fn(usize) -> String) -> Played {
    let equilibria = pure_equilibria(game);
    let costs = game.costs().unwrap_or_default();
    let profiles: Vec<_> = equilibria.iter().map(|profile| game.pure_profile(*profile)).collect();
    let point = anarchy_point(game, &profiles);
    let outcome = |what, profile: usize| Outcome {
        name: what,
        choices: (0..game.players())
            .map(|p| (game.player(p).name.clone(), name(game.strategy(profile, p))))
            .collect(),
        cost: costs[profile],
        potential: None,
    };
    let mut outcomes = Vec::new();
    if let Ok(point) = point {
        outcomes.push(outcome("worst equilibrium", equilibria[point.worst]));
        outcomes.push(outcome("best equilibrium", equilibria[point.best]));
    }
    let optimum = (0..game.profiles()).min_by(|a, b| costs[*a].total_cmp(&costs[*b]));
    outcomes.extend(optimum.map(|profile| outcome("optimum", profile)));
    let notes = match equilibria.len() {
        0 => vec!["no profile of pure strategies is an equilibrium".to_owned()],
        1 => Vec::new(),
        several => vec![format!("{several} equilibria in pure strategies")],
    };
    Played {
        title,
        outcomes,
        anarchy: point.map(|point| (point.anarchy, point.stability)),
        replayed: None,
        robust: smoothness(game).ok().flatten().map(|found| found.bound),
        notes,
    }
}

/// The resource of a name that a game needs.
fn named<'a>(resources: &'a [Resource], name: &str) -> Result<&'a Resource, String> {
    let found = resources.iter().find(|resource| resource.name == name);
    found.ok_or_else(|| format!("this game needs measurements of a resource \"{name}\""))
}

/// The prefill and the decode pool with one budget.
pub(super) fn two_pools(arguments: &Arguments, resources: &[Resource]) -> Result<Played, String> {
    let [loads, stages] = [arguments.loads.as_deref().unwrap_or_default(), &arguments.stages[..]];
    let (&[prefill_load, decode_load], &[prefill_stages, decode_stages]) = (loads, stages) else {
        return Err("two-pool needs --loads and --stages with two numbers each".to_owned());
    };
    let pool = |name: &str, load: f64, stages: f64| {
        let Latency::Mm1 { unloaded, capacity } = named(resources, name)?.fit.latency else {
            return Err("two-pool needs --model mm1".to_owned());
        };
        let saturated = arguments.saturated * unloaded;
        let capacity_per_gpu = capacity;
        Ok(Pool { name: name.to_owned(), unloaded, capacity_per_gpu, load, stages, saturated })
    };
    let game = TwoPools {
        pools: [
            pool("prefill", prefill_load, prefill_stages)?,
            pool("decode", decode_load, decode_stages)?,
        ],
        budget: arguments.budget.into(),
        price: arguments.price,
    };
    let game = game.to_game().map_err(|error| error.to_string())?;
    let title = format!("two pools ask for GPUs out of {}", arguments.budget);
    Ok(of_game(&game, title, |strategy| format!("{} GPUs", strategy + 1)))
}

/// Nodes that store an object or fetch it.
pub(super) fn caching(arguments: &Arguments, resources: &[Resource]) -> Result<Played, String> {
    let size = arguments.size.ok_or("caching needs the --size of the object")?;
    let cost = |name: &str| named(resources, name).map(|found| found.fit.latency.at(size));
    let (store, fetch, compute) = (cost("store")?, cost("fetch")?, cost("compute")?);
    let game = SelfishCaching::uniform(arguments.nodes.into(), store, fetch, compute);
    let game = game.to_game().map_err(|error| error.to_string())?;
    let title = format!(
        "{} nodes store an object ({}) or fetch it ({}), or compute it anew ({})",
        arguments.nodes,
        crate::report::number(store),
        crate::report::number(fetch),
        crate::report::number(compute)
    );
    Ok(of_game(&game, title, |strategy| ["fetch", "store"][strategy].to_owned()))
}
