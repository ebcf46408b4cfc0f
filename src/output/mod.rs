//! The only place that prints. stdout is data, stderr is news; both go through [`Printer`].
//!
//! Not here: deciding what is worth saying (`commands`).

pub mod escape;
pub mod printer;

pub use printer::Printer;
