const { ipcRenderer } = require('electron')
globalThis.fromPreload = 'yes'
ipcRenderer.send('said', 'preload runs first', document.readyState)
ipcRenderer.on('hello', (event, ...args) => {
  ipcRenderer.send('said', 'hello', args)
  ipcRenderer.send('answered')
})
