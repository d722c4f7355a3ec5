use super::*;
use crate::found::{Effect, Key};

/// The watched keys that a shell script sets: value (none: undecided) and line.
fn sets(text: &str) -> Vec<(Option<String>, u32)> {
    read("x.sh", text).assignments.into_iter().map(|a| (a.value.known().map(str::to_owned), a.line)).collect()
}

fn executes(text: &str) -> bool {
    let found = read("x.sh", text);
    found.assignments.iter().any(|a| a.key == Key::AgentMode && a.value.known() == Some("EXECUTE"))
}

/// The orders of a shell script about `execution-agent`.
fn moves(text: &str) -> Vec<Effect> {
    let orders = read("x.sh", text).orders.into_iter();
    orders
        .filter(|order| order.all || order.names.iter().any(|name| name == "execution-agent"))
        .map(|order| order.effect)
        .collect()
}

fn switches(text: &str) -> Vec<Option<String>> {
    let orders = read("x.sh", text).orders.into_iter();
    orders
        .filter_map(|order| match order.effect {
            Effect::WriteSwitch(value) => Some(value.known().map(str::to_owned)),
            _ => None,
        })
        .collect()
}

#[test]
fn every_way_to_say_execute_is_heard() {
    for text in [
        "AGENT_MODE=EXECUTE\n",
        "export AGENT_MODE=EXECUTE",
        "export AGENT_MODE='EXE''CUTE'",
        "export AGENT_MODE=\"EXE\"CUTE",
        "AGENT_MODE=EXE\\\nCUTE\n",
        "AGENT_MODE=$'\\x45XECUTE'",
        "M=EXE; N=CUTE; AGENT_MODE=$M$N",
        "M=execute; AGENT_MODE=${M^^}",
        "AGENT_MODE=${X:-EXECUTE}",
        ": \"${AGENT_MODE:=EXECUTE}\"",
        "AGENT_MODE=$(echo EXECUTE)",
        "AGENT_MODE=`printf %s EXECUTE`",
        "env AGENT_MODE=EXECUTE agenttrader",
        "AGENT_MODE=EXECUTE exec agenttrader execution",
        "if true; then\n  AGENT_MODE=EXECUTE\nfi",
        "case $x in\n  a|b) AGENT_MODE=EXECUTE ;;\nesac",
        "f() { declare -x AGENT_MODE=EXECUTE; }",
        "(export AGENT_MODE=EXECUTE)",
        "x=$(AGENT_MODE=EXECUTE agenttrader)",
        "for AGENT_MODE in EXECUTE; do agenttrader; done",
        "K=AGENT_MODE; export \"$K=EXECUTE\"",
        "printf -v AGENT_MODE %s EXECUTE",
        "eval 'AGENT_MODE=EXECUTE'",
        "sh -c 'AGENT_MODE=EXECUTE agenttrader'",
        "ssh floor 'AGENT_MODE=EXECUTE agenttrader'",
        "bash <<EOF\nexport AGENT_MODE=EXECUTE\nEOF",
        "echo AGENT_MODE=EXECUTE >> .env",
        "printf 'AGENT_MODE=%s\\n' EXECUTE | tee .env",
        "{ echo A=b; echo AGENT_MODE=EXECUTE; } > .env",
        "gen() { echo AGENT_MODE=EXECUTE; }\ngen > .env",
        "cat > a.yaml <<EOF\nenv:\n- name: AGENT_MODE\n  value: EXECUTE\nEOF",
        "cat <<EOF | kubectl apply -f -\ndata: {AGENT_MODE: EXECUTE}\nEOF",
        "kubectl apply -f - <<'EOF'\ndata:\n  AGENT_MODE: EXECUTE\nEOF",
        "kubectl set env deploy/gamma AGENT_MODE=EXECUTE",
        "kubectl patch deploy gamma -p '{\"spec\":{\"env\":[{\"AGENT_MODE\":\"EXECUTE\"}]}}'",
        "kubectl create configmap a --from-literal=AGENT_MODE=EXECUTE",
        "kubectl exec x -- sh -c 'AGENT_MODE=EXECUTE agenttrader'",
        "gcloud run services update gamma --update-env-vars A=b,AGENT_MODE=EXECUTE",
        "gcloud run deploy gamma --set-env-vars=^@^A=b@AGENT_MODE=EXECUTE",
        "docker run -e AGENT_MODE=EXECUTE x:1",
        "docker run --env=AGENT_MODE=EXECUTE x:1",
        "helm upgrade floor . --set gamma.agentMode=EXECUTE",
        "agenttrader execution --agent-mode EXECUTE",
        "agenttrader execution --agent-mode=EXECUTE",
        "ARGS=(--agent-mode EXECUTE); agenttrader \"${ARGS[@]}\"",
        "sed -i 's/AGENT_MODE: OBSERVE/AGENT_MODE: EXECUTE/' k8s/a.yaml",
        "sed -i s/OBSERVE/EXECUTE/ k8s/a.yaml",
        "sed -i -e 's|\\(AGENT_MODE=\\).*|\\1EXECUTE|' a.env",
        "yq -i '.data.AGENT_MODE = \"EXECUTE\"' a.yaml",
        "yq -i '(.env[] | select(.name == \"AGENT_MODE\").value) = \"EXECUTE\"' a.yaml",
        "setenv AGENT_MODE EXECUTE",
        "sudo env AGENT_MODE=EXECUTE agenttrader",
        "python3 -c 'import os; os.environ[\"AGENT_MODE\"]=\"EXECUTE\"'",
        "launch AGENT_MODE=EXECUTE",
        "AGENT_MODE=EXE; AGENT_MODE+=CUTE",
        "export $(echo AGENT_MODE=EXECUTE)",
        "tee .env <<< AGENT_MODE=EXECUTE",
        "cat > .env <<< 'AGENT_MODE=EXECUTE'",
        "printf '%s=%s\\n' AGENT_MODE EXECUTE > .env",
        "perl -pi -e 's/OBSERVE/EXECUTE/' k8s/a.yaml",
        "find k8s -name '*.yaml' -exec sed -i s/OBSERVE/EXECUTE/ {} +",
        "grep -rl OBSERVE k8s | xargs sed -i 's/OBSERVE/EXECUTE/'",
        "docker run -eAGENT_MODE=EXECUTE x:1",
        "export AGENT_MODE := EXECUTE",
        "AGENT_MODE ?= EXECUTE",
        "E='A=b,AGENT_MODE=EXECUTE'; gcloud run deploy a --set-env-vars \"$E\"",
        "echo 'export AGENT_MODE=EXECUTE' | ssh floor sh",
        "terraform apply -var agent_mode=EXECUTE",
        "set AGENT_MODE=EXECUTE",
        "while read -r m; do AGENT_MODE=$m agenttrader; done <<EOF\nOFF\nEXECUTE\nEOF",
        "# it's\nexport AGENT_MODE=EXECUTE",
        "x='\nAGENT_MODE=EXECUTE\n",
    ] {
        assert!(executes(text), "{text}\n{:#?}", read("x.sh", text));
    }
}

