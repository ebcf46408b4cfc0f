//! A pod as the fixture of a test: up when it is made, gone when it is dropped, also when the test fails.
//!
//!     cargo run --example fixture
#![allow(clippy::print_stdout, reason = "an example prints")]

use anyhow::{Context as _, bail};
use podctl::driver::down::down;
use podctl::driver::up::{Options, Up, up};
use podctl::driver::{Events, Interrupt};
use podctl::engine::{Choice, Engine, Environment, connect};
use podctl::manifest::{LoadOptions, Source, load};
use podctl::spec::PodKey;

/// A pod that lives as long as this value.
struct Fixture {
    runtime: tokio::runtime::Runtime,
    engine: Engine,
    key: PodKey,
}

impl Fixture {
    fn up(manifest: &str) -> anyhow::Result<Self> {
        let sources = [Source {
            name: "fixture".to_owned(),
            text: manifest.to_owned(),
        }];
        let loaded = load(&sources, &LoadOptions::default());
        let mut pods = loaded
            .map_err(|problems| anyhow::anyhow!("{problems:?}"))?
            .pods;
        let desired = pods.pop().context("the manifest has no pod")?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let engine =
            runtime.block_on(async { connect(&Choice::default(), &Environment::of_process()) })?;
        let options = Options {
            uid: uuid::Uuid::new_v4().to_string(),
            ..Options::default()
        };
        let end = runtime.block_on(up(
            &engine,
            &desired,
            &options,
            &Events::nobody(),
            &Interrupt::never(),
        ))?;
        let fixture = Self {
            runtime,
            engine,
            key: desired.pod.key,
        };
        match end {
            Up::Started { .. } => Ok(fixture),
            Up::Failed { failures, .. } => bail!("{failures:?}"),
            other => bail!("{other:?}"),
        }
    }

    fn address(&self) -> anyhow::Result<String> {
        let containers = self
            .runtime
            .block_on(self.engine.containers(Some(&self.key)))?;
        let address = containers.into_iter().find_map(|container| container.ip);
        address.context("the pod has no address")
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let (events, interrupt) = (Events::nobody(), Interrupt::never());
        let gone = down(&self.engine, &self.key, Some(1), &events, &interrupt);
        // A test that fails has its own message.
        let _ = self.runtime.block_on(gone);
    }
}

fn main() -> anyhow::Result<()> {
    let manifest = format!(
        "apiVersion: v1
kind: Pod
metadata: {{name: fixture-{}}}
spec:
  containers:
  - name: server
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [httpd, -f, -p, '80']
",
        std::process::id()
    );
    let fixture = Fixture::up(&manifest)?;
    println!("pod {} is up, at {}", fixture.key, fixture.address()?);
    drop(fixture);
    println!("and gone");
    Ok(())
}
