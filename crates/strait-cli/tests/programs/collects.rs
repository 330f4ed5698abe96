//! `strait run --expose-gc`.

use crate::program::{Running, folder, run};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![test("expose-gc: main and pages collect when they are told to", with_it), test("expose-gc: without it nobody can", without_it)]
}

const MAIN: &str = r"
const { app, BrowserWindow } = require('electron')
// What a task has looked at is kept until it ends.
const collects = `(async () => {
  const refs = Array.from({ length: 100 }, () => new WeakRef({}))
  await new Promise((done) => setTimeout(done))
  gc()
  await new Promise((done) => setTimeout(done))
  return typeof gc === 'function' && refs.filter((ref) => ref.deref() === undefined).length > 90
})()`
app.whenReady().then(async () => {
  console.log('main:', typeof gc, process.execArgv, typeof gc === 'function' && await eval(collects))
  for (const webPreferences of [{ nodeIntegration: true }, { preload: __dirname + '/preload.js' }]) {
    const window = new BrowserWindow({ show: false, webPreferences })
    await window.loadFile('page.html')
    const run = (script) => window.webContents.executeJavaScript(script)
    console.log('page:', await run('typeof gc'), await run(`typeof gc === 'function' && ${collects}`), await run('Object.keys(window).includes(`gc`)'))
    console.log('preload:', await run('typeof preload === `undefined` ? `none` : preload'))
  }
  app.quit()
})
";

const PRELOAD: &str = "require('electron').contextBridge.exposeInMainWorld('preload', typeof gc)";

fn program() -> tempfile::TempDir {
    folder(&[("main.js", MAIN), ("preload.js", PRELOAD), ("page.html", "<!doctype html><title>gc</title>")])
}

fn with_it() -> Outcome {
    let folder = program();
    let mut command = run(folder.path());
    command.arg("--expose-gc");
    let mut program = Running::start(command);
    program.expect_in_order(&[
        "main: function [ '--expose-gc' ] true",
        "page: function true false",
        "preload: none",
        "page: function true false",
        "preload: function",
    ]);
    program.end_well();
    Ok(())
}

fn without_it() -> Outcome {
    let folder = program();
    let mut program = Running::start(run(folder.path()));
    program.expect_in_order(&[
        "main: undefined [] false",
        "page: undefined false false",
        "preload: none",
        "page: undefined false false",
        "preload: undefined",
    ]);
    program.end_well();
    Ok(())
}
