//! Where is the program that runs children in JavaScript?

use std::{env, path::PathBuf};

/// Its file's name.
const NAME: &str = "strait-utility";
/// The environment variable that names another one.
const VARIABLE: &str = "STRAIT_UTILITY";

/// Its path, or what to do.
pub(super) fn strait_utility() -> Result<PathBuf, String> {
    if let Some(path) = env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from) {
        return if path.is_file() { Ok(path) } else { Err(format!("{VARIABLE} is {}, which is no file", path.display())) };
    }
    let executable = env::current_exe().ok();
    // Cargo puts tests and examples into folders beneath the one where programs are.
    let beside = executable.iter().flat_map(|path| path.ancestors().skip(1).take(2)).map(|folder| folder.join(NAME));
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(NAME));
    let found = beside.chain(in_path).find(|file| file.is_file());
    found.ok_or_else(|| {
        let folder =
            executable.as_deref().and_then(|path| path.parent()).map_or_else(|| "its folder".into(), |folder| folder.display().to_string());
        format!("there is no {NAME} beside the program, in {folder}, nor in PATH; build it (cargo build -p strait-cli) or set {VARIABLE}")
    })
}
