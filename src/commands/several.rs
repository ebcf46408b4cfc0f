//! What a command comes to that did something with several pods.
//!
//! Not here: what it says of each (the verb).

use super::{Context, Exit};
use crate::spec::PodKey;

/// The first end that is not a good one. Where some of several pods could not be seen to, the command says why and goes on; where none
/// could, the first reason is the command's own.
///
/// # Errors
/// As just said.
pub(super) fn exit(
    context: &Context,
    keys: &[PodKey],
    ends: Vec<anyhow::Result<Exit>>,
) -> anyhow::Result<Exit> {
    let all_failed = ends.iter().all(Result::is_err);
    let mut exit = Exit::Fine;
    for (end, key) in ends.into_iter().zip(keys) {
        let end = match end {
            Ok(end) => end,
            Err(error) if all_failed => return Err(error),
            Err(error) => {
                context
                    .printer
                    .error(&error.context(format!("pod `{key}`")));
                Exit::Failed
            }
        };
        exit = exit.or(end);
    }
    Ok(exit)
}
