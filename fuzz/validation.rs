//! A sound object with some of its values changed: every rule holds or speaks, at a place in the text, and none panics.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use podctl::manifest::{LoadOptions, Purpose, Source, load};
use serde_json::{Value, json};

/// One object of each kind, with as many fields as it may have.
static SEEDS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("seeds/objects.json")).expect("the seeds are JSON")
});

fn values(bytes: &mut impl Iterator<Item = u8>) -> Value {
    let mut next = || bytes.next().unwrap_or_default();
    match next() % 24 {
        0 => Value::Null,
        1 => json!(""),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(65_536),
        5 => json!(i64::MAX),
        6 => json!(0.5),
        7 => json!(true),
        8 => json!([]),
        9 => json!({}),
        10 => json!([{}]),
        11 => json!([null]),
        12 => json!("../x"),
        13 => json!("/"),
        14 => json!("A_b.c"),
        15 => json!("n".repeat(usize::from(next()))),
        16 => json!("1Gi"),
        17 => json!("-1m"),
        18 => json!("50%"),
        19 => json!("\u{1b}[2J"),
        20 => json!("metadata.labels['a']"),
        21 => json!("* * * * *"),
        22 => json!({"a": "b", "c/d": "e"}),
        _ => json!(char::from(next()).to_string()),
    }
}

/// Every value in it, as a way that leads there.
fn ways(value: &Value, way: &str, all: &mut Vec<String>) {
    all.push(way.to_owned());
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                ways(item, &format!("{way}/{i}"), all);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                ways(field, &format!("{way}/{name}"), all);
            }
        }
        _ => {}
    }
}

fn check(object: &Value) {
    let sources = [Source {
        name: "fuzz.json".to_owned(),
        text: object.to_string(),
    }];
    let options = LoadOptions {
        purpose: Purpose::Check,
        ..LoadOptions::default()
    };
    let problems = match load(&sources, &options) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    for problem in problems {
        assert!(sources[0].text.get(problem.span.clone()).is_some(), "{problem:?}");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.iter().copied();
    let which = usize::from(bytes.next().unwrap_or_default());
    let mut object = SEEDS[which % SEEDS.len()].clone();
    for _ in 0..4 {
        let Some(low) = bytes.next() else { break };
        let high = bytes.next().unwrap_or_default();
        let mut all = Vec::new();
        ways(&object, "", &mut all);
        let way = &all[usize::from(u16::from_le_bytes([low, high])) % all.len()];
        if let Some(place) = object.pointer_mut(way) {
            *place = values(&mut bytes);
        }
    }
    check(&object);
});
