//! The one binary. Whom it believes is compiled in, from the commit that it is built from.

use agenttrader::Root;
use agenttrader_authority::trust_root::SignersText;
use agenttrader_core::identity::Build;
use std::process::ExitCode;

fn main() -> ExitCode {
    agenttrader::run(Root {
        signers: SignersText {
            allowed_signers: include_str!(concat!(env!("OUT_DIR"), "/allowed_signers")).to_owned(),
            revoked_keys: include_str!(concat!(env!("OUT_DIR"), "/revoked_keys")).to_owned(),
        },
        build: Build {
            git_sha: env!("AGENTTRADER_GIT_SHA").to_owned(),
            build_id: option_env!("AGENTTRADER_BUILD_ID").unwrap_or("unknown").to_owned(),
        },
    })
}
