'use strict'
// The program's life: its entry, 'ready', and its end, in whichever way it comes.

const fs = require('fs')
const path = require('path')
const Module = require('module')
const { pathToFileURL } = require('url')
const { native } = require('./native')

/** Exit codes of signals are above this. */
const SIGNALLED = 128

/** The entry has been evaluated. */
let entered = false
/** Windows can be made. */
let started = false
let ready = false

/** Is this file an ES module, by its name or the nearest package.json? */
function isModule (file) {
  if (/\.[cm]js$/.test(file)) return file.endsWith('.mjs')
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type === 'module'
    } catch (error) {
      // A folder without one, or one that Node itself will complain about.
      if (error.code !== 'ENOENT' || folder === path.dirname(folder)) return false
    }
  }
}

/** 'ready' comes when the entry has been evaluated; earlier only if the entry itself waits for it. */
function mayBeReady (electron) {
  if (ready || !started || !(entered || electron.wantsReady())) return
  ready = true
  electron.becomeReady()
}

function quitOnSignal (app) {
  let asked = false
  for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15]]) {
    process.on(signal, () => {
      if (asked) app.exit(SIGNALLED + number)
      else app.quit()
      asked = true
    })
  }
}

module.exports = {
  run (main, electron) {
    const { app } = electron.electron
    quitOnSignal(app)
    electron.addReports({
      started () {
        started = true
        mayBeReady(electron)
      },
      'start-failed' (reason) {
        console.error(`strait: ${reason}`)
        process.exit(1)
      },
      ended: (code) => process.exit(code)
    })
    process.on('exit', () => native.finish())
    const done = () => {
      entered = true
      setImmediate(() => mayBeReady(electron))
    }
    const whenReady = app.whenReady
    app.whenReady = function () {
      setImmediate(() => mayBeReady(electron))
      return Reflect.apply(whenReady, this, [])
    }
    if (isModule(main)) import(pathToFileURL(main).href).then(done)
    else {
      Module._load(main, null, true)
      done()
    }
  }
}
