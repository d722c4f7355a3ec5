//! Quotes of Ruby, Perl and PHP that other languages have not, as quotes that they have: line for line.
//!
//! `` `…` ``, `%x(…)` and `qx{…}` run what they hold, which is written as `system(…)`; `%w[…]` and `qw(…)` are lists of words;
//! `q(…)`, `%q(…)` and a text with `#{…}` or `$name` in it are texts.

/// Whether a script is in one of these languages, by its name and first line.
pub fn is_of_these(name: &str, text: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let first = text.lines().next().filter(|first| first.starts_with("#!")).unwrap_or_default();
    [".rb", ".rake", ".pl", ".pm", ".php"].iter().any(|ending| name.ends_with(ending))
        || name == "rakefile"
        || ["ruby", "perl", "php"].iter().any(|language| first.contains(language))
}

/// How often a text is gone through in search of what closes its quotes; an honest one needs it once or twice.
const SEARCHES_MOST: usize = 16;

/// The program with its quotes written otherwise; none where nobody can tell what closes them.
pub fn as_common(text: &str) -> Option<String> {
    let mut budget = text.len().saturating_mul(SEARCHES_MOST).saturating_add(4096);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // What stands before decides whether a `%` or a `q` begins a quote.
    let mut before = '\n';
    while let Some(c) = rest.chars().next() {
        let (done, after) = piece(c, rest, before, &mut budget);
        if budget == 0 {
            return None;
        }
        before = rest.get(..rest.len().saturating_sub(after.len())).and_then(|own| own.chars().last()).unwrap_or(c);
        out.push_str(&done);
        rest = after;
    }
    Some(out)
}

/// The next piece, written otherwise, and what follows it.
fn piece<'t>(c: char, rest: &'t str, before: char, budget: &mut usize) -> (String, &'t str) {
    let fresh = !(before.is_alphanumeric() || matches!(before, '_' | '$' | '@' | '%' | '&' | '>' | '-' | ')' | ']'));
    let behind = rest.get(c.len_utf8()..).unwrap_or_default();
    match c {
        '#' if fresh || matches!(before, ')' | ']') => {
            let end = rest.find('\n').unwrap_or(rest.len());
            let (comment, after) = rest.split_at(end);
            (comment.to_owned(), after)
        }
        '=' if before == '\n' && behind.starts_with(|c: char| c.is_ascii_alphabetic()) => documentation(rest),
        '\'' => verbatim(rest, behind, '\'', budget),
        '"' => match inner(behind, '"', '"', budget).filter(|(inside, _)| !inside.contains('\n')) {
            Some((inside, after)) if inside.contains("#{") || inside.contains('$') => {
                (format!("{}{}", text(inside), run_inside(inside)), after)
            }
            _ => verbatim(rest, behind, '"', budget),
        },
        '`' => match inner(behind, '`', '`', budget) {
            Some((inside, after)) => (format!("system({})", text(inside)), after),
            None => (String::new(), behind),
        },
        '%' | 'q' if fresh => quoted(rest, budget).unwrap_or_else(|| (c.to_string(), behind)),
        // A variable's mark is no part of its name.
        '$' | '@' if behind.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => (String::new(), behind),
        _ => (c.to_string(), behind),
    }
}

/// A text as it stands, where it ends on its line; else its mark alone.
fn verbatim<'t>(rest: &'t str, behind: &'t str, quote: char, budget: &mut usize) -> (String, &'t str) {
    let end = inner(behind, quote, quote, budget).filter(|(inside, _)| !inside.contains('\n'));
    match end {
        Some((_, after)) => {
            let own = rest.get(..rest.len().saturating_sub(after.len())).unwrap_or_default();
            (own.to_owned(), after)
        }
        None => (quote.to_string(), behind),
    }
}

/// `=begin` to `=end`, `=pod` to `=cut`: only its lines are left.
fn documentation(rest: &str) -> (String, &str) {
    let marks = rest.match_indices("\n=").map(|(at, _)| at);
    let ends = |at: &usize| {
        rest.get(at.saturating_add(2)..).is_some_and(|word| word.starts_with("end") || word.starts_with("cut"))
    };
    let end = marks.into_iter().find(ends);
    let (own, after) = rest.split_at(end.map_or(rest.len(), |at| at.saturating_add(1)));
    let after_end = after.find('\n').map_or("", |at| after.get(at..).unwrap_or_default());
    ("\n".repeat(own.matches('\n').count()), after_end)
}

