//! The only place that prints. stdout is data, stderr is news; both go through [`Printer`].
//!
//! Not here: deciding what is worth saying (`commands`).

pub mod describe;
pub mod escape;
pub mod events;
pub mod jsonpath;
pub mod junit;
pub mod lines;
pub mod printer;
pub mod progress;
pub mod report;
pub mod table;
pub mod terminal;
pub mod timeline;

pub use printer::{Printer, ask};
pub use progress::Progress;
