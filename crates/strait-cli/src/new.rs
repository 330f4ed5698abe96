//! `strait new`: creates a program to start from.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

/// The longest name of a program, in bytes.
const MAX_NAME: usize = 64;

/// Names that cargo refuses for a program, or that are ambiguous there.
const RUST_RESERVED: [&str; 9] = ["alloc", "core", "proc_macro", "std", "strait", "test", "tokio", "serde", "rust"];

#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// The program's folder, which is created; its last part is the program's name.
    path: PathBuf,
    /// The kind of program to create.
    #[arg(long, value_enum, default_value_t = Template::Basic)]
    template: Template,
    /// Write the main process in Rust, as a cargo project; otherwise in JavaScript.
    #[arg(long)]
    rust: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// A window that exchanges messages with main over a port.
    Basic,
    /// A window and a hidden one that works for it; the worker is replaced when it crashes.
    Worker,
    /// Requests with many answers, which can be cancelled.
    Stream,
    /// A page whose only access to Strait is a port.
    Isolated,
}

/// The reason why no program was created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewError {
    #[error("`{given}` is no name for a program: {wrong}; try `{better}`")]
    Name { given: String, wrong: &'static str, better: String },
    #[error("{path} names no folder; give the new folder's name, for example `strait new hello`", path = path.display())]
    NoName { path: PathBuf },
    #[error("{path} is there already and is not empty; choose another name", path = path.display())]
    Exists { path: PathBuf },
    #[error("can't create {path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// A file of a new program: its path, its text, and its description in the README.
struct File {
    path: &'static str,
    text: &'static str,
    about: &'static str,
}

macro_rules! file {
    ($path:literal, $from:literal, $about:literal) => {
        File { path: $path, text: include_str!(concat!("../templates/", $from)), about: $about }
    };
}

const MANIFEST_JS: File = file!("package.json", "project/package.json", "names the main script");
const AROUND_JS: [File; 4] = [
    file!("jsconfig.json", "project/jsconfig.json", "for editors: check the scripts against Electron's types"),
    file!("strait.d.ts", "project/strait.d.ts", "for editors: what Strait adds to Electron's types"),
    file!(".npmrc", "project/npmrc", ""),
    file!(".gitignore", "project/gitignore.js", ""),
];
const MANIFEST_RUST: File = file!("Cargo.toml", "project/Cargo.toml", "dependencies and build settings");
const IGNORE_RUST: File = file!(".gitignore", "project/gitignore.rust", "");

impl Template {
    fn description(self) -> &'static str {
        match self {
            Template::Basic => "A window that talks to the main process over a message port.",
            Template::Worker => "A window, and a hidden one that works for it; the two talk directly.",
            Template::Stream => "Requests with many answers, which can be cancelled.",
            Template::Isolated => "A page that has nothing of Strait but a port.",
        }
    }

    fn main_js(self) -> File {
        match self {
            Template::Basic => file!("main.js", "basic/main.js", "the main process"),
            Template::Worker => file!("main.js", "worker/main.js", "the main process"),
            Template::Stream => file!("main.js", "stream/main.js", "the main process"),
            Template::Isolated => file!("main.js", "isolated/main.js", "the main process"),
        }
    }

    fn main_rust(self) -> File {
        match self {
            Template::Basic => file!("src/main.rs", "basic/main.rs", "the main process"),
            Template::Worker => file!("src/main.rs", "worker/main.rs", "the main process"),
            Template::Stream => file!("src/main.rs", "stream/main.rs", "the main process"),
            Template::Isolated => file!("src/main.rs", "isolated/main.rs", "the main process"),
        }
    }

    fn pages(self) -> Vec<File> {
        match self {
            Template::Basic => {
                vec![file!("index.html", "basic/index.html", "the window's page"), file!("page.js", "basic/page.js", "its script")]
            }
            Template::Worker => vec![
                file!("index.html", "worker/index.html", "the window's page"),
                file!("page.js", "worker/page.js", "its script"),
                file!("worker.html", "worker/worker.html", "the hidden window's page"),
                file!("worker.js", "worker/worker.js", "its script: the work"),
            ],
            Template::Stream => {
                vec![file!("index.html", "stream/index.html", "the window's page"), file!("page.js", "stream/page.js", "its script")]
            }
            Template::Isolated => vec![
                file!("index.html", "isolated/index.html", "the window's page"),
                file!("page.js", "isolated/page.js", "its script, an ordinary web page's"),
            ],
        }
    }

    /// The dependencies in `Cargo.toml` besides `strait` and `tokio`.
    fn dependencies(self) -> &'static str {
        if matches!(self, Template::Stream | Template::Isolated) { "serde = { version = \"1\", features = [\"derive\"] }\n" } else { "" }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// Creates the program, and returns instructions for it.
pub(crate) fn create(arguments: &NewArguments) -> Result<String, NewError> {
    let NewArguments { path, template, rust } = arguments;
    let name = path.file_name().ok_or_else(|| NewError::NoName { path: path.clone() })?.to_string_lossy();
    check_name(&name, *rust)?;
    let existed = path.exists();
    if existed && fs::read_dir(path).map_err(at(path))?.next().is_some() {
        return Err(NewError::Exists { path: path.clone() });
    }
    let files = files(&name, *template, *rust);
    if let Err(error) = write(path, &files) {
        if !existed {
            // An incomplete program is useless.
            let _ = fs::remove_dir_all(path);
        }
        return Err(error);
    }

    let folder = quoted(path);
    let run = if *rust { format!("cd {folder} && cargo run") } else { format!("strait run {folder}") };
    let types = if *rust {
        String::new()
    } else {
        format!("\n  cd {folder} && npm install   for Electron's types in your editor (not needed to run it)")
    };
    let names: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
    Ok(format!("created {} from template {template}: {}\n\n  {run}{types}", path.display(), names.join(", ")))
}

/// Quotes a path as a word of a command line.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(plain) && !text.starts_with('-') { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// All files of the program: paths below its folder, and texts.
fn files(name: &str, template: Template, rust: bool) -> Vec<(String, String)> {
    let (manifest, main) = if rust { (MANIFEST_RUST, template.main_rust()) } else { (MANIFEST_JS, template.main_js()) };
    let mut files = vec![manifest, main];
    let pages = template.pages();
    let page_folder = if rust { "pages/" } else { "" };
    let around = if rust { vec![IGNORE_RUST] } else { AROUND_JS.into() };
    let first_page = files.len();
    let after_pages = first_page + pages.len();
    files.extend(pages);
    files.extend(around);

    let placed: Vec<(String, &File)> = files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            let folder = if (first_page..after_pages).contains(&index) { page_folder } else { "" };
            (format!("{folder}{}", file.path), file)
        })
        .collect();
    let rows: Vec<_> =
        placed.iter().filter(|(_, file)| !file.about.is_empty()).map(|(path, file)| format!("| `{path}` | {} |", file.about)).collect();
    let readme = if rust { include_str!("../templates/project/README.rust.md") } else { include_str!("../templates/project/README.js.md") };

    let fill = |text: &str| {
        text.replace("{{name}}", name)
            .replace("{{description}}", template.description())
            .replace("{{strait}}", &strait_dependency())
            .replace("{{more}}", template.dependencies())
            .replace("{{files}}", &rows.join("\n"))
    };
    let mut filled: Vec<_> = placed.iter().map(|(path, file)| (path.clone(), fill(file.text))).collect();
    filled.push(("README.md".into(), fill(readme)));
    filled
}

