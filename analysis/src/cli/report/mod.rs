//! `nashtrace report`: a campaign's analysis in the terminal, as JSON and as one HTML page.

mod show;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::{Answered, Ending, complain};
use crate::campaign::{Analysis, SCHEMA_VERSION};
use crate::report::html;

const EXAMPLES: &str = "\
The page opens offline in any browser: everything is in the one file, and every figure's numbers are a table too.

Examples:
  nashtrace report /tmp/campaign
  nashtrace report /tmp/campaign --out report.html
  nashtrace report /tmp/campaign --json | jq '.loads[].anarchy[0]'
  nashtrace report analysis.json --out report.html
  nashtrace report - --out report.html < analysis.json";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A campaign that was analysed, its analysis.json, or - for standard input
    #[arg(value_name = "CAMPAIGN")]
    campaign: PathBuf,
    /// The page [default: report.html in the campaign; without a campaign's folder there is none]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the analysis as JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn page(&self) -> Option<PathBuf> {
        let of_folder = || self.campaign.is_dir().then(|| self.campaign.join("report.html"));
        self.out.clone().or_else(of_folder)
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let analysis = match read(&arguments.campaign) {
        Ok(analysis) => analysis,
        Err(sentence) => {
            complain(&sentence);
            return (Ending::Unreadable, Ok(()));
        }
    };
    let page = arguments.page();
    let ending = match page.as_deref().map_or(Ok(()), |page| write_page(&analysis, page)) {
        Ok(()) => Ending::Good,
        Err(sentence) => {
            complain(&sentence);
            Ending::BadData
        }
    };
    let written = if arguments.json {
        serde_json::to_value(&analysis)
            .map_err(std::io::Error::from)
            .and_then(|value| super::write_json(&value, out))
    } else {
        let page = page.filter(|_| ending == Ending::Good);
        show::print(&analysis, page.as_deref(), out)
    };
    (ending, written)
}

fn read(campaign: &Path) -> Result<Analysis, String> {
    let path = if campaign.is_dir() { campaign.join("analysis.json") } else { campaign.to_owned() };
    let shown = crate::load::name_of(&path);
    let text = if campaign == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(&path)
    };
    let text = text.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound if campaign.is_dir() => format!(
            "{}: there is no analysis.json; make it with `nashtrace experiment analyze {}`",
            campaign.display(),
            campaign.display()
        ),
        _ => format!("{shown}: {error}"),
    })?;
    analysis_of(&text).map_err(|(line, what)| format!("{shown}, line {line}: {what}"))
}

/// An analysis of this version, or a line and what is wrong there.
fn analysis_of(text: &str) -> Result<Analysis, (usize, String)> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        schema_version: u32,
    }
    let fault = |error: serde_json::Error| (error.line().max(1), error.to_string());
    let Versioned { schema_version } = serde_json::from_str(text).map_err(fault)?;
    if schema_version != SCHEMA_VERSION {
        return Err((
            1,
            format!(
                "an analysis of version {schema_version}, but {SCHEMA_VERSION} is read here; analyse the campaign again"
            ),
        ));
    }
    serde_json::from_str(text).map_err(fault)
}

/// Write beside and rename: a page is whole or not there.
fn write_page(analysis: &Analysis, path: &Path) -> Result<(), String> {
    let page = html::page(analysis).map_err(|error| error.to_string())?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        let mut beside = tempfile::NamedTempFile::new_in(folder)?;
        beside.write_all(page.as_bytes())?;
        readable(beside.as_file())?;
        beside.persist(path)?;
        Ok(())
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}

/// Temporary files are for their owner alone; a report is for others too.
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
