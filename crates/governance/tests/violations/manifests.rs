//! What manifests, scripts and settings may not say.

use crate::broken::{EXECUTION, Form, form};

const GAMMA: &str = "k8s/10-gamma-strategy-statefulset.yaml";
const MISSION_CONTROL: &str = "k8s/40-mission-control-deployment-and-service.yaml";
const SWITCH: &str = "k8s/05-kill-switch-configmap.yaml";
const ENGINE: &str = "infra/cloudrun/services/execution-engine.service.yaml";
const DENY: &str = "k8s/networkpolicies/default-deny.yaml";
const NEW: &str = "k8s/99-new.yaml";
const SCRIPT: &str = "scripts/start.sh";

pub fn exec_scale() -> Vec<Form> {
    vec![
        form("a deployment with a replica", EXECUTION, "replicas: 1", |repo| {
            repo.deploy_execution("replicas: 0", "replicas: 1");
        }),
        form("a deployment that does not say how many", EXECUTION, "apiVersion: apps/v1", |repo| {
            repo.deploy_execution("  replicas: 0\n", "");
        }),
        form("an instance on Cloud Run", ENGINE, "manualInstanceCount", |repo| {
            repo.swap(ENGINE, "manualInstanceCount: \"0\"", "manualInstanceCount: \"1\"");
        }),
        form("a service on Cloud Run that scales by itself", ENGINE, "scalingMode", |repo| {
            repo.swap(ENGINE, "scalingMode: manual", "scalingMode: automatic");
        }),
        form("a script that scales it up", SCRIPT, "kubectl", |repo| {
            repo.put(SCRIPT, "#!/bin/sh\nkubectl scale --replicas=1 deployment/execution-agent\n");
        }),
        form("an autoscaler", NEW, "name: execution-agent", |repo| {
            repo.deploy_execution("replicas: 0", "replicas: 0");
            repo.put(
                NEW,
                "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: scaler\n  \
                 namespace: trading-floor\nspec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    \
                 name: execution-agent\n  maxReplicas: 2\n",
            );
        }),
        form("replicas of a kustomization", "k8s/kustomization.yaml", "count: 2", |repo| {
            repo.deploy_execution("replicas: 0", "replicas: 0");
            let resources = "resources:\n  - 50-execution-agent.yaml\n";
            repo.put(
                "k8s/kustomization.yaml",
                &format!("{resources}replicas:\n  - name: execution-agent\n    count: 2\n"),
            );
        }),
    ]
}

pub fn no_execute() -> Vec<Form> {
    vec![
        form("a variable", GAMMA, "\"EXECUTE\"", |repo| repo.swap(GAMMA, "\"OBSERVE\"", "\"EXECUTE\"")),
        form("another word than OFF and OBSERVE", GAMMA, "\"PAPER\"", |repo| {
            repo.swap(GAMMA, "\"OBSERVE\"", "\"PAPER\"");
        }),
        form("a ConfigMap that nothing reads", NEW, "AGENT_MODE", |repo| {
            repo.put(NEW, &config_map("modes", "AGENT_MODE: \"EXECUTE\""));
        }),
        form("an image that brings it", "Dockerfile", "ENV", |repo| {
            repo.append("Dockerfile", "ENV AGENT_MODE=EXECUTE\n");
        }),
        form("a script that exports it", SCRIPT, "export", |repo| {
            repo.put(SCRIPT, "#!/bin/sh\nexport AGENT_MODE=EXECUTE\nexec agenttrader floor\n");
        }),
        form("an argument", GAMMA, "- strategy", |repo| {
            repo.swap(
                GAMMA,
                "            - strategy\n",
                "            - strategy\n            - --agent-mode=EXECUTE\n",
            );
        }),
        form("a setting", "configs/start.toml", "agent_mode", |repo| {
            repo.put("configs/start.toml", "agent_mode = \"EXECUTE\"\n");
        }),
    ]
}

