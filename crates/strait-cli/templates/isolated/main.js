// The main process: hands the page a port, straight into its main world. The page can reach nothing else.
const { app, BrowserWindow, MessageChannelMain } = require('electron')

app.whenReady().then(() => {
  const window = new BrowserWindow({ title: '{{name}}', width: 640, height: 400 })
  window.loadFile('index.html')

  const { port1, port2 } = new MessageChannelMain()
  for (const word of ['level', 'strait', 'drawer']) port2.postMessage(word)
  port2.on('message', ({ data: { word, backwards } }) => console.log(`main: "${word}" backwards is "${backwards}"`))
  port2.on('close', (/** @type {Strait.PortMainClose} */ { reason }) => console.log('main: the page is gone:', reason))
  port2.start()

  // Goes to the document that is being loaded, and waits for it.
  window.webContents.postMessage('words', 'words', [port1], { world: 'main' })
})

app.on('window-all-closed', () => app.quit())
