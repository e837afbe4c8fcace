//! LTTng-ust: a real session with its daemons, and tracepoints in C.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nashtrace::record::{Candidate, Clock, Decision};

use crate::library::symbol;
use crate::measure::{Account, Subject, timed};
use crate::sample::{self, CANDIDATES, Sample};

const SESSION: &str = "nashtrace-bench";

/// How long the daemons and the process may take to find each other.
const TIMEOUT: Duration = Duration::from_secs(10);

type Record = unsafe extern "C" fn(*const Decision, *const Candidate, u32);
type IsEnabled = unsafe extern "C" fn(i32) -> i32;

/// The session daemon, ended with the last subject that uses it.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // SAFETY: the process is our child and not waited for yet, so the number is still its own.
        unsafe { libc::kill(self.0.id() as i32, libc::SIGTERM) };
        // A daemon that is gone already has nothing left to wait for.
        let _ = self.0.wait();
    }
}

/// One tracepoint.
pub struct Lttng {
    name: &'static str,
    event: &'static str,
    record: Record,
    is_enabled: IsEnabled,
    folder: PathBuf,
    samples: Vec<Sample>,
    made: u64,
    _daemon: Rc<Daemon>,
}

impl Lttng {
    /// Starts the session daemon and loads the provider. One subject records the candidates column by
    /// column, as LTTng's types want it, the other as bytes, which is the least work for LTTng.
    pub fn both(names: [&'static str; 2], provider: &Path, scratch: &Path) -> Result<[Self; 2]> {
        let daemon = Rc::new(start_daemon(scratch)?);
        let provider = CString::new(provider.as_os_str().as_bytes())?;
        let load = |name, event, function: &str| -> Result<Self> {
            let record = symbol(&provider, &CString::new(function)?)?;
            let is_enabled = symbol(&provider, c"bench_is_enabled")?;
            Ok(Self {
                name,
                event,
                // SAFETY: `provider.c` defines the function with this signature.
                record: unsafe { std::mem::transmute::<*mut libc::c_void, Record>(record) },
                // SAFETY: as above.
                is_enabled: unsafe {
                    std::mem::transmute::<*mut libc::c_void, IsEnabled>(is_enabled)
                },
                folder: scratch.join("lttng"),
                samples: sample::samples(16, CANDIDATES, Clock::Ticks),
                made: 0,
                _daemon: Rc::clone(&daemon),
            })
        };
        Ok([
            load(names[0], "nashtrace_bench:columns", "bench_columns")?,
            load(names[1], "nashtrace_bench:bytes", "bench_bytes")?,
        ])
    }

    fn wait_until_enabled(&self) -> Result<()> {
        let began = Instant::now();
        let is_columns = i32::from(self.event.ends_with("columns"));
        // SAFETY: the function takes a number and touches nothing.
        while unsafe { (self.is_enabled)(is_columns) } == 0 {
            ensure!(began.elapsed() < TIMEOUT, "the daemon did not enable {}", self.event);
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

fn start_daemon(scratch: &Path) -> Result<Daemon> {
    let child = Command::new("lttng-sessiond")
        .args(["--no-kernel", "--quiet"])
        .env("LTTNG_HOME", scratch)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("lttng-sessiond cannot be started")?;
    let daemon = Daemon(child);
    let began = Instant::now();
    loop {
        match lttng(scratch, &["list"]) {
            Ok(_) => return Ok(daemon),
            Err(error) if began.elapsed() > TIMEOUT => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Run the `lttng` command; what it printed.
fn lttng(home: &Path, arguments: &[&str]) -> Result<String> {
    run(Command::new("lttng").args(arguments).env("LTTNG_HOME", home))
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} fails: {}", said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Events in a trace, as another program counts them.
fn count_events(folder: &Path) -> Result<u64> {
    let printed = run(Command::new("babeltrace2").arg(folder).args(["-c", "sink.utils.counter"]))?;
    // The count is printed again and again as it grows.
    let line = printed.lines().rfind(|line| line.contains("Event message"));
    let number = line.and_then(|line| line.split_whitespace().next());
    // No such line: the trace is empty.
    Ok(number.map(|number| number.replace(',', "").parse()).transpose()?.unwrap_or(0))
}

impl Subject for Lttng {
    fn name(&self) -> &str {
        self.name
    }

    fn calls(&self) -> usize {
        256
    }

    fn batches(&self) -> usize {
        40
    }

    fn begin(&mut self) -> Result<()> {
        let home = self.folder.parent().context("the folder has a parent")?;
        let output = format!("--output={}", self.folder.display());
        lttng(home, &["create", SESSION, &output])?;
        // Room for a whole repeat: an event that is dropped for want of it costs less than one that is kept.
        let channel =
            ["enable-channel", "--userspace", "events", "--subbuf-size=4M", "--num-subbuf=4"];
        lttng(home, &channel)?;
        lttng(home, &["enable-event", "--userspace", "--channel=events", self.event])?;
        lttng(home, &["start"])?;
        self.wait_until_enabled()?;
        self.made = 0;
        Ok(())
    }

    fn batch(&mut self) -> f64 {
        let first_key = self.made + 1;
        let ns = timed(256, |call| {
            let sample = &mut self.samples[call & 15];
            sample.decision.request = first_key + call as u64;
            let count = sample.candidates.len() as u32;
            // SAFETY: the decision and its candidates live until the call returns.
            unsafe { (self.record)(&raw const sample.decision, sample.candidates.as_ptr(), count) };
        });
        self.made += self.calls() as u64;
        ns
    }

    fn settle(&mut self) -> Result<()> {
        std::thread::sleep(Duration::from_millis(10));
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Account>> {
        let home = self.folder.parent().context("the folder has a parent")?;
        lttng(home, &["destroy", SESSION])?;
        let recorded = count_events(&self.folder)?;
        std::fs::remove_dir_all(&self.folder)?;
        Ok(Some(Account { made: self.made, recorded }))
    }
}
