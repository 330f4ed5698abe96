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

/// How a line begins that cargo writes for programs to read.
pub(crate) const CARGO_MESSAGE: &str = r#"{"reason":"#;

/// A test program that cargo has built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestProgram {
    pub(crate) package: String,
    /// The name of the library, binary or file under `tests/`.
    pub(crate) target: String,
    /// False: a program with a `main` of its own, run by itself because windows need a process's first thread.
    pub(crate) harness: bool,
    pub(crate) executable: PathBuf,
    /// Its package's.
    pub(crate) folder: PathBuf,
}

impl TestProgram {
    /// For people.
    pub(crate) fn name(&self) -> String {
        if self.package == self.target { self.package.clone() } else { format!("{} {}", self.package, self.target) }
    }

    /// Runs it where cargo would: in its package's folder.
    pub(crate) fn command(&self, filter: Option<&str>) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(filter).current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

/// The test programs that `lines`, cargo's messages about a build, tell of.
pub(crate) fn test_programs(lines: &[String]) -> Result<Vec<TestProgram>, String> {
    let mut found = Vec::new();
    for line in lines.iter().filter(|line| line.starts_with(CARGO_MESSAGE)) {
        let message: serde_json::Value = serde_json::from_str(line).map_err(|error| format!("cargo's message {line}: {error}"))?;
        let (Some(executable), Some(manifest), Some(target)) =
            (message["executable"].as_str(), message["manifest_path"].as_str(), message["target"]["name"].as_str())
        else {
            continue;
        };
        if message["profile"]["test"] != true {
            continue;
        }
        let text = fs::read_to_string(manifest).map_err(|error| format!("{manifest}: {error}"))?;
        let is_test = message["target"]["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "test"));
        let own_main = is_test && without_harness(&text).map_err(|error| format!("{manifest}: {error}"))?.iter().any(|name| name == target);
        found.push(TestProgram {
            package: package_name(&text).unwrap_or_else(|| manifest.to_owned()),
            target: target.to_owned(),
            harness: !own_main,
            executable: executable.into(),
            folder: Path::new(manifest).parent().unwrap_or(Path::new("/")).to_owned(),
        });
    }
    Ok(found)
}

fn package_name(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
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
    fn test_programs_are_read_from_cargos_messages() {
        let manifest = format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
        let artifact = |kind: &str, name: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"{manifest}","target":{{"kind":["{kind}"],"name":"{name}"}},"profile":{{"test":{test}}},"executable":"/t/{name}"}}"#
            )
        };
        let lines =
            ["   Compiling xtask".into(), artifact("bin", "xtask", false), artifact("bin", "xtask", true), artifact("test", "setup", true)];
        let found = test_programs(&lines).unwrap();
        assert_eq!(found.iter().map(TestProgram::name).collect::<Vec<_>>(), ["xtask", "xtask setup"]);
        assert!(found.iter().all(|program| program.harness && program.folder.ends_with("xtask")));
    }

    #[test]
    fn tests_with_a_main_of_their_own() {
        let manifest = "[package]\nname = \"a\"\n[[test]]\nname = \"windows\"\nharness = false\n[[test]]\nname = \"plain\"\n";
        assert_eq!(without_harness(manifest).unwrap(), ["windows"]);
        assert!(without_harness("[package]").unwrap().is_empty());
        assert!(without_harness("[package").is_err());
    }
}
