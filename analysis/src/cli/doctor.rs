//! `nashtrace doctor`: would a recording started with this environment work, and would it lose anything?

use std::ffi::c_void;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nashtrace::abi::{ABI_VERSION, Feature};
use nashtrace::config::{InForce, Preview, preview};
use nashtrace::record::{Candidate, Decision, Request};
use serde_json::{Value, json};

use super::{Answered, Ending, write_json};
use crate::report::{Table, count, heading, number, sentence};

/// Events of a request besides its decision: booked, prefill done, released.
const REQUEST_EVENTS: u64 = 3;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The library [default: NASHTRACE_LIB]
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
    /// Decisions per second of the busiest recording thread
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    decisions_per_second: u64,
    /// Candidates of a decision
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    candidates: u64,
    /// Longest time that the collector may be kept from running
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    stall_ms: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
struct Diagnosis {
    library: Result<Library, String>,
    directory: Result<PathBuf, String>,
    preview: Preview,
    ring: Ring,
}

/// A library that can be loaded.
struct Library {
    path: PathBuf,
    features: Vec<&'static str>,
}

/// A ring against what is to go through it.
struct Ring {
    bytes: u64,
    bytes_per_second: u64,
    needed: u64,
}

impl Ring {
    fn of(arguments: &Arguments, bytes: usize) -> Self {
        let decision = size_of::<Decision>() as u64
            + arguments.candidates * size_of::<Candidate>() as u64
            + REQUEST_EVENTS * size_of::<Request>() as u64;
        let bytes_per_second = arguments.decisions_per_second * decision;
        let stalled = (bytes_per_second as f64 * arguments.stall_ms as f64 / 1e3).ceil() as u64;
        // An event may take half a ring at most.
        let needed = stalled.max(2 * decision).next_power_of_two();
        Self { bytes: bytes as u64, bytes_per_second, needed }
    }

    fn lasts(&self) -> Duration {
        Duration::from_secs_f64(self.bytes as f64 / self.bytes_per_second as f64)
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let preview = preview(std::env::vars_os());
    let diagnosis = Diagnosis {
        library: library(arguments.library.as_deref()),
        directory: directory(&preview),
        ring: Ring::of(arguments, preview.ring_bytes),
        preview,
    };
    let problems = diagnosis.problems(arguments);
    let written = if arguments.json {
        write_json(&diagnosis.to_json(&problems), out)
    } else {
        diagnosis.print(arguments, &problems, out)
    };
    (if problems.is_empty() { Ending::Good } else { Ending::BadData }, written)
}

fn library(named: Option<&Path>) -> Result<Library, String> {
    let variable = || std::env::var_os("NASHTRACE_LIB").map(PathBuf::from);
    let path = named.map(Path::to_owned).or_else(variable).ok_or(
        "NASHTRACE_LIB is not set: set it to the absolute path of libnashtrace.so, or name one with \
         --library",
    )?;
    if !path.is_absolute() && named.is_none() {
        return Err(format!("NASHTRACE_LIB={} is not an absolute path", path.display()));
    }
    let error = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let absolute = path.canonicalize().map_err(|cause| error(&cause))?;
    // SAFETY: loading runs the library's initialisers; the user named it as one to be loaded into his
    // own serving process.
    let library = unsafe { libloading::Library::new(&absolute) }.map_err(|cause| error(&cause))?;
    type Entry = unsafe extern "C" fn(u32) -> *const c_void;
    // SAFETY: the symbol has this type in every version of the ABI.
    let entry = unsafe { library.get::<Entry>(b"nashtrace_get_api\0") }
        .map_err(|_| error(&"no symbol nashtrace_get_api: not a nashtrace library"))?;
    // SAFETY: as above.
    let table = unsafe { entry(ABI_VERSION) };
    if table.is_null() {
        return Err(error(&format!("the library does not speak version {ABI_VERSION} of the ABI")));
    }
    // SAFETY: every table begins with its size, its version and its features, 16 bytes.
    let features = unsafe { table.cast::<u64>().add(1).read() };
    let named = [
        (Feature::Decisions, "decisions"),
        (Feature::Requests, "requests"),
        (Feature::Settings, "settings"),
        (Feature::Metrics, "metrics"),
        (Feature::Switch, "switch"),
        (Feature::Dump, "dump"),
        (Feature::Blocks, "blocks"),
        (Feature::Transfers, "transfers"),
        (Feature::Planner, "planner"),
        (Feature::CudaTiming, "cuda_timing"),
    ];
    let present = named.into_iter().filter(|(feature, _)| features & *feature as u64 != 0);
    Ok(Library { path: absolute.clone(), features: present.map(|(_, name)| name).collect() })
}

/// Whether files can be made in the directory, or where it would be made.
fn directory(preview: &Preview) -> Result<PathBuf, String> {
    let Some(directory) = &preview.directory else {
        return Err(preview.error.clone().unwrap_or_default());
    };
    let existing = directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    match tempfile::tempfile_in(existing) {
        Ok(_) => Ok(directory.clone()),
        Err(error) => Err(format!("{}: {error}", existing.display())),
    }
}

impl Diagnosis {
    fn problems(&self, arguments: &Arguments) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(self.library.as_ref().err().cloned());
        problems.extend(self.directory.as_ref().err().cloned());
        problems.extend(self.preview.warnings.iter().cloned());
        if self.ring.bytes < self.ring.needed {
            problems.push(format!(
                "a stall of {} ms would lose events: set NASHTRACE_RING_BYTES={}",
                arguments.stall_ms, self.ring.needed
            ));
        }
        problems
    }

