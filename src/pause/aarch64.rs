//! The pause program for aarch64.
//!
//! Registers that outlive a system call: `w19` the signal, `w20` whether it obeys. On the stack: the set of all signals at
//! 0, what is told of a signal at 16, how long to wait at 160.
//!
//! Not here: its habits in words (`pause`).

#![allow(
    clippy::unnecessary_semicolon,
    clippy::used_underscore_binding,
    clippy::cast_sign_loss,
    reason = "the assembler's macro writes such code"
)]

use dynasmrt::aarch64::Aarch64Relocation;
use dynasmrt::{DynasmApi, DynasmLabelApi, VecAssembler, dynasm};

use super::linux::{
    ESRCH, PATIENCE_NANOSECONDS, RENAME_ARGUMENTS, SI_CODE, SI_PID, SIG_BLOCK, SIGINT, SIGSET,
    SIGTERM, WNOHANG,
};

const RENAMEAT: u64 = 38;
const EXIT: u64 = 93;
const KILL: u64 = 129;
const RT_SIGPROCMASK: u64 = 135;
const RT_SIGTIMEDWAIT: u64 = 137;
const WAIT4: u64 = 260;

/// Negative numbers, as what `movn` turns over.
const MINUS_ONE: u32 = 0;
/// -100.
const AT_FDCWD: u32 = 99;

const INFO: u32 = 16;
const TIMEOUT: u32 = 160;

pub(super) fn code() -> Vec<u8> {
    let mut ops: VecAssembler<Aarch64Relocation> = VecAssembler::new(0);
    let unsigned = i32::cast_unsigned;
    let (code, pid) = (INFO + unsigned(SI_CODE), INFO + unsigned(SI_PID));
    dynasm!(ops
        ; .arch aarch64
        // The kernel leaves argc at the top of the stack, argv above it.
        ; ldr x0, [sp]
        ; cmp x0, unsigned(RENAME_ARGUMENTS)
        ; b.eq ->rename

        // Block every signal: they are waited for.
        ; sub sp, sp, 192
        ; movn x0, 0
        ; str x0, [sp]
        ; mov x0, 0
        ; str x0, [sp, TIMEOUT]
        ; movz x0, PATIENCE_NANOSECONDS as u32 & 0xffff
        ; movk x0, PATIENCE_NANOSECONDS as u32 >> 16, lsl 16
        ; str x0, [sp, TIMEOUT + 8]
        ; mov w20, 0
        ; mov x0, SIG_BLOCK as u64
        ; mov x1, sp
        ; mov x2, 0
        ; mov x3, SIGSET as u64
        ; mov x8, RT_SIGPROCMASK
        ; svc 0

        ; ->wait:
        ; mov x0, sp
        ; add x1, sp, INFO
        ; mov x2, 0
        ; cbz w20, ->for_ever
        ; add x2, sp, TIMEOUT
        ; ->for_ever:
        ; mov x3, SIGSET as u64
        ; mov x8, RT_SIGTIMEDWAIT
        ; svc 0
        ; mov w19, w0

        // Whatever it was: zombies may be there.
        ; ->reap:
        ; movn x0, MINUS_ONE
        ; mov x1, 0
        ; mov x2, WNOHANG as u64
        ; mov x3, 0
        ; mov x8, WAIT4
        ; svc 0
        ; cmp w0, 0
        ; b.gt ->reap

        ; cmp w19, unsigned(SIGTERM)
        ; b.eq ->asked
        ; cmp w19, unsigned(SIGINT)
        ; b.ne ->look
        ; ->asked:
        ; ldr w0, [sp, code]
        ; tbnz w0, 31, ->look
        // A sender outside this PID namespace has no number in it.
        ; ldr w0, [sp, pid]
        ; cbnz w0, ->look
        ; mov w20, 1

        ; ->look:
        ; cbz w20, ->wait
        ; movn x0, MINUS_ONE
        ; mov x1, 0
        ; mov x8, KILL
        ; svc 0
        ; cmn w0, unsigned(ESRCH)
        ; b.ne ->wait
        ; mov x0, 0
        ; ->exit:
        ; mov x8, EXIT
        ; svc 0

        ; ->rename:
        ; movn x0, AT_FDCWD
        ; ldr x1, [sp, 24]
        ; movn x2, AT_FDCWD
        ; ldr x3, [sp, 32]
        ; mov x8, RENAMEAT
        ; svc 0
        // The exit code is the error's number.
        ; neg x0, x0
        ; b ->exit
    );
    ops.finalize().unwrap_or_default()
}
