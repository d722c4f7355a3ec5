//! The files of a log over HTTP, from an agent that runs or from whoever serves a copy.
//!
//! Only what the tree of a log holds can be asked for: `checkpoint` and `tile/…`. A list of the files cannot be had this way.

use agenttrader_agent::marketdata_health::{FetchError, Fetched, fetch, http_client};
use agenttrader_audit::source::{LogFiles, SourceError};
use agenttrader_audit::tile::Tile;
use agenttrader_core::error_chain::chain;
use reqwest::Url;
use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Longest wait for one file: the largest bundle has 16 MiB.
const FILE_WITHIN: Duration = Duration::from_secs(20);

/// A log's address, and the connection to it. Calls block; they may be made from anywhere, within an async runtime too.
pub struct Remote {
    base: String,
    ask: SyncSender<Ask>,
}

/// One file that is asked for.
struct Ask {
    url: String,
    most: usize,
    answer: SyncSender<Result<Fetched, FetchError>>,
}

/// Why a log cannot be read over HTTP.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The address is none, or not one that is asked.
    #[error("`{address}` cannot be asked for a log: {why}")]
    Address {
        /// What was given, without a password.
        address: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The client or its thread cannot be made.
    #[error("cannot make an HTTP client")]
    Client(#[source] io::Error),
    /// No answer.
    #[error("{url} cannot be read")]
    Fetch {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: FetchError,
    },
    /// Neither the file nor `404`.
    #[error("{url} answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// What was answered.
        status: u16,
    },
    /// A path that no log has.
    #[error("`{path}` is no file of a log")]
    Path {
        /// The path.
        path: String,
    },
}

