//! Keys as a PC's keyboard sends them (set 1), by QEMU's names for keys.

use crate::error::Error;

/// Keys of one byte, each with what it sends when it goes down.
const PLAIN: &[(&str, u8)] = &[
    ("esc", 0x01),
    ("1", 0x02),
    ("2", 0x03),
    ("3", 0x04),
    ("4", 0x05),
    ("5", 0x06),
    ("6", 0x07),
    ("7", 0x08),
    ("8", 0x09),
    ("9", 0x0a),
    ("0", 0x0b),
    ("minus", 0x0c),
    ("equal", 0x0d),
    ("backspace", 0x0e),
    ("tab", 0x0f),
    ("q", 0x10),
    ("w", 0x11),
    ("e", 0x12),
    ("r", 0x13),
    ("t", 0x14),
    ("y", 0x15),
    ("u", 0x16),
    ("i", 0x17),
    ("o", 0x18),
    ("p", 0x19),
    ("bracket_left", 0x1a),
    ("bracket_right", 0x1b),
    ("ret", 0x1c),
    ("ctrl", 0x1d),
    ("a", 0x1e),
    ("s", 0x1f),
    ("d", 0x20),
    ("f", 0x21),
    ("g", 0x22),
    ("h", 0x23),
    ("j", 0x24),
    ("k", 0x25),
    ("l", 0x26),
    ("semicolon", 0x27),
    ("apostrophe", 0x28),
    ("grave_accent", 0x29),
    ("shift", 0x2a),
    ("backslash", 0x2b),
    ("z", 0x2c),
    ("x", 0x2d),
    ("c", 0x2e),
    ("v", 0x2f),
    ("b", 0x30),
    ("n", 0x31),
    ("m", 0x32),
    ("comma", 0x33),
    ("dot", 0x34),
    ("slash", 0x35),
    ("shift_r", 0x36),
    ("alt", 0x38),
    ("spc", 0x39),
    ("caps_lock", 0x3a),
    ("f1", 0x3b),
    ("f2", 0x3c),
    ("f3", 0x3d),
    ("f4", 0x3e),
    ("f5", 0x3f),
    ("f6", 0x40),
    ("f7", 0x41),
    ("f8", 0x42),
    ("f9", 0x43),
    ("f10", 0x44),
    ("less", 0x56),
    ("f11", 0x57),
    ("f12", 0x58),
];

/// Keys that send 0xe0 first.
const EXTENDED: &[(&str, u8)] = &[
    ("kp_enter", 0x1c),
    ("ctrl_r", 0x1d),
    ("alt_r", 0x38),
    ("home", 0x47),
    ("up", 0x48),
    ("pgup", 0x49),
    ("left", 0x4b),
    ("right", 0x4d),
    ("end", 0x4f),
    ("down", 0x50),
    ("pgdn", 0x51),
    ("insert", 0x52),
    ("delete", 0x53),
    ("meta_l", 0x5b),
    ("meta_r", 0x5c),
    ("menu", 0x5d),
];

/// What a key sends, as `VBoxManage` takes it.
pub fn of(key: &str, down: bool) -> Result<Vec<String>, Error> {
    let code = |table: &[(&str, u8)]| table.iter().find(|(name, _)| *name == key).map(|(_, code)| code | if down { 0 } else { 0x80 });
    match (code(PLAIN), code(EXTENDED)) {
        (Some(code), _) => Ok(vec![format!("{code:02x}")]),
        (None, Some(code)) => Ok(vec!["e0".to_owned(), format!("{code:02x}")]),
        (None, None) => Err(Error::Settings(format!("`{key}` is not a key"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_down_and_come_up() {
        assert_eq!((of("a", true).unwrap(), of("a", false).unwrap()), (vec!["1e".to_owned()], vec!["9e".to_owned()]));
        assert_eq!(of("up", false).unwrap(), ["e0", "c8"]);
        assert!(of("no such key", true).is_err());
    }
}
