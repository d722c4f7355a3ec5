//! Words of others, made safe to print.

/// Whether a character can draw on a terminal, or change how what stands beside it is shown: controls (C0, DEL and C1), line and
/// paragraph separators, and the invisible ones, which are those of direction and those without width.
fn draws(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// Text with control and invisible characters escaped, so that nobody's words can draw on the terminal or hide there.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if draws(letter) {
            plain.extend(letter.escape_default());
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_holds_no_controls_and_nothing_invisible() {
        let outside = ['\u{0}'..='\u{1f}', '\u{7f}'..='\u{9f}', '\u{200b}'..='\u{200f}', '\u{202a}'..='\u{202e}']
            .into_iter()
            .chain(['\u{2066}'..='\u{2069}', '\u{feff}'..='\u{feff}', '\u{61c}'..='\u{61c}'])
            .flatten();
        for letter in outside {
            let shown = plain(&format!("a{letter}b"));
            assert!(shown.chars().all(|letter| letter.is_ascii_graphic()), "{shown:?}");
            assert!(shown.starts_with("a\\") && shown.ends_with('b'), "{shown:?}");
        }
        assert_eq!(plain("▲ +12.30 · 1× é 語"), "▲ +12.30 · 1× é 語");
    }
}
