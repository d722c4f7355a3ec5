//! Every change that an agent may not make, in several forms each.

use crate::floor::Change::{All, Gone, Move, Put, Swap};
use crate::floor::each_is_refused;
use agenttrader_governance::actors::offence::Kind;

const GAMMA: &str = "k8s/gamma-strategy.yaml";
const EXECUTION: &str = "k8s/execution-agent.yaml";
const SWITCH: &str = "k8s/kill-switch.yaml";

#[test]
fn the_mode_is_not_changed() {
    each_is_refused(
        Kind::AgentMode,
        &[
            (GAMMA, Swap(GAMMA, "\"OBSERVE\"", "\"EXECUTE\"")),
            (GAMMA, Swap(GAMMA, "\"OBSERVE\"", "\"OFF\"")),
            (GAMMA, Swap(GAMMA, "            - name: AGENT_MODE\n              value: \"OBSERVE\"\n", "")),
            (EXECUTION, Swap(EXECUTION, "\"OFF\"", "\"OBSERVE\"")),
            // By a file of another name.
            ("k8s/renamed.yaml", All(&[Swap(GAMMA, "\"OBSERVE\"", "\"OFF\""), Move(GAMMA, "k8s/renamed.yaml")])),
            // By what the container takes in besides.
            (
                GAMMA,
                All(&[
                    Swap(
                        GAMMA,
                        "              value: \"OBSERVE\"\n",
                        "              valueFrom: {configMapKeyRef: {name: m, key: AGENT_MODE}}\n",
                    ),
                    Put(
                        "k8s/m.yaml",
                        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: trading-floor}\n\
                         data: {AGENT_MODE: \"OFF\"}\n",
                    ),
                ]),
            ),
            // By an overlay, without a line of the workload's file.
            ("k8s/overlays/quiet/mode.yaml", Swap("k8s/overlays/quiet/mode.yaml", "OFF", "OBSERVE")),
            (
                GAMMA,
                Put(
                    "k8s/overlays/quiet/kustomization.yaml",
                    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../gamma-strategy.yaml]\n",
                ),
            ),
            // By an anchor that another line names.
            ("config/anchors.yaml", Swap("config/anchors.yaml", "env: *mode", "env: *other")),
            ("configs/floor.env", Swap("configs/floor.env", "AGENT_MODE=OBSERVE", "AGENT_MODE=EXECUTE")),
            ("configs/floor.env", Swap("configs/floor.env", "AGENT_MODE=OBSERVE\n", "")),
            ("configs/gamma.toml", Put("configs/gamma.toml", "window = 30\nagent_mode = \"EXECUTE\"\n")),
            ("scripts/run.sh", Put("scripts/run.sh", "#!/bin/sh\nexport AGENT_MODE=EXECUTE\nagenttrader\n")),
            ("scripts/build.sh", Put("scripts/build.sh", "M=EXEC\nenv AGENT_MODE=\"${M}UTE\" agenttrader\n")),
            (".ci/run", Put(".ci/run", "#!/bin/sh\nAGENT_MODE=EXECUTE agenttrader\n")),
            ("Dockerfile", Put("Dockerfile", "FROM debian:12\nENV AGENT_MODE=EXECUTE\n")),
            ("compose.yaml", Put("compose.yaml", "services: {gamma: {environment: {AGENT_MODE: EXECUTE}}}\n")),
            ("deploy/gamma.yaml", Put("deploy/gamma.yaml", "gamma: {env: {AGENT_MODE: EXECUTE}}\n")),
            (
                ".github/workflows/run.yaml",
                Put(".github/workflows/run.yaml", "jobs:\n  a:\n    env:\n      AGENT_MODE: EXECUTE\n"),
            ),
        ],
    );
}