/// `%x(…)`, `%w[…]`, `%q(…)`, `%(…)`, `q(…)`, `qq(…)`, `qw(…)`, `qx(…)`.
fn quoted<'t>(rest: &'t str, budget: &mut usize) -> Option<(String, &'t str)> {
    let kinds =
        [("%x", 'x'), ("%w", 'w'), ("%W", 'w'), ("%i", 'w'), ("%q", 'q'), ("%Q", 't'), ("qx", 'x'), ("qw", 'w')];
    let more = [("qq", 't'), ("q", 'q'), ("%", 't')];
    let (behind, kind) = kinds
        .into_iter()
        .chain(more)
        .find_map(|(start, kind)| rest.strip_prefix(start).map(|behind| (behind, kind)))?;
    let apart = if rest.starts_with('q') { behind.trim_start_matches(' ') } else { behind };
    let open = apart.chars().next()?;
    let close = match open {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        '<' => '>',
        '/' | '|' | '!' | '~' if !rest.starts_with(['%']) || kind != 't' => open,
        _ => return None,
    };
    let (inside, after) = inner(apart.get(open.len_utf8()..)?, open, close, budget)?;
    let own = match kind {
        'x' => format!("system({})", text(inside)),
        'w' => {
            let words: Vec<String> = inside.split_whitespace().map(|word| format!("\"{}\"", plain(word))).collect();
            format!("[{}]{}", words.join(", "), "\n".repeat(inside.matches('\n').count()))
        }
        'q' => format!("`{}`", plain(inside)),
        _ => text(inside),
    };
    Some((own, after))
}

/// What stands up to the mark that closes, and what follows it.
fn inner<'t>(text: &'t str, open: char, close: char, budget: &mut usize) -> Option<(&'t str, &'t str)> {
    let mut depth = 0_usize;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        *budget = budget.saturating_sub(1);
        if *budget == 0 {
            return None;
        }
        if c == '\\' {
            chars.next();
        } else if c == close {
            if depth == 0 {
                let (inside, after) = text.split_at(at);
                return Some((inside, after.get(close.len_utf8()..).unwrap_or_default()));
            }
            depth = depth.saturating_sub(1);
        } else if c == open {
            depth = depth.saturating_add(1);
        }
    }
    None
}

/// What the places to fill of a text run: `"#{`…`}"`, behind the text.
fn run_inside(inside: &str) -> String {
    let places = inside.split("#{").skip(1).filter_map(|place| place.split_once('`')?.1.split_once('`'));
    places.map(|(command, _)| format!("; system({})", text(command))).collect()
}

/// A text with places to fill, as a template of backticks: `#{x}` and `$x` as `${x}`.
fn text(inside: &str) -> String {
    let mut out = String::from("`");
    let mut rest = inside;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        let name: String = behind.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        match c {
            '#' if behind.starts_with('{') => out.push('$'),
            '$' if !name.is_empty() => {
                out.push_str(&format!("${{{name}}}"));
                rest = behind.get(name.len()..).unwrap_or_default();
                continue;
            }
            '`' => out.push_str("\\`"),
            c => out.push(c),
        }
        rest = behind;
    }
    out.push('`');
    out
}

/// A text without places to fill.
fn plain(inside: &str) -> String {
    inside.replace(['`', '"'], "")
}

#[cfg(test)]
mod tests {
    use super::as_common;

    #[test]
    fn what_runs_is_a_call_and_what_is_a_list_is_one() {
        for (own, common) in [
            ("x = `a #{b}`", "x = system(`a ${b}`)"),
            ("%x(a (b) c)", "system(`a (b) c`)"),
            ("qx{a $b}", "system(`a ${b}`)"),
            ("my @c = qw(a b);", "my c = [\"a\", \"b\"];"),
            ("$ENV{A} = q(b);", "ENV{A} = `b`;"),
            ("$ENV{A} = $mode;", "ENV{A} = mode;"),
            ("\"a #{b}\" 'c #{d}'", "`a ${b}` 'c #{d}'"),
            ("a % b; 7 %(3)", "a % b; 7 `3`"),
            ("# don't `run`\nx", "# don't `run`\nx"),
            ("=begin\n`a`\n=end\nx", "\n\n\nx"),
            ("it's", "it's"),
        ] {
            assert_eq!(as_common(own).as_deref(), Some(common), "{own}");
        }
    }

    #[test]
    fn lines_stay_what_they_are() {
        for odd in ["`", "%x(", "q", "%", "=begin\n", "qw(a\nb)\nc", "\"#{", "`a\nb`\nc", "=a\n=cut", "é`", "q é"] {
            let lines = as_common(odd).unwrap().matches('\n').count();
            assert!(lines <= odd.matches('\n').count(), "{odd}");
        }
        assert_eq!(as_common("qw(a\nb)\nc").unwrap().matches('\n').count(), 2);
    }

    #[test]
    fn quotes_that_nothing_closes_are_given_up_in_time() {
        for odd in ["%x(", "\"\\", "q{", "qw("] {
            assert_eq!(as_common(&odd.repeat(100_000)), None, "{odd}");
        }
    }
}
