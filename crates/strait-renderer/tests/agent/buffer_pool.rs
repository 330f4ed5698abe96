//! Large buffers that arrive lie in memory that is used again: they are like any others, and show nobody what was there before.

use strait_clone::{Value, write};
use strait_ports::{Event, Message, Port};
use strait_protocol::World;

use crate::collection::resident;
use std::process::Command;

use crate::host::{Case, Check, Host, View, same};
use crate::large::page_of;

pub(crate) const CASES: &[Case] = &[
    ("a large buffer that arrives is an ordinary one", ordinary),
    ("a large buffer can be given to a worker, and there be the last one's", to_a_worker),
    ("memory that is used again shows its present message alone", used_again),
    ("pages that drop large buffers do not grow", bounded),
    ("a large message with parts that are shown twice arrives as it was", shown_twice),
    ("a getter posts a large message while another is written", posted_meanwhile),
    ("JavaScriptCore's memory is laid out as it should be", as_expected),
    ("where JavaScriptCore's memory is laid out otherwise large buffers are copied", copied),
];

const MIB: usize = 1 << 20;

const PAGE: &str = "<body><script>
    var came = [], near
    addEventListener('message', ({ data, ports: [port] }) => {
      if (data !== 'port') return
      near = port
      near.onmessage = ({ data }) => came.push(data)
    })
    </script>";

fn page(host: &Host) -> Check<(View, Port)> {
    page_of(host, PAGE)
}

fn send(port: &Port, bytes: Vec<u8>) -> Check {
    let data = write(&Value::array_buffer(bytes)).map_err(|error| error.to_string())?;
    port.post(data).map_err(|error| error.to_string())
}

fn ordinary(host: &Host) -> Check {
    let (view, port) = page(host)?;
    // Where the bytes begin in the message is nobody's business: numbers of eight bytes are aligned.
    send(&port, (0..MIB).map(|at| at as u8).collect())?;
    host.until_true(&view, World::Main, "came.length === 1")?;
    let script = "
        const buffer = came.pop(), bytes = new Uint8Array(buffer), wide = new Float64Array(buffer)
        wide[1] = 0.5
        const moved = structuredClone(buffer, { transfer: [buffer] })
        const longer = moved.transfer(2 * moved.byteLength)
        const shorter = longer.transfer(70000)
        let error = ''
        try { shorter.resize(1) } catch (thrown) { error = thrown.constructor.name }
        return [buffer instanceof ArrayBuffer, Object.prototype.toString.call(buffer), buffer.resizable, buffer.byteLength, bytes.length,
          moved.byteLength, longer.byteLength, shorter.byteLength, new Float64Array(shorter, 8, 1)[0], new Uint8Array(shorter)[69999], error].join()";
    let is = host.eval(&view, World::Main, script)?;
    let expected = format!("\"true,[object ArrayBuffer],false,0,0,0,0,70000,0.5,{},TypeError\"", 69999 % 256);
    same("an ordinary buffer", &is, &expected)
}

fn to_a_worker(host: &Host) -> Check {
    let (view, port) = page(host)?;
    host.eval(
        &view,
        World::Main,
        "const source = 'onmessage = ({ data }) => postMessage([data.byteLength, new Uint8Array(data)[data.byteLength - 1]])'
         globalThis.answers = []
         globalThis.worker = new Worker(URL.createObjectURL(new Blob([source])))
         worker.onmessage = ({ data }) => answers.push(data.join())",
    )?;
    for round in 0..40_usize {
        send(&port, vec![round as u8; MIB + round])?;
        host.until_true(&view, World::Main, "came.length === 1")?;
        host.eval(&view, World::Main, "const buffer = came.pop(); worker.postMessage(buffer, [buffer])")?;
        host.until_true(&view, World::Main, &format!("answers.length === {}", round + 1))?;
        same("what the worker got", &host.eval(&view, World::Main, "return answers.at(-1)")?, &format!("\"{},{round}\"", MIB + round))?;
    }
    host.eval(&view, World::Main, "worker.terminate()")?;
    // What it had is not in the way.
    send(&port, vec![9; MIB])?;
    host.until_true(&view, World::Main, "came.length === 1 && new Uint8Array(came[0]).every((byte) => byte === 9)")
}

/// So many buffers that some lie where others have been, each of another length and another byte, and some of them kept.
fn used_again(host: &Host) -> Check {
    let (view, port) = page(host)?;
    host.eval(
        &view,
        World::Main,
        "globalThis.kept = []
         globalThis.wrong = []
         globalThis.seen = 0
         const check = (buffer, number) => {
           const bytes = new Uint8Array(buffer)
           const good = bytes.length === 65536 + number * 997 && bytes.every((byte) => byte === number % 251 + 1)
           if (!good) wrong.push(number)
         }
         near.onmessage = ({ data }) => {
           check(data, seen)
           if (seen % 10 === 0) kept.push([data, seen])
           else new Uint8Array(data).fill(255)
           seen++
           near.postMessage(seen)
         }
         globalThis.checkKept = () => kept.forEach((entry) => check(...entry))",
    )?;
    const COUNT: usize = 400;
    for number in 0..COUNT {
        send(&port, vec![(number % 251 + 1) as u8; 65536 + number * 997])?;
        let Event::Message(Message { .. }) = host.event(&port)? else { return Err("closed".to_owned()) };
    }
    same("the others", &host.eval(&view, World::Main, "checkKept(); return wrong.join()")?, "\"\"")
}

