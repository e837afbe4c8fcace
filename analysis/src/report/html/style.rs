//! Colours and marks of figures: the palette of Okabe and Ito, which the colour-blind can tell apart, and shapes that
//! say the same.

use serde_json::{Value, json};

/// Scale from low (dark) to high (bright), even in lightness and safe for the colour-blind.
pub(super) const SCALE: &str = "Cividis";

/// Colours of the page's style, in order.
const COLOURS: [&str; 6] =
    ["var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)"];

/// Shapes of points, in order.
const SHAPES: [&str; 6] = ["circle", "square", "diamond", "triangle-up", "cross", "star"];

/// Dashes of lines, in order.
const DASHES: [&str; 6] = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

/// Alarming.
pub(super) const ALARM: &str = "var(--alarm)";

/// Text and lines.
pub(super) const INK: &str = "var(--ink)";

/// What is in the background.
pub(super) const FAINT: &str = "var(--faint)";

/// A colour.
pub(super) fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

/// A shape.
pub(super) fn shape(number: usize) -> &'static str {
    SHAPES[number % SHAPES.len()]
}

/// A dash.
pub(super) fn dash(number: usize) -> &'static str {
    DASHES[number % DASHES.len()]
}

/// The filling of a bar; patterns tell bars apart where colours do not.
pub(super) fn bar_marker(number: usize) -> Value {
    const PATTERNS: [&str; 6] = ["", "/", "x", ".", "-", "+"];
    match PATTERNS[number % PATTERNS.len()] {
        "" => json!({"color": colour(number)}),
        shape => json!({
            "color": colour(number),
            "pattern": {"shape": shape, "bgcolor": colour(number), "fgcolor": "var(--paper)", "size": 6, "solidity": 0.2},
        }),
    }
}

/// Whiskers, as long below and above each value as given.
pub(super) fn whiskers(ends: &[[f64; 2]], colour: &str) -> Value {
    let side = |side: usize| ends.iter().map(|ends| ends[side]).collect::<Vec<f64>>();
    json!({
        "type": "data", "symmetric": false, "color": colour, "thickness": 1.5, "array": side(1), "arrayminus": side(0),
    })
}

/// A legend in lines above the figure.
pub(super) fn legend() -> Value {
    json!({"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
}
