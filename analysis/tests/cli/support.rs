//! Recording small sessions through the real capture path, and running the real binary.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use nashtrace::abi::{ABI_VERSION, Api, SessionOptions, Status, nashtrace_get_api};
use nashtrace::record::{
    Block, BlockEvent, BlockPool, Candidate, CandidateFlag, Clock, Decision, DecisionFlag, Head,
    Mode, NameSpace, Phase, PlannerDecision, PlannerEffect, PlannerTick, Record, Request, Tier,
    Transfer, request_key,
};
use nashtrace::state::CostFormula;
use nashtrace::trace::{Item, Reader};
use rand::{Rng, SeedableRng};
use serde_json::Value;
use zerocopy::FromZeros;

/// `nashtrace` with arguments, not yet run.
pub(crate) fn command_of(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nashtrace"));
    command.args(arguments);
    command
}

/// Run `nashtrace` with arguments.
pub(crate) fn nashtrace(arguments: &[&str]) -> Output {
    command_of(arguments).output().unwrap()
}

/// Run `nashtrace` with an input on so many threads.
pub(crate) fn run_with(arguments: &[&str], input: &str, threads: &str) -> Output {
    let mut child = command_of(arguments)
        .env("RAYON_NUM_THREADS", threads)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A random game of Gambit's format.
pub(crate) fn random_game(shape: &[usize], seed: u64) -> String {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let players: String = shape.iter().enumerate().map(|(p, _)| format!("\"{p}\" ")).collect();
    let counts: String = shape.iter().map(|count| format!("{count} ")).collect();
    let entries = shape.len() * shape.iter().product::<usize>();
    let payoffs: String =
        (0..entries).map(|_| format!("{} ", random.random_range(0..1_000_000))).collect();
    format!("NFG 1 R \"\" {{ {players}}} {{ {counts}}}\n\n{payoffs}\n")
}

/// What a command answers with `--json` among its arguments, and its exit code.
pub(crate) fn json(arguments: &[&str]) -> (Value, Option<i32>) {
    let output = nashtrace(arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (value, output.status.code())
}

/// A file with a text in it.
pub(crate) fn file_of(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// What a command answers with `--json` to a file with this text; it must end well.
pub(crate) fn answer_to_file(command: &str, text: &str, more: &[&str]) -> Value {
    let file = file_of(text);
    let mut arguments = vec![command, file.path().to_str().unwrap(), "--json"];
    arguments.extend(more);
    let (answer, code) = json(&arguments);
    assert_eq!(code, Some(0));
    answer
}

/// The one sentence with which a command refuses a file with this text, behind the file's path.
pub(crate) fn complaint_about(
    command: &str,
    text: &str,
    more: &[&str],
    code: i32,
) -> (String, String) {
    let file = file_of(text);
    let path = file.path().to_str().unwrap();
    let output = nashtrace(&[&[command, path][..], more].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{said}");
    (path.to_owned(), said)
}

/// The keys of a JSON object, in order.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Four decisions between two workers. The costs are the formula's: 10 tokens of one-token blocks,
/// less the cached ones, plus the active ones.
pub(crate) fn example() -> Recorded {
    record(|session| {
        // (cached, active) of each worker; the chosen row; costs are 10 - cached + active.
        session.decision(1, &[(0, 0), (4, 1)], 1, 0.0); // costs 10, 7: cache hit
        session.decision(2, &[(0, 0), (4, 9)], 0, 0.0); // costs 10, 15: load balance, 4 blocks given up
        session.decision(3, &[(0, 0), (0, 0)], 1, 0.0); // a tie
        session.decision(4, &[(0, 0), (6, 5)], 0, 0.5); // costs 10, 9: drawn, 1 and 6 given up
        session.preview(5, &[(0, 0), (0, 9)], 0);
        session.request(1);
    })
}

/// The folder of a run with one trace.
pub(crate) struct Recorded {
    folder: tempfile::TempDir,
    trace: String,
}

impl Recorded {
    /// The directory of the trace.
    pub(crate) fn path(&self) -> &str {
        &self.trace
    }

    /// The folder of the run.
    pub(crate) fn run_folder(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// A file of the run's folder.
    pub(crate) fn run_file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The trace file.
    pub(crate) fn file(&self) -> PathBuf {
        std::fs::read_dir(&self.trace).unwrap().next().unwrap().unwrap().path()
    }

    /// Write `requests.jsonl` with times to first token, as the lab does.
    pub(crate) fn write_outcomes(&self, ttft_ms: &[(u64, f64)]) {
        let lines: String = ttft_ms
            .iter()
            .map(|(id, ttft)| {
                let key = key(*id);
                format!(
                    "{{\"request_key\":\"{key:016x}\",\"ttft_ms\":{ttft},\"e2e_latency_ms\":null,\
                     \"input_length\":10,\"reused_input_tokens\":0}}\n"
                )
            })
            .collect();
        std::fs::write(self.run_file("requests.jsonl"), lines).unwrap();
    }

    /// Cut the packet that completes the file, as if the process had been killed before.
    pub(crate) fn cut_last_packet(&self) {
        let file = self.file();
        let mut reader = Reader::open(&file).unwrap();
        let mut last = 0;
        while let Some(Item::Packet(packet)) = reader.next_item().unwrap() {
            last = packet.offset;
        }
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..last as usize]).unwrap();
    }
}

pub(crate) fn key(id: u64) -> u64 {
    request_key(format!("id-{id}").as_bytes())
}

/// Record a session in this process.
pub(crate) fn record(events: impl FnOnce(&mut Session)) -> Recorded {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace").to_str().unwrap().to_owned();
    let mut session = Session::start(Path::new(&trace));
    events(&mut session);
    assert_eq!((session.api.session_stop)(20_000), Status::Ok);
    Recorded { folder, trace }
}

/// A running session that plays a router with one-token blocks.
pub(crate) struct Session {
    api: &'static Api,
    pool: u32,
    seconds: u64,
}

impl Session {
    fn start(directory: &Path) -> Self {
        // SAFETY: the table is static.
        let api = unsafe { nashtrace_get_api(ABI_VERSION).as_ref() }.unwrap();
        let text = directory.to_str().unwrap();
        let options = SessionOptions {
            struct_size: size_of::<SessionOptions>() as u32,
            max_producers: 0,
            directory: text.as_ptr().cast(),
            directory_length: text.len(),
            ring_bytes: 0,
            flush_ms: 0,
            poll_ms: 1,
        };
        // SAFETY: the options are whole.
        assert_eq!(unsafe { (api.session_start)(&raw const options) }, Status::Ok);
        let mut session = Self { api, pool: 0, seconds: 0 };
        session.in_pool("pool");
        session
    }

    /// The decisions that follow are taken in this pool.
    pub(crate) fn in_pool(&mut self, name: &str) -> &mut Self {
        self.pool = self.name(NameSpace::Pool, name);
        self
    }

    /// The id of a name.
    pub(crate) fn name(&self, space: NameSpace, name: &str) -> u32 {
        let mut id = 0;
        let (text, length) = (name.as_ptr().cast(), name.len());
        // SAFETY: the text is valid for its length, the id is writable.
        let status = unsafe { (self.api.name)(space as u8, text, length, &raw mut id) };
        assert_eq!(status, Status::Ok);
        id
    }

    /// Declare a worker's pool of two 16-token blocks of one tier.
    pub(crate) fn block_pool(&self, name: &str, tier: Tier, worker: u64) -> u32 {
        let mut pool: BlockPool = self.empty();
        (pool.tier, pool.worker, pool.name) =
            (tier as u8, worker, self.name(NameSpace::BlockPool, name));
        (pool.capacity_blocks, pool.block_size, pool.bytes_per_block) = (2, 16, 1024);
        let mut id = 0;
        // SAFETY: both are whole.
        assert_eq!(unsafe { (self.api.block_pool)(&raw const pool, &raw mut id) }, Status::Ok);
        id
    }

    /// Something happens to blocks, on behalf of a request.
    pub(crate) fn block(
        &mut self,
        (pool, tier): (u32, Tier),
        event: BlockEvent,
        hash: u64,
        id: u64,
    ) {
        let mut block: Block = self.empty();
        block.head.time = self.tick();
        (block.hash, block.pool, block.request, block.count) = (hash, pool, key(id), 1);
        (block.event, block.tier) = (event as u8, tier as u8);
        // SAFETY: the struct is whole.
        assert_eq!(unsafe { (self.api.block)(&raw const block) }, Status::Ok);
    }

    /// Something happens to a block at a moment of the process's own clock.
    pub(crate) fn block_at(
        &self,
        ticks: u64,
        (pool, tier): (u32, Tier),
        event: BlockEvent,
        hash: u64,
    ) {
        let mut block: Block = self.empty();
        (block.head.clock, block.head.time) = (Clock::Ticks as u8, ticks);
        (block.hash, block.pool, block.count) = (hash, pool, 1);
        (block.event, block.tier) = (event as u8, tier as u8);
        // SAFETY: the struct is whole.
        assert_eq!(unsafe { (self.api.block)(&raw const block) }, Status::Ok);
    }

    /// The process's own clock.
    pub(crate) fn ticks(&self) -> u64 {
        (self.api.ticks)()
    }

    /// A copy that begins now.
    pub(crate) fn transfer(&mut self, fill: impl FnOnce(&mut Transfer)) {
        let mut transfer: Transfer = self.empty();
        transfer.head.time = self.tick();
        fill(&mut transfer);
        // SAFETY: the struct is whole.
        assert_eq!(unsafe { (self.api.transfer)(&raw const transfer) }, Status::Ok);
    }

    /// A planner's tick with one component's decision.
    pub(crate) fn planner_tick(
        &mut self,
        fill: impl FnOnce(&mut PlannerTick, &mut PlannerDecision),
    ) {
        let (mut tick, mut decision): (PlannerTick, PlannerDecision) = (self.empty(), self.empty());
        tick.head.time = self.tick();
        decision.head.time = tick.head.time;
        decision.worker_type = self.name(NameSpace::WorkerType, "decode");
        fill(&mut tick, &mut decision);
        decision.tick = tick.tick;
        // SAFETY: both are whole.
        unsafe {
            assert_eq!((self.api.planner_tick)(&raw const tick), Status::Ok);
            assert_eq!((self.api.planner_decision)(&raw const decision), Status::Ok);
        }
    }

    /// Something became of a decision for that component.
    pub(crate) fn planner_effect(&mut self, fill: impl FnOnce(&mut PlannerEffect)) {
        let mut effect: PlannerEffect = self.empty();
        effect.head.time = self.seconds * 1_000_000_000;
        effect.worker_type = self.name(NameSpace::WorkerType, "decode");
        fill(&mut effect);
        // SAFETY: the struct is whole.
        assert_eq!(unsafe { (self.api.planner_effect)(&raw const effect) }, Status::Ok);
    }

    /// A record of zeros on the caller's clock.
    fn empty<T: Record>(&self) -> T {
        let mut record = T::new_zeroed();
        let struct_size = size_of::<T>() as u32;
        *record.head_mut() = Head { struct_size, clock: Clock::Caller as u8, ..Head::new_zeroed() };
        record
    }

    /// The next event happens at this second; otherwise each is one second after the last.
    pub(crate) fn at(&mut self, seconds: u64) -> &mut Self {
        self.seconds = seconds;
        self
    }

    /// A tracked decision between workers given as (cached blocks, active blocks).
    pub(crate) fn decision(
        &mut self,
        id: u64,
        workers: &[(u32, u32)],
        chosen: u32,
        temperature: f64,
    ) {
        self.decide(id, workers, chosen, temperature, Mode::Tracked, 0.0);
    }

    /// An advisory decision.
    pub(crate) fn preview(&mut self, id: u64, workers: &[(u32, u32)], chosen: u32) {
        self.decide(id, workers, chosen, 0.0, Mode::Advisory, 0.0);
    }

    /// A tracked decision whose first candidate is recorded with a cost that is wrong by this much.
    pub(crate) fn decision_with_cost_error(
        &mut self,
        id: u64,
        workers: &[(u32, u32)],
        chosen: u32,
        error: f64,
    ) {
        self.decide(id, workers, chosen, 0.0, Mode::Tracked, error);
    }

    fn decide(
        &mut self,
        id: u64,
        workers: &[(u32, u32)],
        chosen: u32,
        temperature: f64,
        mode: Mode,
        cost_error: f64,
    ) {
        let mut decision = Decision::new_zeroed();
        decision.head.struct_size = size_of::<Decision>() as u32;
        decision.head.clock = Clock::Caller as u8;
        decision.head.time = self.tick();
        decision.request = key(id);
        decision.pool = self.pool;
        decision.mode = mode as u8;
        decision.flags = DecisionFlag::DefaultPolicy as u16
            | DecisionFlag::TracksPrefill as u16
            | DecisionFlag::TierMatches as u16;
        decision.overlap_score_credit = 1.0;
        decision.prefill_load_scale = 1.0;
        decision.temperature = temperature;
        decision.isl_tokens = 10;
        decision.block_size = 1;
        decision.chosen = chosen;
        let mut candidates: Vec<Candidate> = (0..)
            .zip(workers)
            .map(|(worker, &(cached, active))| {
                let mut candidate = Candidate::new_zeroed();
                candidate.worker = worker;
                candidate.device_blocks = cached;
                candidate.effective_overlap_blocks = cached.into();
                candidate.active_decode_blocks = active;
                candidate.preferred_taint_multiplier = 1.0;
                candidate.flags = CandidateFlag::LoadKnown as u32;
                candidate
            })
            .collect();
        let formula = CostFormula::new(&decision, &candidates).unwrap();
        let costs: Vec<f64> = candidates.iter().map(|candidate| formula.cost(candidate)).collect();
        for (candidate, cost) in candidates.iter_mut().zip(costs) {
            candidate.cost = cost;
        }
        candidates[0].cost += cost_error;
        let (count, stride) = (candidates.len() as u32, size_of::<Candidate>() as u32);
        // SAFETY: both are whole.
        let status =
            unsafe { (self.api.decision)(&raw const decision, candidates.as_ptr(), count, stride) };
        assert_eq!(status, Status::Ok);
    }

    /// A request is booked.
    pub(crate) fn request(&mut self, id: u64) {
        let mut request = Request::new_zeroed();
        request.head.struct_size = size_of::<Request>() as u32;
        request.head.clock = Clock::Caller as u8;
        request.head.time = self.tick();
        request.request = key(id);
        request.phase = Phase::Booked as u8;
        // SAFETY: the struct is whole.
        assert_eq!(unsafe { (self.api.request)(&raw const request) }, Status::Ok);
    }

    fn tick(&mut self) -> u64 {
        let time = self.seconds * 1_000_000_000;
        self.seconds += 1;
        time
    }
}
