//! Playing scenarios with the real lab, and reading the traces back.

// Each test program uses a part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nashtrace::record::{
    Block, BlockEvent, BlockPool, Candidate, Decision, Kind, Name, NameSpace, Phase,
    PlannerDecision, PlannerEffect, PlannerTick, Request, Setting, Tier, Transfer,
};
use nashtrace::trace::{Item, PacketFlags, Reader};
use zerocopy::FromBytes;

pub const SMALL: &str = r#"
name = "small"
seed = 11

[cluster]
mode = "aggregated"
workers = 4

[workload]
kind = "synthetic"
requests = 400
prefixes = 6
skew = 1.0
prefix_tokens = 1024
unique_tokens = 256
output_tokens = 32

[arrivals]
loop = "open"
rate = 30.0
"#;

pub struct Lab {
    pub folder: tempfile::TempDir,
}

impl Lab {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn scenario(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, scenario: &Path, out: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nashtrace-lab"));
        command.arg("run").arg(scenario).arg("--out").arg(self.path(out)).args(arguments);
        command.env_remove("NASHTRACE_LIB").env_remove("NASHTRACE_DIR");
        command
    }

    pub fn run(&self, scenario: &Path, out: &str, arguments: &[&str]) -> Output {
        self.command(scenario, out, arguments).output().unwrap()
    }

    /// Play and record a scenario.
    pub fn play(&self, text: &str, out: &str) -> Trace {
        let scenario = self.scenario(&format!("{out}.toml"), text);
        let output = self.run(&scenario, out, &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Trace::read(&self.path(out).join("trace"))
    }

    pub fn outcomes(&self, out: &str) -> String {
        std::fs::read_to_string(self.path(out).join("requests.jsonl")).unwrap()
    }

    /// The simulator's own report without what depends on the time that it took.
    pub fn report(&self, out: &str) -> serde_json::Value {
        let text = std::fs::read_to_string(self.path(out).join("simulator.json")).unwrap();
        let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
        for key in ["wall_time_ms", "processed_tokens_per_s", "processed_output_tokens_per_s"] {
            report.as_object_mut().unwrap().remove(key).unwrap();
        }
        report
    }

    /// What the simulator counted: a number of a tier in `tiers.json`.
    pub fn counted(&self, out: &str, tier: &str, what: &str) -> u64 {
        let text = std::fs::read_to_string(self.path(out).join("tiers.json")).unwrap();
        let tiers: serde_json::Value = serde_json::from_str(&text).unwrap();
        tiers[tier][what].as_u64().unwrap_or_else(|| panic!("{tier}.{what} in {text}"))
    }

    /// Routing decisions by pool as the simulator counted them.
    pub fn routed(&self, out: &str) -> BTreeMap<String, usize> {
        let mut routed = BTreeMap::new();
        for line in self.outcomes(out).lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            for route in record["routing_history"].as_array().unwrap() {
                *routed.entry(route["pool"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        routed
    }
}

/// What a trace holds, in recorded order.
#[derive(Default)]
pub struct Trace {
    /// The bytes of every decision with its candidates.
    pub decision_bytes: Vec<Vec<u8>>,
    pub decisions: Vec<(Decision, Vec<Candidate>)>,
    pub requests: Vec<Request>,
    pub settings: Vec<Setting>,
    /// The bytes of every event of a block, of every copy and of every planner's record.
    pub block_bytes: Vec<Vec<u8>>,
    pub blocks: Vec<Block>,
    pub pools: Vec<BlockPool>,
    pub transfers: Vec<Transfer>,
    pub planner_bytes: Vec<Vec<u8>>,
    pub ticks: Vec<PlannerTick>,
    pub planned: Vec<PlannerDecision>,
    pub effects: Vec<PlannerEffect>,
    pub names: BTreeMap<(u8, u32), String>,
    pub damage: usize,
    pub complete: bool,
    /// Records of a thread that are earlier than the one before; copies, which are recorded at their end
    /// with the time of their beginning, do not count.
    pub reversals: usize,
}

impl Trace {
    pub fn read(directory: &Path) -> Self {
        let mut files = std::fs::read_dir(directory).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none(), "one process, one file");
        let mut reader = Reader::open(&file).unwrap();
        let mut trace = Self::default();
        let mut latest: BTreeMap<(u32, u8), u64> = BTreeMap::new();
        while let Some(item) = reader.next_item().unwrap() {
            let Item::Packet(packet) = item else {
                trace.damage += 1;
                continue;
            };
            trace.complete = packet.header.has(PacketFlags::FINAL);
            for record in packet.records() {
                if packet.header.producer != 0 && record.head.kind != Kind::Transfer as u8 {
                    let clock = (packet.header.producer, record.head.clock);
                    let latest = latest.entry(clock).or_default();
                    trace.reversals += usize::from(record.head.time < *latest);
                    *latest = record.head.time;
                }
                if let Some(decision) = record.to::<Decision>() {
                    let rows = record.rows().map(|row| Candidate::read_from_bytes(row).unwrap());
                    trace.decisions.push((decision, rows.collect()));
                    trace.decision_bytes.push([record.fixed, record.rows].concat());
                } else if let Some(request) = record.to::<Request>() {
                    trace.requests.push(request);
                } else if let Some(setting) = record.to::<Setting>() {
                    trace.settings.push(setting);
                } else if let Some(block) = record.to::<Block>() {
                    trace.blocks.push(block);
                    trace.block_bytes.push(record.fixed.to_vec());
                } else if let Some(transfer) = record.to::<Transfer>() {
                    trace.transfers.push(transfer);
                    trace.block_bytes.push(record.fixed.to_vec());
                } else if let Some(pool) = record.to::<BlockPool>() {
                    trace.pools.push(pool);
                } else if let Some(tick) = record.to::<PlannerTick>() {
                    trace.ticks.push(tick);
                    trace.planner_bytes.push(record.fixed.to_vec());
                } else if let Some(planned) = record.to::<PlannerDecision>() {
                    trace.planned.push(planned);
                    trace.planner_bytes.push(record.fixed.to_vec());
                } else if let Some(effect) = record.to::<PlannerEffect>() {
                    trace.effects.push(effect);
                    trace.planner_bytes.push(record.fixed.to_vec());
                } else if let Some(name) = record.to::<Name>() {
                    let text = String::from_utf8(record.rows[..name.length as usize].to_vec());
                    trace.names.insert((name.space, name.id), text.unwrap());
                }
            }
        }
        trace
    }

    pub fn tracked_by_pool(&self) -> BTreeMap<&str, usize> {
        let mut pools = BTreeMap::new();
        for (decision, _) in self.decisions.iter().filter(|(decision, _)| decision.is_tracked()) {
            *pools.entry(self.name(NameSpace::Pool, decision.pool)).or_default() += 1;
        }
        pools
    }

    pub fn name(&self, space: NameSpace, id: u32) -> &str {
        &self.names[&(space as u8, id)]
    }

    /// Blocks that events of a tier stand for.
    pub fn blocks_of(&self, tier: Tier, event: BlockEvent) -> u64 {
        let is_it = |b: &&Block| b.tier == tier as u8 && b.event == event as u8;
        self.blocks.iter().filter(is_it).map(|block| u64::from(block.count)).sum()
    }

    pub fn phases(&self, phase: Phase) -> usize {
        self.requests.iter().filter(|request| request.phase == phase as u8).count()
    }
}

pub fn with(text: &str, replacements: &[(&str, &str)]) -> String {
    replacements.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}