fn bounded(host: &Host) -> Check {
    let (view, port) = page(host)?;
    host.eval(&view, World::Main, "globalThis.seen = 0; near.onmessage = ({ data }) => near.postMessage(seen += data.byteLength)")?;
    let before = resident();
    let (mut largest, total) = (0, 2048);
    for _ in 0..total / 16 {
        send(&port, vec![1; 16 * MIB])?;
        let Event::Message(Message { .. }) = host.event(&port)? else { return Err("closed".to_owned()) };
        largest = largest.max(resident());
    }
    println!("        {total} MiB came, and the page grew by {} MiB at most", largest.saturating_sub(before) >> 20);
    // The sender's memory that is mapped counts too.
    let bound = 500 << 20;
    if largest.saturating_sub(before) > bound { Err(format!("grew by {} MiB", (largest - before) >> 20)) } else { Ok(()) }
}

fn shown_twice(host: &Host) -> Check {
    let (view, port) = page(host)?;
    host.eval(
        &view,
        World::Main,
        "const large = Uint8Array.from({ length: 700000 }, (_, i) => i % 253)
         const part = large.subarray(5, 300005)
         near.postMessage(['→ before', part, '→ between', large.buffer, new Uint8Array(90000).fill(7), '→ behind'])",
    )?;
    let Event::Message(Message { data, .. }) = host.event(&port)? else { return Err("closed".to_owned()) };
    port.post(data).map_err(|error| error.to_string())?;
    host.until_true(&view, World::Main, "came.length === 1")?;
    let script = "
        const [before, part, between, whole, sevens, behind] = came[0]
        return [before, between, behind, part.buffer === whole, part.byteOffset, part.length, whole.byteLength,
          new Uint8Array(whole).every((byte, i) => byte === i % 253), sevens.length, sevens.every((byte) => byte === 7)].join()";
    same("the message", &host.eval(&view, World::Main, script)?, "\"→ before,→ between,→ behind,true,5,300000,700000,true,90000,true\"")
}

fn posted_meanwhile(host: &Host) -> Check {
    let (view, port) = page(host)?;
    let script = "
        const bytes = (size, value) => new Uint8Array(size).fill(value)
        near.postMessage({
          first: bytes(200000, 1),
          get second() { near.postMessage({ inner: bytes(300000, 2) }); return 'second' },
          third: bytes(400000, 3),
        })
        let error = ''
        try { near.postMessage({ first: bytes(200000, 4), get second() { near.postMessage(bytes(100000, 5)); throw new TypeError('mine') } }) }
        catch (thrown) { error = thrown.message }
        try { near.postMessage([bytes(200000, 6), () => 0]) } catch (thrown) { error += thrown.name }
        // A getter that closes the port: nobody gets the message, and nothing is wrong.
        near.postMessage({ first: bytes(100000, 7) })
        near.postMessage({ first: bytes(100000, 8), get second() { near.close(); return 1 }, third: bytes(10000000, 9) })
        return error";
    same("what was thrown", &host.eval(&view, World::Main, script)?, "\"mineDataCloneError\"")?;
    let mut sizes = Vec::new();
    while let Event::Message(Message { data, .. }) = host.event(&port)? {
        let value = strait_clone::read(&data, 0).map_err(|error| error.to_string())?;
        let part = |name| value.get(name).and_then(|part| part.as_bytes().map(|bytes| (bytes.len(), bytes[0], bytes[bytes.len() - 1])));
        sizes.push(["first", "inner", "third"].map(part));
    }
    let whole = value_of;
    let expected = [
        [None, whole(300_000, 2), None],
        [whole(200_000, 1), None, whole(400_000, 3)],
        [None, None, None],
        [whole(100_000, 7), None, None],
    ];
    if sizes == expected { Ok(()) } else { Err(format!("{sizes:?}")) }
}

/// What an agent says that has no blocks.
const NO_POOL: &str = "large buffers are copied once more";

/// Runs a case in a process of its own, whose web processes have JavaScriptCore's memory in a cage or not: what it printed.
fn run_again(case: &str, cage: &str) -> Check<String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program).arg(case).env("GIGACAGE_ENABLED", cage).output().map_err(|error| error.to_string())?;
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() && text.contains(&format!("ok      {case}\n")) { Ok(text) } else { Err(text) }
}

fn as_expected(_: &Host) -> Check {
    let text = run_again(CASES[0].0, "1")?;
    if text.contains(NO_POOL) { Err(text) } else { Ok(()) }
}

/// JavaScriptCore without its cage: another layout, and a real one.
fn copied(_: &Host) -> Check {
    for case in [CASES[0].0, CASES[2].0, CASES[4].0] {
        let text = run_again(case, "0")?;
        if !text.contains("disabling gigacage") {
            return Err(format!("the variable has no effect any more: {text}"));
        }
        if !text.contains(NO_POOL) {
            return Err(format!("blocks in an unknown layout: {text}"));
        }
    }
    Ok(())
}

fn value_of(length: usize, byte: u8) -> Option<(usize, u8, u8)> {
    Some((length, byte, byte))
}
