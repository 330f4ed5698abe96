//! The operating system's sandbox around pages.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::http::Server;
use crate::program::{Running, folder, run, strait};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("sandbox: windows have it by Electron's rule", who_has_it),
        test("sandbox: its processes reach no file of the user's", reach),
        test("sandbox: a preload has Electron's modules and is read anew", preloads),
        test("sandbox: a mixed program exchanges ports", mixed),
        test("sandbox: a killed process is noticed, and a load brings another", killed),
        test("sandbox: without it, windows warn once or load nothing", unavailable),
        test("sandbox: --no-sandbox leaves it out", left_out),
        test("sandbox: events of ports are written from inside", inspected),
    ]
}

/// What main says of processes, for the programs here.
const FACTS: &str = r"
const fs = require('fs')
const field = (status, name) => status.match(new RegExp(`^${name}:\\s*(.*)$`, 'm'))[1]
/** Whether a process has a filter for system calls, no way to new privileges, and other namespaces than main. */
const facts = (pid) => {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  const own = ['mnt', 'pid', 'net', 'uts'].filter((name) => fs.readlinkSync(`/proc/${pid}/ns/${name}`) !== fs.readlinkSync(`/proc/self/ns/${name}`))
  return `Seccomp ${field(status, 'Seccomp')}, NoNewPrivs ${field(status, 'NoNewPrivs')}, own [${own}]`
}
";

fn program(main: &str, files: &[(&str, &str)]) -> TempDir {
    let main = format!("const {{ app, BrowserWindow, ipcMain, MessageChannelMain }} = require('electron')\n{FACTS}\n{main}");
    let page = ("page.html", "<!doctype html><title>page</title>");
    folder(&[&[("main.js", main.as_str()), page], files].concat())
}

const SANDBOXED: &str = "Seccomp 2, NoNewPrivs 1, own [mnt,pid,net,uts]";

fn who_has_it() -> Outcome {
    let folder = program(
        r"
        app.whenReady().then(async () => {
          console.log(`main: ${facts(process.pid)}`)
          const windows = { default: {}, explicit: { sandbox: true }, both: { sandbox: true, nodeIntegration: true }, integrated: { nodeIntegration: true }, off: { sandbox: false } }
          for (const [name, webPreferences] of Object.entries(windows)) {
            const window = new BrowserWindow({ show: false, webPreferences: { ...webPreferences, contextIsolation: true, preload: `${__dirname}/preload.js` } })
            const told = new Promise((resolve) => ipcMain.once('told', (_event, ...told) => resolve(told)))
            await window.loadFile('page.html')
            const pid = window.webContents.getOSProcessId()
            const [inside, says] = await told
            const metrics = app.getAppMetrics().find((process) => process.pid === pid)
            console.log(`${name}: ${facts(pid)}; ${says}, ${inside === pid}, ${metrics?.type}`)
          }
          console.log('launchers:', app.getAppMetrics().filter((process) => process.name === 'bwrap').length)
          app.quit()
        })",
        &[("preload.js", "require('electron').ipcRenderer.send('told', process.pid, process.sandboxed)")],
    );
    let mut program = Running::start(run(folder.path()));
    let status = program.end();
    let facts = |name: &str| program.output().lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
    // Where main itself runs in a container it may have a filter, and so have its children.
    let main = facts("main").unwrap_or_else(|| panic!("{}", program.report()));
    for name in ["default", "explicit", "both"] {
        assert_eq!(facts(name), Some(format!("{SANDBOXED}; true, true, Tab")), "{name}; {}", program.report());
    }
    for name in ["integrated", "off"] {
        assert_eq!(facts(name), Some(format!("{main}; false, true, Tab")), "{name}; {}", program.report());
    }
    program.expect("launchers: 0");
    assert_eq!(program.count("sandbox:"), 0, "{}", program.report());
    assert!(status.success(), "{}", program.report());
    Ok(())
}

/// The mounts of a process that it can write to.
fn writable(pid: &str) -> Vec<String> {
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).expect("the process's mounts");
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    fields.filter(|fields| fields[5].split(',').any(|option| option == "rw")).map(|fields| fields[4].to_owned()).collect()
}

