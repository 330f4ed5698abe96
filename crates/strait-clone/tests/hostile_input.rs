//! Input made to hurt: every way of being wrong has its error, with the offset, and no input takes more memory than it justifies.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use strait_clone::{MAX_DEPTH, ReadErrorKind as Wrong, Value, WriteError, read, write};

/// Counts what this thread holds, and the most it ever held.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn count(taken: usize, given: usize) {
    // The allocator also runs while a thread ends, when its locals are gone.
    let _ = HELD.try_with(|held| {
        held.set((held.get() + taken).saturating_sub(given));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call is passed on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: `pointer` came from `System` by way of `alloc` or `realloc` above, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: `pointer` came from `System` by way of `alloc` or `realloc` above, with this layout.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most memory that reading `bytes` held at once.
fn peak_of(bytes: &[u8]) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    let _ = read(bytes, 0);
    PEAK.get() - before
}

fn input(parts: &[&[u8]]) -> Vec<u8> {
    [&[0xff, 0x0f], parts.concat().as_slice()].concat()
}

#[test]
fn every_mistake_has_its_error() {
    let cases: &[(&[u8], usize, Wrong)] = &[
        (b"", 0, Wrong::Truncated),
        (b"0", 0, Wrong::NoHeader),
        (b"\xff\x100", 2, Wrong::Version(16)),
        (b"\xff\x0c0", 2, Wrong::Version(12)),
        (b"\xff\x0f", 2, Wrong::Truncated),
        (b"\xff\x0f\x11", 2, Wrong::Tag(0x11)),
        (b"\xff\x0f00", 3, Wrong::Trailing),
        (b"\xff\x0f\"\xff\xff\xff\xff\x0fa", 8, Wrong::TooLong(0xffff_ffff)),
        (b"\xff\x0fc\x03aaa", 4, Wrong::OddString),
        (b"\xff\x0fU\xff\xff\xff\xff\x1f", 8, Wrong::IntegerTooLarge),
        (b"\xff\x0fU\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, Wrong::IntegerTooLarge),
        (b"\xff\x0fA\xff\xff\xff\xff\x0f", 8, Wrong::TooLong(0xffff_ffff)),
        (b"\xff\x0fA\x010$\x00\x02", 8, Wrong::ArrayLength),
        (b"\xff\x0fa\x01I\x080@\x01\x01", 6, Wrong::ArrayLength),
        (b"\xff\x0fa\x01\"\x06length0@\x01\x01", 12, Wrong::ArrayLength),
        (b"\xff\x0fo{\x01", 5, Wrong::Count),
        (b"\xff\x0fo00{\x01", 3, Wrong::Key),
        (b"\xff\x0f;00:\x01", 7, Wrong::Count),
        (b"\xff\x0f;0:\x01", 4, Wrong::Tag(b':')),
        (b"\xff\x0f'0,\x02", 6, Wrong::Count),
        (b"\xff\x0f^\x00", 4, Wrong::Reference(0)),
        (b"\xff\x0fB\x05a", 4, Wrong::TooLong(5)),
        (b"\xff\x0f~\x02\x01ab", 5, Wrong::BufferLimit),
        (b"\xff\x0fB\x00VA\x00\x00\x00", 6, Wrong::ViewTag(b'A')),
        (b"\xff\x0fB\x02abVB\x01\x02\x00", 11, Wrong::View),
        (b"\xff\x0fB\x04abcdVW\x01\x02\x00", 13, Wrong::View),
        (b"\xff\x0fB\x02abVB\x00\x02\x01", 11, Wrong::View),
        (b"\xff\x0fr\x11", 4, Wrong::ErrorPart(0x11)),
        (b"\xff\x0fN\x00", 3, Wrong::Truncated),
        (b"\xff\x0fZ\x10\x01", 4, Wrong::TooLong(8)),
        (b"\xff\x0fR\"\x01a\x80\x08", 8, Wrong::Flags(1024)),
        (b"\xff\x0f\\\x09", 4, Wrong::HostObject(9)),
        (b"\xff\x0f\\\x01\x00", 5, Wrong::Port(0)),
        (b"\xff\x0f\\\x03\x02", 5, Wrong::Blob),
        (b"\xff\x0f\\\x04\x7f", 5, Wrong::TooLong(127)),
        (b"\xff\x0f\\\x04\x0100", 6, Wrong::Blob),
        (b"\xff\x0f\\\x03\x00\"\x00\x01a\x01", 10, Wrong::Blob),
        (b"\xff\x0f\\\x03\x00\"\x00\x7fa", 8, Wrong::TooLong(127)),
        (b"\xff\x0f\\\x03\x01\"\x00\"\x00\x00", 9, Wrong::Truncated),
        (b"\xff\x0f\\\x02\x02\x02\x00\x04\x00\x00\x00\x00", 8, Wrong::Image),
    ];
    for (bytes, offset, kind) in cases {
        let error = read(bytes, 0).expect_err(&format!("{bytes:?}"));
        assert_eq!((error.offset, error.kind), (*offset, *kind), "{bytes:?}");
        assert!(error.to_string().starts_with(&format!("invalid structured clone at byte {offset}: ")));
    }
}

#[test]
fn ports_must_have_come_along() {
    let bytes = write(&Value::array([Value::Port(0), Value::Port(1), Value::Port(0)])).unwrap();
    assert_eq!(read(&bytes, 2).unwrap().at(2), Some(Value::Port(0)));
    assert_eq!(read(&bytes, 1).unwrap_err().kind, Wrong::Port(1));
    // A second occurrence as a reference, as V8 writes host objects.
    assert_eq!(read(b"\xff\x0fA\x02\\\x01\x00^\x01$\x00\x02", 1).unwrap().at(1), Some(Value::Port(0)));
}

#[test]
fn older_versions_are_read() {
    assert_eq!(read(b"\xff\x0dB\x01\x05VB\x00\x01", 0).unwrap(), Value::bytes([5]));
    assert_eq!(read(b"\xff\x0e?\x05\x00U\x05", 0).unwrap(), 5.into());
    assert_eq!(read(b"\xff\x0fS\x04gr\xc3\xbc", 0).unwrap(), "grü".into());
}

#[test]
fn numbers_may_name_properties() {
    let value = read(b"\xff\x0foI\x01TU\x05TN\x00\x00\x00\x00\x00\x00\xf8\x3fT{\x03", 0).unwrap();
    let keys: Vec<String> = value.as_object().unwrap().entries().map(|(key, _)| key.to_string()).collect();
    assert_eq!(keys, ["-1", "5", "1.5"]);
}

#[test]
fn depth_is_limited_and_takes_no_stack() {
    let nested = |depth: usize| input(&[&b"'".repeat(depth), &b",\x01".repeat(depth)]);
    // The innermost Set is empty.
    let fits = input(&[&b"'".repeat(MAX_DEPTH), b",\x00", &b",\x01".repeat(MAX_DEPTH - 1)]);
    let value = read(&fits, 0).unwrap();
    assert_eq!(write(&value).unwrap(), fits);
    assert_eq!(value, read(&fits, 0).unwrap());
    let _ = format!("{value:?}");
    assert_eq!(write(&Value::set([value])).unwrap_err(), WriteError::TooDeep);
    let error = read(&nested(MAX_DEPTH + 1), 0).unwrap_err();
    assert_eq!((error.kind, error.offset), (Wrong::TooDeep, MAX_DEPTH + 3));
}

#[test]
fn announcements_reserve_nothing() {
    for announced in [
        b"A\xff\xff\xff\xff\x0f".as_slice(),
        b"a\xff\xff\xff\xff\x0f@\x00\xff\xff\xff\xff\x0f",
        b"B\xff\xff\xff\xff\x0f",
        b"~\x00\xff\xff\xff\xff\x0f",
        b"\"\xff\xff\xff\xff\x0f",
        b"c\xfe\xff\xff\xff\x0f",
        b"Z\xfe\xff\xff\xff\x0f",
        b"?\xff\xff\xff\xff\x0f_",
        b"\\\x02\xff\xff\xff\xff\x0f\xff\xff\xff\xff\x0f\x00\x04",
    ] {
        let peak = peak_of(&input(&[announced]));
        assert!(peak < 4096, "{announced:?} took {peak} bytes");
    }
    let sparse = read(&input(&[b"a\xff\xff\xff\xff\x0f@\x00\xff\xff\xff\xff\x0f"]), 0).unwrap();
    assert_eq!(sparse.len(), u32::MAX as usize);
}

/// The worst that a byte can cost, with the slack that growing vectors have.
const FACTOR: usize = 256;

#[test]
fn memory_is_bounded_by_the_input() {
    const COUNT: usize = 20_000;
    let length = [(COUNT & 127) as u8 | 128, (COUNT >> 7 & 127) as u8 | 128, (COUNT >> 14) as u8];
    let dense = |element: &[u8]| input(&[b"A", &length, &element.repeat(COUNT), b"$\x00", &length]);
    for (name, bytes) in [
        ("numbers", dense(b"I\x00")),
        ("undefined", dense(b"_")),
        ("holes", dense(b"-")),
        ("objects", dense(b"o{\x00")),
        ("dates", dense(b"y")),
        ("arrays", dense(b"A\x00$\x00\x00")),
        ("sparse arrays", dense(b"a\xff\x7f@\x00\xff\x7f")),
        ("maps", dense(b";:\x00")),
        ("errors", dense(b"r.")),
        ("references", dense(b"^\x00")),
        ("strings", dense(b"\"\x01a")),
        ("objects with a property", dense(b"o\"\x00_{\x01")),
        ("arrays far out", dense(b"a\x80\x01I\xfe\x01_@\x01\x80\x01")),
        ("nested sets", input(&[&b"'".repeat(MAX_DEPTH)])),
        ("views", input(&[b"A", &length, b"B\x00", &b"^\x01VB\x00\x00\x00".repeat(COUNT - 1), b"$\x00", &length])),
    ] {
        if let Err(error) = read(&bytes, 0) {
            assert_eq!((name, error.kind), ("nested sets", Wrong::Truncated));
        }
        let peak = peak_of(&bytes);
        assert!(peak <= bytes.len() * FACTOR + 4096, "{name}: {} bytes took {peak}", bytes.len());
        println!("{name}: {} bytes per byte", peak / bytes.len());
    }
}

#[test]
fn a_large_buffer_is_held_once() {
    let bytes = write(&Value::bytes(vec![7; 1 << 20])).unwrap();
    assert!(peak_of(&bytes) < (1 << 20) + 8192);
}
