//! Scripts that no agent reaches: their ports are WebKit's own, and linked with ours.

use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, View, same};
use crate::server::Server;

pub(crate) const CASES: &[Case] =
    &[("a service worker gets ports and sends ports", service_worker), ("a worklet gets ports and sends ports", worklet)];

/// Answers on a port that it is given, and gives one of its own.
const SCRIPT: &str = "const serve = (source, given) => {
   const own = new MessageChannel()
   own.port1.onmessage = ({ data }) => own.port1.postMessage('own ' + data)
   given.onmessage = ({ data, ports }) => given.postMessage(['given ' + data, typeof given.onclose], ports)
   source.postMessage('mine', [own.port2])
 }\n";

/// What a page does with whom it can post to; `log` has what comes back.
const USE: &str = "var log = []
 const use = (target) => {
   const { port1, port2 } = new MessageChannel()
   port1.postMessage('early')
   target.postMessage('take', [port2])
   const inner = new MessageChannel()
   inner.port1.onmessage = ({ data }) => log.push(['round', data])
   port1.onmessage = ({ data, ports: [port] }) => {
     log.push(data)
     if (port !== undefined) { port.onmessage = ({ data }) => port.postMessage(data + ' and back'); inner.port1.postMessage('there') }
   }
   port1.postMessage('late', [inner.port2])
 }
 const take = ({ data, ports: [port] }) => {
   // Through a channel of ours on to somebody else.
   const carrier = new MessageChannel()
   carrier.port2.onmessage = ({ ports: [port] }) => { port.onmessage = ({ data }) => log.push(data); port.postMessage(data) }
   carrier.port1.postMessage('on', [port])
 }\n";

fn log(host: &Host, view: &View, length: usize, expected: &str) -> Check {
    host.until_true(view, World::Main, &format!("log.length >= {length}"))
        .map_err(|text| format!("{text}; the log is {}", host.eval(view, World::Main, "return log").unwrap_or_default()))?;
    same("the log", &host.eval(view, World::Main, "return log.map(String).sort()")?, expected)
}

fn service_worker(host: &Host) -> Check {
    let worker = format!("{SCRIPT} onmessage = ({{ source, ports: [given] }}) => serve(source, given)");
    let page = format!(
        "<script>{USE}
         navigator.serviceWorker.onmessage = take
         navigator.serviceWorker.register('/worker.js')
           .then(() => navigator.serviceWorker.ready)
           .then(({{ active }}) => use(active))
           .catch((error) => log.push(String(error)))</script>"
    );
    let server = Server::start(vec![("/", "", page), ("/worker.js", "", worker)])?;
    let view = host.open(Setup::default())?;
    host.eval(&view, World::Main, &format!("location.href = '{}'", server.url("/")))?;
    host.new_document(&view)?;
    // No `onclose` where there is no glue.
    log(host, &view, 4, r#"["given early,undefined","given late,undefined","own mine","round,there and back"]"#)?;
    let script = "return navigator.serviceWorker.getRegistration().then((one) => one.unregister()).then(() => String(ServiceWorker.prototype.postMessage).includes('native'))";
    same("the end", &host.eval(&view, World::Main, script)?, "true")
}

fn worklet(host: &Host) -> Check {
    // There are no channels to be made there, only ports that are given.
    let script = "registerProcessor('ports', class extends AudioWorkletProcessor {
        constructor() {
          super()
          this.port.onmessage = ({ ports: [given] }) => {
            given.onmessage = ({ data, ports }) => given.postMessage(['given ' + data, typeof MessageChannel], ports)
          }
        }
        process() { return true }
      })";
    let file = host.write("worklet.js", script);
    let html = format!(
        "<script>{USE}
         // Offline: no sound device is needed. Long enough for messages to come and go.
         const context = new OfflineAudioContext(1, 44100 * 600, 44100)
         context.audioWorklet.addModule('file://{}').then(() => {{
           const node = new AudioWorkletNode(context, 'ports')
           node.onprocessorerror = () => log.push('processor error')
           node.connect(context.destination)
           use(node.port)
           context.startRendering()
         }}).catch((error) => log.push(String(error)))</script>",
        file.display()
    );
    let view = host.open(Setup { html: &html, ..Setup::default() })?;
    log(host, &view, 3, r#"["given early,undefined","given late,undefined","round,there and back"]"#)
}