#[test]
fn the_kill_switch_is_not_flipped_and_its_default_not_touched() {
    each_is_refused(
        Kind::KillSwitch,
        &[
            (SWITCH, Swap(SWITCH, "\"1\"", "\"0\"")),
            (SWITCH, Swap(SWITCH, "\"1\"", "1")),
            (SWITCH, Swap(SWITCH, "\"1\"", "\"1\"\n  note: \"0\"")),
            (SWITCH, Gone(SWITCH)),
            (SWITCH, Swap(SWITCH, "name: agenttrader-kill-switch", "name: agenttrader-kill-switch-old")),
            ("k8s/again.yaml", All(&[Swap(SWITCH, "\"1\"", "\"0\""), Move(SWITCH, "k8s/again.yaml")])),
            (SWITCH, Swap("k8s/kustomization.yaml", "  - kill-switch.yaml\n", "")),
            (SWITCH, Swap("k8s/kustomization.yaml", "resources:", "namePrefix: my-\nresources:")),
            (GAMMA, Swap(GAMMA, "kill-switch/EXECUTION_HALTED\n", "other/EXECUTION_HALTED\n")),
            (
                GAMMA,
                Swap(
                    GAMMA,
                    "          configMap:\n            name: agenttrader-kill-switch\n",
                    "          emptyDir: {}\n",
                ),
            ),
            (
                GAMMA,
                Swap(
                    GAMMA,
                    "            - name: kill-switch\n              mountPath: /etc/agenttrader/kill-switch\n\
                    \x20             readOnly: true\n",
                    "",
                ),
            ),
            (
                "scripts/go.sh",
                Put("scripts/go.sh", "#!/bin/sh\nprintf 0 > .agenttrader/kill-switch/EXECUTION_HALTED\n"),
            ),
            ("tools/go.sh", Put("tools/go.sh", "#!/bin/sh\nrm -f .agenttrader/kill-switch/LATCH\n")),
            ("scripts/go.sh", Put("scripts/go.sh", "#!/bin/sh\nexport EXECUTION_HALTED=0\nagenttrader\n")),
            ("scripts/go.sh", Put("scripts/go.sh", "#!/bin/sh\nagenttrader resume --agent a --reason b\n")),
            ("configs/floor.env", Swap("configs/floor.env", "WINDOW=3", "EXECUTION_HALTED=0")),
            ("data/kill-switch/EXECUTION_HALTED", Put("data/kill-switch/EXECUTION_HALTED", "0\n")),
        ],
    );
}

