//! Tables of numbers as comma-separated values.

use std::io::Read;
use std::path::{Path, PathBuf};

/// A table whose columns are read as text and turned into numbers when they are asked for.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The file, or `standard input`.
    source: String,
    names: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    /// The line that it begins on, from 1.
    line: u64,
    cells: Vec<String>,
}

/// Why a table cannot be used. Each says where.
#[derive(Debug, thiserror::Error)]
pub enum ColumnError {
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The text is not a table.
    #[error("{file}: {message}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// There are no rows of values.
    #[error("{0}: there are no values in it")]
    Empty(String),
    /// No column has this name.
    #[error("{file}: there is no column {wanted:?}; there are {known}")]
    Unknown {
        /// The file.
        file: String,
        /// The name that was asked for.
        wanted: String,
        /// The names that there are.
        known: String,
    },
    /// A cell is not a finite number.
    #[error("{file}: line {line}: column {column} has {found}; {advice}")]
    Cell {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        found: String,
        /// What to do.
        advice: &'static str,
    },
}

impl Columns {
    /// Read a file, or standard input if the path is `-`. Fields are separated by commas. The first line is
    /// a header if one of its fields is not a number; without one the columns are called 1, 2, ...
    ///
    /// # Errors
    ///
    /// If it cannot be read, is not a table, or has no rows.
    pub fn read(path: &Path) -> Result<Self, ColumnError> {
        let io_error = |source| ColumnError::Io { path: path.into(), source };
        let mut text = Vec::new();
        if path == Path::new("-") {
            std::io::stdin().lock().read_to_end(&mut text).map_err(io_error)?;
            return Self::parse(&text, "standard input");
        }
        std::fs::File::open(path)
            .and_then(|mut file| file.read_to_end(&mut text))
            .map_err(io_error)?;
        Self::parse(&text, &path.to_string_lossy())
    }

    /// The table that a text contains.
    ///
    /// # Errors
    ///
    /// If it is not a table or has no rows. `source` is named in errors.
    pub fn parse(text: &[u8], source: &str) -> Result<Self, ColumnError> {
        if let Some(line) = empty_line(text) {
            let message = format!("line {line}: it is empty; fill the gap or cut the series there");
            return Err(ColumnError::Format { file: source.into(), message });
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(text);
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| format_error(source, &error))?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push(Row { line, cells: record.iter().map(str::to_owned).collect() });
        }
        let Some(first) = rows.first() else { return Err(ColumnError::Empty(source.into())) };
        let is_header = first.cells.iter().any(|cell| cell.parse::<f64>().is_err());
        let names = if is_header {
            rows.remove(0).cells
        } else {
            (1..=first.cells.len()).map(|number| number.to_string()).collect()
        };
        if rows.is_empty() {
            return Err(ColumnError::Empty(source.into()));
        }
        Ok(Self { source: source.into(), names, rows })
    }

    /// What is named in errors.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Rows of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The line of a row, from 1.
    #[must_use]
    pub fn line(&self, row: usize) -> u64 {
        self.rows[row].line
    }

    /// The numbers of a column.
    ///
    /// # Errors
    ///
    /// If there is no such column, or a cell of it is not a finite number: a gap is an error, because every
    /// statistic of a series takes its values to be equally far apart.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, ColumnError> {
        let column = self.index(name)?;
        self.rows.iter().map(|row| self.number(row, column)).collect()
    }

    /// The texts of a column.
    ///
    /// # Errors
    ///
    /// If there is no such column.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, ColumnError> {
        let column = self.index(name)?;
        Ok(self.rows.iter().map(|row| row.cells[column].clone()).collect())
    }

    /// Whether every cell of a column is a number, finite or not, or empty.
    #[must_use]
    pub fn is_numeric(&self, name: &str) -> bool {
        let is_number = |cell: &String| cell.is_empty() || cell.parse::<f64>().is_ok();
        self.index(name)
            .is_ok_and(|column| self.rows.iter().all(|row| is_number(&row.cells[column])))
    }

    /// The only column, for commands that were not told one.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        if let [name] = &self.names[..] { Some(name) } else { None }
    }

    fn index(&self, name: &str) -> Result<usize, ColumnError> {
        self.names.iter().position(|known| known == name).ok_or_else(|| ColumnError::Unknown {
            file: self.source.clone(),
            wanted: name.into(),
            known: self.names.join(", "),
        })
    }

    fn number(&self, row: &Row, column: usize) -> Result<f64, ColumnError> {
        let cell = &row.cells[column];
        let wrong = |found: String, advice| ColumnError::Cell {
            file: self.source.clone(),
            line: row.line,
            column: self.names[column].clone(),
            found,
            advice,
        };
        const FILL: &str = "fill the gap or cut the series there";
        if cell.is_empty() {
            return Err(wrong("no value".into(), FILL));
        }
        match cell.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(value) if value.is_nan() => Err(wrong(format!("{cell:?}"), FILL)),
            Ok(_) => Err(wrong(format!("{cell:?}"), "a finite number is needed")),
            Err(_) => Err(wrong(format!("{cell:?}"), "a number is needed")),
        }
    }
}

