//! What our documents tell people to type.
//!
//! A block that is fenced as `sh` is run beside a floor that runs, `sh repository` in a copy of this repository as its draft. What
//! `sh cluster` and `sh people` show needs a cluster or people's keys: there the parts that call our binary must be commands that it
//! knows, with flags that it takes.

use crate::screen::{Home, wait_for_status};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The one page that may show how people start execution.
const STARTS_EXECUTION: &str = "execution_deployment.md";

/// A fenced block.
struct Block {
    page: String,
    line: usize,
    kind: String,
    text: String,
}

impl Block {
    /// Our binary's calls in it, each without the binary's name.
    fn calls(&self) -> Vec<Vec<String>> {
        self.text.replace("\\\n", " ").lines().flat_map(calls).collect()
    }

    fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// The words of a line by a shell's quotes; operators are words of their own, a comment ends it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (Some(_), letter) => word.push(letter),
            (None, '\'' | '"') => (quote, begun) = (Some(letter), true),
            (None, '#') if !begun && word.is_empty() => break,
            (None, ' ' | '|' | ';' | '&' | '>' | '<' | '(' | ')') => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
                if letter != ' ' {
                    words.push(letter.to_string());
                }
            }
            (None, letter) => word.push(letter),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

fn calls(line: &str) -> Vec<Vec<String>> {
    let words = words(line);
    let ends = |word: &String| ["|", ";", "&", ">", "<", "(", ")"].contains(&word.as_str());
    words
        .split(ends)
        .filter_map(|part| {
            let at = part.iter().position(|word| word == "agenttrader")?;
            let before = &part[..at];
            let is_call =
                before.iter().all(|word| word.contains('=')) || before.last().is_some_and(|word| word == "--");
            is_call.then(|| part[at + 1..].to_vec())
        })
        .collect()
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages.extend(self::pages(&path));
        } else if path.extension().is_some_and(|ending| ending == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every block that is fenced as `sh`, in the order of pages and lines.
fn blocks() -> Vec<Block> {
    let docs = ours().join("docs");
    let mut blocks = Vec::new();
    for path in pages(&docs) {
        let page = path.strip_prefix(&docs).unwrap().to_str().unwrap().to_owned();
        let mut open: Option<Block> = None;
        for (index, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let line = line.trim_start();
            let Some(info) = line.strip_prefix("```") else {
                if let Some(block) = &mut open {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                continue;
            };
            match open.take() {
                Some(block) => blocks.push(block),
                None => {
                    let kind = info.trim().to_owned();
                    open = Some(Block { page: page.clone(), line: index + 1, kind, text: String::new() });
                }
            }
        }
        assert!(open.is_none(), "{page}: a fence is not closed");
    }
    blocks.retain(|block| block.kind.split(' ').next() == Some("sh"));
    blocks
}

/// Runs a block as a person would paste it.
fn run(home: &Home, block: &Block) {
    let binary = Path::new(env!("CARGO_BIN_EXE_agenttrader")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([binary].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut shell = Command::new("sh");
    shell.current_dir(home.path("")).env_clear().env("PATH", path).stdin(Stdio::null());
    let output = shell.args(["-eu", "-c", &block.text]).output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{}: {:?}\n{}\n{out}\n{err}", block.place(), output.status.code(), block.text);
}

#[test]
fn every_command_of_the_documents_is_one_that_the_binary_knows() {
    let home = Home::new();
    let mut known = 0;
    for block in blocks() {
        assert!(
            ["sh", "sh cluster", "sh people", "sh repository"].contains(&block.kind.as_str()),
            "{}: a block is `{}`",
            block.place(),
            block.kind
        );
        for words in block.calls() {
            let asked: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
            let ran = home.run(&asked);
            assert_eq!(ran.code(), Some(0), "{}: {}", block.place(), ran.screen());
            known += 1;
        }
    }
    assert!(known > 40, "{known} calls");
    let unknown = ["audit verify --sinse a", "audit verfy", "halt --reasons a", "flor"];
    for line in unknown {
        let asked: Vec<&str> = line.split(' ').chain(["--help"]).collect();
        home.run(&asked).exits(2);
    }
}

#[test]
fn what_the_documents_run_on_a_floor_runs() {
    let home = Home::new();
    let mut floor = home.start(&["floor", "--port-base", "0", "--seed", "7", "--speed", "10"]);
    let control = floor.address("mission control");
    wait_for_status(&control, "/readyz", 200);
    floor.wait_for("a decision", |out, _| out.contains("\"execution_decision\"").then_some(()));
    let on_a_floor: Vec<Block> = blocks().into_iter().filter(|block| block.kind == "sh").collect();
    assert!(on_a_floor.len() > 10);
    for block in &on_a_floor {
        run(&home, block);
    }
    assert_eq!(floor.end("INT").0, Some(0), "{}", floor.err());
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else if from.is_file() {
        fs::copy(from, to).unwrap();
    }
}

#[test]
fn what_the_documents_run_in_a_repository_runs() {
    if agenttrader_outside::command("git").is_none() || agenttrader_outside::command("ssh-keygen").is_none() {
        return;
    }
    let home = Home::new();
    for name in ["Dockerfile", "configs", "docs", "infra", "k8s", "ops", "scripts"] {
        copy(&ours().join(name), &home.path(name));
    }
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(home.path("")).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        let done = git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(words).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "draft"]);
    for block in blocks().iter().filter(|block| block.kind == "sh repository") {
        run(&home, block);
    }
}

#[test]
fn one_page_alone_shows_how_execution_is_started() {
    let starts = |block: &Block| {
        let words: Vec<String> = block.text.lines().flat_map(words).collect();
        let enables = |word: &String| {
            word == "AGENT_MODE=EXECUTE" || word.starts_with("EXECUTION_") && word.contains('=') || word == "execution"
        };
        words.iter().any(|word| enables(word) || word.starts_with("--replicas") || word == "scale")
    };
    let pages: std::collections::BTreeSet<String> =
        blocks().into_iter().filter(starts).map(|block| block.page).collect();
    assert_eq!(pages.into_iter().collect::<Vec<_>>(), [STARTS_EXECUTION]);
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut links = 0;
    for path in pages(&ours().join("docs")) {
        let text = fs::read_to_string(&path).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") || file.contains(' ') {
                continue;
            }
            assert!(path.parent().unwrap().join(file).exists(), "{}: {target}", path.display());
            links += 1;
        }
    }
    assert!(links > 50, "{links} links");
}
