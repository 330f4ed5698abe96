// Blobs and Files: between ports of this process, and to a page and back.
const { app, BrowserWindow, MessageChannelMain } = require('electron')
const path = require('path')
const next = (port) => { const message = new Promise((resolve) => port.once('message', resolve)); port.start(); return message }
const describe = async (blob) => [blob.constructor.name, blob.type, blob.size, blob.name, blob.lastModified, await blob.text()].join(' ')

app.whenReady().then(async () => {
  const { port1, port2 } = new MessageChannelMain()
  const blob = new Blob([new Uint8Array([104, 195, 182]), 'x'], { type: 'text/Plain' })
  const file = new File(['content'], 'näme 日.txt', { type: 'a/b', lastModified: 1234567890123 })
  port1.postMessage({ list: [blob, file, blob], empty: new Blob([]) })
  const { data: { list, empty } } = await next(port2)
  console.log(await describe(list[0]), list[0] === list[2], list[0] !== blob)
  console.log(await describe(list[1]))
  console.log(await describe(empty))
  try { port1.postMessage({ blob, no () {} }) } catch (error) { console.log(error.message) }

  const window = new BrowserWindow({ show: false, webPreferences: { preload: path.join(__dirname, 'preload.js') } })
  await window.loadFile('page.html')
  const page = new MessageChannelMain()
  window.webContents.postMessage('port', null, [page.port2])
  page.port1.postMessage({ file, blob })
  const { data } = await next(page.port1)
  for (const seen of data.seen) console.log('from the page:', seen)
  console.log(await describe(data.file))
  console.log(await describe(data.parts[0]), data.parts[0] === data.parts[1])
  app.quit()
})
