const { ipcRenderer } = require('electron')
ipcRenderer.send('preloaded')
ipcRenderer.on('port', (event) => {
  const [port] = event.ports
  port.onmessage = ({ data }) => port.postMessage(`popup heard ${data}`)
})