fn reach() -> Outcome {
    let home = folder(&[("secret", "s"), (".cache/program/secret", "s"), (".config/secret", "s"), (".local/share/secret", "s")]);
    let folder = program(
        r"
        app.whenReady().then(async () => {
          for (const sandbox of [true, false]) {
            const window = new BrowserWindow({ show: false, webPreferences: { sandbox, preload: `${__dirname}/preload.js` } })
            await window.loadFile('page.html')
            console.log(`sandbox ${sandbox}: ${window.webContents.getOSProcessId()}`)
            console.log('preload:', await window.webContents.executeJavaScript('read'))
          }
          process.stdin.on('end', () => app.quit()).resume()
        })",
        &[(
            "preload.js",
            "let read; try { read = require('fs').readFileSync(__filename, 'utf8').length > 0 } catch (error) { read = error.code }\n\
             require('electron').contextBridge.exposeInMainWorld('read', read)",
        )],
    );
    let mut command = run(folder.path());
    command.env("HOME", home.path()).env_remove("XDG_CACHE_HOME").env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
    let mut program = Running::start(command);
    let mut pid = |name: &str| program.expect(&format!("sandbox {name}: ")).rsplit(' ').next().unwrap_or_default().to_owned();
    let (inside, outside) = (pid("true"), pid("false"));
    program.expect_in_order(&["preload: MODULE_NOT_FOUND", "preload: true"]);
    let secrets = ["secret", ".cache/program/secret", ".config/secret", ".local/share/secret"].map(|name| home.path().join(name));
    let script = folder.path().join("main.js");
    for path in secrets.iter().chain([&script]) {
        let sees = |pid: &str| Path::new(&format!("/proc/{pid}/root{}", path.display())).exists();
        assert!(sees(&outside), "the check is worth nothing: {} is not even there", path.display());
        assert!(!sees(&inside), "a sandboxed process sees {}", path.display());
    }
    // The agent and the socket can be read, and what is writable of the user's is for WebKit's keys of media alone.
    let ours = home.path().display().to_string();
    let writable: Vec<String> = writable(&inside).into_iter().filter(|path| path.starts_with(&ours)).collect();
    assert!(writable.iter().all(|path| path.contains("/mediakeys/")), "a sandboxed process may write to {writable:?}");
    Ok(())
}

fn preloads() -> Outcome {
    let folder = program(
        r"
        app.on('window-all-closed', () => {})
        app.whenReady().then(async () => {
          const window = new BrowserWindow({ show: false, webPreferences: { preload: `${__dirname}/preload.js` } })
          window.webContents.on('preload-error', (_event, path, error) => console.log(`error: ${path.slice(path.lastIndexOf('/') + 1)}: ${error.message}`))
          ipcMain.on('told', (_event, line) => console.log(line))
          const load = async (text) => {
            if (text === undefined) fs.rmSync(`${__dirname}/preload.js`)
            else fs.writeFileSync(`${__dirname}/preload.js`, text)
            await window.loadFile('page.html')
          }
          await load(fs.readFileSync(`${__dirname}/preload.js`, 'utf8'))
          await load(`require('electron').ipcRenderer.send('told', 'changed')`)
          await load(`require('./helper.js')`)
          await load(`\n\nthrow new Error('on line 3')`)
          await load(undefined)
          const module = new BrowserWindow({ show: false, webPreferences: { preload: `${__dirname}/module.mjs` } })
          module.webContents.on('preload-error', (_event, _path, error) => console.log(`error: module.mjs: ${error.message}`))
          await module.loadFile('page.html')
          app.quit()
        })",
        &[
            (
                "preload.js",
                "const names = ['electron', 'electron/renderer', 'electron/common', 'events', 'node:events', 'timers', 'node:timers', 'url', 'node:url', \
                 'fs', 'path', 'buffer', 'process', 'os', 'child_process', 'nothing']\n\
                 const has = (name) => { try { return typeof require(name) } catch (error) { return error.code } }\n\
                 require('electron').ipcRenderer.send('told', names.map((name) => `${name} ${has(name)}`).join(', '))\n\
                 const globals = { Buffer, process, setImmediate, clearImmediate }\n\
                 require('electron').ipcRenderer.send('told', Object.entries(globals).map(([name, value]) => `${name} ${typeof value}`).join(', '))",
            ),
            ("helper.js", "module.exports = 1"),
            (
                "module.mjs",
                "import { ipcRenderer } from 'electron'\nimport { EventEmitter } from 'node:events'\n\
                 ipcRenderer.send('told', `module: ${typeof EventEmitter}`)\nawait import('./helper.js')",
            ),
        ],
    );
    let mut program = Running::start(run(folder.path()));
    let status = program.end();
    let told = "a sandboxed preload has electron, events, timers, url (docs/node-modules.md); for other modules, set webPreferences.sandbox to false";
    program.expect_in_order(&[
        "electron object, electron/renderer object, electron/common object, events function, node:events function, timers object, \
         node:timers object, url object, node:url object, fs MODULE_NOT_FOUND, path MODULE_NOT_FOUND, buffer MODULE_NOT_FOUND, \
         process MODULE_NOT_FOUND, os MODULE_NOT_FOUND, child_process MODULE_NOT_FOUND, nothing MODULE_NOT_FOUND",
        "Buffer function, process object, setImmediate function, clearImmediate function",
        "changed",
        &format!("error: preload.js: Cannot find module './helper.js': {told}"),
        "error: preload.js: on line 3",
        "error: preload.js: Cannot read",
    ]);
    program.expect("No such file or directory (os error 2)");
    program.expect("module: function");
    program.expect(&format!("error: module.mjs: Cannot find module './helper.js': {told}"));
    assert!(status.success(), "{}", program.report());
    Ok(())
}

