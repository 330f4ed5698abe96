// A shared worker or a service worker that answers with a port of its own.
const answer = (to) => {
  const { port1, port2 } = new MessageChannel()
  globalThis.kept = port1
  to.postMessage(0, [port2])
}
globalThis.onconnect = ({ ports: [port] }) => {
  port.onmessage = () => answer(port)
}
globalThis.onmessage = ({ source }) => answer(source)
