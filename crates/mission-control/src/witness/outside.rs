//! Witnesses that others run: each is sent every log's checkpoints by C2SP add-checkpoint, and its answers are checked with its pinned key.

use super::finding::{Code, one_line};
use super::log_source::{LogSource, NodesError};
use super::seen::{OutsideLog, OutsideSeen, WitnessKey};
use super::shared::Shared;
use agenttrader_agent::clock;
use agenttrader_agent::tasks::Stop;
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::merkle::Hash;
use agenttrader_audit::note::{KeyKind, NOTE_BYTES_MOST, NoteError, VerifierKey};
use agenttrader_audit::witness::{Answer, Request};
use agenttrader_core::error_chain::chain;
use reqwest::Url;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a witness may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether there is something to send.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Wait after the first try that failed; twice as long after each further one.
const BACK_OFF_FIRST: Duration = Duration::from_secs(1);

/// Longest wait between two tries.
const BACK_OFF_MOST: Duration = Duration::from_secs(60);

/// A witness that an operator has pinned: `VKEY=URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    key: VerifierKey,
    /// Where `/add-checkpoint` is appended.
    url: String,
}

/// Why a text pins no witness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinnedError {
    /// No key and address with `=` between them.
    #[error("`{text}` is no witness: VKEY=URL is wanted, with https, or http on this machine")]
    Form {
        /// What was given.
        text: String,
    },
    /// The key is none.
    #[error(transparent)]
    Key(#[from] NoteError),
    /// The key is a log's.
    #[error("the key of {name} signs notes, not cosignatures: the key of a witness is wanted (type 4)")]
    Kind {
        /// The key's name.
        name: String,
    },
    /// The address is not one that is sent anything.
    #[error("the address of the witness {name} cannot be used: {why}")]
    Address {
        /// The key's name.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
}

impl FromStr for Pinned {
    type Err = PinnedError;

    fn from_str(text: &str) -> Result<Self, PinnedError> {
        // A key may end with `=`, an address may hold one: the address begins where its scheme does.
        let at = ["=https://", "=http://"].iter().filter_map(|start| text.find(start)).min();
        let parts = at.and_then(|at| Some((text.get(..at)?, text.get(at.checked_add(1)?..)?)));
        let (vkey, url) = parts.ok_or_else(|| PinnedError::Form { text: text.chars().take(200).collect() })?;
        let key = VerifierKey::parse(vkey)?;
        if key.kind() != KeyKind::Cosigner {
            return Err(PinnedError::Kind { name: key.name().to_owned() });
        }
        let url = address(url).map_err(|why| PinnedError::Address { name: key.name().to_owned(), why })?;
        Ok(Self { key, url })
    }
}

/// The address of a witness: TLS to anywhere, plain HTTP to this machine alone.
fn address(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "it is no address")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a name or password in it would end up in logs");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a `?` or `#`");
    }
    let host = url.host_str().unwrap_or_default();
    let is_here =
        host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|host| host.is_loopback());
    if url.scheme() == "http" && !is_here {
        return Err("plain HTTP is sent on this machine alone; use https");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

impl Pinned {
    /// The key that its answers are checked with.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// As the API shows it before it was sent anything.
    pub fn unseen(&self) -> OutsideSeen {
        OutsideSeen { key: WitnessKey::of(&self.key), url: self.url.clone(), logs: BTreeMap::new() }
    }
}

/// How sending the checkpoints of one log to one witness goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sending {
    /// Entries of the checkpoint it is thought to hold.
    held: u64,
    /// Entries of the checkpoint it signed last.
    signed: Option<u64>,
    failures: u32,
    not_before: Option<Instant>,
}

impl Sending {
    /// Whether a checkpoint of that size is to be sent now.
    fn is_due(&self, size: u64, now: Instant) -> bool {
        self.signed.is_none_or(|signed| signed < size) && self.not_before.is_none_or(|at| now >= at)
    }

    fn succeeded(&mut self, size: u64) {
        *self = Self { held: size, signed: Some(size), failures: 0, not_before: None };
    }

    fn failed(&mut self, now: Instant) {
        self.not_before = now.checked_add(back_off(self.failures));
        self.failures = self.failures.saturating_add(1);
    }
}

