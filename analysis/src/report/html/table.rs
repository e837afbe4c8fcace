//! A table of the page.

/// A table; the first cell of a row names it.
pub(super) struct Table {
    /// Names of the columns.
    pub(super) head: Vec<String>,
    /// Cells.
    pub(super) rows: Vec<Vec<String>>,
    /// Columns that are text, beside the first.
    text: Vec<usize>,
}

impl Table {
    /// An empty table.
    pub(super) fn new(head: &[&str]) -> Self {
        let head = head.iter().map(|name| (*name).to_owned()).collect();
        Self { head, rows: Vec::new(), text: Vec::new() }
    }

    /// Columns that are text and begin at the left.
    pub(super) fn text(self, text: &[usize]) -> Self {
        Self { text: text.to_vec(), ..self }
    }

    /// Add a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Whether a column is text; columns are counted from 0.
    pub(super) fn is_text(&self, column: &usize) -> bool {
        *column == 0 || self.text.contains(column)
    }
}
