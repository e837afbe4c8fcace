//! Times one computation of the library, without files, parsing and the start of a process: what
//! `scripts/bench/analysis` puts beside other packages.
//!
//! The first line of standard input is the computation, a JSON object with its name in `task` and its input. Every
//! further line asks for one measurement: the answer is a line of JSON with `seconds` of processor time, per call and
//! over as many calls as take a fiftieth of a second together, and `answer`, which is what others must get as well.

use std::io::BufRead;
use std::time::Duration;

use nashtrace_analysis::game::shapley::shapley;
use nashtrace_analysis::game::{
    CorrelatedKind, Deadline, Game, Player, Search, equilibria, extreme_correlated, logit_path,
    pure_equilibria,
};
use nashtrace_analysis::pareto::{contributions, hypervolume, ranks};
use nashtrace_analysis::stats::{
    self, Around, Deterministic, KpssLags, LagChoice, Model, adf, autocorrelations, block_length,
    change_points, kpss, mean_interval_bca,
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
        println!("{}", json!({"seconds": seconds, "answer": answer}));
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

fn computation(job: &Value) -> Box<dyn Fn() -> Value> {
    let field = |name: &str| &job[name];
    let series = || numbers(field("values"));
    match field("task").as_str().expect("a task") {
        "pure" => with_game(job, |game| json!(pure_equilibria(game).len())),
        "equilibria" => with_game(job, |game| {
            let found = equilibria(game, Search { seed: 0, stop: &|| false, budget: None });
            json!({"count": found.equilibria.len(), "completeness": found.completeness.to_string()})
        }),
        "logit" => with_game(job, |game| json!(logit_path(game, 1e-8, &|| false).regret)),
        "correlated" => with_game(job, |game| {
            let welfare: Vec<f64> = (0..game.profiles()).map(|p| game.welfare(p)).collect();
            let found = extreme_correlated(
                game,
                CorrelatedKind::Correlated,
                &welfare,
                true,
                Deadline::NEVER,
            );
            json!(found.expect("a small program").value)
        }),
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
        "bca" => with(series(), |values| {
            let found = mean_interval_bca(values).expect("enough values");
            json!([found.low, found.high])
        }),
        "hypervolume" => {
            let reference = numbers(field("reference"));
            with(rows(job), move |points| json!(hypervolume(points, &reference)))
        }
        "contributions" => {
            let reference = numbers(field("reference"));
            with(rows(job), move |points| {
                json!(contributions(points, &reference).iter().sum::<f64>())
            })
        }
        "ranks" => with(rows(job), |points| json!(ranks(points).iter().max())),
        task => panic!("there is no task {task:?}"),
    }
}

fn with<T: 'static>(input: T, call: impl Fn(&T) -> Value + 'static) -> Box<dyn Fn() -> Value> {
    Box::new(move || call(&input))
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
