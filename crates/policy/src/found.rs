//! What the readers of files that are no objects bring: assignments of the watched keys, image references, orders.
//!
//! The lock contract, "What counts". A reader never judges: it says what stands where, and whether it can be decided
//! from the text. The rules `no-execute`, `kill-switch`, `no-latest`, `exec-scale` and `unresolved` judge.

/// A key that counts wherever it stands, read by somebody or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `AGENT_MODE`; in configuration also `agentMode`, `agent_mode`, `agent-mode`.
    AgentMode,
    /// `EXECUTION_HALTED`.
    ExecutionHalted,
    /// `EXECUTION_HALTED_FILE`.
    ExecutionHaltedFile,
}

impl Key {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AgentMode, Self::ExecutionHalted, Self::ExecutionHaltedFile];

    /// Its name as a variable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AgentMode => "AGENT_MODE",
            Self::ExecutionHalted => "EXECUTION_HALTED",
            Self::ExecutionHaltedFile => "EXECUTION_HALTED_FILE",
        }
    }

    /// The key of a variable's name, exactly.
    pub fn of_variable(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// The key that a configuration's key is read as: the last part of a dotted one, `AGENT_MODE` in any of its spellings.
    pub fn of_configuration(spelled: &str) -> Option<Self> {
        let last = spelled.rsplit('.').next().unwrap_or(spelled).trim();
        Self::of_variable(last).or_else(|| is_mode_spelling(last).then_some(Self::AgentMode))
    }
}

/// `agentMode`, `agent_mode`, `agent-mode` and what differs from them in case alone.
pub fn is_mode_spelling(word: &str) -> bool {
    let letters: String = word.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    word.len() <= "agent_mode".len() && letters.eq_ignore_ascii_case("agentmode")
}

/// A value, or why it cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// Decided by the text alone.
    Known(String),
    /// Decided elsewhere; says by what.
    Unknown(String),
}

impl Said {
    /// The text, where it is decided.
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::Unknown(_) => None,
        }
    }

    /// A configuration's text: unknown where something is still to be put in (`${X}`, `$(X)`, `$X`, `{{ x }}`, `<% x %>`).
    pub fn of_configuration(text: &str) -> Self {
        if is_template(text) {
            return Self::Unknown(format!("`{text}` is a placeholder: what fills it is decided elsewhere"));
        }
        Self::Known(text.to_owned())
    }
}

/// Whether a configuration's text has a place where something is put in.
pub fn is_template(text: &str) -> bool {
    let named = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '('));
    text.contains("{{")
        || text.contains("<%")
        || text.contains("@@")
        || text.match_indices('$').any(|(at, _)| text.get(at.saturating_add(1)..).is_some_and(named))
}

/// A watched key that is given a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assignment {
    /// Which.
    pub key: Key,
    /// As the file spells the key, with the path to it where it has one: `gamma.agentMode`, `--agent-mode`.
    pub spelled: String,
    /// The value.
    pub value: Said,
    /// Written so that a YAML, JSON or TOML reader may take it for something else than a text: `OFF`, `1`, `null`.
    pub plain: bool,
    /// Line, from 1.
    pub line: u32,
}

/// An image that a process is started from or an image is built on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    /// The reference.
    pub reference: Said,
    /// Where it stands: `FROM`, `--image`, `services.gamma.image`.
    pub place: String,
    /// Line, from 1.
    pub line: u32,
}

/// What an order does to the workloads it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Sets their number to this.
    Scale(Said),
    /// Starts one, or starts it again.
    Start,
    /// Changes their description, otherwise than to zero replicas.
    Patch,
    /// Applies a file or a folder of that name.
    Apply,
    /// Writes this into the kill switch: its file, or the ConfigMap that the file comes from.
    WriteSwitch(Said),
    /// Takes a latch of the kill switch away.
    RemoveLatch,
}

/// A command that moves something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    /// What it does.
    pub effect: Effect,
    /// The names it can be about: of workloads, of labels' values, of the files' parts. What cannot be told is left out.
    pub names: Vec<String>,
    /// It is about all there are, whatever they are called (`--all`).
    pub all: bool,
    /// The command as far as it can be told, for the person who reads the finding.
    pub command: String,
    /// Line, from 1.
    pub line: u32,
}

impl Order {
    /// An order that names nothing.
    pub fn new(effect: Effect, command: &[String], line: u32) -> Self {
        Self { effect, names: Vec::new(), all: false, command: crate::hole::shown(&command.join(" ")), line }
    }
}

/// Everything of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Watched keys that are given a value, by line.
    pub assignments: Vec<Assignment>,
    /// Image references, by line.
    pub images: Vec<Image>,
    /// Commands that move something, by line.
    pub orders: Vec<Order>,
    /// Files whose content reaches a process's environment, as the file spells them, and the line.
    pub env_files: Vec<(String, u32)>,
    /// Compose files that this one takes services from, as it spells them, and the line.
    pub compose_files: Vec<(String, u32)>,
    /// What could not be read as what it should be, and the line: to be refused as `parse`.
    pub unreadable: Vec<(String, u32)>,
}

impl Found {
    /// Takes in what another reader found in a part of the same file that begins on `first_line`.
    pub fn absorb(&mut self, other: Self, first_line: u32) {
        let shift = |line: u32| line.saturating_add(first_line.saturating_sub(1));
        self.assignments.extend(other.assignments.into_iter().map(|a| Assignment { line: shift(a.line), ..a }));
        self.images.extend(other.images.into_iter().map(|i| Image { line: shift(i.line), ..i }));
        self.orders.extend(other.orders.into_iter().map(|o| Order { line: shift(o.line), ..o }));
        self.env_files.extend(other.env_files.into_iter().map(|(file, line)| (file, shift(line))));
        self.compose_files.extend(other.compose_files.into_iter().map(|(file, line)| (file, shift(line))));
        self.unreadable.extend(other.unreadable.into_iter().map(|(what, line)| (what, shift(line))));
    }

    /// Notes an assignment.
    pub fn assign(&mut self, key: Key, spelled: impl Into<String>, value: Said, plain: bool, line: u32) {
        self.assignments.push(Assignment { key, spelled: spelled.into(), value, plain, line });
    }

    /// Notes an image.
    pub fn image(&mut self, place: impl Into<String>, reference: Said, line: u32) {
        self.images.push(Image { reference, place: place.into(), line });
    }

    /// In order of lines, each once.
    pub fn sorted(mut self) -> Self {
        self.assignments.sort_by(|a, b| (a.line, a).cmp(&(b.line, b)));
        self.assignments.dedup();
        self.images.sort_by(|a, b| (a.line, a).cmp(&(b.line, b)));
        self.images.dedup();
        self.orders.sort_by(|a, b| (a.line, a).cmp(&(b.line, b)));
        self.orders.dedup();
        self.env_files.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        self.env_files.dedup();
        self.compose_files.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        self.compose_files.dedup();
        self.unreadable.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        self.unreadable.dedup();
        self
    }
}

/// Where lines begin: the line of any place in a text, without counting again each time.
#[derive(Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at.saturating_add(1)).collect();
        Self { starts }
    }

    /// The line, from 1, of a byte's offset.
    pub fn at(&self, offset: usize) -> u32 {
        let before = self.starts.partition_point(|start| *start <= offset);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}
