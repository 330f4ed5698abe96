const { ipcRenderer } = require('electron')
ipcRenderer.once('port', ({ ports: [port] }) => {
  port.onmessage = ({ data, ports }) => port.postMessage(data, ports)
})
