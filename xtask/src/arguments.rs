//! The few arguments the chores take.

/// Why a chore ends early.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// Help was asked for: print it, exit 0.
    Help(&'static str),
    /// Called wrongly: say how, exit 2.
    Usage(String),
    /// It failed: say why, exit 1.
    Failed(String),
    /// It failed and has said so already: exit 1.
    Told,
}

impl From<String> for Stop {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

/// The arguments of one chore, taken one by one.
pub struct Arguments {
    chore: &'static str,
    left: std::vec::IntoIter<String>,
}

/// One argument.
#[derive(Debug, PartialEq, Eq)]
pub enum Argument {
    /// `--name`, without the dashes.
    Flag(String),
    /// Anything else.
    Word(String),
    /// Everything after `--`.
    Rest(Vec<String>),
}

impl Arguments {
    /// Stops with `help` when it is asked for anywhere before `--`.
    pub fn new(chore: &'static str, given: Vec<String>, help: &'static str) -> Result<Self, Stop> {
        let ours = given.iter().take_while(|argument| *argument != "--");
        if ours.clone().any(|argument| argument == "--help" || argument == "-h") {
            return Err(Stop::Help(help));
        }
        Ok(Self { chore, left: given.into_iter() })
    }

    /// The next argument.
    pub fn next(&mut self) -> Option<Argument> {
        let argument = self.left.next()?;
        Some(match argument.strip_prefix("--") {
            Some("") => Argument::Rest(self.left.by_ref().collect()),
            Some(name) => Argument::Flag(name.to_owned()),
            None if argument == "-p" => Argument::Flag("package".to_owned()),
            None => Argument::Word(argument),
        })
    }

    /// The value of `--flag`, which must follow.
    pub fn value(&mut self, flag: &str) -> Result<String, Stop> {
        match self.left.next() {
            Some(value) if !value.starts_with('-') => Ok(value),
            _ => Err(Stop::Usage(format!("--{flag} needs a value; see `cargo xtask {} --help`", self.chore))),
        }
    }

    /// What to say about an argument the chore does not know.
    pub fn unknown(&self, argument: Argument) -> Stop {
        let text = match argument {
            Argument::Flag(name) => format!("--{name}"),
            Argument::Word(word) => word,
            Argument::Rest(words) => format!("-- {}", words.join(" ")),
        };
        Stop::Usage(format!("`{text}` is not understood; see `cargo xtask {} --help`", self.chore))
    }

    /// For a chore without arguments.
    pub fn none(mut self) -> Result<(), Stop> {
        match self.next() {
            None => Ok(()),
            Some(argument) => Err(self.unknown(argument)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(given: &[&str]) -> Result<Arguments, Stop> {
        Arguments::new("test", given.iter().map(|text| (*text).to_owned()).collect(), "help")
    }

    #[test]
    fn help_is_given_unless_it_stands_after_two_dashes() {
        assert_eq!(arguments(&["a", "--help"]).err(), Some(Stop::Help("help")));
        assert!(arguments(&["a", "--", "--help"]).is_ok());
    }

    #[test]
    fn flags_values_words_and_the_rest_are_told_apart() {
        let mut given = arguments(&["--package", "core", "-p", "x", "word", "--", "--nocapture"]).unwrap();
        assert_eq!(given.next(), Some(Argument::Flag("package".to_owned())));
        assert_eq!(given.value("package"), Ok("core".to_owned()));
        assert_eq!(given.next(), Some(Argument::Flag("package".to_owned())));
        assert_eq!(given.next(), Some(Argument::Word("x".to_owned())));
        assert_eq!(given.next(), Some(Argument::Word("word".to_owned())));
        assert_eq!(given.next(), Some(Argument::Rest(vec!["--nocapture".to_owned()])));
        assert_eq!(given.next(), None);
    }

    #[test]
    fn a_missing_value_and_an_unknown_argument_are_refused() {
        let mut given = arguments(&["--package", "--lint"]).unwrap();
        given.next();
        assert!(matches!(given.value("package"), Err(Stop::Usage(_))));
        assert!(matches!(arguments(&["--what"]).unwrap().none(), Err(Stop::Usage(_))));
    }
}