/// The wait after one more failure.
fn back_off(failures: u32) -> Duration {
    BACK_OFF_FIRST.saturating_mul(2_u32.saturating_pow(failures)).min(BACK_OFF_MOST)
}

/// Sends every log's checkpoints to one witness, until `stop`.
pub(super) async fn send_all(pinned: Pinned, shared: Arc<Shared>, client: reqwest::Client, mut stop: Stop) {
    let mut sendings: BTreeMap<String, Sending> = BTreeMap::new();
    loop {
        for (agent_name, source, checkpoint) in shared.latest() {
            let sending = sendings.entry(agent_name.clone()).or_default();
            if !sending.is_due(checkpoint.checkpoint.size, clock::monotonic()) {
                continue;
            }
            let turn = Turn { pinned: &pinned, client: &client, source: &source, checkpoint: &checkpoint };
            let answer = tokio::select! {
                () = stop.wait() => return,
                answer = turn.send(sending.held) => answer,
            };
            take(&pinned, &shared, &agent_name, &checkpoint, sending, answer).await;
        }
        if tokio::time::timeout(LOOK_EVERY, stop.wait()).await.is_ok() {
            return;
        }
    }
}

/// One checkpoint on its way to one witness.
struct Turn<'a> {
    pinned: &'a Pinned,
    client: &'a reqwest::Client,
    source: &'a LogSource,
    checkpoint: &'a SignedCheckpoint,
}

/// What came of a turn: from which size it was sent, and the answer.
struct Sent {
    old: u64,
    answer: Answer,
}

