//! Names in a corpus of folders, resolved as Node does.
//!
//! `resolve/expected.txt` is what Node says (`resolve/oracle.mjs`), and with Node present a test holds it to that: `STRAIT_BLESS=1` writes it anew.
//! `resolve/differs.txt` lists where we differ, and what we say.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use strait_modules::{Kind, Resolved, Resolver, url_of_path};

const BUILTINS: [&str; 3] = ["fs", "fs/promises", "path"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/resolve")
}

/// Writes the corpus into a temporary folder.
fn corpus() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("there is room");
    let root = place.path().canonicalize().expect("it exists");
    let text = fs::read_to_string(folder().join("corpus.txt")).expect("it is there");
    for section in text.split("--- ").skip(1) {
        let (name, body) = section.split_once('\n').expect("a name stands on its line");
        let body = match body.trim() {
            "@c" => "module.exports = __filename\n".into(),
            "@m" => "export default import.meta.filename\n".into(),
            "@probe" => "export const load = (name) => import(name)\n".to_owned(),
            other => format!("{other}\n"),
        };
        let file = root.join(name);
        fs::create_dir_all(file.parent().expect("it has a folder")).expect("it can be made");
        fs::write(file, body).expect("it can be written");
    }
    (place, root)
}

fn ours(root: &Path) -> Vec<String> {
    let resolver = Resolver::new(|name| BUILTINS.contains(&name));
    let (path, url) = (root.display().to_string(), url_of_path(root));
    let queries = fs::read_to_string(folder().join("queries.txt")).expect("it is there");
    let mut lines = Vec::new();
    for line in queries.lines() {
        let (from, names) = line.split_once(": ").expect("a line names its file");
        for shown in names.split(' ') {
            let name = shown.replace("{url}", &url).replace("{root}", &path);
            for (kind, word) in [(Kind::Require, "require"), (Kind::Import, "import")] {
                let said = match resolver.resolve(&name, &root.join(from), kind) {
                    Ok(Resolved::Builtin(name)) => format!("node:{name}"),
                    Ok(Resolved::File { path, .. }) => path.display().to_string(),
                    Err(error) => format!("{}: {}", error.code, error.message.lines().next().unwrap_or_default()),
                };
                let line = format!("{from} {word} {shown} -> {said}");
                lines.push(line.replace(&url, "{url}").replace(&path, "{root}"));
            }
        }
    }
    lines
}

fn table(name: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder().join(name)).expect("it is there");
    let rows = text.lines().filter(|line| !line.starts_with("//") && !line.is_empty());
    rows.map(|line| line.split_once(" -> ").expect("an arrow")).map(|(query, said)| (query.to_owned(), said.to_owned())).collect()
}

#[test]
fn names_mean_what_they_mean_in_node() {
    let (_place, root) = corpus();
    let (expected, differs) = (table("expected.txt"), table("differs.txt"));
    let mut wrong = Vec::new();
    for line in ours(&root) {
        let (query, said) = line.split_once(" -> ").expect("an arrow");
        let node = expected.get(query).map_or("(not in expected.txt)", String::as_str);
        let wanted = differs.get(query).map_or(node, String::as_str);
        if said != wanted {
            wrong.push(format!("{query}\n  ours: {said}\n  node: {node}"));
        } else if differs.contains_key(query) && said == node {
            wrong.push(format!("{query}: does not differ any more"));
        }
    }
    assert!(wrong.is_empty(), "{} names:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn node_says_what_is_expected() {
    let (_place, root) = corpus();
    let node = Command::new("node")
        .args(["-C", "electron", "--no-warnings"])
        .arg(folder().join("oracle.mjs"))
        .arg(&root)
        .arg(folder().join("queries.txt"))
        .output();
    let Ok(node) = node else {
        eprintln!("Node is not here: skipped");
        return;
    };
    assert!(node.status.success(), "{}", String::from_utf8_lossy(&node.stderr));
    let said = String::from_utf8(node.stdout).expect("Node writes UTF-8");
    let file = folder().join("expected.txt");
    if std::env::var_os("STRAIT_BLESS").is_some() {
        return fs::write(file, said).expect("it can be written");
    }
    assert_eq!(fs::read_to_string(file).expect("it is there"), said);
}
