//! The requests of every example, as snapshots: what podctl sends to an engine does not change unnoticed.

use podctl::manifest::{LoadOptions, Source, load};
use podctl::spec::{ApiVersion, Architecture, EngineFacts};
use podctl::translate::requests;

fn facts(api: ApiVersion) -> EngineFacts {
    EngineFacts {
        id: "test".to_owned(),
        api,
        architecture: Architecture::X86_64,
        root_dir: "/var/lib/docker".to_owned(),
        podman: false,
        reaches_pods: true,
        log_driver: "json-file".to_owned(),
    }
}

fn plan(text: String, facts: &EngineFacts) -> String {
    let sources = [Source {
        name: "pod.yaml".to_owned(),
        text,
    }];
    let loaded = load(&sources, &LoadOptions::default()).expect("a valid manifest");
    let of_pods = loaded
        .pods
        .iter()
        .flat_map(|desired| requests(desired, facts));
    of_pods
        .map(|(name, body)| {
            let body = serde_json::to_value(body).expect("JSON");
            format!(
                "{name}\n{}\n",
                serde_json::to_string_pretty(&body).expect("JSON")
            )
        })
        .collect()
}

#[test]
fn examples() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pod-examples");
    for name in [
        "ci/db",
        "ci/test",
        "hello",
        "nginx-ghost",
        "secrets",
        "shared-namespaces",
        "shared-volume",
    ] {
        let text =
            std::fs::read_to_string(folder.join(format!("{name}.yaml"))).expect("the example");
        let snapshot = name.replace('/', "-");
        insta::assert_snapshot!(snapshot, plan(text, &facts(ApiVersion(1, 51))));
    }
}

const SUB_PATH: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: staging}
data: {nginx.conf: x}
---
apiVersion: v1
kind: Pod
metadata: {name: sub, namespace: staging}
spec:
  shareProcessNamespace: false
  containers:
  - name: a
    image: busybox
    env: [{name: A, value: '1'}]
    command: [echo, $(A), $$(A)]
    securityContext: {runAsUser: 1000, capabilities: {add: [NET_ADMIN], drop: [ALL]}}
    resources: {limits: {cpu: 1500m, memory: 64Mi}, requests: {cpu: 250m}}
    volumeMounts: [{name: c, mountPath: /etc/nginx/nginx.conf, subPath: nginx.conf}, {name: h, mountPath: /h, readOnly: true}]
  volumes: [{name: c, configMap: {name: c}}, {name: h, hostPath: {path: /srv}}]
";

#[test]
fn a_sub_path_is_the_engines_own_where_it_knows_it() {
    insta::assert_snapshot!(
        "sub-path-new",
        plan(SUB_PATH.to_owned(), &facts(ApiVersion(1, 45)))
    );
    insta::assert_snapshot!(
        "sub-path-old",
        plan(SUB_PATH.to_owned(), &facts(ApiVersion(1, 41)))
    );
}

#[test]
fn the_same_manifest_gives_the_same_requests() {
    let new = || plan(SUB_PATH.to_owned(), &facts(ApiVersion(1, 45)));
    assert_eq!(new(), new());
}
