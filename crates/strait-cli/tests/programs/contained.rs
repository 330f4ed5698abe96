//! The command needs only its addon and its package beside it, and programs do not disturb each other.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Running, folder, run, strait, workspace};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("the command, its addon and its package in another folder", in_another_folder),
        test("the command without its addon", without_addon),
        test("an addon that Node can't load: the error names the file, Node, and the way out", foreign_addon),
        test("no Node.js, and one that is too old: the error says what to install", without_node),
        test("two programs at once", two_programs_at_once),
    ]
}

/// The addon's file.
const ADDON: &str = "libstrait_node.so";

fn without_addon() -> Outcome {
    let home = folder(&[]);
    let binary = home.path().join("strait");
    fs::copy(strait(), &binary).expect("copy the binary");
    let mut command = Command::new(&binary);
    command.arg("run").arg(workspace().join("examples/port-basics"));
    let mut program = Running::start(command);
    program.expect(&format!("strait: {} is missing: ", home.path().join(ADDON).display()));
    assert_eq!(program.end().code(), Some(1));
    Ok(())
}

/// A copy of the command and of what lies beside it.
fn copy_command(home: &Path) -> PathBuf {
    let binary = home.join("strait");
    fs::copy(strait(), &binary).expect("copy the binary");
    fs::copy(strait().with_file_name(ADDON), home.join(ADDON)).expect("copy the addon");
    copy_folder(&workspace().join("packages/electron"), &home.join("electron"));
    binary
}

fn foreign_addon() -> Outcome {
    // Where an ELF file says for which processor it is.
    const MACHINE: usize = 18;
    let home = folder(&[]);
    let binary = copy_command(home.path());
    let addon = home.path().join(ADDON);
    let good = fs::read(&addon).expect("the addon");
    let mut foreign = good.clone();
    foreign[MACHINE] ^= 1;
    for bad in [foreign, good[..good.len() / 2].to_vec(), b"no library".to_vec()] {
        fs::write(&addon, bad).expect("write the addon");
        let mut command = Command::new(&binary);
        command.arg("run").arg(workspace().join("examples/port-basics"));
        let mut program = Running::start(command);
        let line = program.expect("strait: Node.js v");
        for part in [
            &*format!("can't load {}: ", addon.display()),
            "for the same processor",
            env::consts::ARCH.replace("x86_64", "x64").replace("aarch64", "arm64").as_str(),
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert_eq!(program.end().code(), Some(1));
    }
    Ok(())
}

fn without_node() -> Outcome {
    let home = folder(&[("old/node", "#!/bin/sh\necho v16.20.2\n"), ("none/other", "")]);
    fs::set_permissions(home.path().join("old/node"), fs::Permissions::from_mode(0o755)).expect("make it executable");
    for (path, says) in [("none", "strait: there is no Node.js in PATH: "), ("old", "old/node is v16.20.2, which is too old: ")] {
        let mut command = run(&workspace().join("examples/port-basics"));
        command.env("PATH", home.path().join(path));
        let mut program = Running::start(command);
        let line = program.expect(says);
        for part in ["install Node.js 18.19 or later", "apt-get install nodejs", "a program whose main is Rust needs none"] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert_eq!(program.end().code(), Some(1));
    }
    Ok(())
}

fn in_another_folder() -> Outcome {
    let home = folder(&[]);
    let binary = copy_command(home.path());
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
        let copy = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, copy).expect("copy a file");
        }
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
