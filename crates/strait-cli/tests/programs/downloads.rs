//! Downloads that pages start are cancelled, whatever starts them.

use std::fs;
use std::path::Path;

use crate::http::Server;
use crate::program::{Running, folder, run};
use crate::{Outcome, Test, test};

/// One window for each way to start a download.
const MAIN: &str = r#"
const { app, BrowserWindow } = require('electron')
app.on('window-all-closed', () => {})
const server = process.env.TEST_SERVER
const ways = {
  link: '<a id="a" href="SERVER/link" download="link.bin">x</a><script>a.click()</script>',
  disposition: '<script>location.href = "SERVER/disposition"</script>',
  blob: '<a id="a" download="blob.bin">x</a><script>a.href = URL.createObjectURL(new Blob(["text"])); a.click()</script>',
  data: '<a id="a" href="data:application/octet-stream,text" download="data.bin">x</a><script>a.click()</script>',
  frame: '<iframe src="SERVER/frame-disposition"></iframe>',
  popup: '<script>open("SERVER/popup-disposition")</script>',
  again: '<a id="a" href="SERVER/again" download="again.bin">x</a><script>a.click(); a.click()</script>'
}
app.whenReady().then(async () => {
  for (const html of Object.values(ways)) {
    const window = new BrowserWindow({ show: false })
    await window.loadURL(`${server}/page?${encodeURIComponent(html.replaceAll('SERVER', server))}`)
  }
  console.log('all started')
})
"#;

pub(crate) fn tests() -> Vec<Test> {
    vec![test("downloads are cancelled with one warning for each window", cancelled)]
}

fn cancelled() -> Outcome {
    let server = Server::start(|request| match request.path.strip_prefix("/page?") {
        Some(html) => Some(("text/html", percent_decoded(html))),
        // The header goes with the type: the server has no other way to say more.
        None if request.path.contains("disposition") => {
            Some(("text/plain\r\nContent-Disposition: attachment; filename=got.bin", "text".into()))
        }
        None => Some(("application/octet-stream", "text".into())),
    });
    let program = folder(&[("main.js", MAIN)]);
    let home = folder(&[]);
    let mut command = run(&program.path().join("main.js"));
    command.current_dir(home.path()).env("HOME", home.path()).env("TEST_SERVER", server.origin());
    for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_DOWNLOAD_DIR"] {
        command.env_remove(name);
    }
    let mut running = Running::start(command);
    running.expect("all started");
    for (window, url) in [
        (1, format!("{}/link", server.origin())),
        (2, format!("{}/disposition", server.origin())),
        (3, format!("blob:{}/", server.origin())),
        (4, "data:application/octet-stream,text".into()),
        (5, format!("{}/frame-disposition", server.origin())),
        (7, format!("{}/popup-disposition", server.origin())),
        (8, format!("{}/again", server.origin())),
    ] {
        running.expect(&format!("[window {window} warning] download cancelled, as are later ones of this window: {url}"));
    }
    assert_eq!(running.count("download cancelled"), 7, "{}", running.report());
    let files = files(home.path());
    let downloaded: Vec<&String> = files.iter().filter(|file| file.ends_with(".bin") || file.contains("text")).collect();
    assert!(downloaded.is_empty(), "{files:?}");
    Ok(())
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files(&path),
            path => vec![path.display().to_string()],
        })
        .collect()
}

/// A component of a URL, decoded.
fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let pair =
            (byte == b'%').then(|| [bytes.next(), bytes.next()].map(|digit| (digit.unwrap_or(b'0') as char).to_digit(16).unwrap_or(0)));
        decoded.push(pair.map_or(byte, |[high, low]| (high * 16 + low) as u8));
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
