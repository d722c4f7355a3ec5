//! Changes that an agent may make: anything that is of none of the kinds.

use crate::floor::Change::{self, All, Gone, Move, Put, Swap};
use crate::floor::{Floor, told};

const GAMMA: &str = "k8s/gamma-strategy.yaml";

#[test]
fn other_changes_are_allowed() {
    let changes: &[Change] = &[
        All(&[]),
        Put("README.md", "Another floor: AGENT_MODE=EXECUTE is never set here, kubectl apply -f k8s/ is for people.\n"),
        Put("crates/strategy/src/lib.rs", "pub const MODE: &str = \"AGENT_MODE=EXECUTE\";\n"),
        Put("configs/gamma.toml", "window = 60\n"),
        Swap("configs/floor.env", "WINDOW=3", "WINDOW=4"),
        Put("ops/proposals/1/change.patch", "+AGENT_MODE: EXECUTE\n+kubectl apply -f k8s/\n"),
        Put("ops/proposals/1/deploy.sh", "#!/bin/sh\nkubectl scale deploy/execution-agent --replicas=1\n"),
        Put("docs/RUN.md", "Run `kubectl apply -f k8s/`.\n"),
        // Comments and order say nothing to anybody but people.
        Swap(GAMMA, "          env:\n", "          # AGENT_MODE: EXECUTE\n          env:\n"),
        Swap(
            GAMMA,
            "            - name: REPO_ID\n              value: agent-trader-v2\n            - name: AGENT_NAME\n\
            \x20             value: gamma-strategy\n",
            "            - name: AGENT_NAME\n              value: gamma-strategy\n            - name: REPO_ID\n\
            \x20             value: agent-trader-v2\n",
        ),
        Swap(GAMMA, "              value: \"OBSERVE\"", "              value: 'OBSERVE'"),
        // The same by another file's name.
        All(&[
            Move(GAMMA, "k8s/strategies/gamma.yaml"),
            Swap("k8s/kustomization.yaml", "gamma-strategy.yaml", "strategies/gamma.yaml"),
            Swap("k8s/overlays/quiet/kustomization.yaml", "gamma-strategy.yaml", "strategies/gamma.yaml"),
        ]),
        All(&[
            Move("k8s/overlays/quiet/kustomization.yaml", "k8s/overlays/calm/kustomization.yaml"),
            Move("k8s/overlays/quiet/mode.yaml", "k8s/overlays/calm/mode.yaml"),
        ]),
        All(&[
            Move("k8s/kill-switch.yaml", "k8s/switch.yaml"),
            Swap("k8s/kustomization.yaml", "kill-switch.yaml", "switch.yaml"),
        ]),
        Move("scripts/drill.sh", "scripts/practice.sh"),
        Move("configs/floor.env", "configs/trading.env"),
        All(&[
            Swap("config/anchors.yaml", "quiet: &mode", "quiet: &still"),
            Swap("config/anchors.yaml", "env: *mode", "env: *still"),
        ]),
        // Sizes, images, and how many run of what cannot place orders.
        Swap(GAMMA, "memory: 512Mi", "memory: 1Gi"),
        Swap(GAMMA, "agenttrader:v0.1.0@", "agenttrader:v0.1.1@"),
        Swap(GAMMA, "replicas: 1", "replicas: 0"),
        // A strategy more, that observes; a strategy less.
        Put(
            "k8s/whale.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: whale-strategy, namespace: trading-floor}\nspec:\n  \
             replicas: 1\n  template:\n    spec:\n      containers:\n        - name: whale\n          image: x:v1\n          env:\n\
             \x20           \
             - {name: AGENT_ROLE, value: strategy_eval}\n            - {name: AGENT_MODE, value: \"OBSERVE\"}\n",
        ),
        All(&[
            Gone(GAMMA),
            Swap("k8s/kustomization.yaml", "  - gamma-strategy.yaml\n", ""),
            Gone("k8s/overlays/quiet/kustomization.yaml"),
            Gone("k8s/overlays/quiet/mode.yaml"),
        ]),
        // Looking and halting.
        Put(
            "scripts/look.sh",
            "#!/bin/sh\nkubectl get pods\nkubectl diff -f k8s/\nagenttrader lock validate --static\n",
        ),
        Put(
            "scripts/stop.sh",
            "#!/bin/sh\nagenttrader halt --reason drill\nprintf 1 > .agenttrader/kill-switch/EXECUTION_HALTED\n",
        ),
        Gone("scripts/drill.sh"),
        Put(".ci/run", "#!/bin/sh\ncargo test\nagenttrader policy check --actor strategy-engine --base main\n"),
    ];
    let Some(floor) = Floor::new() else { return };
    let refused: Vec<_> = changes
        .iter()
        .filter_map(|change| {
            let found = told(&floor.refused(change));
            (!found.is_empty()).then(|| format!("{change:?} is refused: {found:#?}"))
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
