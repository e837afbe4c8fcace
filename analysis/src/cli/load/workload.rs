//! Writing measured requests as a workload.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::json;

use super::Arguments;
use crate::cli::{Answered, Ending, write_json};
use crate::load::{Measurement, MooncakeWritten, write_mooncake};
use crate::report::{count, sentence};

/// Write the workload beside its file, which is then complete or not there.
pub(super) fn write(
    measurement: &Measurement,
    arguments: &Arguments,
    file: &Path,
    out: &mut dyn Write,
) -> Result<Answered, String> {
    let fault = |error: io::Error| format!("{}: {error}", file.display());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
    let mut beside = beside.map_err(fault)?;
    let mut buffer = BufWriter::new(&mut beside);
    let block_size = arguments.unshared_blocks.map(u64::from);
    let written = write_mooncake(measurement, block_size, &mut buffer).map_err(fault)?;
    buffer.flush().map_err(fault)?;
    drop(buffer);
    beside.persist(file).map_err(|error| fault(error.error))?;
    Ok((Ending::Good, say(written, arguments.json, file, out)))
}

fn say(
    written: MooncakeWritten,
    as_json: bool,
    file: &Path,
    out: &mut dyn Write,
) -> io::Result<()> {
    let MooncakeWritten { requests, left_out, unshared } = written;
    if as_json {
        let value = json!({"requests": requests, "left_out": left_out, "unshared": unshared});
        return write_json(&value, out);
    }
    let count = |number: usize| count(number as u64);
    writeln!(out, "{}: {} requests", file.display(), count(requests))?;
    if left_out > 0 {
        let text = format!(
            "{} requests are left out: their tokens or their start are not known",
            count(left_out)
        );
        writeln!(out, "{}", sentence(&text))?;
    }
    if unshared > 0 {
        let text = format!(
            "{} prompts share nothing: the file does not say what they share",
            count(unshared)
        );
        writeln!(out, "{}", sentence(&text))?;
    }
    Ok(())
}
