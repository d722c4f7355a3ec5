//! Which files are judged, and as what.
//!
//! The lock contract, "Judged files": every file under `k8s/`, `infra/`, `config/` and `configs/`, hidden ones too, besides
//! `Dockerfile*`, `compose*` and `scripts/`. By name a file is documents, settings, a script, a Dockerfile or a compose file;
//! by content any other file may hold objects.

/// The folders in which every file is judged by every rule.
pub const FOLDERS: [&str; 4] = ["k8s", "infra", "config", "configs"];

/// Where a document that is no object has no business.
const OBJECTS_ALONE: [&str; 3] = ["k8s/", "infra/cloudrun/services/", "infra/cloudrun/jobs/"];

/// What a file is, by its place and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// YAML or JSON: objects, or keys and values.
    Documents,
    /// `.toml`, `.env`, `.properties`, `.ini`, `.plist`: keys and values.
    Settings,
    /// A script.
    Script,
    /// Instructions that build an image.
    Dockerfile,
    /// A compose file: services as YAML.
    Compose,
    /// Something else: judged where its content is objects.
    Other,
}

/// What a file is; none where it is not judged.
pub fn form(path: &str, bytes: &[u8]) -> Option<Form> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let first = path.split('/').next().unwrap_or(path);
    let root = !path.contains('/');
    let folder = FOLDERS.contains(&first) && !root;
    let scripts = first == "scripts" && !root;
    if !(folder || scripts || root && (is_dockerfile(&name) || is_compose(&name))) || ends(&name, &[".md"]) {
        return None;
    }
    // A folder whose files are commands by time, whatever they are called.
    let crontab = path.contains("/cron.d/");
    Some(by_name(&name, bytes).unwrap_or(if scripts || crontab { Form::Script } else { Form::Other }))
}

/// What a file is, wherever it lies: where [`form`] judges none, its name and its first bytes tell. For those who compare what trees
/// mean, and to whom a script is one in any folder.
pub fn form_anywhere(path: &str, bytes: &[u8]) -> Option<Form> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    form(path, bytes).or_else(|| by_name(&name, bytes).filter(|_| !ends(&name, &[".md"])))
}

fn by_name(name: &str, bytes: &[u8]) -> Option<Form> {
    match () {
        () if is_dockerfile(name) => Some(Form::Dockerfile),
        () if is_compose(name) => Some(Form::Compose),
        () if is_documents(name) => Some(Form::Documents),
        () if is_settings(name) => Some(Form::Settings),
        () if is_script(name) || bytes.starts_with(b"#!") => Some(Form::Script),
        () => None,
    }
}

/// Whether every document of this file has to be an object.
pub fn holds_objects_alone(path: &str) -> bool {
    OBJECTS_ALONE.iter().any(|folder| path.starts_with(folder))
}

/// Whether a file is a kustomization by its name.
pub fn is_kustomization(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("kustomization.yaml" | "kustomization.yml" | "Kustomization"))
}

/// Whether a file's name says that its content becomes documents, once it is filled or renamed.
pub fn is_template(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    ends(&name, &[".tpl", ".tmpl", ".gotmpl", ".j2", ".jinja", ".jinja2", ".template", ".erb", ".mustache"])
        || [".yaml", ".yml", ".json"].iter().any(|ending| name.contains(ending))
}

fn ends(name: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| name.ends_with(ending))
}

fn is_dockerfile(name: &str) -> bool {
    name.starts_with("dockerfile")
        || name.starts_with("containerfile")
        || ends(name, &[".dockerfile", ".containerfile"])
}

fn is_compose(name: &str) -> bool {
    name.starts_with("compose") || name.starts_with("docker-compose")
}

fn is_documents(name: &str) -> bool {
    ends(name, &[".yaml", ".yml", ".json", ".jsonc", ".json5", ".jsonl", ".ndjson"]) || name == "kustomization"
}

fn is_settings(name: &str) -> bool {
    ends(name, &[".toml", ".env", ".properties", ".ini", ".conf", ".cfg", ".plist", ".xml"])
        || name.starts_with(".env")
        || name == "env"
}

