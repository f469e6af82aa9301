//! Ctrl-C, SIGTERM and a closed terminal: the first asks everything to unwind, the second ends kiste at once.

use kiste_core::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::context::Context;
use crate::exit;
use crate::ui::packer::Tone;

/// Watches from now on.
pub fn watch(cancel: &Cancel, context: &Context) {
    let cancel = cancel.clone();
    let sinks = context.sinks();
    let mut signals = match Signals::new([SIGINT, SIGTERM, SIGHUP]) {
        Ok(signals) => signals,
        Err(e) => return tracing::warn!("signals can't be caught: {e}"),
    };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if cancel.is_cancelled() {
                signal_hook::low_level::exit(i32::from(exit::INTERRUPTED));
            }
            cancel.cancel();
            if let Some(packer) = sinks.as_packer() {
                let what = if signal == SIGINT { "interrupt" } else { "terminated" };
                packer.tell(Tone::Error, &format!("Cancelling build after receiving {what}"));
                continue;
            }
            eprintln!("\nInterrupted: cleaning up. Once more stops at once.");
        }
    });
}
