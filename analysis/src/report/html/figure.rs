//! A figure: what plotly.js draws, and the same numbers as a table.

use serde_json::{Value, json};

use super::table::Table;

/// Letters of a label on an axis before it is cut; the whole one is in the table and under the pointer.
const LABEL: usize = 18;

/// A figure.
pub(super) struct Figure {
    /// Its id in the page.
    pub(super) id: String,
    /// Above it.
    pub(super) title: String,
    /// What it shows, for those who cannot see it and below it.
    pub(super) caption: String,
    /// Pixels.
    pub(super) height: u32,
    /// Traces and layout of plotly.js. A string `var(--NAME)` stands for a colour of the page's style.
    pub(super) spec: Value,
    /// The same numbers.
    pub(super) table: Table,
}

impl Figure {
    /// A figure of traces in a layout.
    pub(super) fn new(id: String, title: String, data: Vec<Value>, layout: Value) -> Self {
        let spec = json!({"data": data, "layout": layout});
        let table = Table::new(&[]);
        Self { id, title, caption: String::new(), height: 320, spec, table }
    }

    /// What it shows.
    pub(super) fn caption(self, caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..self }
    }

    /// How high it is.
    pub(super) fn height(self, height: usize) -> Self {
        Self { height: u32::try_from(height).unwrap_or(u32::MAX), ..self }
    }

    /// Its numbers.
    pub(super) fn table(self, table: Table) -> Self {
        Self { table, ..self }
    }
}

/// Text for plotly.js, which reads some HTML in labels: what comes from designs must not be read so.
pub(super) fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// [`plain`] text that is short enough for an axis.
pub(super) fn label(text: &str) -> String {
    let short: String = text.chars().take(LABEL).collect();
    if short.len() == text.len() { plain(text) } else { plain(&short) + "…" }
}

/// Lines of [`plain`] text for the box under the pointer.
pub(super) fn hover<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    lines.into_iter().map(plain).collect::<Vec<_>>().join("<br>")
}

/// An axis whose ticks are names at 0, 1, 2, ...
pub(super) fn named_axis(names: impl IntoIterator<Item = String>) -> Value {
    let names: Vec<String> = names.into_iter().map(|name| label(&name)).collect();
    let places: Vec<usize> = (0..names.len()).collect();
    json!({
        "tickmode": "array", "tickvals": places, "ticktext": names, "automargin": true, "showgrid": false,
        "zeroline": false,
    })
}

/// An axis with a title.
pub(super) fn axis(title: &str) -> Value {
    json!({"title": {"text": plain(title), "standoff": 8}, "automargin": true})
}

/// Words in the middle of a figure that has no points to show.
pub(super) fn in_words(text: &str) -> Value {
    json!({
        "text": plain(text), "showarrow": false, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5,
        "font": {"size": 15},
    })
}

/// One JSON object with the fields of both.
pub(super) fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut value, more) {
        fields.extend(more);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_and_no_markup() {
        assert_eq!(label("balanced"), "balanced");
        assert_eq!(label("<b>&"), "&lt;b&gt;&amp;");
        assert_eq!(label("äußerst-lange-Strategie"), "äußerst-lange-Stra…");
        assert_eq!(hover(["a<", "b"]), "a&lt;<br>b");
    }
}
