'use strict'
// The program's life: its entry, 'ready', and its end, whatever the cause.

const { pathToFileURL } = require('url')
const { native } = require('./native')

/** The exit code of a program that a signal ended is this plus the signal's number. */
const SIGNALLED = 128

/** The entry has been evaluated. */
let entered = false
/** Windows can be made. */
let started = false
let ready = false

/** Emits 'ready' once the entry has been evaluated, or earlier if the entry itself waits for it. */
function mayBeReady (electron) {
  if (ready || !started || !(entered || electron.wantsReady())) return
  ready = true
  electron.becomeReady()
}

/**
 * Waits for the entry. In the event loop's first turn a CommonJS entry has been evaluated, and an
 * entry that is an ES module is being loaded.
 */
async function isEvaluated () {
  if (process.mainModule !== undefined) return
  try {
    await import(pathToFileURL(process.argv[1]).href)
  } catch {
    // Node reports the error, because it has imported the same module.
  }
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
  /** Starts handling reports of the program's life. Its entry has not been evaluated yet. */
  begin (electron) {
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
    const whenReady = app.whenReady
    app.whenReady = function () {
      setImmediate(() => mayBeReady(electron))
      return Reflect.apply(whenReady, this, [])
    }
    setImmediate(async () => {
      await isEvaluated()
      entered = true
      mayBeReady(electron)
    })
  }
}
