// The main process: introduces the page to the worker, and again when the worker had to be replaced.
const { app, BrowserWindow, MessageChannelMain } = require('electron')

const webPreferences = { nodeIntegration: true }

app.whenReady().then(async () => {
  const page = new BrowserWindow({ title: '{{name}}', width: 640, height: 400, webPreferences })
  page.on('closed', () => app.quit())
  await page.loadFile('index.html')
  await startWorker(page)
})

/** @param {BrowserWindow} page */
const startWorker = async (page) => {
  const worker = new BrowserWindow({ show: false, webPreferences })
  worker.webContents.on('render-process-gone', (event, { reason }) => {
    console.log('main: the worker is gone:', reason)
    worker.destroy()
    if (!page.isDestroyed()) startWorker(page)
  })
  await worker.loadFile('worker.html')

  const { port1, port2 } = new MessageChannelMain()
  worker.webContents.postMessage('client', null, [port1])
  page.webContents.postMessage('worker', null, [port2])
}
