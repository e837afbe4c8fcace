//! The files of one session taken together.

use std::collections::BTreeMap;

use super::FileFacts;

/// What tells the session of a file from all others: host, process, and when it started, as the file says.
pub fn session_of(facts: &FileFacts) -> (&str, u32, Option<&str>) {
    (&facts.header.host, facts.header.process_id, facts.setting("session_started_wall_ns"))
}

/// What sessions deleted of themselves to keep to their limit, one sentence for each session.
pub fn deleted_files<'a>(files: impl IntoIterator<Item = &'a FileFacts>) -> Vec<String> {
    let mut sessions = BTreeMap::new();
    for facts in files {
        let deleted = facts.setting("files_deleted").and_then(|count| count.parse::<u64>().ok());
        let most = sessions.entry(session_of(facts)).or_insert(0);
        *most = deleted.unwrap_or(0).max(*most);
    }
    let of_those = sessions.into_iter().filter(|(_, deleted)| *deleted > 0);
    of_those
        .map(|((host, process, _), deleted)| {
            format!(
                "{host}, process {process}: the session deleted its {deleted} oldest files to keep to its \
                 NASHTRACE_TOTAL_BYTES"
            )
        })
        .collect()
}
