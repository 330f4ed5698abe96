//! A user at an X server without a window manager: as much of the protocol as resizing a window and asking it to close need.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

const PROPERTY_STRING: u32 = 31;
const PROPERTY_WM_NAME: u32 = 39;

/// A connection to a server that asks nobody who he is.
pub(crate) struct X11 {
    pub(crate) stream: UnixStream,
    pub(crate) root: u32,
}

impl X11 {
    /// Connects to the server of a display's name like `:5`; an error where that is not a server of this machine, or wants to be shown a cookie.
    pub(crate) fn connect(display: &str) -> io::Result<X11> {
        let number = display.strip_prefix(':').ok_or(io::ErrorKind::Unsupported)?.split('.').next().unwrap_or_default();
        let mut stream = UnixStream::connect(format!("/tmp/.X11-unix/X{number}"))?;
        // Little-endian, protocol 11.0, no authorization.
        stream.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let mut setup = vec![0; 4 * usize::from(u16::from_le_bytes([head[6], head[7]]))];
        stream.read_exact(&mut setup)?;
        if head[0] != 1 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        // The vendor's name and the formats stand before the first screen.
        let vendor = usize::from(u16::from_le_bytes([setup[16], setup[17]])).next_multiple_of(4);
        let screen = 32 + vendor + 8 * usize::from(setup[21]);
        Ok(X11 { root: word(&setup, screen), stream })
    }

    /// The window with this title; `None` if there is none now.
    pub(crate) fn find(&mut self, title: &str) -> io::Result<Option<u32>> {
        let utf8 = self.atom("UTF8_STRING")?;
        let net_name = self.atom("_NET_WM_NAME")?;
        let root = self.root;
        for window in self.children(root)? {
            for (name, kind) in [(net_name, utf8), (PROPERTY_WM_NAME, PROPERTY_STRING)] {
                if self.property(window, name, kind)? == title.as_bytes() {
                    return Ok(Some(window));
                }
            }
        }
        Ok(None)
    }

    /// Gives a window another size.
    pub(crate) fn resize(&mut self, window: u32, width: u32, height: u32) -> io::Result<()> {
        let mut request = vec![12, 0, 5, 0];
        // Width and height.
        for value in [window, 0b1100, width, height] {
            request.extend(value.to_le_bytes());
        }
        self.stream.write_all(&request)
    }

    /// Asks a window to close, as a click on its cross does.
    pub(crate) fn close(&mut self, window: u32) -> io::Result<()> {
        let (protocols, delete) = (self.atom("WM_PROTOCOLS")?, self.atom("WM_DELETE_WINDOW")?);
        let mut request = vec![25, 0, 11, 0];
        request.extend(window.to_le_bytes());
        request.extend([0; 4]);
        // A ClientMessage of 32-bit words.
        request.extend([33, 32, 0, 0]);
        for value in [window, protocols, delete, 0, 0, 0, 0] {
            request.extend(value.to_le_bytes());
        }
        self.stream.write_all(&request)
    }

    fn children(&mut self, window: u32) -> io::Result<Vec<u32>> {
        let mut request = vec![15, 0, 2, 0];
        request.extend(window.to_le_bytes());
        let reply = self.ask(&request)?;
        Ok(reply[32..].chunks_exact(4).map(|bytes| word(bytes, 0)).collect())
    }

    pub(crate) fn property(&mut self, window: u32, name: u32, kind: u32) -> io::Result<Vec<u8>> {
        let mut request = vec![20, 0, 6, 0];
        for value in [window, name, kind, 0, 256] {
            request.extend(value.to_le_bytes());
        }
        let mut reply = match self.ask(&request) {
            // The window has gone since the tree was looked at.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            reply => reply?,
        };
        let length = word(&reply, 16) as usize;
        reply.drain(..32);
        reply.truncate(length);
        Ok(reply)
    }

    pub(crate) fn atom(&mut self, name: &str) -> io::Result<u32> {
        let mut request = vec![16, 0];
        request.extend((2 + name.len().div_ceil(4) as u16).to_le_bytes());
        request.extend((name.len() as u32).to_le_bytes());
        request.extend(name.as_bytes());
        request.resize(request.len().next_multiple_of(4), 0);
        Ok(word(&self.ask(&request)?, 8))
    }

    /// The reply to a request. Events are asked for by nobody; an error is taken for its request's answer.
    fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(request)?;
        loop {
            let mut reply = vec![0; 32];
            self.stream.read_exact(&mut reply)?;
            match reply[0] {
                0 => return Err(io::ErrorKind::NotFound.into()),
                1 => {
                    let rest = 4 * word(&reply, 4) as usize;
                    reply.resize(32 + rest, 0);
                    self.stream.read_exact(&mut reply[32..])?;
                    return Ok(reply);
                }
                _ => {}
            }
        }
    }
}

pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
