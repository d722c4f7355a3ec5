//! What a pack says to its auditor. Every command in it can be run as it is printed.

use super::About;
use super::evidence::Evidence;
use agenttrader_audit::note::{Note, VerifierKey};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a pack holds beside the logs, for its README.
pub(super) struct Beside<'a> {
    pub(super) cosigned: &'a BTreeMap<String, String>,
    pub(super) evidence: &'a Evidence,
    pub(super) has_blobs: bool,
}

/// What the text is about.
pub(super) struct Shown<'a> {
    pub(super) about: &'a About,
    pub(super) vkeys: &'a str,
    pub(super) witnesses: &'a [VerifierKey],
    pub(super) beside: &'a Beside<'a>,
}

/// The README.
pub(super) fn text(shown: &Shown<'_>) -> String {
    let About { repo_id, build, newest_record_utc, logs, without_checkpoint, .. } = shown.about;
    let mut text = format!(
        "# Audit logs of {repo_id}\n\n\
         The records of who did what and why, one log an agent, up to {newest_record_utc}; packed by build {} ({}).\n\
         Each entry is one JSON text. Each log is a Merkle tree (RFC 6962) in C2SP tlog-tiles files with a signed checkpoint.\n\n\
         | log | entries | root |\n|---|---|---|\n",
        build.build_id, build.git_sha
    );
    for log in logs {
        let _ = writeln!(text, "| `logs/{}` | {} | `{}` |", log.agent_name, log.size, log.root);
    }
    if !without_checkpoint.is_empty() {
        let _ = writeln!(text, "\nWithout a checkpoint yet, and so not here: {}.", without_checkpoint.join(", "));
    }
    text.push_str(BEFORE);
    text.push_str(UNPACK);
    if shown.beside.has_blobs {
        text.push_str(BLOBS);
    }
    text.push_str(GO);
    text.push_str(GO_PROGRAM);
    text.push_str(GO_RUN);
    text.push_str(PYTHON);
    for (log, vkey) in logs.iter().filter_map(|log| Some((log, vkey_of(shown.vkeys, &log.origin)?))) {
        let last = log.size.saturating_sub(1);
        let _ = writeln!(
            text,
            "aics-tlog verify-inclusion --tiles logs/{} --index {last} --log-key '{vkey}'",
            log.agent_name
        );
    }
    text.push_str("```\n");
    cosigned(&mut text, shown);
    evidence(&mut text, shown);
    text.push_str(AFTER);
    text
}

fn vkey_of<'a>(vkeys: &'a str, origin: &str) -> Option<&'a str> {
    vkeys.lines().find(|vkey| vkey.split('+').next() == Some(origin))
}

/// What there is of reports, unlocks and signed inputs, each by its name.
fn evidence(text: &mut String, shown: &Shown<'_>) {
    if shown.beside.evidence.is_empty() {
        return;
    }
    text.push_str(EVIDENCE);
    for (path, bytes) in shown.beside.evidence {
        let _ = writeln!(text, "- `{path}`, {} bytes", bytes.len());
    }
}

fn cosigned(text: &mut String, shown: &Shown<'_>) {
    let mut commands = String::new();
    for log in &shown.about.logs {
        let note = shown.beside.cosigned.get(&log.agent_name).and_then(|note| Note::parse(note.as_bytes()).ok());
        let (Some(note), Some(vkey)) = (note, vkey_of(shown.vkeys, &log.origin)) else { continue };
        let signed = |witness: &&VerifierKey| note.signatures().iter().any(|line| witness.made(line));
        let witnesses: Vec<_> = shown.witnesses.iter().filter(signed).collect();
        let _ = write!(commands, "aics-tlog verify-checkpoint --note cosigned/{} --log-key '{vkey}'", log.agent_name);
        for witness in &witnesses {
            let _ = write!(commands, " --witness-key '{witness}'");
        }
        let _ = writeln!(commands, " --quorum {}", witnesses.len());
        let _ = writeln!(
            commands,
            "aics-tlog verify-consistency --tiles logs/{} --old-checkpoint cosigned/{} --log-key '{vkey}'",
            log.agent_name, log.agent_name
        );
    }
    if !commands.is_empty() {
        let _ = write!(text, "{COSIGNED}```sh\n{commands}```\n");
    }
}

const BEFORE: &str = "
## Before anything else

Compare `vkeys` with the logs' verifier keys, and `witness-vkeys` with the witnesses', that reached you another way: by these alone you
know that the signatures are the agents'. If you keep older checkpoints of these logs, have them at hand.
";

const UNPACK: &str = "
## With tar and sha256sum

Set `PACK` to the full path of the file you were given. Its last bytes are the SHA-256 of all bytes before them:

```sh
test \"$(head -c -56 \"$PACK\" | sha256sum | cut -c 1-64)\" = \"$(tail -c 32 \"$PACK\" | od -An -v -tx1 | tr -d ' \\n')\"
```

Unpack it, and compare every file with the index, both ways:

```sh
mkdir pack
tar --zstd -xf \"$PACK\" -C pack
cd pack
sha256sum --check --strict --quiet index.sha256
test \"$(find . ! -type d ! -path ./index.sha256 | wc -l)\" -eq \"$(wc -l < index.sha256)\"
test -z \"$(find . ! -type d ! -type f)\"
```

