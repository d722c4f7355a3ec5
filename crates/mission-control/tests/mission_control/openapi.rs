//! The OpenAPI document: as it stood when a person read it, and valid to somebody else's eyes.

use crate::given::Given;
use agenttrader_mission_control::api;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mission_control/openapi.json");

#[tokio::test]
async fn the_document_is_the_one_that_was_read() {
    let document = api::openapi() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &document).unwrap();
    }
    let golden = std::fs::read_to_string(Path::new(GOLDEN)).unwrap_or_default();
    assert!(
        golden == document,
        "the API changed: read the difference after UPDATE_GOLDEN=1 cargo test, then commit it"
    );
    let served = Given::empty().body("/api/v1/openapi.json").await;
    assert_eq!(served, serde_json::from_str::<serde_json::Value>(&document).unwrap());
    let paths = served["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 15);
    for (path, item) in paths {
        assert_eq!(item.as_object().unwrap().keys().collect::<Vec<_>>(), ["get"], "{path}");
    }
}

#[test]
fn openapi_spec_validator_finds_nothing_wrong_with_the_document() {
    let Some(python) = agenttrader_outside::python("openapi_spec_validator") else { return };
    let script = "import json, sys\nfrom openapi_spec_validator import validate\nvalidate(json.load(sys.stdin))\n";
    let mut child =
        Command::new(python).args(["-c", script]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(api::openapi().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
