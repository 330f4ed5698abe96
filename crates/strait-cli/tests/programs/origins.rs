//! Pages of different origins, which could not reach each other otherwise.

use std::fs;

use crate::http::Server;
use crate::program::{Running, fixture, run};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![test("a page from a file and one from a server talk", file_and_server)]
}

fn file_and_server() -> Outcome {
    let page = fs::read_to_string(fixture("origins").join("page.html")).expect("the page");
    let server = Server::start(move |request| (request.path == "/page.html").then(|| ("text/html", page.clone())));
    let mut command = run(&fixture("origins"));
    command.env("TEST_SERVER", server.origin());
    let mut program = Running::start(command);
    program.expect("file: heard from http: that talks");
    program.expect("http: heard from file: that talks");
    program.end_well();
    Ok(())
}
