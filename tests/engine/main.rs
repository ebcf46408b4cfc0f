//! Promises that hold on a real engine, one test each, a file for each verb or topic.

#![allow(
    clippy::print_stdout,
    reason = "a test says what it skips, and how much it tried"
)]

#[path = "../support/mod.rs"]
mod support;

mod again;
mod attach;
mod change;
mod ci;
mod connect;
mod describe;
mod down;
mod examples;
mod exec;
mod fails;
mod fields;
mod get;
mod hooks;
mod init;
mod life;
mod logs;
mod manifest;
mod nodes;
mod pause;
mod probes;
mod ps;
mod pull;
mod restart;
mod rounds;
mod run;
mod sidecars;
mod termination;
mod together;
mod up;
mod volumes;
mod wait;
