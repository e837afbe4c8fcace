//! `nashtrace solve`: the equilibria of a game, and what follows from them.
//!
//! One file per section of the answer. A section gives its part of the JSON and prints its tables; it is
//! entered in [`SECTIONS`].

mod anarchy;
mod correlated;
mod dominance;
mod equilibria;
mod logit;
mod potential;
mod profiles;
mod pure;
mod shapley;
mod stackelberg;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use correlated::Correlated;

use super::{Answered, Ending, complain, write_json};
use crate::game::{Deadline, Equilibria, Game, LogitPath, MixedProfile, Search, logit_path};
use crate::load::{game_of_file, name_of};
use crate::report::heading;

const EXAMPLES: &str = "\
GAME is JSON with payoffs or replicates, a Gambit .nfg file, or CSV with a column of strategies and a column
payoff_NAME per player; `-` reads standard input.

Examples:
  nashtrace solve game.json
  nashtrace solve game.nfg --json | jq .completeness
  nashtrace solve game.csv --profile 'cache-greedy,4+4,moderate' --profile '0.5,0.5,0;1,0,0;0,0,1'
  nashtrace solve large.json --time-limit 10 --logit-path branch.csv
  nashtrace solve game.json --baseline router=random,planner=static,kv=lru --leader planner";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The game
    #[arg(value_name = "GAME")]
    game: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Answer after so many seconds with what there is by then; equilibria are looked for in four fifths of
    /// them
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    time_limit: f64,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Say who would gain by leaving a profile: `strategy,strategy,...` or `p,p;p,p;...` with the
    /// probabilities of each player's strategies
    #[arg(long, value_name = "PROFILE")]
    profile: Vec<String>,
    /// Write the branch of logit equilibria that leads to an equilibrium to this file, as CSV
    #[arg(long, value_name = "FILE")]
    logit_path: Option<PathBuf>,
    /// What a player does outside a coalition; with one for every player there are Shapley values
    #[arg(long, value_name = "PLAYER=STRATEGY", value_delimiter = ',')]
    baseline: Vec<String>,
    /// Only this player commits first [default: each in turn]
    #[arg(long, value_name = "PLAYER")]
    leader: Option<String>,
    /// How often followers see the leader's strategy wrongly
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.01)]
    noise: f64,
    /// Resamples of the blocks
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    resamples: u32,
}

/// The largest regret, relative to a player's range of payoffs, at which the logit branch ends.
const LOGIT_TOLERANCE: f64 = 1e-8;

/// A game and what was found out about it, for the sections to show.
struct Solved {
    game: Game,
    equilibria: Equilibria,
    logit: LogitPath,
    correlated: Correlated,
    profiles: Vec<(String, MixedProfile)>,
    /// When the answer has to be there.
    deadline: Deadline,
    /// Who commits first; everyone in turn if not given.
    leader: Option<usize>,
    noise: f64,
    resamples: usize,
    seed: u64,
}

/// One part of the answer.
struct Section {
    /// Its heading.
    title: &'static str,
    /// Add its keys to the JSON.
    json: fn(&Solved, &mut Map<String, Value>),
    /// Print it under the heading.
    print: fn(&Solved, &mut dyn Write) -> io::Result<()>,
    /// Whether there is anything to print.
    is_shown: fn(&Solved) -> bool,
}

/// The answer, in order.
const SECTIONS: [Section; 10] = [
    equilibria::SECTION,
    pure::SECTION,
    anarchy::SECTION,
    dominance::SECTION,
    logit::SECTION,
    correlated::SECTION,
    potential::SECTION,
    stackelberg::SECTION,
    shapley::SECTION,
    profiles::SECTION,
];

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let solved = match solve(arguments) {
        Ok(solved) => solved,
        Err(sentence) => {
            complain(&sentence);
            return (Ending::Unreadable, Ok(()));
        }
    };
    let written = if arguments.json {
        let mut answer = Map::new();
        SECTIONS.iter().for_each(|section| (section.json)(&solved, &mut answer));
        write_json(&Value::Object(answer), out)
    } else {
        print(&solved, out)
    };
    (Ending::Good, written)
}

fn solve(arguments: &Arguments) -> Result<Solved, String> {
    let game = game_of_file(&arguments.game).map_err(|error| error.to_string())?;
    if let Some(sentence) = beyond_size(&game) {
        return Err(format!("{}: {sentence}", name_of(&arguments.game)));
    }
    let game = shapley::with_baselines(game, &arguments.baseline)?;
    if !(0.0..=1.0).contains(&arguments.noise) {
        return Err(format!("--noise {}: a probability is from 0 to 1", arguments.noise));
    }
    let leader = arguments.leader.as_ref().map(|name| {
        let known = (0..game.players()).find(|player| game.player(*player).name == *name);
        known.ok_or_else(|| format!("--leader {name}: there is no such player"))
    });
    let leader = leader.transpose()?;
    let of_text = |text: &String| Ok((text.clone(), profiles::parse(&game, text)?));
    let profiles = arguments.profile.iter().map(of_text).collect::<Result<_, String>>()?;
    let after = |share: f64| Deadline::after(Duration::from_secs_f64(share * arguments.time_limit));
    let (soon, later, deadline) = (after(0.5), after(0.8), after(1.0));
    let search = Search { seed: arguments.seed, stop: &|| later.has_passed(), budget: None };
    // One equilibrium comes first: it takes little time at any size.
    let logit = logit_path(&game, LOGIT_TOLERANCE, search.stop);
    if let Some(file) = &arguments.logit_path {
        logit::export(&game, &logit, file)?;
    }
    // A few linear programs, which the search may not leave the time for.
    let correlated = Correlated::of(&game, soon);
    let equilibria = crate::game::equilibria(&game, search);
    Ok(Solved {
        game,
        equilibria,
        logit,
        correlated,
        profiles,
        deadline,
        leader,
        noise: arguments.noise,
        resamples: arguments.resamples as usize,
        seed: arguments.seed,
    })
}

/// Payoffs and costs beyond this are refused: sums of their squares would have no number.
const LARGEST: f64 = 1e150;

/// What is too large, in words.
fn beyond_size(game: &Game) -> Option<String> {
    let is_beyond = |value: &f64| value.abs() > LARGEST;
    let of_profile = |profile: usize| {
        let cost = game.costs().map(|costs| costs[profile]);
        if !game.payoffs_of(profile).iter().chain(&cost).any(is_beyond) {
            return None;
        }
        let name = game.profile_names(profile).join(", ");
        Some(format!(
            "profile ({name}) has a payoff or cost beyond {LARGEST:e}; give them in a larger unit"
        ))
    };
    (0..game.profiles()).find_map(of_profile)
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let shown = SECTIONS.iter().filter(|section| (section.is_shown)(solved));
    for (index, section) in shown.enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", heading(section.title))?;
        (section.print)(solved, out)?;
    }
    Ok(())
}

/// A number of seconds that a clock can count.
fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    let is_good = (0.0..=1e9).contains(&value);
    if is_good { Ok(value) } else { Err("not between 0 and 1000000000".to_owned()) }
}
