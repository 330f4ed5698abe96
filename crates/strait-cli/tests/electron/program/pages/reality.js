'use strict'
// What there is against what the table says there is.
const electron = require('electron')
const fs = require('fs')
const path = require('path')

const FOLDER = path.join(__dirname, '../../../../../../packages/electron/compatibility')

/** The rows of a page as objects. */
const rowsOf = (file) => {
  const { page, rows } = JSON.parse(fs.readFileSync(path.join(FOLDER, `${file}.json`), 'utf8'))
  return rows.map(([signature, kind, status]) => ({ page, kind, status, name: /[\w-]+/.exec(signature.replace(/^new /, ''))[0] }))
}

/** What every emitter has is not each page's affair. */
const INHERITED = new Set(['constructor', 'prototype', 'length', 'name', 'on', 'addListener', 'prependListener', 'once', 'prependOnceListener', 'off', 'removeListener', 'removeAllListeners'])

const membersOf = (objects) => new Set(objects.flatMap((object) => Object.getOwnPropertyNames(object)).filter((name) => !INHERITED.has(name)))

module.exports = (test) => {
  /** `objects`: where the members are; `use` touches a member as a program would. */
  const walk = (file, kinds, objects, use) => test([], 'succeeds', `${file}: what there is is what the table says`, (t) => {
    const rows = rowsOf(file).filter(({ kind }) => kinds.includes(kind))
    const listed = new Map(rows.map((row) => [row.name, row]))
    const wrong = []
    for (const name of membersOf(objects)) if (!listed.has(name)) wrong.push(`${name} exists and is not listed`)
    for (const { page, name, status } of rows) {
      if (INHERITED.has(name)) continue
      const holder = objects.find((object) => name in object)
      let error
      try {
        use(holder ?? objects[0], name)
      } catch (thrown) {
        error = thrown
      }
      const refused = error?.message?.startsWith(`${page}.${name} is not supported by Strait (docs/electron-compatibility.md#`) === true
      if (status === 'no' && !refused) wrong.push(`${name} does not refuse: ${error ?? 'no error'}`)
      if (status !== 'no' && refused) wrong.push(`${name} refuses and is listed: ${status}`)
      if ((status === 'yes' || status === 'differs') && holder === undefined) wrong.push(`${name} does not exist`)
      if (status === 'elsewhere' && holder !== undefined) wrong.push(`${name} exists and is said not to`)
    }
    t.deepEqual(wrong, [])
  })

  /** Reads a property, and calls a method that refuses; one that works is only looked at. */
  const touch = (object, name) => {
    const value = object[name]
    if (typeof value === 'function' && /=> fail\(/.test(String(value))) value.call(object)
  }

  const prototype = (object) => Object.getPrototypeOf(object)
  walk('app', ['method', 'property'], [prototype(electron.app)], (object, name) => touch(electron.app, name))
  walk('browser-window', ['function'], [electron.BrowserWindow], touch)
  walk('web-contents', ['function'], [electron.webContents], touch)
  walk('ipc-main', ['method'], [prototype(electron.ipcMain)], touch)

  test([], 'succeeds', 'windows and pages: what there is is what the table says', async (t) => {
    const window = await t.page()
    const errors = []
    for (const [file, object] of [['browser-window', window], ['web-contents', window.webContents], ['web-frame-main', window.webContents.mainFrame]]) {
      const rows = rowsOf(file).filter(({ kind }) => kind === 'method' || kind === 'property')
      const listed = new Map(rows.map((row) => [row.name, row]))
      for (const name of membersOf([prototype(object)])) if (!listed.has(name)) errors.push(`${file}: ${name} exists and is not listed`)
      for (const { page, name, status } of rows) {
        let error
        try {
          touch(object, name)
        } catch (thrown) {
          error = thrown
        }
        const refused = error?.message?.startsWith(`${page}.${name} is not supported by Strait (docs/electron-compatibility.md#`) === true
        if (refused !== (status === 'no')) errors.push(`${file}: ${name} is listed as '${status}' and ${refused ? 'refuses' : `does not refuse: ${error ?? 'no error'}`}`)
        if ((status === 'yes' || status === 'differs') !== (name in object) && status !== 'no') errors.push(`${file}: ${name} is listed as '${status}' and ${name in object ? 'exists' : 'does not exist'}`)
      }
    }
    t.deepEqual(errors, [])
  })

  test([], 'succeeds', 'children: what there is is what the table says', async (t) => {
    const names = rowsOf('exports-utility')
    const child = electron.utilityProcess.fork(t.file('child.js', `const electron = require('electron')
      const failed = (action) => { try { return [typeof action()] } catch (error) { return error.message } }
      process.parentPort.postMessage({
        used: ${JSON.stringify(names.map(({ name }) => name))}.map((name) => failed(() => new electron[name]())),
        named: failed(() => { const { shell } = electron; return shell }),
        // What Electron has in main only, or as a property of \`process\`.
        never: [typeof electron.app, typeof electron.parentPort],
        keys: Object.keys(electron),
        port: Object.getOwnPropertyNames(Object.getPrototypeOf(process.parentPort))
      })`))
    const over = t.event(child, 'exit')
    const [said] = await t.event(child, 'message')
    const refused = (name) => `electron.${name} is not supported by Strait (docs/electron-compatibility.md#electronutility)`
    t.deepEqual(said.used, names.map(({ name, status }) => status === 'no' ? refused(name) : ['object']))
    t.deepEqual([said.named, said.never], [['function'], ['undefined', 'undefined']])
    // Strait's own, as in main.
    t.deepEqual(said.keys.filter((name) => name !== 'MessagePortMain'), names.filter(({ status }) => status !== 'no').map(({ name }) => name))
    const listed = new Set(rowsOf('parent-port').map(({ name }) => name))
    // `start` and `close` are what every port has.
    t.deepEqual(said.port.filter((name) => !INHERITED.has(name) && !listed.has(name)), ['start', 'close'])
    await over
    const own = membersOf([prototype(child)])
    const rows = new Set(rowsOf('utility-process').filter(({ kind }) => kind === 'method' || kind === 'property').map(({ name }) => name))
    t.deepEqual([[...own].filter((name) => !rows.has(name)), [...rows].filter((name) => !own.has(name))], [[], []])
  })

  test([], 'succeeds', 'exports: each is there, or refuses when it is used', (t) => {
    for (const { name, status } of rowsOf('exports-main')) {
      const member = electron[name]
      if (status === 'no') t.throws(() => new member(), `electron.${name} is not supported by Strait (docs/electron-compatibility.md#electron)`)
      else t.ok(member !== undefined, name)
    }
    // What Electron has in other processes only, or nowhere, is not there in its main process either.
    const { ipcRenderer, contextBridge, remote, nothingOfTheKind } = electron
    t.deepEqual([ipcRenderer, contextBridge, remote, nothingOfTheKind], [undefined, undefined, undefined, undefined])
    t.deepEqual([electron.app.nothing, electron.app.dock, typeof electron.then, Object.keys(electron).includes('Menu')], [undefined, undefined, 'undefined', false])
    t.throws(() => electron.Menu.setApplicationMenu(null), 'electron.Menu is not supported by Strait (docs/electron-compatibility.md#electron)')
  })
}
