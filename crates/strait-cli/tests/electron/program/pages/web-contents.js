'use strict'
// https://www.electronjs.org/docs/latest/api/web-contents
const { app, webContents, BrowserWindow, MessageChannelMain } = require('electron')
const { BLANK } = require('../kit')

const DESTROYED = 'Object has been destroyed'

/** What a page that is gone does not do. */
const GONE = ['reload', 'reloadIgnoringCache', 'stop', 'close', 'focus', 'isCrashed', 'isLoading', 'isLoadingMainFrame', 'getURL', 'getTitle', 'getOSProcessId',
  'insertCSS', 'removeInsertedCSS', 'openDevTools', 'closeDevTools', 'toggleDevTools', 'isDevToolsOpened', 'forcefullyCrashRenderer', 'setUserAgent']

const IPC = "<title>ipc</title><script>const { ipcRenderer } = require('electron'); const heard = []; ipcRenderer.on('m', (event, ...args) => { heard.push(args); window.port = event.ports[0] })</script>"

module.exports = (test) => {
  test(['webContents.fromId', 'webContents.getAllWebContents', 'webContents.fromFrame', 'webContents.id', 'webContents.mainFrame', 'webContents.hostWebContents', 'webContents.getType', 'webContents.ipc'],
    'succeeds', 'looking pages up', async (t) => {
      const window = await t.page()
      const contents = window.webContents
      t.equal(webContents.fromId(contents.id), contents)
      t.ok(webContents.getAllWebContents().includes(contents))
      t.equal(webContents.fromFrame(contents.mainFrame), contents)
      t.deepEqual([contents.hostWebContents, contents.getType()], [null, 'window'])
      t.equal(contents.mainFrame.top, contents.mainFrame)
      t.equal(typeof contents.ipc.handle, 'function')
    })

  test(['webContents.fromId', 'webContents.getAllWebContents', 'webContents.fromFrame', 'webContents.getFocusedWebContents'], 'fails', 'what is not there is not found', async (t) => {
    const window = await t.page()
    const { id, mainFrame } = window.webContents
    const closed = t.event(window, 'closed')
    window.destroy()
    await closed
    t.equal(webContents.fromId(id), undefined)
    t.equal(webContents.fromFrame(mainFrame), undefined)
    t.ok(!webContents.getAllWebContents().some((contents) => contents.id === id))
    t.ok(webContents.getFocusedWebContents()?.id !== id)
  })

  test('webContents.getFocusedWebContents', 'succeeds', 'the page of the window that has the focus, if one has', async (t) => {
    const window = await t.page({ show: true })
    const focused = webContents.getFocusedWebContents()
    t.ok(focused === null || focused === window.webContents || BrowserWindow.getAllWindows().some((other) => other.webContents === focused))
    t.equal(focused !== null, BrowserWindow.getFocusedWindow() !== null)
  })

  test(['webContents.loadFile', 'webContents.loadURL', 'webContents.getURL', 'webContents.getTitle', 'webContents.isLoading', 'webContents.isLoadingMainFrame',
    'webContents:did-start-loading', 'webContents:did-stop-loading', 'webContents:did-finish-load', 'webContents:dom-ready', 'webContents:did-navigate', 'webContents:page-title-updated'],
  'succeeds', 'a load and its events', async (t) => {
    const window = t.window()
    const contents = window.webContents
    const seen = []
    for (const name of ['did-start-loading', 'did-navigate', 'dom-ready', 'did-finish-load', 'did-stop-loading']) contents.on(name, () => seen.push(name))
    const title = t.event(contents, 'page-title-updated')
    // The promise is settled by the end of the load, before or after this.
    const stopped = t.event(contents, 'did-stop-loading')
    const load = contents.loadFile(t.file('page.html', '<title>My page</title>'))
    t.deepEqual([contents.isLoading(), contents.isLoadingMainFrame()], [true, true])
    await Promise.all([load, stopped])
    t.deepEqual(seen, ['did-start-loading', 'did-navigate', 'dom-ready', 'did-finish-load', 'did-stop-loading'])
    t.deepEqual([contents.isLoading(), contents.isLoadingMainFrame()], [false, false])
    t.deepEqual((await title).slice(1), ['My page', true])
    t.equal(contents.getTitle(), 'My page')
    t.ok(contents.getURL().endsWith('/page.html'), contents.getURL())
    await contents.loadURL('data:text/html,<title>Other</title>')
    t.equal(contents.getURL(), 'data:text/html,<title>Other</title>')
  })

  test(['webContents.loadFile', 'webContents.loadURL', 'webContents:did-fail-load'], 'succeeds', 'a load that fails says why, twice', async (t) => {
    const window = await t.page()
    const failed = t.event(window.webContents, 'did-fail-load')
    const error = await t.rejects(window.webContents.loadFile('/nowhere/page.html'), /^ERR_FILE_NOT_FOUND \(-6\) loading 'file:\/\/\/nowhere\/page.html'$/)
    t.deepEqual([error.code, error.errno, error.url], ['ERR_FILE_NOT_FOUND', -6, 'file:///nowhere/page.html'])
    const [, code, description, url, isMainFrame] = await failed
    t.deepEqual([code, description, url, isMainFrame], [-6, 'ERR_FILE_NOT_FOUND', 'file:///nowhere/page.html', true])
  })

  test(['webContents.loadFile', 'webContents.loadURL'], 'fails', 'what is no file and no address is refused', async (t) => {
    const window = t.window()
    t.throws(() => window.webContents.loadFile(7), 'Must pass filePath as a string')
    await t.rejects(window.webContents.loadURL('http://'), /^ERR_INVALID_URL \(-300\)/)
    await t.rejects(window.webContents.loadURL(''), /^ERR_INVALID_URL \(-300\)/)
  })

  test('webContents:did-fail-load', 'succeeds', 'a load that fails as its window goes is told all the same', async (t) => {
    const window = t.window()
    const failed = t.event(window.webContents, 'did-fail-load')
    const load = window.webContents.loadURL('http://')
    const { mainFrame } = window.webContents
    window.destroy()
    // Nothing is heard meanwhile: the page has gone when it is.
    const end = Date.now() + 20_000
    while (!mainFrame.isDestroyed() && Date.now() < end);
    await t.rejects(load, /^ERR_INVALID_URL \(-300\)/)
    const [, code, , , , processId] = await failed
    t.deepEqual([code, processId], [-300, -1])
  })

  test(['webContents.reload', 'webContents.reloadIgnoringCache'], 'succeeds', 'the page comes anew', async (t) => {
    const window = await t.page()
    for (const how of ['reload', 'reloadIgnoringCache']) {
      await t.run(window, () => { window.mark = 1 })
      const loaded = t.event(window.webContents, 'did-finish-load')
      window.webContents[how]()
      await loaded
      t.equal(await t.run(window, () => typeof window.mark), 'undefined')
    }
  })

  test('webContents.stop', 'succeeds', 'a load that is stopped is aborted', async (t) => {
    const window = t.window()
    const load = window.webContents.loadFile(BLANK)
    window.webContents.stop()
    await t.rejects(load, /^ERR_ABORTED \(-3\)/)
  })

  test('webContents:did-start-navigation', 'succeeds', 'where the page goes is told before it is there', async (t) => {
    const window = await t.page()
    const { webContents } = window
    const seen = []
    webContents.on('did-start-navigation', (event, url, isInPlace, isMainFrame, processId, routingId) => {
      seen.push(['start', url.split('#')[1] ?? url, isInPlace, event.url === url && event.isSameDocument === isInPlace])
      t.deepEqual([event.sender, event.frame, event.isMainFrame, isMainFrame], [webContents, webContents.mainFrame, true, true])
      t.deepEqual([processId, routingId], [webContents.mainFrame.processId, webContents.mainFrame.routingId])
    })
    webContents.on('did-navigate', (_event, url) => seen.push(['there', url]))
    webContents.on('did-navigate-in-page', (_event, url) => seen.push(['within', url.split('#')[1]]))
    const [first, second] = ['data:text/html,<title>first</title>', 'data:text/html,<title>second</title>']
    await window.loadURL(first)
    // The page goes somewhere by itself.
    const there = t.file('second.html', '<title>second</title>')
    await window.loadFile(there)
    const moved = t.event(webContents, 'did-navigate-in-page')
    await t.run(window, () => { location.hash = 'part' })
    await moved
    const loaded = t.event(webContents, 'did-finish-load')
    await t.run(window, (url) => { setTimeout(() => location.replace(url)) }, `file://${there}?again`)
    await loaded
    await window.loadURL(second)
    t.deepEqual(seen, [
      ['start', first, false, true], ['there', first], ['start', `file://${there}`, false, true], ['there', `file://${there}`],
      ['start', 'part', true, true], ['within', 'part'],
      ['start', `file://${there}?again`, false, true], ['there', `file://${there}?again`], ['start', second, false, true], ['there', second]
    ])
  })

  test('webContents.loadURL', 'succeeds', 'headers of the program\'s go with the request, and with no other', async (t) => {
    const requests = []
    const server = require('net').createServer((socket) => {
      let text = ''
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        text += chunk
        if (!text.includes('\r\n\r\n')) return
        const [line, ...lines] = text.split('\r\n')
        const headers = Object.fromEntries(lines.filter((line) => line.includes(': ')).map((line) => [line.split(': ')[0].toLowerCase(), line.slice(line.indexOf(': ') + 2)]))
        if (line.startsWith('GET /page')) requests.push([headers['x-first'], headers['x-second'], headers.referer])
        text = ''
        socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<title>x</title')
      })
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const window = t.window()
    const url = `http://127.0.0.1:${server.address().port}/page`
    const other = 'https://other.example/page'
    await window.loadURL(url, { extraHeaders: 'X-First: one\nX-Second:two: and more\n\nno header', httpReferrer: other })
    await window.loadURL(url, { httpReferrer: { url: other, policy: 'unsafe-url' } })
    await window.loadURL(url)
    t.deepEqual(requests, [['one', 'two: and more', other], [undefined, undefined, other], [undefined, undefined, undefined]])
  })

  test('webContents:did-navigate-in-page', 'succeeds', 'a page moves within its document by itself', async (t) => {
    const window = await t.page()
    const seen = []
    for (const name of ['did-navigate', 'did-navigate-in-page']) window.webContents.on(name, (_event, url) => seen.push([name, url.split('/').pop()]))
    const moved = async (body) => {
      const event = t.event(window.webContents, 'did-navigate-in-page')
      await t.run(window, body)
      await event
    }
    await moved(() => { location.hash = 'one' })
    await moved(() => history.pushState(null, '', '?two'))
    await moved(() => { history.back() })
    const loaded = t.event(window.webContents, 'did-finish-load')
    window.reload()
    await loaded
    t.deepEqual(seen, [['did-navigate-in-page', 'blank.html#one'], ['did-navigate-in-page', 'blank.html?two'], ['did-navigate-in-page', 'blank.html#one'], ['did-navigate', 'blank.html#one']])
  })

  test('webContents:did-navigate-in-page', 'succeeds', 'a move to a fragment', async (t) => {
    const window = await t.page()
    const moved = t.event(window.webContents, 'did-navigate-in-page')
    await window.loadURL(`${window.webContents.getURL()}#part`)
    const [, url, ...where] = await moved
    t.ok(url.endsWith('#part'), url)
    const { processId, routingId } = window.webContents.mainFrame
    t.deepEqual(where, [true, processId, routingId])
  })

  test(['webContents:did-frame-navigate', 'webContents:did-frame-finish-load'], 'succeeds', 'of the main frame, and of one within it that goes on by itself', async (t) => {
    const { webContents } = t.window()
    const gone = []
    const loaded = []
    let notice
    const until = (test) => t.within(new Promise((resolve) => {
      notice = () => { if (test()) resolve() }
      notice()
    }), `${JSON.stringify(gone)} ${JSON.stringify(loaded)}`)
    webContents.on('did-frame-navigate', (_event, url, status, text, ...frame) => { gone.push([url.split('/').pop(), status, text, ...frame]); notice?.() })
    webContents.on('did-frame-finish-load', (_event, ...frame) => { loaded.push(frame); notice?.() })
    for (const name of ['one', 'two']) t.file(`${name}.html`, `<img src="nothing.png">${name}`)
    webContents.loadFile(t.file('page.html', '<iframe src="one.html"></iframe>')).catch(() => {})
    await until(() => loaded.length === 2 && gone.length === 2)
    const { mainFrame } = webContents
    const [frame] = mainFrame.frames
    const [top, within] = [mainFrame, frame].map((one) => [one === mainFrame, one.processId, one.routingId])
    t.deepEqual(loaded, [within, top])
    // What is known of the two comes on two ways, and that of the first document may be before its process.
    const [ofFrame, ofPage] = gone.sort()
    t.deepEqual(ofFrame, ['one.html', -1, '', ...within])
    t.deepEqual([...ofPage.slice(0, 4), ofPage[5]], ['page.html', -1, '', true, mainFrame.routingId])
    frame.executeJavaScript('location.href = "two.html"').catch(() => {})
    await until(() => loaded.length === 3 && gone.length === 3)
    t.deepEqual([gone[2], loaded[2]], [['two.html', -1, '', ...within], within])
  })

  test(['webContents.send', 'webContents.postMessage'], 'succeeds', 'arguments and ports arrive', async (t) => {
    const window = await t.page({}, IPC)
    const { port1, port2 } = new MessageChannelMain()
    window.webContents.send('m', 1, [2, new Map([[3, 4n]])])
    window.webContents.postMessage('m', { five: 5 }, [port1])
    t.deepEqual(await t.run(window, () => heard), [[1, [2, new Map([[3, 4n]])]], [{ five: 5 }]])
    const answer = t.event(port2, 'message')
    port2.start()
    await t.run(window, () => { port.postMessage('from the page') })
    t.equal((await answer)[0].data, 'from the page')
  })

  test(['webContents.send', 'webContents.postMessage', 'webContents.sendToFrame'], 'fails', 'each mistake has its error, and nothing is consumed', async (t) => {
    const window = await t.page()
    const contents = window.webContents
    const { port1 } = new MessageChannelMain()
    t.throws(() => contents.send(7), 'Missing required channel argument')
    t.throws(() => contents.send('m', () => {}), 'An object could not be cloned.')
    t.throws(() => contents.postMessage('m'), 'Insufficient number of arguments')
    t.throws(() => contents.postMessage(7, null), 'Error processing argument at index 0')
    t.throws(() => contents.postMessage('m', () => {}), 'An object could not be cloned.')
    t.throws(() => contents.postMessage('m', null, {}), 'Invalid value for transfer')
    t.throws(() => contents.postMessage('m', null, [null]), 'Invalid value for transfer')
    t.throws(() => contents.postMessage('m', null, [port1, port1]), 'Port at index 1 is a duplicate.')
    contents.postMessage('m', null, [port1])
    t.throws(() => contents.postMessage('m', null, [port1]), 'Port at index 0 is already neutered.')
    t.equal(contents.sendToFrame(123456789, 'm'), false)
  })

  test('webContents.sendToFrame', 'succeeds', 'a frame by its number', async (t) => {
    const window = await t.page({}, IPC)
    t.equal(window.webContents.sendToFrame(window.webContents.mainFrame.routingId, 'm', 'to the frame'), true)
    t.deepEqual(await t.run(window, () => heard), [['to the frame']])
  })

  test('webContents.executeJavaScript', 'succeeds', 'values and promises come back', async (t) => {
    const { webContents: contents } = await t.page()
    t.equal(await contents.executeJavaScript('6 * 7'), 42)
    t.deepEqual(await contents.executeJavaScript('Promise.resolve({ later: [1] })'), { later: [1] })
  })

  test('webContents.executeJavaScript', 'fails', 'errors and what cannot be cloned reject', async (t) => {
    const { webContents: contents } = await t.page()
    await t.rejects(contents.executeJavaScript("throw new RangeError('too far')"), /too far/)
    await t.rejects(contents.executeJavaScript("Promise.reject(new Error('no'))"), /no/)
    await t.rejects(contents.executeJavaScript('syntax error'), /SyntaxError|Unexpected/)
    await t.rejects(contents.executeJavaScript('(() => {})'), /could not be cloned/)
  })

  test('webContents.executeJavaScriptInIsolatedWorld', 'succeeds', "scripts run in the preload's world", async (t) => {
    const preload = t.file('preload.js', 'globalThis.secret = 11')
    const window = await t.page({ webPreferences: { nodeIntegration: false, contextIsolation: true, preload } })
    t.equal(await window.webContents.executeJavaScriptInIsolatedWorld(999, [{ code: 'secret' }]), 11)
    t.equal(await window.webContents.executeJavaScript('typeof secret'), 'undefined')
  })

  test('webContents.executeJavaScriptInIsolatedWorld', 'fails', 'errors reject', async (t) => {
    const window = await t.page()
    await t.rejects(window.webContents.executeJavaScriptInIsolatedWorld(999, [{ code: "throw new Error('in there')" }]), /in there/)
  })

  test('webContents:console-message', 'succeeds', 'level, text and place', async (t) => {
    const window = t.window()
    const told = t.event(window.webContents, 'console-message')
    await window.loadFile(t.file('page.html', '<script>\nconsole.warn("careful", 1)</script>'))
    const [{ level, message, lineNumber, sourceId }] = await told
    t.deepEqual([level, message, lineNumber], ['warning', 'careful 1', 2])
    t.ok(sourceId.endsWith('/page.html'), sourceId)
    const thrown = t.event(window.webContents, 'console-message')
    await t.run(window, () => { setTimeout(() => { throw new Error('from nowhere') }) })
    const [details] = await thrown
    t.deepEqual([details.level, details.message, details.sourceId], ['error', 'Error: from nowhere', ''])
  })

  test('webContents:preload-error', 'succeeds', 'a preload script that fails', async (t) => {
    const preload = t.file('preload.js', '\nthrow new Error("at the start")')
    const window = t.window({ webPreferences: { preload } })
    const told = t.event(window.webContents, 'preload-error')
    await window.loadFile(BLANK)
    const [, path, error] = await told
    t.equal(path, preload)
    t.ok(/at the start/.test(error.message), error.message)
  })

  test('webContents:frame-created', 'succeeds', 'the main frame and iframes', async (t) => {
    const window = t.window()
    const frames = []
    window.webContents.on('frame-created', (event, { frame }) => frames.push(frame))
    await window.loadFile(t.file('page.html', '<iframe srcdoc="x"></iframe>'))
    t.equal(frames[0], window.webContents.mainFrame)
    t.ok(frames.includes(window.webContents.mainFrame.frames[0]))
  })

  test(['webContents.isCrashed', 'webContents.getOSProcessId', 'webContents.getProcessId', 'webContents:render-process-gone', 'webContents.forcefullyCrashRenderer'], 'succeeds', 'a process that is killed', async (t) => {
    const window = await t.page()
    const contents = window.webContents
    t.ok(contents.getOSProcessId() > 1)
    t.equal(contents.getProcessId(), contents.mainFrame.processId)
    t.equal(contents.isCrashed(), false)
    const gone = t.event(contents, 'render-process-gone')
    contents.forcefullyCrashRenderer()
    const [, { reason, exitCode }] = await gone
    t.ok(['crashed', 'killed'].includes(reason), reason)
    t.equal(typeof exitCode, 'number')
    t.equal(contents.isCrashed(), true)
    await window.loadFile(BLANK)
    t.equal(contents.isCrashed(), false)
  })

  test(['webContents.setWindowOpenHandler', 'webContents:did-create-window'], 'succeeds', 'windows that the page opens', async (t) => {
    const window = await t.page()
    const asked = []
    window.webContents.setWindowOpenHandler((details) => {
      asked.push(details.frameName)
      return details.frameName === 'no' ? { action: 'deny' } : { action: 'allow', overrideBrowserWindowOptions: { show: false } }
    })
    t.equal(await t.run(window, () => window.open('about:blank', 'no') === null), true)
    const created = t.event(window.webContents, 'did-create-window')
    t.equal(await t.run(window, () => window.open('about:blank', 'yes') !== null), true)
    const [child, details] = await created
    t.ok(child instanceof BrowserWindow)
    t.equal(details.frameName, 'yes')
    t.deepEqual(asked, ['no', 'yes'])
    const closed = t.event(child, 'closed')
    child.destroy()
    await closed
  })

  test('webContents.setWindowOpenHandler', 'fails', 'a handler must be a function', async (t) => {
    const window = await t.page()
    t.throws(() => window.webContents.setWindowOpenHandler({}), /must be a function/)
  })

  test(['webContents.close', 'webContents.focus', 'webContents:destroyed', 'webContents.isDestroyed'], 'succeeds', 'closing the page closes its window', async (t) => {
    const window = await t.page()
    const contents = window.webContents
    contents.focus()
    t.equal(contents.isDestroyed(), false)
    const destroyed = t.event(contents, 'destroyed')
    contents.close()
    await destroyed
    t.deepEqual([contents.isDestroyed(), window.isDestroyed()], [true, true])
  })

  test([...GONE, 'getProcessId'].map((name) => `webContents.${name}`), 'fails', 'a page that is gone', async (t) => {
      const window = await t.page()
      const contents = window.webContents
      const closed = t.event(window, 'closed')
      window.destroy()
      await closed
      for (const name of GONE) t.throws(() => contents[name]('x'), DESTROYED)
      t.throws(() => contents.getProcessId(), /destroyed|disposed/)
      t.throws(() => contents.send('m'), DESTROYED)
      t.throws(() => contents.postMessage('m', null), DESTROYED)
      t.throws(() => contents.executeJavaScript('1'), DESTROYED)
      t.equal(contents.isDestroyed(), true)
    })

  test(['webContents.insertCSS', 'webContents.removeInsertedCSS'], 'succeeds', 'a style sheet comes and goes', async (t) => {
    const window = await t.page({}, '<p>text</p>')
    const display = () => t.run(window, () => getComputedStyle(document.querySelector('p')).display)
    const key = await window.webContents.insertCSS('p { display: inline-block }')
    t.deepEqual([typeof key, await display()], ['string', 'inline-block'])
    await window.webContents.removeInsertedCSS(key)
    t.equal(await display(), 'block')
  })

  test('webContents.insertCSS', 'succeeds', 'a style sheet goes with its document', async (t) => {
    const window = await t.page({}, '<p>text</p>')
    const { webContents } = window
    const display = () => t.run(window, () => getComputedStyle(document.querySelector('p')).display)
    const former = await webContents.insertCSS('p { display: inline-block }')
    t.equal(await display(), 'inline-block')
    const loaded = t.event(webContents, 'did-finish-load')
    window.reload()
    await loaded
    // What is said of this one reaches the page behind what was said of the former.
    await webContents.insertCSS('b { display: flex }')
    t.equal(await display(), 'block')
    await webContents.removeInsertedCSS(former)
    t.equal(await display(), 'block')
  })

  test('webContents.setUserAgent', 'succeeds', 'what the page says it is', async (t) => {
    const window = t.window()
    window.webContents.setUserAgent('Mine/1.0')
    await window.loadFile(BLANK)
    t.equal(await t.run(window, () => navigator.userAgent), 'Mine/1.0')
  })

  test(['webContents.openDevTools', 'webContents.isDevToolsOpened', 'webContents.closeDevTools', 'webContents.toggleDevTools'], 'succeeds', 'the developer tools', async (t) => {
    const window = await t.page({ show: true })
    const contents = window.webContents
    t.equal(contents.isDevToolsOpened(), false)
    for (const [open, close] of [['openDevTools', 'closeDevTools'], ['toggleDevTools', 'toggleDevTools']]) {
      const opened = t.event(contents, 'devtools-opened')
      contents[open]()
      await opened
      t.equal(contents.isDevToolsOpened(), true)
      const closed = t.event(contents, 'devtools-closed')
      contents[close]()
      await closed
      t.equal(contents.isDevToolsOpened(), false)
    }
  })

  test(['webContents:ipc-message', 'webContents:ipc-message-sync'], 'succeeds', 'what the page sends is also told by the page', async (t) => {
    const window = await t.page({}, IPC)
    const sent = t.event(window.webContents, 'ipc-message')
    await t.run(window, () => { ipcRenderer.send('any', 1, 2) })
    t.deepEqual((await sent).slice(1), ['any', 1, 2])
    window.webContents.once('ipc-message-sync', (event, channel, value) => { event.returnValue = [channel, value] })
    t.deepEqual(await t.run(window, () => ipcRenderer.sendSync('sync', 3)), ['sync', 3])
  })

  test([], 'succeeds', 'what follows a load is for the new document', async (t) => {
    const window = await t.page({}, IPC)
    const load = window.loadFile(t.file('next.html', IPC))
    window.webContents.send('m', 'for the next')
    await load
    t.deepEqual(await t.run(window, () => heard), [['for the next']])
  })

  test([], 'succeeds', 'app announces each page', async (t) => {
    const announced = t.event(app, 'web-contents-created')
    const window = t.window()
    t.equal((await announced)[1], window.webContents)
  })
}
