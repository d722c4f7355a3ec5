//! What known programs do with their arguments, and what counts among the arguments of any.

use super::commands::{SETS, base};
use super::content;
use super::powershell;
use super::runner::{Place, Runner, is_switch};
use crate::found::{Effect, Key, Said};
use crate::hole::{HOLE, shown};
use crate::scan::{self, said};

/// Written files that are read as scripts, over all of one script.
const WRITTEN_MOST: usize = 32;

impl Runner {
    pub(super) fn tool(&mut self, head: &str, rest: &[String], place: &Place) {
        match head {
            "kubectl" | "oc" => self.kubectl(rest, place),
            "gcloud" => self.gcloud(rest, place),
            "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => self.containers(rest, place),
            "helm" | "argocd" | "flux" | "kustomize" => self.releases(head, rest, place),
            "systemctl" | "service" | "supervisorctl" | "launchctl" => self.services(rest, place),
            "curl" | "wget" => self.request(rest, place),
            "agenttrader" => self.agenttrader(rest, place),
            "fly" | "flyctl" | "aws" | "az" | "nomad" | "heroku" | "dokku" | "kn" | "doctl" | "pm2" | "cf" | "eb" => {
                self.platform(head, rest, place);
            }
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" | "su" | "runuser" => {
                let text = rest
                    .iter()
                    .skip_while(|word| !(word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')))
                    .nth(1);
                if let Some(text) = text {
                    self.script(text, place.line, place.depth);
                }
                // A script that this one has written.
                let written = rest.iter().find_map(|file| self.written.get(file)).cloned();
                for text in written.into_iter().flatten() {
                    // One that runs itself would be read for ever.
                    self.written_read = self.written_read.saturating_add(1);
                    if self.written_read <= WRITTEN_MOST {
                        self.script(&text, place.line, place.depth);
                    }
                }
            }
            "powershell" | "pwsh" => {
                let is_flag = |word: &&String| {
                    let flag = word.to_ascii_lowercase();
                    flag.len() > 1 && ["-command", "/command"].iter().any(|long| long.starts_with(flag.as_str()))
                };
                let command = rest.iter().skip_while(|word| !is_flag(word)).skip(1).cloned().collect::<Vec<_>>();
                if !command.is_empty() && place.depth < 6 {
                    self.found.absorb(powershell::read(&command.join(" "), place.depth.saturating_add(1)), place.line);
                }
            }
            "ssh" => self.script(&rest.get(1..).unwrap_or_default().join(" "), place.line, place.depth),
            "watch" | "timeout" | "nohup" | "time" | "exec" => {
                if let Some(text) = rest.last().filter(|text| text.contains(' ')) {
                    self.script(text, place.line, place.depth);
                }
            }
            // With `-n` and without `-i` it goes through lines to show some.
            "perl" | "ruby" if rest.first().is_some_and(|flag| matches!(flag.as_str(), "-n" | "-ne" | "-lne")) => {}
            "python" | "python3" | "node" | "perl" | "ruby" => {
                let flags = ["-c", "-e", "-E", "--eval", "-pe", "-ne", "-i", "-pi", "-p", "-n"];
                for text in rest
                    .iter()
                    .filter(|word| !flags.contains(&word.as_str()))
                    .filter(|word| word.contains(['=', '(', ' ', '/']))
                {
                    self.found.absorb(super::program::read(text, place.depth), place.line);
                    self.substitution(text, place);
                }
                self.moved(head, rest, place);
            }
            "sed" | "yq" | "jq" | "awk" | "gawk" | "ed" | "ex" | "dasel" => {
                for text in rest {
                    self.substitution(text, place);
                }
                self.moved(head, rest, place);
                self.numbered(head, rest, place);
            }
            "tee" | "cp" | "mv" | "install" | "ln" | "rsync" | "scp" | "dd" | "truncate" | "sponge" => {
                self.moved(head, rest, place)
            }
            "rm" | "unlink" | "trash" if rest.iter().any(|path| base(path) == "LATCH") => {
                self.order(Effect::RemoveLatch, "", &joined(head, rest), place);
            }
            "unset" if !rest.iter().any(|word| word == "-f") => self.taken_away(rest.iter().map(String::as_str), place),
            "env" => {
                let names =
                    rest.iter().zip(rest.iter().skip(1)).filter(|(flag, _)| matches!(flag.as_str(), "-u" | "--unset"));
                let joined = rest.iter().filter_map(|word| word.strip_prefix("--unset=").or(word.strip_prefix("-u")));
                self.taken_away(names.map(|(_, name)| name.as_str()).chain(joined), place);
            }
            "setenv" | "set" => {
                let mut words = rest.iter().skip_while(|word| word.starts_with('-'));
                if let Some(key) = words.next().and_then(|name| Key::of_variable(name)) {
                    let value = words.next().map_or("", String::as_str);
                    self.found.assign(key, key.name(), said(value), false, place.line);
                }
            }
            _ => {}
        }
    }

    /// The switch's variables, taken out of an environment: what halts no longer does.
    fn taken_away<'n>(&mut self, names: impl Iterator<Item = &'n str>, place: &Place) {
        for key in names.filter_map(Key::of_variable).filter(|key| *key != Key::AgentMode) {
            self.found.assign(key, key.name(), Said::Known(String::new()), false, place.line);
        }
    }

