// A window nobody sees does the work for a window somebody does. Main introduces the two and is out of it from then on.
const { app, BrowserWindow, ipcMain, MessageChannelMain } = require('electron')

let seenByMain = 0

app.whenReady().then(async () => {
  const worker = new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } })
  await worker.loadFile('worker.html')

  const page = new BrowserWindow({ title: 'Worker window', width: 480, height: 320, webPreferences: { nodeIntegration: true } })

  ipcMain.on('need-a-worker', (event) => {
    seenByMain += 1
    // Only the page's own frame may have the worker, not an iframe in it.
    if (event.senderFrame !== page.webContents.mainFrame) return
    const { port1, port2 } = new MessageChannelMain()
    worker.webContents.postMessage('client', null, [port1])
    event.senderFrame.postMessage('your-worker', null, [port2])
    console.log('main: introduced the page to the worker')
  })

  ipcMain.on('done', () => {
    console.log(`main: saw ${seenByMain} request and none of the work`)
    setTimeout(() => app.quit(), 1000)
  })

  page.loadFile('page.html')
})
