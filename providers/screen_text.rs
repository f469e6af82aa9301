//! Reads the text on a screen from its pixels: cell by cell, by a font, or by what the memory of a text card says is there.
//!
//! No font is kept here. It is found in the guest's own card, whose BIOS carries the one that text modes show and that the consoles
//! of most systems draw as well.

use std::collections::HashMap;

/// Height of a cell; the width is 8, or 9 in text modes (the last column is between the letters).
const CELL_HEIGHT: usize = 16;
/// Bytes of a font of 256 such cells.
const FONT_BYTES: usize = 256 * CELL_HEIGHT;
/// Pixels by which a letter may differ from the font's.
const LIKENESS: u32 = 4;
/// A screen is a text when this part of the cells that show something are letters (in tenths).
const LETTERS: usize = 7;
/// What stands for a cell that no letter explains.
const UNKNOWN: char = '\u{fffd}';
/// Columns of a text mode.
const COLUMNS: usize = 80;

/// The signs of code page 437, which PC cards show for the codes 0 to 255.
const CODE_PAGE: &str = concat!(
    " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼",
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~⌂",
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ",
);

/// A picture of a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Three bytes for each pixel.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Reads a binary PPM, as QEMU writes it. None when it is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"P6")?;
        let mut number = || {
            let start = rest.iter().position(u8::is_ascii_digit)?;
            let length = rest[start..].iter().position(|b| !b.is_ascii_digit())?;
            let number: usize = std::str::from_utf8(&rest[start..start + length]).ok()?.parse().ok()?;
            rest = &rest[start + length..];
            Some(number)
        };
        let (width, height, deepest) = (number()?, number()?, number()?);
        let size = width.checked_mul(height)?.checked_mul(3)?;
        let pixels = rest.get(1..)?.get(..size)?.to_vec();
        (deepest == 255 && width > 0 && height > 0).then_some(Self { width, height, pixels })
    }

    /// Width of a cell, when this may be a screen of such cells.
    fn cell(&self) -> usize {
        if self.width == COLUMNS * 9 { 9 } else { 8 }
    }

    /// Whether it has the size of a card's text mode.
    pub fn may_be_text_mode(&self) -> bool {
        (self.width == COLUMNS * 9 || self.width == COLUMNS * 8) && self.height == 25 * CELL_HEIGHT
    }

    fn pixel(&self, x: usize, y: usize) -> &[u8] {
        let at = (y * self.width + x) * 3;
        &self.pixels[at..at + 3]
    }

    /// The pixels of a cell that differ from its background (the colour of most of them), eight for each row.
    fn shape(&self, column: usize, row: usize) -> u128 {
        let (left, top) = (column * self.cell(), row * CELL_HEIGHT);
        let first = self.pixel(left, top).to_vec();
        let mut bits = 0u128;
        for y in 0..CELL_HEIGHT {
            for x in 0..8 {
                bits = bits << 1 | u128::from(self.pixel(left + x, top + y) != first.as_slice());
            }
        }
        if bits.count_ones() > 64 { !bits } else { bits }
    }

    /// All pixels of a cell, for comparing cells with each other.
    fn cell_bytes(&self, column: usize, row: usize) -> Vec<u8> {
        let (left, top) = (column * self.cell(), row * CELL_HEIGHT);
        (0..CELL_HEIGHT).flat_map(|y| (0..self.cell()).flat_map(move |x| self.pixel(left + x, top + y).to_vec())).collect()
    }

    fn size_in_cells(&self) -> (usize, usize) {
        (self.width / self.cell(), self.height / CELL_HEIGHT)
    }
}

/// A font of 256 letters.
pub struct Font {
    letters: HashMap<u128, char>,
}

