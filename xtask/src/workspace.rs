//! What is in the workspace, and how is cargo called in it?

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// A cargo command in the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // What `cargo run` told xtask about itself is not true of others.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO_CRATE_NAME" || text == "CARGO_BIN_NAME" {
            command.env_remove(&name);
        }
    }
    command
}

/// Whether cargo has this subcommand (`fmt`, `clippy`, `nextest`).
pub(crate) fn has_subcommand(name: &str) -> bool {
    cargo(&[name, "--version"]).output().is_ok_and(|output| output.status.success())
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf, String> {
    let metadata = metadata()?;
    metadata["target_directory"].as_str().map(PathBuf::from).ok_or_else(|| "cargo metadata names no target directory".into())
}

/// An integration test: one file under a package's `tests/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestTarget {
    pub(crate) package: String,
    pub(crate) name: String,
    /// False: a program with a `main` of its own, run by itself because windows need a process's first thread.
    pub(crate) harness: bool,
}

/// Every integration test of the workspace.
pub(crate) fn test_targets() -> Result<Vec<TestTarget>, String> {
    let metadata = metadata()?;
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let text = fs::read_to_string(manifest).map_err(|error| format!("{manifest}: {error}"))?;
        let without_harness = without_harness(&text).map_err(|error| format!("{manifest}: {error}"))?;
        for target in package["targets"].as_array().into_iter().flatten() {
            let is_test = target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "test"));
            if let (true, Some(test)) = (is_test, target["name"].as_str()) {
                found.push(TestTarget {
                    package: name.into(),
                    name: test.into(),
                    harness: !without_harness.iter().any(|other| other == test),
                });
            }
        }
    }
    Ok(found)
}

/// The names of a manifest's `[[test]]` sections with `harness = false`; `cargo metadata` does not tell.
fn without_harness(manifest: &str) -> Result<Vec<String>, String> {
    let manifest: toml::Table = manifest.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let tests = manifest.get("test").and_then(toml::Value::as_array).into_iter().flatten();
    Ok(tests
        .filter(|test| test.get("harness").and_then(toml::Value::as_bool) == Some(false))
        .filter_map(|test| Some(test.get("name")?.as_str()?.to_owned()))
        .collect())
}

fn metadata() -> Result<serde_json::Value, String> {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output().map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_with_a_main_of_their_own() {
        let manifest = "[package]\nname = \"a\"\n[[test]]\nname = \"windows\"\nharness = false\n[[test]]\nname = \"plain\"\n";
        assert_eq!(without_harness(manifest).unwrap(), ["windows"]);
        assert!(without_harness("[package]").unwrap().is_empty());
        assert!(without_harness("[package").is_err());
    }
}
