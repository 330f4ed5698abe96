//! Natives for what `Buffer` does with every byte: this engine interprets.

use rquickjs::{Ctx, Object, Result, TypedArray, prelude::Func};

/// Registers them.
pub(crate) fn register(natives: &Object<'_>) -> Result<()> {
    natives.set("encodeText", Func::from(encode))?;
    natives.set("decodeBytes", Func::from(decode))?;
    natives.set("compareBytes", Func::from(compare))
}

/// A text's bytes.
fn encode<'js>(ctx: Ctx<'js>, text: String, encoding: String) -> Result<Option<TypedArray<'js, u8>>> {
    strait_system::encode(&text, &encoding).map(|bytes| TypedArray::new(ctx, bytes)).transpose()
}

/// Their text; nothing if it has half a pair of UTF-16's units.
fn decode(bytes: TypedArray<'_, u8>, encoding: String) -> Option<String> {
    strait_system::decode(bytes.as_bytes().unwrap_or_default(), &encoding)
}

/// -1, 0 or 1.
fn compare(one: TypedArray<'_, u8>, other: TypedArray<'_, u8>) -> i32 {
    one.as_bytes().cmp(&other.as_bytes()) as i32
}
