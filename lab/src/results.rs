//! What a run leaves behind.
//!
//! ```text
//! OUT/scenario.toml     the scenario that is played, with every default and with absolute paths
//! OUT/trace/*.nash      the trace, written by the library while the run goes on
//! OUT/simulator.json    the simulator's own report, or those of the links and what they come to together
//! OUT/tiers.json        what it counted in each tier of KV blocks (not unpatched)
//! OUT/scaling.jsonl     one line per change of the workers, as it did it (with a planner)
//! OUT/requests.jsonl    one line per request: the simulator's record and the request's key; over links also
//!                       who sent it (source) and its link
//! ```

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use dynamo_mocker::replay::{LifecycleOperation, PerRequestRecord};
use serde_json::{Value, json};

use crate::replay::{Carried, Played};
use crate::scenario::Scenario;
use crate::totals;

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// Prepare a folder for a run and put the scenario there. A folder that holds a run already is
    /// refused, or emptied of it with `replace`.
    ///
    /// # Errors
    ///
    /// If it holds a run, or the operating system refuses.
    pub fn prepare(root: &Path, scenario: &Scenario, replace: bool) -> anyhow::Result<Self> {
        let folder = Self { root: root.to_owned() };
        let text = scenario.to_toml()?;
        let leftovers = folder.leftovers()?;
        if !leftovers.is_empty() && !replace {
            bail!(
                "{} holds a run already: choose another folder, or replace it with --force",
                root.display()
            );
        }
        for path in leftovers {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        // It may hold files of somebody else.
        let _ = fs::remove_dir(folder.trace());
        fs::create_dir_all(root).with_context(|| format!("cannot create {}", root.display()))?;
        folder.write_file("scenario.toml", |out| out.write_all(text.as_bytes()))?;
        Ok(folder)
    }

    /// The files of an earlier run.
    fn leftovers(&self) -> anyhow::Result<Vec<PathBuf>> {
        let names =
            ["scenario.toml", "simulator.json", "tiers.json", "scaling.jsonl", "requests.jsonl"];
        let mut files: Vec<PathBuf> = names.map(|name| self.root.join(name)).into();
        files.retain(|path| path.exists());
        let trace = self.trace();
        if trace.is_dir() {
            let cannot_read = || format!("cannot read {}", trace.display());
            for entry in fs::read_dir(&trace).with_context(cannot_read)? {
                let path = entry.with_context(cannot_read)?.path();
                if path.extension().is_some_and(|extension| extension == "nash") {
                    files.push(path);
                }
            }
        }
        Ok(files)
    }

    /// The directory of the trace.
    #[must_use]
    pub fn trace(&self) -> PathBuf {
        self.root.join("trace")
    }

    /// Write what the simulator says.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; no half-written file is left behind.
    pub fn write(&self, played: &[Played]) -> anyhow::Result<()> {
        if let Some(tiers) = totals::tiers(played) {
            self.write_file("tiers.json", |out| {
                serde_json::to_writer_pretty(&mut *out, &tiers)?;
                out.write_all(b"\n")
            })?;
        }
        let scaling: Vec<&LifecycleOperation> = played
            .iter()
            .flat_map(|played| &played.report.runtime_evidence.lifecycle_operations)
            .collect();
        if !scaling.is_empty() {
            self.write_file("scaling.jsonl", |out| {
                for operation in &scaling {
                    serde_json::to_writer(&mut *out, operation)?;
                    out.write_all(b"\n")?;
                }
                Ok(())
            })?;
        }
        self.write_file("simulator.json", |out| {
            match played {
                [Played { report, carried: None, .. }] => {
                    serde_json::to_writer_pretty(&mut *out, report)?;
                }
                links => {
                    serde_json::to_writer_pretty(&mut *out, &totals::report_of_links(links)?)?;
                }
            }
            out.write_all(b"\n")
        })?;
        self.write_file("requests.jsonl", |out| {
            for Played { report, carried, .. } in played {
                for record in &report.per_request {
                    serde_json::to_writer(&mut *out, &line(record, carried.as_ref())?)?;
                    out.write_all(b"\n")?;
                }
            }
            Ok(())
        })
    }

    fn write_file(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<fs::File>) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let path = self.root.join(name);
        let beside = self.root.join(format!("{name}.partial"));
        let result = fs::File::create(&beside).map(BufWriter::new).and_then(|mut out| {
            write(&mut out)?;
            out.into_inner()?.sync_all()?;
            fs::rename(&beside, &path)
        });
        if result.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&beside);
        }
        result.with_context(|| format!("cannot write {}", path.display()))
    }
}

fn line(record: &PerRequestRecord, carried: Option<&Carried>) -> serde_json::Result<Value> {
    let mut line = serde_json::to_value(record)?;
    let key = nashtrace::record::request_key(record.uuid.as_bytes());
    line["request_key"] = json!(format!("{key:016x}"));
    if let Some(carried) = carried {
        let source = record.uuid.parse().ok().and_then(|id| carried.sources.get(&id));
        line["source"] = json!(source);
        line["link"] = json!(carried.link);
    }
    Ok(line)
}
