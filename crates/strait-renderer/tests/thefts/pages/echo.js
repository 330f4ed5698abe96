// What a receiver does with a port: every message comes back as it was; a port inside a message is served in the same way.
const serve = (port) => {
  port.onmessage = ({ data, ports }) => {
    if (ports.length > 0) ports.forEach(serve)
    else if (data === 'end') port.close()
    else port.postMessage(data)
  }
}
