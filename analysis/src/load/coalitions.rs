//! Values of coalitions, as CSV or JSON.
//!
//! ```csv
//! coalition,value,block
//! nobody,10.5,seed 1
//! router,12,seed 1
//! router+planner,14,seed 1
//! ```
//!
//! ```json
//! {"players": ["router", "planner"],
//!  "values": [{"coalition": [], "value": 10.5, "block": "seed 1"}]}
//! ```
//!
//! Members are joined by `+`; nobody is written `nobody`, or not at all. `block` is optional: several values of
//! one coalition are measurements, which are paired with those of other coalitions by their block.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::text::{CsvTable, Fault, TextFileError, number, of_file};
use crate::game::shapley::{CoalitionValues, MOST_PLAYERS};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoalitionsJson {
    players: Vec<String>,
    values: Vec<ValueJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueJson {
    coalition: Vec<String>,
    value: f64,
    block: Option<Value>,
}

/// One measurement: its line, the members, the value and the block.
struct Row {
    line: usize,
    members: Vec<String>,
    value: f64,
    block: Option<String>,
}

/// Read the values of all coalitions from a file, or from standard input if the path is `-`. Text that begins
/// with `{` is JSON, anything else CSV.
///
/// # Errors
///
/// If the file cannot be read, or holds no complete table; with the line.
pub fn coalitions_of_file(path: &Path) -> Result<CoalitionValues, TextFileError> {
    of_file(path, coalitions_of_text)
}

/// The values in a text, see [`coalitions_of_file`].
///
/// # Errors
///
/// If the text holds no complete table; with the line.
pub fn coalitions_of_text(text: &str) -> Result<CoalitionValues, Fault> {
    let (players, rows) = if text.trim_start().starts_with('{') { json(text) } else { csv(text) }?;
    // The table of all coalitions is made only if it is not too large.
    let count = if players.len() <= MOST_PLAYERS { 1 << players.len() } else { 0 };
    let mut measurements = vec![Vec::new(); count];
    let last_line = rows.last().map_or(1, |row| row.line);
    for row in rows {
        let mut coalition = 0_usize;
        for member in &row.members {
            let Some(player) = players.iter().position(|player| player == member) else {
                return Err(Fault::new(row.line, format!("\"{member}\" is none of the players")));
            };
            if coalition >> player & 1 == 1 {
                return Err(Fault::new(row.line, format!("\"{member}\" is named twice")));
            }
            coalition |= 1 << player;
        }
        if let Some(measured) = measurements.get_mut(coalition) {
            measured.push((row.block, row.value));
        }
    }
    let is_measured =
        measurements.iter().any(|of| of.len() > 1 || of.iter().any(|m| m.0.is_some()));
    let table = if is_measured || measurements.iter().any(Vec::is_empty) {
        CoalitionValues::of_measurements(players, measurements)
    } else {
        CoalitionValues::new(players, measurements.iter().map(|measured| measured[0].1).collect())
    };
    table.map_err(|error| Fault::new(last_line, error))
}

fn csv(text: &str) -> Result<(Vec<String>, Vec<Row>), Fault> {
    let table = CsvTable::of(text)?;
    let (coalition, value) = (table.required("coalition")?, table.required("value")?);
    let block = table.column("block");
    let mut players: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (line, record) in &table.records {
        let members: Vec<String> = match &record[coalition] {
            "" | "nobody" => Vec::new(),
            members => members.split('+').map(|member| member.trim().to_owned()).collect(),
        };
        if members.iter().any(String::is_empty) {
            return Err(Fault::new(*line, "a member between + and + has no name"));
        }
        for member in &members {
            if !players.contains(member) {
                players.push(member.clone());
            }
        }
        let value = number(*line, &record[value], "value")?;
        let block = block.map(|column| record[column].to_owned()).filter(|block| !block.is_empty());
        rows.push(Row { line: *line, members, value, block });
    }
    Ok((players, rows))
}

fn json(text: &str) -> Result<(Vec<String>, Vec<Row>), Fault> {
    let table: CoalitionsJson =
        serde_json::from_str(text).map_err(|error| Fault::new(error.line().max(1), &error))?;
    let last_line = text.lines().count().max(1);
    let mut names = table.players.clone();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Fault::new(1, format!("two players are called \"{}\"", pair[0])));
    }
    let row = |value: ValueJson| {
        let block = value.block.map(|block| match block {
            Value::String(text) => text,
            other => other.to_string(),
        });
        Row { line: last_line, members: value.coalition, value: value.value, block }
    };
    Ok((table.players, table.values.into_iter().map(row).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_and_json_say_the_same() {
        let csv = coalitions_of_text("coalition,value\nnobody,1\na,2\nb + a,5\nb,3\n").unwrap();
        let json = coalitions_of_text(
            r#"{"players": ["a", "b"], "values": [{"coalition": [], "value": 1},
            {"coalition": ["b"], "value": 3}, {"coalition": ["a"], "value": 2},
            {"coalition": ["a", "b"], "value": 5}]}"#,
        );
        assert_eq!(csv, json.unwrap());
        assert_eq!(csv.values(), [1.0, 2.0, 3.0, 5.0]);
        assert!(csv.measurements().is_empty());
    }

    #[test]
    fn blocks_pair_measurements() {
        let text = "block,coalition,value\nx,,1\nx,a,2\ny,a,4\ny,,0\n";
        let table = coalitions_of_text(text).unwrap();
        assert_eq!(table.complete_blocks(), [[1.0, 2.0], [0.0, 4.0]]);
    }

    #[test]
    fn faults_name_their_lines() {
        let fault = |text: &str| coalitions_of_text(text).unwrap_err().to_string();
        let missing = fault("coalition,value\na,1\nb,2\na+b,3\n");
        assert!(missing.starts_with("line 4: coalition nobody has no value"), "{missing}");
        assert_eq!(fault("coalition,value\n,1\na+a,2\n"), "line 3: \"a\" is named twice");
        assert_eq!(
            fault("coalition,value\n,1\na+,2\n"),
            "line 3: a member between + and + has no name"
        );
        let other = r#"{"players": ["a"], "values": [{"coalition": ["b"], "value": 1}]}"#;
        assert_eq!(fault(other), "line 1: \"b\" is none of the players");
        let many: Vec<String> = (0..25).map(|n| n.to_string()).collect();
        let many = fault(&format!("coalition,value\n{},1\n", many.join("+")));
        assert!(many.contains("25 players"), "{many}");
    }
}
