//! `aics-witness`: a witness of logs (c2sp.org/tlog-witness) by other people, as a server on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use crate::tlog::run;
use crate::{broken, python};

/// How long the server may take to listen or to answer before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running witness that knows one log; dropped, it is stopped and forgets everything.
#[derive(Debug)]
pub struct AicsWitness {
    server: Child,
    url: String,
    vkey: String,
    /// Its key and database.
    _state: TempDir,
}

impl AicsWitness {
    /// The name in its verifier key.
    pub const NAME: &str = "witness.example/outside";

    /// Starts a witness with a new key on a free port of the loopback, for the log of that origin and verifier key.
    ///
    /// `None` means that the test is skipped, and that this was said.
    pub fn start(origin: &str, vkey: &str) -> Option<Self> {
        let python = python("aics_witness.cli")?;
        let state = tempfile::tempdir().unwrap_or_else(|error| broken(&format!("no temporary directory: {error}")));
        let command = |what: &str| {
            let mut command = Command::new(&python);
            command.args(["-m", "aics_witness", what, "--config"]).arg(state.path().join("witness.json"));
            command
        };
        let printed = settle(command("init").args(["--name", Self::NAME, "--listen", "127.0.0.1:0"]));
        settle(command("add-log").args(["--origin", origin, "--vkey", vkey]));
        let mut serve = command("serve");
        serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let server = serve.spawn().unwrap_or_else(|error| broken(&format!("cannot start aics-witness: {error}")));
        // Whatever goes wrong from here on, the server is stopped with the value.
        let mut witness = Self { server, url: String::new(), vkey: printed.trim().to_owned(), _state: state };
        witness.url = witness.listening();
        Some(witness)
    }

    /// Where it listens: `http://127.0.0.1:PORT`; its `add-checkpoint` stands right below.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its verifier key, of a cosigner.
    pub fn vkey(&self) -> &str {
        &self.vkey
    }

    /// Sends the checkpoint with the proof (base64) that it extends the tree of `old` entries: the status, and the answer,
    /// which with 200 is its signature line.
    pub fn add_checkpoint(&self, old: u64, proof: &[String], checkpoint: &str) -> (u16, String) {
        let proof: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
        let body = format!("old {old}\n{proof}\n{checkpoint}");
        self.post("/add-checkpoint", &body).unwrap_or_else(|error| broken(&format!("aics-witness: {error}")))
    }

    fn post(&self, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let parsed = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
            let status = head.split(' ').nth(1)?.parse().ok()?;
            Some((status, body.to_owned()))
        });
        parsed.ok_or_else(|| std::io::Error::other(format!("answered {answer:?}")))
    }

    /// Reads what the server says until it says where it listens; a thread reads on, so that the server never waits for us.
    fn listening(&mut self) -> String {
        let Some(stderr) = self.server.stderr.take() else { broken("aics-witness has no standard error") };
        let (said, hear) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // Nobody hears any longer once it listens.
                let _ = said.send(line);
            }
        });
        let mut heard = String::new();
        loop {
            match hear.recv_timeout(PATIENCE) {
                Ok(line) => match line.split_once("listening on ") {
                    Some((_, url)) => return url.split(' ').next().unwrap_or(url).to_owned(),
                    None => heard += &format!("{line}\n"),
                },
                Err(error) => broken(&format!("aics-witness does not listen ({error}):\n{heard}")),
            }
        }
    }
}

impl Drop for AicsWitness {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after this.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Runs a command of the witness that must succeed.
fn settle(command: &mut Command) -> String {
    let output = run(command);
    if output.status.success() {
        return String::from_utf8_lossy(&output.stdout).into_owned();
    }
    let program = Path::new(command.get_program()).display();
    broken(&format!("{program}: aics-witness failed: {}", String::from_utf8_lossy(&output.stderr)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::{Aics, GoVerifier};

    #[test]
    fn a_witness_cosigns_what_grows_and_nothing_else() {
        let (Some(go), Some(aics)) = (GoVerifier::find(), Aics::find()) else { return };
        let vectors = go.vectors();
        let (origin, vkey) = (vectors["origin"].as_str().unwrap(), vectors["vkey"].as_str().unwrap());
        let Some(witness) = AicsWitness::start(origin, vkey) else { return };
        let checkpoint = |size: u64| {
            let tree = vectors["trees"].as_array().unwrap().iter().find(|tree| tree["size"] == size).unwrap();
            tree["checkpoint"].as_str().unwrap().to_owned()
        };
        let proof = |old: u64, size: u64| -> Vec<String> {
            let mut proofs = vectors["consistency"].as_array().unwrap().iter();
            let proof = proofs.find(|proof| proof["old_size"] == old && proof["size"] == size).unwrap();
            proof["hashes"].as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().to_owned()).collect()
        };

        let (status, line) = witness.add_checkpoint(0, &[], &checkpoint(3));
        assert_eq!(status, 200, "{line}");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cosigned");
        std::fs::write(&file, checkpoint(3) + &line).unwrap();
        let head = go.checkpoint(vkey, &file, &[witness.vkey()]).unwrap();
        assert_eq!(head.size, 3);
        assert_eq!(aics.verify_checkpoint(vkey, &file, &[witness.vkey()]), Ok(head));
        std::fs::write(&file, checkpoint(4) + &line).unwrap();
        assert!(go.checkpoint(vkey, &file, &[witness.vkey()]).is_err(), "a cosignature of another tree");

        assert_eq!(witness.add_checkpoint(0, &[], &checkpoint(7)), (409, "3\n".to_owned()));
        assert_eq!(witness.add_checkpoint(3, &proof(4, 7), &checkpoint(7)).0, 422);
        assert_eq!(witness.add_checkpoint(8, &[], &checkpoint(7)).0, 400);
        assert_eq!(witness.add_checkpoint(3, &proof(3, 7), &checkpoint(7)).0, 200);
        assert_eq!(witness.add_checkpoint(7, &[], &checkpoint(7).replace("\n7\n", "\n8\n")).0, 403);
        assert_eq!(witness.add_checkpoint(7, &[], &checkpoint(7).replace(origin, "example.com/other")).0, 404);
    }

    #[test]
    fn a_dropped_witness_is_gone() {
        let Some(go) = GoVerifier::find() else { return };
        let vectors = go.vectors();
        let (origin, vkey) = (vectors["origin"].as_str().unwrap(), vectors["vkey"].as_str().unwrap());
        let Some(witness) = AicsWitness::start(origin, vkey) else { return };
        let address = witness.url().trim_start_matches("http://").to_owned();
        assert!(TcpStream::connect(&address).is_ok());
        assert!(witness.vkey().starts_with(AicsWitness::NAME));
        let state = witness._state.path().to_owned();
        drop(witness);
        assert!(!state.exists());
    }
}
