//! `setup` on a machine where nothing is there: an empty PATH.

use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn names_every_missing_package_and_one_command() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["setup", "--check"]).env("PATH", "").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    for package in ["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev", "xvfb"] {
        assert_eq!(text.matches(package).count(), 2, "{package} in the list and in the command: {text}");
    }
    assert_eq!(text.lines().filter(|line| line.contains("apt-get install")).count(), 1, "{text}");
}

#[test]
fn without_apt_it_says_what_is_missing_and_fails() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("setup").env("PATH", "").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("no apt-get") && text.contains("libwebkit2gtk-4.1-dev"), "{text}");
}

#[test]
fn is_quick_when_nothing_is_missing() {
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["setup", "--check"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // 20 ms where nothing else runs; whoever asks a package manager, or the network, needs longer than a busy machine does.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
