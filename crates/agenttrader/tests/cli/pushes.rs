//! `agenttrader policy check`: by itself, and as the pre-receive hook that stock git runs at a push.

use crate::screen::{Home, Ran};
use agenttrader_governance::lock::rules::docs::REQUIRED;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

const ACTORS: &str = "[[actor]]\nname = \"olga\"\nkind = \"person\"\npushers = [\"olga@example\"]\n\
                      [[actor]]\nname = \"strategy-engine\"\nkind = \"agent\"\npushers = [\"ci-7\"]\n";

/// A server's bare repository with the hook, and a clone to push from.
struct Server {
    home: Home,
}

impl Server {
    /// A draft on `main`; none where git or ssh-keygen is missing.
    fn draft() -> Option<Self> {
        agenttrader_outside::command("git")?;
        agenttrader_outside::command("ssh-keygen")?;
        let server = Self { home: Home::new() };
        for path in REQUIRED.into_iter().chain(["ops/trust/allowed_signers"]) {
            server.put(path, "# Nothing yet.\n");
        }
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for path in ["ops/production-lock.json", "ops/PRODUCTION_LOCK.md"] {
            server.put(path, &std::fs::read_to_string(ours.join(path)).unwrap());
        }
        for entry in std::fs::read_dir(ours.join("crates/policy/tests/sets/base/k8s")).unwrap() {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            server.put(&format!("k8s/{}", entry.file_name().to_str().unwrap()), &text);
        }
        server.put(".gitignore", "/.agenttrader\n");
        server.put("ops/trust/actors.toml", ACTORS);
        server.git(&["init", "--quiet", "--initial-branch=main"]);
        server.commit("draft");
        server.git(&["clone", "--quiet", "--bare", ".", "../server.git"]);
        server.git(&["remote", "add", "origin", "../server.git"]);
        let hook = server.home.path("server.git/hooks/pre-receive");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        let text =
            format!("#!/bin/sh\nexec '{}' policy check --actor-from PUSHER\n", env!("CARGO_BIN_EXE_agenttrader"));
        std::fs::write(&hook, text).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
        Some(server)
    }

    /// The same, locked by olga and rolf, and pushed with its tag.
    fn locked() -> Option<Self> {
        let server = Self::draft()?;
        std::fs::create_dir(server.home.path("keys")).unwrap();
        for name in ["olga", "rolf", "anna"] {
            let key = server.home.path("keys").join(name);
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(key).status();
            assert!(made.unwrap().success());
        }
        server.put(".gitignore", "/.agenttrader\n/audit_artifacts\n");
        server.commit("ignored");
        let people = ["olga=../keys/olga.pub", "rolf=../keys/rolf.pub", "anna=../keys/anna.pub"];
        let init = ["lock", "init", "--operator", people[0], "--reviewer", people[1], "--author", people[2]];
        server.check(&init).exits(0);
        server.by(&["lock", "sign"], "olga");
        server.by(&["lock", "sign"], "rolf");
        server.by(&["lock", "tag"], "rolf");
        server.takes("olga@example", &["main", &server.tag()]);
        Some(server)
    }

    /// A command that ends well, signed by somebody.
    #[track_caller]
    fn by(&self, command: &[&str], name: &str) {
        let key = format!("../keys/{name}");
        self.check(&[command, &["--principal", name, "--key", &key]].concat()).exits(0);
    }

    /// The tag of the commit that is checked out.
    fn tag(&self) -> String {
        self.git(&["tag", "--points-at", "HEAD"])
    }

    fn put(&self, path: &str, text: &str) {
        self.home.write(&format!("work/{path}"), text);
    }