/// The first empty line with something behind it, from 1. The parser would pass over it in silence.
fn empty_line(text: &[u8]) -> Option<usize> {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).collect();
    let last = lines.iter().rposition(|line| !line.is_empty())?;
    lines[..last].iter().position(|line| line.is_empty()).map(|index| index + 1)
}

fn format_error(source: &str, error: &csv::Error) -> ColumnError {
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => format!(
            "line {}: {len} fields where the lines before have {expected_len}",
            pos.as_ref().map_or(0, csv::Position::line)
        ),
        csv::ErrorKind::Utf8 { pos, .. } => {
            format!("line {}: this is not UTF-8 text", pos.as_ref().map_or(0, csv::Position::line))
        }
        _ => error.to_string(),
    };
    ColumnError::Format { file: source.into(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Columns, ColumnError> {
        Columns::parse(text.as_bytes(), "t.csv")
    }

    #[test]
    fn columns_are_found_by_name_or_by_number() {
        let table = parse("time, value\n1,2.5\n2,-3e2\n").unwrap();
        assert_eq!(table.numbers("value").unwrap(), [2.5, -300.0]);
        assert_eq!(table.len(), 2);
        let bare = parse("1,2\n3,4\n").unwrap();
        assert_eq!(bare.numbers("2").unwrap(), [2.0, 4.0]);
        assert_eq!(parse("7\n8\n").unwrap().only(), Some("1"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let message = |text: &str, column: &str| {
            parse(text).and_then(|table| table.numbers(column)).unwrap_err().to_string()
        };
        assert_eq!(
            message("a,b\n1,2\n3,\n", "b"),
            "t.csv: line 3: column b has no value; fill the gap or cut the series there"
        );
        assert!(message("a,b\n1,NaN\n", "b").contains("line 2: column b has \"NaN\"; fill"));
        assert!(message("a\ninf\n", "a").ends_with("a finite number is needed"));
        assert!(message("a\nx\n", "a").ends_with("has \"x\"; a number is needed"));
        assert_eq!(
            message("a,b\n1,2\n3\n", "a"),
            "t.csv: line 3: 1 fields where the lines before have 2"
        );
        assert_eq!(
            message("a\n1\n\n3\n\n", "a"),
            "t.csv: line 3: it is empty; fill the gap or cut the series there"
        );
        assert_eq!(message("a,b\n1,2\n", "c"), "t.csv: there is no column \"c\"; there are a, b");
        assert_eq!(message("", "a"), "t.csv: there are no values in it");
        assert_eq!(message("a\n", "a"), "t.csv: there are no values in it");
    }
}
