use super::*;

/// A font as a card would have it: every letter of its own shape.
fn rom() -> Vec<u8> {
    let mut rom = vec![0x5a; 300];
    for code in 0..256usize {
        let letter = match code {
            0 | 0x20 | 0xff => [0; 16],
            0xdb => [0xff; 16],
            0xdc => std::array::from_fn(|y| if y < 7 { 0 } else { 0xff }),
            0xdf => std::array::from_fn(|y| if y < 7 { 0xff } else { 0 }),
            _ => std::array::from_fn(|y| if (2..12).contains(&y) { (code as u8).rotate_left(y as u32) ^ (y as u8 * 13) } else { 0 }),
        };
        rom.extend(letter);
    }
    rom.extend([0; 100]);
    rom
}

/// Draws rows of text as a card does.
fn draw(rows: &[&str], columns: usize, cell: usize, colours: [[u8; 3]; 2]) -> Picture {
    let rom = rom();
    let mut picture = Picture { width: columns * cell, height: rows.len() * 16, pixels: Vec::new() };
    for y in 0..picture.height {
        for x in 0..picture.width {
            let code = rows[y / 16].as_bytes().get(x / cell).copied().unwrap_or(b' ');
            let row = rom[300 + usize::from(code) * 16 + y % 16];
            let on = x % cell < 8 && row >> (7 - x % cell) & 1 == 1;
            picture.pixels.extend(colours[usize::from(on)]);
        }
    }
    picture
}

const GREY_ON_BLACK: [[u8; 3]; 2] = [[0; 3], [170; 3]];

fn padded(rows: &[&'static str]) -> Vec<&'static str> {
    let mut all = rows.to_vec();
    all.resize(25, "");
    all
}

#[test]
fn the_code_page_has_a_sign_for_every_code() {
    let signs: Vec<char> = CODE_PAGE.chars().collect();
    assert_eq!(signs.len(), 256);
    assert!((b' '..=b'~').all(|c| signs[usize::from(c)] == char::from(c)));
    assert_eq!((signs[0xb3], signs[0xdb], signs[0xf6]), ('│', '█', '÷'));
}

#[test]
fn letters_are_read_in_any_colour() {
    let font = Font::find(&rom()).unwrap();
    let rows = padded(&["boot: install", "", "  0123 ~^\\"]);
    for (cell, colours) in [(8, GREY_ON_BLACK), (9, GREY_ON_BLACK), (8, [[0, 0, 170], [255, 255, 255]]), (8, [[200; 3], [0; 3]])] {
        let picture = draw(&rows, 80, cell, colours);
        assert_eq!(font.text(&picture).unwrap(), rows);
    }
    let large = draw(&["a", "login:"], 128, 8, GREY_ON_BLACK);
    assert_eq!(font.text(&large).unwrap(), ["a", "login:"]);
}

#[test]
fn letters_may_differ_a_little_and_pictures_are_no_text() {
    let font = Font::find(&rom()).unwrap();
    let mut picture = draw(&["install"], 80, 8, GREY_ON_BLACK);
    let at = (3 * picture.width + 8 + 3) * 3;
    let other = if picture.pixels[at] == 0 { 170 } else { 0 };
    picture.pixels[at..at + 3].fill(other);
    assert_eq!(font.text(&picture).unwrap(), ["install"]);
    let noise =
        Picture { width: 640, height: 64, pixels: (0..640 * 64 * 3).map(|i: usize| (i.wrapping_mul(2_654_435_761) >> 7) as u8).collect() };
    assert_eq!(font.text(&noise), None);
    assert!(Font::find(&[0; 10_000]).is_none() && Font::find(&[]).is_none());
}

#[test]
fn the_part_of_the_memory_that_is_shown_is_found() {
    let rows = padded(&["Linux says hello", "eth0: link is up", "installer: done", "# "]);
    let picture = draw(&rows, 80, 9, GREY_ON_BLACK);
    let mut memory = Vec::new();
    let mut line = |text: &str| memory.extend(format!("{text:<80}").bytes().flat_map(|b| [b, 7]));
    for number in 0..60 {
        line(&format!("an older line {number}"));
    }
    rows.iter().for_each(|row| line(row));
    for number in 0..40 {
        line(&format!("{number} from before that"));
    }
    assert_eq!(of_text_memory(&picture, &memory).unwrap(), rows.iter().map(|r| r.trim_end()).collect::<Vec<_>>());
    assert_eq!(of_text_memory(&picture, &memory[..10_000]), None, "a part that shows something else was taken");
    assert_eq!(of_text_memory(&picture, &[]), None);
}

#[test]
fn only_pictures_are_read() {
    let picture = draw(&["x"], 10, 8, GREY_ON_BLACK);
    let bytes = [b"P6\n80 16\n255\n".as_slice(), &picture.pixels].concat();
    assert_eq!(Picture::read(&bytes), Some(picture));
    for bytes in [b"".as_slice(), b"P6", b"P6 1 1 255", b"P6\n9999999999999999999 1\n255\n", b"P6\n80 16\n255\nabc", b"P5\n1 1\n255\nabc"] {
        assert_eq!(Picture::read(bytes), None);
    }
}
