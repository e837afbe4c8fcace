//! Times one computation of the library, without files, parsing and the start of a process: what
//! `scripts/bench/analysis` puts beside other packages.
//!
//! The first line of standard input is the computation, a JSON object with its name in `task` and its input. Every
//! further line asks for one measurement: the answer is a line of JSON with `seconds` of processor time, per call and
//! over as many calls as take a fiftieth of a second together, `peak_bytes` of resident memory by then, and `answer`,
//! which is what others must get as well.

use std::io::BufRead;
use std::time::Duration;

use nashtrace_analysis::game::anarchy::{PairedBlocks, Pairing, resample_anarchy};
use nashtrace_analysis::game::shapley::shapley;
use nashtrace_analysis::game::{
    CorrelatedKind, Deadline, Game, Player, Search, equilibria, extreme_correlated, logit_path,
    pure_equilibria,
};
use nashtrace_analysis::pareto::design::{latin_hypercube, least_distance, spread_out};
use nashtrace_analysis::pareto::{contributions, front, hypervolume, ranks, sampled_hypervolume};
use nashtrace_analysis::stats::{
    self, Around, Deterministic, KpssLags, LagChoice, Model, adf, autocorrelations, block_length,
    change_points, kpss, mean_interval_bca_of,
};
use serde_json::{Value, json};

/// How long the calls of one measurement take together, at least.
const LEAST: Duration = Duration::from_millis(20);

fn main() {
    let mut lines = std::io::stdin().lock().lines().map(|line| line.expect("readable input"));
    let job = lines.next().expect("a computation on the first line");
    let job: Value = serde_json::from_str(&job).expect("a JSON object");
    let computation = computation(&job);
    for _ in lines {
        let (seconds, answer) = measured(&*computation);
        println!("{}", json!({"seconds": seconds, "peak_bytes": peak_bytes(), "answer": answer}));
    }
}

/// Seconds per call, and what the last call answered.
fn measured(computation: &dyn Fn() -> Value) -> (f64, Value) {
    let mut calls = 1_u32;
    loop {
        let begin = processor_time();
        let mut answer = Value::Null;
        for _ in 0..calls {
            answer = std::hint::black_box(computation());
        }
        let took = processor_time() - begin;
        if took >= LEAST {
            return (took.as_secs_f64() / f64::from(calls), answer);
        }
        calls *= 2;
    }
}

/// What all threads of this process have had of the processor: others on the machine do not count.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec that outlives the call.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "every Linux has a clock of processor time");
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Not `ru_maxrss`, which begins with what the parent had when it made this process.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the state of this process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kilobytes = peak.trim().trim_end_matches(" kB");
    1024 * kilobytes.parse::<u64>().expect("a number of kilobytes")
}

