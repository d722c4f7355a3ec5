//! Runs the binary and compares what it printed.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest wait for anything: generous, since machines are shared.
pub const WITHIN: Duration = Duration::from_secs(120);

const BINARY: &str = env!("CARGO_BIN_EXE_agenttrader");

/// An empty folder in which commands run, with an empty environment.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The command, about to run here; words with an equals sign before the first other are variables.
    pub fn command(&self, line: &[&str]) -> Command {
        let variables = line.iter().take_while(|word| word.contains('=')).count();
        let mut command = Command::new(BINARY);
        command.current_dir(self.folder.path()).env_clear().args(&line[variables..]).stdin(Stdio::null());
        for variable in &line[..variables] {
            let (name, value) = variable.split_once('=').unwrap();
            command.env(name, value);
        }
        command
    }

    /// Runs to the end.
    pub fn run(&self, line: &[&str]) -> Ran {
        Ran::of(self.command(line), line, self.path(""))
    }

    /// Starts what runs until it is told to end.
    pub fn start(&self, line: &[&str]) -> Running {
        Running::of(self.command(line))
    }
}

/// What a command printed and how it ended.
pub struct Ran {
    line: String,
    home: PathBuf,
    output: Output,
}

impl Ran {
    /// Runs a command that somebody has made ready.
    pub fn of(mut command: Command, line: &[&str], home: PathBuf) -> Self {
        Self { line: line.join(" "), home, output: command.output().unwrap() }
    }

    pub fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    /// The whole screen, masked.
    pub fn screen(&self) -> String {
        let mut screen = format!("$ agenttrader {}\n", self.line);
        for (name, text) in [("out", self.stdout()), ("err", self.stderr())] {
            for line in text.lines() {
                let _ = writeln!(screen, "{name}| {line}");
            }
        }
        let _ = writeln!(screen, "exit {}", self.code().unwrap_or(-1));
        masked(&screen.replace(&*self.home.to_string_lossy(), "HOME/"))
    }

    /// Says what was printed when an expectation fails.
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "{}", self.screen());
        self
    }
}

/// A command that runs on, its output gathered.
pub struct Running {
    child: Child,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
    gathering: [JoinHandle<()>; 2],
}

fn gather(mut from: impl std::io::Read + Send + 'static) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let text = Arc::new(Mutex::new(String::new()));
    let to = Arc::clone(&text);
    let gathering = std::thread::spawn(move || {
        let mut reader = BufReader::new(&mut from);
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or(0) > 0 {
            to.lock().unwrap().push_str(&line);
            line.clear();
        }
    });
    (text, gathering)
}

impl Running {
    pub fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, of_out) = gather(child.stdout.take().unwrap());
        let (err, of_err) = gather(child.stderr.take().unwrap());
        Self { child, out, err, gathering: [of_out, of_err] }
    }

    pub fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    pub fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// Waits for what `found` finds in standard output and standard error.
    pub fn wait_for<T>(&mut self, what: &str, mut found: impl FnMut(&str, &str) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = found(&self.out(), &self.err()) {
                return found;
            }
            if let Some(ended) = self.child.try_wait().unwrap() {
                self.said_all();
                let found = found(&self.out(), &self.err());
                return found
                    .unwrap_or_else(|| panic!("ended before {what}: {ended:?}\n{}\n{}", self.out(), self.err()));
            }
            assert!(begun.elapsed() < WITHIN, "no {what} in time\n{}\n{}", tail(&self.out()), self.err());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The address that standard error names after `label`.
    pub fn address(&mut self, label: &str) -> String {
        self.wait_for(label, |_, err| {
            let line = err.lines().find(|line| line.starts_with(label))?;
            let address = line.split("http://").nth(1)?.split(['/', ' ']).next()?;
            Some(address.to_owned())
        })
    }

    /// Waits until everything that it printed before its end was read.
    fn said_all(&self) {
        let begun = Instant::now();
        while !self.gathering.iter().all(JoinHandle::is_finished) {
            assert!(begun.elapsed() < WITHIN, "somebody holds what it printed to\n{}", self.err());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends a signal and waits for the end: exit code and how long it took. All that it printed has then been read.
    pub fn end(&mut self, signal: &str) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.child.id())]).status().unwrap();
        assert!(sent.success());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let took = begun.elapsed();
                self.said_all();
                return (status.code(), took);
            }
            assert!(begun.elapsed() < WITHIN, "does not end on {signal}\n{}", self.err());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tail(text: &str) -> &str {
    let from = text.char_indices().rev().nth(2_000).map_or(0, |(at, _)| at);
    &text[from..]
}

/// `GET` of a path: status and body.
pub fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(WITHIN)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

/// Waits for a status of a path, and gives the body.
pub fn wait_for_status(address: &str, path: &str, status: u16) -> String {
    let begun = Instant::now();
    loop {
        let answer = get(address, path);
        match answer {
            Some((seen, body)) if seen == status => return body,
            answer => assert!(begun.elapsed() < WITHIN, "{path} is {answer:?}, not {status}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What differs from run to run: `#` is a digit, `%` a hexadecimal one, `+` any number of digits.
const MASKS: [(&str, &str); 9] = [
    ("%%%%%%%%-%%%%-%%%%-%%%%-%%%%%%%%%%%%", "ID"),
    ("%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%", "DIGEST"),
    ("%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%-dirty", "COMMIT"),
    ("%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%", "COMMIT"),
    ("127.0.0.1:+", "127.0.0.1:PORT"),
    ("########T######Z", "STAMP"),
    ("####-##-##T##:##:##.+Z", "TIME"),
    (" in #.# s", " in SECONDS"),
    ("#.# s, + inputs/s", "SECONDS, SPEED"),
];

fn matched(pattern: &str, text: &str) -> Option<usize> {
    let mut at = 0;
    for letter in pattern.chars() {
        let next = text[at..].chars().next();
        at += match letter {
            '+' => text[at..].chars().take_while(char::is_ascii_digit).count(),
            '#' => next.filter(char::is_ascii_digit)?.len_utf8(),
            '%' => next.filter(char::is_ascii_hexdigit)?.len_utf8(),
            letter => next.filter(|found| *found == letter)?.len_utf8(),
        };
    }
    Some(at)
}

/// A text with what differs from run to run replaced.
pub fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        match MASKS.iter().find_map(|(pattern, name)| Some((matched(pattern, rest)?, name))) {
            Some((length, name)) => {
                masked.push_str(name);
                rest = &rest[length..];
            }
            None => {
                masked.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    masked
}

/// Compares screens with the file of that name.
pub fn golden(name: &str, screens: &[String]) {
    let text = screens.join("\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if let Some((place, (seen, wanted))) =
        text.lines().chain(["<end>"]).zip(expected.lines().chain(["<end>"])).enumerate().find(|(_, (a, b))| a != b)
    {
        panic!(
            "{} line {}:\n  expected {wanted}\n  printed  {seen}\n\n{text}\nUPDATE_SCREENS=1 writes it anew",
            path.display(),
            place + 1
        );
    }
}