impl Turn<'_> {
    /// Sends it as going on from `held`; once more from where the witness says that it is.
    async fn send(&self, held: u64) -> Sent {
        let size = self.checkpoint.checkpoint.size;
        let first = self.send_from(held.min(size)).await;
        match first.answer {
            Answer::Stale { held } if held <= size && held != first.old => self.send_from(held).await,
            _ => first,
        }
    }

    async fn send_from(&self, old: u64) -> Sent {
        let unusable = |why: String| Sent { old, answer: Answer::Unusable(why) };
        let proof = match self.proof(old).await {
            Ok(proof) => proof,
            Err(why) => return unusable(format!("no proof from {old} can be made: {why}")),
        };
        let request = Request { old, proof, checkpoint: self.checkpoint.clone() };
        match tokio::time::timeout(ANSWER_WITHIN, self.post(request.to_body())).await {
            Ok(Ok((status, kind, body))) => {
                let answer = Answer::of_http(status, kind.as_deref(), &body, self.checkpoint, &self.pinned.key);
                Sent { old, answer }
            }
            Ok(Err(why)) => unusable(why),
            Err(_) => unusable("no answer in time".to_owned()),
        }
    }

    /// The proof that the log goes on from `old`. It holds for the tree of this checkpoint: a witness that refuses it holds another tree.
    async fn proof(&self, old: u64) -> Result<Vec<Hash>, NodesError> {
        let size = self.checkpoint.checkpoint.size;
        if old == 0 || old == size {
            return Ok(Vec::new());
        }
        let nodes = self.source.nodes(old, size).await?;
        if nodes.root(size)? != self.checkpoint.checkpoint.root {
            return Err(NodesError::Damaged("the tiles are not those of the checkpoint".to_owned()));
        }
        nodes.proof(old)
    }

    async fn post(&self, body: String) -> Result<(u16, Option<String>, Vec<u8>), String> {
        let url = format!("{}/add-checkpoint", self.pinned.url);
        let mut answer = self.client.post(url).body(body).send().await.map_err(|error| chain(&error))?;
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| chain(&error))? {
            if body.len().saturating_add(chunk.len()) > NOTE_BYTES_MOST {
                return Err(format!("an answer of more than {NOTE_BYTES_MOST} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, kind, body))
    }
}

/// Takes in what a witness answered.
async fn take(
    pinned: &Pinned,
    shared: &Arc<Shared>,
    agent_name: &str,
    checkpoint: &SignedCheckpoint,
    sending: &mut Sending,
    Sent { old, answer }: Sent,
) {
    let (size, name) = (checkpoint.checkpoint.size, pinned.key.name());
    let error;
    match answer {
        Answer::Cosigned(line) => {
            sending.succeeded(size);
            let (shared, agent_name, checkpoint) = (Arc::clone(shared), agent_name.to_owned(), checkpoint.clone());
            let kept = tokio::task::spawn_blocking(move || shared.add_line(&agent_name, &checkpoint, line)).await;
            error = kept.ok().and_then(Result::err);
        }
        Answer::Stale { held } if held > size => {
            let words = format!("the witness {name} has seen {held} entries of this log, which has {size}");
            shared.claim(agent_name, Code::Rollback, words.clone());
            error = Some(words);
        }
        Answer::Stale { held } => {
            sending.held = held;
            error = Some(format!("it says that it holds {held} entries, again and again"));
        }
        Answer::Inconsistent => {
            let words = format!("the witness {name} holds {old} entries of this log that its {size} do not go on from");
            if old > 0 {
                shared.claim(agent_name, Code::Fork, words.clone());
            }
            error = Some(words);
        }
        Answer::UnknownOrigin => {
            error = Some("it does not follow this log: give its operator the log's vkey".to_owned())
        }
        Answer::BadSignature => error = Some("it knows another key for this log".to_owned()),
        Answer::Unusable(why) => error = Some(why),
    }
    if error.is_some() && sending.signed != Some(size) {
        sending.failed(clock::monotonic());
    }
    let log = OutsideLog {
        size: sending.held,
        cosigned_utc: if error.is_none() { Some(clock::wall()) } else { shared.cosigned_utc(name, agent_name) },
        error: error.map(|words| one_line(&words)),
        failures: sending.failures,
    };
    shared.put_outside(name, agent_name, log);
}

#[cfg(test)]
mod tests {
    use super::*;

    const VKEY: &str = "witness.example/w1+cf810b3c+BCnlgzqRWmQppOOnlIR1wzjvQ264K+ickvBZcEQD251V";

    #[test]
    fn a_witness_is_pinned_by_key_and_address() {
        for (url, kept) in [
            ("https://witness.example", "https://witness.example"),
            ("https://witness.example/prefix/", "https://witness.example/prefix"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://[::1]:9000/", "http://[::1]:9000"),
            ("http://localhost:9000/a=b", "http://localhost:9000/a=b"),
        ] {
            let pinned: Pinned = format!("{VKEY}={url}").parse().unwrap();
            assert_eq!((pinned.key().to_string().as_str(), pinned.url()), (VKEY, kept));
        }
    }

    #[test]
    fn whatever_else_is_refused() {
        let refused = |text: &str| text.parse::<Pinned>().unwrap_err();
        for text in [
            "",
            VKEY,
            "https://witness.example",
            &format!("{VKEY}=ftp://witness.example"),
            &format!("{VKEY} https://a"),
        ] {
            assert!(matches!(refused(text), PinnedError::Form { .. }), "{text}");
        }
        assert!(matches!(refused("witness.example/w1+00000000+BCnl=https://a"), PinnedError::Key(_)));
        let log = "agenttrader.example/audit+a6028839+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4=https://a";
        assert!(matches!(refused(log), PinnedError::Kind { .. }));
        for url in
            ["http://witness.example", "https://me:secret@witness.example", "https://witness.example?x=1", "https://"]
        {
            let error = refused(&format!("{VKEY}={url}"));
            assert!(
                matches!(error, PinnedError::Address { .. }) && !error.to_string().contains("secret"),
                "{url}: {error}"
            );
        }
    }

    #[test]
    fn tries_come_ever_later_up_to_a_minute_and_at_once_after_a_success() {
        let waits: Vec<u64> = (0..9).map(|failures| back_off(failures).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(back_off(u32::MAX).as_secs(), 60);
        let now = clock::monotonic();
        let mut sending = Sending::default();
        assert!(sending.is_due(1, now));
        sending.failed(now);
        assert!(!sending.is_due(1, now) && sending.is_due(1, now + Duration::from_secs(1)));
        sending.failed(now);
        assert!(!sending.is_due(1, now + Duration::from_secs(1)));
        sending.succeeded(1);
        assert!(!sending.is_due(1, now) && sending.is_due(2, now));
    }
}
