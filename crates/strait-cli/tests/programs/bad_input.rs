//! Bad input gets a clear message with the path or value in it, and an end; nothing hangs.

use crate::display::Display;
use crate::program::{Running, describe, folder, run, strait};
use crate::{Outcome, Test, test};

/// What a bad program must lead to.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    code: i32,
    /// All of these stand in the output. `{}` is the program's folder.
    says: &'static [&'static str],
}

const MANIFEST: &str = r#"{ "name": "bad", "main": "main.js" }"#;

/// Opens a window with the preload script that is named, then reports and quits.
const WITH_PRELOAD: &str = "\
const { app, BrowserWindow } = require('electron')
const path = require('path')
app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { preload: path.join(__dirname, 'preload.js') } })
  window.webContents.on('preload-error', (event, path, error) => console.log('preload-error: ' + path))
  await window.loadFile('index.html')
  console.log('loaded all the same')
  setTimeout(() => app.quit(), 300)
})
";

const CASES: &[Case] = &[
    Case { name: "an empty folder", files: &[], code: 1, says: &["{}"] },
    Case { name: "a manifest whose main is missing", files: &[("package.json", MANIFEST)], code: 1, says: &["{}/main.js"] },
    Case { name: "a manifest without main, and no index.js", files: &[("package.json", r#"{ "name": "bad" }"#)], code: 1, says: &["{}"] },
    Case {
        name: "a manifest whose main is no text",
        files: &[("package.json", r#"{ "name": "bad", "main": 7 }"#)],
        code: 1,
        says: &["{}/package.json", "main"],
    },
    Case { name: "a manifest that is no JSON", files: &[("package.json", "{ main: }")], code: 1, says: &["{}/package.json"] },
    Case {
        name: "a syntax error in main",
        files: &[("package.json", MANIFEST), ("main.js", "const fine = 1\nconst also = 2\nconst wrong = = 3\n")],
        code: 1,
        says: &["SyntaxError", "main.js:3"],
    },
    Case {
        name: "a syntax error in a required file",
        files: &[("package.json", MANIFEST), ("main.js", "require('./other.js')\n"), ("other.js", "\nlet let = 1 +\n")],
        code: 1,
        says: &["SyntaxError", "other.js"],
    },
    Case {
        name: "an error in main",
        files: &[("package.json", MANIFEST), ("main.js", "const f = () => {\n  throw new Error('on purpose')\n}\nf()\n")],
        code: 1,
        says: &["Error: on purpose", "main.js:2", "main.js:4"],
    },
    Case {
        name: "an error in a timer",
        files: &[("package.json", MANIFEST), ("main.js", "setTimeout(() => {\n  throw new Error('later')\n}, 1)\n")],
        code: 1,
        says: &["Error: later", "main.js:2"],
    },
    Case {
        name: "a rejection nobody handles",
        files: &[("package.json", MANIFEST), ("main.js", "const f = async () => {\n  throw new Error('rejected')\n}\nf()\n")],
        code: 1,
        says: &["Error: rejected", "main.js:2"],
    },
    Case {
        name: "an unknown module",
        files: &[("package.json", MANIFEST), ("main.js", "require('left-pad')\n")],
        code: 1,
        says: &["left-pad", "main.js:1"],
    },
    Case {
        name: "a syntax error in the preload",
        files: &[
            ("package.json", MANIFEST),
            ("main.js", WITH_PRELOAD),
            ("index.html", "<p>page</p>"),
            ("preload.js", "const fine = 1\nconst wrong = = 2\n"),
        ],
        code: 0,
        says: &["SyntaxError", "{}/preload.js", "preload.js:2", "loaded all the same"],
    },
    Case {
        name: "a preload that throws",
        files: &[
            ("package.json", MANIFEST),
            ("main.js", WITH_PRELOAD),
            ("index.html", "<p>page</p>"),
            ("preload.js", "\n\nthrow new Error('in the preload')\n"),
        ],
        code: 0,
        says: &["in the preload", "preload.js:3", "loaded all the same"],
    },
    Case {
        name: "a preload that does not exist",
        files: &[("package.json", MANIFEST), ("main.js", WITH_PRELOAD), ("index.html", "<p>page</p>")],
        code: 0,
        says: &["{}/preload.js", "loaded all the same"],
    },
    Case {
        name: "loading a file that does not exist",
        files: &[
            ("package.json", MANIFEST),
            (
                "main.js",
                "const { app, BrowserWindow } = require('electron')\n\
                 app.whenReady().then(async () => {\n\
                   const window = new BrowserWindow({ show: false })\n\
                   window.webContents.on('did-fail-load', (event, code, text, url) => console.log('did-fail-load: ' + url))\n\
                   await window.loadFile('nowhere.html').catch(error => console.log('rejected: ' + error.message))\n\
                   setTimeout(() => app.quit(), 100)\n\
                 })\n",
            ),
        ],
        code: 0,
        says: &["did-fail-load: file://{}/nowhere.html", "rejected: ", "nowhere.html"],
    },
    Case {
        name: "an exit code of the program's own",
        files: &[("package.json", MANIFEST), ("main.js", "require('electron').app.exit(7)\n")],
        code: 7,
        says: &[],
    },
];

pub(crate) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = CASES.iter().map(|case| test(format!("bad input: {}", case.name), || bad_program(case))).collect();
    tests.push(test("bad input: a folder that does not exist", missing_folder));
    tests.push(test("bad input: no display", no_display));
    tests.push(test("bad input: no arguments", no_arguments));
    tests
}

fn bad_program(case: &Case) -> Outcome {
    let folder = folder(case.files);
    let mut program = Running::start(run(folder.path()));
    let status = program.end();
    assert_eq!(status.code(), Some(case.code), "ended with {}; {}", describe(status), program.report());
    for text in case.says {
        let text = text.replace("{}", &folder.path().to_string_lossy());
        assert!(program.output().contains(&text), "does not say {text:?}; {}", program.report());
    }
    Ok(())
}

fn missing_folder() -> Outcome {
    let mut program = Running::start(run("/no/such/program".as_ref()));
    assert_eq!(program.end().code(), Some(1), "{}", program.report());
    assert!(program.output().contains("/no/such/program"), "{}", program.report());
    Ok(())
}

fn no_display() -> Outcome {
    let folder = folder(&[("package.json", MANIFEST), ("main.js", "require('electron').app.whenReady()\n")]);
    let mut command = run(folder.path());
    Display::take_from(&mut command);
    let mut program = Running::start_bare(command);
    let status = program.end();
    assert_eq!(status.code(), Some(1), "ended with {}; {}", describe(status), program.report());
    let output = program.output();
    assert!(output.contains("DISPLAY") && output.contains("xvfb-run"), "does not say how to get a display; {}", program.report());
    Ok(())
}

fn no_arguments() -> Outcome {
    let mut program = Running::start(std::process::Command::new(strait()));
    let status = program.end();
    assert_eq!(status.code(), Some(2), "{}", program.report());
    assert!(program.output().contains("Usage"), "{}", program.report());
    Ok(())
}
