//! Taking locks that a caller of the library may meet.

use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

/// How long a caller waits for a lock, which is only ever held for moments.
const LIMIT: Duration = Duration::from_millis(500);

/// Tries between two looks at the clock.
const TRIES: usize = 64;

/// How long a thread sleeps when that many tries were in vain.
const PAUSE: Duration = Duration::from_micros(200);

/// Take a lock. `None` if it was held all the time: by a thread that is held up, or by this very thread, which
/// was interrupted by a signal whose handler calls here. Tries and does not queue, because a handler may
/// have interrupted the queueing as well.
pub(crate) fn take<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    let mut since = None;
    loop {
        for _ in 0..TRIES {
            if let Some(guard) = mutex.try_lock() {
                return Some(guard);
            }
            std::hint::spin_loop();
        }
        if since.get_or_insert_with(Instant::now).elapsed() >= LIMIT {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_for_ever_is_given_up_and_one_that_is_let_go_is_taken() {
        let mutex = Mutex::new(7);
        let held = mutex.lock();
        assert!(take(&mutex).is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| take(&mutex).map(|value| *value));
            std::thread::sleep(Duration::from_millis(5));
            drop(held);
            assert_eq!(waiting.join().unwrap(), Some(7));
        });
    }
}
