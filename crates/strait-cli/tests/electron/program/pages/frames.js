'use strict'
// https://www.electronjs.org/docs/latest/api/web-frame-main, and what preferences mean for frames in pages
const { ipcMain, webContents, webFrameMain } = require('electron')

const inner = (text) => `<iframe srcdoc="${text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></iframe>`
const names = (frames) => frames.map(({ name }) => name)

/** Looks until it is so; the test's own limit bounds that. What a page says of its frames comes without an event of its own. */
const until = async (is) => {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 10))
}

module.exports = (test) => {
  /** A window that is about to show a page with these frames in it. */
  const framed = async (t, text, preferences) => {
    const window = t.window({ webPreferences: preferences })
    const created = []
    window.webContents.on('frame-created', (_event, { frame }) => created.push(frame))
    await window.loadFile(t.file('page.html', text))
    return { window, created, main: window.webContents.mainFrame }
  }

  test(['webFrameMain.frames', 'webFrameMain.framesInSubtree', 'webFrameMain.parent', 'webFrameMain.top', 'webFrameMain.name', 'webFrameMain.routingId', 'webFrameMain.processId',
    'webFrameMain.osProcessId', 'webFrameMain.frameToken', 'webFrameMain.url', 'webFrameMain.origin', 'webFrameMain.detached'],
  'succeeds', 'a tree of frames, three deep', async (t) => {
    const third = '<p>third</p>'
    const second = `<iframe name="third" srcdoc="${third}"></iframe>`
    const { window, created, main } = await framed(t, `<iframe name="second" srcdoc='${second}'></iframe><iframe name="other" src="about:blank"></iframe>`)
    // A page has loaded, and what it says of its frames may still be under way.
    await until(() => main.framesInSubtree.length === 4)
    t.deepEqual(names(main.framesInSubtree).sort(), ['', 'other', 'second', 'third'])
    t.deepEqual(names(main.frames).sort(), ['other', 'second'])
    const [two, other] = ['second', 'other'].map((name) => main.frames.find((frame) => frame.name === name))
    const [three] = two.frames
    t.deepEqual([main.parent, two.parent === main, three.parent === two, three.top === main, two.frames.length, other.frames.length], [null, true, true, true, 1, 0])
    t.deepEqual([main.url.startsWith('file:///'), main.origin, three.detached, main.detached], [true, 'file://', false, false])
    t.deepEqual([three.processId === main.processId, three.osProcessId === window.webContents.getOSProcessId()], [true, true])
    t.equal(new Set(main.framesInSubtree.map(({ frameToken }) => frameToken)).size, 4)
    // One object for each frame, from wherever it comes.
    for (const frame of main.framesInSubtree) {
      t.ok(webFrameMain.fromId(frame.processId, frame.routingId) === frame, 'fromId')
      t.ok(webFrameMain.fromFrameToken(frame.processId, frame.frameToken) === frame, 'fromFrameToken')
      t.ok(webContents.fromFrame(frame) === window.webContents, 'fromFrame')
    }
    t.deepEqual([created.length, new Set(created).size], [4, 4])
    // Another document is no other frame.
    two.executeJavaScript("location.href = 'about:blank'").catch(() => {})
    await until(() => two.url === 'about:blank')
    t.deepEqual([main.frames.includes(two), created.length, two.frames.length], [true, 4, 0])
  })

  test('webFrameMain.fromFrameToken', 'succeeds', 'finds the frame a token names', async (t) => {
    const { mainFrame } = (await t.page()).webContents
    t.ok(webFrameMain.fromFrameToken(mainFrame.processId, mainFrame.frameToken) === mainFrame)
  })

  test('webFrameMain.fromFrameToken', 'fails', 'gives null for what names no frame', async (t) => {
    const { mainFrame } = (await t.page()).webContents
    t.deepEqual([webFrameMain.fromFrameToken(mainFrame.processId + 1000, mainFrame.frameToken), webFrameMain.fromFrameToken(mainFrame.processId, 'nothing')], [null, null])
  })

  test('webFrameMain.fromId', 'fails', 'gives undefined for what names no frame', async (t) => {
    const { mainFrame } = (await t.page()).webContents
    t.equal(webFrameMain.fromId(mainFrame.processId, mainFrame.routingId + 1000), undefined)
  })

  test([], 'succeeds', 'a page that has loaded nothing', (t) => {
    const { mainFrame } = t.window().webContents
    t.deepEqual([mainFrame.url, mainFrame.origin, mainFrame.detached, mainFrame.isDestroyed()], ['', 'null', false, false])
  })

  test('webFrameMain.isDestroyed', 'succeeds', 'a frame that is removed is gone, and what is asked of it says so', async (t) => {
    const { window, main } = await framed(t, '<iframe name="one"></iframe>')
    await until(() => main.frames.length === 1)
    const [frame] = main.frames
    await t.run(window, '() => { document.querySelector("iframe").remove() }')
    await until(() => frame.isDestroyed())
    t.deepEqual([main.frames, frame.detached], [[], true])
    t.throws(() => frame.url, 'Render frame was disposed before WebFrameMain could be accessed')
    t.throws(() => frame.postMessage('x', 1), 'Render frame was disposed before WebFrameMain could be accessed')
  })

  test(['webContents.sendToFrame'], 'succeeds', 'reaches a frame of the page by its number, or with its process', async (t) => {
    const listen = "<script>const { ipcRenderer } = require('electron'); ipcRenderer.on('to', (event, text) => ipcRenderer.send('from', text))</script>"
    const { window, main } = await framed(t, inner(listen), { nodeIntegrationInSubFrames: true })
    const { webContents: contents } = window
    await until(() => main.frames.length === 1)
    const [frame] = main.frames
    for (const target of [frame.routingId, [frame.processId, frame.routingId]]) {
      const answered = t.event(ipcMain, 'from')
      t.equal(contents.sendToFrame(target, 'to', 'hello'), true)
      const [event, text] = await answered
      t.deepEqual([event.senderFrame === frame, event.sender === contents, event.frameId, event.processId, text], [true, true, frame.routingId, frame.processId, 'hello'])
    }
    // From any of its frames the page itself can be told.
    const heard = t.event(contents.ipc, 'from')
    const own = t.event(frame.ipc, 'from')
    frame.send('to', 'for both')
    t.deepEqual([(await own)[1], (await heard)[1]], ['for both', 'for both'])
  })

  test('webContents.sendToFrame', 'fails', 'knows no frames of other pages, of other processes, or none', async (t) => {
    const [one, other] = await Promise.all([t.page(), t.page()])
    const { mainFrame } = other.webContents
    t.deepEqual([
      one.webContents.sendToFrame(mainFrame.routingId, 'x'),
      other.webContents.sendToFrame([mainFrame.processId + 1000, mainFrame.routingId], 'x'),
      one.webContents.sendToFrame(123456, 'x')
    ], [false, false, false])
    t.throws(() => one.webContents.sendToFrame('x', 'x'), 'Missing required frameId (must be number)')
  })

  test('webPreferences.nodeIntegrationInSubFrames', 'succeeds', 'preloads run in frames of any origin, and each has its own ipcRenderer', async (t) => {
    const preload = t.file('preload.js', "const { ipcRenderer } = require('electron'); ipcRenderer.send('preloaded', process.isMainFrame, location.protocol)")
    const window = t.window({ webPreferences: { preload, nodeIntegration: false, nodeIntegrationInSubFrames: true } })
    const heard = []
    window.webContents.ipc.on('preloaded', ({ senderFrame }, isMain, protocol) => heard.push([senderFrame === window.webContents.mainFrame, isMain, protocol]))
    await window.loadFile(t.file('page.html', '<iframe srcdoc="one"></iframe><iframe src="data:text/html,other"></iframe>'))
    const all = () => heard.map((entry) => entry.join(' ')).sort()
    await until(() => heard.length >= 3)
    t.deepEqual(all(), ['false false about:', 'false false data:', 'true true file:'])
  })

  test('webPreferences.nodeIntegrationInSubFrames', 'fails', 'without it, frames have nothing', async (t) => {
    const preload = t.file('preload.js', "require('electron').ipcRenderer.send('preloaded', location.protocol)")
    const window = t.window({ webPreferences: { preload } })
    const heard = []
    window.webContents.ipc.on('preloaded', (_event, protocol) => heard.push(protocol))
    await window.loadFile(t.file('page.html', '<iframe srcdoc="one"></iframe>'))
    await until(() => window.webContents.mainFrame.frames.length === 1)
    t.equal(await window.webContents.mainFrame.frames[0].executeJavaScript('typeof require'), 'undefined')
    t.deepEqual(heard, ['file:'])
  })

  test([], 'succeeds', 'what a frame says as it goes arrives', async (t) => {
    const parting = "<script>const { ipcRenderer } = require('electron'); addEventListener('unload', () => ipcRenderer.send('parting', ipcRenderer.sendSync('last question')))</script>"
    const { window, main } = await framed(t, inner(parting), { nodeIntegrationInSubFrames: true })
    await until(() => main.frames.length === 1)
    const [frame] = main.frames
    window.webContents.ipc.on('last question', (event) => { event.returnValue = 'answered' })
    const parted = t.event(window.webContents.ipc, 'parting')
    await t.run(window, '() => { document.querySelector("iframe").remove() }')
    const [{ senderFrame }, text] = await parted
    t.equal(text, 'answered')
    t.ok(senderFrame === null || senderFrame === frame)
    await until(() => frame.isDestroyed())
    t.deepEqual([senderFrame === null || frame.detached, main.frames], [true, []])
  })

  test([], 'succeeds', 'what a page says as it goes comes from a frame that is detached, and not from the page that follows', async (t) => {
    const window = t.window({ webPreferences: { nodeIntegration: true } })
    const parting = "<script>const { ipcRenderer } = require('electron'); addEventListener('unload', () => ipcRenderer.sendSync('parting'))</script>"
    await window.loadFile(t.file('page.html', parting))
    const { mainFrame } = window.webContents
    let seen, event
    window.webContents.ipc.on('parting', (parted) => {
      event = parted
      seen = [parted.senderFrame === mainFrame, mainFrame.detached, mainFrame.url.endsWith('/page.html'), mainFrame.origin]
      parted.returnValue = null
    })
    await window.loadURL('data:text/html,next')
    t.deepEqual(seen, [true, true, true, 'file://'])
    t.deepEqual([event.senderFrame, mainFrame.detached, mainFrame.origin], [null, false, 'null'])
  })

  test([], 'succeeds', 'a handler that waits does not see the page that has come meanwhile', async (t) => {
    const window = t.window()
    const { ipc, mainFrame } = window.webContents
    const arrival = new Promise((resolve) => ipc.once('arrived', resolve))
    const looked = new Promise((resolve) => ipc.handle('question', async (event) => {
      const before = event.senderFrame === mainFrame
      await arrival
      event.reply('secret')
      resolve([before, event.senderFrame, mainFrame.origin])
    }))
    await window.loadFile(t.file('page.html', "<script>require('electron').ipcRenderer.invoke('question')</script>"))
    const next = "<script>const { ipcRenderer } = require('electron'); let told = false; ipcRenderer.on('secret', () => { told = true }); ipcRenderer.send('arrived')</script>"
    await window.loadURL(`data:text/html,${encodeURIComponent(next)}`)
    t.deepEqual(await t.within(looked, 'the handler'), [true, null, 'null'])
    t.equal(await t.run(window, '() => told'), false)
  })

  test([], 'succeeds', 'the URL of a main frame follows the page within its document', async (t) => {
    const window = await t.page({}, '<title>page</title>')
    const { mainFrame } = window.webContents
    const { url } = mainFrame
    const moved = t.event(window.webContents, 'did-navigate-in-page')
    await t.run(window, () => { location.hash = 'part' })
    await moved
    t.deepEqual([mainFrame.url, mainFrame.origin], [`${url}#part`, 'file://'])
  })

  test([], 'fails', 'a call whose frame is removed while it is under way gets no answer, and nothing breaks', async (t) => {
    const ask = "<script>require('electron').ipcRenderer.invoke('slow').catch(() => {})</script>"
    let finish
    const { window, main } = await (async () => {
      const window = t.window({ webPreferences: { nodeIntegrationInSubFrames: true } })
      const asked = new Promise((resolve) => window.webContents.ipc.handle('slow', () => {
        resolve()
        return new Promise((resolve) => { finish = resolve })
      }))
      await window.loadFile(t.file('page.html', inner(ask)))
      await t.within(asked, 'the call')
      return { window, main: window.webContents.mainFrame }
    })()
    await until(() => main.frames.length === 1)
    const [frame] = main.frames
    await t.run(window, '() => { document.querySelector("iframe").remove() }')
    await until(() => frame.isDestroyed())
    finish('too late')
    t.equal(await t.run(window, '() => 42'), 42)
  })
}