/// A page that echoes on a port of main's, one that opens a popup with a port, and the two kinds of workers that pages share.
const MIXED: &str = r"
const { ipcRenderer } = require('electron')
ipcRenderer.on('port', (event) => {
  const [port] = event.ports
  port.onmessage = ({ data, ports }) => {
    if (ports.length > 0) ports[0].postMessage(`through ${data}`)
    else port.postMessage({ ...data, by: process.sandboxed })
  }
})
ipcRenderer.on('ask', (event, message) => {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = ({ data }) => ipcRenderer.send('answered', `${process.sandboxed} heard ${data}`)
  const [port] = event.ports
  port.onmessage = ({ data }) => { ipcRenderer.send('answered', `${data.bytes.byteLength} ${data.by}`); port.postMessage('a port', [port2]) }
  port.postMessage({ bytes: new Uint8Array(message) })
})
";

fn mixed() -> Outcome {
    let server = Server::start(|request| {
        let text = match request.path.as_str() {
            "/page" => "<!doctype html><title>page</title>",
            "/shared.js" => {
                "onconnect = ({ ports: [port] }) => { port.onmessage = ({ data, ports }) => { ports[0].postMessage(`shared worker got ${data}`) } }"
            }
            "/service.js" => {
                "onactivate = (event) => event.waitUntil(clients.claim())\n\
                 onmessage = ({ data, ports }) => ports[0].postMessage(`service worker got ${data}`)"
            }
            _ => return None,
        };
        let kind = if request.path.ends_with(".js") { "text/javascript" } else { "text/html" };
        Some((kind, text.to_owned()))
    });
    let main = r"
        app.on('window-all-closed', () => {})
        const ORIGIN = 'SERVER'
        app.whenReady().then(async () => {
          const preload = `${__dirname}/preload.js`
          const open = async (sandbox, first) => {
            const window = new BrowserWindow({ show: false, webPreferences: { sandbox, preload, contextIsolation: true } })
            await window.loadURL(`${ORIGIN}/page`)
            return window
          }
          const windows = [await open(true), await open(false)]
          for (const [from, to] of [windows, [...windows].reverse()]) {
            const { port1, port2 } = new MessageChannelMain()
            const answers = []
            const done = new Promise((resolve) => {
              const hear = (_event, answer) => { if (answers.push(answer) === 2) { ipcMain.off('answered', hear); resolve() } }
              ipcMain.on('answered', hear)
            })
            to.webContents.postMessage('port', null, [port1])
            from.webContents.postMessage('ask', 300_000, [port2])
            await done
            console.log(`ports: ${answers.join(', ')}`)
          }
          for (const [index, window] of windows.entries()) {
            const created = new Promise((resolve) => window.webContents.once('did-create-window', resolve))
            const opened = window.webContents.executeJavaScript(`(() => { const popup = open('${ORIGIN}/page'); return popup !== null })()`)
            const popup = await created
            console.log(`popup ${index}: ${await opened} ${popup.webContents.getOSProcessId() === window.webContents.getOSProcessId()} ${facts(popup.webContents.getOSProcessId())}`)
            popup.destroy()
          }
          const ask = (target) => `new Promise((resolve) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = ({ data }) => resolve(data); ${target}.postMessage('a port', [port2]) })`
          for (const window of windows) {
            console.log(await window.webContents.executeJavaScript(`(() => { const { port } = new SharedWorker('/shared.js'); port.start(); return ${ask('port')} })()`))
          }
          for (const window of windows) {
            console.log(await window.webContents.executeJavaScript(`(async () => {
              const registration = await navigator.serviceWorker.register('/service.js')
              const { active } = await navigator.serviceWorker.ready
              return ${ask('active')}
            })()`))
          }
          await windows[0].webContents.executeJavaScript(`localStorage.setItem('shared', 'storage')`)
          console.log('the other window sees', await windows[1].webContents.executeJavaScript(`new Promise((resolve) => {
            const look = () => { const value = localStorage.getItem('shared'); if (value !== null) resolve(value) }
            addEventListener('storage', look)
            look()
          })`))
          console.log('network processes:', app.getAppMetrics().filter((process) => process.serviceName === 'network.mojom.NetworkService' || process.name === 'Network Service').length)
          app.quit()
        })"
        .replace("SERVER", &server.origin());
    let folder = program(&main, &[("preload.js", MIXED)]);
    let mut program = Running::start(run(folder.path()));
    let status = program.end();
    program.expect_in_order(&[
        "ports: 300000 false, true heard through a port",
        "ports: 300000 true, false heard through a port",
        &format!("popup 0: true true {SANDBOXED}"),
        "popup 1: true true ",
        "shared worker got a port",
        "shared worker got a port",
        "service worker got a port",
        "service worker got a port",
        "the other window sees storage",
        "network processes: 1",
    ]);
    assert_eq!(program.count(SANDBOXED), 1, "{}", program.report());
    assert!(status.success(), "{}", program.report());
    Ok(())
}

