//! Generated module texts, with imports in every syntactic position: run by Node as ES modules and, transformed, by Node with our linker, they do the same.

use std::{collections::HashMap, fs, path::Path, process::Command, thread};

use serde_json::{Value, json};
use strait_modules::module;

fn node(arguments: &[&Path]) -> String {
    let node =
        Command::new("node").arg("--no-warnings").args(arguments).output().expect("node is in PATH (`cargo xtask setup` installs it)");
    assert!(node.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&node.stderr));
    String::from_utf8_lossy(&node.stdout).into_owned()
}

fn lines(output: &str) -> Vec<String> {
    serde_json::from_str(output).expect("a list of texts")
}

#[test]
fn imports_mean_the_same_in_every_position() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scripts = here.join("tests/positions");
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path().canonicalize().expect("it exists");
    node(&[&scripts.join("generate.cjs"), &folder]);

    let cases: Vec<Value> = serde_json::from_slice(&fs::read(folder.join("cases.json")).expect("read the cases")).expect("a list");
    let library = fs::read_to_string(folder.join("library.mjs")).expect("read the library");
    let mut texts = HashMap::from([(folder.join("library.mjs"), library)]);
    for case in &cases {
        texts.insert(folder.join(case["file"].as_str().expect("a name")), case["text"].as_str().expect("a text").to_owned());
    }
    let transformed: HashMap<_, _> = texts
        .iter()
        .map(|(file, text)| {
            (
                file,
                json!({ "module": module(text, &[]).unwrap_or_else(|error| format!("throw new SyntaxError({})", json!(error.message))) }),
            )
        })
        .collect();
    let texts_file = folder.join("texts.json");
    fs::write(&texts_file, json!(transformed).to_string()).expect("write the texts");

    let (native, ours) = thread::scope(|scope| {
        let native = scope.spawn(|| lines(&node(&[&scripts.join("native.cjs"), &folder])));
        let ours = lines(&node(&[&scripts.join("ours.cjs"), &folder, &here.join("js/es-modules.js"), &texts_file]));
        (native.join().expect("Node runs the cases"), ours)
    });
    assert_eq!((native.len(), ours.len()), (cases.len(), cases.len()));
    let wrong: Vec<String> = cases
        .iter()
        .zip(native.iter().zip(&ours))
        .filter(|(_, (native, ours))| native != ours)
        .map(|(case, (native, ours))| format!("{}\n  in Node: {native}\n  ours:    {ours}\n", case["text"].as_str().unwrap_or_default()))
        .collect();
    let refused = native.iter().filter(|line| line.starts_with("ended by SyntaxError")).count();
    println!("{} cases, {refused} of them syntax errors", cases.len());
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong[..wrong.len().min(40)].concat());
    assert!(cases.len() > 4000 && refused < cases.len() / 6, "{} cases, {refused} of them syntax errors", cases.len());
}