impl Font {
    /// Looks for one in the BIOS of a card. A font gives itself away: some of its letters are blank, some are full or half full.
    pub fn find(rom: &[u8]) -> Option<Self> {
        let letter = |at: usize, code: usize| &rom[at + code * CELL_HEIGHT..at + (code + 1) * CELL_HEIGHT];
        let is_font = |at: &usize| {
            let all = |code, value| letter(*at, code).iter().all(|b| *b == value);
            let lower = letter(*at, 0xdc);
            let half = lower[0] == 0 && lower[CELL_HEIGHT - 1] == 0xff;
            all(0x20, 0) && all(0xdb, 0xff) && half && all(0xff, 0) && all(0, 0) && !all(b'A'.into(), 0)
        };
        let at = (0..rom.len().checked_sub(FONT_BYTES)? + 1).find(is_font)?;
        let mut letters = HashMap::new();
        for (code, sign) in CODE_PAGE.chars().enumerate() {
            let bits = letter(at, code).iter().fold(0u128, |bits, row| bits << 8 | u128::from(*row));
            let shape = if bits.count_ones() > 64 { !bits } else { bits };
            // Plain letters win over others of the same shape.
            if sign.is_ascii() || !letters.contains_key(&shape) {
                letters.entry(shape).or_insert(sign);
            }
        }
        Some(Self { letters })
    }

    fn letter(&self, shape: u128) -> Option<char> {
        if shape == 0 {
            return Some(' ');
        }
        if let Some(letter) = self.letters.get(&shape) {
            return Some(*letter);
        }
        let (letter, distance) =
            self.letters.iter().map(|(known, letter)| (*letter, (known ^ shape).count_ones())).min_by_key(|(_, d)| *d)?;
        (distance <= LIKENESS && letter.is_ascii() && letter != ' ').then_some(letter)
    }

    /// The rows of text on a picture; none when it shows something else.
    pub fn text(&self, picture: &Picture) -> Option<Vec<String>> {
        let (columns, rows) = picture.size_in_cells();
        let (mut shown, mut letters) = (0, 0);
        let mut text = Vec::new();
        let mut known = HashMap::new();
        for row in 0..rows {
            let mut line = String::new();
            for column in 0..columns {
                let shape = picture.shape(column, row);
                let letter = *known.entry(shape).or_insert_with(|| self.letter(shape));
                shown += usize::from(shape != 0);
                letters += usize::from(shape != 0 && letter.is_some());
                line.push(letter.unwrap_or(UNKNOWN));
            }
            text.push(line.trim_end().to_owned());
        }
        (letters * 10 >= shown * LETTERS).then_some(text)
    }
}

/// The rows of text of a card in text mode, from its memory. The memory holds more than is shown; which part that is tells the picture:
/// where the same sign stands in the same colours, it must look the same. None when no part of the memory fits.
pub fn of_text_memory(picture: &Picture, memory: &[u8]) -> Option<Vec<String>> {
    let (columns, rows) = picture.size_in_cells();
    let mut seen = HashMap::new();
    let mut looks = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let next = seen.len();
            looks.push(*seen.entry(picture.cell_bytes(column, row)).or_insert(next));
        }
    }
    let cells: Vec<[u8; 2]> = memory.as_chunks::<2>().0.to_vec();
    let starts = (0..=cells.len().checked_sub(looks.len())?).step_by(columns);
    let fits = |start: usize| {
        let mut look_of = HashMap::new();
        cells[start..start + looks.len()]
            .iter()
            .zip(&looks)
            .filter(|(cell, look)| *look_of.entry(**cell).or_insert(**look) != **look)
            .count()
    };
    let (start, wrong) = starts.map(|start| (start, fits(start))).min_by_key(|(_, wrong)| *wrong)?;
    // The cursor is a cell that looks different, and a line may have come in between.
    let blank = looks.iter().all(|look| *look == looks[0]);
    if wrong > columns / 2 || blank && cells[start..start + looks.len()].iter().any(|c| c[0] != 0 && c[0] != b' ') {
        return None;
    }
    let signs: Vec<char> = CODE_PAGE.chars().collect();
    let sign = |cell: &[u8; 2]| signs.get(usize::from(cell[0])).copied().unwrap_or(UNKNOWN);
    let line = |row: usize| {
        let at = start + row * columns;
        cells[at..at + columns].iter().map(sign).collect::<String>().trim_end().to_owned()
    };
    Some((0..rows).map(line).collect())
}

#[cfg(test)]
#[path = "screen_text_tests.rs"]
mod tests;
