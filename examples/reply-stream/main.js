// One request, many answers: the request carries a port, and the answers come back through it until it closes.
const { app, BrowserWindow, ipcMain } = require('electron')

ipcMain.on('count-down', (event, { from }) => {
  const [replies] = event.ports
  let next = from

  const timer = setInterval(() => {
    replies.postMessage({ seconds: next })
    next -= 1
    if (next < 0) {
      clearInterval(timer)
      // What was posted before the close is delivered before it.
      replies.close()
    }
  }, 50)

  // The page may lose interest first.
  replies.on('close', () => clearInterval(timer))
  replies.start()
})

ipcMain.on('done', () => setTimeout(() => app.quit(), 1000))

app.whenReady().then(() => {
  const window = new BrowserWindow({ title: 'Reply stream', width: 480, height: 320, webPreferences: { nodeIntegration: true } })
  window.loadFile('index.html')
})
