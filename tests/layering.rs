//! The layers of `src/`, held by a scan of its text: who may import whom, and what must not be where. The table is that of
//! ARCHITECTURE.md.

use std::fs;
use std::path::{Path, PathBuf};

/// A layer, the layers that it may use, and words that must not stand in it.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    ("spec", &[], PURE),
    ("manifest", &["spec"], PURE),
    ("record", &["spec"], PURE),
    ("oci.rs", &["spec", "record"], PURE),
    ("pause", &["spec", "record", "oci"], PURE),
    ("reconcile", &["spec", "record"], PURE),
    ("translate", &["spec", "record"], TRANSLATE),
    (
        "engine",
        &["spec", "record", "reconcile"],
        &["println!", "eprintln!"],
    ),
    ("probe", &["spec", "engine"], NO_CLIENT),
    (
        "driver",
        &[
            "spec",
            "probe",
            "manifest",
            "record",
            "oci",
            "pause",
            "reconcile",
            "translate",
            "engine",
        ],
        NO_CLIENT,
    ),
    (
        "output",
        &[
            "spec",
            "manifest",
            "record",
            "reconcile",
            "engine",
            "driver",
        ],
        &["bollard", "process::exit"],
    ),
    (
        "commands",
        &[
            "spec",
            "manifest",
            "record",
            "reconcile",
            "engine",
            "driver",
            "output",
            "cli",
        ],
        NO_CLIENT,
    ),
    ("cli.rs", &["commands", "engine", "output"], NO_CLIENT),
    ("main.rs", &["cli"], NO_CLIENT),
    (
        "lib.rs",
        &[
            "cli",
            "commands",
            "driver",
            "engine",
            "manifest",
            "oci",
            "output",
            "pause",
            "probe",
            "reconcile",
            "record",
            "spec",
            "translate",
        ],
        PURE,
    ),
];

const PURE: &[&str] = &[
    "tokio",
    "bollard",
    "std::fs",
    "std::env",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "println!",
    "eprintln!",
];
const TRANSLATE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::env",
    "SystemTime",
    "Instant::now",
    "println!",
    "eprintln!",
];
const NO_CLIENT: &[&str] = &[
    "bollard::Docker",
    "bollard::query_parameters",
    "println!",
    "eprintln!",
    "process::exit",
];

#[test]
fn the_layers_hold() {
    let mut faults = Vec::new();
    let mut n_files = 0;
    for (layer, may_use, banned) in LAYERS {
        for file in files(
            &Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("src")
                .join(layer),
        ) {
            let text = fs::read_to_string(&file).expect("a source file");
            let name = file.display().to_string();
            faults.extend(check(&name, layer, may_use, banned, &text));
            n_files += 1;
        }
    }
    assert!(n_files > 50, "{n_files} files");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_belongs_to_a_layer() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("src") {
        let name = entry.expect("an entry").file_name();
        assert!(
            LAYERS.iter().any(|(layer, ..)| name == *layer),
            "{name:?} is in no layer"
        );
    }
}

#[test]
fn bad_uses_are_found() {
    let header = "//! Purpose.\n//!\n//! Not here: more.\n";
    let find = |layer: &str, code: &str| {
        let (layer, may_use, banned) = LAYERS
            .iter()
            .find(|(name, ..)| *name == layer)
            .expect("a layer");
        check("f.rs", layer, may_use, banned, &format!("{header}{code}"))
    };
    assert!(find("spec", "use std::fmt;\n").is_empty());
    assert_eq!(find("spec", "use crate::engine::Engine;\n").len(), 1);
    assert_eq!(
        find("reconcile", "let x = crate::translate::app();\n").len(),
        1
    );
    assert_eq!(find("manifest", "use tokio::time;\n").len(), 1);
    assert_eq!(find("translate", "use bollard::Docker;\n").len(), 1);
    assert!(find("translate", "use bollard::models::Mount;\n").is_empty());
    assert_eq!(find("commands", "println!(\"x\");\n").len(), 1);
    assert!(
        find(
            "spec",
            "#[cfg(test)]\nmod tests { use crate::record::hash; }\n"
        )
        .is_empty()
    );
    assert_eq!(check("f.rs", "spec", &[], &[], "use std::fmt;\n").len(), 1);
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        let is_code = path.extension().is_some_and(|extension| extension == "rs");
        return is_code.then(|| path.to_owned()).into_iter().collect();
    }
    let entries = fs::read_dir(path).unwrap_or_else(|_| panic!("no layer {}", path.display()));
    entries
        .flat_map(|entry| files(&entry.expect("an entry").path()))
        .collect()
}

/// What is wrong with one file. Its tests may use what they like.
fn check(name: &str, layer: &str, may_use: &[&str], banned: &[&str], text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push(format!("{name}: does not say what it is for"));
    }
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    for (i, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        let mut rest = line;
        while let Some(at) = rest.find("crate::") {
            rest = &rest[at + "crate::".len()..];
            let used: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if used != layer && !may_use.contains(&used.as_str()) {
                faults.push(format!("{name}:{}: {layer} must not use {used}", i + 1));
            }
        }
        for word in banned.iter().filter(|word| line.contains(**word)) {
            faults.push(format!("{name}:{}: `{word}` must not be in {layer}", i + 1));
        }
        if layer == "translate" && line.contains("bollard") && !line.contains("bollard::models") {
            faults.push(format!(
                "{name}:{}: translate may use bollard's models only",
                i + 1
            ));
        }
    }
    faults
}
