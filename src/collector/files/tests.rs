use super::*;

const KIB: u64 = 1 << 10;

/// A flight recorder that may take 512 KiB, in files of 64.
fn recorder(directory: &Path) -> Files {
    let mut config = Config::new(directory.into());
    config.mode = SessionMode::Flight;
    config.total_bytes = Some(512 * KIB);
    config.file_bytes = Some(64 * KIB);
    Files::create(&config).unwrap()
}

fn events(kind: Kind, count: u64) -> Events {
    let mut events = [0; Kind::COUNT];
    events[kind as usize] = count;
    events
}

fn bytes(files: &Files) -> u64 {
    files.closed.iter().map(Closed::bytes).sum::<u64>() + files.current.bytes()
}

#[test]
fn memory_has_a_limit_whatever_becomes_of_the_directory_and_of_the_next_file() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("trace");
    let mut files = recorder(&directory);
    std::fs::remove_dir(&directory).unwrap();
    std::fs::write(&directory, "in the way").unwrap();
    let (packet, requests) = (vec![7; 10 << 10], events(Kind::Request, 3));
    for _ in 0..100 {
        files.append(&packet, &requests).unwrap();
        if files.is_due(Instant::now()) {
            let successor = files.successor().unwrap();
            files.change_to(successor, Instant::now());
        }
        assert!(bytes(&files) <= 512 * KIB);
    }
    // Now no file follows any more: the current one takes the place of all, and then it is full.
    let full = (0..100).find_map(|_| files.append(&packet, &requests).err()).unwrap();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    assert!(bytes(&files) <= 512 * KIB);
    // Its accounts find room, but not for ever.
    let accounts = events(Kind::Anchor, 1);
    files.append(&packet, &accounts).unwrap();
    assert!((0..100).any(|_| files.append(&packet, &accounts).is_err()));
    assert!(bytes(&files) <= 1024 * KIB);

    files.finish().unwrap_err();
    let unsaved = files.take_unsaved();
    assert!(files.deleted() > 0 && unsaved[Kind::Anchor as usize] > 0);
    assert_eq!(unsaved[Kind::Request as usize], 3 * (512 / 10), "what the full file holds");
    assert_eq!(files.take_unsaved(), [0; Kind::COUNT]);
}

#[test]
fn what_was_saved_is_not_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("trace");
    let mut files = recorder(&directory);
    files.append(&[7; 100], &events(Kind::Request, 2)).unwrap();
    let successor = files.successor().unwrap();
    files.change_to(successor, Instant::now());
    files.dump().unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    std::fs::write(&directory, "in the way").unwrap();
    files.append(&[7; 100], &events(Kind::Request, 3)).unwrap();
    files.finish().unwrap_err();
    assert_eq!(files.take_unsaved(), events(Kind::Request, 3));
}