/// Languages that are not a shell's, whose texts set things all the same.
const PROGRAMS: [&str; 34] = [
    ".py",
    ".rb",
    ".pl",
    ".js",
    ".mjs",
    ".cjs",
    ".ts",
    ".ps1",
    ".lua",
    ".php",
    ".go",
    ".rs",
    ".java",
    ".kt",
    ".groovy",
    ".star",
    ".bzl",
    ".tf",
    ".hcl",
    ".jsonnet",
    ".libsonnet",
    ".cue",
    ".nix",
    ".rake",
    ".pm",
    ".psm1",
    ".cs",
    ".ex",
    ".exs",
    ".kts",
    ".nu",
    ".scala",
    ".swift",
    ".tcl",
];

/// Units of a machine and variables of a plan: a line each, in a syntax of their own.
const UNITS: [&str; 6] = [".service", ".container", ".socket", ".timer", ".tfvars", ".nomad"];

/// Whether a file is lines that set things, in no syntax that has a reader of its own.
pub fn is_unit(path: &str) -> bool {
    ends(&path.to_ascii_lowercase(), &UNITS)
}

/// Whether a script is in a language that is not a shell's, by its name.
pub fn is_program(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ends(&path, &PROGRAMS) || path.rsplit('/').next() == Some("jenkinsfile")
}

/// Whether a file says itself that it is a script: by its ending, or by its first line.
pub fn is_script_by_name(path: &str, bytes: &[u8]) -> bool {
    is_script(&path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase()) || bytes.starts_with(b"#!")
}

fn is_script(name: &str) -> bool {
    let shell = ends(name, &[".sh", ".bash", ".zsh", ".ksh", ".csh", ".tcsh", ".fish", ".bats", ".awk"]);
    let others = ends(name, &[".mk", ".make", ".just", ".bat", ".cmd", ".cron", ".crontab"]);
    shell
        || others
        || is_program(name)
        || is_unit(name)
        || matches!(
            name,
            "makefile" | "gnumakefile" | "justfile" | ".justfile" | "rakefile" | "procfile" | "crontab" | "jenkinsfile"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_place_and_name_say() {
        for (path, expected) in [
            ("k8s/a.yaml", Some(Form::Documents)),
            ("k8s/.hidden/A.YML", Some(Form::Documents)),
            ("configs/x.JSON", Some(Form::Documents)),
            ("k8s/overlays/Kustomization", Some(Form::Documents)),
            ("config/risk.toml", Some(Form::Settings)),
            ("k8s/.env.production", Some(Form::Settings)),
            ("k8s/run", Some(Form::Other)),
            ("k8s/run.txt", Some(Form::Other)),
            ("k8s/deploy.sh", Some(Form::Script)),
            ("infra/main.tf", Some(Form::Script)),
            ("scripts/deploy", Some(Form::Script)),
            ("scripts/x.yaml", Some(Form::Documents)),
            ("Dockerfile", Some(Form::Dockerfile)),
            ("Dockerfile.gamma", Some(Form::Dockerfile)),
            ("infra/Dockerfile", Some(Form::Dockerfile)),
            ("compose.yaml", Some(Form::Compose)),
            ("docker-compose.yml", Some(Form::Compose)),
            ("k8s/README.md", None),
            ("docs/a.yaml", None),
            ("a.yaml", None),
            ("k8s", None),
            ("crates/x/Dockerfile", None),
        ] {
            assert_eq!(form(path, b"x"), expected, "{path}");
        }
        assert_eq!(form("k8s/run", b"#!/bin/sh\n"), Some(Form::Script));
    }

    #[test]
    fn elsewhere_a_name_or_a_first_line_tells() {
        for (path, bytes, expected) in [
            (".ci/run", &b"#!/bin/sh\n"[..], Some(Form::Script)),
            ("deploy/a.yaml", b"", Some(Form::Documents)),
            ("Makefile", b"", Some(Form::Script)),
            ("README.md", b"#!/bin/sh", None),
            ("LICENSE", b"MIT", None),
            ("k8s/run", b"", Some(Form::Other)),
        ] {
            assert_eq!(form_anywhere(path, bytes), expected, "{path}");
        }
    }
}
