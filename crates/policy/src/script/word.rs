//! Reads a shell's words: quotes, escapes, parameters, substitutions, arrays.

use super::parse::{DEPTH_MOST, Parser, arithmetic_width};
use super::syntax::{Part, Word};

/// How a piece of text ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// At a double quote.
    Quote,
    /// At a closing brace, outside of double quotes or inside.
    Brace { quoted: bool },
    /// With the text.
    Text,
}

impl Parser<'_, '_> {
    /// A word, empty where none begins.
    pub(super) fn word(&mut self) -> Word {
        let mut builder = Builder { word: Word { line: self.line(), ..Word::default() }, bare: true };
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '|' | '&' | ')' => break,
                '<' | '>' if self.peek_second() == Some('(') => {
                    self.skip(2);
                    let commands = self.nested_list();
                    builder.part(if c == '<' { Part::Process { commands } } else { Part::Opaque });
                }
                '<' | '>' => break,
                '(' if builder.is_array_start() => {
                    self.skip(1);
                    self.depth = self.depth.saturating_add(1);
                    if self.depth > DEPTH_MOST {
                        self.script.broken = true;
                        self.at = self.text.len();
                    }
                    let elements = self.elements();
                    self.depth = self.depth.saturating_sub(1);
                    if let Some(first) = elements.first() {
                        builder.word.parts.extend(first.parts.clone());
                    }
                    builder.word.array = Some(elements);
                    builder.bare = false;
                }
                '(' if builder.is_pattern_start() => {
                    self.skip(1);
                    self.pattern_list();
                    builder.part(Part::Opaque);
                }
                '(' => break,
                '\\' => {
                    self.skip(1);
                    if self.rest().starts_with("\r\n") {
                        self.skip(2);
                    } else if let Some(next) = self.bump().filter(|next| *next != '\n') {
                        builder.quoted(next);
                    }
                }
                '\'' => {
                    self.skip(1);
                    builder.bare = false;
                    let rest = self.rest();
                    let width = rest.find('\'');
                    self.script.broken |= width.is_none();
                    let width = width.unwrap_or(rest.len());
                    builder.text(rest.get(..width).unwrap_or_default());
                    self.skip(width.saturating_add(1));
                }
                '"' => {
                    self.skip(1);
                    builder.bare = false;
                    self.pieces(&mut builder, End::Quote);
                }
                '$' => self.dollar(&mut builder, true),
                '`' => self.backticks(&mut builder, true),
                _ => {
                    self.bump();
                    builder.literal(c);
                }
            }
        }
        builder.word
    }

    /// All of a here-document, which expands as in double quotes.
    pub(super) fn document(mut self) -> Word {
        let mut builder = Builder { word: Word { line: self.line(), ..Word::default() }, bare: false };
        self.pieces(&mut builder, End::Text);
        builder.word
    }

    /// Text with expansions up to its end, which is consumed.
    fn pieces(&mut self, builder: &mut Builder, end: End) {
        loop {
            let Some(c) = self.peek() else {
                self.script.broken |= end != End::Text;
                return;
            };
            match c {
                '"' if end == End::Quote => {
                    self.skip(1);
                    return;
                }
                '}' if matches!(end, End::Brace { .. }) => {
                    self.skip(1);
                    return;
                }
                '"' if matches!(end, End::Brace { .. }) => {
                    self.skip(1);
                    self.pieces(builder, End::Quote);
                }
                '\'' if end == (End::Brace { quoted: false }) => {
                    self.skip(1);
                    let rest = self.rest();
                    let width = rest.find('\'').unwrap_or(rest.len());
                    builder.text(rest.get(..width).unwrap_or_default());
                    self.skip(width.saturating_add(1));
                }
                '\\' => {
                    self.skip(1);
                    match self.bump() {
                        Some('\n') | None => {}
                        Some(next @ ('$' | '`' | '\\')) => builder.quoted(next),
                        Some('"') if end != End::Text => builder.quoted('"'),
                        Some(next) if matches!(end, End::Brace { quoted: false } | End::Brace { quoted: true }) => {
                            builder.quoted(next)
                        }
                        Some(next) => {
                            builder.quoted('\\');
                            builder.quoted(next);
                        }
                    }
                }
                // In braces a shell undoes `$'…'` even between double quotes.
                '$' if matches!(end, End::Brace { .. }) && self.peek_second() == Some('\'') => {
                    self.skip(2);
                    self.ansi_quote(builder);
                }
                '$' => self.dollar(builder, false),
                '`' => self.backticks(builder, false),
                _ => {
                    self.bump();
                    builder.quoted(c);
                }
            }
        }
    }

    /// What begins with `$`.
    fn dollar(&mut self, builder: &mut Builder, splits: bool) {
        self.skip(1);
        builder.bare = false;
        let rest = self.rest();
        match self.peek() {
            Some('\'') if splits => {
                self.skip(1);
                self.ansi_quote(builder);
            }
            Some('"') if splits => {
                self.skip(1);
                self.pieces(builder, End::Quote);
            }
            Some('(') => {
                if let Some(width) = rest.strip_prefix("((").and_then(arithmetic_width) {
                    self.arithmetic_expansion(builder, width);
                    return;
                }
                self.skip(1);
                let commands = self.nested_list();
                builder.part(Part::Substitution { commands, splits });
            }
            Some('{') => {
                self.skip(1);
                self.braced(builder, splits);
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let width = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let name = rest.get(..width).unwrap_or_default().to_owned();
                self.skip(width);
                builder.part(Part::Parameter { name, operation: None, splits });
            }
            Some(c) if c.is_ascii_digit() || matches!(c, '@' | '*' | '#' | '?' | '$' | '!' | '-') => {
                self.skip(1);
                builder.part(Part::Parameter { name: c.to_string(), operation: None, splits });
            }
            _ => builder.quoted('$'),
        }
    }

    /// `$((…))`: what it gives is not followed, what runs in it is.
    fn arithmetic_expansion(&mut self, builder: &mut Builder, width: usize) {
        let line = self.line();
        let inner = self.rest().get(2..width.saturating_add(2)).unwrap_or_default();
        Parser::new(inner, line, self.depth.saturating_add(1), self.script).document();
        self.skip(width.saturating_add(4));
        builder.part(Part::Opaque);
    }

    /// `${…}`, behind the brace.
    fn braced(&mut self, builder: &mut Builder, splits: bool) {
        let rest = self.rest();
        let indirect = matches!(self.peek(), Some('!' | '#')) && self.peek_second() != Some('}');
        if indirect {
            self.skip(1);
        }
        let from = self.rest();
        let named = from.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(from.len());
        let width =
            if named == 0 && !from.starts_with('}') { from.chars().next().map_or(0, char::len_utf8) } else { named };
        let name = from.get(..width).unwrap_or_default().to_owned();
        self.skip(width);
        if self.peek() == Some('[') {
            let rest = self.rest();
            self.skip(
                rest.find(['}', '\n'])
                    .filter(|at| rest.get(..*at).is_some_and(|s| s.ends_with(']')))
                    .unwrap_or_else(|| rest.find(']').map_or(0, |at| at.saturating_add(1))),
            );
        }
        if rest.is_empty() {
            self.script.broken = true;
            return;
        }
        let rest = self.rest();
        let operators = [
            ":-", ":=", ":+", ":?", "-", "=", "+", "?", "^^", "^", ",,", ",", "##", "#", "%%", "%", "//", "/", ":", "@",
        ];
        let operator = operators.into_iter().find(|operator| rest.starts_with(operator)).unwrap_or_default();
        self.skip(operator.len());
        let mut inner = Builder { word: Word { line: self.line(), ..Word::default() }, bare: false };
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH_MOST {
            self.script.broken = true;
            self.at = self.text.len();
        }
        self.pieces(&mut inner, End::Brace { quoted: !splits });
        self.depth = self.depth.saturating_sub(1);
        let operation = match (operator, indirect) {
            ("", false) => None,
            (_, true) => Some(("!".to_owned(), inner.word)),
            _ => Some((operator.to_owned(), inner.word)),
        };
        builder.part(Part::Parameter { name, operation, splits });
    }

    /// A list up to `)`: the range of its commands.
    fn nested_list(&mut self) -> std::ops::Range<usize> {
        let start = self.script.commands.len();
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH_MOST {
            self.script.broken = true;
            self.at = self.text.len();
        } else {
            self.list(Some(')'));
        }
        self.depth = self.depth.saturating_sub(1);
        start..self.script.commands.len()
    }

    fn backticks(&mut self, builder: &mut Builder, splits: bool) {
        self.skip(1);
        builder.bare = false;
        let line = self.line();
        let mut inner = String::new();
        let mut closed = false;
        while let Some(c) = self.bump() {
            match c {
                '`' => {
                    closed = true;
                    break;
                }
                '\\' => match self.bump() {
                    Some(next @ ('`' | '\\' | '$')) => inner.push(next),
                    Some(next) => inner.extend(['\\', next]),
                    None => {}
                },
                _ => inner.push(c),
            }
        }
        self.script.broken |= !closed;
        let start = self.script.commands.len();
        Parser::new(&inner, line, self.depth.saturating_add(1), self.script).list(None);
        builder.part(Part::Substitution { commands: start..self.script.commands.len(), splits });
    }

    /// `$'…'`, behind the quote.
    fn ansi_quote(&mut self, builder: &mut Builder) {
        loop {
            match self.bump() {
                None => {
                    self.script.broken = true;
                    return;
                }
                Some('\'') => return,
                Some('\\') => {
                    if let Some(c) = self.ansi_escape() {
                        builder.quoted(c);
                    }
                }
                Some(c) => builder.quoted(c),
            }
        }
    }

    fn ansi_escape(&mut self) -> Option<char> {
        let rest = self.rest();
        let (skip, radix, most) = match self.peek()? {
            'x' => (1, 16, 2),
            'u' => (1, 16, 4),
            'U' => (1, 16, 8),
            '0'..='7' => (0, 8, 3),
            c => {
                self.bump();
                return Some(match c {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'e' | 'E' => '\u{1b}',
                    'a' | 'b' | 'f' | 'v' => ' ',
                    other => other,
                });
            }
        };
        let digits: String = rest.chars().skip(skip).take(most).take_while(|c| c.is_digit(radix)).collect();
        self.skip(skip.saturating_add(digits.len()));
        u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32)
    }

    /// An array's elements, up to `)`.
    fn elements(&mut self) -> Vec<Word> {
        let mut elements = Vec::new();
        loop {
            match self.peek() {
                None => {
                    self.script.broken = true;
                    return elements;
                }
                Some(')') => {
                    self.skip(1);
                    return elements;
                }
                Some('#') => {
                    let rest = self.rest();
                    self.skip(rest.find('\n').unwrap_or(rest.len()));
                }
                Some(c) if c.is_whitespace() => self.skip(c.len_utf8()),
                Some(c) => {
                    let before = self.at;
                    let word = self.word();
                    if self.at == before {
                        self.skip(c.len_utf8());
                    } else {
                        elements.push(word);
                    }
                }
            }
        }
    }

    /// The inside of `@(a|b)`.
    fn pattern_list(&mut self) {
        let mut depth = 1_usize;
        while let Some(c) = self.peek() {
            match c {
                '\n' => {
                    self.script.broken = true;
                    return;
                }
                '(' => depth = depth.saturating_add(1),
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.bump();
            if depth == 0 {
                return;
            }
        }
        self.script.broken = true;
    }
}

struct Builder {
    word: Word,
    /// Nothing was quoted or expanded so far.
    bare: bool,
}

impl Builder {
    fn text(&mut self, text: &str) {
        match self.word.parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.word.parts.push(Part::Text(text.to_owned())),
        }
    }

    fn literal(&mut self, c: char) {
        if self.bare {
            self.word.bare_prefix.push(c);
        }
        self.text(c.encode_utf8(&mut [0; 4]));
    }

    fn quoted(&mut self, c: char) {
        self.bare = false;
        self.text(c.encode_utf8(&mut [0; 4]));
    }

    fn part(&mut self, part: Part) {
        self.bare = false;
        self.word.parts.push(part);
    }

    fn is_array_start(&self) -> bool {
        self.bare && self.word.bare_prefix.ends_with('=')
    }

    fn is_pattern_start(&self) -> bool {
        self.bare && self.word.bare_prefix.ends_with(['@', '+', '?', '*', '!']) && !self.word.bare_prefix.is_empty()
    }
}