    /// What counts among the arguments of any program.
    pub(super) fn everywhere(&mut self, head: &str, rest: &[String], place: &Place) {
        self.mode_arguments(rest, place);
        for (index, word) in rest.iter().enumerate() {
            let image = word.strip_prefix("--image=").or_else(|| {
                (word == "--image").then(|| rest.get(index.saturating_add(1)).map(String::as_str)).flatten()
            });
            if let Some(reference) = image {
                self.image("--image", reference, place);
            }
            self.variable(head, word, place);
        }
    }

    /// `--agent-mode X`, `--agent-mode=X`.
    pub(super) fn mode_arguments(&mut self, words: &[String], place: &Place) {
        for (index, word) in words.iter().enumerate() {
            let value = match word.strip_prefix("--agent-mode").or_else(|| word.strip_prefix("--agent_mode")) {
                Some("") => words.get(index.saturating_add(1)).map_or("", String::as_str),
                Some(value) => match value.strip_prefix('=') {
                    Some(value) => value,
                    None => continue,
                },
                None => continue,
            };
            self.found.assign(Key::AgentMode, "--agent-mode", said(value), false, place.line);
        }
    }

    /// `KEY=value`, alone or behind a flag, or inside a structure.
    fn variable(&mut self, head: &str, word: &str, place: &Place) {
        let sets = SETS.contains(&head);
        // Of programs that are not known a bare assignment counts, where it is decided and no sentence.
        let bare = word.trim_start_matches('-');
        let alone = bare.split_once('=').and_then(|(name, value)| {
            let key = Key::of_variable(name)
                .or_else(|| value.split_once('=').and_then(|(name, _)| Key::of_variable(name)))?;
            (!value.contains([' ', HOLE]) || sets).then_some(key)
        });
        let structure = sets || head == "-p";
        if alone.is_none() && !structure {
            return;
        }
        for hit in scan::assignments(word) {
            self.found.assign(hit.key, hit.spelled, hit.value, false, place.line);
        }
    }

