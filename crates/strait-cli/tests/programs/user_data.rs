//! What pages store lies in their program's folder for data, and no other program sees it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::program::{Running, folder, run};
use crate::{Outcome, Test, test};

/// Prints what the page had stored before, and stores the program's name.
const MAIN: &str = r#"
const { app, BrowserWindow } = require('electron')
if (process.env.TEST_USER_DATA) app.setPath('userData', process.env.TEST_USER_DATA)
app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false })
  await window.loadFile('page.html')
  const before = await window.webContents.executeJavaScript('localStorage.getItem("by")')
  await window.webContents.executeJavaScript(`localStorage.setItem('by', ${JSON.stringify(app.name)}); new Promise((resolve, reject) => {
    const open = indexedDB.open('kept', 1)
    open.onsuccess = resolve
    open.onerror = () => reject(open.error)
  }).then(() => {})`)
  console.log(`stored before: ${before}`)
  app.quit()
})
"#;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("what pages store is kept under userData, for each program its own", own_folders),
        test("without a folder for data, what pages store goes with the program", ephemeral),
    ]
}

fn program(name: &str) -> TempDir {
    let package = format!(r#"{{ "name": "{name}", "version": "1.0.0", "main": "main.js" }}"#);
    folder(&[("main.js", MAIN), ("page.html", "<title>page</title>"), ("package.json", &package)])
}

fn at_home(program: &Path, home: &Path) -> Command {
    let mut command = run(program);
    command.env("HOME", home);
    for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        command.env_remove(name);
    }
    command
}

fn stored_before(command: Command) -> String {
    let mut running = Running::start(command);
    let line = running.expect("stored before: ");
    running.end_well();
    line.replace("stored before: ", "")
}

fn own_folders() -> Outcome {
    let home = folder(&[]);
    let (one, other) = (program("one"), program("other"));
    // The page has the same address for both: what one keeps must not be the other's all the same.
    assert_eq!(stored_before(at_home(one.path(), home.path())), "null");
    assert_eq!(stored_before(at_home(one.path(), home.path())), "one", "it is kept");
    let mut second = at_home(one.path(), home.path());
    let elsewhere = home.path().join("elsewhere");
    second.env("TEST_USER_DATA", &elsewhere);
    assert_eq!(stored_before(second), "null", "another userData is another program");
    assert_eq!(stored_before(at_home(other.path(), home.path())), "null");
    for folder in [home.path().join(".config/one/WebKit"), home.path().join(".config/other/WebKit"), elsewhere.join("WebKit")] {
        assert!(
            folder.join("cookies").exists() || folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()),
            "{}",
            folder.display()
        );
    }
    let shared = home.path().join(".local/share/strait");
    assert!(!shared.exists(), "{} is shared by all programs", shared.display());
    Ok(())
}

fn ephemeral() -> Outcome {
    let home = folder(&[("file", "")]);
    let one = program("one");
    for _ in 0..2 {
        let mut command = at_home(one.path(), home.path());
        // A file where the folder should be.
        command.env("TEST_USER_DATA", home.path().join("file"));
        let mut running = Running::start(command);
        running.expect("stored before: null");
        running.expect("pages' data lasts only as long as the program");
        running.end_well();
    }
    Ok(())
}
