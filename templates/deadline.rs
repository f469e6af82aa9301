//! Work with a limit of time: it gets a token of its own, which is set when the user interrupts or the time is over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kiste_core::Cancel;

/// Runs `work`; the second result tells whether the time was over before it ended.
pub fn limited<R: Send>(cancel: &Cancel, limit: Duration, work: impl FnOnce(&Cancel) -> R + Send) -> (R, bool) {
    let inner = Cancel::new();
    let done = AtomicBool::new(false);
    let late = AtomicBool::new(false);
    let end = Instant::now() + limit;
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                if Instant::now() >= end {
                    late.store(true, Ordering::SeqCst);
                }
                if late.load(Ordering::SeqCst) || cancel.is_cancelled() {
                    inner.cancel();
                    return;
                }
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        let result = work(&inner);
        done.store(true, Ordering::SeqCst);
        result
    });
    (result, late.load(Ordering::SeqCst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_and_the_user_both_end_it() {
        let cancel = Cancel::new();
        assert_eq!(limited(&cancel, Duration::from_secs(60), |_| 1), (1, false));
        let (slept, late) = limited(&cancel, Duration::from_millis(5), |inner| inner.sleep(Duration::from_secs(60)).is_err());
        assert!(slept && late);
        cancel.cancel();
        let (slept, late) = limited(&cancel, Duration::from_secs(60), |inner| inner.sleep(Duration::from_secs(60)).is_err());
        assert!(slept && !late);
    }
}
