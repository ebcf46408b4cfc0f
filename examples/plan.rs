//! From a manifest to the requests that `podctl up` would make of it, without an engine.
//!
//!     cargo run --example plan -- pod-examples/nginx-ghost.yaml
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example prints"
)]

use podctl::manifest::{LoadOptions, Source, load};
use podctl::output::report::{Style, report};
use podctl::spec::{ApiVersion, Architecture, EngineFacts};
use podctl::translate::requests;

fn main() -> anyhow::Result<()> {
    let name = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "pod-examples/hello.yaml".to_owned());
    let sources = [Source {
        text: std::fs::read_to_string(&name)?,
        name,
    }];
    let loaded = match load(&sources, &LoadOptions::default()) {
        Ok(loaded) => loaded,
        Err(problems) => {
            let text = report(&problems, &sources, Style::Long);
            anyhow::bail!("{}", anstream::adapter::strip_str(&text));
        }
    };
    // What an engine says of itself decides how some requests are written.
    let facts = EngineFacts {
        id: "example".to_owned(),
        api: ApiVersion(1, 51),
        architecture: Architecture::X86_64,
        root_dir: "/var/lib/docker".to_owned(),
        podman: false,
        reaches_pods: true,
        log_driver: "json-file".to_owned(),
    };
    for desired in &loaded.pods {
        for (name, body) in requests(desired, &facts) {
            println!("POST /containers/create?name={name}");
            println!(
                "{}\n",
                serde_json::to_string_pretty(&serde_json::to_value(body)?)?
            );
        }
    }
    Ok(())
}
