// Windows that pages open.
const { app, BrowserWindow, MessageChannelMain, ipcMain, webContents } = require('electron')
const path = require('path')
const said = (...args) => console.log(...args)
const once = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)))
const short = (url) => url.replace(/.*\//, '')

app.on('window-all-closed', () => {})
process.on('uncaughtException', (error) => said('uncaught', error.message))

app.whenReady().then(async () => {
  const created = []
  app.on('browser-window-created', (event, window) => created.push(window.id))
  // Its pages open windows with Node integration, which those of a sandboxed window do not get.
  const window = new BrowserWindow({ show: false, webPreferences: { sandbox: false, preload: path.join(__dirname, 'preload.js') } })
  await window.loadFile('page.html')
  const page = window.webContents
  const run = (script) => page.executeJavaScript(script)

  // By default everything may be opened, as the opener is.
  let made = once(page, 'did-create-window')
  let preloaded = once(ipcMain, 'preloaded')
  said('open', await run("window.popup = open('page.html', 'its name', 'width=310,height=210,left=3,colour=red'); popup !== null"))
  const [popup, details] = await made
  const { url, frameName, options, disposition, referrer } = details
  said(short(url), frameName, disposition, short(referrer.url), options.width, options.height, options.left, options.colour, 'features' in details)
  said(popup instanceof BrowserWindow, popup.getSize(), popup.isVisible(), created.join() === `${window.id},${popup.id}`, BrowserWindow.getAllWindows().length)
  said(BrowserWindow.fromWebContents(popup.webContents) === popup, webContents.fromId(popup.webContents.id) === popup.webContents)
  const [event] = await preloaded
  said('preload', event.sender === popup.webContents, event.senderFrame === popup.webContents.mainFrame)
  await popup.webContents.executeJavaScript('document.readyState')

  // A channel of main's goes to it like to any window.
  const { port1, port2 } = new MessageChannelMain()
  popup.webContents.postMessage('port', null, [port2])
  port1.postMessage('hello')
  const heard = once(port1, 'message')
  port1.start()
  said((await heard)[0].data)
  const portClosed = once(port1, 'close')
  const closed = once(popup, 'closed')
  await run('popup.close()')
  await closed
  said('closed', popup.isDestroyed(), (await portClosed)[0].reason, await run('popup.closed'))

  // A handler decides.
  const asked = []
  let answer = { action: 'deny' }
  page.setWindowOpenHandler((details) => {
    asked.push(`${short(details.url)} '${details.frameName}' '${details.features}' ${details.disposition}`)
    if (answer instanceof Error) throw answer
    return answer
  })
  said('denied', await run("open('page.html', 'other', 'popup') === null"))
  for (const wrong of [undefined, null, 'allow', {}, { action: 'perhaps' }]) {
    answer = wrong
    said('wrong', String(wrong), await run("open('page.html') === null"))
  }
  answer = new Error('the handler failed')
  said('thrown', await run("open('') === null"))
  answer = { action: 'allow', overrideBrowserWindowOptions: { preload: 1, webPreferences: { preload: 1 } } }
  said('bad options', await run("open('') === null"))
  answer = { action: 'allow', createWindow: () => {} }
  said('createWindow', await run("open('') === null"))
  said(asked.join('\n'))
  said(BrowserWindow.getAllWindows().length)

  answer = { action: 'allow', overrideBrowserWindowOptions: { show: false, width: 333, title: 'over', webPreferences: { preload: path.join(__dirname, 'preload.js'), contextIsolation: false, nodeIntegration: true } } }
  made = once(page, 'did-create-window')
  said('overridden', await run("window.popup = open('', '', 'width=200,height=222'); typeof popup.require"))
  const [second, { options: merged }] = await made
  said(second.getSize(), second.isVisible(), second.getTitle(), merged.title, merged.width, merged.height)

  // It goes with its opener, unless it is to stay.
  answer = { action: 'allow', outlivesOpener: true }
  made = once(page, 'did-create-window')
  await run("open(''); 0")
  const [third] = await made
  page.setWindowOpenHandler(null)
  try { page.setWindowOpenHandler(1) } catch (error) { said(error.name, error.message) }
  const gone = once(second, 'closed')
  window.destroy()
  await gone
  said('left', BrowserWindow.getAllWindows().length, third.isDestroyed())
  said(await third.webContents.executeJavaScript('1 + 1'))
  app.quit()
})
