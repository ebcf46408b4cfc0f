//! The podctl binary. All it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    podctl::cli::main()
}
