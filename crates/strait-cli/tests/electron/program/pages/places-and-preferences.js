'use strict'
// https://www.electronjs.org/docs/latest/api/browser-window, structures/web-preferences: places of windows, titles, whether pages answer, and preferences of the web engine
const { BrowserWindow } = require('electron')

const GONE = 'Object has been destroyed'

module.exports = (test) => {
  test(['BrowserWindow.setPosition', 'BrowserWindow.getPosition', 'BrowserWindow.setBounds', 'BrowserWindow.getBounds', 'BrowserWindow.setContentBounds', 'BrowserWindow.getContentBounds',
    'BrowserWindow.getNormalBounds', 'BrowserWindow.center', 'BrowserWindow:move'], 'succeeds', 'a window goes where it is told', async (t) => {
    const window = await t.page({ show: true, width: 300, height: 200, x: 20, y: 30 })
    const at = async (x, y) => { while (window.getPosition()[0] !== x || window.getPosition()[1] !== y) await t.event(window, 'move') }
    const moved = t.event(window, 'move')
    window.setPosition(60, 70)
    t.deepEqual(window.getPosition(), [60, 70])
    await moved
    await at(60, 70)
    window.setBounds({ x: 90, width: 320 })
    t.deepEqual(window.getBounds(), { x: 90, y: 70, width: 320, height: 200 })
    await at(90, 70)
    window.setContentBounds({ x: 10, y: 11, width: 330, height: 210 })
    t.deepEqual(window.getContentBounds(), { x: 10, y: 11, width: 330, height: 210 })
    t.deepEqual(window.getNormalBounds(), window.getBounds())
    await at(10, 11)
    window.center()
    while (!window.getPosition().every((coordinate) => coordinate > 100)) await t.event(window, 'move')
  })

  test(['BrowserWindow.setPosition', 'BrowserWindow.getPosition', 'BrowserWindow.setBounds', 'BrowserWindow.getBounds', 'BrowserWindow.setContentBounds', 'BrowserWindow.getContentBounds',
    'BrowserWindow.getNormalBounds', 'BrowserWindow.center', 'BrowserWindow.setResizable', 'BrowserWindow.isResizable', 'BrowserWindow.getParentWindow', 'BrowserWindow.getChildWindows',
    'BrowserWindow.showInactive'], 'fails', 'not a window that is gone', (t) => {
    const window = t.window()
    window.destroy()
    for (const name of ['getPosition', 'getBounds', 'getContentBounds', 'getNormalBounds', 'center', 'isResizable', 'getParentWindow', 'getChildWindows', 'showInactive']) t.throws(() => window[name](), GONE)
    t.throws(() => window.setPosition(1, 2), GONE)
    t.throws(() => window.setBounds({ x: 1 }), GONE)
    t.throws(() => window.setContentBounds({ x: 1 }), GONE)
    t.throws(() => window.setResizable(true), GONE)
    t.throws(() => t.window().setBounds(), 'setBounds: bounds must be an object')
  })

  test(['BrowserWindow.setResizable', 'BrowserWindow.isResizable', 'BrowserWindow.resizable'], 'succeeds', 'the user may resize it or not', (t) => {
    const window = t.window({ resizable: false })
    t.equal(window.isResizable(), false)
    window.setResizable(true)
    t.equal(window.resizable, true)
    window.resizable = false
    t.equal(window.isResizable(), false)
  })

  test(['BrowserWindow.getParentWindow', 'BrowserWindow.getChildWindows'], 'succeeds', 'windows know whose they are', (t) => {
    const parent = t.window()
    const child = t.window({ parent })
    t.equal(child.getParentWindow(), parent)
    t.equal(parent.getParentWindow(), null)
    t.deepEqual(parent.getChildWindows().map(({ id }) => id), [child.id])
    t.deepEqual(child.getChildWindows(), [])
  })

  test('BrowserWindow.showInactive', 'succeeds', 'a window is shown', async (t) => {
    const window = t.window()
    const shown = t.event(window, 'show')
    window.showInactive()
    await shown
    t.equal(window.isVisible(), true)
  })

  test('BrowserWindow:page-title-updated', 'succeeds', 'a title comes before the window has it, and can be prevented', async (t) => {
    const window = await t.page({ title: 'own' }, '<title>first</title>')
    while (window.getTitle() !== 'first') await new Promise((resolve) => setImmediate(resolve))
    window.once('page-title-updated', (event) => event.preventDefault())
    const prevented = t.event(window, 'page-title-updated')
    await t.run(window, () => { document.title = 'second' })
    const [event, title, explicit] = await prevented
    t.deepEqual([event.defaultPrevented, title, explicit], [true, 'second', true])
    const third = t.event(window, 'page-title-updated')
    await t.run(window, () => { document.title = 'third' })
    await third
    t.equal(window.webContents.getTitle(), 'third')
    // It was still the first when the third came.
    while (window.getTitle() === 'first') await new Promise((resolve) => setImmediate(resolve))
    t.equal(window.getTitle(), 'third')
  })

  test(['webContents:unresponsive', 'webContents:responsive', 'BrowserWindow:unresponsive', 'BrowserWindow:responsive'], 'succeeds', 'a visible page that does not answer is heard of', async (t) => {
    const window = await t.page({ show: true })
    const heard = ['unresponsive', 'responsive'].flatMap((name) => [t.event(window.webContents, name), t.event(window, name)])
    await t.run(window, () => { const end = Date.now() + 11_000; while (Date.now() < end); })
    t.equal((await Promise.all(heard)).length, 4)
  })

  test('webPreferences.partition', 'succeeds', 'pages of one partition have the same storage, others have their own', async (t) => {
    const file = t.file('storage.html', '<title>storage</title>')
    const open = async (partition) => {
      const window = t.window({ webPreferences: { partition } })
      await window.loadFile(file)
      return window
    }
    const one = await open('one')
    await t.run(one, () => { localStorage.mark = 'one' })
    const same = await open('one')
    while (await t.run(same, () => localStorage.mark ?? null) !== 'one') t.ok(true)
    t.equal(await t.run(await open('two'), () => localStorage.mark ?? null), null)
  })

  test('webPreferences.partition', 'fails', 'a name is a string', (t) => {
    t.throws(() => t.window({ webPreferences: { partition: 1 } }), 'BrowserWindow: webPreferences.partition must be a string')
  })

  test(['webPreferences.devTools', 'webPreferences.webSecurity', 'webPreferences.backgroundThrottling'], 'succeeds', 'the inspector opens, the same-origin policy is off, hidden timers are slow', async (t) => {
    const window = await t.page({ webPreferences: { webSecurity: false, backgroundThrottling: true } })
    const opened = t.event(window.webContents, 'devtools-opened')
    window.webContents.openDevTools({ mode: 'detach' })
    await opened
    t.equal(window.webContents.isDevToolsOpened(), true)
    const closed = t.event(window.webContents, 'devtools-closed')
    window.webContents.closeDevTools()
    await closed
    t.ok(await t.run(window, ticks) < 12)
    const frame = await t.run(window, readsFrame)
    t.equal(frame, 'other')
  })

  test(['webPreferences.devTools', 'webPreferences.webSecurity', 'webPreferences.backgroundThrottling'], 'fails', 'no inspector, the same-origin policy holds, hidden timers are as fast as others', async (t) => {
    const window = await t.page({ webPreferences: { devTools: false } })
    window.webContents.openDevTools()
    t.ok(await t.run(window, ticks) >= 12)
    t.equal(window.webContents.isDevToolsOpened(), false)
    t.equal(await t.run(window, readsFrame), 'SecurityError')
  })

  test(['webContents:devtools-opened', 'webContents:devtools-closed'], 'succeeds', 'the inspector tells when it opens and closes', async (t) => {
    const { webContents } = await t.page()
    const opened = t.event(webContents, 'devtools-opened')
    webContents.toggleDevTools()
    await opened
    const closed = t.event(webContents, 'devtools-closed')
    webContents.toggleDevTools()
    await closed
    t.equal(webContents.isDevToolsOpened(), false)
  })

  test(['app:render-process-gone', 'webContents:render-process-gone'], 'succeeds', 'the program hears of a process that is gone', async (t) => {
    const { app } = require('electron')
    const { webContents } = await t.page()
    const heard = [t.event(app, 'render-process-gone'), t.event(webContents, 'render-process-gone')]
    webContents.forcefullyCrashRenderer()
    const [[, whose, details], [, same]] = await Promise.all(heard)
    t.equal(whose, webContents)
    t.deepEqual([details, same], [{ reason: 'killed', exitCode: 9 }, { reason: 'killed', exitCode: 9 }])
    t.equal(BrowserWindow.fromWebContents(webContents).isDestroyed(), false)
  })
}

/** How often a timer of 20 ms comes in 2.5 s. */
const ticks = () => new Promise((resolve) => {
  let count = 0
  const timer = setInterval(() => count++, 20)
  setTimeout(() => { clearInterval(timer); resolve(count) }, 2500)
})

/** What is in a frame of another origin. */
const readsFrame = () => new Promise((resolve) => {
  const frame = document.createElement('iframe')
  frame.onload = () => {
    try {
      resolve(frame.contentWindow.document.body.textContent)
    } catch (error) {
      resolve(error.name)
    }
  }
  frame.src = 'data:text/html,other'
  document.body.append(frame)
})
