//! Checks whether JavaScriptCore lays out its memory for ArrayBuffers as pool blocks
//! (`ffi/pool_block.rs`) need it.
//!
//! JavaScriptCore ends the process when an ArrayBuffer's bytes lie outside its *cage*. This is its
//! layout as of WebKit 2.50 on x86-64, which this module checks:
//!
//! ```text
//! k × 64 GiB        the cage begins; every ArrayBuffer made by a script lies in it
//!   ...             ordinary buffers
//!   reserved        a resizable ArrayBuffer: 64 KiB that are JavaScriptCore's own,
//!   reserved + 2 MiB  then addresses without access, up to its largest length
//!   ...
//! (k + 1) × 64 GiB  the cage ends; all of it is mapped by JavaScriptCore
//! ```
//!
//! With another layout (another version or processor, `GIGACAGE_ENABLED=0`) there are no blocks.
//! The glue then makes the arrays, and their bytes are copied once more.

use std::ops::Range;

/// The cage's size (64 GiB). A cage begins at a multiple of it.
const CAGE: usize = 64 << 30;

/// The beginning of a resizable ArrayBuffer's addresses is JavaScriptCore's own memory: 64 KiB,
/// less than this. Large pages begin at multiples of this.
const FOREWORD: usize = 2 << 20;

/// The addresses for blocks end at a multiple of this.
const PAGE: usize = 4096;

/// The addresses for blocks within a resizable ArrayBuffer, whose `size` bytes of addresses begin
/// at `reserved`. `ordinary` is the address of an ordinary ArrayBuffer; `maps` is the text of
/// `/proc/self/maps`.
///
/// # Errors
/// The first difference from the expected layout.
pub(crate) fn pool_addresses(maps: &str, reserved: usize, size: usize, ordinary: usize) -> Result<Range<usize>, String> {
    if !cfg!(target_arch = "x86_64") {
        return Err("its layout on this processor has not been measured".to_owned());
    }
    let cage = reserved / CAGE * CAGE..(reserved / CAGE + 1).saturating_mul(CAGE);
    if !cage.contains(&ordinary) {
        return Err(format!(
            "an ordinary ArrayBuffer lies at {ordinary:#x}, a resizable one at {reserved:#x}: not in the same {CAGE:#x} bytes"
        ));
    }
    covered(maps, &cage, |access| matches!(access, "rw-p" | "---p"))?;
    let first = (reserved + FOREWORD).next_multiple_of(FOREWORD);
    let end = reserved.saturating_add(size) / PAGE * PAGE;
    if first >= end || end > cage.end {
        return Err(format!("{size:#x} bytes at {reserved:#x} leave no room before {:#x}", cage.end));
    }
    covered(maps, &(first..end), |access| access == "---p")?;
    Ok(first..end)
}

/// Fails unless all of the range is mapped without a file, with an access that `fits`.
fn covered(maps: &str, range: &Range<usize>, fits: impl Fn(&str) -> bool) -> Result<(), String> {
    let mut at = range.start;
    for line in maps.lines() {
        let mut fields = line.split_ascii_whitespace();
        let mapped =
            fields.next().and_then(|range| range.split_once('-')).and_then(|(from, to)| Some(hexadecimal(from)?..hexadecimal(to)?));
        let (Some(mapped), Some(access)) = (mapped, fields.next()) else { return Err(format!("unknown kind of mapping: {line}")) };
        if mapped.end <= at {
            continue;
        }
        if mapped.start > at {
            break;
        }
        // The next fields are offset, device and inode; only a file's inode is not 0.
        if !fits(access) || fields.nth(2) != Some("0") {
            return Err(format!("{at:#x} is mapped as something else: {line}"));
        }
        at = mapped.end;
        if at >= range.end {
            return Ok(());
        }
    }
    Err(format!("nothing is mapped at {at:#x}, but should be from {:#x} to {:#x}", range.start, range.end))
}

