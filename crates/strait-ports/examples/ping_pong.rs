//! Two processes play ping-pong through a port that was handed from one to the other.
//!
//! ```text
//! cargo run -p strait-ports --example ping_pong
//! ```

use std::error::Error;
use std::process::Command;
use std::time::Instant;

use strait_ports::{CloseReason, Event, Message, Node};

const ROUNDS: u32 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("child") { child() } else { parent() }
}

fn parent() -> Result<(), Box<dyn Error>> {
    let node = Node::broker()?;
    let (mut child, bootstrap) = node.spawn(Command::new(std::env::current_exe()?).arg("child"))?;
    let (mine, yours) = node.channel();
    // What is posted before the other side has its port waits for it there.
    mine.post(0u32.to_le_bytes().to_vec())?;
    bootstrap.post(Message::with_ports(b"your turn".to_vec(), vec![yours]))?;

    let start = Instant::now();
    let reason = loop {
        match mine.recv_blocking(None)? {
            Event::Message(ball) => mine.post(ball)?,
            Event::Close(reason) => break reason,
        }
    };
    println!("{ROUNDS} rounds, {:?} each, then the port was {reason}", start.elapsed() / ROUNDS);
    child.wait()?;
    Ok(())
}

fn child() -> Result<(), Box<dyn Error>> {
    let (node, bootstrap) = Node::from_env()?;
    let Event::Message(mut hello) = bootstrap.recv_blocking(None)? else { return Err("no port came".into()) };
    let port = hello.ports.remove(0);
    while let Event::Message(ball) = port.recv_blocking(None)? {
        let round = u32::from_le_bytes(ball.data[..].try_into()?);
        if round == ROUNDS {
            break;
        }
        port.post((round + 1).to_le_bytes().to_vec())?;
    }
    port.close();
    node.leave(CloseReason::Exited);
    Ok(())
}
