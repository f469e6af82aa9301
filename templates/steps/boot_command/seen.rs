//! What a guest shows: the text on its screen, and what it wrote to its serial console.

use std::io::{Read, Seek, SeekFrom};

use super::Console;
use crate::steps::connect::plain;

/// So much of the serial console is looked at.
const SERIAL: u64 = 1 << 20;
/// Rows of at least so many signs may go on in the next row.
pub const FULL_ROW: usize = 80;

/// Rows of the screen; none when it shows no text that can be read.
pub fn rows(console: &Console<'_>) -> Option<Vec<String>> {
    // A screen that can't be looked at now may be there at the next look.
    console.driver.screen()?.text(&console.vm).ok().flatten()
}

/// Rows as one text, where a full row goes on in the next.
pub fn joined(rows: &[String]) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(row);
        if row.chars().count() < FULL_ROW {
            text.push('\n');
        }
    }
    text
}

/// How much the guest has written to its serial console.
pub fn serial_length(console: &Console<'_>) -> u64 {
    let path = console.driver.serial().map(|serial| serial.serial_log(&console.vm));
    path.and_then(|p| p.metadata().ok()).map_or(0, |m| m.len())
}

/// What it wrote there from `mark` on, without colours; its end when that is long.
pub fn serial_since(console: &Console<'_>, mark: u64) -> String {
    let read = || {
        let mut file = std::fs::File::open(console.driver.serial()?.serial_log(&console.vm)).ok()?;
        let length = file.metadata().ok()?.len();
        // A log that became shorter was begun anew.
        let from = if mark > length { 0 } else { mark }.max(length.saturating_sub(SERIAL));
        file.seek(SeekFrom::Start(from)).ok()?;
        let mut bytes = Vec::new();
        file.take(SERIAL).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).lines().map(|l| plain(l) + "\n").collect::<String>())
    };
    read().unwrap_or_default()
}

/// The last line that is not blank.
pub fn last_line(text: &str) -> Option<String> {
    text.lines().rev().map(str::trim).find(|l| !l.is_empty()).map(|l| l.chars().take(100).collect())
}
