//! The sections of the page, one file each.

mod against_baseline;
mod anarchy;
mod best_responses;
mod calibration;
mod equilibria;
mod feedback;
pub(super) mod head;
mod methods;
mod over_time;
mod pareto;
mod payoffs;
mod provenance;
mod regret;
mod regretted;
mod sensitivity;
mod shapley;

use super::figure::Figure;
use super::names::Names;
use super::table::Table;
use crate::campaign::{Analysis, LoadAnswer};

/// A section.
pub(super) struct Section {
    /// Its id in the page.
    pub(super) id: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// What it says before its panels.
    pub(super) paragraphs: Vec<String>,
    /// Shown one at a time if they have names.
    pub(super) panels: Vec<Panel>,
}

/// A part of a section.
#[derive(Default)]
pub(super) struct Panel {
    /// Its name; several named panels are chosen from.
    pub(super) name: Option<String>,
    /// What it says.
    pub(super) paragraphs: Vec<String>,
    /// Its figures.
    pub(super) figures: Vec<Figure>,
    /// How many figures stand beside each other where there is room.
    pub(super) columns: usize,
    /// Tables that stand open.
    pub(super) tables: Vec<(String, Table)>,
    /// Tables that are opened by those who want them.
    pub(super) closed: Vec<(String, Table)>,
    /// Terms and what they mean.
    pub(super) terms: Vec<(String, String)>,
}

impl Section {
    fn new(id: &'static str, title: &'static str) -> Self {
        Self { id, title, paragraphs: Vec::new(), panels: Vec::new() }
    }

    fn says(mut self, paragraph: impl Into<String>) -> Self {
        self.paragraphs.push(paragraph.into());
        self
    }

    fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// One panel for each load, to be chosen by its name.
    fn by_load(
        mut self,
        analysis: &Analysis,
        names: Names<'_>,
        panel: impl Fn(&LoadAnswer) -> Panel,
    ) -> Self {
        let named = |load: &LoadAnswer| Panel {
            name: Some(format!("load {}", names.load(load.load))),
            ..panel(load)
        };
        self.panels.extend(analysis.loads.iter().map(named));
        self
    }

    /// Whether panels are chosen from.
    pub(super) fn has_tabs(&self) -> bool {
        self.panels.iter().filter(|panel| panel.name.is_some()).count() > 1
    }
}

impl Panel {
    fn says(mut self, paragraph: impl Into<String>) -> Self {
        self.paragraphs.push(paragraph.into());
        self
    }

    fn figure(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }

    fn table(mut self, caption: impl Into<String>, table: Table) -> Self {
        self.tables.push((caption.into(), table));
        self
    }

    fn closed(mut self, caption: impl Into<String>, table: Table) -> Self {
        self.closed.push((caption.into(), table));
        self
    }
}

/// All sections, in their order.
pub(super) fn all(analysis: &Analysis, names: Names<'_>) -> Vec<Section> {
    vec![
        anarchy::section(analysis, names),
        payoffs::section(analysis, names),
        best_responses::section(analysis, names),
        equilibria::section(analysis, names),
        regret::section(analysis, names),
        regretted::section(analysis, names),
        shapley::section(analysis, names),
        against_baseline::section(analysis, names),
        pareto::section(analysis, names),
        over_time::section(analysis, names),
        feedback::section(analysis, names),
        sensitivity::section(analysis, names),
        calibration::section(analysis, names),
        methods::section(analysis),
        provenance::section(analysis, names),
    ]
}
