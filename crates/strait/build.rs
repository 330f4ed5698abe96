//! Builds the web process agent (`strait-renderer`) and gives its path to the crate, which embeds it.
//!
//! By a cargo of its own with a target folder of its own: the outer one holds the lock of the shared one while this runs.

use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// What the agent is made of, beside this crate's folder.
const SOURCES: [&str; 7] =
    ["strait-renderer", "strait-modules", "strait-ports", "strait-clone", "strait-inspect", "strait-protocol", "strait-system"];

/// What the outer cargo sets for its own compilations, and would spoil or needlessly redo the agent's.
const SCRUBBED: [&str; 10] = [
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_INCREMENTAL",
    "CLIPPY_ARGS",
];

fn main() {
    let crates = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("..");
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("agent");
    println!("cargo:rerun-if-changed=build.rs");
    for source in SOURCES {
        for part in ["Cargo.toml", "build.rs", "src", "js"] {
            let path = crates.join(source).join(part);
            if path.exists() {
                println!("cargo:rerun-if-changed={}", path.display());
            }
        }
    }
    let manifest = crates.join("strait-renderer/Cargo.toml");
    // Everything is usually there already; only a fresh foreign project must fetch what only the agent needs.
    let mut output = build(&manifest, &target, true);
    if !output.status.success() && says_offline(&output) {
        output = build(&manifest, &target, false);
    }
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        panic!("the agent ({}) does not build", manifest.display());
    }
    let agent = target.join("release/libstrait_renderer.so");
    let bytes = fs::read(&agent).unwrap_or_else(|error| panic!("{}: {error}", agent.display()));
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    println!("cargo:rustc-env=STRAIT_AGENT_PATH={}", agent.display());
    println!("cargo:rustc-env=STRAIT_AGENT_HASH={:016x}-{}", hasher.finish(), bytes.len());
}

fn build(manifest: &Path, target: &Path, offline: bool) -> Output {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--lib", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(target);
    if offline {
        cargo.arg("--offline");
    }
    for name in SCRUBBED {
        cargo.env_remove(name);
    }
    // A quick agent, quickly built.
    let profile = [
        ("OPT_LEVEL", "2"),
        ("CODEGEN_UNITS", "16"),
        ("LTO", "false"),
        ("DEBUG", "false"),
        ("STRIP", "debuginfo"),
        ("INCREMENTAL", "false"),
    ];
    for (name, value) in profile {
        cargo.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
    }
    cargo.output().unwrap_or_else(|error| panic!("can't run cargo for the agent: {error}"))
}

/// Whether the failure is that something had to be fetched.
fn says_offline(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("offline")
}
