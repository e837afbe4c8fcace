//! The page.

use askama::Template;
use serde_json::{Map, Value};

use super::figure::Figure;
use super::names::Names;
use super::sections::{self, Section, head::Head};
use crate::campaign::Analysis;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The template.
    #[error("the page cannot be written: {0}")]
    Template(#[from] askama::Error),
    /// plotly.js.
    #[error("the package plotly has no plotly.js where it used to be; was its version changed?")]
    NoPlotly,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    head: Head,
    sections: Vec<Section>,
    /// plotly.js, as it is in the package.
    plotly: String,
    /// What plotly.js draws, by the figure's id, as JSON that cannot end a script element.
    figures: String,
}

/// The page of an analysis.
///
/// # Errors
///
/// If plotly.js is not where the package had it.
pub fn page(analysis: &Analysis) -> Result<String, PageError> {
    let sections = sections::all(analysis, Names { design: &analysis.design });
    let page = Page {
        head: Head::of(analysis),
        figures: embedded(&sections),
        sections,
        plotly: plotly_js()?,
    };
    Ok(page.render()?)
}

/// The first script of those that the package offers: plotly.js. The others are for formulas, and there are none.
fn plotly_js() -> Result<String, PageError> {
    let scripts = plotly::Plot::offline_js_sources();
    let of_first = || {
        let (_, from) = scripts.split_once('>')?;
        let (script, _) = from.split_once("</script>")?;
        script.contains("plotly.js v").then(|| script.to_owned())
    };
    of_first().ok_or(PageError::NoPlotly)
}

fn embedded(sections: &[Section]) -> String {
    let panels = sections.iter().flat_map(|section| &section.panels);
    let figures = panels.flat_map(|panel| &panel.figures);
    let specs: Map<String, Value> =
        figures.map(|Figure { id, spec, .. }| (id.clone(), spec.clone())).collect();
    in_script(&Value::Object(specs))
}

/// JSON without the letters that could end or hide a script element.
fn in_script(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_end_its_script() {
        let hostile = serde_json::json!({"</script><!--": ["&<b>"]});
        let text = in_script(&hostile);
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), hostile);
    }

    #[test]
    fn plotly_is_there_and_ends_no_script() {
        let script = plotly_js().unwrap();
        assert!(script.len() > 1_000_000 && !script.contains("</script"));
    }
}
