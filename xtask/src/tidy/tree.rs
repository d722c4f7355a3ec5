//! The files of the project that tidy reads.

use std::collections::BTreeMap;
use std::path::Path;

/// What is made, fetched or not ours.
const SKIPPED_DIRS: [&str; 6] = [".git", "target", "node_modules", ".agenttrader", "audit_artifacts", "__pycache__"];

/// Endings of the files people write; files without an ending are read if they are text.
const ENDINGS: [&str; 16] = [
    "rs", "toml", "md", "sh", "py", "yaml", "yml", "json", "txt", "snap", "stderr", "ts", "tsx", "css", "html", "proto",
];

/// Larger files are data.
const MAX_BYTES: u64 = 1 << 20;

/// Text files by path from the root, with `/`.
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every text file under `root`.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        let mut dirs = vec![(root.to_path_buf(), String::new())];
        while let Some((dir, name)) = dirs.pop() {
            let failed = |error: std::io::Error| format!("cannot read {}: {error}", dir.display());
            for entry in std::fs::read_dir(&dir).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let file_name = entry.file_name().to_string_lossy().into_owned();
                let path = if name.is_empty() { file_name.clone() } else { format!("{name}/{file_name}") };
                let kind = entry.file_type().map_err(failed)?;
                if kind.is_dir() && !SKIPPED_DIRS.contains(&file_name.as_str()) {
                    dirs.push((entry.path(), path));
                } else if kind.is_file() && is_text(&file_name) && entry.metadata().map_err(failed)?.len() <= MAX_BYTES
                {
                    // What is not UTF-8 is not text. A file that went away meanwhile is not there.
                    if let Ok(text) = std::fs::read_to_string(entry.path()) {
                        files.insert(path, text);
                    }
                }
            }
        }
        Ok(Self { files })
    }

    /// A small tree for a test.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The Rust sources under `dir` (`crates/core/src/`), everywhere if it is empty.
    pub fn rust<'a>(&'a self, dir: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| path.starts_with(dir) && path.ends_with(".rs"))
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }
}

fn is_text(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((_, ending)) => ENDINGS.contains(&ending),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_what_is_made_is_not() {
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in
            [("a/src/lib.rs", &b"x"[..]), ("target/b.rs", b"x"), ("run", b"x"), ("c.bin", b"x"), ("d.rs", &[0xff])]
        {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let tree = Tree::read(dir.path()).unwrap();
        let paths: Vec<&str> = tree.files().map(|(path, _)| path).collect();
        assert_eq!(paths, ["a/src/lib.rs", "run"]);
    }
}