    fn to_json(&self, problems: &[String]) -> Value {
        let settings: Vec<Value> = self
            .preview
            .in_force
            .iter()
            .map(|InForce { variable, value, is_set }| {
                json!({"variable": variable, "value": value, "set": is_set})
            })
            .collect();
        json!({
            "ok": problems.is_empty(),
            "library": self.library.as_ref().ok().map(|library| json!({
                "file": library.path.to_string_lossy(),
                "abi_version": ABI_VERSION,
                "features": library.features,
            })),
            "directory": self.directory.as_ref().ok().map(|path| path.to_string_lossy()),
            "settings": settings,
            "ring": {
                "bytes": self.ring.bytes,
                "bytes_per_second": self.ring.bytes_per_second,
                "lasts_seconds": self.ring.lasts().as_secs_f64(),
                "needed_bytes": self.ring.needed,
            },
            "problems": problems,
        })
    }

    fn print(
        &self,
        arguments: &Arguments,
        problems: &[String],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match &self.library {
            Ok(library) => {
                let (path, features) = (library.path.display(), library.features.join(", "));
                writeln!(out, "{} {path}", heading("Library"))?;
                writeln!(out, "  can be loaded; ABI version {ABI_VERSION}, with {features}")?;
            }
            Err(_) => writeln!(out, "{} none", heading("Library"))?,
        }
        match &self.directory {
            Ok(path) => writeln!(out, "{} {}", heading("Directory"), path.display())?,
            Err(_) => writeln!(out, "{} none", heading("Directory"))?,
        }
        writeln!(out, "\n{}", heading("In force"))?;
        let mut table = Table::new(&["variable", "value", "from"]).left(2);
        for InForce { variable, value, is_set } in &self.preview.in_force {
            let value = if value.is_empty() { "-".into() } else { value.clone() };
            let from = if *is_set { "environment" } else { "default" };
            table.row(vec![variable.clone(), value, from.into()]);
        }
        writeln!(out, "{table}")?;
        writeln!(out, "{}", heading("Ring of each recording thread"))?;
        let Ring { bytes, bytes_per_second, needed } = &self.ring;
        let text = format!(
            "{} decisions of {} candidates per second, with their requests, are {} MB each second: {} bytes last \
             {} s. A stall of {} ms needs {} bytes.",
            count(arguments.decisions_per_second),
            count(arguments.candidates),
            number(*bytes_per_second as f64 / 1e6),
            count(*bytes),
            number(self.ring.lasts().as_secs_f64()),
            arguments.stall_ms,
            count(*needed),
        );
        writeln!(out, "{}", sentence(&text))?;
        let none = if problems.is_empty() { " none" } else { "" };
        writeln!(out, "\n{}{none}", heading("Problems"))?;
        for problem in problems {
            writeln!(out, "{}", sentence(problem))?;
        }
        Ok(())
    }
}
