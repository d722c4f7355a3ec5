//! Outside witnesses: a server of our own for each answer of the protocol, and a witness that others wrote.

use super::logs::{AGENT, LogMaker};
use super::rig::Rig;
use agenttrader_agent::tasks::Tasks;
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::witness::{Followed, Refused, Request};
use agenttrader_mission_control::witness::outside::Pinned;
use agenttrader_outside::witness::AicsWitness;
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the server does instead of what a witness does.
type Script = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

struct State {
    followed: Followed,
    script: Option<Script>,
    /// `old` of each request so far.
    asked: Vec<u64>,
}

/// A witness of one log.
struct Server {
    state: Arc<Mutex<State>>,
    url: String,
    key: NoteSigner,
    tasks: Tasks,
}

impl Server {
    async fn start(log: &LogMaker) -> Self {
        let key = NoteSigner::cosigner("witness.example/w1", SigningKey::from_bytes(&[7; 32]));
        let state = State { followed: Followed::new(log.vkey()), script: None, asked: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let (shared, signer) = (Arc::clone(&state), key.clone());
        let answer = move |body: Bytes| {
            let (shared, signer) = (Arc::clone(&shared), signer.clone());
            async move { answer(&mut shared.lock().unwrap(), &signer, &body) }
        };
        let router = Router::new().route("/prefix/add-checkpoint", post(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/prefix", listener.local_addr().unwrap());
        let tasks = Tasks::new();
        let stop = tasks.stop();
        tasks.spawn("witness", async move {
            agenttrader_agent::health::serve(listener, router, stop).await.unwrap();
        });
        Self { state, url, key, tasks }
    }

    fn pinned(&self) -> Pinned {
        format!("{}={}", self.key.verifier(), self.url).parse().unwrap()
    }

    fn vkey(&self) -> String {
        self.key.verifier().to_string()
    }

    /// Answers so from now on; like a witness again with none.
    fn script(&self, script: Option<Script>) {
        self.state.lock().unwrap().script = script;
    }

    fn size(&self) -> u64 {
        self.state.lock().unwrap().followed.size()
    }

    fn asked(&self) -> Vec<u64> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.ask_to_stop();
    }
}

fn answer(state: &mut State, key: &NoteSigner, body: &[u8]) -> Response {
    let request = Request::parse(body).unwrap();
    state.asked.push(request.old);
    if let Some(script) = &state.script {
        return script(&request);
    }
    match state.followed.answer(request) {
        Ok(accepted) => {
            let stored = accepted.store(|_| Ok::<_, Infallible>(())).unwrap();
            state.followed.advance(&stored);
            format!("{}\n", stored.cosign(key, 1_800_000_000)).into_response()
        }
        Err(Refused::Stale { held, .. }) => {
            (StatusCode::CONFLICT, [("content-type", "text/x.tlog.size")], format!("{held}\n")).into_response()
        }
        Err(refused) => StatusCode::from_u16(refused.status()).unwrap().into_response(),
    }
}

/// What is told of the outside witness and the log once it is as wanted.
async fn until(rig: &Rig, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let seen = rig.audit().await["outside_witnesses"][0]["logs"][AGENT].clone();
        if wanted(&seen) {
            return seen;
        }
        assert!(started.elapsed() < rig.patience(), "{what}: {seen:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_checkpoint_is_cosigned_by_an_outside_witness_whatever_it_remembers() {
    let rig = Rig::new().await;
    let server = Server::start(rig.maker()).await;
    let mut rig = rig.with_outside([server.pinned()]);
    let log = rig.maker().open(rig.agent_dir());
    log.append(5);
    rig.start().await;
    until(&rig, "five records", |seen| seen["size"] == 5 && seen["error"] == json!(null)).await;
    log.append(400);
    until(&rig, "405 records", |seen| seen["size"] == 405).await;
    let own = rig.audit().await["witness"]["vkey"].as_str().unwrap().to_owned();
    rig.cosigned(405, &[&own, &server.vkey()]);
    assert_eq!((server.size(), server.asked()), (405, vec![0, 5]));
    let audit = rig.audit().await;
    assert_eq!(audit["outside_witnesses"][0]["vkey"], server.vkey());
    assert_eq!(audit["logs"][0]["cosigned_by"].as_array().unwrap().len(), 2);

    // After a restart nothing is known of what it holds: it says so, and is asked again from there.
    rig.restart().await;
    log.append(1);
    until(&rig, "406 records", |seen| seen["size"] == 406).await;
    let asked = server.asked();
    assert!(asked.starts_with(&[0, 405]), "{asked:?}");
    rig.cosigned(406, &[&own, &server.vkey()]);
    let witnesses = std::fs::read_to_string(rig.state().join("witnesses")).unwrap();
    assert_eq!(witnesses.lines().collect::<Vec<_>>(), [own, server.vkey()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_but_a_good_one_is_told_and_tried_again() {
    let rig = Rig::new().await;
    let server = Server::start(rig.maker()).await;
    let mut rig = rig.with_outside([server.pinned()]);
    let log = rig.maker().open(rig.agent_dir());
    log.append(5);
    let forger = NoteSigner::cosigner("witness.example/w1", SigningKey::from_bytes(&[8; 32]));
    let status = |code: u16| -> Script { Arc::new(move |_| StatusCode::from_u16(code).unwrap().into_response()) };
    let forged: Script =
        Arc::new(move |request| format!("{}\n", forger.sign(request.checkpoint.note().text(), 1)).into_response());
    let elsewhere: Script = Arc::new(|_| (StatusCode::FOUND, [("location", "http://127.0.0.1:1/")]).into_response());
    let stale: Script =
        Arc::new(|_| (StatusCode::CONFLICT, [("content-type", "text/x.tlog.size")], "3\n".to_owned()).into_response());
    let own_key = server.key.clone();
    let another_text: Script = Arc::new(move |_| format!("{}\n", own_key.sign("another text\n", 1)).into_response());
    let hello: Script = Arc::new(|_: &Request| "hello\n".into_response());
    let endless: Script = Arc::new(|_: &Request| "x".repeat(200_000).into_response());
    for (script, words) in [
        (status(403), "another key"),
        (status(404), "vkey"),
        (status(400), "HTTP status 400"),
        (status(409), "without the size"),
        (status(500), "HTTP status 500"),
        (elsewhere, "HTTP status 302"),
        (stale, "again and again"),
        (forged, "no signature of the witness's key"),
        (another_text, "does not verify"),
        (hello, "no signature"),
        (endless, "more than"),
    ] {
        server.script(Some(script));
        rig.start().await;
        let seen = until(&rig, words, |seen| seen["error"].as_str().is_some_and(|error| error.contains(words))).await;
        assert!(seen["failures"].as_u64().unwrap() >= 1 && seen["cosigned_utc"].is_null(), "{words}: {seen}");
        rig.stop().await;
    }
    server.script(Some(status(500)));
    rig.start().await;
    until(&rig, "fails", |seen| seen["failures"].as_u64() >= Some(1)).await;
    server.script(None);
    let seen = until(&rig, "good again", |seen| seen["error"].is_null() && seen["size"] == 5).await;
    assert_eq!(seen["failures"], 0);
    assert!(rig.told().is_empty(), "a witness that does not answer says nothing of the log: {:?}", rig.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_remembers_more_finds_the_whole_machine_rolled_back() {
    let rig = Rig::new().await;
    let server = Server::start(rig.maker()).await;
    let mut rig = rig.with_outside([server.pinned()]);
    let log = rig.maker().open(rig.agent_dir());
    log.append(9);
    rig.start().await;
    until(&rig, "nine records", |seen| seen["size"] == 9).await;
    rig.stop().await;
    log.close();
    // Everything on this machine is as it was before: the log, and what our own witness remembers.
    for part in ["audit", "audit-state"] {
        std::fs::remove_dir_all(rig.agent_dir().join(part)).unwrap();
    }
    std::fs::remove_dir_all(rig.state()).unwrap();
    let log = rig.maker().named("other").open(rig.agent_dir());
    log.append(4);
    rig.start().await;
    let seen = rig.until_code("AUDIT_ROLLBACK").await;
    assert!(seen["findings"][0]["words"].as_str().unwrap().contains("witness.example/w1"), "{seen}");
    // Its answer is signed by nobody, and the remedy promises no more than the file holds: after a restart too.
    let remedy = |seen: &Value| {
        let found = seen["findings"].as_array().unwrap().iter().find(|one| one["code"] == "AUDIT_ROLLBACK");
        found.unwrap()["remedy"].as_str().unwrap().to_owned()
    };
    assert!(remedy(&seen).contains("signed by nobody") && !remedy(&seen).contains("both"), "{seen}");
    rig.stop().await;
    let alarm = std::fs::read_to_string(rig.state().join("alarms").join(AGENT).join("AUDIT_ROLLBACK")).unwrap();
    let alarm: Value = serde_json::from_str(&alarm).unwrap();
    assert!(alarm["held"].as_str().unwrap().contains("\n4\n") && alarm["found"].is_null(), "{alarm}");
    rig.start().await;
    assert_eq!(remedy(&rig.until_code("AUDIT_ROLLBACK").await), remedy(&seen));
    // It grows past what the witness holds: another history then.
    log.append(10);
    let seen = rig.until_code("AUDIT_FORK").await;
    assert!(seen["findings"][0]["words"].as_str().unwrap().contains("9 entries"), "{seen}");
    assert_eq!(server.size(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_is_away_is_asked_again_once_it_is_back() {
    let rig = Rig::new().await;
    // Held without being listened on, so that nobody else answers there.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let away = held.local_addr().unwrap();
    let key = NoteSigner::cosigner("witness.example/away", SigningKey::from_bytes(&[7; 32]));
    let mut rig = rig.with_outside([format!("{}=http://{away}", key.verifier()).parse().unwrap()]);
    let log = rig.maker().open(rig.agent_dir());
    log.append(5);
    rig.start().await;
    let seen = until(&rig, "tried twice", |seen| seen["failures"].as_u64() >= Some(2)).await;
    assert!(!seen["error"].is_null(), "{seen}");
    let log = rig.until("our own witness goes on", |log| log["size"] == 5).await;
    assert_eq!(log["findings"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_others_wrote_cosigns_what_we_send_it() {
    let rig = Rig::new().await;
    let vkey = rig.maker().vkey();
    let Some(witness) = AicsWitness::start(vkey.name(), &vkey.to_string()) else { return };
    let pinned: Pinned = format!("{}={}", witness.vkey(), witness.url()).parse().unwrap();
    let mut rig = rig.with_outside([pinned]);
    let log = rig.maker().open(rig.agent_dir());
    log.append(3);
    rig.start().await;
    let own = rig.audit().await["witness"]["vkey"].as_str().unwrap().to_owned();
    for (more, size) in [(0, 3), (4, 7), (249, 256), (44, 300), (500, 800)] {
        if more > 0 {
            log.append(more);
        }
        until(&rig, "cosigned", |seen| seen["size"] == size && seen["error"].is_null()).await;
        rig.cosigned(size, &[&own, witness.vkey()]);
    }
    rig.restart().await;
    log.append(1);
    until(&rig, "after a restart", |seen| seen["size"] == 801).await;
    log.close();

    // The witness holds 801 entries; this machine forgets all it knew.
    rig.stop().await;
    for part in ["audit", "audit-state"] {
        std::fs::remove_dir_all(rig.agent_dir().join(part)).unwrap();
    }
    std::fs::remove_dir_all(rig.state()).unwrap();
    let log = rig.maker().named("other").open(rig.agent_dir());
    log.append(10);
    rig.start().await;
    rig.until_code("AUDIT_ROLLBACK").await;
    log.append(900);
    rig.until_code("AUDIT_FORK").await;
}