    fn swap(&self, path: &str, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.home.path("work").join(path)).unwrap();
        assert!(text.contains(old));
        self.put(path, &text.replacen(old, new, 1));
    }

    fn run_git(&self, pusher: Option<&str>, arguments: &[&str]) -> Output {
        let mut git = Command::new("git");
        git.current_dir(self.home.path("work")).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        if let Some(pusher) = pusher {
            git.env("PUSHER", pusher);
        }
        git.args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "gc.auto=0"]).args(arguments).output().unwrap()
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        let output = self.run_git(None, arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// A branch off what the server has, with one file more.
    fn branch(&self, path: &str, text: &str) {
        self.git(&["switch", "--quiet", "--detach", "main"]);
        self.put(path, text);
        self.commit("work");
    }

    #[track_caller]
    fn takes(&self, pusher: &str, refs: &[&str]) {
        let (taken, said) = self.push(Some(pusher), refs);
        assert!(taken, "{refs:?} is refused: {said}");
        assert!(said.contains("ALLOWED"), "{said}");
    }

    /// That a push is refused with these words, and leaves the server as it was.
    #[track_caller]
    fn refuses(&self, pusher: Option<&str>, refs: &[&str], says: &str) {
        let before = self.git(&["ls-remote", "origin"]);
        let (taken, said) = self.push(pusher, refs);
        assert!(!taken && said.contains("pre-receive hook declined"), "{refs:?} is taken: {said}");
        assert!(said.contains(says), "no `{says}` in {said}");
        assert_eq!(self.git(&["ls-remote", "origin"]), before);
    }

    fn push(&self, pusher: Option<&str>, refs: &[&str]) -> (bool, String) {
        let output = self.run_git(pusher, &[&["push", "origin"], refs].concat());
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn check(&self, line: &[&str]) -> Ran {
        let mut command = self.home.command(line);
        command.current_dir(self.home.path("work"));
        Ran::of(command, line, self.home.path(""))
    }
}

#[test]
fn an_agent_creates_and_appends_on_branches_of_its_own_alone() {
    let Some(server) = Server::draft() else { return };
    server.branch("crates/strategy/src/lib.rs", "pub fn gamma() {}\n");
    server.takes("ci-7", &["HEAD:refs/heads/agent/strategy-engine/gamma"]);
    server.put("README.md", "More.\n");
    server.commit("more");
    server.takes("ci-7", &["HEAD:refs/heads/agent/strategy-engine/gamma", "HEAD:refs/heads/agent/strategy-engine/a/b"]);
    for other in
        ["main", "new", "agent/strategy-engine", "agent/strategy-engine2/x", "agent/olga/x", "Agent/strategy-engine/x"]
    {
        server.refuses(
            Some("ci-7"),
            &[&format!("HEAD:refs/heads/{other}")],
            "an agent pushes refs/heads/agent/strategy-engine/",
        );
    }
    server.refuses(Some("ci-7"), &["HEAD:refs/notes/x"], "REFUSED ref");
    server.refuses(Some("ci-7"), &["HEAD:refs/replace/0000000000000000000000000000000000000001"], "REFUSED ref");
    // One good ref does not carry a bad one.
    server.refuses(Some("ci-7"), &["HEAD:refs/heads/agent/strategy-engine/c", "HEAD:refs/heads/main"], "REFUSED ref");
}

#[test]
fn force_deletion_and_tags_are_refused_to_agents() {
    let Some(server) = Server::draft() else { return };
    server.branch("README.md", "One.\n");
    server.takes("ci-7", &["HEAD:refs/heads/agent/strategy-engine/x"]);
    server.branch("README.md", "Two.\n");
    server.refuses(Some("ci-7"), &["+HEAD:refs/heads/agent/strategy-engine/x"], "moved by force");
    server.refuses(Some("ci-7"), &[":refs/heads/agent/strategy-engine/x"], "deletes no ref");
    server.git(&["tag", "plain"]);
    server.git(&["tag", "--annotate", "--message=m", "v2-lock-20261201-1200"]);
    server.refuses(Some("ci-7"), &["plain"], "REFUSED tag");
    server.refuses(Some("ci-7"), &["v2-lock-20261201-1200"], "REFUSED tag");
    server.refuses(Some("ci-7"), &["plain:refs/tags/agent/strategy-engine/x"], "REFUSED tag");
}

#[test]
fn each_pushed_commit_is_judged_out_of_the_quarantine_and_the_hunk_is_named() {
    let Some(server) = Server::draft() else { return };
    server.git(&["switch", "--quiet", "--detach", "main"]);
    server.swap("k8s/gamma-strategy.yaml", "\"OBSERVE\"", "\"EXECUTE\"");
    server.commit("worse");
    let commit = server.git(&["rev-parse", "HEAD"]);
    server.swap("k8s/gamma-strategy.yaml", "\"EXECUTE\"", "\"OBSERVE\"");
    server.commit("back");
    let to = ["HEAD:refs/heads/agent/strategy-engine/x"];
    server.refuses(Some("ci-7"), &to, "REFUSED agent-mode  k8s/gamma-strategy.yaml:");
    server.refuses(Some("ci-7"), &to, &format!("commit {commit}"));
    server.refuses(Some("ci-7"), &to, "> value: \"EXECUTE\"");
    server.branch("scripts/up.sh", "#!/bin/sh\nkubectl apply -f k8s/\n");
    server.refuses(Some("ci-7"), &to, "REFUSED deploy      scripts/up.sh:2: ");
}

#[test]
fn whom_nobody_lists_is_an_agent_with_least_rights_and_who_cannot_be_told_pushes_nothing() {
    let Some(server) = Server::draft() else { return };
    server.branch("README.md", "Mine.\n");
    server.takes("mallory", &["HEAD:refs/heads/agent/mallory/x"]);
    server.refuses(Some("mallory"), &["HEAD:refs/heads/main"], "listed nowhere");
    server.refuses(Some("mallory"), &["HEAD:refs/heads/agent/strategy-engine/x"], "REFUSED ref");
    // Names of the listed are not taken by signing in under them.
    server.refuses(Some("strategy-engine"), &["HEAD:refs/heads/agent/strategy-engine/x"], "has no branches");
    server.refuses(Some("olga"), &["HEAD:refs/heads/main"], "has no branches");
    server.refuses(Some("../x"), &["HEAD:refs/heads/agent/x/y"], "has no branches");
    server.refuses(None, &["HEAD:refs/heads/agent/mallory/y"], "nobody knows who pushes");
    server.refuses(Some(" "), &["HEAD:refs/heads/agent/mallory/y"], "nobody knows who pushes");
}

#[test]
fn a_push_that_lists_its_pusher_is_judged_by_the_list_before_it() {
    let Some(server) = Server::draft() else { return };
    server.branch(
        "ops/trust/actors.toml",
        "[[actor]]\nname = \"m\"\nkind = \"person\"\npushers = [\"mallory\", \"ci-7\"]\n",
    );
    server.refuses(
        Some("ci-7"),
        &["HEAD:refs/heads/agent/strategy-engine/x"],
        "REFUSED enrol       ops/trust/actors.toml",
    );
    server.refuses(Some("mallory"), &["HEAD:refs/heads/main"], "(agent, listed nowhere)");
    // People list it on the baseline branch; then it counts, also that the file cannot be read.
    server.takes("olga@example", &["HEAD:refs/heads/main"]);
    server.put("README.md", "Now a person.\n");
    server.commit("person");
    server.takes("mallory", &["HEAD:refs/heads/main"]);
    server.put("ops/trust/actors.toml", "[[actor");
    server.commit("damaged");
    server.takes("mallory", &["HEAD:refs/heads/main"]);
    server.refuses(Some("mallory"), &["HEAD:refs/heads/other"], "ops/trust/actors.toml of commit");
}

#[test]
fn a_change_is_judged_by_itself_with_its_exit_code() {
    let Some(server) = Server::draft() else { return };
    let agent = ["policy", "check", "--actor", "strategy-engine", "--base", "main"];
    server.branch("README.md", "Good.\n");
    assert!(server.check(&agent).exits(0).stdout().starts_with("ALLOWED  strategy-engine (agent)"));
    server.swap("k8s/kill-switch.yaml", "\"1\"", "\"0\"");
    server.commit("bad");
    let said = server.check(&agent).exits(1).stdout();
    assert!(said.contains("REFUSED kill-switch k8s/kill-switch.yaml:7: "), "{said}");
    let found: serde_json::Value =
        serde_json::from_str(&server.check(&[&agent[..], &["--json"]].concat()).exits(1).stdout()).unwrap();
    assert_eq!((&found["verdict"], &found["refused"][0]["kind"]), (&"REFUSED".into(), &"kill-switch".into()));
    assert_eq!(
        (&found["refused"][0]["line"], &found["refused"][0]["text"]),
        (&7.into(), &"EXECUTION_HALTED: \"0\"".into())
    );
    server.check(&[&agent[..], &["--head", "HEAD^"]].concat()).exits(0);
    server.check(&["policy", "check", "--actor", "nobody-knows", "--base", "main"]).exits(1);
    server.check(&["policy", "check", "--actor", "olga", "--base", "main"]).exits(0);
    server.check(&["policy", "check", "--actor", "strategy-engine", "--base", "nowhere"]).exits(2);
    server.check(&["policy", "check", "--actor", "strategy-engine"]).exits(2);
    server.check(&["policy", "check"]).exits(2);
    assert_eq!(server.git(&["status", "--porcelain", "--ignored"]), "");
}

#[test]
fn a_locked_branch_moves_to_the_next_tagged_lock_and_to_nothing_else() {
    let Some(server) = Server::locked() else { return };
    let olga = "olga@example";
    server.git(&["switch", "--quiet", "-c", "fees"]);
    server.put("docs/SAFETY.md", "# More.\n");
    server.commit("fees");
    server.refuses(Some(olga), &["HEAD:refs/heads/main"], "docs/SAFETY.md");
    server.takes(olga, &["fees"]);
    server.git(&["switch", "--quiet", "main"]);
    server.check(&["unlock", "open", "--change", "fees", "--reason", "new fees", "--id", "fees"]).exits(0);
    for report in ["readiness_report.json", "readiness_report.md", "deploy_report.json", "deploy_report.md"] {
        let text = std::fs::read_to_string(server.home.path("work/ops/unlock/genesis").join(report)).unwrap();
        server.put(&format!("audit_artifacts/{report}"), &text);
    }
    server.check(&["unlock", "evidence"]).exits(0);
    server.by(&["unlock", "approve"], "olga");
    server.by(&["unlock", "approve"], "rolf");
    server.by(&["unlock", "apply"], "anna");
    // Approved and applied, and not locked: no lock's commit.
    server.refuses(Some(olga), &["HEAD:refs/heads/main"], "it is locked on the baseline branch");
    server.by(&["lock", "generate", "--unlock", "fees"], "anna");
    server.refuses(Some(olga), &["HEAD:refs/heads/main"], "it is locked on the baseline branch");
    server.by(&["lock", "tag"], "rolf");
    let (tag, lock) = (server.tag(), server.git(&["rev-parse", "HEAD"]));
    server.refuses(Some("ci-7"), &["HEAD:refs/heads/main", &tag], "REFUSED");
    server.takes(olga, &["HEAD:refs/heads/main", &tag]);
    assert!(server.git(&["ls-remote", "origin", "refs/heads/main"]).starts_with(&lock));
    server.refuses(Some(olga), &["+main:refs/heads/main"], "not moved by force");
    server.put("docs/SAFETY.md", "# More again.\n");
    server.commit("after the second lock");
    server.refuses(Some(olga), &["HEAD:refs/heads/main"], "docs/SAFETY.md");
}
