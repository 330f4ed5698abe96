//! The binary needs nothing but itself; the crate works in a project of its own; programs do not disturb each other.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::program::{Running, folder, run, strait, workspace};
use crate::{Outcome, Test, test};

/// Building what changed for another project; from nothing with `STRAIT_LONG`.
const BUILD_LIMIT: Duration = Duration::from_secs(12 * 60);

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("the binary alone in another folder", the_binary_alone),
        test("two programs at once", two_programs_at_once),
        test("a separate cargo project", a_separate_cargo_project),
    ]
}

fn the_binary_alone() -> Outcome {
    let home = folder(&[]);
    let binary = home.path().join("strait");
    fs::copy(strait(), &binary).expect("copy the binary");
    let program = home.path().join("program");
    copy_folder(&workspace().join("examples/port-basics"), &program);

    let mut command = Command::new(&binary);
    command.arg("run").arg(&program).current_dir(home.path()).env_remove("STRAIT_AGENT_SO");
    for (name, _) in env::vars_os() {
        // Nothing of the build may help it.
        let text = name.to_string_lossy();
        if text.starts_with("CARGO") || text.starts_with("RUST") || text.starts_with("LD_") || text.starts_with("XDG_") {
            command.env_remove(&name);
        }
    }
    command.env("HOME", home.path());
    let mut program = Running::start(command);
    program.expect("page: main received 3 messages");
    program.end_well();
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("create a folder");
    for entry in fs::read_dir(from).expect("list a folder") {
        let path = entry.expect("list a folder").path();
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copy a file");
    }
}

fn two_programs_at_once() -> Outcome {
    let (basics, worker) = (workspace().join("examples/port-basics"), workspace().join("examples/worker-window"));
    let mut programs = [Running::start(run(&basics)), Running::start(run(&worker)), Running::start(run(&basics))];
    programs[0].expect("page: main received 3 messages");
    programs[1].expect("page: 78498 primes below 1000000");
    programs[2].expect("page: main received 3 messages");
    for program in &mut programs {
        program.end_well();
    }
    Ok(())
}

/// The worker example's source in a project outside the workspace, which knows `strait` by its path alone.
///
/// To save the minutes that a second build of all dependencies takes, it shares the workspace's lock file, profile and target folder;
/// with `STRAIT_LONG` it has its own.
fn a_separate_cargo_project() -> Outcome {
    let workspace = workspace();
    let example = workspace.join("examples/rust/worker-window");
    let project = folder(&[]);
    let strait = workspace.join("crates/strait");
    let mut manifest = format!(
        "[package]\nname = \"foreign\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nstrait = {{ path = {strait:?} }}\n"
    );
    let target: PathBuf;
    if env::var_os("STRAIT_LONG").is_some() {
        target = project.path().join("target");
    } else {
        // …/target/debug/strait
        target = crate::program::strait().ancestors().nth(2).expect("the target folder").to_owned();
        manifest += "\n[profile.dev]\ndebug = \"line-tables-only\"\n\n[profile.dev.package.\"*\"]\ndebug = false\n";
        fs::copy(workspace.join("Cargo.lock"), project.path().join("Cargo.lock")).expect("copy the lock file");
    }
    fs::write(project.path().join("Cargo.toml"), manifest).expect("write the manifest");
    copy_folder(&example.join("src"), &project.path().join("src"));
    copy_folder(&example.join("pages"), &project.path().join("pages"));

    let mut command = Command::new(env!("CARGO"));
    command.arg("run").current_dir(project.path()).env("CARGO_TARGET_DIR", target).env_remove("RUSTFLAGS");
    let mut program = Running::start(command);
    program.expect_within("page: 78498 primes below 1000000", BUILD_LIMIT);
    program.end_well();
    Ok(())
}
