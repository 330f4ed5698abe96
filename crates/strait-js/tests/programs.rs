//! Runs every program under `tests/programs` in a process of its own and compares what it prints.
//!
//! A folder holds the program, `expected.txt` (its standard output), and where needed `code.txt` (its exit code, otherwise 0) and `stderr.txt`
//! (lines that its error output must contain; `{}` stands for the folder). Arguments: words that a program's name must contain.
//!
//! A program of its own instead of libtest's: GTK wants the first thread of a process, so this binary starts itself for each program.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// Longer than any of them takes on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// Makes this binary run the program instead of the tests.
const RUN: &str = "STRAIT_TEST_PROGRAM";

fn main() -> ExitCode {
    if let Ok(path) = env::var(RUN) {
        return run_program(Path::new(&path));
    }
    let words: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let display = Display::ensure();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let entries = fs::read_dir(&root).expect("the programs' folder is there");
    let mut programs: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).filter(|path| path.is_dir()).collect();
    programs.sort();
    let (mut passed, mut failed) = (0, 0);
    for program in programs {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !words.is_empty() && !words.iter().any(|word| name.contains(word)) {
            continue;
        }
        let begin = Instant::now();
        match check(&program, &display) {
            Ok(()) => {
                passed += 1;
                println!("ok      {name} ({:.1} s)", begin.elapsed().as_secs_f32());
            }
            Err(why) => {
                failed += 1;
                println!("FAILED  {name}\n{why}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_program(path: &Path) -> ExitCode {
    let args = vec!["first".into(), "--second".into()];
    let ended = strait_js::Program::locate(path, args).map_err(|error| error.to_string());
    match ended.and_then(|program| strait_js::run(program).map_err(|error| error.to_string())) {
        Ok(code) => ExitCode::from(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
        Err(message) => {
            eprintln!("strait: {message}");
            ExitCode::FAILURE
        }
    }
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn check(program: &Path, display: &Display) -> Result<(), String> {
    let mut child = Command::new(env::current_exe().expect("this binary has a path"))
        .env(RUN, program)
        .envs(display.variable())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let ended = wait(&mut child);
    // A web process may hold the pipes open a little longer than the program lives.
    let stdout = stdout.recv_timeout(TIME_LIMIT).unwrap_or_default();
    let stderr = stderr.recv_timeout(TIME_LIMIT).unwrap_or_default();
    let report = |what: String| format!("  {what}\n--- standard output\n{stdout}--- standard error\n{stderr}---");
    let code = ended.ok_or_else(|| report(format!("did not end within {} s", TIME_LIMIT.as_secs())))?;
    let expected_code = read(program.join("code.txt")).trim().parse().unwrap_or(0);
    if code != Some(expected_code) {
        return Err(report(format!("ended with {code:?} instead of {expected_code}")));
    }
    let expected = read(program.join("expected.txt"));
    if let Some((number, (is, should))) = stdout.lines().zip(expected.lines()).enumerate().find(|(_, (is, should))| is != should) {
        return Err(report(format!("line {} is\n    {is}\n  instead of\n    {should}", number + 1)));
    }
    if stdout.lines().count() != expected.lines().count() {
        return Err(report(format!("printed {} lines instead of {}", stdout.lines().count(), expected.lines().count())));
    }
    let folder = program.to_string_lossy();
    for line in read(program.join("stderr.txt")).lines().map(|line| line.replace("{}", &folder)) {
        if !stderr.contains(&line) {
            return Err(report(format!("the error output does not contain\n    {line}")));
        }
    }
    Ok(())
}

/// Reads a pipe to its end in a thread.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// The exit code (`None` inside: a signal), or nothing if it had to be killed.
fn wait(child: &mut Child) -> Option<Option<i32>> {
    let deadline = Instant::now() + TIME_LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status.code());
        }
        // The standard library has no wait with a limit.
        thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// An X server of the tests' own, where there is no display.
struct Display(Option<(Child, String)>);

impl Display {
    fn ensure() -> Self {
        if env::var_os("DISPLAY").is_some() || env::var_os("WAYLAND_DISPLAY").is_some() {
            return Self(None);
        }
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a display, or Xvfb is installed (cargo xtask setup)");
        let mut line = String::new();
        // The server writes the number when it is ready, or closes the pipe when it fails.
        let read = BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line);
        assert!(read.is_ok() && !line.trim().is_empty(), "Xvfb did not start");
        Self(Some((server, format!(":{}", line.trim()))))
    }

    fn variable(&self) -> Option<(&str, &str)> {
        self.0.as_ref().map(|(_, name)| ("DISPLAY", name.as_str()))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some((server, _)) = &mut self.0 {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
