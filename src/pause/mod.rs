//! The pause program, for two processors, and its image. Pure: bytes out of nothing.
//!
//! It is PID 1 of a pod, and has four habits:
//! 1. It reaps: orphans of the pod leave no zombies.
//! 2. It obeys SIGTERM and SIGINT from outside its PID namespace only (`si_pid` is 0), so that `kill 1` in a member does not
//!    end the pod. A member can queue a signal that says so falsely, but then not as `kill` sends it (`si_code` is
//!    negative).
//! 3. Obeying, it waits until nobody else is in its PID namespace (`kill(-1, 0)` says ESRCH), so that members end in
//!    order when the engine stops all at once; alone, it leaves at once with 0.
//! 4. As `/pause rename A B` it renames, for the atomic swap of a ConfigMap's `..data`, which the archive API cannot do.
//!
//! It runs as user 65535 without capabilities. A rename runs as user 0, who owns the volumes' content.
//!
//! Not here: the pause container (`translate::pause`), loading the image (`engine::images`).

mod aarch64;
mod elf;
mod image;
mod x86_64;

use std::sync::LazyLock;

use crate::oci::Image;
use crate::spec::Architecture;

/// The program, as an ELF file.
#[must_use]
pub fn program(architecture: Architecture) -> Vec<u8> {
    match architecture {
        Architecture::X86_64 => elf::file(elf::Machine::X86_64, &x86_64::code()),
        Architecture::Aarch64 => elf::file(elf::Machine::Aarch64, &aarch64::code()),
    }
}

/// The image that holds the program, as `docker save` would write it; always the same bytes.
#[must_use]
pub fn image(architecture: Architecture) -> Image {
    image::image(architecture, &program(architecture))
}

/// The ids by which engines know the image, see [`Image::ids`]. They name the content: a look-up tells whether an
/// engine has it.
#[must_use]
pub fn ids(architecture: Architecture) -> &'static [String; 2] {
    static X86_64: LazyLock<[String; 2]> = LazyLock::new(|| image(Architecture::X86_64).ids);
    static AARCH64: LazyLock<[String; 2]> = LazyLock::new(|| image(Architecture::Aarch64).ids);
    match architecture {
        Architecture::X86_64 => &X86_64,
        Architecture::Aarch64 => &AARCH64,
    }
}

/// Numbers that Linux has for both processors.
mod linux {
    pub(super) const SIGINT: i32 = 2;
    pub(super) const SIGTERM: i32 = 15;
    pub(super) const SIG_BLOCK: i32 = 0;
    pub(super) const WNOHANG: i32 = 1;
    pub(super) const ESRCH: i32 = 3;
    /// Bytes of a signal set.
    pub(super) const SIGSET: i32 = 8;
    /// Offset of `si_code` in a `siginfo_t`.
    pub(super) const SI_CODE: i32 = 8;
    /// Offset of `si_pid`.
    pub(super) const SI_PID: i32 = 16;
    /// Between two looks whether anybody else is there, once it obeys: a member's end need not raise SIGCHLD here.
    pub(super) const PATIENCE_NANOSECONDS: i32 = 20_000_000;
    /// `/pause rename A B`.
    pub(super) const RENAME_ARGUMENTS: i32 = 4;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_small_elf_files_for_their_processors() {
        for (architecture, machine) in [(Architecture::X86_64, 62), (Architecture::Aarch64, 183)] {
            let program = program(architecture);
            assert_eq!(&program[..4], b"\x7fELF");
            assert_eq!(program[18], machine);
            assert!(program.len() < 512, "{} bytes", program.len());
        }
    }

    #[test]
    fn images_are_the_same_from_release_to_release() {
        let ids = [Architecture::X86_64, Architecture::Aarch64].map(|of| ids(of).clone());
        let known = [
            [
                "sha256:3487f81f17c805a226275c9a958de4ff7c7b91276590dbbe086d4cbc02d262b1",
                "sha256:81b2587a6c5d38f349c2867d2db5c21269d9540722bbc82617b404fefc7f4448",
            ],
            [
                "sha256:84366f71583a2a2fa52888a02a10d67c49f54249ea9b502f966ca4b638eaf6ef",
                "sha256:df5ddbb24dbc160697d17ea50e57565524f4874573453eb6f50ecbc7e4eab558",
            ],
        ];
        assert_eq!(ids, known);
        assert_eq!(image(Architecture::X86_64), image(Architecture::X86_64));
    }
}
