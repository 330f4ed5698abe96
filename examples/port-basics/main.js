// A page makes a channel, keeps one end and gives the other to main.
// Watch for: messages wait for a listener, order is kept, and a close tells its reason.
const { app, BrowserWindow, ipcMain } = require('electron')

ipcMain.on('here-is-a-port', (event, label) => {
  const [port] = event.ports
  console.log(`main: got a port for "${label}"; the page has already posted into the other end`)

  let count = 0
  port.on('message', ({ data }) => {
    count += 1
    console.log(`main: message ${count} is ${JSON.stringify(data)}`)
    if (data.last) port.postMessage({ received: count })
  })
  port.on('close', ({ reason }) => {
    console.log(`main: the page's end is gone (${reason})`)
    // Leave the window for a moment, for whoever is watching.
    setTimeout(() => app.quit(), 1000)
  })

  // A port of the main process hands nothing out before it is started, however long that takes.
  setTimeout(() => {
    console.log('main: starting the port now')
    port.start()
  }, 300)
})

app.whenReady().then(() => {
  const window = new BrowserWindow({ title: 'Port basics', width: 480, height: 320, webPreferences: { nodeIntegration: true } })
  window.loadFile('index.html')
})
