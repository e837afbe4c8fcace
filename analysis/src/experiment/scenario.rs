//! The lab's scenario of a run: the base scenario with what the profile and the load set.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use crate::load::{Fault, TextFileError, of_file};

/// Keys that name files, which count from the scenario's folder.
const FILES: [[&str; 2]; 3] = [["workload", "path"], ["timing", "spec"], ["timing", "systems"]];

/// The text of a base scenario, with absolute paths so that it can be played from anywhere.
pub(super) fn base(path: &Path) -> Result<String, TextFileError> {
    of_file(path, |text| {
        let mut table = parse(text)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mut changed = false;
        for [section, key] in FILES {
            let named = table.get_mut(section).and_then(|section| section.get_mut(key));
            if let Some(Value::String(file)) = named
                && Path::new(file).is_relative()
            {
                *file = folder.join(&file).to_string_lossy().into_owned();
                changed = true;
            }
        }
        // As it was written, if that can be.
        Ok(if changed { write(&table) } else { text.to_owned() })
    })
}

/// The scenario of a run.
///
/// # Errors
///
/// If a key that is to be set lies inside something that is no table.
pub(super) fn of_run(
    base: &str,
    settings: &BTreeMap<String, Value>,
    name: &str,
    seed: u64,
) -> Result<String, String> {
    let mut table = parse(base).map_err(|fault| fault.to_string())?;
    for (key, value) in settings {
        set(&mut table, key, value.clone())?;
    }
    table.insert("name".into(), Value::String(name.into()));
    let seed = i64::try_from(seed).map_err(|_| format!("the seed {seed} is too large"))?;
    table.insert("seed".into(), Value::Integer(seed));
    Ok(write(&table))
}

fn parse(text: &str) -> Result<Table, Fault> {
    text.parse::<Table>().map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = 1 + text[..at.min(text.len())].matches('\n').count();
        Fault::new(line, error.message().replace('\n', ", "))
    })
}

fn write(table: &Table) -> String {
    toml::to_string(table).expect("a table that was read can be written")
}

fn set(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    let Some((section, rest)) = key.split_once('.') else {
        table.insert(key.into(), value);
        return Ok(());
    };
    let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    match inner {
        Value::Table(inner) => set(inner, rest, value),
        _ => {
            Err(format!("\"{section}\" is a value in the scenario: \"{key}\" cannot be set in it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_replace_and_add_keys() {
        let base =
            "name = \"base\"\n[router]\ntemperature = 0.5\n[cluster]\nmode = \"aggregated\"\n";
        let settings = [
            ("router.temperature".to_owned(), Value::Float(0.0)),
            ("engine.host.blocks".to_owned(), Value::Integer(9)),
        ];
        let text = of_run(base, &settings.into(), "l0-b0-p1", 7).unwrap();
        let table: Table = text.parse().unwrap();
        assert_eq!(table["router"]["temperature"].as_float(), Some(0.0));
        assert_eq!(table["engine"]["host"]["blocks"].as_integer(), Some(9));
        assert_eq!(table["cluster"]["mode"].as_str(), Some("aggregated"));
        assert_eq!(
            (table["name"].as_str(), table["seed"].as_integer()),
            (Some("l0-b0-p1"), Some(7))
        );
    }

    #[test]
    fn a_key_inside_a_value_is_refused() {
        let settings = [("router.temperature.low".to_owned(), Value::Float(0.0))];
        let error = of_run("[router]\ntemperature = 0.5\n", &settings.into(), "x", 1).unwrap_err();
        assert!(error.starts_with("\"temperature\" is a value in the scenario"), "{error}");
    }

    #[test]
    fn paths_of_the_base_become_absolute() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        std::fs::write(&path, "[workload]\nkind = \"mooncake\"\npath = \"a.jsonl\"\n").unwrap();
        let table: Table = base(&path).unwrap().parse().unwrap();
        let wanted = folder.path().join("a.jsonl");
        assert_eq!(table["workload"]["path"].as_str(), wanted.to_str());
        let plain = "# kept\n[workload]\nkind = \"synthetic\"\n";
        std::fs::write(&path, plain).unwrap();
        assert_eq!(base(&path).unwrap(), plain);
    }
}
