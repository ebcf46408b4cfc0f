//! The pause program for `x86_64`.
//!
//! Registers that outlive a system call: `ebx` the signal, `r12d` whether it obeys. On the stack: the set of all signals at
//! 0, what is told of a signal at 16, how long to wait at 160.
//!
//! Not here: its habits in words (`pause`).

#![allow(
    clippy::unnecessary_semicolon,
    clippy::used_underscore_binding,
    clippy::cast_sign_loss,
    reason = "the assembler's macro writes such code"
)]

use dynasmrt::x64::X64Relocation;
use dynasmrt::{DynasmApi, DynasmLabelApi, VecAssembler, dynasm};

use super::linux::{
    ESRCH, PATIENCE_NANOSECONDS, RENAME_ARGUMENTS, SI_CODE, SI_PID, SIG_BLOCK, SIGINT, SIGSET,
    SIGTERM, WNOHANG,
};

const RT_SIGPROCMASK: i32 = 14;
const EXIT: i32 = 60;
const WAIT4: i32 = 61;
const KILL: i32 = 62;
const RENAME: i32 = 82;
const RT_SIGTIMEDWAIT: i32 = 128;

const INFO: i32 = 16;
const TIMEOUT: i32 = 160;

pub(super) fn code() -> Vec<u8> {
    let mut ops: VecAssembler<X64Relocation> = VecAssembler::new(0);
    dynasm!(ops
        ; .arch x64
        // The kernel leaves argc at the top of the stack, argv above it.
        ; cmp QWORD [rsp], RENAME_ARGUMENTS
        ; je ->rename

        // Block every signal: they are waited for.
        ; sub rsp, 192
        ; mov QWORD [rsp], -1
        ; mov QWORD [rsp + TIMEOUT], 0
        ; mov QWORD [rsp + TIMEOUT + 8], PATIENCE_NANOSECONDS
        ; xor r12d, r12d
        ; mov eax, RT_SIGPROCMASK
        ; mov edi, SIG_BLOCK
        ; mov rsi, rsp
        ; xor edx, edx
        ; mov r10d, SIGSET
        ; syscall

        ; ->wait:
        ; mov eax, RT_SIGTIMEDWAIT
        ; mov rdi, rsp
        ; lea rsi, [rsp + INFO]
        ; xor edx, edx
        ; test r12d, r12d
        ; jz ->for_ever
        ; lea rdx, [rsp + TIMEOUT]
        ; ->for_ever:
        ; mov r10d, SIGSET
        ; syscall
        ; mov ebx, eax

        // Whatever it was: zombies may be there.
        ; ->reap:
        ; mov eax, WAIT4
        ; mov rdi, -1
        ; xor esi, esi
        ; mov edx, WNOHANG
        ; xor r10d, r10d
        ; syscall
        ; test eax, eax
        ; jg ->reap

        ; cmp ebx, SIGTERM
        ; je ->asked
        ; cmp ebx, SIGINT
        ; jne ->look
        ; ->asked:
        ; cmp DWORD [rsp + INFO + SI_CODE], 0
        ; jl ->look
        // A sender outside this PID namespace has no number in it.
        ; cmp DWORD [rsp + INFO + SI_PID], 0
        ; jne ->look
        ; mov r12d, 1

        ; ->look:
        ; test r12d, r12d
        ; jz ->wait
        ; mov eax, KILL
        ; mov rdi, -1
        ; xor esi, esi
        ; syscall
        ; cmp eax, -ESRCH
        ; jne ->wait
        ; xor edi, edi
        ; ->exit:
        ; mov eax, EXIT
        ; syscall

        ; ->rename:
        ; mov rdi, [rsp + 24]
        ; mov rsi, [rsp + 32]
        ; mov eax, RENAME
        ; syscall
        // The exit code is the error's number.
        ; neg eax
        ; mov edi, eax
        ; jmp ->exit
    );
    ops.finalize().unwrap_or_default()
}