#[test]
fn what_cannot_be_decided_is_said() {
    for text in [
        "AGENT_MODE=$1",
        "export AGENT_MODE=\"$MODE\"",
        "AGENT_MODE=$(cat mode)",
        "AGENT_MODE=$(echo RVhFQ1VURQ== | base64 -d)",
        "read -r AGENT_MODE < mode",
        "export AGENT_MODE=\"${AGENT_MODE:-OBSERVE}\"",
        "docker run -e AGENT_MODE x:1",
        "gcloud run deploy a --set-secrets AGENT_MODE=mode:latest",
        "agenttrader execution --agent-mode \"$1\"",
        "cat > .env <<EOF\nAGENT_MODE=$MODE\nEOF",
    ] {
        assert!(sets(text).iter().any(|(value, _)| value.is_none()), "{text}\n{:#?}", read("x.sh", text));
    }
}

#[test]
fn ordinary_scripts_set_nothing() {
    for text in [
        "# AGENT_MODE=EXECUTE\n",
        "echo 'AGENT_MODE=EXECUTE is refused'\n",
        "echo \"mode is AGENT_MODE=$AGENT_MODE\" >&2\n",
        "log AGENT_MODE=EXECUTE\n",
        "if [ \"$AGENT_MODE\" = EXECUTE ]; then echo no; exit 1; fi\n",
        "[[ $AGENT_MODE == EXECUTE ]] && exit 1\n",
        "if grep -rn 'AGENT_MODE=EXECUTE' k8s; then exit 1; fi\n",
        "git grep -n 'AGENT_MODE: EXECUTE' -- k8s && exit 1\n",
        "case \"$AGENT_MODE\" in EXECUTE) exit 1 ;; esac\n",
        "case $kv in\n  AGENT_MODE=EXECUTE) exit 1;;\nesac\n",
        "cat <<EOF\nusage: AGENT_MODE=EXECUTE is never set here\nEOF\n",
        "cat <<EOF >&2\nAGENT_MODE=EXECUTE\nEOF\n",
        "usage() {\n  cat <<'EOF'\nAGENT_MODE=EXECUTE x\nEOF\n}\nusage\n",
        ": <<'END'\nAGENT_MODE=EXECUTE\nEND\n",
        "mode=$(sed -n 's/^AGENT_MODE=//p' .env)\n",
        "awk -F= '/^AGENT_MODE=/{print $2}' .env\n",
        "kubectl get deploy -o jsonpath='{..env[?(@.name==\"AGENT_MODE\")].value}'\n",
        "jq -r '.env[] | select(.name == \"AGENT_MODE\") | .value' a.json\n",
        "unset AGENT_MODE\n",
        "export AGENT_MODE\n",
        "agent_mode=$1\nMY_AGENT_MODE=EXECUTE\n",
        "test \"$(cat /etc/agenttrader/kill-switch/EXECUTION_HALTED)\" = 1\n",
        "docker run --env-file floor.env x:1\n",
        "echo \"AGENT_MODE=$AGENT_MODE\" >> report.md\n",
        "printf 'AGENT_MODE=%s\\n' \"$AGENT_MODE\" | tee -a floor.log\n",
        "perl -ne 'print if /AGENT_MODE: EXECUTE/' k8s/a.yaml\n",
        "kubectl get deploy -o yaml | grep -c AGENT_MODE=EXECUTE\n",
        "trap 'echo AGENT_MODE=EXECUTE was refused' EXIT\n",
    ] {
        assert_eq!(sets(text), [], "{text}");
    }
    assert_eq!(
        sets("AGENT_MODE=OBSERVE agenttrader\nexport EXECUTION_HALTED=1\n"),
        [(Some("OBSERVE".to_owned()), 1), (Some("1".to_owned()), 2)]
    );
}

