//! A plug-in in a process of its own. When it crashes its port closes; the host starts it again and goes on.
//!
//! ```text
//! cargo run -p strait-ports --example plugin
//! ```

use std::error::Error;
use std::process::{Child, Command};

use strait_ports::{CloseReason, Event, Node, Port};

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("plugin") { plugin() } else { host() }
}

fn host() -> Result<(), Box<dyn Error>> {
    let node = Node::broker()?;
    let mut plugin = start(&node)?;
    for word in ["message", "port", "bug", "channel"] {
        plugin.1.post(word)?;
        match plugin.1.recv_blocking(None)? {
            Event::Message(answer) => println!("{word} becomes {}", String::from_utf8(answer.data)?),
            Event::Close(reason) => {
                println!("{word}: the plug-in has {reason}, with {}", plugin.0.wait()?);
                plugin = start(&node)?;
            }
        }
    }
    let (mut child, port) = plugin;
    port.close();
    println!("the plug-in ends with {}", child.wait()?);
    Ok(())
}

fn start(node: &Node) -> Result<(Child, Port), Box<dyn Error>> {
    Ok(node.spawn(Command::new(std::env::current_exe()?).arg("plugin"))?)
}

fn plugin() -> Result<(), Box<dyn Error>> {
    let (node, host) = Node::from_env()?;
    while let Event::Message(word) = host.recv_blocking(None)? {
        if word.data == b"bug" {
            std::process::abort();
        }
        host.post(word.data.to_ascii_uppercase())?;
    }
    node.leave(CloseReason::Exited);
    Ok(())
}
