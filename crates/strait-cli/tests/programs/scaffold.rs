//! Every template of `strait new` runs as it comes.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::program::{Running, run, strait, workspace};
use crate::{Outcome, Test, test};

/// Building what changed for another project; with `STRAIT_LONG` everything.
const BUILD_LIMIT: Duration = Duration::from_secs(12 * 60);

/// A template, and the last thing that its program says by itself.
const TEMPLATES: [(&str, &str); 4] = [
    ("basic", "page: Hello you!"),
    ("worker", "page: There are 78498 primes below 1000000."),
    ("stream", "page: finished"),
    ("isolated", "main: \"drawer\" backwards is \"reward\""),
];

pub(crate) fn tests() -> Vec<Test> {
    let scripts = TEMPLATES.map(|(template, says)| test(format!("new: {template}"), move || in_javascript(template, says)));
    scripts.into_iter().chain([test("new: every template with --rust", in_rust), test("new: refusals", refusals)]).collect()
}

/// `strait new` in `parent`.
fn new(parent: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(strait());
    command.arg("new").args(arguments).current_dir(parent);
    command
}

fn in_javascript(template: &str, says: &str) -> Outcome {
    let parent = tempfile::tempdir().expect("a temporary folder");
    Running::start_bare(new(parent.path(), &["my-program", "--template", template])).end_well();
    Running::start(run(&parent.path().join("my-program"))).expect(says);
    Ok(())
}

/// All of them in one workspace, which shares this one's lock file, settings and target folder, to save the minutes of a second build;
/// with `STRAIT_LONG` one of them is also built as it comes.
fn in_rust() -> Outcome {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let project = |template: &str| format!("from-{template}");
    for (template, _) in TEMPLATES {
        Running::start_bare(new(parent.path(), &[&project(template), "--rust", "--template", template])).end_well();
    }
    if env::var_os("STRAIT_LONG").is_some() {
        let (template, says) = TEMPLATES[0];
        let mut command = Command::new(env!("CARGO"));
        command.arg("run").current_dir(parent.path().join(project(template))).env_remove("CARGO_TARGET_DIR");
        Running::start(command).expect_within(says, BUILD_LIMIT);
        fs::remove_dir_all(parent.path().join(project(template)).join("target")).expect("its own target folder");
    }

    let members = TEMPLATES.map(|(template, _)| project(template));
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n\n[profile.dev.package.\"*\"]\ndebug = false\n"
    );
    fs::write(parent.path().join("Cargo.toml"), manifest).expect("write the manifest");
    fs::copy(workspace().join("Cargo.lock"), parent.path().join("Cargo.lock")).expect("copy the lock file");
    // …/target/debug/strait
    let target: PathBuf = strait().ancestors().nth(2).expect("the target folder").to_owned();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet"]).current_dir(parent.path()).env("CARGO_TARGET_DIR", &target);
    assert!(build.status().expect("cargo build").success(), "cargo build of the templates");
    for (template, says) in TEMPLATES {
        Running::start(Command::new(target.join("debug").join(project(template)))).expect(says);
    }
    Ok(())
}

fn refusals() -> Outcome {
    let parent = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(parent.path().join("full")).expect("a folder");
    fs::write(parent.path().join("full/mine"), "").expect("a file");
    for (arguments, code, says) in [
        (&["full"][..], 1, "strait: full is there already and is not empty; choose another name"),
        (&["My App"], 1, "strait: `My App` is no name for a program: it must start with a letter from a to z; try `my-app`"),
        (&["match", "--rust"], 1, "strait: `match` is no name for a program: it means something else in Rust; try `my-match`"),
        (&[".."], 1, "strait: .. names no folder; give the new folder's name, for example `strait new hello`"),
        (&["x", "--template", "fancy"], 2, "[possible values: basic, worker, stream, isolated]"),
        (&["full/mine/below"], 1, "strait: can't create full/mine/below: Not a directory"),
    ] {
        let mut program = Running::start_bare(new(parent.path(), arguments));
        program.expect(says);
        assert_eq!(program.end().code(), Some(code), "{arguments:?}");
    }
    let left: Vec<_> = fs::read_dir(parent.path()).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["full"]);
    Ok(())
}
