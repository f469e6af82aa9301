//! Takes the teeth out of text that guests, boxes and registries wrote before a terminal sees it.
//!
//! A terminal obeys escape sequences: they move the cursor over what was said, set titles, answer as if typed. Nothing of
//! that gets through. Tabs stay, and colours where the caller asked for them.

/// `text` as one harmless line: no control characters but tab, no characters that reorder text. With `colors`, SGR
/// sequences stay and are closed at the end. Of a line rewritten in place (`10%\r20%`) the last state stays.
pub fn line(text: &str, colors: bool) -> String {
    let text = last_rewrite(text);
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut colored = false;
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => match rest.peek() {
                Some('[') => {
                    rest.next();
                    colored |= colour(&mut rest, colors, &mut clean);
                }
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut rest),
                _ => skip_escape(&mut rest),
            },
            '\u{9b}' => colored |= colour(&mut rest, colors, &mut clean),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
            '\t' => clean.push('\t'),
            c if c.is_control() || reorders(c) => {}
            c => clean.push(c),
        }
    }
    if colored {
        clean.push_str("\u{1b}[0m");
    }
    clean
}

/// [`line`] of every line of `text`.
pub fn lines(text: &str, colors: bool) -> Vec<String> {
    text.lines().map(|l| line(l, colors)).collect()
}

/// [`lines`], as one text again.
pub fn text(text: &str) -> String {
    lines(text, false).join("\n")
}

fn last_rewrite(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n']).rsplit('\r').next().unwrap_or_default()
}

/// Characters that change the order or visibility of their neighbours.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}')
}

/// After `ESC [`: takes the sequence; keeps it when it is a colour and colours are wanted.
fn colour(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, keep: bool, clean: &mut String) -> bool {
    let mut parameters = String::new();
    while let Some(c) = rest.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)) {
        parameters.push(c);
    }
    let Some(end) = rest.next_if(|c| ('\u{40}'..='\u{7e}').contains(c)) else { return false };
    let is_colour = end == 'm' && parameters.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':');
    if keep && is_colour {
        clean.push_str("\u{1b}[");
        clean.push_str(&parameters);
        clean.push('m');
        return true;
    }
    false
}

/// After `ESC ]` and its like: all up to BEL or ST.
fn skip_string(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(c) = rest.next() {
        match c {
            '\u{07}' | '\u{9c}' => return,
            '\u{1b}' if rest.peek() == Some(&'\\') => {
                rest.next();
                return;
            }
            _ => {}
        }
    }
}

/// After a lone `ESC`: intermediates and one final.
fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while rest.next_if(|c| ('\u{20}'..='\u{2f}').contains(c)).is_some() {}
    rest.next_if(|c| ('\u{30}'..='\u{7e}').contains(c));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sequences_are_taken_out() {
        let hostile = [
            ("plain\ttext", "plain\ttext"),
            ("a\u{1b}[2Jb", "ab"),
            ("\u{1b}]0;title\u{07}after", "after"),
            ("\u{1b}]52;c;aGk=\u{1b}\\after", "after"),
            ("\u{1b}Pq data\u{1b}\\x", "x"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}(0lines", "lines"),
            ("bell\u{07}\u{08}\u{7f}", "bell"),
            ("10%\r20%\r", "20%"),
            ("user\u{202e}gpj.exe", "usergpj.exe"),
            ("unended \u{1b}]0;everything", "unended "),
            ("\u{1b}", ""),
        ];
        for (dirty, clean) in hostile {
            assert_eq!(line(dirty, false), clean, "{dirty:?}");
        }
    }

    #[test]
    fn colours_stay_when_wanted_and_are_closed() {
        assert_eq!(line("\u{1b}[1;31mred", true), "\u{1b}[1;31mred\u{1b}[0m");
        assert_eq!(line("\u{1b}[31mred", false), "red");
        assert_eq!(line("\u{1b}[?25lhidden", true), "hidden");
        assert_eq!(line("\u{1b}[5Aup", true), "up");
    }

    proptest! {
        #[test]
        fn nothing_but_tabs_gets_through(text in any::<String>()) {
            prop_assert!(line(&text, false).chars().all(|c| c == '\t' || !c.is_control()));
        }

        #[test]
        fn clean_text_is_left_alone(text in "[a-zA-Z0-9 äöü✓→\t]*") {
            prop_assert_eq!(line(&text, true), text);
        }
    }
}
