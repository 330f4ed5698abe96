//! Programs of ES modules, run by Node as they are and by Node with our linker: they print the same.

use std::{collections::HashMap, fs, path::Path, process::Command};

use serde_json::json;
use strait_modules::{CommonJs, commonjs, module};

fn run(arguments: &[&Path]) -> Option<String> {
    let node = Command::new("node").arg("--no-warnings").args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&node.stdout).into_owned() + &String::from_utf8_lossy(&node.stderr))
}

#[test]
fn programs_do_what_they_do_in_node() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = tempfile::tempdir().expect("there is room");
    let root = place.path().canonicalize().expect("it exists");
    let corpus = fs::read_to_string(here.join("tests/link/corpus.txt")).expect("it is there");
    let (mut texts, mut programs) = (HashMap::new(), Vec::new());
    for section in corpus.split("--- ").skip(1) {
        let (name, body) = section.split_once('\n').expect("a name stands on its line");
        let file = root.join(name);
        fs::create_dir_all(file.parent().expect("it has a folder")).expect("it can be made");
        fs::write(&file, body).expect("it can be written");
        if name.ends_with("main.mjs") {
            programs.push(file.clone());
        }
        let (names, from) = CommonJs::names(body);
        let script = commonjs(body);
        texts.insert(
            file,
            json!({
                "module": module(body, &[]).unwrap_or_else(|error| format!("throw new SyntaxError({})", json!(error.message))),
                "commonjs": script.source,
                "import": script.import,
                "names": { "names": names, "from": from },
            }),
        );
    }
    let texts_file = root.join("texts.json");
    fs::write(&texts_file, json!(texts).to_string()).expect("it can be written");
    let mut wrong = String::new();
    for program in &programs {
        let Some(native) = run(&[&here.join("tests/link/native.mjs"), program]) else {
            eprintln!("Node is not here: skipped");
            return;
        };
        let ours = run(&[&here.join("tests/link/runner.cjs"), &here.join("js/es-modules.js"), &texts_file, program]).expect("Node is here");
        if ours != native {
            wrong.push_str(&format!("{}\n--- node\n{native}--- ours\n{ours}\n", program.strip_prefix(&root).unwrap_or(program).display()));
        }
    }
    assert!(programs.len() > 10, "{} programs", programs.len());
    assert!(wrong.is_empty(), "{wrong}");
}
