//! `ps -w` and `get -w`: a pod is printed again whenever it has changed.
//!
//! Not here: when to look again (`driver::watch`), how a pod is printed (`listing`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::listing::{Format, Found, Listing};
use super::{Context, Exit};
use crate::driver::observe;
use crate::driver::watch::Watch;
use crate::engine::Engine;
use crate::output::table::Growing;
use crate::reconcile::status;
use crate::spec::PodKey;

/// Between two looks at all pods while nothing is heard.
const REST: Duration = Duration::from_secs(60);

/// Goes on until the pods that are named are gone; where none is named, for good.
pub(super) async fn run(
    context: &Context,
    engine: &Engine,
    listing: &Listing,
) -> anyhow::Result<Exit> {
    let mut watch = Watch::begin(engine, listing.only(), REST);
    let mut memory = Memory::default();
    let found = listing.look(context, engine, listing.only()).await?;
    let exit = listing.missing(context, &found);
    if found.pods.is_empty() && exit != Exit::Fine {
        return Ok(exit);
    }
    if found.pods.is_empty() {
        listing.tell_that_there_are_none(context, !found.containers.is_empty());
    }
    memory.show(context, engine, listing, &found, true).await?;
    loop {
        let pod = watch.next().await;
        let pod = pod.as_ref().or(listing.only());
        let mut found = listing.look(context, engine, pod).await?;
        memory.settle(engine, listing, &mut found).await?;
        memory.forget(pod, &found);
        memory.show(context, engine, listing, &found, false).await?;
        if memory.last.is_empty() && !listing.pods.is_empty() {
            return Ok(exit);
        }
    }
}

/// What has been printed.
#[derive(Default)]
struct Memory {
    table: Growing,
    /// Each pod as it was printed last.
    last: BTreeMap<PodKey, String>,
    /// Something was printed.
    begun: bool,
}

impl Memory {
    /// Pods that are not there any more: all but those found, or this one.
    fn forget(&mut self, pod: Option<&PodKey>, found: &Found) {
        let there: Vec<PodKey> = found.pods.iter().map(status::key).collect();
        let looked_for = |key: &PodKey| pod.is_none_or(|pod| pod == key);
        self.last
            .retain(|key, _| there.contains(key) || !looked_for(key));
    }

    /// Of the pods that have changed: which are gone but for what the look has still seen.
    async fn settle(
        &self,
        engine: &Engine,
        listing: &Listing,
        found: &mut Found,
    ) -> anyhow::Result<()> {
        let mut settled = Vec::new();
        for pod in std::mem::take(&mut found.pods) {
            let line = || listing.line_of(&pod, &found.containers);
            let is_as_before =
                listing.is_of_lines() && self.last.get(&status::key(&pod)) == Some(&line());
            if is_as_before || engine.record(&status::key(&pod)).await?.is_some() {
                settled.push(pod);
            }
        }
        found.pods = settled;
        Ok(())
    }

    /// Prints those that have changed. At `first` those that have ended before are passed over where they are not wanted.
    async fn show(
        &mut self,
        context: &Context,
        engine: &Engine,
        listing: &Listing,
        found: &Found,
        first: bool,
    ) -> anyhow::Result<()> {
        let passed_over = |pod| first && !listing.ended && status::has_ended(pod);
        if listing.is_of_lines() {
            let mut changed = Vec::new();
            for pod in &found.pods {
                let line = listing.line_of(pod, &found.containers);
                if self.is_new(status::key(pod), line) && !passed_over(pod) {
                    changed.push((pod, &found.containers[..]));
                }
            }
            let lines = listing.lines(context, &mut self.table, changed.into_iter());
            context.printer.data(&lines)?;
            return Ok(());
        }
        let objects = observe::whole(engine, &found.containers, &found.pods).await?;
        for (pod, object) in found.pods.iter().zip(objects) {
            if !self.is_new(status::key(pod), object.to_string()) || passed_over(pod) {
                continue;
            }
            if std::mem::replace(&mut self.begun, true) && listing.format == Format::Yaml {
                context.printer.data("---\n")?;
            }
            listing.print_object(context, &object)?;
        }
        Ok(())
    }

    fn is_new(&mut self, pod: PodKey, printed: String) -> bool {
        self.last.insert(pod, printed.clone()) != Some(printed)
    }
}