fn killed() -> Outcome {
    let folder = program(
        r"
        const parent = (pid) => Number(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')[1])
        app.on('window-all-closed', () => {})
        app.whenReady().then(async () => {
          const window = new BrowserWindow({ show: false, webPreferences: { sandbox: true, preload: `${__dirname}/preload.js` } })
          const victims = { process: (pid) => pid, launcher: parent }
          for (const [name, victim] of Object.entries(victims)) {
            await window.loadFile('page.html')
            const pid = window.webContents.getOSProcessId()
            const { port1, port2 } = new MessageChannelMain()
            port1.start()
            const closed = new Promise((resolve) => port1.on('close', (event) => resolve(event?.reason)))
            const gone = new Promise((resolve) => window.webContents.once('render-process-gone', (_event, details) => resolve(details.reason)))
            window.webContents.postMessage('port', null, [port2])
            await new Promise((resolve) => port1.once('message', resolve))
            process.kill(victim(pid), 'SIGKILL')
            console.log(`${name}: closed ${await closed}, gone ${await gone}`)
          }
          await window.loadFile('page.html')
          process.kill(parent(parent(window.webContents.getOSProcessId())), 'SIGKILL')
          console.log(`without its outer launcher: ${await window.webContents.executeJavaScript('document.title')}`)
          window.webContents.forcefullyCrashRenderer()
          const reason = await new Promise((resolve) => window.webContents.once('render-process-gone', (_event, details) => resolve(details.reason)))
          console.log(`by the program: ${reason}`)
          const loaded = new Promise((resolve) => window.webContents.once('did-finish-load', resolve))
          window.webContents.reload()
          await loaded
          console.log(`again: ${facts(window.webContents.getOSProcessId())}`)
          app.quit()
        })",
        &[(
            "preload.js",
            "require('electron').ipcRenderer.on('port', ({ ports: [port] }) => { globalThis.port = port; port.postMessage('here') })",
        )],
    );
    let mut program = Running::start(run(folder.path()));
    let status = program.end();
    program.expect_in_order(&[
        "process: closed crashed, gone crashed",
        "launcher: closed crashed, gone crashed",
        "without its outer launcher: page",
        "by the program: killed",
        &format!("again: {SANDBOXED}"),
    ]);
    assert!(status.success(), "{}", program.report());
    Ok(())
}

const UNAVAILABLE: &str = r"
let present
ipcMain.on('told', (_event, told) => console.log(`${present}: ${told}`))
app.on('window-all-closed', () => {})
app.whenReady().then(async () => {
  const windows = { default: {}, 'another default': {}, explicit: { sandbox: true }, off: { sandbox: false } }
  for (const [name, webPreferences] of Object.entries(windows)) {
    const window = new BrowserWindow({ show: false, webPreferences: { ...webPreferences, preload: `${__dirname}/preload.js` } })
    window.webContents.on('did-fail-load', (_event, code, description) => console.log(`${name}: did-fail-load ${code} ${description}`))
    present = name
    await window.loadFile('page.html').then(() => console.log(`${name}: loaded`), (error) => console.log(`${name}: ${error.message}`))
  }
  app.quit()
})";
const HAS_FS: &str =
    "let has; try { has = typeof require('fs') } catch (error) { has = error.code }\nrequire('electron').ipcRenderer.send('told', has)";

/// A command in whose processes `/usr/bin/bwrap` is a program that fails: bubblewrap itself mounts that in its place.
fn without_bubblewrap(arguments: &[&str], path: &Path) -> Command {
    let mut command = Command::new("bwrap");
    command.args(["--dev-bind", "/", "/", "--ro-bind", "/bin/false", "/usr/bin/bwrap", "--die-with-parent"]);
    command.arg(strait()).arg("run").args(arguments).arg(path);
    command
}

fn unavailable() -> Outcome {
    let folder = program(UNAVAILABLE, &[("preload.js", HAS_FS)]);
    let mut program = Running::start(without_bubblewrap(&[], folder.path()));
    let status = program.end();
    program.expect_in_order(&[
        // What a preload may do does not depend on the machine.
        "default: MODULE_NOT_FOUND",
        "default: loaded",
        "another default: loaded",
        "explicit: did-fail-load -2 ERR_SANDBOX_UNAVAILABLE",
        "explicit: ERR_SANDBOX_UNAVAILABLE (-2) loading 'file:///",
        "off: object",
        "off: loaded",
    ]);
    let warning = "strait: windows run without the operating system's sandbox: /usr/bin/bwrap failed: exit status: 1; make it available, or start \
                   the program with --no-sandbox to run without it and without this warning";
    assert_eq!((program.count(warning), program.count("windows run without")), (1, 1), "{}", program.report());
    let failed = program.expect("explicit: ERR_SANDBOX_UNAVAILABLE");
    for part in ["webPreferences.sandbox is true", "/usr/bin/bwrap failed: exit status: 1", "--no-sandbox"] {
        assert!(failed.contains(part), "{failed}");
    }
    assert!(status.success(), "{}", program.report());
    Ok(())
}

fn left_out() -> Outcome {
    let folder = program(UNAVAILABLE, &[("preload.js", HAS_FS)]);
    // Before the path it is the command's, behind `--` the program's own.
    let mut own = without_bubblewrap(&[], folder.path());
    own.args(["--", "--no-sandbox"]);
    for command in [without_bubblewrap(&["--no-sandbox"], folder.path()), own] {
        let mut program = Running::start(command);
        let status = program.end();
        program.expect_in_order(&["default: loaded", "another default: loaded", "explicit: loaded", "off: loaded"]);
        assert_eq!((program.count("without the operating"), program.count("did-fail-load")), (0, 0), "{}", program.report());
        assert!(status.success(), "{}", program.report());
    }
    Ok(())
}

fn inspected() -> Outcome {
    let folder = program(
        r"
        app.whenReady().then(async () => {
          const window = new BrowserWindow({ show: false, webPreferences: { sandbox: true, preload: `${__dirname}/preload.js` } })
          await window.loadFile('page.html')
          console.log(`process: ${window.webContents.getOSProcessId()}`)
          app.quit()
        })",
        &[("preload.js", "globalThis.channel = new MessageChannel(); channel.port1.onmessage = () => {}; channel.port2.postMessage(1)")],
    );
    let file = folder.path().join("ports.jsonl");
    let mut command = run(folder.path());
    command.arg(format!("--inspect-ports={}", file.display()));
    let mut program = Running::start(command);
    let status = program.end();
    let pid = program.expect("process: ").rsplit(' ').next().unwrap_or_default().to_owned();
    let events = fs::read_to_string(&file).expect("the events of ports");
    let of_page = |line: &&str| line.contains(r#""who":"renderer""#) && line.contains(&format!(r#""pid":{pid},"#));
    assert!(events.lines().any(|line| of_page(&line)), "nothing of process {pid}: {events}");
    assert!(status.success(), "{}", program.report());
    Ok(())
}
