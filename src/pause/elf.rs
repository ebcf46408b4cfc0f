//! The least ELF file: a header, one segment, the code.
//!
//! Not here: the code.

/// Of the header.
#[derive(Debug, Clone, Copy)]
pub(super) enum Machine {
    /// `EM_X86_64`.
    X86_64 = 62,
    /// `EM_AARCH64`.
    Aarch64 = 183,
}

const HEADER: u16 = 64;
const SEGMENT: u16 = 56;
const LOAD_ADDRESS: u64 = 0x40_0000;
/// The largest page of aarch64; `x86_64` does not mind.
const ALIGNMENT: u64 = 0x1_0000;

/// An executable whose one segment is the whole file, readable and executable; the code follows the headers.
pub(super) fn file(machine: Machine, code: &[u8]) -> Vec<u8> {
    let offset = usize::from(HEADER + SEGMENT);
    let size = (offset + code.len()) as u64;
    let mut file = Vec::with_capacity(offset + code.len());
    // e_ident: 64 bits, little endian, version 1.
    file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    let half = |file: &mut Vec<u8>, value: u16| file.extend(value.to_le_bytes());
    let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
    let long = |file: &mut Vec<u8>, value: u64| file.extend(value.to_le_bytes());
    half(&mut file, 2); // e_type: ET_EXEC
    half(&mut file, machine as u16);
    word(&mut file, 1); // e_version
    long(&mut file, LOAD_ADDRESS + offset as u64); // e_entry
    long(&mut file, u64::from(HEADER)); // e_phoff
    long(&mut file, 0); // e_shoff
    word(&mut file, 0); // e_flags
    for value in [HEADER, SEGMENT, 1, 64, 0, 0] {
        half(&mut file, value); // e_ehsize e_phentsize e_phnum e_shentsize e_shnum e_shstrndx
    }
    word(&mut file, 1); // p_type: PT_LOAD
    word(&mut file, 5); // p_flags: read, execute
    for value in [0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, ALIGNMENT] {
        long(&mut file, value); // p_offset p_vaddr p_paddr p_filesz p_memsz p_align
    }
    file.extend(code);
    file
}
