//! The program that runs a child in JavaScript (`utilityProcess.fork`). It is started by the main process, and links neither GTK nor WebKit.

fn main() {
    std::process::exit(strait_utility::run());
}
