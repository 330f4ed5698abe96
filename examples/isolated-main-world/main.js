// A page that may not touch anything of ours still gets one thing: a port to main, handed over by its preload script.
const { app, BrowserWindow, MessageChannelMain } = require('electron')
const path = require('path')

app.whenReady().then(() => {
  const window = new BrowserWindow({
    title: 'Isolated page',
    width: 480,
    height: 320,
    webPreferences: { contextIsolation: true, preload: path.join(__dirname, 'preload.js') }
  })
  window.loadFile('index.html')

  const { port1, port2 } = new MessageChannelMain()
  port2.postMessage('level')
  port2.postMessage('rotor')
  port2.postMessage('strait')
  port2.on('message', ({ data: { word, backwards } }) => {
    console.log(`main: the page read "${word}" backwards as "${backwards}"`)
    if (word === 'strait') setTimeout(() => app.quit(), 1000)
  })
  port2.start()

  // This goes to the document that is being loaded, and waits for it.
  window.webContents.postMessage('port-for-the-page', null, [port1])
})
