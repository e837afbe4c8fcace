//! `nashtrace congestion`: fit latencies to measured loads, and play the game that follows.

mod json;
mod play;
mod tables;

use std::io::Write;
use std::path::PathBuf;

use super::time_limit::TimeLimit;
use super::{Answered, Ending, complain, write_json};
use crate::game::congestion::{Family, FittedLatency, Observation, fit_latency};
use crate::load::{latencies_of_file, name_of};
use play::Played;

const EXAMPLES: &str = "\
TABLE is CSV with the columns load and latency, and resource if there are several:

  resource,load,latency
  worker 1,0.5,12.1
  worker 2,0.5,19.8

Games, of which each fits its parameters from the table:
  links      the load spreads over the resources, one for each request: --demand for many small requests,
             --players for equal whole ones, --weights for whole ones of different size
  two-pool   resources prefill and decode, measured on one GPU, share --budget GPUs; --model mm1
  caching    --nodes nodes store an object of --size or fetch it; resources store and fetch, and compute
             for what it costs to make it anew where nobody stores it

Examples:
  nashtrace congestion workers.csv --model affine --demand 12
  nashtrace congestion workers.csv --model step --players 64 --json
  nashtrace congestion pools.csv --model mm1 --game two-pool --budget 8 --loads 2.5,40 --stages 1,200 --price 0.1
  nashtrace congestion blocks.csv --model affine --game caching --nodes 4 --size 512";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Measured loads and latencies, CSV; - is standard input
    #[arg(value_name = "TABLE")]
    table: PathBuf,
    /// How latency grows with load
    #[arg(long, value_enum)]
    model: Model,
    /// Degree of --model polynomial
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=6))]
    degree: u8,
    /// The game that is played with the fitted latencies
    #[arg(long, value_enum, default_value_t = GameKind::Links)]
    game: GameKind,
    /// links: load of many small requests
    #[arg(long, value_name = "LOAD", conflicts_with_all = ["players", "weights"])]
    demand: Option<f64>,
    /// links: number of equal requests, each of load 1
    #[arg(long, value_name = "N", conflicts_with = "weights", value_parser = clap::value_parser!(u32).range(1..=5000))]
    players: Option<u32>,
    /// links: loads of single requests
    #[arg(long, value_name = "LOAD,...", value_delimiter = ',')]
    weights: Option<Vec<f64>>,
    /// two-pool: GPUs there are
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    budget: u8,
    /// two-pool: what a GPU costs, in the unit of the latency
    #[arg(long, value_name = "PRICE", default_value_t = 0.0)]
    price: f64,
    /// two-pool: load on prefill and on decode
    #[arg(long, value_name = "LOAD,LOAD", value_delimiter = ',')]
    loads: Option<Vec<f64>>,
    /// two-pool: stages per request in prefill and in decode
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_values_t = [1.0, 1.0])]
    stages: Vec<f64>,
    /// two-pool: latency that a pool without enough GPUs is charged, as a multiple of its unloaded latency
    #[arg(long, value_name = "FACTOR", default_value_t = 100.0)]
    saturated: f64,
    /// caching: nodes that want the object
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=12))]
    nodes: u8,
    /// caching: size of the object, in the unit of the table's load
    #[arg(long, value_name = "SIZE")]
    size: Option<f64>,
    /// Refits that the spread of the Price of Anarchy comes from
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    refits: u32,
    #[command(flatten)]
    limit: TimeLimit,
    /// Seed of the refits
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Model {
    /// c0 + c1 x
    Affine,
    /// c0 + c1 x + c2 x^2 + ...
    Polynomial,
    /// unloaded / (1 - x / capacity)
    Mm1,
    /// base, and one step more for each batch that is begun beyond the first
    Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum GameKind {
    Links,
    TwoPool,
    Caching,
}

/// One resource of the table.
struct Resource {
    name: String,
    observations: Vec<Observation>,
    fit: FittedLatency,
}

impl Arguments {
    /// Whether every number that was given can be meant.
    fn check(&self) -> Result<(), String> {
        let above = |name: &str, values: &[f64]| {
            let wrong = values.iter().find(|value| !(value.is_finite() && **value > 0.0));
            wrong.map_or(Ok(()), |value| Err(format!("--{name} {value}: it must be above zero")))
        };
        above("demand", self.demand.as_slice())?;
        above("weights", self.weights.as_deref().unwrap_or_default())?;
        above("stages", &self.stages)?;
        above("size", self.size.as_slice())?;
        let loads = self.loads.as_deref().unwrap_or_default();
        if let Some(load) = loads.iter().find(|load| !(load.is_finite() && **load >= 0.0)) {
            return Err(format!("--loads {load}: a load must be zero or above"));
        }
        if !(self.saturated.is_finite() && self.saturated >= 1.0) {
            return Err(format!("--saturated {}: it must be at least 1", self.saturated));
        }
        if !(self.price.is_finite() && self.price >= 0.0) {
            return Err(format!("--price {}: it must be zero or above", self.price));
        }
        Ok(())
    }

    fn family(&self) -> Family {
        match self.model {
            Model::Affine => Family::Polynomial(1),
            Model::Polynomial => Family::Polynomial(self.degree.into()),
            Model::Mm1 => Family::Mm1,
            Model::Step => Family::Step,
        }
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    match answer(arguments) {
        Ok((resources, played)) => {
            let written = if arguments.json {
                write_json(&json::answer(&resources, played.as_ref()), out)
            } else {
                tables::print(&resources, played.as_ref(), out)
            };
            (Ending::Good, written)
        }
        Err((ending, sentence)) => {
            complain(&sentence);
            (ending, Ok(()))
        }
    }
}

fn answer(arguments: &Arguments) -> Result<(Vec<Resource>, Option<Played>), (Ending, String)> {
    let unreadable = |sentence: String| (Ending::Unreadable, sentence);
    arguments.check().map_err(unreadable)?;
    let bad = |sentence: String| (Ending::BadData, sentence);
    let table =
        latencies_of_file(&arguments.table).map_err(|error| unreadable(error.to_string()))?;
    let fitted = table.into_iter().map(|(name, observations)| {
        let fit = fit_latency(&observations, arguments.family()).map_err(|error| {
            bad(format!("{}, resource {name}: {error}", name_of(&arguments.table)))
        })?;
        Ok(Resource { name, observations, fit })
    });
    let resources = fitted.collect::<Result<Vec<Resource>, _>>()?;
    let played = match arguments.game {
        GameKind::Links => play::links(arguments, &resources).map_err(bad)?,
        GameKind::TwoPool => Some(play::two_pools(arguments, &resources).map_err(unreadable)?),
        GameKind::Caching => Some(play::caching(arguments, &resources).map_err(unreadable)?),
    };
    Ok((resources, played))
}
