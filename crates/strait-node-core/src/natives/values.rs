//! Natives for the codec of values.

use napi::{
    Result,
    bindgen_prelude::{JsObjectValue, KeyCollectionMode, KeyConversion, KeyFilter, Object},
};

use super::Natives;
use crate::core::Host;

pub(super) fn register<H: Host>(natives: &mut Natives<'_, H>) -> Result<()> {
    natives.set("codecSource", |_| Ok(strait_clone::JS_CODEC))?;
    natives.set("isDense", |call| is_dense(&call.get(0)?))
}

/// Whether the own enumerable keys of an array are just its indices. No code of the program runs.
fn is_dense(array: &Object<'_>) -> Result<bool> {
    let length = array.get_array_length()?;
    let keys = array.get_all_property_names(KeyCollectionMode::OwnOnly, KeyFilter::Enumerable, KeyConversion::KeepNumbers)?;
    // Indices precede other keys, in order; so if the last index is the last key, there are no
    // holes.
    Ok(length == 0 || keys.get_array_length()? == length && matches!(keys.get_element::<u32>(length - 1), Ok(last) if last == length - 1))
}