pub fn kill_switch() -> Vec<Form> {
    vec![
        form("not halted", SWITCH, "EXECUTION_HALTED", |repo| repo.swap(SWITCH, "\"1\"", "\"0\"")),
        form("another word for it", SWITCH, "EXECUTION_HALTED", |repo| repo.swap(SWITCH, "\"1\"", "\"true\"")),
        form("none", "", None, |repo| repo.remove(SWITCH)),
        form("a second one", NEW, "apiVersion", |repo| {
            repo.put(NEW, &config_map("agenttrader-kill-switch", "EXECUTION_HALTED: \"1\""));
        }),
        form("a lookalike", GAMMA, "KILL_SWITCH", |repo| {
            repo.swap(
                GAMMA,
                "            - name: AGENTTRADER_HOSTS\n",
                "            - name: KILL_SWITCH\n              value: \"0\"\n            - name: AGENTTRADER_HOSTS\n",
            );
        }),
        form("a file elsewhere", GAMMA, "/etc/elsewhere/EXECUTION_HALTED", |repo| {
            repo.swap(GAMMA, "/etc/agenttrader/kill-switch/EXECUTION_HALTED", "/etc/elsewhere/EXECUTION_HALTED");
        }),
        form("another volume over it", GAMMA, "- name: kill-switch", |repo| {
            let mine = "configMap:\n            name: agenttrader-kill-switch";
            repo.swap(GAMMA, mine, "emptyDir:\n            sizeLimit: 1Mi");
        }),
        form("a script that writes it", SCRIPT, "kubectl", |repo| {
            let patch = "patch configmap agenttrader-kill-switch -p '{\"data\":{\"EXECUTION_HALTED\":\"0\"}}'";
            repo.put(SCRIPT, &format!("#!/bin/sh\nkubectl -n trading-floor {patch}\n"));
        }),
    ]
}

pub fn switch_read() -> Vec<Form> {
    vec![
        form("none mounted", EXECUTION, "- name: execution-agent", |repo| {
            let mount = "            - name: kill-switch\n              mountPath: /etc/agenttrader/kill-switch\n              \
                         readOnly: true\n";
            repo.deploy_execution(mount, "");
        }),
        form("one that may be missing", EXECUTION, "- name: kill-switch", |repo| {
            let name = "name: agenttrader-kill-switch";
            repo.deploy_execution(name, &format!("{name}\n            optional: true"));
        }),
        form("no file named", EXECUTION, "- name: execution-agent", |repo| {
            let file = "            - name: EXECUTION_HALTED_FILE\n              value: \
                        \"/etc/agenttrader/kill-switch/EXECUTION_HALTED\"\n";
            repo.deploy_execution(file, "");
        }),
        form("none on Cloud Run", ENGINE, "- name: execution-engine", |repo| {
            repo.swap(ENGINE, "            - name: EXECUTION_HALTED\n              value: \"1\"\n", "");
        }),
    ]
}

pub fn no_latest() -> Vec<Form> {
    vec![
        form("latest", GAMMA, "image:", |repo| repo.swap(GAMMA, "agenttrader:0.1.0", "agenttrader:latest")),
        form("latest in other letters, with a digest", GAMMA, "image:", |repo| {
            let digest = "0123456789abcdef".repeat(4);
            repo.swap(GAMMA, "agenttrader:0.1.0", &format!("agenttrader:LATEST@sha256:{digest}"));
        }),
        form("no tag behind a port", GAMMA, "image:", |repo| {
            repo.swap(GAMMA, "agenttrader/agenttrader:0.1.0", "registry.example:5000/agenttrader");
        }),
        form("the base of the image", "Dockerfile", "FROM debian", |repo| {
            repo.append("Dockerfile", "FROM debian\n");
        }),
        form("a script's argument", SCRIPT, "--image", |repo| {
            repo.put(SCRIPT, "#!/bin/sh\nkubectl set image deployment/mission-control --image=agenttrader:latest\n");
        }),
    ]
}

