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

/// Stands for a letter on the screen that no font explains.
const UNKNOWN: char = '\u{fffd}';

/// Whether the text is there. Letters that could not be read may be any, as long as two in three of the text's were.
pub fn holds(screen: &str, text: &str) -> bool {
    if screen.contains(text) {
        return true;
    }
    let wanted: Vec<char> = text.chars().collect();
    let needed = wanted.iter().filter(|c| !c.is_whitespace()).count();
    screen.lines().any(|line| {
        let line: Vec<char> = line.chars().collect();
        line.windows(wanted.len().max(1)).any(|part| {
            let pairs = || part.iter().zip(&wanted);
            let read = pairs().filter(|(seen, wanted)| seen == wanted && !wanted.is_whitespace()).count();
            pairs().all(|(seen, wanted)| seen == wanted || *seen == UNKNOWN) && read * 3 >= needed * 2
        })
    })
}

/// The last line that is not blank.
pub fn last_line(text: &str) -> Option<String> {
    text.lines().rev().map(str::trim).find(|l| !l.is_empty()).map(|l| l.chars().take(100).collect())
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn a_text_is_known_by_most_of_its_letters() {
        let screen = "\nEntering lo\u{fffd} \u{fffd}e\u{fffd}ory \u{fffd}ode\n\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\n";
        assert!(holds(screen, "low memory mode") && holds(screen, "Entering"));
        assert!(!holds(screen, "login") && !holds(screen, "low memory made") && !holds(screen, "lines that are longer than any of these"));
    }
}
