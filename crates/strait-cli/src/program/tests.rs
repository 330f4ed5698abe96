//! Tests of finding the program, and of the errors if there is none.

use std::{fs, path::Path};

use super::Program;

/// Files of a folder, and the entry found there or parts of the error's text; `{}` stands for the
/// folder.
type Case<'a> = (&'a [(&'a str, &'a str)], Result<&'a str, &'a [&'a str]>);

const CASES: &[Case<'_>] = &[
    (&[("main.js", "")], Ok("main.js")),
    (&[("index.js", "")], Ok("index.js")),
    (&[("main.js", ""), ("index.js", "")], Ok("main.js")),
    (&[("package.json", "{}"), ("index.js", "")], Ok("index.js")),
    (&[("package.json", r#"{ "main": "" }"#), ("main.js", "")], Ok("main.js")),
    (&[("package.json", r#"{ "main": "app" }"#), ("app.js", "")], Ok("app.js")),
    (&[("package.json", r#"{ "main": "src/app.js" }"#), ("src/app.js", "")], Ok("src/app.js")),
    (&[("package.json", r#"{ "main": "src" }"#), ("src/index.js", "")], Ok("src/index.js")),
    (&[("package.json", "\u{feff}{ \"main\": \"main.js\" }"), ("main.js", "")], Ok("main.js")),
    (&[], Err(&["{}", "package.json, main.js or index.js", "create main.js"])),
    (&[("package.json", "{}")], Err(&["{}", "main.js or index.js"])),
    (
        &[("package.json", r#"{ "main": "gone.js" }"#), ("main.js", "")],
        Err(&["{}/package.json", "\"gone.js\"", "{}/gone.js does not exist"]),
    ),
    (&[("package.json", r#"{ "main": 7 }"#), ("main.js", "")], Err(&["{}/package.json", "\"main\" must be a string, not a number"])),
    (&[("package.json", "[]"), ("main.js", "")], Err(&["{}/package.json", "must be an object, not an array"])),
    (&[("package.json", "{\n  main: 1 }"), ("main.js", "")], Err(&["{}/package.json:2:3: not valid JSON"])),
    (&[("package.json/x", "")], Err(&["can't read {}/package.json"])),
];

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
}

#[test]
fn folders() {
    for (files, expected) in CASES {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = fs::canonicalize(folder.path()).expect("it exists");
        write(&root, files);
        match (Program::locate(&root), expected) {
            (Ok(program), Ok(main)) => assert_eq!((program.main, program.root), (root.join(main), root.clone()), "{files:?}"),
            (Err(error), Err(parts)) => {
                for part in *parts {
                    let part = part.replace("{}", &root.to_string_lossy());
                    assert!(error.to_string().contains(&part), "{files:?}: {error} does not say {part}");
                }
            }
            (found, _) => panic!("{files:?}: {found:?}"),
        }
    }
}

#[test]
fn names_and_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = r#"{ "name": "short", "productName": "Long Name", "version": "1.2.3", "main": "main.js" }"#;
    write(folder.path(), &[("package.json", manifest), ("main.js", ""), ("other.js", ""), ("notes.txt", "")]);
    let program = Program::locate(folder.path()).expect("it is there");
    assert_eq!((program.name.as_str(), program.version.as_str()), ("Long Name", "1.2.3"));
    let script = Program::locate(&folder.path().join("other.js")).expect("a script is a program");
    assert_eq!((script.name.as_str(), script.main.file_name()), ("other", Some("other.js".as_ref())));
    let text = |path: &Path| Program::locate(path).expect_err("no program").to_string();
    assert!(text(&folder.path().join("notes.txt")).contains("notes.txt is no .js, .mjs or .cjs file"));
    assert!(text(Path::new("/no/such/folder")).contains("can't open /no/such/folder"));
}
