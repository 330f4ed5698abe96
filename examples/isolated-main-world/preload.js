// Runs in a world of its own: same document as the page, other globals.
const { ipcRenderer } = require('electron')

const loaded = new Promise(resolve => window.addEventListener('load', resolve, { once: true }))

ipcRenderer.on('port-for-the-page', async ({ ports }) => {
  // Before that the page has no listener.
  await loaded
  window.postMessage('your-port', '*', ports)
})
