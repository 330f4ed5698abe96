//! Builds the agent of compromised renderers.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Builds it in a target folder of its own: its features are not those of other builds. Gives its file.
pub(super) fn build() -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-agent");
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--lib", "--features", "hostile", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../strait-renderer/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(target.join("debug/libstrait_renderer.so"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
