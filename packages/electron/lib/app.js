'use strict'
// app (https://www.electronjs.org/docs/latest/api/app): the program's life.

const { native } = require('./native')
const EventEmitter = require('events')
const path = require('path')
const ports = require('./ports')
const { preventable } = require('./window')
const { refuse } = require('./unsupported')

/** Set by the static block: access to private state for this file only. */
let setReady, wantsReady

class App extends EventEmitter {
  #ready = false
  #asked = false
  #becomeReady
  #whenReady = new Promise((resolve) => { this.#becomeReady = resolve })
  #name = native.program.name
  #paths = new Map()

  static {
    setReady = (app) => {
      app.#ready = true
      app.#becomeReady()
    }
    wantsReady = (app) => app.#asked
  }

  isReady () { return this.#ready }
  whenReady () {
    this.#asked = true
    return this.#whenReady
  }

  quit () { native.appQuit() }

  exit (code = 0) {
    code = Number(code) & 255
    native.appExit(code)
  }

  getAppPath () { return native.program.root }
  getName () { return this.#name }
  setName (name) { this.#name = String(name) }
  get name () { return this.#name }
  set name (name) { this.setName(name) }
  getVersion () { return native.program.version }
  getLocale () { return (process.env.LC_ALL || process.env.LANG || 'en-US').split('.')[0].replace('_', '-').replace(/^(C|POSIX)$/, 'en-US') }
  get isPackaged () { return false }

  getPath (name) {
    const found = this.#paths.get(name) ?? native.appPath(String(name))
    if (found === null) throw new Error(`Failed to get '${name}' path`)
    return found
  }

  setPath (name, folder) {
    if (native.appPath(String(name)) === null) throw new Error(`Failed to set path: there is no '${name}'`)
    if (!path.isAbsolute(folder)) throw new Error('Path must be absolute')
    if (name === 'userData') native.appSetUserData(folder)
    else this.#paths.set(name, folder)
  }

  /**
   * Whether this is the first instance of the program. If not, the first instance is notified of
   * this one and of `data`.
   */
  requestSingleInstanceLock (data) {
    const length = ports.write(data, ports.sort(undefined))
    return native.instanceRequest(ports.written(), length)
  }

  hasSingleInstanceLock () { return native.instanceHas() }
  releaseSingleInstanceLock () { native.instanceRelease() }

  getAppMetrics () { return native.appMetrics() }
}

refuse(App, 'app')

const app = new App()
ports.uncloneable(app)

const reports = {
  ready () {
    setReady(app)
    app.emit('ready', {}, {})
  },
  /** Emitted after 'ready' only. */
  'second-instance' (args, folder, bytes) {
    const { data } = ports.read(bytes, [])
    app.whenReady().then(() => setImmediate(() => app.emit('second-instance', {}, args, folder, data)))
  },
  /** Without a listener the program quits, as in Electron. */
  'window-all-closed' () { return app.emit('window-all-closed') },
  'before-quit' () {
    const event = preventable()
    app.emit('before-quit', event)
    return event.defaultPrevented
  },
  'will-quit' () {
    const event = preventable()
    app.emit('will-quit', event)
    return event.defaultPrevented
  },
  quit (code) {
    app.emit('quit', {}, code)
  }
}

/** `wantsReady`: whether the program has called `whenReady`. */
module.exports = { app, reports, wantsReady: () => wantsReady(app) }