#[test]
fn commands_that_move_a_workload_name_it() {
    for text in [
        "kubectl scale deploy/execution-agent --replicas=1",
        "kubectl -n trading-floor scale --replicas 2 deployment execution-agent",
        "kubectl scale deploy -l app=execution-agent --replicas=1",
        "kubectl scale deploy --all --replicas=1",
        "for d in gamma execution-agent; do kubectl scale deploy/$d --replicas=1; done",
        "kubectl scale deploy/execution-agent --replicas=\"$N\"",
        "D=execution-agent; sudo -n kubectl scale \"deploy/$D\" --replicas=1",
        "CMD=\"kubectl scale deploy execution-agent --replicas=1\"; $CMD",
        "run() { \"$@\"; }\nrun kubectl scale deploy/execution-agent --replicas=1",
        "kubectl autoscale deploy/execution-agent --min=1 --max=2",
        "kubectl rollout restart deploy/execution-agent",
        "kubectl patch deploy execution-agent -p '{\"spec\":{\"replicas\":1}}'",
        "kubectl patch deployment/execution-agent --type json -p \"$P\"",
        "kubectl apply -f k8s/execution-agent.yaml",
        "kubectl create deployment execution-agent --image=a:1",
        "kubectl create job x --from=cronjob/execution-agent",
        "kubectl run execution-agent --image a:1",
        "kubectl edit deploy execution-agent",
        "gcloud run services update execution-agent --min-instances 1",
        "gcloud run deploy execution-agent --image a:1",
        "gcloud beta run services replace infra/execution-agent.yaml",
        "docker compose up -d execution-agent",
        "docker compose up --scale execution-agent=1",
        "systemctl start execution-agent.service",
        "agenttrader execution",
        "echo deploy/execution-agent | xargs kubectl scale --replicas=1",
        "printf '%s\\n' gamma execution-agent | while read -r d; do kubectl scale deploy/$d --replicas=1; done",
        "kubectl apply -f - <<EOF\nkind: Deployment\nmetadata: {name: execution-agent}\nspec: {replicas: 1}\nEOF",
        "trap 'kubectl scale deploy/execution-agent --replicas=1' EXIT",
    ] {
        assert!(!moves(text).is_empty(), "{text}\n{:#?}", read("x.sh", text));
    }
}