/// Whether a word is meant as an address, and not as a path.
pub fn is_address(word: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| word.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// The address of a log's root: plain HTTP to this machine alone, TLS to any. An address without a path is an agent's, whose log is under
/// `/audit`; any other path is the root of a copy.
fn root(address: &str) -> Result<String, RemoteError> {
    let wrong = |why| {
        // A password may stand before an `@`.
        let shown = address.rsplit('@').next().unwrap_or_default();
        RemoteError::Address { address: shown.chars().take(200).collect(), why }
    };
    let url = Url::parse(address).map_err(|_| wrong("it is no address"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("a name or password in it would end up in logs"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a `?` or `#`; give the log's root"));
    }
    let host = url.host_str().unwrap_or_default();
    let is_here = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_here => {}
        "http" => return Err(wrong("plain HTTP is asked on this machine alone; use https")),
        _ => return Err(wrong("neither http nor https")),
    }
    let whole = url.as_str().trim_end_matches('/');
    Ok(if url.path() == "/" { format!("{whole}/audit") } else { whole.to_owned() })
}

/// Asks for one file after the other, until nobody is left to ask.
fn serve(runtime: &tokio::runtime::Runtime, client: &reqwest::Client, asked: &Receiver<Ask>) {
    while let Ok(Ask { url, most, answer }) = asked.recv() {
        // Whoever asked and left wants no answer.
        let _ = answer.try_send(runtime.block_on(fetch(client, &url, FILE_WITHIN, most)));
    }
}

impl Remote {
    /// A log at an address: `http://127.0.0.1:8081` for an agent's, or the root of a copy. Nothing is asked yet.
    ///
    /// # Errors
    /// [`RemoteError`] when the address is not one that is asked, or there is no client.
    pub fn at(address: &str) -> Result<Self, RemoteError> {
        let base = root(address)?;
        let client = http_client().map_err(|error| RemoteError::Client(io::Error::other(error)))?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RemoteError::Client)?;
        // A call waits for its answer: there is never a second one.
        let (ask, asked) = sync_channel(1);
        thread::Builder::new()
            .name("remote log".to_owned())
            .spawn(move || serve(&runtime, &client, &asked))
            .map_err(RemoteError::Client)?;
        Ok(Self { base, ask })
    }

    /// The address of the log's root, without a `/` at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The file at that path below the root; `None` where there is none. Redirects are not followed.
    ///
    /// # Errors
    /// [`RemoteError`] for any answer but the file or `404`, for more than `most` bytes, and for a path that no log has.
    pub fn get(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, RemoteError> {
        if path != "checkpoint" && Tile::parse(path).is_none() {
            return Err(RemoteError::Path { path: path.chars().take(200).collect() });
        }
        let url = format!("{}/{path}", self.base);
        let (answer, answered) = sync_channel(1);
        let gone = || RemoteError::Client(io::Error::other("its thread has ended"));
        self.ask.send(Ask { url: url.clone(), most, answer }).map_err(|_| gone())?;
        match answered.recv().map_err(|_| gone())? {
            Ok(Fetched { status: 200, body, .. }) => Ok(Some(body)),
            Ok(Fetched { status: 404, .. }) => Ok(None),
            Ok(Fetched { status, .. }) => Err(RemoteError::Status { url, status }),
            Err(source) => Err(RemoteError::Fetch { url, source }),
        }
    }
}

impl LogFiles for Remote {
    fn place(&self) -> String {
        self.base.clone()
    }

    fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        self.get(path, most).map_err(|error| match error {
            RemoteError::Fetch { source: FetchError::TooLong { limit }, .. } => {
                SourceError::TooLong { path: path.to_owned(), most: limit }
            }
            RemoteError::Fetch { source, .. } => {
                SourceError::Refused { path: path.to_owned(), why: source.to_string() }
            }
            other => SourceError::Refused { path: path.to_owned(), why: chain(&other) },
        })
    }

    fn list(&self) -> Result<Option<Vec<String>>, SourceError> {
        Ok(None)
    }

    /// Whoever answers may be writing.
    fn is_live(&self) -> bool {
        true
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Remote({})", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    #[test]
    fn an_address_is_an_agents_or_the_root_of_a_copy() {
        for (given, base) in [
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081/audit"),
            ("http://127.0.0.1:8081/", "http://127.0.0.1:8081/audit"),
            ("http://127.0.0.1:8081/audit", "http://127.0.0.1:8081/audit"),
            ("HTTP://localhost:8081/audit/", "http://localhost:8081/audit"),
            ("http://[::1]:8081", "http://[::1]:8081/audit"),
            ("https://example.com/logs/gamma", "https://example.com/logs/gamma"),
        ] {
            assert!(is_address(given));
            assert_eq!(root(given).unwrap(), base, "{given}");
        }
    }

    #[test]
    fn plain_http_leaves_this_machine_for_no_address_and_no_password_is_shown() {
        for given in [
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1:8081",
            "https://me:hunter2@example.com",
            "http://me:hunter2@127.0.0.1:8081",
            "http://127.0.0.1:8081/?a=hunter2",
            "https://example.com#hunter2",
            "ftp://127.0.0.1/",
            "http://",
        ] {
            let told = root(given).unwrap_err().to_string();
            assert!(!told.contains("me:hunter2"), "{told}");
        }
        assert!(!is_address("data") && !is_address("./http") && !is_address("file:///data"));
    }

    /// Answers each connection with the next of these, and gives the paths that were asked for.
    fn server(answers: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let serving = thread::spawn(move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                asked.push(line.split(' ').nth(1).unwrap().to_owned());
                while line != "\r\n" {
                    line.clear();
                    reader.read_line(&mut line).unwrap();
                }
                let _ = stream.write_all(answer.as_bytes());
            }
            asked
        });
        (address, serving)
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn a_file_is_given_or_missing_and_anything_else_is_an_error() {
        let (address, serving) = server(vec![
            answer("200 OK", "note"),
            answer("404 Not Found", ""),
            answer("307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/", ""),
            answer("503 Service Unavailable", ""),
            answer("200 OK", &"x".repeat(8_193)),
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_owned(),
        ]);
        let remote = Remote::at(&address).unwrap();
        assert_eq!(remote.get("checkpoint", 8_192).unwrap(), Some(b"note".to_vec()));
        assert_eq!(remote.get("tile/0/000", 8_192).unwrap(), None);
        assert!(matches!(remote.get("checkpoint", 8_192), Err(RemoteError::Status { status: 307, .. })));
        assert!(matches!(remote.get("checkpoint", 8_192), Err(RemoteError::Status { status: 503, .. })));
        let too_long = remote.get("tile/0/000", 8_192).unwrap_err();
        assert!(
            matches!(too_long, RemoteError::Fetch { source: FetchError::TooLong { limit: 8_192 }, .. }),
            "{too_long}"
        );
        assert!(matches!(remote.get("checkpoint", 8_192), Err(RemoteError::Fetch { .. })));
        for path in ["", "journal", "tile/0/0", "../keys/witness", "checkpoint/"] {
            assert!(matches!(remote.get(path, 8_192), Err(RemoteError::Path { .. })), "{path}");
        }
        let asked = serving.join().unwrap();
        assert_eq!(asked[..2], ["/audit/checkpoint", "/audit/tile/0/000"]);
    }

    #[tokio::test]
    async fn a_call_may_be_made_within_a_runtime() {
        let (address, serving) = server(vec![answer("200 OK", "note")]);
        let remote = Remote::at(&address).unwrap();
        assert_eq!(remote.get("checkpoint", 8_192).unwrap(), Some(b"note".to_vec()));
        drop(remote);
        assert_eq!(serving.join().unwrap().len(), 1);
    }
}
