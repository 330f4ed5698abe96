//! The classes of views on an ArrayBuffer.

/// The class of a view on an ArrayBuffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViewKind {
    /// `Int8Array`
    Int8,
    /// `Uint8Array`
    Uint8,
    /// `Uint8ClampedArray`
    Uint8Clamped,
    /// `Int16Array`
    Int16,
    /// `Uint16Array`
    Uint16,
    /// `Int32Array`
    Int32,
    /// `Uint32Array`
    Uint32,
    /// `Float16Array`, which some engines do not have
    Float16,
    /// `Float32Array`
    Float32,
    /// `Float64Array`
    Float64,
    /// `BigInt64Array`
    BigInt64,
    /// `BigUint64Array`
    BigUint64,
    /// `DataView`
    DataView,
}

impl ViewKind {
    /// Every kind of view.
    pub const ALL: [ViewKind; 13] = [
        ViewKind::Int8,
        ViewKind::Uint8,
        ViewKind::Uint8Clamped,
        ViewKind::Int16,
        ViewKind::Uint16,
        ViewKind::Int32,
        ViewKind::Uint32,
        ViewKind::Float16,
        ViewKind::Float32,
        ViewKind::Float64,
        ViewKind::BigInt64,
        ViewKind::BigUint64,
        ViewKind::DataView,
    ];

    /// The size of one element in bytes; 1 for `DataView`. Offset and length of a view are
    /// multiples of it.
    pub fn element_size(self) -> usize {
        match self {
            ViewKind::Int8 | ViewKind::Uint8 | ViewKind::Uint8Clamped | ViewKind::DataView => 1,
            ViewKind::Int16 | ViewKind::Uint16 | ViewKind::Float16 => 2,
            ViewKind::Int32 | ViewKind::Uint32 | ViewKind::Float32 => 4,
            ViewKind::Float64 | ViewKind::BigInt64 | ViewKind::BigUint64 => 8,
        }
    }

    /// The class's name in JavaScript.
    pub fn name(self) -> &'static str {
        match self {
            ViewKind::Int8 => "Int8Array",
            ViewKind::Uint8 => "Uint8Array",
            ViewKind::Uint8Clamped => "Uint8ClampedArray",
            ViewKind::Int16 => "Int16Array",
            ViewKind::Uint16 => "Uint16Array",
            ViewKind::Int32 => "Int32Array",
            ViewKind::Uint32 => "Uint32Array",
            ViewKind::Float16 => "Float16Array",
            ViewKind::Float32 => "Float32Array",
            ViewKind::Float64 => "Float64Array",
            ViewKind::BigInt64 => "BigInt64Array",
            ViewKind::BigUint64 => "BigUint64Array",
            ViewKind::DataView => "DataView",
        }
    }

    pub(crate) fn tag(self) -> u8 {
        match self {
            ViewKind::Int8 => b'b',
            ViewKind::Uint8 => b'B',
            ViewKind::Uint8Clamped => b'C',
            ViewKind::Int16 => b'w',
            ViewKind::Uint16 => b'W',
            ViewKind::Int32 => b'd',
            ViewKind::Uint32 => b'D',
            ViewKind::Float16 => b'h',
            ViewKind::Float32 => b'f',
            ViewKind::Float64 => b'F',
            ViewKind::BigInt64 => b'q',
            ViewKind::BigUint64 => b'Q',
            ViewKind::DataView => b'?',
        }
    }

    pub(crate) fn from_tag(tag: u8) -> Option<ViewKind> {
        ViewKind::ALL.into_iter().find(|kind| kind.tag() == tag)
    }
}
