//! A web server of the tests: a few texts on a port of this machine, for as long as the value lives.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a path gives: the path, further header lines (each with its line end), the body.
pub(crate) type Page = (&'static str, &'static str, String);

pub(crate) struct Server {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

const QUIT: &str = "/quit";

impl Server {
    pub(crate) fn start(pages: Vec<Page>) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who connects and says nothing does not hold the others up for long.
                let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                if answer(&stream, &pages).as_deref() == Some(QUIT) {
                    return;
                }
            }
        });
        Ok(Self { address, thread: Some(thread) })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            let _ = write!(stream, "GET {QUIT} HTTP/1.1\r\n\r\n");
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers one request; its path.
fn answer(mut stream: &TcpStream, pages: &[Page]) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1)?.to_owned();
    let (status, headers, body) = match pages.iter().find(|(known, _, _)| *known == path) {
        Some((_, headers, body)) => ("200 OK", *headers, body.as_str()),
        None => ("404 Not Found", "", ""),
    };
    let kind = match path.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript",
        Some("json") => "application/json",
        _ => "text/html",
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    Some(path)
}
