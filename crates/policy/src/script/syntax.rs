//! A shell script as a flat list of simple commands: which branch is taken is never asked, every command counts.

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Literal text.
    Text(String),
    /// A parameter: `$X`, `${X}`, `${X:-word}`.
    Parameter {
        /// Its name; `1`, `@` and their like are names too.
        name: String,
        /// What stands behind the name in braces, with its operator.
        operation: Option<(String, Word)>,
        /// Outside quotes: its value is split at blanks.
        splits: bool,
    },
    /// `$(…)` or backticks: where its commands stand in the list.
    Substitution {
        /// Their range.
        commands: std::ops::Range<usize>,
        /// Outside quotes: its value is split at blanks.
        splits: bool,
    },
    /// `<(…)`: a file that its commands write; where they stand in the list.
    Process {
        /// Their range.
        commands: std::ops::Range<usize>,
    },
    /// Arithmetic, what the reader does not follow.
    Opaque,
}

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Its pieces.
    pub parts: Vec<Part>,
    /// The piece of text that it begins with was not quoted so far: `NAME=` there assigns.
    pub bare_prefix: String,
    /// Elements, where it is `NAME=(…)`.
    pub array: Option<Vec<Word>>,
    /// Line, from 1.
    pub line: u32,
}

impl Word {
    /// A word of plain text.
    pub fn text(text: impl Into<String>, line: u32) -> Self {
        let text = text.into();
        Self { bare_prefix: text.clone(), parts: vec![Part::Text(text)], array: None, line }
    }

    /// Its text where nothing in it is to be expanded.
    pub fn literal(&self) -> Option<String> {
        self.parts.iter().map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None }).collect()
    }

    /// The literal text, where none of it was quoted: reserved words are that.
    pub fn bare(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] if *text == self.bare_prefix => Some(text),
            _ => None,
        }
    }

    /// `NAME=value` or `NAME+=value`: the name, whether it adds, and the value.
    pub fn assignment(&self) -> Option<(String, bool, Word)> {
        let (name, _) = self.bare_prefix.split_once('=')?;
        let (plain, adds) = name.strip_suffix('+').map_or((name, false), |plain| (plain, true));
        let plain = plain.split_once('[').map_or(plain, |(array, _)| array);
        if !is_name(plain) {
            return None;
        }
        let skip = name.len().saturating_add(1);
        let mut parts = self.parts.clone();
        if let Some(Part::Text(first)) = parts.first_mut() {
            *first = first.get(skip..).unwrap_or_default().to_owned();
        }
        let value = Self { parts, bare_prefix: String::new(), array: self.array.clone(), line: self.line };
        Some((plain.to_owned(), adds, value))
    }
}

/// Whether a text can be a variable's name.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// Into a file: `>`, `>>`, `>|`, `&>`, `<>`.
    Out(Word),
    /// From a file.
    In(Word),
    /// From a text in the script itself, by its place among the documents.
    Document(usize),
}

/// One command with its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Words, assignments in front included.
    pub words: Vec<Word>,
    /// Redirections, those of the groups it stands in included.
    pub redirects: Vec<Redirect>,
    /// The commands of a pipe behind it, by their place in the list.
    pub feeds: Vec<usize>,
    /// `for NAME in words`: the words are what the name takes; so are an array's elements.
    pub binds: Option<String>,
    /// Only tests, as `[[ … ]]`, or only there to be bound: nothing is run.
    pub inert: bool,
    /// Line, from 1.
    pub line: u32,
}

/// A script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Every simple command, inner ones before those that hold them.
    pub commands: Vec<Command>,
    /// Functions: name and the range of their body.
    pub functions: Vec<(String, std::ops::Range<usize>)>,
    /// Here-documents and here-strings; with their expansions where these are not quoted.
    pub documents: Vec<Word>,
    /// A quote, bracket or document was not closed: what was read may be wrong.
    pub broken: bool,
}
