//! `target/tools/go/tlogcheck`: a program of ours over Go's own packages of transparency logs and signed notes.
//!
//! Go's packages come from Debian and are used as Go did before modules (`GOPATH`), so that nothing is fetched.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::shell;

/// Where the source lies, from the root.
const SOURCE: &str = "testing/outside/go/tlogcheck";

/// What the source imports.
const IMPORTS: [&str; 2] = ["golang.org/x/mod/sumdb/note", "golang.org/x/mod/sumdb/tlog"];

/// Where Debian puts the source of Go's packages.
const DEBIAN: &str = "/usr/share/gocode";

const NO_GO: &str = "\
there is no Go that finds golang.org/x/mod/sumdb in /usr/share/gocode or GOPATH; the tests against Go's log packages will be skipped.
  On Debian or Ubuntu: apt-get install golang-go golang-golang-x-mod-dev, then cargo xtask tools again";

/// Debian's packages, where the program must be built and cannot be.
pub fn lacking(root: &Path, force: bool) -> Vec<&'static str> {
    let built = !force && read(root).is_ok_and(|source| is_current(&home(root), &source));
    if built || find(root).is_some() { Vec::new() } else { vec!["golang-go", "golang-golang-x-mod-dev"] }
}

/// Builds the program, if its source has changed.
///
/// # Errors
///
/// When Go or its packages are missing, with how to get them; when the program does not compile.
pub fn fetch(root: &Path, force: bool) -> Result<(), String> {
    let source = read(root)?;
    let home = home(root);
    if !force && is_current(&home, &source) {
        println!("tools: target/tools/go is up to date");
        return Ok(());
    }
    let began = Instant::now();
    let compiler = find(root).ok_or(NO_GO)?;
    std::fs::create_dir_all(&home).map_err(|error| format!("cannot make {}: {error}", home.display()))?;
    let mut build = go(root, &compiler);
    build.current_dir(root.join(SOURCE)).args(["build", "-o"]).arg(program(&home)).arg(".");
    shell::output(&mut build)?;
    let stamp = stamp(&home);
    std::fs::write(&stamp, &source).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    println!("tools: target/tools/go is ready ({:.0} s)", began.elapsed().as_secs_f64());
    Ok(())
}

fn home(root: &Path) -> PathBuf {
    root.join("target/tools/go")
}

fn program(home: &Path) -> PathBuf {
    home.join(format!("tlogcheck{}", std::env::consts::EXE_SUFFIX))
}

fn stamp(home: &Path) -> PathBuf {
    home.join("tlogcheck.built")
}

/// The stamp holds the source the program was made from, so changed source and a half-made program are both seen.
fn is_current(home: &Path, source: &str) -> bool {
    let same = std::fs::read_to_string(stamp(home)).is_ok_and(|built| built == source);
    same && shell::output(Command::new(program(home)).arg("version")).is_ok()
}

/// The source, all files in order.
fn read(root: &Path) -> Result<String, String> {
    let dir = root.join(SOURCE);
    let failed = |error| format!("cannot read {}: {error}", dir.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.sort();
    let mut source = String::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "go")) {
        source += &std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    }
    Ok(source)
}

/// The first Go that finds what the source imports: the one on the path, then where others install it.
fn find(root: &Path) -> Option<PathBuf> {
    let candidates = ["go", "/usr/lib/go/bin/go", "/usr/local/go/bin/go"];
    candidates
        .into_iter()
        .map(PathBuf::from)
        .find(|candidate| shell::output(go(root, candidate).arg("list").args(IMPORTS)).is_ok())
}

/// Go without modules, network, C and the settings of whoever runs it.
fn go(root: &Path, compiler: &Path) -> Command {
    let mut path = OsString::from(DEBIAN);
    if let Some(own) = std::env::var_os("GOPATH") {
        path.push(if cfg!(windows) { ";" } else { ":" });
        path.push(own);
    }
    let mut command = Command::new(compiler);
    command.env("GOPATH", path).env("GOCACHE", home(root).join("cache"));
    for (name, value) in [
        ("GO111MODULE", "off"),
        ("GOPROXY", "off"),
        ("GOTOOLCHAIN", "local"),
        ("GOENV", "off"),
        ("GOFLAGS", ""),
        ("CGO_ENABLED", "0"),
    ] {
        command.env(name, value);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_its_stamp_or_with_other_source_is_not_current() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_current(dir.path(), "package main"));
        std::fs::write(stamp(dir.path()), "package main").unwrap();
        assert!(!is_current(dir.path(), "package main"), "there is no program");
        assert!(!is_current(dir.path(), "package other"));
    }

    #[test]
    fn the_source_imports_what_is_asked_for() {
        let source = read(&crate::workspace::root()).unwrap();
        for import in IMPORTS {
            assert!(source.contains(&format!("\"{import}\"")), "{import}");
        }
    }
}