#[test]
fn commands_that_look_or_stop_move_nothing() {
    for text in [
        "kubectl get deploy execution-agent",
        "kubectl scale deploy/execution-agent --replicas=0",
        "kubectl scale deploy/gamma-strategy --replicas=1",
        "kubectl patch deploy execution-agent -p '{\"spec\":{\"replicas\":0}}'",
        "kubectl rollout status deploy/execution-agent",
        "kubectl delete deploy execution-agent",
        "kubectl apply --dry-run=server -f k8s/execution-agent.yaml",
        "kubectl diff -f k8s/execution-agent.yaml",
        "echo kubectl scale deploy/execution-agent --replicas=1",
        "cat <<EOF\nkubectl scale deploy/execution-agent --replicas=1\nEOF",
        "# kubectl scale deploy/execution-agent --replicas=1",
        "gcloud run services update execution-agent --min-instances=0 --region us-east1",
        "gcloud run services describe execution-agent",
        "docker compose stop execution-agent",
        "docker compose logs execution-agent",
        "docker build -t execution-agent:1.2 .",
        "systemctl stop execution-agent",
        "agenttrader execution --help",
        "curl -fsS http://execution-agent:8084/readyz",
        "kubectl apply -k k8s",
        "kubectl apply -f k8s/serviceaccounts/execution-agent.yaml",
        "kubectl label deploy execution-agent team=floor",
        "kubectl wait --for=delete deploy/execution-agent",
        "docker push registry.example/execution-agent:1.2",
        "if ! kubectl get deploy/execution-agent; then echo none; fi",
    ] {
        assert_eq!(moves(text), [], "{text}");
    }
}

#[test]
fn writing_the_switch_is_told_with_what_is_written() {
    let zero = [Some("0".to_owned())];
    for text in [
        "echo 0 > /etc/agenttrader/kill-switch/EXECUTION_HALTED",
        "F=.agenttrader/kill-switch/EXECUTION_HALTED\nprintf 0 > \"$F\"",
        "echo 0 | sudo tee .agenttrader/kill-switch/EXECUTION_HALTED >/dev/null",
        "cat > kill-switch/EXECUTION_HALTED <<EOF\n0\nEOF",
        "echo -n 0 > \"$EXECUTION_HALTED_FILE\"",
        "printf 0 > tmp && mv tmp kill-switch/EXECUTION_HALTED",
        "kubectl exec x -- sh -c 'echo 0 > /d/kill-switch/EXECUTION_HALTED'",
        "kubectl -n trading-floor patch cm agenttrader-kill-switch --type merge -p '{\"data\":{\"EXECUTION_HALTED\":\"0\"}}'",
        "kubectl create configmap agenttrader-kill-switch --from-literal=EXECUTION_HALTED=0 -o yaml --dry-run=client | kubectl replace -f -",
    ] {
        assert_eq!(switches(text), zero, "{text}\n{:#?}", read("x.sh", text));
    }
    for text in [
        "cp zero kill-switch/EXECUTION_HALTED",
        "sed -i s/1/0/ kill-switch/EXECUTION_HALTED",
        "date > kill-switch/EXECUTION_HALTED",
    ] {
        assert_eq!(switches(text), [None], "{text}\n{:#?}", read("x.sh", text));
    }
    for text in [
        "echo 1 > kill-switch/EXECUTION_HALTED",
        "kubectl patch configmap/agenttrader-kill-switch -p '{\"data\":{\"EXECUTION_HALTED\":\"1\"}}'",
        "printf '1' > $F.tmp; mv $F.tmp kill-switch/EXECUTION_HALTED",
    ] {
        assert_eq!(switches(text), [Some("1".to_owned())], "{text}");
    }
    for text in [
        "cat kill-switch/EXECUTION_HALTED",
        "cp kill-switch/EXECUTION_HALTED saved/copy",
        "echo '0 > kill-switch/EXECUTION_HALTED'",
    ] {
        assert_eq!(switches(text), Vec::<Option<String>>::new(), "{text}");
    }
    assert_eq!(
        read("x.sh", "rm -f d/kill-switch/LATCH").orders.first().map(|o| o.effect.clone()),
        Some(Effect::RemoveLatch)
    );
}

