//! The programs under `printed/` print exactly what their `expected.txt` says.
//!
//! A folder holds the program, `expected.txt` (its standard output), and where needed `code.txt` (its exit code, otherwise 0) and `stderr.txt`
//! (lines that its error output must contain; `{}` stands for the folder).

use std::fs;
use std::path::Path;

use crate::program::{Running, run};
use crate::{Test, test};

pub(crate) fn tests() -> Vec<Test> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/printed");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut programs: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    programs.sort();
    let named = |program: &Path| format!("prints: {}", program.file_name().unwrap_or_default().to_string_lossy());
    let check = |program: std::path::PathBuf| {
        test(named(&program), move || {
            prints(&program);
            Ok(())
        })
    };
    programs.into_iter().map(check).collect()
}

fn prints(program: &Path) {
    let read = |name: &str| fs::read_to_string(program.join(name)).unwrap_or_default();
    let mut command = run(program);
    command.args(["--", "first", "--second"]);
    let mut running = Running::start(command);
    let code = running.end().code();
    let expected_code = read("code.txt").trim().parse().unwrap_or(0);
    assert_eq!(code, Some(expected_code), "{}", running.report());
    let expected = read("expected.txt");
    let printed: Vec<_> = running.printed().iter().map(String::as_str).collect();
    for (number, (printed, expected)) in printed.iter().zip(expected.lines()).enumerate() {
        assert_eq!(*printed, expected.trim_end(), "line {}; {}", number + 1, running.report());
    }
    assert_eq!(printed.len(), expected.lines().count(), "lines; {}", running.report());
    let (output, folder) = (running.output(), program.to_string_lossy());
    for line in read("stderr.txt").lines().map(|line| line.replace("{}", &folder)) {
        assert!(output.contains(&line), "no {line:?} in the error output; {}", running.report());
    }
}
