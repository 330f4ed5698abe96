//! A utility process in JavaScript: Node.js, with the script of the package `@strait/electron` that
//! makes it a utility process.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::NodeJs;

/// The environment variable with the configuration for the package's script.
const BOOT_VARIABLE: &str = "STRAIT_BOOT";
/// As in Electron: an unhandled rejection causes a warning in a utility process.
const WARN_OF_REJECTIONS: &str = "--unhandled-rejections=warn";

/// Options with which Node runs no script, another one, or one in a further process; and the reason
/// of each refusal.
const REFUSED: [(&[&str], &str); 4] = [
    (
        &[
            "-e",
            "--eval",
            "-p",
            "-pe",
            "--print",
            "-i",
            "--interactive",
            "-c",
            "--check",
            "--run",
            "--test",
            "--build-snapshot",
            "--prof-process",
        ],
        "Node would not run the utility process's script",
    ),
    (&["-h", "--help", "-v", "--version", "--v8-options", "--completion-bash"], "Node would print something and end"),
    (&["--watch", "--watch-path"], "Node would run the script in a process of its own, which has no parent port"),
    (&["--no-addons"], "the parent port is an addon"),
];

/// A script to be run in a process of its own.
#[derive(Debug)]
pub(super) struct Script {
    /// Relative to the child's working folder; the extension may be missing.
    pub(super) module: String,
    /// Options for Node.
    pub(super) exec_args: Vec<String>,
}

impl Script {
    /// Completes `command`, which runs Node, for this script. `program`: the folder of the program
    /// that starts it. `report`: the file for Node's report if the engine ends fatally.
    pub(super) fn complete(&self, command: &mut Command, node: &NodeJs, program: &Path, report: &Path) -> Result<(), String> {
        self.check()?;
        let folder = command.get_current_dir().map(Path::to_owned);
        let script = absolute(&self.module, folder.as_deref()).map_err(|error| format!("can't find the working folder: {error}"))?;
        let mut require = OsString::from("--require=");
        require.push(&node.boot);
        let about = json!({
            "addon": node.addon.to_string_lossy(),
            "script": script.to_string_lossy(),
            "report": report.to_string_lossy(),
            "resources": program.to_string_lossy(),
        });
        // Three options of Strait's: `packages/electron/child.js` hides this number of options from
        // the program.
        command
            .arg(WARN_OF_REJECTIONS)
            .arg(NodeJs::stack_option())
            .arg(require)
            .args(&self.exec_args)
            .arg(script)
            .env(BOOT_VARIABLE, about.to_string());
        Ok(())
    }

    /// Refuses options that Node accepts, but with which there is no utility process.
    fn check(&self) -> Result<(), String> {
        for arg in &self.exec_args {
            let name = arg.split_once('=').map_or(arg.as_str(), |(name, _)| name).replace('_', "-");
            let refused = REFUSED.iter().find(|(options, _)| options.contains(&name.as_str()));
            if let Some((_, why)) = refused {
                return Err(format!("the option {arg} in execArgv is not possible: {why}"));
            }
        }
        Ok(())
    }
}

fn absolute(module: &str, folder: Option<&Path>) -> std::io::Result<PathBuf> {
    let module = Path::new(module);
    if module.is_absolute() {
        return Ok(module.to_owned());
    }
    let here = env::current_dir()?;
    Ok(folder.map_or(here.clone(), |folder| here.join(folder)).join(module))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(module: &str, exec_args: &[&str], folder: Option<&Path>) -> Result<Vec<String>, String> {
        let node = NodeJs { program: "/bin/node".into(), boot: "/p/child.js".into(), addon: "/p/addon.so".into() };
        let script = Script { module: module.into(), exec_args: exec_args.iter().map(|arg| (*arg).into()).collect() };
        let mut command = Command::new(&node.program);
        folder.map(|folder| command.current_dir(folder));
        script.complete(&mut command, &node, Path::new("/a"), Path::new("/r/1.json"))?;
        Ok(command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn options_come_before_the_script() {
        let args = command("/a/main.js", &["--expose-gc", "--inspect=0"], None).expect("a command");
        let stack = NodeJs::stack_option();
        assert_eq!(args, ["--unhandled-rejections=warn", &stack, "--require=/p/child.js", "--expose-gc", "--inspect=0", "/a/main.js"]);
        let here = env::current_dir().expect("a folder");
        let script = |module, folder| command(module, &[], folder).expect("a command").pop().expect("a script");
        assert_eq!(script("main", Some(Path::new("/b"))), "/b/main");
        assert_eq!(script("-e.js", None), here.join("-e.js").to_string_lossy());
        assert_eq!(script("main", Some(Path::new("b"))), here.join("b/main").to_string_lossy());
    }

    #[test]
    fn what_is_no_utility_process_is_refused_by_name() {
        for arg in ["-e", "--eval=1", "--test", "--version", "--watch", "--watch_path=/x", "--no_addons", "--build-snapshot"] {
            let error = command("/a/main.js", &["--expose-gc", arg], None).expect_err(arg);
            assert!(error.starts_with(&format!("the option {arg} in execArgv is not possible: ")), "{error}");
        }
    }
}