#[test]
fn images_are_literal_references() {
    let images = |text: &str| -> Vec<String> {
        read("x.sh", text).images.into_iter().filter_map(|image| image.reference.known().map(str::to_owned)).collect()
    };
    assert_eq!(images("gcloud run deploy a --image=x/y:latest"), ["x/y:latest"]);
    assert_eq!(images("kubectl run a --image x/y"), ["x/y"]);
    assert_eq!(images("kubectl set image deploy/a a=x/y:latest"), ["x/y:latest"]);
    assert_eq!(images("gcloud run deploy a --image \"$IMAGE\" --set-secrets K=k:latest"), Vec::<String>::new());
    assert_eq!(images("echo --image x:latest"), Vec::<String>::new());
}

#[test]
fn other_languages_are_read_by_their_tokens() {
    let sets = |name: &str, text: &str| -> Vec<Option<String>> {
        read(name, text).assignments.into_iter().map(|a| a.value.known().map(str::to_owned)).collect()
    };
    let execute = [Some("EXECUTE".to_owned())];
    for text in [
        "os.environ['AGENT_MODE'] = 'EXECUTE'",
        "env = {\"AGENT_MODE\": \"EXECUTE\"}",
        "os.environ.update(AGENT_MODE=\"EXECUTE\")",
        "os.environ.setdefault(\"AGENT_MODE\", \"EXECUTE\")",
        "os.putenv('AGENT_MODE', 'EXECUTE')",
        "AGENT_MODE: str = \"EXECUTE\"",
        "subprocess.run([\"env\", \"AGENT_MODE=EXECUTE\", \"agenttrader\"])",
        "os.system(\"AGENT_MODE=EXECUTE agenttrader\")",
        "subprocess.run(['agenttrader', '--agent-mode', 'EXECUTE'])",
    ] {
        assert_eq!(sets("x.py", text), execute, "{text}");
    }
    assert_eq!(sets("x.js", "process.env.AGENT_MODE = 'EXECUTE' // why"), execute);
    assert_eq!(sets("x.py", "os.environ['AGENT_MODE'] = sys.argv[1]"), [None]);
    for text in [
        "# os.environ['AGENT_MODE'] = 'EXECUTE'",
        "if os.environ['AGENT_MODE'] == 'EXECUTE': raise SystemExit",
        "mode = os.environ.get('AGENT_MODE', 'OFF')",
        "print('AGENT_MODE=EXECUTE is refused')",
        "\"\"\"Sets nothing.\n\nAGENT_MODE = \"EXECUTE\"\n\"\"\"\nimport os",
    ] {
        assert_eq!(sets("x.py", text), [], "{text}");
    }
    let found = read("x.py", "subprocess.run([\"kubectl\", \"scale\", \"deploy/execution-agent\", \"--replicas=1\"])");
    assert!(found.orders.iter().any(|order| order.names.contains(&"execution-agent".to_owned())), "{found:#?}");
    for text in [
        "open('/d/kill-switch/EXECUTION_HALTED', 'w').write('0')",
        "Path('/d/kill-switch/EXECUTION_HALTED').write_text('0')",
    ] {
        let found = read("x.py", text);
        assert_eq!(
            found.orders.first().map(|o| o.effect.clone()),
            Some(Effect::WriteSwitch(Said::Known("0".to_owned()))),
            "{text}"
        );
    }
    assert!(read("x.py", "open('/d/kill-switch/EXECUTION_HALTED').read()").orders.is_empty());
}
