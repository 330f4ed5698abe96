//! Lets the library's Node-API symbols be found in the Node that loads it.

fn main() {
    napi_build::setup();
}
