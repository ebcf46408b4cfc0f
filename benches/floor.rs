//! The floor: the least calls that make and remove a pod, in the best order that the engine allows. No pod can be made
//! faster by anybody who goes through the same API.
//!
//! Up: create the pause container; then start it, and meanwhile create the members; then start the members together.
//! Three waits, one after the other. Images, the network and the pause image are there.
//!
//! Down: signal the members together, and wait for their ends; then remove them together; then remove the pause.
//! Four waits.
//!
//! Not here: a record, a look, a check of anything.

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;
use futures_util::future::join_all;

/// A pod of the floor.
pub(crate) struct Pod {
    pub(crate) pause: String,
    pub(crate) members: Vec<String>,
}

async fn create(docker: &Docker, name: &str, body: ContainerCreateBody) -> String {
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    docker
        .create_container(Some(options), body)
        .await
        .expect("a container")
        .id
}

pub(crate) async fn start(docker: &Docker, id: &str) {
    docker
        .start_container(id, None::<StartContainerOptions>)
        .await
        .expect("a start");
}

/// Makes a pod of a pause and this many members.
pub(crate) async fn up(docker: &Docker, name: &str, n: usize, pause_image: &str) -> Pod {
    let body = ContainerCreateBody {
        image: Some(pause_image.to_owned()),
        hostname: Some(name.to_owned()),
        host_config: Some(HostConfig {
            network_mode: Some("podctl".to_owned()),
            ipc_mode: Some("shareable".to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    };
    let pause = create(docker, &format!("{name}-pause"), body).await;
    let member = |i: usize| {
        let (name, pause) = (format!("{name}-{i}"), pause.clone());
        async move { member(docker, &name, &pause).await }
    };
    let ((), members) = tokio::join!(start(docker, &pause), join_all((0..n).map(member)));
    join_all(members.iter().map(|id| start(docker, id))).await;
    Pod { pause, members }
}

/// Makes a member of the pod of this pause.
pub(crate) async fn member(docker: &Docker, name: &str, pause: &str) -> String {
    let joined = Some(format!("container:{pause}"));
    let body = ContainerCreateBody {
        image: Some("busybox".to_owned()),
        cmd: Some(vec!["sleep".to_owned(), "3600".to_owned()]),
        host_config: Some(HostConfig {
            network_mode: joined.clone(),
            ipc_mode: joined.clone(),
            pid_mode: joined,
            ..Default::default()
        }),
        ..Default::default()
    };
    create(docker, name, body).await
}

/// Removes it.
pub(crate) async fn down(docker: &Docker, pod: Pod) {
    join_all(pod.members.iter().map(|id| async move {
        let options = KillContainerOptionsBuilder::default()
            .signal("SIGTERM")
            .build();
        docker
            .kill_container(id, Some(options))
            .await
            .expect("a signal");
        let options = WaitContainerOptionsBuilder::default()
            .condition("not-running")
            .build();
        // Its end is a code that is not 0.
        let _ = docker.wait_container(id, Some(options)).next().await;
    }))
    .await;
    let remove = |id: String| async move {
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        docker
            .remove_container(&id, Some(options))
            .await
            .expect("a removal");
    };
    join_all(pod.members.into_iter().map(remove)).await;
    remove(pod.pause).await;
}