    /// A text that rewrites another: the right side of `s/…/…/`, an assignment of `yq`.
    fn substitution(&mut self, text: &str, place: &Place) {
        let mut told = false;
        for (left, right) in content::replacements(text) {
            told = true;
            let hits = scan::assignments(&right);
            // `\1EXECUTE` keeps what stands before, `"0"` its quotes.
            let bare = right.replace(['\\', '&', '"', '\'', ' '], "");
            let bare = bare.trim_start_matches(|c: char| c.is_ascii_digit() && bare.len() > 1);
            let halts = Key::ALL.into_iter().find(|key| *key != Key::AgentMode && left.contains(key.name()));
            match halts {
                _ if !hits.is_empty() => {}
                _ if right.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word == "EXECUTE") => {
                    self.found.assign(
                        Key::AgentMode,
                        "a replacement",
                        Said::Known("EXECUTE".to_owned()),
                        false,
                        place.line,
                    );
                }
                Some(key) if bare == "0" || bare.contains(HOLE) => {
                    self.found.assign(key, key.name(), said(bare), false, place.line)
                }
                _ => {}
            }
            for hit in hits {
                self.found.assign(hit.key, hit.spelled, hit.value, false, place.line);
            }
        }
        if told {
            return;
        }
        for hit in scan::assignments(text)
            .into_iter()
            .filter(|hit| hit.value.known().is_none_or(|v| matches!(v, "EXECUTE" | "0")))
        {
            if hit.value.known().is_some() {
                self.found.assign(hit.key, hit.spelled, hit.value, false, place.line);
            }
        }
        let assigns = |mark: &str| {
            text.match_indices(mark).any(|(at, _)| {
                let before = text.get(..at).unwrap_or_default().trim_end();
                before.ends_with('=') && !before.ends_with("==") && !before.ends_with("!=")
            })
        };
        if text.contains("AGENT_MODE") && (assigns("\"EXECUTE\"") || assigns("'EXECUTE'")) {
            self.found.assign(Key::AgentMode, "AGENT_MODE", Said::Known("EXECUTE".to_owned()), false, place.line);
        }
    }

    /// `sed -i s/replicas: 0/replicas: 1/ FILE`: a number of a manifest, changed where it stands.
    fn numbered(&mut self, head: &str, rest: &[String], place: &Place) {
        let in_place = rest.iter().any(|word| word.starts_with("-i") || word == "--in-place" || word == "--inplace");
        let changes = |text: &String| {
            text.rsplit_once("replicas").is_some_and(|(_, behind)| {
                let number: String =
                    behind.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
                number != "0"
            })
        };
        if in_place && rest.iter().any(changes) {
            let files = rest.iter().filter(|word| !changes(word)).map(String::as_str);
            self.order_of(Effect::Patch, super::arguments::names(files), false, &joined(head, rest), place);
        }
    }

    /// Files that are put over the switch.
    fn moved(&mut self, head: &str, rest: &[String], place: &Place) {
        let files: Vec<&str> = rest
            .iter()
            .map(|word| word.strip_prefix("of=").or_else(|| word.strip_prefix("--target-directory=")).unwrap_or(word))
            .filter(|word| !word.starts_with('-') && !word.starts_with("if="))
            .collect();
        let in_place =
            rest.iter().any(|word| word.starts_with("-i") || word.starts_with("-pi") || word == "--in-place");
        let written: Vec<&str> = match head {
            "tee" | "sponge" | "truncate" => files.clone(),
            "dd" => rest.iter().filter_map(|word| word.strip_prefix("of=")).collect(),
            "cp" | "mv" | "install" | "ln" | "rsync" | "scp" => {
                let folder = rest.iter().skip_while(|word| *word != "-t").nth(1).map(String::as_str);
                folder.or_else(|| files.last().copied().filter(|_| files.len() > 1)).into_iter().collect()
            }
            "sed" | "perl" | "yq" | "ruby" if in_place => files.iter().skip(1).copied().collect(),
            _ => return,
        };
        if !written.iter().any(|path| is_switch(path)) {
            return;
        }
        if head == "tee" && !place.stdin.is_empty() {
            return; // Told where the text is printed.
        }
        let known =
            files.first().and_then(|from| self.written.get(*from)).filter(|_| matches!(head, "cp" | "mv" | "install"));
        let texts = known.map_or_else(|| vec![HOLE.to_string()], |texts| texts.iter().cloned().collect());
        let command = shown(&joined(head, rest).join(" "));
        for text in texts {
            self.write_switch(&text, &command, place.line);
        }
    }
}

fn joined(head: &str, rest: &[String]) -> Vec<String> {
    std::iter::once(head.to_owned()).chain(rest.iter().cloned()).collect()
}