/// The dependency on `strait`: by path if this command was built from a checkout that still exists.
fn strait_dependency() -> String {
    let checkout = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../strait"));
    match checkout.canonicalize() {
        Ok(path) => format!("{{ path = {:?} }}", path.display().to_string()),
        Err(_) => format!("{:?}", env!("CARGO_PKG_VERSION")),
    }
}

fn write(folder: &Path, files: &[(String, String)]) -> Result<(), NewError> {
    for (path, text) in files {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(at(parent))?;
        fs::write(&path, text).map_err(at(&path))?;
    }
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> NewError {
    let path = path.to_owned();
    move |source| NewError::Io { path, source }
}

/// Checks that npm and cargo accept the name, and that it fits unchanged into every template.
fn check_name(name: &str, rust: bool) -> Result<(), NewError> {
    let wrong = if name.len() > MAX_NAME {
        "it has more than 64 characters"
    } else if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        "it must start with a letter from a to z"
    } else if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c)) {
        "it may have letters from a to z, digits, `-` and `_`"
    } else if rust && (RUST_RESERVED.contains(&name) || is_keyword(name)) {
        "it means something else in Rust"
    } else {
        return Ok(());
    };
    Err(NewError::Name { given: name.into(), wrong, better: better_name(name) })
}

fn is_keyword(name: &str) -> bool {
    const KEYWORDS: &str = " abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if impl in let \
        loop macro match mod move mut override priv pub ref return self static struct super trait true try type typeof unsafe unsized use virtual \
        where while yield ";
    KEYWORDS.contains(&format!(" {name} "))
}

