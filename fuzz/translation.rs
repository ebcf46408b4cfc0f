//! Any text that is read as pods: the requests that they would make are made, and the same each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podctl::manifest::{LoadOptions, Purpose, Source, load};
use podctl::spec::{ApiVersion, Architecture, EngineFacts};
use podctl::translate::{refusals, requests};

fuzz_target!(|text: &str| {
    let sources = [Source {
        name: "fuzz.yaml".to_owned(),
        text: text.to_owned(),
    }];
    let options = LoadOptions {
        purpose: Purpose::RunTemplates,
        ..LoadOptions::default()
    };
    let Ok(loaded) = load(&sources, &options) else {
        return;
    };
    for api in [ApiVersion(1, 41), ApiVersion(1, 51)] {
        let facts = EngineFacts {
            id: "fuzz".to_owned(),
            api,
            architecture: Architecture::X86_64,
            root_dir: "/var/lib/docker".to_owned(),
            podman: false,
            log_driver: "json-file".to_owned(),
            reaches_pods: true,
        };
        for desired in &loaded.pods {
            let _ = refusals(&desired.pod, &facts);
            let made = requests(desired, &facts);
            let names = |requests: &[(String, _)]| -> Vec<String> {
                requests.iter().map(|(name, _)| name.clone()).collect()
            };
            assert_eq!(names(&made), names(&requests(desired, &facts)));
            // What is recorded is read again.
            let payload = desired.payload.clone();
            let again = podctl::manifest::load_recorded(&desired.manifest, payload);
            assert_eq!(again.as_ref().map(|again| &again.pod).ok(), Some(&desired.pod));
        }
    }
});
