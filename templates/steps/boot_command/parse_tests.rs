use std::time::Duration;

use super::keys;
use super::parse::{Action, TEXT_LIMIT, parse};

/// Short words for what is done.
fn words(text: &str) -> String {
    let actions = match parse(text) {
        Ok(actions) => actions,
        Err(mistakes) => return format!("ERROR {}", mistakes.join("; ")),
    };
    let word = |action: &Action| match action {
        Action::Character(c, _) => c.to_string(),
        Action::Press(key) => format!("[{}]", key.code),
        Action::Hold { key, down } => format!("[{}{}]", key.code, if *down { "↓" } else { "↑" }),
        Action::Wait(time) => format!("[{time:?}]"),
        Action::WaitText { text, limit } => format!("[see {text:?} {limit:?}]"),
    };
    actions.iter().map(word).collect()
}

#[test]
fn the_whole_language() {
    for (text, wanted) in [
        ("a<enter>B<esc>", "a[ret]B[esc]"),
        ("<ENTER><Return><bs><Del><f1><f12><PageUp><spacebar>", "[ret][ret][backspace][delete][f1][f12][pgup][spc]"),
        ("<leftShiftOn>a<leftShiftOff>", "[shift↓]a[shift↑]"),
        ("<LEFTCTRLON>c<leftctrlOFF>", "[ctrl↓]c[ctrl↑]"),
        ("<leftAltOn><f2><leftAltOff>", "[alt↓][f2][alt↑]"),
        ("<leftOption><rightCommandOn><menu>", "[alt][meta_r↓][compose]"),
        ("<aOn><aoff><>on><<Off>", "[a↓][a↑][dot↓][comma↑]"),
        ("<wait><wait5><wait10s><wait1m5s><wait300ms><wait1.5h><wait0>", "[1s][5s][10s][65s][300ms][5400s][0ns]"),
        ("<wait05>", "<wait05>"),
        ("<wait1.5>", "<wait1.5>"),
        ("<Wait5>", "<Wait5>"),
        ("<wait5x>", "<wait5x>"),
        ("<foo>", "<foo>"),
        ("<f13>", "<f13>"),
        ("a < b", "a < b"),
        ("<<enter>", "<[ret]"),
        ("<enter", "<enter"),
        ("<leftoptionon>", "[alt↓]"),
        ("<wait \"boot:\" 60s>x", "[see \"boot:\" 60s]x"),
        ("<wait\"login: \">", "[see \"login: \" 300s]"),
        (r#"<wait "say \"hi\" > now" 1m>"#, "[see \"say \\\"hi\\\" > now\" 60s]"),
        ("<wait \"no end>", "<wait \"no end>"),
        ("<wait-5s>", "ERROR Expecting a positive wait value. Got -5s"),
        ("<wait0s>", "ERROR Expecting a positive wait value. Got 0s"),
        ("<wait \"a\" -1s>", "ERROR Expecting a positive wait value. Got -1s"),
        ("<wait \"a\" soon>", "ERROR `<wait \"a\" soon>`: `soon` is not a time (write `60s`, `5m`)"),
        ("<wait \" \">", "ERROR `<wait \"…\">` needs a text to wait for"),
        (
            "é\té",
            "ERROR the character `é` (U+00E9) cannot be typed on a US keyboard, which is the one boot commands use; the character `\\t` \
             (U+0009) cannot be typed on a US keyboard, which is the one boot commands use",
        ),
    ] {
        assert_eq!(words(text), wanted, "{text}");
    }
    assert_eq!(TEXT_LIMIT, Duration::from_secs(300));
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".{0,40}", inside in "[<>a-zA-Z0-9\"\\\\. -]{0,40}") {
        let _ = parse(&text);
        if let Ok(actions) = parse(&format!("<{inside}>")) {
            proptest::prop_assert!(!actions.is_empty());
        }
    }

    #[test]
    fn plain_text_is_typed_as_it_is(text in "[ -;=-~]{0,60}") {
        let typed: String = parse(&text).unwrap().iter().map(|a| if let Action::Character(c, key) = a {
            assert_eq!(keys::of(*c), Some(*key));
            *c
        } else { '\0' }).collect();
        proptest::prop_assert_eq!(typed, text);
    }
}
