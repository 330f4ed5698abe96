// Comlink between the page, main, and a worker thread of main's: each calls the others over ports that stand for each other.
const { app, BrowserWindow, MessageChannelMain, ipcMain } = require('electron')
const { Worker } = require('worker_threads')
const path = require('path')
const Comlink = require('comlink')
const nodeEndpoint = require('comlink/dist/umd/node-adapter')

const worker = new Worker(path.join(__dirname, 'worker.js'))

/** An end for the worker, and the other one. */
function channelToWorker () {
  const { port1, port2 } = new MessageChannelMain()
  const port = port2.toMessagePort()
  worker.postMessage(port, [port])
  return port1
}

/** What the page may call in main. */
class Service {
  async ofWorker (number) {
    return `main asked the worker: ${await ofMain.square(number)}`
  }

  fail () { throw new RangeError('main refuses') }
}

const ofMain = Comlink.wrap(nodeEndpoint(channelToWorker().toMessagePort()))

ipcMain.once('done', async () => {
  await worker.terminate()
  app.quit()
})

app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } })
  await window.loadFile(path.join(__dirname, 'page.html'))
  const { port1, port2 } = new MessageChannelMain()
  Comlink.expose(new Service(), nodeEndpoint(port1.toMessagePort()))
  window.webContents.postMessage('ports', null, [channelToWorker(), port2])
})