pub fn parse() -> Vec<Form> {
    vec![
        form("a key twice", GAMMA, "podManagementPolicy: Parallel", |repo| {
            let once = "  podManagementPolicy: OrderedReady\n";
            repo.swap(GAMMA, once, &format!("{once}  podManagementPolicy: Parallel\n"));
        }),
        form("a foreign tag", "configs/new.yaml", "!program", |repo| {
            repo.put("configs/new.yaml", "a: 1\nb: !program x\n");
        }),
        form("a link out of the tree", "k8s/98-link.yaml", None, |repo| {
            std::os::unix::fs::symlink("/etc/hostname", repo.root().join("k8s/98-link.yaml")).unwrap();
        }),
        form("aliases that multiply", "configs/new.yaml", "a4: ", |repo| {
            let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
            for level in 1..9 {
                let before = format!("*a{}", level - 1);
                text.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", ")));
            }
            repo.put("configs/new.yaml", &text);
        }),
        form("what is no object", NEW, "replicas", |repo| repo.put(NEW, "replicas: 1\n")),
    ]
}

pub fn unresolved() -> Vec<Form> {
    vec![
        form("a value that is filled in later", GAMMA, "value: \"${", |repo| {
            repo.swap(GAMMA, "value: \"gamma\"", "value: \"${STRATEGY}\"");
        }),
        form("a base from elsewhere", "k8s/kustomization.yaml", "https", |repo| {
            repo.put("k8s/kustomization.yaml", "resources:\n  - https://example.org/floor?ref=v1\n");
        }),
        form("an application that others render", NEW, "kind: Application", |repo| {
            repo.put(
                NEW,
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: floor\n  namespace: \
                 trading-floor\nspec:\n  source:\n    repoURL: https://example.org/floor\n",
            );
        }),
        form("an admission that changes objects", NEW, "kind: Mutating", |repo| {
            repo.put(
                NEW,
                "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata:\n  name: \
                 changes\nwebhooks: []\n",
            );
        }),
    ]
}

pub fn rbac() -> Vec<Form> {
    vec![
        form("an administrator", NEW, "apiGroup", |repo| {
            repo.put(NEW, &binding("kind: ClusterRole\n  name: cluster-admin"));
        }),
        form("every verb", NEW, "\"*\"", |repo| repo.put(NEW, &role("pods", "\"*\""))),
        form("secrets", NEW, "secrets", |repo| repo.put(NEW, &role("secrets", "get"))),
        form("changes", NEW, "patch", |repo| repo.put(NEW, &role("deployments", "patch"))),
        form("a token that nobody needs", GAMMA, "automountServiceAccountToken", |repo| {
            repo.swap(GAMMA, "automountServiceAccountToken: false", "automountServiceAccountToken: true");
        }),
    ]
}

pub fn identity() -> Vec<Form> {
    vec![
        form("another repository", GAMMA, "another-repository", |repo| {
            repo.swap(GAMMA, "agent-trader-v2", "another-repository");
        }),
        form("a role that nobody has", GAMMA, "\"trader\"", |repo| repo.swap(GAMMA, "strategy_eval", "trader")),
        form("another agent's role", GAMMA, "\"marketdata\"", |repo| {
            repo.swap(GAMMA, "strategy_eval", "marketdata");
        }),
        form("no name", GAMMA, "- name: gamma-strategy", |repo| {
            repo.swap(GAMMA, "            - name: AGENT_NAME\n              value: \"gamma-strategy\"\n", "");
        }),
    ]
}

pub fn probes() -> Vec<Form> {
    vec![
        form("restarted by a quiet market", GAMMA, "path: /healthz", |repo| repo.swap(GAMMA, "/livez", "/healthz")),
        form("never asked whether it is ready", GAMMA, "- name: gamma-strategy", |repo| {
            let path = repo.root().join(GAMMA);
            let text = std::fs::read_to_string(&path).unwrap();
            let (before, rest) = text.split_once("          readinessProbe:\n").unwrap();
            let (_, after) = rest.split_once("          resources:\n").unwrap();
            repo.put(GAMMA, &format!("{before}          resources:\n{after}"));
        }),
        form("asks itself", GAMMA, "exec:", |repo| {
            let get = "livenessProbe:\n            httpGet:\n              path: /livez\n              port: health\n              \
                       httpHeaders:\n                - name: Host\n                  value: localhost\n";
            repo.swap(
                GAMMA,
                get,
                "livenessProbe:\n            exec:\n              command:\n                - /bin/true\n",
            );
        }),
        form("another port", MISSION_CONTROL, "port: 9999", |repo| {
            repo.swap(
                MISSION_CONTROL,
                "path: /readyz\n              port: http",
                "path: /readyz\n              port: 9999",
            );
        }),
    ]
}

