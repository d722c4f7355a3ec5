//! Texts of others in our pages: nothing in them is markup, breaks a line or hides.

/// A text as the cell of a Markdown table.
pub fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '|' | '[' | ']' | '*' | '\\' | '!' => out.extend(['\\', letter]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' | '\t' => out.push(' '),
            _ if is_hidden(letter) => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}

/// Control characters, and those that reorder or take no room.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Some of many, and how many there are beside.
pub fn some(texts: &[String], most: usize) -> String {
    let shown = texts.iter().take(most).cloned().collect::<Vec<_>>().join("; ");
    match texts.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_markup_or_hidden() {
        assert_eq!(cell("a|b\n# c <i> &amp; [x](y)"), "a\\|b # c &lt;i> &amp;amp; \\[x\\](y)");
        assert_eq!(cell("1\u{202e}0\u{200b}\u{1b}[2J"), "1\u{fffd}0\u{fffd}\u{fffd}\\[2J");
        assert_eq!(cell("`code` – é"), "`code` – é");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let texts: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(some(&texts, 3), "a; b; c");
        assert_eq!(some(&texts, 1), "a; and 2 more");
    }
}