fn computation(job: &Value) -> Box<dyn Fn() -> Value> {
    let field = |name: &str| &job[name];
    let series = || numbers(field("values"));
    match field("task").as_str().expect("a task") {
        "pure" => with_game(job, |game| json!(pure_equilibria(game).len())),
        "equilibria" => with_game(job, |game| {
            let found = equilibria(game, Search { seed: 0, stop: &|| false, budget: None });
            let profiles: Vec<_> = found.equilibria.iter().map(|one| &one.profile).collect();
            json!({"profiles": profiles, "completeness": found.completeness.to_string()})
        }),
        "logit" => with_game(job, |game| json!(logit_path(game, 1e-8, &|| false).regret)),
        task @ ("correlated" | "coarse correlated") => {
            let kind = match task {
                "correlated" => CorrelatedKind::Correlated,
                _ => CorrelatedKind::Coarse,
            };
            with_game(job, move |game| {
                let welfare: Vec<f64> = (0..game.profiles()).map(|p| game.welfare(p)).collect();
                let found = extreme_correlated(game, kind, &welfare, true, Deadline::NEVER);
                json!(found.expect("a small program").value)
            })
        }
        "bootstrap" => bootstrap(job),
        "shapley" => with(series(), |values| json!(shapley(values))),
        "pelt" => {
            let model = match field("model").as_str() {
                Some("l1") => Model::L1,
                Some("normal") => Model::Normal,
                Some("rbf") => Model::Rbf,
                _ => Model::L2,
            };
            let penalty = field("penalty").as_f64();
            with(series(), move |series| {
                let search = stats::Search { model, penalty, min_size: 2 };
                let found = change_points(series, &search, || true).expect("a finite series");
                json!(found.segmentation.change_points)
            })
        }
        "adf" => {
            let choice = field("lags")
                .as_u64()
                .map_or(LagChoice::Aic, |lags| LagChoice::Fixed(lags as usize));
            with(series(), move |series| {
                let found = adf(series, Deterministic::Constant, choice, None);
                json!(found.expect("a series with a regression").statistic)
            })
        }
        "kpss" => with(series(), |series| {
            let found = kpss(series, Around::Level, KpssLags::Automatic);
            json!(found.expect("a series with noise").statistic)
        }),
        "acf" => with(series(), |series| {
            json!(autocorrelations(series, 40).expect("a series with noise")[1])
        }),
        "block length" => with(series(), |series| json!(block_length(series))),
        "bca" => {
            let resamples = field("resamples").as_u64().expect("a number") as usize;
            with(series(), move |values| {
                let found = mean_interval_bca_of(values, resamples).expect("enough values");
                json!([found.low, found.high])
            })
        }
        "hypervolume" => {
            let reference = numbers(field("reference"));
            with(rows(job), move |points| json!(hypervolume(points, &reference)))
        }
        "sampled hypervolume" => {
            let reference = numbers(field("reference"));
            let samples = field("samples").as_u64().expect("a number") as u32;
            with(rows(job), move |points| {
                json!(sampled_hypervolume(points, &reference, samples, 1).volume)
            })
        }
        "contributions" => {
            let reference = numbers(field("reference"));
            with(rows(job), move |points| {
                json!(contributions(points, &reference).iter().sum::<f64>())
            })
        }
        "front" => with(rows(job), |points| json!(front(points).len())),
        "spread" => {
            let [points, knobs] =
                ["points", "knobs"].map(|name| field(name).as_u64().expect("a number") as usize);
            Box::new(move || {
                let design = spread_out(latin_hypercube(points, knobs, 1), 1, &|| true);
                json!(least_distance(&design))
            })
        }
        "ranks" => with(rows(job), |points| json!(ranks(points).iter().max())),
        task => panic!("there is no task {task:?}"),
    }
}

fn with<T: 'static>(input: T, call: impl Fn(&T) -> Value + 'static) -> Box<dyn Fn() -> Value> {
    Box::new(move || call(&input))
}

/// How often each pure equilibrium of the mean of some runs is one of the mean of runs drawn anew.
fn bootstrap(job: &Value) -> Box<dyn Fn() -> Value> {
    let runs: Vec<Vec<f64>> =
        job["runs"].as_array().expect("a list of runs").iter().map(numbers).collect();
    let shape: Vec<usize> = numbers(&job["shape"]).iter().map(|count| *count as usize).collect();
    let mean = |index: usize| runs.iter().map(|run| run[index]).sum::<f64>() / runs.len() as f64;
    let means = (0..runs[0].len()).map(mean).collect();
    let game = Game::new(Player::numbered(&shape), means).expect("a game");
    let cost = |payoffs: &[f64]| 1e3 - payoffs.iter().sum::<f64>();
    let blocks = PairedBlocks {
        costs: runs.iter().map(|run| run.chunks(shape.len()).map(cost).collect()).collect(),
        payoffs: runs,
        pairing: Pairing::Named,
        left_out: 0,
    };
    with((game, blocks), |(game, blocks)| {
        let found = resample_anarchy(game, blocks, 1000, 1, Deadline::NEVER);
        json!(found.expect("an equilibrium").survival)
    })
}

/// A game of `shape` with `values` in the library's order: the last player's strategy changes fastest, and the
/// payoffs of a profile lie side by side.
fn with_game(job: &Value, call: impl Fn(&Game) -> Value + 'static) -> Box<dyn Fn() -> Value> {
    let shape: Vec<usize> = numbers(&job["shape"]).iter().map(|count| *count as usize).collect();
    let game = Game::new(Player::numbered(&shape), numbers(&job["values"])).expect("a game");
    with(game, call)
}

fn numbers(values: &Value) -> Vec<f64> {
    let values = values.as_array().expect("a list of numbers");
    values.iter().map(|value| value.as_f64().expect("a number")).collect()
}

fn rows(job: &Value) -> Vec<Vec<f64>> {
    job["points"].as_array().expect("a list of points").iter().map(numbers).collect()
}
