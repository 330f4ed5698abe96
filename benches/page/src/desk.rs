//! Where pages get their scripts, their orders, and bring their figures: HTTP on the loopback interface.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strait_bench::Outcome;

const FILES: &[(&str, &str, &str)] = &[
    ("/bench.js", "text/javascript", include_str!("../pages/bench.js")),
    ("/strait.html", "text/html", include_str!("../pages/strait.html")),
    ("/other.html", "text/html", include_str!("../pages/other.html")),
    ("/chromium.html", "text/html", include_str!("../pages/chromium.html")),
    ("/frame.html", "text/html", include_str!("../pages/frame.html")),
    ("/wry.html", "text/html", include_str!("../pages/wry.html")),
];

/// The addresses of the server.
const HOSTS: [Ipv4Addr; 5] = [
    Ipv4Addr::new(127, 0, 0, 1),
    Ipv4Addr::new(127, 0, 0, 2),
    Ipv4Addr::new(127, 0, 0, 3),
    Ipv4Addr::new(127, 0, 0, 4),
    Ipv4Addr::new(127, 0, 0, 5),
];

/// The most pages of one program that load from one address. WebKit opens six connections to an address, and a page that waits for an order holds one.
const PAGES_OF_A_HOST: usize = 4;

/// The base for the page with this number in its program, from zero.
pub(crate) fn base_for(base: &str, page: usize) -> String {
    base.replacen(&HOSTS[0].to_string(), &HOSTS[page / PAGES_OF_A_HOST].to_string(), 1)
}

/// A page asks again after this long: network libraries give up on silent servers.
const PATIENCE: Duration = Duration::from_secs(40);

/// No answer is longer.
const MAX_BODY: usize = 64 * 1024;

/// What lies ready for a page, and what it has brought.
#[derive(Default)]
struct Seat {
    present: bool,
    order: Option<String>,
    answer: Option<Value>,
}

#[derive(Default)]
struct Room {
    seats: Mutex<HashMap<String, Seat>>,
    changed: Condvar,
}

impl Room {
    fn seats(&self) -> MutexGuard<'_, HashMap<String, Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` finds something at the seat of `who`.
    fn wait<T>(&self, who: &str, limit: Duration, mut look: impl FnMut(&mut Seat) -> Option<T>) -> Option<T> {
        let end = Instant::now() + limit;
        let mut seats = self.seats();
        loop {
            if let Some(found) = look(seats.entry(who.to_owned()).or_default()) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            seats = self.changed.wait_timeout(seats, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn change(&self, who: &str, change: impl FnOnce(&mut Seat)) {
        change(self.seats().entry(who.to_owned()).or_default());
        self.changed.notify_all();
    }
}

/// The server. Its threads end with the process.
pub(crate) struct Desk {
    room: Arc<Room>,
    base: String,
}

impl Desk {
    pub(crate) fn open() -> Outcome<Desk> {
        let room = Arc::new(Room::default());
        let first = TcpListener::bind((HOSTS[0], 0))?;
        let address = first.local_addr()?;
        Self::serve(&room, first);
        for host in &HOSTS[1..] {
            Self::serve(&room, TcpListener::bind((*host, address.port()))?);
        }
        Ok(Desk { room, base: format!("http://{address}/") })
    }

    fn serve(room: &Arc<Room>, listener: TcpListener) {
        let room = Arc::clone(room);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let room = Arc::clone(&room);
                // A page that leaves in the middle of a request is no loss.
                thread::spawn(move || answer(&room, stream).ok());
            }
        });
    }

    /// The URL that all paths are below.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Waits until `who` asks for its first order.
    pub(crate) fn await_page(&self, who: &str, limit: Duration) -> Outcome<()> {
        self.room.wait(who, limit, |seat| seat.present.then_some(())).ok_or_else(|| format!("the page `{who}` did not come").into())
    }

    /// Has `who` do `what` so many times; what it gives.
    pub(crate) fn order(&self, who: &str, what: &str, count: u32, limit: Duration) -> Outcome<Duration> {
        self.room.change(who, |seat| {
            seat.answer = None;
            seat.order = Some(json!({ "what": what, "count": count }).to_string());
        });
        let answer = self.room.wait(who, limit, |seat| seat.answer.take()).ok_or("no figure came in time")?;
        if let Some(error) = answer["error"].as_str() {
            return Err(error.into());
        }
        if answer["visibility"] != "visible" {
            return Err(format!("the page is {}", answer["visibility"]).into());
        }
        Ok(Duration::from_secs_f64(answer["seconds"].as_f64().ok_or("the page gave no figure")?))
    }
}

fn answer(room: &Room, stream: TcpStream) -> Outcome<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (_, target) = (words.next(), words.next().unwrap_or("/").to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim_end().split_once(':') {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse::<usize>()?.min(MAX_BODY),
            Some(_) => {}
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let who = query.strip_prefix("who=").unwrap_or_default();
    match path {
        "/next" => {
            room.change(who, |seat| seat.present = true);
            match room.wait(who, PATIENCE, |seat| seat.order.take()) {
                Some(order) => respond(stream, "200 OK", "application/json", &order),
                None => respond(stream, "204 No Content", "text/plain", ""),
            }
        }
        "/done" => {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let figure = serde_json::from_slice(&body)?;
            // The page must be done with this before it is disturbed by others' work.
            respond(stream, "200 OK", "text/plain", "")?;
            room.change(who, |seat| seat.answer = Some(figure));
            Ok(())
        }
        _ => match FILES.iter().find(|(name, ..)| *name == path) {
            Some((_, kind, text)) => respond(stream, "200 OK", kind, text),
            None => respond(stream, "404 Not Found", "text/plain", ""),
        },
    }
}

fn respond(mut stream: TcpStream, status: &str, kind: &str, body: &str) -> Outcome<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all((head + body).as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(desk: &Desk, text: &str) -> String {
        let address = desk.base().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn an_order_goes_out_and_a_figure_comes_in() {
        let desk = Desk::open().unwrap();
        assert!(ask(&desk, "GET /bench.js HTTP/1.1\r\n\r\n").contains("'use strict'"));
        assert!(ask(&desk, "GET /etc/passwd HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        let check = |body: &str, expected: &str| {
            thread::scope(|scope| {
                let page = scope.spawn(|| {
                    let order = ask(&desk, "GET /next?who=a HTTP/1.1\r\nHost: x\r\n\r\n");
                    let order: serde_json::Value = serde_json::from_str(order.lines().last().unwrap()).unwrap();
                    assert_eq!(order, json!({ "what": "main", "count": 7 }));
                    ask(&desk, &format!("POST /done?who=a HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
                });
                desk.await_page("a", Duration::from_secs(10)).unwrap();
                let outcome = desk.order("a", "main", 7, Duration::from_secs(10));
                page.join().unwrap();
                assert_eq!(outcome.map_or_else(|why| why.to_string(), |took| format!("{took:?}")), expected);
            });
        };
        check(r#"{"seconds":0.5,"visibility":"visible"}"#, "500ms");
        check(r#"{"seconds":0.5,"visibility":"hidden"}"#, "the page is \"hidden\"");
        check(r#"{"error":"Error: no"}"#, "Error: no");
        assert!(desk.await_page("b", Duration::from_millis(5)).is_err());
    }
}
