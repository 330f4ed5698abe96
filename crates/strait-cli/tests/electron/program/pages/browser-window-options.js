'use strict'
// https://www.electronjs.org/docs/latest/api/structures/base-window-options
const { BrowserWindow } = require('electron')

/** What the page knows of where its window is; it hears of that some time after the window has. */
const placeOf = (t, window, x, y) => t.within(t.run(window, (x, y) => new Promise((resolve) => {
  const look = () => screenX === x && screenY === y ? resolve([screenX, screenY]) : setTimeout(look, 10)
  look()
}), x, y), `a window at ${x}, ${y}`)

module.exports = (test) => {
  test(['BrowserWindowOptions.width', 'BrowserWindowOptions.height'], 'succeeds', 'the size of the page, each half with its default', async (t) => {
    const sizes = [[{ width: 321, height: 234 }, [321, 234]], [{ width: 321 }, [321, 600]], [{ height: 234 }, [800, 234]], [{}, [800, 600]]]
    for (const [options, size] of sizes) t.deepEqual(t.window(options).getSize(), size)
    const window = await t.page({ width: 321, height: 234, show: true })
    const inner = await t.within(t.run(window, () => new Promise((resolve) => {
      const look = () => { if (innerWidth === 321 && innerHeight === 234) resolve([innerWidth, innerHeight]) }
      addEventListener('resize', look)
      look()
    })))
    t.deepEqual(inner, [321, 234])
  })

  test(['BrowserWindowOptions.x', 'BrowserWindowOptions.y'], 'succeeds', 'where the window is', async (t) => {
    for (const [x, y] of [[40, 50], [200, 100]]) {
      const window = await t.page({ x, y, width: 300, height: 200, show: true })
      t.deepEqual(await placeOf(t, window, x, y), [x, y])
    }
  })

  test('BrowserWindowOptions.resizable', 'succeeds', 'the user may resize it unless told otherwise; the program may always', async (t) => {
    t.deepEqual([undefined, true, false].map((resizable) => t.window({ resizable }).isResizable()), [true, true, false])
    const window = t.window({ width: 300, height: 200, show: true, resizable: false })
    const resized = t.event(window, 'resize')
    window.setSize(360, 250)
    await resized
    t.deepEqual([window.getSize(), window.isResizable()], [[360, 250], false])
  })

  test('BrowserWindowOptions.show', 'succeeds', 'windows are shown unless told otherwise', (t) => {
    t.deepEqual([{ show: undefined }, { show: true }, { show: false }].map((options) => t.window(options).isVisible()), [true, true, false])
  })

  test('BrowserWindowOptions.title', 'succeeds', 'the title until the page has one', async (t) => {
    const window = t.window({ title: 'for now' })
    t.equal(window.getTitle(), 'for now')
    const updated = t.event(window, 'page-title-updated')
    await window.loadFile(t.file('page.html', '<title>of the page</title>'))
    t.equal((await updated)[1], 'of the page')
    await t.run(window, () => {})
    t.equal(window.getTitle(), 'of the page')
  })

  test('BrowserWindowOptions.parent', 'succeeds', 'a window goes with its parent, and not the other way round', async (t) => {
    const parent = t.window()
    const [child, other] = [t.window({ parent }), t.window({ parent })]
    const grandchild = t.window({ parent: child })
    const first = t.event(other, 'closed')
    other.destroy()
    await first
    t.deepEqual([parent, child, grandchild].map((window) => window.isDestroyed()), [false, false, false])
    const closed = Promise.all([parent, child, grandchild].map((window) => t.event(window, 'closed')))
    parent.destroy()
    await closed
    t.deepEqual(BrowserWindow.getAllWindows(), [])
  })

  test('BrowserWindowOptions.webPreferences', 'succeeds', 'the page has the preferences of its window', async (t) => {
    const windows = await Promise.all([true, false].map((nodeIntegration) => t.page({ webPreferences: { nodeIntegration } })))
    t.deepEqual(await Promise.all(windows.map((window) => t.run(window, () => typeof require))), ['function', 'undefined'])
  })
}