/// The most similar valid name.
fn better_name(name: &str) -> String {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).collect();
    let plain: Vec<_> = plain.split('-').filter(|part| !part.is_empty()).collect();
    let plain = plain.join("-");
    let plain = plain.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let short = &plain[..plain.len().min(MAX_NAME - 4)];
    if short.is_empty() || short == name || RUST_RESERVED.contains(&short) || is_keyword(short) {
        format!("my-{}", if short.is_empty() { "app" } else { short })
    } else {
        short.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_npm_and_cargo_take() {
        for name in ["a", "my-app", "app_2", "test"] {
            check_name(name, false).unwrap();
        }
        for (name, better) in [
            ("My App", "my-app"),
            ("2048", "my-app"),
            ("naïve", "na-ve"),
            (".hidden", "hidden"),
            ("\u{202e}x\"", "x"),
            ("../up", "up"),
            ("-rf", "rf"),
        ] {
            let error = check_name(name, false).unwrap_err().to_string();
            assert!(error.ends_with(&format!("; try `{better}`")), "{error}");
            check_name(better, true).unwrap();
        }
        for name in ["test", "match", "strait"] {
            let error = check_name(name, true).unwrap_err().to_string();
            assert!(error.contains("means something else in Rust") && error.ends_with(&format!("; try `my-{name}`")), "{error}");
        }
        assert!(check_name(&"a".repeat(65), true).unwrap_err().to_string().contains("more than 64"));
    }

    #[test]
    fn templates_have_no_holes() {
        for template in Template::value_variants() {
            for rust in [false, true] {
                let files = files("sample", *template, rust);
                for (path, text) in &files {
                    assert!(!text.contains("{{"), "{template} {path}: {text}");
                }
                let readme = &files.last().unwrap().1;
                for (path, _) in files.iter().filter(|(path, _)| !path.starts_with('.') && path != "README.md") {
                    assert!(readme.contains(&format!("`{path}`")), "{template}: the README does not speak of {path}");
                }
            }
        }
    }

    #[test]
    fn what_is_to_be_typed_can_be_typed() {
        for (path, typed) in [("a/b-c", "a/b-c"), ("my programs/a", "'my programs/a'"), ("it's/a", r"'it'\''s/a'"), ("-x/a", "'-x/a'")] {
            assert_eq!(quoted(Path::new(path)), typed);
        }
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine");
        let arguments = NewArguments { path: path.clone(), template: Template::Basic, rust: false };
        create(&arguments).unwrap();
        fs::write(path.join("main.js"), "mine").unwrap();
        assert!(create(&arguments).unwrap_err().to_string().contains("is not empty"));
        assert_eq!(fs::read_to_string(path.join("main.js")).unwrap(), "mine");
        // An empty folder is accepted. A failed attempt leaves no files behind.
        let empty = folder.path().join("empty");
        fs::create_dir(&empty).unwrap();
        create(&NewArguments { path: empty.clone(), template: Template::Stream, rust: true }).unwrap();
        assert!(empty.join("src/main.rs").exists());
        let below_file = path.join("main.js/below");
        let error = create(&NewArguments { path: below_file, template: Template::Basic, rust: false }).unwrap_err();
        assert!(matches!(error, NewError::Io { .. }), "{error}");
    }
}
