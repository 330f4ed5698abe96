//! A tokio runtime drives a node itself, without a thread for it: the node's descriptor among tokio's own.
//!
//! ```text
//! cargo run -p strait-ports --example tokio_loop
//! ```

use std::error::Error;
use std::io;
use std::process::Command;
use std::time::Duration;

use futures_util::StreamExt;
use strait_ports::{CloseReason, Event, Node, Progress};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("child") { child() } else { parent() }
}

#[tokio::main(flavor = "current_thread")]
async fn parent() -> Result<(), Box<dyn Error>> {
    let node = Node::broker()?;
    let (mut child, mut port) = node.spawn(Command::new(std::env::current_exe()?).arg("child"))?;
    let talk = async {
        port.post("hello")?;
        while let Some(event) = port.next().await {
            match event {
                Event::Message(answer) => println!("the child says {}", String::from_utf8(answer.data)?),
                Event::Close(reason) => println!("the child has {reason}"),
            }
        }
        Ok(())
    };
    tokio::select! {
        talked = talk => talked,
        driven = drive(&node) => Ok(driven?),
        () = tokio::time::sleep(Duration::from_secs(10)) => Err("the child does not answer".into()),
    }
    .inspect(|()| _ = child.wait())
}

/// Routes whatever comes, for a millisecond at a time.
async fn drive(node: &Node) -> io::Result<()> {
    // SAFETY: the node keeps its descriptor open, and always has the same one.
    let descriptor = unsafe { AsyncFd::register_with_interest(node.clone(), Interest::READABLE) }?;
    loop {
        let mut ready = descriptor.readable().await?;
        match node.dispatch(Duration::from_millis(1))? {
            Progress::Idle => ready.clear_ready(),
            Progress::More => tokio::task::yield_now().await,
        }
    }
}

fn child() -> Result<(), Box<dyn Error>> {
    let (node, port) = Node::from_env()?;
    if let Event::Message(word) = port.recv_blocking(None)? {
        port.post(word.data.to_ascii_uppercase())?;
    }
    node.leave(CloseReason::Exited);
    Ok(())
}
