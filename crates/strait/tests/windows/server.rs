//! A small HTTP server on the loopback: another origin, whose answers the test can hold back.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Serves until dropped.
pub(super) struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Answers each path with the HTML that `answer` gives, or 404. It is called on a thread of its own for each connection and may block.
    pub(super) fn start(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("its address");
        let (answer, stopped) = (Arc::new(answer), Arc::new(AtomicBool::new(false)));
        let end = stopped.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if end.load(Ordering::Acquire) {
                    return;
                }
                let answer = answer.clone();
                // The page may have gone.
                thread::spawn(move || drop(serve(stream, &*answer)));
            }
        });
        Self { address, stopped }
    }

    /// Serves this page. `/slow` comes when it is released or the sender is dropped; that it was asked for is reported.
    pub(super) fn slow(page: String) -> (Self, UnboundedReceiver<()>, mpsc::Sender<()>) {
        let (asked, asks) = unbounded_channel();
        let (release, released) = mpsc::channel();
        let released = Mutex::new(released);
        let server = Self::start(move |path| {
            if path == "/slow" {
                // The case may be over.
                let _ = asked.send(());
                let _ = released.lock().unwrap_or_else(PoisonError::into_inner).recv();
            }
            Some(page.clone())
        });
        (server, asks, release)
    }

    /// `http://127.0.0.1:PORT`
    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // Wakes the accepting thread.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&str) -> Option<String>) -> std::io::Result<()> {
    let mut request = [0; 8192];
    let length = stream.read(&mut request)?;
    let request = String::from_utf8_lossy(&request[..length]);
    let (status, body) = match answer(request.split(' ').nth(1).unwrap_or("/")) {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", String::new()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}
