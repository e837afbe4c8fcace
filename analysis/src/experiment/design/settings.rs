//! What strategies and loads set.

use std::collections::BTreeMap;

use toml::Value;

/// Nested tables as dotted keys: `{ router = { temperature = 0.0 } }` is `{ "router.temperature" = 0.0 }`.
pub(super) fn flatten(table: toml::Table) -> BTreeMap<String, Value> {
    let mut flat = BTreeMap::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) if !inner.is_empty() => {
                let inner = flatten(inner).into_iter();
                flat.extend(inner.map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            value => {
                flat.insert(key, value);
            }
        }
    }
    flat
}

/// Whether one key is the other or contains it.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let within = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    within(one, other) || within(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_tables_and_dotted_keys_are_the_same() {
        let nested = toml::from_str("router = { temperature = 0.5, a = [1] }\n").unwrap();
        let dotted = toml::from_str("\"router.temperature\" = 0.5\n\"router.a\" = [1]\n").unwrap();
        assert_eq!(flatten(nested), flatten(dotted));
    }

    #[test]
    fn a_table_overlaps_its_keys() {
        assert!(overlap("engine", "engine.kv_blocks") && overlap("engine.kv_blocks", "engine"));
        assert!(overlap("seed", "seed"));
        assert!(!overlap("engine.kv", "engine.kv_blocks"));
    }
}
