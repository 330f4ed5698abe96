//! See `strait_fuzz::modules::packages`.
#![no_main]

use std::sync::LazyLock;

use strait_fuzz::modules::{Folder, packages};

static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::new);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| packages(&FOLDER, bytes));