fn hexadecimal(text: &str) -> Option<usize> {
    usize::from_str_radix(text, 16).ok()
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    const GIB: usize = 1 << 30;
    const RESERVED: usize = 0x7f00_6220_0000;
    const ORDINARY: usize = 0x7f00_5e00_00b0;

    /// The layout in a web process.
    const KNOWN: &str = "\
561871000000-561871100000 r-xp 00000000 08:01 1234                       /usr/lib/WebKitWebProcess
7f0000000000-7f0062200000 rw-p 00000000 00:00 0
7f0062200000-7f0062210000 rw-p 00000000 00:00 0
7f0062210000-7f00e2200000 ---p 00000000 00:00 0
7f00e2200000-7f0fb1321000 rw-p 00000000 00:00 0
7f0fb1321000-7f1000000000 ---p 00000000 00:00 0
7f1b00000000-7f1c00000000 rw-p 00000000 00:00 0 ";

    fn blocks(maps: &str, reserved: usize, ordinary: usize) -> Result<Range<usize>, String> {
        pool_addresses(maps, reserved, 2 * GIB, ordinary)
    }

    #[test]
    fn the_known_layout_has_room() {
        assert_eq!(blocks(KNOWN, RESERVED, ORDINARY), Ok(0x7f00_6240_0000..0x7f00_e220_0000));
    }

    #[test]
    fn other_layouts_have_none() {
        // Without a cage the kernel places each mapping (recorded with GIGACAGE_ENABLED=0).
        let uncaged = "\
7fc080000000-7fc080010000 rw-p 00000000 00:00 0
7fc080010000-7fc100000000 ---p 00000000 00:00 0
7fc100000000-7fc200000000 rw-p 00000000 00:00 0
7fc203000000-7fc20a200000 rw-p 00000000 00:00 0
7fc24a400000-7fc24d421000 rw-p 00000000 00:00 0
";
        let failed = |maps: &str, reserved, ordinary, why: &str| {
            let error = blocks(maps, reserved, ordinary).unwrap_err();
            assert!(error.contains(why), "{error}");
        };
        failed(uncaged, 0x7fc0_8000_0000, 0x7fc2_4b07_c0b0, "nothing is mapped at 0x7fc000000000");
        // The resizable buffer and the ordinary one lie in different places.
        failed(KNOWN, 0x7f1b_0000_0000, ORDINARY, "not in the same");
        failed(KNOWN, RESERVED, 0x5618_7198_b3e0, "not in the same");
        // A smaller cage, one with a gap, and one with other memory in it.
        failed(&KNOWN.replace("7f1000000000 ---p", "7f0800000000 ---p"), RESERVED, ORDINARY, "is mapped");
        failed(
            &KNOWN.replace("7f0062200000-7f0062210000", "7f0062201000-7f0062210000"),
            RESERVED,
            ORDINARY,
            "nothing is mapped at 0x7f0062200000",
        );
        failed(&KNOWN.replace("7f0fb1321000 rw-p", "7f0fb1321000 r-xp"), RESERVED, ORDINARY, "something else");
        failed(
            &KNOWN.replace("7f0062210000-7f00e2200000 ---p 00000000 00:00 0", "7f0062210000-7f00e2200000 ---p 00000000 08:01 7 /a"),
            RESERVED,
            ORDINARY,
            "something else",
        );
        // Addresses that should be free are in use, or there are fewer of them.
        failed(&KNOWN.replace("7f00e2200000 ---p", "7f00e2200000 rw-p"), RESERVED, ORDINARY, "something else");
        failed(&KNOWN.replace("7f00e2200000", "7f00a2200000"), RESERVED, ORDINARY, "something else");
        // The resizable buffer lies so near to the cage's end that its largest length is outside.
        failed(KNOWN, 0x7f0f_b132_1000, ORDINARY, "no room");
        failed("", RESERVED, ORDINARY, "nothing is mapped");
        failed("nonsense", RESERVED, ORDINARY, "unknown kind");
        failed("1000-g ---p", RESERVED, ORDINARY, "unknown kind");
        assert!(pool_addresses(KNOWN, RESERVED, FOREWORD, ORDINARY).is_err());
        assert!(pool_addresses(KNOWN, usize::MAX - 5, 2 * GIB, usize::MAX - 7).is_err());
    }
}
