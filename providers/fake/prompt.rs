//! A prompt that shows what is typed, for tests of typing.

use serde::{Deserialize, Serialize};

use crate::capability::Stroke;

/// Columns of its screen.
const COLUMNS: usize = 80;
/// Signs of keys that are not named after theirs: plain and with shift.
const SIGNS: [(&str, char, char); 8] = [
    ("spc", ' ', ' '),
    ("minus", '-', '_'),
    ("equal", '=', '+'),
    ("slash", '/', '?'),
    ("dot", '.', '>'),
    ("comma", ',', '<'),
    ("semicolon", ';', ':'),
    ("ret", '\n', '\n'),
];

/// What it shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prompt {
    shown: String,
    shift: bool,
    typed: u32,
    /// Every key that went down or up, as `a+` and `a-`.
    pub strokes: Vec<String>,
}

impl Default for Prompt {
    fn default() -> Self {
        Self { shown: "fake boot loader\nboot: ".to_owned(), shift: false, typed: 0, strokes: Vec::new() }
    }
}

impl Prompt {
    /// A key goes down or comes up; every `loses`th character is lost.
    pub fn take(&mut self, stroke: Stroke<'_>, loses: u32) {
        self.strokes.push(format!("{}{}", stroke.key, if stroke.down { '+' } else { '-' }));
        if stroke.key == "shift" {
            self.shift = stroke.down;
        } else if !stroke.down {
        } else if stroke.key == "backspace" {
            self.shown.pop();
        } else if let Some(sign) = self.sign(stroke.key) {
            self.typed += 1;
            if loses == 0 || !self.typed.is_multiple_of(loses) {
                self.shown.push(sign);
                self.shown.push_str(if sign == '\n' { "boot: " } else { "" });
            }
        }
    }

    fn sign(&self, key: &str) -> Option<char> {
        if let Some((_, plain, shifted)) = SIGNS.iter().find(|(name, ..)| *name == key) {
            return Some(if self.shift { *shifted } else { *plain });
        }
        let sign = key.chars().next().filter(|_| key.len() == 1)?;
        Some(if self.shift { sign.to_ascii_uppercase() } else { sign })
    }

    /// Its rows; none when it shows nothing, as a screen that is no text.
    pub fn rows(&self) -> Option<Vec<String>> {
        let cut = |line: &str| {
            let signs: Vec<char> = line.chars().collect();
            signs.chunks(COLUMNS).map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect::<Vec<_>>()
        };
        Some(self.shown.lines().flat_map(cut).collect())
    }
}
