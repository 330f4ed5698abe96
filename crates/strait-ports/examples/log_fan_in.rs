//! Many processes send their log lines to one collector, which they find at a path.
//!
//! ```text
//! cargo run -p strait-ports --example log_fan_in
//! ```

use std::error::Error;
use std::path::Path;
use std::process::Command;

use strait_ports::{CloseReason, Endpoint, Event, Node, PortSet};

const WRITERS: usize = 4;
const LINES: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1) {
        Some(path) => writer(Path::new(&path)),
        None => collector(),
    }
}

fn collector() -> Result<(), Box<dyn Error>> {
    // A service would say $XDG_RUNTIME_DIR/its-name.
    let path = std::env::temp_dir().join(format!("strait-log-{}", std::process::id()));
    let node = Node::broker()?;
    let mut lines = PortSet::new();
    lines.admit(Endpoint::bind(&path)?.incoming(&node)?);

    // Anybody may come; here it is programs that the collector starts itself.
    let program = std::env::current_exe()?;
    let writers = (0..WRITERS).map(|_| Command::new(&program).arg(&path).spawn()).collect::<Result<Vec<_>, _>>()?;
    let mut ended = 0;
    while ended < WRITERS
        && let Some((id, event)) = lines.recv_blocking(None)?
    {
        match event {
            Event::Message(line) => {
                let pid = lines.guest(id).map_or(0, |guest| guest.pid);
                println!("[{pid}] {}", String::from_utf8_lossy(&line.data));
            }
            Event::Close(_) => ended += 1,
        }
    }
    for mut writer in writers {
        writer.wait()?;
    }
    println!("{ended} writers have ended");
    Ok(())
}

fn writer(path: &Path) -> Result<(), Box<dyn Error>> {
    let (node, log) = Node::connect(path)?;
    for number in 1..=LINES {
        log.post(format!("line {number} of {LINES}"))?;
    }
    node.leave(CloseReason::Exited);
    Ok(())
}