This finds accidents. Whoever alters a pack on purpose makes the index anew; signatures and hashes of the logs are what they cannot make anew.
";

const BLOBS: &str = "
Payloads that are too large for an entry stand in `blobs/`, and the entry names their SHA-256, which is also their file's name:

```sh
(cd blobs && for blob in *; do echo \"$blob  $blob\"; done | sha256sum --check --strict --quiet)
```
";

const GO: &str = "
## With Go's own packages of transparency logs

`golang.org/x/mod/sumdb/note` and `tlog` are what Go checks its module downloads with. On Debian or Ubuntu they come with
`apt-get install golang-go golang-golang-x-mod-dev`. The program reads every entry, computes the root anew, and compares it with the
checkpoint under the log's signature:

";

const GO_PROGRAM: &str = r#"```sh
cat > ../check.go <<'END'
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path ...string) string {
	data, err := os.ReadFile(filepath.Join(path...))
	must(err)
	return string(data)
}

func main() {
	var keys []note.Verifier
	for _, vkey := range strings.Fields(read(os.Args[1])) {
		key, err := note.NewVerifier(vkey)
		must(err)
		keys = append(keys, key)
	}
	for _, log := range os.Args[2:] {
		signed, err := note.Open([]byte(read(log, "checkpoint")), note.VerifierList(keys...))
		must(err)
		lines := strings.Split(signed.Text, "\n")
		size, err := strconv.ParseInt(lines[1], 10, 64)
		must(err)
		var hashes []tlog.Hash
		stored := tlog.HashReaderFunc(func(indexes []int64) (list []tlog.Hash, err error) {
			for _, index := range indexes {
				list = append(list, hashes[index])
			}
			return list, nil
		})
		for entry := int64(0); entry < size; {
			path := fmt.Sprintf("%03d", entry/256%1000)
			for n := entry / 256000; n > 0; n /= 1000 {
				path = fmt.Sprintf("x%03d/%s", n%1000, path)
			}
			if size-entry < 256 {
				path += fmt.Sprintf(".p/%d", size-entry)
			}
			for data := []byte(read(log, "tile", "entries", path)); len(data) > 0; entry++ {
				end := 2 + int(binary.BigEndian.Uint16(data))
				more, err := tlog.StoredHashes(entry, data[2:end], stored)
				must(err)
				hashes, data = append(hashes, more...), data[end:]
			}
		}
		root, err := tlog.TreeHash(size, stored)
		must(err)
		name := signed.Sigs[0].Name
		if lines[0] != name || filepath.Base(name) != filepath.Base(log) || root.String() != lines[2] {
			must(fmt.Errorf("%s differs from its checkpoint", log))
		}
		key := fmt.Sprintf("%08x", signed.Sigs[0].Hash)
		fmt.Println(log, size, base64.StdEncoding.EncodeToString(root[:]), "signed by", name+"+"+key)
	}
}
END
"#;

const GO_RUN: &str = "GO111MODULE=off GOPATH=/usr/share/gocode go run ../check.go vkeys logs/*
```
";

const PYTHON: &str = "
## With a second verifier, by other people

`pip install aics-tlog`. It verifies checkpoint and tiles, here that the last entry of each log stands under its signed root:

```sh
";

const COSIGNED: &str = "
## Cosigned checkpoints

A witness signs a checkpoint only if the log extends every one it signed before. On the floor's own machine it finds accidents; what a
witness elsewhere signed, nobody there can take back. The packed log must extend what was cosigned:

";

const EVIDENCE: &str = "
## Reports, unlocks, and what people signed

`artefacts/` holds reports as they were last made: readiness, deployment, the configuration of the safety controls, differences of manifests.
Nobody signs them; the log of `governance-cli` names the SHA-256 of each that was made here, in its `report_generated` entries.

`unlock/` holds each unlock as it was committed, `signed/` what people gave the agents. Who approved shows in the `.sig` files alone, which are
SSH signatures: take `ops/trust/allowed_signers` of the commit that was locked before, not from here, and for each `FILE.NAME.sig` run
`ssh-keygen -Y verify -f allowed_signers -I NAME -n NAMESPACE -s FILE.NAME.sig < FILE`. The namespace is the role: `unlock-operator@agenttrader`
and `unlock-reviewer@agenttrader` for an approval, `execution-grant@agenttrader` for a grant, `proposal-approval@agenttrader` for a proposal,
`execution-resume@agenttrader` for a resume, `lock-genesis@agenttrader` for the first lock.

";

const AFTER: &str = "
## What none of this shows

- What was never logged, and what was logged after these checkpoints.
- A whole machine rolled back before any checkpoint that somebody outside keeps.
- That keys you took from this pack are the agents'.
- `README.md`, `pack.json`, `configuration/` and `artefacts/` are signed by nobody, and who may sign for what stands outside.

`agenttrader audit verify \"$PACK\"` does all of this in one command, offline, and compares tiles, payloads and records besides;
`agenttrader audit trace ID \"$PACK\"` tells the story of one proposal, each step with its proof.
";
