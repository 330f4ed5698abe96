//! What the children do, in both languages, by the name of the role.

use std::{env, process::ExitCode};

use strait_child::{MessageChannel, MessagePort, ParentPort, Value};

/// Names the role of a child in Rust.
pub(crate) const ROLE: &str = "STRAIT_CHILDREN_TEST_ROLE";

/// The children in JavaScript.
pub(crate) const SCRIPT: &str = "
const { parentPort } = process
const { MessageChannelMain } = require('electron')
const roles = {
  // Says what it is, gives a port of its own, and sends everything back on that.
  echo () {
    const { port1, port2 } = new MessageChannelMain()
    parentPort.postMessage('here', [port1])
    parentPort.on('message', ({ data, ports }) => port2.postMessage(data, ports))
  },
  // Answers on the ports it is given.
  server () {
    parentPort.on('message', ({ ports }) => {
      for (const port of ports) {
        port.on('message', ({ data }) => port.postMessage(data + 1))
        port.start()
      }
    })
  },
  // Asks on the port it is given, and tells what it has heard.
  client () {
    parentPort.once('message', ({ ports: [port] }) => {
      let number = 0
      port.on('message', ({ data }) => {
        number = data
        if (number < 100) port.postMessage(number)
        else {
          parentPort.postMessage(number)
          port.close()
        }
      })
      port.start()
      port.postMessage(number)
    })
  },
  tell () { parentPort.postMessage([process.argv.slice(2), process.env.TOLD ?? null, process.env.HOME ?? null, process.cwd()]) },
  print () {
    process.stdout.write('out')
    process.stderr.write('err')
  },
  well () {},
  code () { process.exit(7) },
  abort () {
    process.kill(process.pid, 'SIGABRT')
    // Another thread may be the one that the signal reaches first; this one must not end the process by itself meanwhile.
    setInterval(() => {}, 1000)
  },
  loop () {
    parentPort.postMessage('on my way')
    setTimeout(() => { for (;;); }, 20)
  },
  greedy () {
    const all = []
    for (;;) all.push({})
  },
  // Keeps the port it is given until it ends, in the way it is told.
  keeper () {
    parentPort.once('message', ({ data, ports }) => {
      globalThis.kept = ports
      roles[data]()
    })
  }
}
roles[process.argv[2]]()
";

/// The children in Rust.
pub(crate) fn run(role: &str) -> ExitCode {
    // Lives longer than the parent port, with which this process takes leave.
    let mut kept = Vec::new();
    let parent = ParentPort::from_env().expect("a parent port");
    parent.node().block_on(play(&parent, role, &mut kept)).expect("a node")
}

async fn play(parent: &ParentPort, role: &str, kept: &mut Vec<MessagePort>) -> ExitCode {
    match role {
        "echo" => {
            let own = MessageChannel::new(parent);
            parent.post_message("here", vec![own.port1]).expect("a port");
            while let Ok(message) = parent.recv().await {
                own.port2.post_message(message.data, message.ports).expect("an echo");
            }
        }
        "server" => {
            while let Ok(message) = parent.recv().await {
                for port in message.ports {
                    while let Ok(message) = port.recv().await {
                        let number = message.data.as_f64().expect("a number");
                        port.post_message(number + 1.0, vec![]).expect("an answer");
                    }
                }
            }
        }
        "client" => {
            let port = parent.recv().await.expect("a port").ports.remove(0);
            let mut number = 0.0;
            while number < 100.0 {
                port.post_message(number, vec![]).expect("a question");
                number = port.recv().await.expect("an answer").data.as_f64().expect("a number");
            }
            parent.post_message(number, vec![]).expect("the result");
            port.close();
        }
        "tell" => {
            let var = |name: &str| env::var(name).map_or(Value::Null, Value::from);
            let args = Value::array(env::args().skip(1).map(Value::from));
            let folder = env::current_dir().expect("a folder").to_string_lossy().into_owned();
            parent.post_message(Value::array([args, var("TOLD"), var("HOME"), Value::from(folder)]), vec![]).expect("what it was told");
        }
        "print" => {
            print!("out");
            eprint!("err");
        }
        "loop" => {
            parent.post_message("on my way", vec![]).expect("a message");
            loop {
                std::hint::spin_loop();
            }
        }
        "keeper" => {
            let message = parent.recv().await.expect("a port");
            kept.extend(message.ports);
            return ending(message.data.as_str().expect("how"));
        }
        how => return ending(how),
    }
    ExitCode::SUCCESS
}

fn ending(how: &str) -> ExitCode {
    match how {
        "well" => ExitCode::SUCCESS,
        "code" => std::process::exit(7),
        "abort" => std::process::abort(),
        other => panic!("no role {other}"),
    }
}
