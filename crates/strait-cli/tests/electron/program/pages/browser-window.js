'use strict'
// https://www.electronjs.org/docs/latest/api/browser-window
const { BrowserWindow, app, ipcMain } = require('electron')
const fs = require('fs')

const DESTROYED = 'Object has been destroyed'

/** A port on which no page may be. */
const NOWHERE = 'http://127.0.0.1:1/'

/** Looks until it is so; the test's own limit bounds that. A display without a window manager may take the keyboard and give it back in between. */
const until = async (is) => {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 5))
  return true
}

module.exports = (test) => {
  test(['BrowserWindow.constructor', 'BrowserWindow.id', 'BrowserWindow.webContents', 'BrowserWindow.fromId', 'BrowserWindow.fromWebContents', 'BrowserWindow.getAllWindows'],
    'succeeds', 'windows have numbers and pages of their own, and are found by them', (t) => {
      const [one, two] = [t.window(), t.window()]
      t.ok(one instanceof BrowserWindow && Number.isInteger(one.id) && one.id > 0)
      t.ok(one.id < two.id)
      t.ok(one.webContents !== two.webContents && one.webContents === one.webContents)
      for (const window of [one, two]) {
        t.equal(BrowserWindow.fromId(window.id), window)
        t.equal(BrowserWindow.fromWebContents(window.webContents), window)
      }
      t.deepEqual(BrowserWindow.getAllWindows().map(({ id }) => id), [one.id, two.id])
    })

  test(['BrowserWindow.fromId', 'BrowserWindow.fromWebContents', 'BrowserWindow.getAllWindows'], 'fails', 'a window that is gone or never was is not found', async (t) => {
    const window = t.window()
    const { id, webContents } = window
    const closed = t.event(window, 'closed')
    window.destroy()
    // Not even before it has been announced.
    t.deepEqual(BrowserWindow.getAllWindows(), [])
    await closed
    t.deepEqual([BrowserWindow.fromId(id), BrowserWindow.fromId(1e6), BrowserWindow.fromWebContents(webContents), BrowserWindow.getAllWindows()], [null, null, null, []])
  })

  test('BrowserWindow.constructor', 'fails', 'options that are none, a parent that is gone', async (t) => {
    t.throws(() => new BrowserWindow('wide'), /options must be an object/)
    t.throws(() => BrowserWindow(), /class constructors must be invoked with 'new'|without 'new'/)
    const parent = t.window()
    const closed = t.event(parent, 'closed')
    parent.destroy()
    await closed
    t.throws(() => new BrowserWindow({ parent, show: false }), 'the parent window is closed')
    t.deepEqual(BrowserWindow.getAllWindows(), [])
  })

  test(['BrowserWindow.loadFile', 'BrowserWindow.loadURL', 'BrowserWindow.reload'], 'succeeds', 'pages are loaded, by file and by URL, and once more', async (t) => {
    const window = t.window()
    const file = t.file('folder/a page.html', '<title>a page</title>')
    t.equal(await window.loadFile(file, { query: { a: '1 2' }, hash: 'end' }), undefined)
    t.deepEqual(await t.run(window, () => [document.title, location.search, location.hash]), ['a page', '?a=1+2', '#end'])

    await window.loadURL('data:text/html,<title>data</title>')
    t.equal(await t.run(window, () => document.title), 'data')

    await window.loadFile(file)
    fs.writeFileSync(file, '<title>another</title>')
    await t.run(window, () => { globalThis.mark = true })
    const loaded = t.event(window.webContents, 'did-finish-load')
    window.reload()
    await loaded
    t.deepEqual(await t.run(window, () => [document.title, globalThis.mark === undefined]), ['another', true])
  })

  test(['BrowserWindow.loadFile', 'BrowserWindow.loadURL'], 'fails', 'what cannot be loaded rejects with what was wrong, and the window goes on', async (t) => {
    const window = t.window()
    const missing = await t.rejects(window.loadFile('/no/such/file.html'), /^ERR_FILE_NOT_FOUND \(-6\) loading 'file:\/\/\/no\/such\/file\.html'$/)
    t.deepEqual([missing.code, missing.errno, missing.url], ['ERR_FILE_NOT_FOUND', -6, 'file:///no/such/file.html'])
    const refused = await t.rejects(window.loadURL(NOWHERE), `ERR_UNSAFE_PORT (-312) loading '${NOWHERE}'`)
    t.deepEqual([refused.code, refused.errno], ['ERR_UNSAFE_PORT', -312])
    t.throws(() => window.loadFile(7), 'Must pass filePath as a string')
    await window.loadURL('data:text/html,<title>fine</title>')
    t.equal(await t.run(window, () => document.title), 'fine')
  })

  // The test program is the window manager, where there is none.
  const POSTURES = ['minimize', 'restore', 'isMinimized', 'maximize', 'unmaximize', 'isMaximized', 'isNormal']
  test([...POSTURES.map((name) => `BrowserWindow.${name}`), ...['minimize', 'restore', 'maximize', 'unmaximize'].map((name) => `BrowserWindow:${name}`)],
    'succeeds', 'windows become icons and fill the screen, and are what they were again', async (t) => {
      const window = await t.page({ show: true })
      const state = () => [window.isMinimized(), window.isMaximized(), window.isNormal()]
      t.deepEqual(state(), [false, false, true])
      const become = async (how, ...expected) => {
        const heard = t.event(window, how)
        window[how]()
        t.equal((await heard)[0].sender, window)
        t.deepEqual([how, ...state()], [how, ...expected])
      }
      await become('minimize', true, false, false)
      await become('restore', false, false, true)
      await become('maximize', false, true, false)
      await become('unmaximize', false, false, true)
      // As programs do when they are started again.
      window.restore()
      window.focus()
      t.deepEqual(state(), [false, false, true])
      // One that is hidden is shown for it.
      const hidden = await t.page()
      const maximized = t.event(hidden, 'maximize')
      hidden.maximize()
      t.equal(hidden.isVisible(), true)
      await maximized
    })

  test(['BrowserWindow.setAlwaysOnTop', 'BrowserWindow.isAlwaysOnTop', 'BrowserWindow:always-on-top-changed', 'BrowserWindowOptions.alwaysOnTop'],
    'succeeds', 'windows stay above others, and say so once', async (t) => {
      const window = t.window()
      const heard = []
      window.on('always-on-top-changed', (event, isOnTop) => heard.push(isOnTop))
      t.equal(window.isAlwaysOnTop(), false)
      for (const flag of [true, true, false]) {
        window.setAlwaysOnTop(flag, 'floating')
        t.equal(window.isAlwaysOnTop(), flag)
      }
      const last = t.event(window, 'page-title-updated')
      await window.loadURL('data:text/html,<title>later</title>')
      await last
      t.deepEqual(heard, [true, false])
      t.equal(t.window({ alwaysOnTop: true }).isAlwaysOnTop(), true)
      t.equal(t.window({ alwaysOnTop: false }).isAlwaysOnTop(), false)
    })

  test([...POSTURES, 'setAlwaysOnTop', 'isAlwaysOnTop'].map((name) => `BrowserWindow.${name}`), 'fails', 'a window that is gone becomes nothing', (t) => {
    const window = t.window()
    window.destroy()
    for (const name of [...POSTURES, 'setAlwaysOnTop', 'isAlwaysOnTop']) t.throws(() => window[name](true), DESTROYED)
  })

  test('BrowserWindow.reload', 'fails', 'reloading what is no longer there is a failed load', async (t) => {
    const window = t.window()
    const file = t.file('gone.html', '<title>gone</title>')
    await window.loadFile(file)
    fs.rmSync(file)
    const failed = t.event(window.webContents, 'did-fail-load')
    window.reload()
    const [, code, description] = await failed
    t.deepEqual([code, description], [-6, 'ERR_FILE_NOT_FOUND'])
  })

  test('BrowserWindow:ready-to-show', 'succeeds', 'a hidden window says when there is something to show, once', async (t) => {
    const window = t.window()
    let times = 0
    window.on('ready-to-show', () => times++)
    const ready = t.event(window, 'ready-to-show')
    const loaded = window.loadFile(t.file('page.html', '<p>page'))
    t.deepEqual([(await ready)[0].sender === window, window.isVisible()], [true, false])
    await loaded
    await window.loadFile(t.file('other.html', '<p>other'))
    t.equal(times, 1)
  })

  test(['BrowserWindow.show', 'BrowserWindow.hide', 'BrowserWindow.isVisible', 'BrowserWindow:show', 'BrowserWindow:hide'], 'succeeds', 'windows are shown and hidden', async (t) => {
    const window = t.window()
    t.equal(window.isVisible(), false)
    const shown = t.event(window, 'show')
    window.show()
    await shown
    t.equal(window.isVisible(), true)
    const hidden = t.event(window, 'hide')
    window.hide()
    await hidden
    t.equal(window.isVisible(), false)
  })

  test('BrowserWindow.showInactive', 'succeeds', 'a window is shown', async (t) => {
    const window = t.window()
    const shown = t.event(window, 'show')
    window.showInactive()
    await shown
    t.equal(window.isVisible(), true)
  })

  test(['BrowserWindow.focus', 'BrowserWindow.isFocused', 'BrowserWindow.getFocusedWindow', 'BrowserWindow:focus', 'BrowserWindow:blur'], 'succeeds', 'the keyboard goes from window to window', async (t) => {
    const [one, two] = [t.window(), t.window()]
    for (const window of [one, two]) {
      const focused = t.event(window, 'focus')
      window.show()
      window.focus()
      await focused
    }
    t.ok(await until(() => !one.isFocused() && two.isFocused() && BrowserWindow.getFocusedWindow() === two))
    const events = Promise.all([t.event(two, 'blur'), t.event(one, 'focus')])
    one.focus()
    await events
    t.ok(await until(() => one.isFocused() && !two.isFocused() && BrowserWindow.getFocusedWindow() === one))
  })

  test('BrowserWindow.getFocusedWindow', 'fails', 'there is none once the focused window is gone', async (t) => {
    const window = t.window()
    const focused = t.event(window, 'focus')
    window.show()
    window.focus()
    await focused
    t.ok(await until(() => BrowserWindow.getFocusedWindow() === window))
    const closed = t.event(window, 'closed')
    window.destroy()
    t.equal(BrowserWindow.getFocusedWindow(), null)
    await closed
    t.equal(BrowserWindow.getFocusedWindow(), null)
  })

  test(['BrowserWindow.setSize', 'BrowserWindow.getSize', 'BrowserWindow.setContentSize', 'BrowserWindow.getContentSize', 'BrowserWindow:resize'], 'succeeds', 'windows take a size, and their pages with them', async (t) => {
    const window = await t.page({ width: 300, height: 200 })
    t.deepEqual([window.getSize(), window.getContentSize()], [[300, 200], [300, 200]])
    const shown = t.event(window, 'show')
    window.show()
    await shown
    for (const [set, width, height] of [['setSize', 420, 310], ['setContentSize', 360, 250]]) {
      const resized = t.event(window, 'resize')
      const followed = t.run(window, (width, height) => new Promise((resolve) => {
        const look = () => { if (innerWidth === width && innerHeight === height) resolve(true) }
        addEventListener('resize', look)
        look()
      }), width, height)
      window[set](width, height)
      await resized
      t.deepEqual([window.getSize(), window.getContentSize(), await t.within(followed)], [[width, height], [width, height], true])
    }
  })

  test(['BrowserWindow.setTitle', 'BrowserWindow.getTitle', 'BrowserWindow.title'], 'succeeds', 'titles are set and read', (t) => {
    const window = t.window({ title: 'first' })
    t.deepEqual([window.getTitle(), window.title], ['first', 'first'])
    window.setTitle('second')
    t.equal(window.title, 'second')
    window.title = 'third'
    t.equal(window.getTitle(), 'third')
    t.equal(t.window().getTitle(), app.name)
  })

  test('BrowserWindow:page-title-updated', 'succeeds', 'a page names its window', async (t) => {
    const window = await t.page()
    // WebKit tells a title in a task of its own, which may come after the end of the load.
    while (window.getTitle() !== 'blank') await new Promise((resolve) => setImmediate(resolve))
    const updated = t.event(window, 'page-title-updated')
    await t.run(window, () => { document.title = 'from the page' })
    const [event, title, explicit] = await updated
    t.deepEqual([typeof event.preventDefault, title, explicit], ['function', 'from the page', true])
    // What the page does next comes after it.
    await t.run(window, () => {})
    t.equal(window.getTitle(), 'from the page')
  })

  test(['BrowserWindow.close', 'BrowserWindow:close', 'BrowserWindow:closed', 'BrowserWindow.isDestroyed'], 'succeeds', 'a window that closes asks first, and then is gone', async (t) => {
    const window = await t.page()
    const heard = []
    window.on('close', (event) => heard.push(['close', event.sender === window, window.isDestroyed()]))
    window.on('closed', () => heard.push(['closed', window.isDestroyed(), window.id > 0]))
    const closed = t.event(window, 'closed')
    t.equal(window.isDestroyed(), false)
    window.close()
    await closed
    t.deepEqual(heard, [['close', true, false], ['closed', true, true]])
    t.equal(window.webContents.isDestroyed(), true)
  })

  test('BrowserWindow.close', 'fails', 'who prevents it keeps the window', async (t) => {
    const window = await t.page()
    const asked = t.event(window, 'close')
    window.once('close', (event) => event.preventDefault())
    window.on('closed', () => t.equal('closed', 'kept'))
    window.close()
    await asked
    t.equal(await t.run(window, () => document.title), 'blank')
    t.equal(window.isDestroyed(), false)
    window.removeAllListeners('closed')
  })

  test('BrowserWindow:close', 'succeeds', 'a page closes its window by the same way', async (t) => {
    const window = await t.page()
    const heard = []
    window.on('close', () => heard.push('close'))
    const closed = t.event(window, 'closed')
    t.run(window, () => window.close()).catch(() => {})
    await closed
    t.deepEqual(heard, ['close'])
  })

  test('BrowserWindow.destroy', 'succeeds', 'nobody is asked, and everybody is told', async (t) => {
    const window = await t.page()
    const heard = []
    window.on('close', (event) => {
      heard.push('close')
      event.preventDefault()
    })
    window.webContents.on('destroyed', () => heard.push('destroyed'))
    const closed = t.event(window, 'closed')
    window.destroy()
    t.equal(window.isDestroyed(), true)
    await closed
    t.deepEqual(heard, ['destroyed'])
  })

  test(['BrowserWindow.destroy', 'BrowserWindow.isDestroyed'], 'fails', 'a window that is gone is gone, and may be asked for that', async (t) => {
    const window = t.window()
    let times = 0
    window.on('closed', () => times++)
    const closed = t.event(window, 'closed')
    window.destroy()
    window.destroy()
    await closed
    window.destroy()
    t.equal(window.isDestroyed(), true)
    // By the time another window has come and gone a second announcement would have come.
    const other = t.window()
    const last = t.event(other, 'closed')
    other.destroy()
    await last
    t.equal(times, 1)
  })

  const METHODS = {
    close: [], focus: [], getContentSize: [], getSize: [], getTitle: [], hide: [], isFocused: [], isVisible: [], loadFile: ['index.html'], loadURL: ['about:blank'],
    reload: [], setContentSize: [100, 100], setSize: [100, 100], setTitle: ['late'], show: [], showInactive: []
  }
  test(Object.keys(METHODS).map((name) => `BrowserWindow.${name}`), 'fails', 'a window that is gone does nothing more', async (t) => {
    const window = t.window()
    const closed = t.event(window, 'closed')
    window.destroy()
    for (const moment of ['going', 'gone']) {
      for (const [name, args] of Object.entries(METHODS)) {
        const error = t.throws(() => window[name](...args), DESTROYED)
        t.ok(error instanceof TypeError, `${name}, ${moment}`)
      }
      await closed
    }
    t.ok(window.id > 0)
    t.throws(() => window.title, DESTROYED)
  })

  test(['BrowserWindow.hide', 'BrowserWindow.show'], 'succeeds', 'a hidden window goes on to answer', async (t) => {
    const window = await t.page()
    const answered = t.event(ipcMain, 'tick')
    await t.run(window, () => { setTimeout(() => require('electron').ipcRenderer.send('tick', document.title), 1) })
    t.equal((await answered)[1], 'blank')
  })
}
