//! The files of one session taken together.

use std::collections::BTreeMap;

use super::FileFacts;

/// What sessions deleted of themselves to keep to their limit, one sentence for each session.
pub fn deleted_files<'a>(files: impl IntoIterator<Item = &'a FileFacts>) -> Vec<String> {
    let mut sessions = BTreeMap::new();
    for facts in files {
        let session = (&facts.header.host, facts.header.process_id);
        let key = (session, facts.setting("session_started_wall_ns"));
        let deleted = facts.setting("files_deleted").and_then(|count| count.parse::<u64>().ok());
        let most = sessions.entry(key).or_insert(0);
        *most = deleted.unwrap_or(0).max(*most);
    }
    let of_those = sessions.into_iter().filter(|(_, deleted)| *deleted > 0);
    of_those
        .map(|(((host, process), _), deleted)| {
            format!(
                "{host}, process {process}: the session deleted its {deleted} oldest files to keep to its \
                 NASHTRACE_TOTAL_BYTES"
            )
        })
        .collect()
}
