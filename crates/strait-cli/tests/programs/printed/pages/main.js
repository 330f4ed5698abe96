// What a program does with a page besides loading it, and what it hears of that; the program's processes.
const { app, BrowserWindow } = require('electron')
const said = (...args) => console.log(...args)
const once = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)))
const failure = (operation) => { try { return operation() } catch (error) { return `${error.name}: ${error.message}` } }

app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false })
  const contents = window.webContents
  const navigated = once(contents, 'did-navigate')
  await window.loadFile('page.html')
  const [event, url, status, text] = await navigated
  said('did-navigate', event.sender === contents, url.endsWith('/page.html'), status, text === '')

  const colour = () => contents.executeJavaScript('getComputedStyle(document.body).color')
  const key = await contents.insertCSS('body { color: red }')
  said('insertCSS', typeof key, await colour())
  await contents.removeInsertedCSS(key)
  await contents.removeInsertedCSS('nothing')
  said('removeInsertedCSS', await colour())
  await contents.insertCSS('body { color: blue !important }', { cssOrigin: 'user' })
  said('cssOrigin', await colour(), failure(() => contents.insertCSS('', { cssOrigin: 'other' })))

  said('worlds', await contents.executeJavaScriptInIsolatedWorld(0, [{ code: 'window.mark = 1' }, { code: 'mark + 1' }]),
    await contents.executeJavaScriptInIsolatedWorld(999, [{ code: 'typeof mark' }]), await contents.executeJavaScript('mark'))
  said(failure(() => contents.executeJavaScriptInIsolatedWorld(1000, [{ code: '1' }])))
  said(failure(() => contents.executeJavaScriptInIsolatedWorld(999, '1')))
  said(await contents.executeJavaScriptInIsolatedWorld(999, [{ code: 'throw new RangeError("out")' }]).catch((error) => `${error.name}: ${error.message}`))

  const opened = once(contents, 'devtools-opened')
  contents.openDevTools({ mode: 'detach' })
  await opened
  said('devtools', contents.isDevToolsOpened())
  const closed = once(contents, 'devtools-closed')
  contents.toggleDevTools()
  await closed
  said('devtools', contents.isDevToolsOpened())

  app.getAppMetrics()
  const metrics = app.getAppMetrics()
  const [main] = metrics
  const tab = metrics.find(({ pid }) => pid === contents.getOSProcessId())
  said('metrics', main.pid === process.pid, main.type, tab.type, metrics.some(({ type, name }) => type === 'Utility' && name === 'Network Service'))
  said(tab.memory.workingSetSize > 1000, tab.memory.peakWorkingSetSize >= tab.memory.workingSetSize, tab.creationTime > main.creationTime - 1, Date.now() - main.creationTime < 600_000,
    typeof main.cpu.percentCPUUsage, main.cpu.cumulativeCPUUsage > 0)

  const gone = once(contents, 'render-process-gone')
  const heard = once(app, 'render-process-gone')
  contents.forcefullyCrashRenderer()
  const [, details] = await gone
  const [, whose, same] = await heard
  said('render-process-gone', details, whose === contents, same.reason, contents.isCrashed())
  said(await contents.insertCSS('*{}').catch((error) => error.message))
  const back = once(contents, 'did-finish-load')
  contents.reload()
  await back
  said('reload', contents.isCrashed(), await colour())

  window.destroy()
  for (const name of ['insertCSS', 'removeInsertedCSS', 'openDevTools', 'closeDevTools', 'isDevToolsOpened', 'forcefullyCrashRenderer', 'setUserAgent']) said(name, failure(() => contents[name]('')))
  app.exit(0)
})
