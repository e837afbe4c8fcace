//! Measured latencies as CSV: columns `load` and `latency`, and `resource` if there are several.

use std::path::Path;

use super::text::{CsvTable, Fault, TextFileError, number, of_file};
use crate::game::congestion::Observation;

/// The name of a resource and its measurements.
type Measured = (String, Vec<Observation>);

/// Read the measurements of each resource from a file, or from standard input if the path is `-`. Resources
/// come in the order in which they appear; without a column `resource` there is one.
///
/// # Errors
///
/// If the file cannot be read, a column is missing or a field is no number; with the line.
pub fn latencies_of_file(path: &Path) -> Result<Vec<Measured>, TextFileError> {
    of_file(path, latencies_of_text)
}

/// The measurements of a text, see [`latencies_of_file`].
///
/// # Errors
///
/// If a column is missing or a field is no number; with the line.
pub fn latencies_of_text(text: &str) -> Result<Vec<Measured>, Fault> {
    let table = CsvTable::of(text)?;
    let (load, latency) = (table.required("load")?, table.required("latency")?);
    let resource = table.column("resource");
    let mut resources: Vec<Measured> = Vec::new();
    for (line, record) in &table.records {
        let name = resource.map_or("resource", |column| &record[column]);
        if name.is_empty() {
            return Err(Fault::new(*line, "no resource is named here"));
        }
        let observation = Observation {
            load: number(*line, &record[load], "load")?,
            latency: number(*line, &record[latency], "latency")?,
        };
        match resources.iter_mut().find(|(known, _)| known == name) {
            Some((_, observations)) => observations.push(observation),
            None => resources.push((name.to_owned(), vec![observation])),
        }
    }
    if resources.is_empty() {
        return Err(Fault::new(1, "there is no measurement below the header"));
    }
    Ok(resources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_told_apart() {
        let text = "resource,load,latency\nb,1,2.5\na,2,3\nb,3,4\n";
        let found = latencies_of_text(text).unwrap();
        let names: Vec<(&str, usize)> = found.iter().map(|(n, o)| (n.as_str(), o.len())).collect();
        assert_eq!(names, [("b", 2), ("a", 1)]);
        assert_eq!(found[0].1[1], Observation { load: 3.0, latency: 4.0 });
        assert_eq!(latencies_of_text("latency,load\n2,1\n").unwrap()[0].0, "resource");
    }

    #[test]
    fn faults_name_their_lines() {
        let fault = |text: &str| latencies_of_text(text).unwrap_err().to_string();
        assert_eq!(
            fault("load,time\n"),
            "line 1: no column \"latency\"; the columns are load, time"
        );
        assert_eq!(
            fault("load,latency\n1,2\n1,inf\n"),
            "line 3: \"inf\" in column \"latency\" is not a finite number"
        );
        assert_eq!(fault("load,latency\n1\n"), "line 2: 1 fields, but the header has 2");
        assert!(fault("load,latency\n").starts_with("line 1: there is no measurement"));
    }
}
