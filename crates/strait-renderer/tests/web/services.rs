//! What the main process does for cases: it is handed a port, and told what to do with it.

use strait_ports::{Event, Message, Port};
use strait_protocol::ToMain;

use crate::host::Host;
use crate::wire;

/// The ports that are still watched.
#[derive(Default)]
pub(crate) struct Services {
    held: Vec<Port>,
    /// A port whose close is to be told through the port in its last message.
    witnesses: Vec<(Port, Option<Port>)>,
}

impl Services {
    /// Does what has been asked for since the last time.
    pub(crate) fn serve(&mut self, host: &Host) {
        while let Some((what, port)) = host.take(|said| match &said.message {
            ToMain::Ipc { channel, .. } if channel.starts_with("host:") => Some((channel[5..].to_owned(), said.ports.pop())),
            _ => None,
        }) {
            if let Some(port) = port {
                self.accept(&what, port);
            }
        }
        self.witnesses.retain_mut(|(port, witness)| {
            while let Some(event) = port.try_recv() {
                match event {
                    Event::Message(mut message) => *witness = message.ports.pop(),
                    Event::Close(reason) => {
                        if let Some(witness) = witness.take() {
                            let _ = witness.post(wire::of_string(&reason.to_string()));
                            self.held.push(witness);
                        }
                        return false;
                    }
                }
            }
            true
        });
    }

    fn accept(&mut self, what: &str, port: Port) {
        match what {
            "garbage" => {
                // A string that is longer than the message.
                let _ = port.post(Message::from(vec![0xff, 15, b'"', 100, b'x']));
                let _ = port.post(wire::of_string("after the garbage"));
                self.held.push(port);
            }
            "greet" => {
                let _ = port.post(wire::of_string("hello from main"));
                port.close();
            }
            "witness" => self.witnesses.push((port, None)),
            _ => {}
        }
    }
}
