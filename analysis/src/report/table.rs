//! Plain tables: a header, a rule, aligned columns.

use comfy_table::{CellAlignment, ContentArrangement, TableComponent, presets};

/// A table whose first column is text and whose others are numbers, unless said otherwise. It is as wide
/// as its cells: headers may have several lines to keep it narrow.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

struct Column {
    name: String,
    alignment: CellAlignment,
    /// Left out if no cell says anything.
    optional: bool,
}

impl Table {
    /// An empty table with these column names.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        let alignment = |index| if index == 0 { CellAlignment::Left } else { CellAlignment::Right };
        let columns = columns.iter().enumerate().map(|(index, name)| Column {
            name: (*name).to_owned(),
            alignment: alignment(index),
            optional: false,
        });
        Self { columns: columns.collect(), rows: Vec::new() }
    }

    /// Align a column to the left.
    #[must_use]
    pub fn left(mut self, column: usize) -> Self {
        self.columns[column].alignment = CellAlignment::Left;
        self
    }

    /// Leave a column out if all its cells are empty, a dash or zero.
    #[must_use]
    pub fn optional(mut self, column: usize) -> Self {
        self.columns[column].optional = true;
        self
    }

    /// Add a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn is_shown(&self, column: usize) -> bool {
        let says_something = |cell: &String| !matches!(cell.as_str(), "" | "-" | "0");
        !self.columns[column].optional || self.rows.iter().any(|row| says_something(&row[column]))
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: Vec<usize> = (0..self.columns.len()).filter(|c| self.is_shown(*c)).collect();
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING);
        table.set_style(TableComponent::HeaderLines, '─');
        table.set_style(TableComponent::MiddleHeaderIntersections, '─');
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(shown.iter().map(|column| &self.columns[*column].name));
        for row in &self.rows {
            table.add_row(shown.iter().map(|column| &row[*column]));
        }
        for (column, index) in table.column_iter_mut().zip(shown) {
            column.set_cell_alignment(self.columns[index].alignment);
        }
        for line in table.lines() {
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_what_says_nothing_is_left_out() {
        let mut table = Table::new(&["worker", "host\nblocks", "disk"]).optional(1).optional(2);
        table.row(vec!["1".into(), "0".into(), "-".into()]);
        table.row(vec!["12".into(), "7".into(), "0".into()]);
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                " worker     host",
                "          blocks",
                "─────────────────",
                " 1             0",
                " 12            7"
            ]
        );
    }
}