pub fn hardening() -> Vec<Form> {
    vec![
        form("a root file system that can be written", GAMMA, "readOnlyRootFilesystem", |repo| {
            repo.swap(GAMMA, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false");
        }),
        form("root", GAMMA, "runAsUser: 0", |repo| repo.swap(GAMMA, "runAsUser: 65532", "runAsUser: 0")),
        form("the host's network", GAMMA, "hostNetwork", |repo| {
            let links = "      enableServiceLinks: false\n";
            repo.swap(GAMMA, links, &format!("{links}      hostNetwork: true\n"));
        }),
        form("a capability", GAMMA, "NET_ADMIN", |repo| {
            let drop = "              drop:\n                - ALL\n";
            repo.swap(GAMMA, drop, &format!("{drop}              add:\n                - NET_ADMIN\n"));
        }),
        form("two writers of one log", MISSION_CONTROL, "type: RollingUpdate", |repo| {
            repo.swap(MISSION_CONTROL, "type: Recreate", "type: RollingUpdate");
        }),
        form("no limits", GAMMA, "requests:", |repo| {
            repo.swap(GAMMA, "            limits:\n              cpu: \"1\"\n              memory: 512Mi\n", "");
        }),
    ]
}

pub fn network() -> Vec<Form> {
    vec![
        form("nothing denied", GAMMA, "apiVersion: apps/v1", |repo| repo.remove(DENY)),
        form("every way out", GAMMA, "apiVersion: apps/v1", |repo| {
            repo.swap(DENY, "    - Egress\n", "");
        }),
        form("everybody let in", NEW, "- {}", |repo| repo.put(NEW, &policy("  ingress:\n    - {}\n"))),
        form("every address let in", NEW, "- from:", |repo| {
            repo.put(NEW, &policy("  ingress:\n    - from:\n        - ipBlock:\n            cidr: 0.0.0.0/0\n"));
        }),
    ]
}

pub fn schema() -> Vec<Form> {
    vec![
        form("a field that nobody reads", GAMMA, "replica: 1", |repo| {
            repo.swap(GAMMA, "  replicas: 1\n", "  replicas: 1\n  replica: 1\n");
        }),
        form("a field that is missing", MISSION_CONTROL, "replicas: 1", |repo| {
            repo.swap(
                MISSION_CONTROL,
                "  strategy:\n    type: Recreate\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: mission-control\n",
                "  strategy:\n    type: Recreate\n",
            );
        }),
        form("a version that there is not", GAMMA, "apiVersion: apps/v9", |repo| {
            repo.swap(GAMMA, "apiVersion: apps/v1", "apiVersion: apps/v9");
        }),
        form("a text for a number", GAMMA, "periodSeconds: often", |repo| {
            repo.swap(GAMMA, "periodSeconds: 10", "periodSeconds: often");
        }),
    ]
}

fn config_map(name: &str, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: trading-floor\ndata:\n  {data}\n")
}

fn policy(rules: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: new\n  namespace: trading-floor\nspec:\n  \
         podSelector: {{}}\n  policyTypes:\n    - Ingress\n{rules}"
    )
}

fn binding(role: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: new\n  namespace: trading-floor\n\
         roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  {role}\nsubjects:\n  - kind: ServiceAccount\n    name: gamma-strategy\n    \
         namespace: trading-floor\n"
    )
}

fn role(resource: &str, verb: &str) -> String {
    let group = if resource == "deployments" { "apps" } else { "" };
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: new\n  namespace: trading-floor\nrules:\n  \
         - apiGroups:\n      - \"{group}\"\n    resources:\n      - {resource}\n    verbs:\n      - {verb}\n---\n{}",
        binding("kind: Role\n  name: new")
    )
}
