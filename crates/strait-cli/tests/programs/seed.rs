//! The programs of the founding document, unchanged.
//!
//! Where a block of it is only a fragment, files *around* it give it the names it uses and a window to run in. The document lies beside
//! the workspace; without it these tests are skipped.

use std::fs;

use crate::program::{Running, folder, run, workspace};
use crate::{Outcome, Skip, Test, test};

const DOCUMENT: &str = "../shared/seed/message-ports.md";

/// Gives a fragment for a page the name it uses.
const PAGE: &str = "<script>const { ipcRenderer } = require('electron')</script>\n<script src=\"renderer.js\"></script>\n";

/// Gives a fragment for main the name it uses, and opens the page.
const MAIN: &str = "\
const { app, BrowserWindow, ipcMain } = require('electron')
globalThis.ipcMain = ipcMain
if (globalThis.observe) globalThis.observe()
require('./main.js')
app.whenReady().then(() => {
  new BrowserWindow({ webPreferences: { nodeIntegration: true } }).loadFile('page.html')
})
";

const MANIFEST: &str = r#"{ "name": "seed", "main": "main.js" }"#;
const WRAPPED: &str = r#"{ "name": "seed", "main": "wrapper.js" }"#;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("seed: port basics", port_basics),
        test("seed: worker process", worker_process),
        test("seed: reply streams", reply_streams),
        test("seed: main world of an isolated page", isolated_main_world),
        test("seed: main world of an isolated page, with a number", isolated_main_world_with_a_number),
    ]
}

/// The document's code blocks in order, each with the file name its first line gives.
fn blocks() -> Result<Vec<(String, String)>, Skip> {
    let path = workspace().join(DOCUMENT);
    let text = fs::read_to_string(&path).map_err(|error| Skip(format!("{}: {error}", path.display())))?;
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.split_inclusive('\n') {
        match (&mut open, line.starts_with("```")) {
            (None, true) => open = Some(String::new()),
            (None, false) => {}
            (Some(block), false) => block.push_str(line),
            (Some(block), true) => {
                let name = block.split_whitespace().nth(1).unwrap_or_default().to_owned();
                blocks.push((name, std::mem::take(block)));
                open = None;
            }
        }
    }
    let names: Vec<_> = blocks.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["renderer.js", "main.js", "main.js", "worker.html", "app.html", "renderer.js", "main.js", "main.js", "preload.js", "index.html"],
        "the document has changed"
    );
    Ok(blocks)
}

/// Runs the blocks `which` with `others` beside them.
fn start(which: std::ops::Range<usize>, others: &[(&str, &str)]) -> Result<(tempfile::TempDir, Running), Skip> {
    let blocks = blocks()?;
    let mut files: Vec<(&str, &str)> = blocks[which].iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.extend(others);
    let folder = folder(&files);
    let running = Running::start(run(folder.path()));
    Ok((folder, running))
}

fn port_basics() -> Outcome {
    // The block's own listener shows nothing: another one, added when the port arrives, does.
    let wrapper = format!(
        "globalThis.observe = () => ipcMain.on('port', (event) => {{\n\
         \x20 console.log('observer: a port has arrived')\n\
         \x20 event.ports[0].on('message', ({{ data }}) => console.log('observer: ' + JSON.stringify(data)))\n\
         }})\n{MAIN}"
    );
    let (_folder, mut program) = start(0..2, &[("package.json", WRAPPED), ("wrapper.js", &wrapper), ("page.html", PAGE)])?;
    program.expect_in_order(&["observer: a port has arrived", r#"observer: {"answer":42}"#]);
    Ok(())
}

fn worker_process() -> Outcome {
    let (_folder, mut program) = start(2..5, &[("package.json", MANIFEST)])?;
    program.expect("received result: 42");
    Ok(())
}

fn reply_streams() -> Outcome {
    let (_folder, mut program) = start(5..7, &[("package.json", WRAPPED), ("wrapper.js", MAIN), ("page.html", PAGE)])?;
    let mut expected = vec!["got response data: 42"; 10];
    expected.push("stream ended");
    program.expect_in_order(&expected);
    assert_eq!(program.count("got response data: 42"), 10, "{}", program.report());
    assert_eq!(program.count("stream ended"), 1, "{}", program.report());
    Ok(())
}

fn isolated_main_world() -> Outcome {
    let (_folder, mut program) = start(7..10, &[("package.json", MANIFEST)])?;
    // The document posts an object and the page doubles it, which in JavaScript is NaN.
    program.expect("from main process:");
    program.expect("from renderer main world: NaN");
    Ok(())
}

fn isolated_main_world_with_a_number() -> Outcome {
    // Posts a number into the channel the block makes.
    const WRAPPER: &str = "\
const electron = require('electron')
const { MessageChannelMain } = electron
electron.MessageChannelMain = class extends MessageChannelMain {
  constructor () {
    super()
    setTimeout(() => this.port2.postMessage(21), 0)
  }
}
require('./main.js')
";
    let (_folder, mut program) = start(7..10, &[("package.json", WRAPPED), ("wrapper.js", WRAPPER)])?;
    program.expect("from main process: 21");
    program.expect("from renderer main world: 42");
    Ok(())
}