#[test]
fn what_can_place_orders_is_not_scaled_and_nothing_comes_to_place_them() {
    each_is_refused(
        Kind::Scale,
        &[
            (EXECUTION, Swap(EXECUTION, "replicas: 0", "replicas: 1")),
            (EXECUTION, Swap(EXECUTION, "  replicas: 0\n", "")),
            (
                EXECUTION,
                Swap(
                    EXECUTION,
                    "              value: execution\n",
                    "              value: execution\n            - {name: BROKER_EXECUTION_ENABLED, value: \"true\"}\n",
                ),
            ),
            (
                "k8s/other.yaml",
                All(&[Swap(EXECUTION, "replicas: 0", "replicas: 2"), Move(EXECUTION, "k8s/other.yaml")]),
            ),
            (
                "k8s/kustomization.yaml",
                Swap(
                    "k8s/kustomization.yaml",
                    "resources:",
                    "replicas: [{name: execution-agent, count: 1}]\nresources:",
                ),
            ),
            (
                "k8s/scaler.yaml",
                Put(
                    "k8s/scaler.yaml",
                    "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: s, namespace: trading-floor}\n\
                     spec: {maxReplicas: 1, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: execution-agent}}\n",
                ),
            ),
            // A strategy that comes to place orders.
            (GAMMA, Swap(GAMMA, "value: strategy_eval", "value: execution")),
            (GAMMA, Swap(GAMMA, "args: [strategy,", "args: [execution,")),
            (
                GAMMA,
                Swap(
                    GAMMA,
                    "          ports:",
                    "            - name: APCA_API_SECRET_KEY\n              valueFrom: {secretKeyRef: {name: b, key: s}}\n          ports:",
                ),
            ),
            (
                "k8s/second.yaml",
                Put(
                    "k8s/second.yaml",
                    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: execution-engine, namespace: trading-floor}\n\
                     spec:\n  replicas: 0\n  template:\n    spec:\n      containers: [{name: a, image: \"x:v1\"}]\n",
                ),
            ),
            (
                "deploy/second.yaml",
                Put(
                    "deploy/second.yaml",
                    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: execution-engine}\n\
                     spec:\n  replicas: 0\n  template:\n    spec:\n      containers: [{name: a, image: \"x:v1\"}]\n",
                ),
            ),
            (
                "scripts/up.sh",
                Put("scripts/up.sh", "#!/bin/sh\nkubectl scale deployment/execution-agent --replicas=1\n"),
            ),
            (
                "scripts/up.sh",
                Put("scripts/up.sh", "#!/bin/sh\nD=gamma-strategy\nkubectl scale deploy/$D --replicas 3\n"),
            ),
            ("tools/up", Put("tools/up", "#!/usr/bin/env bash\nagenttrader --bind 0.0.0.0 execution\n")),
        ],
    );
}

#[test]
fn nothing_is_deployed_started_or_applied() {
    each_is_refused(
        Kind::Deploy,
        &[
            ("scripts/build.sh", Swap("scripts/build.sh", "cargo build", "cargo build && kubectl apply -f k8s/")),
            ("scripts/go.sh", Put("scripts/go.sh", "#!/bin/sh\nkubectl apply -k k8s/overlays/quiet\n")),
            (
                "scripts/go.sh",
                Put("scripts/go.sh", "#!/bin/sh\nK=kubectl\n$K rollout restart deployment/gamma-strategy\n"),
            ),
            ("scripts/go.sh", Put("scripts/go.sh", "#!/bin/sh\ngcloud run deploy market-ingest --image x:v1\n")),
            ("scripts/go.sh", Put("scripts/go.sh", "#!/bin/sh\nhelm upgrade floor ./chart\n")),
            ("Makefile", Put("Makefile", "deploy:\n\tkubectl apply -f k8s/\n")),
            (".ci/run", Put(".ci/run", "#!/bin/sh\nkubectl apply -f k8s/\n")),
            (
                ".github/workflows/d.yaml",
                Put(
                    ".github/workflows/d.yaml",
                    "jobs:\n  a:\n    steps:\n      - run: |\n          cargo build\n          kubectl apply -f k8s/\n",
                ),
            ),
        ],
    );
}

#[test]
fn approvals_keys_and_tags_are_for_people() {
    each_is_refused(
        Kind::Approve,
        &[
            ("ops/unlock/1/approval.json", Put("ops/unlock/1/approval.json", "{}")),
            ("scripts/ok.sh", Put("scripts/ok.sh", "#!/bin/sh\nagenttrader unlock approve --principal olga --key k\n")),
            (
                "scripts/ok.sh",
                Put("scripts/ok.sh", "#!/bin/sh\nssh-keygen -Y sign -n unlock-reviewer@agenttrader -f k f\n"),
            ),
        ],
    );
    each_is_refused(
        Kind::Enrol,
        &[
            ("ops/trust/allowed_signers", Put("ops/trust/allowed_signers", "mallory ssh-ed25519 AAAA\n")),
            ("ops/trust/actors.toml", Put("ops/trust/actors.toml", "[[actor]]\nname = \"a\"\nkind = \"person\"\n")),
            ("ops/trust/allowed_signers", Gone("ops/trust/allowed_signers")),
            ("ops/Trust/more", Put("ops/Trust/more", "x")),
            ("scripts/k.sh", Put("scripts/k.sh", "#!/bin/sh\ncat k.pub >> ops/trust/allowed_signers\n")),
        ],
    );
    each_is_refused(
        Kind::Tag,
        &[
            ("scripts/t.sh", Put("scripts/t.sh", "#!/bin/sh\nagenttrader lock tag --principal a --key k\n")),
            ("scripts/t.sh", Put("scripts/t.sh", "#!/bin/sh\ngit tag -s v2-lock-20261201-1200 -m x\n")),
        ],
    );
}

#[test]
fn what_nobody_can_read_is_refused() {
    each_is_refused(
        Kind::Unreadable,
        &[
            ("k8s/twice.yaml", Put("k8s/twice.yaml", "kind: ConfigMap\nkind: Deployment\n")),
            ("k8s/cut.yaml", Put("k8s/cut.yaml", "kind: [\n")),
            (
                "k8s/far/kustomization.yaml",
                Put("k8s/far/kustomization.yaml", "resources: [\"https://example.com/base?ref=main\"]\n"),
            ),
        ],
    );
}
