'use strict'
// https://www.electronjs.org/docs/latest/api/web-frame-main
const { webFrameMain, MessageChannelMain } = require('electron')

const TREE = `<title>top</title><iframe name="inner" srcdoc="<iframe name='innermost' srcdoc='deep'></iframe>"></iframe><iframe name="second" srcdoc="x"></iframe>`
const GONE = 'Render frame was disposed before WebFrameMain could be accessed'

module.exports = (test) => {
  test(['parent', 'top', 'frames', 'framesInSubtree', 'name', 'url', 'origin', 'processId', 'osProcessId', 'routingId', 'frameTreeNodeId', 'frameToken', 'ipc', 'isDestroyed'].map((name) => `webFrameMain.${name}`).concat('webFrameMain.fromId'),
    'succeeds', 'the tree of frames', async (t) => {
      const window = await t.page({}, TREE)
      const top = window.webContents.mainFrame
      t.deepEqual(top.frames.map((frame) => frame.name), ['inner', 'second'])
      const [inner] = top.frames
      const [innermost] = inner.frames
      t.deepEqual(top.framesInSubtree.map((frame) => frame.name), ['', 'inner', 'innermost', 'second'])
      t.deepEqual([top.parent, inner.parent, innermost.parent, innermost.top], [null, top, inner, top])
      t.deepEqual([top.url.endsWith('/page.html'), inner.url, top.origin], [true, 'about:srcdoc', 'file://'])
      t.equal(webFrameMain.fromId(inner.processId, inner.routingId), inner)
      t.equal(top.osProcessId, window.webContents.getOSProcessId())
      t.deepEqual(new Set(top.framesInSubtree.map((frame) => frame.frameToken)).size, 4)
      t.deepEqual(new Set(top.framesInSubtree.map((frame) => frame.frameTreeNodeId)).size, 4)
      t.equal(inner.isDestroyed(), false)
      t.ok(inner.ipc !== top.ipc && typeof inner.ipc.on === 'function')
    })

  test('webFrameMain.fromId', 'fails', 'a frame that there is not', async (t) => {
    await t.page()
    t.equal(webFrameMain.fromId(1, 123456789), undefined)
  })

  test(['webFrameMain.send', 'webFrameMain.postMessage'], 'succeeds', 'messages to one frame', async (t) => {
    const window = await t.page({}, "<script>const heard = []; require('electron').ipcRenderer.on('m', ({ ports }, ...args) => heard.push([args, ports.length]))</script>")
    const { port1 } = new MessageChannelMain()
    window.webContents.mainFrame.send('m', 1, 2)
    window.webContents.mainFrame.postMessage('m', 3, [port1])
    t.deepEqual(await t.run(window, () => heard), [[[1, 2], 0], [[3], 1]])
  })

  test(['webFrameMain.send', 'webFrameMain.postMessage'], 'fails', 'each mistake has its error; a frame that is gone takes nothing', async (t) => {
    const window = await t.page()
    const frame = window.webContents.mainFrame
    const channel = new MessageChannelMain()
    t.throws(() => frame.send(), 'Missing required channel argument')
    t.throws(() => frame.send('m', Symbol('s')), 'An object could not be cloned.')
    t.throws(() => frame.postMessage('m'), 'Insufficient number of arguments')
    t.throws(() => frame.postMessage(null, 1), 'Error processing argument at index 0')
    t.throws(() => frame.postMessage('m', 1, 'no list'), 'Invalid value for transfer')
    const closed = t.event(window, 'closed')
    window.destroy()
    await closed
    t.throws(() => frame.postMessage('m', 1, [channel.port1]), GONE)
    t.throws(() => frame.url, GONE)
    // The port is still the program's.
    const other = await t.page()
    other.webContents.postMessage('m', 1, [channel.port1])
  })

  test('webFrameMain.executeJavaScript', 'succeeds', 'in an iframe', async (t) => {
    const window = await t.page({}, TREE)
    const [inner] = window.webContents.mainFrame.frames
    t.deepEqual(await inner.executeJavaScript('[name, parent === top]'), ['inner', true])
  })

  test('webFrameMain.executeJavaScript', 'fails', 'errors reject', async (t) => {
    const window = await t.page()
    await t.rejects(window.webContents.mainFrame.executeJavaScript("throw new Error('in the frame')"), /in the frame/)
  })

  test(['webFrameMain.reload', 'webFrameMain:dom-ready'], 'succeeds', 'an iframe by itself', async (t) => {
    const window = await t.page({}, '<iframe src="about:blank" name="inner"></iframe>')
    const [inner] = window.webContents.mainFrame.frames
    await inner.executeJavaScript('window.mark = 1')
    const ready = t.event(inner, 'dom-ready')
    t.equal(inner.reload(), true)
    await ready
    t.equal(await inner.executeJavaScript('typeof window.mark'), 'undefined')
  })

  test(['webFrameMain.reload', 'webFrameMain.isDestroyed'], 'fails', 'a frame that was removed', async (t) => {
    const window = await t.page({}, TREE)
    const [, second] = window.webContents.mainFrame.frames
    await t.run(window, () => { document.querySelectorAll('iframe')[1].remove() })
    while (!second.isDestroyed()) await t.run(window, () => {})
    t.equal(second.reload(), false)
    t.equal(second.isDestroyed(), true)
  })

  test('webFrameMain.detached', 'succeeds', 'a frame in its page is not detached', async (t) => {
    const window = await t.page({}, TREE)
    t.deepEqual(window.webContents.mainFrame.framesInSubtree.map((frame) => frame.detached), [false, false, false, false])
  })

  test('webFrameMain.visibilityState', 'succeeds', 'as its window is, in all its frames', async (t) => {
    const window = await t.page({ show: true }, TREE)
    const states = () => window.webContents.mainFrame.framesInSubtree.map((frame) => frame.visibilityState)
    t.deepEqual(states(), ['visible', 'visible', 'visible', 'visible'])
    window.hide()
    t.deepEqual(states(), ['hidden', 'hidden', 'hidden', 'hidden'])
    window.showInactive()
    t.equal(states()[0], 'visible')
  })

  test('webFrameMain.visibilityState', 'fails', 'a frame that is gone', async (t) => {
    const window = await t.page()
    const frame = window.webContents.mainFrame
    const closed = t.event(window, 'closed')
    window.destroy()
    await closed
    t.throws(() => frame.visibilityState, GONE)
  })
}
