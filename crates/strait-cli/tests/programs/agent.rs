//! A web process without the agent shows no page: the load fails and says why.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::http::Server;
use crate::program::{Running, folder, run, strait};
use crate::{Outcome, Skip, Test, test};

const MAIN: &str = r#"
const { app, BrowserWindow, ipcMain } = require('electron')
app.on('window-all-closed', () => {})
ipcMain.on('preloaded', () => console.log('preloaded'))
app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { preload: __dirname + '/preload.js' } })
  window.webContents.on('did-finish-load', () => console.log('finished'))
  window.webContents.on('did-fail-load', (_event, code, description) => console.log(`did-fail-load ${code} ${description}`))
  for (const how of ['first', 'second']) {
    await window.loadFile('page.html').then(() => console.log(how, 'resolved'), (error) => console.log(how, 'rejected:', error.message))
  }
  app.exit(0)
})
"#;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("a home mounted noexec: the agent goes elsewhere", noexec_home),
        test("nothing but noexec: loads fail and say so", noexec_everywhere),
        test("an agent that cannot be loaded: loads fail and say so", broken_agent),
        test("a page that moves to another process does not load", other_process),
        test("old agents that nobody uses are removed", old_agents),
    ]
}

fn program() -> tempfile::TempDir {
    let preload = "require('electron').ipcRenderer.send('preloaded')";
    folder(&[("main.js", MAIN), ("page.html", "<title>page</title>"), ("preload.js", preload)])
}

/// `strait run PROGRAM` with folders that are mounted noexec, in a mount namespace of its own.
fn unexecutable(program: &Path, folders: &[&Path]) -> Result<Command, Skip> {
    let mounts: String = folders.iter().map(|folder| format!("mount -t tmpfs -o noexec none '{}' && ", folder.display())).collect();
    let allowed = Command::new("unshare").args(["-m", "sh", "-c", &format!("{mounts}true")]).output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        return Err(Skip("file systems cannot be mounted here".into()));
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &format!("{mounts}exec \"$@\""), "sh"]);
    command.arg(strait()).arg("run").arg(program.join("main.js"));
    for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    Ok(command)
}

fn noexec_home() -> Outcome {
    let (program, home) = (program(), folder(&[]));
    let mut command = unexecutable(program.path(), &[home.path()])?;
    command.env("HOME", home.path());
    let mut running = Running::start(command);
    running.expect_in_order(&["preloaded", "first resolved"]);
    running.end_well();
    Ok(())
}

fn noexec_everywhere() -> Outcome {
    let (program, home) = (program(), folder(&[]));
    let lasting = Path::new("/var/tmp");
    let mut command = unexecutable(program.path(), &[home.path(), lasting])?;
    command.env("HOME", home.path()).env("TMPDIR", home.path());
    let mut running = Running::start(command);
    for how in ["first", "second"] {
        let line = running.expect(&format!("{how} rejected: ERR_AGENT_MISSING (-2) loading 'file://"));
        for part in [&*home.path().join(".cache/strait").to_string_lossy(), "mounted noexec", "set XDG_CACHE_HOME"] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    running.end_well();
    assert_eq!((running.count("finished"), running.count("did-fail-load -2 ERR_AGENT_MISSING")), (0, 2), "{}", running.report());
    Ok(())
}

fn broken_agent() -> Outcome {
    let (program, home) = (program(), folder(&[("agent.so", "no library")]));
    let mut command = run(&program.path().join("main.js"));
    command.env("HOME", home.path()).env("STRAIT_AGENT_SO", home.path().join("agent.so")).env_remove("XDG_CACHE_HOME");
    let mut running = Running::start(command);
    for how in ["first", "second"] {
        let line = running.expect(&format!("{how} rejected: ERR_AGENT_MISSING (-2) loading 'file://"));
        assert!(line.contains(&*home.path().join(".cache/strait/override-").to_string_lossy()), "{line}");
    }
    running.end_well();
    assert_eq!((running.count("finished"), running.count("preloaded")), (0, 0), "{}", running.report());
    Ok(())
}

fn other_process() -> Outcome {
    let server = Server::start(|request| {
        // The header goes with the type: the server has no other way to say more.
        let kind = if request.path == "/moves" { "text/html\r\nCross-Origin-Opener-Policy: same-origin; x=x" } else { "text/html" };
        Some((kind, "<title>page</title>".into()))
    });
    let program = program();
    fs::write(
        program.path().join("main.js"),
        MAIN.replace("loadFile('page.html')", "loadURL(process.env.TEST_SERVER + (how === 'first' ? '/moves' : '/stays'))"),
    )
    .expect("the program");
    let mut command = run(&program.path().join("main.js"));
    command.env("TEST_SERVER", server.origin());
    let mut running = Running::start(command);
    let line = running.expect("first rejected: ERR_AGENT_MISSING (-2) loading 'http://");
    assert!(line.contains("Cross-Origin-Opener-Policy"), "{line}");
    running.expect_in_order(&["preloaded", "second resolved"]);
    running.end_well();
    assert_eq!((running.count("finished"), running.count("preloaded")), (1, 1), "{}", running.report());
    Ok(())
}

fn old_agents() -> Outcome {
    let (program, home) = (program(), folder(&[]));
    let agents = home.path().join(".cache/strait");
    let old = agents.join("0123456789abcdef-42");
    fs::create_dir_all(&old).expect("a folder");
    fs::write(old.join("libstrait_agent.so"), "old").expect("a file");
    let mut command = run(&program.path().join("main.js"));
    command.env("HOME", home.path()).env_remove("XDG_CACHE_HOME").env_remove("STRAIT_AGENT_SO");
    let mut running = Running::start(command);
    running.expect("first resolved");
    running.end_well();
    let left: Vec<_> = fs::read_dir(&agents).expect("the agents").flatten().map(|entry| entry.file_name()).collect();
    assert!(left.len() == 1 && !old.exists(), "{left:?}");
    Ok(())
}
