'use strict'
// BrowserWindow (https://www.electronjs.org/docs/latest/api/browser-window).

const EventEmitter = require('strait:events')
const path = native.builtin('path')
const ports = require('strait:ports')
const contents = require('strait:contents')
const { refuse } = require('strait:unsupported')

/** @type {Map<number, BrowserWindow>} in the order in which they were made */
const all = new Map()

/** The host reports what it was told; scripts want a window's last state to be readable while 'closed' is announced. */
const DESTROYED = 'Object has been destroyed'

const whole = (value, fallback) => Number.isFinite(value) ? Math.max(1, Math.round(value)) : fallback

/** Checks the options that have a type to get wrong, and takes what the host understands. */
function plan (options) {
  if (options === undefined || options === null) options = {}
  if (typeof options !== 'object') throw new TypeError('BrowserWindow: options must be an object')
  const preferences = options.webPreferences ?? {}
  const { preload, nodeIntegration, contextIsolation } = preferences
  if (preload !== undefined && typeof preload !== 'string') throw new TypeError('BrowserWindow: webPreferences.preload must be a string')
  if (preload !== undefined && !path.isAbsolute(preload)) {
    console.warn(`BrowserWindow: webPreferences.preload should be an absolute path: '${preload}' is taken relative to ${native.program.root}`)
  }
  const id = options.parent?.id
  return {
    width: whole(options.width, 800),
    height: whole(options.height, 600),
    show: options.show !== false,
    resizable: options.resizable !== false,
    title: options.title === undefined ? null : String(options.title),
    parent: id ?? null,
    preload: preload === undefined || preload === '' ? null : preload,
    nodeIntegration: nodeIntegration === true,
    contextIsolation: typeof contextIsolation === 'boolean' ? contextIsolation : null
  }
}

/** Set by the static block: access to private state for this file only. */
let setGone

class BrowserWindow extends EventEmitter {
  #id
  #webContents
  #gone = false

  static {
    setGone = (window) => { window.#gone = true }
  }

  constructor (options) {
    super()
    const { app } = require('strait:app')
    if (!app.isReady()) throw new Error('Cannot create BrowserWindow before app is ready')
    this.#id = native.windowCreate(plan(options))
    this.#webContents = contents.of(this.#id)
    all.set(this.#id, this)
    ports.uncloneable(this)
    app.emit('web-contents-created', preventable({ sender: this.#webContents }), this.#webContents)
    app.emit('browser-window-created', preventable({ sender: this }), this)
  }

  static getAllWindows () { return [...all.values()].filter((window) => !window.isDestroyed()) }
  static fromId (id) { return all.get(id) ?? null }
  static fromWebContents (webContents) { return all.get(webContents?.id) ?? null }
  static getFocusedWindow () { return BrowserWindow.getAllWindows().find((window) => window.isFocused()) ?? null }

  #state () {
    const state = this.#gone ? undefined : native.windowState(this.#id)
    if (state === undefined || state === null || state.destroyed) throw new TypeError(DESTROYED)
    return state
  }

  #do (action) {
    if (this.isDestroyed()) throw new TypeError(DESTROYED)
    native.windowDo(this.#id, action)
  }

  get id () { return this.#id }
  get webContents () { return this.#webContents }
  get title () { return this.getTitle() }
  set title (title) { this.setTitle(title) }

  loadURL (url) { return this.#webContents.loadURL(url) }
  loadFile (file, options) { return this.#webContents.loadFile(file, options) }
  reload () { this.#webContents.reload() }

  close () { this.#do('close') }
  destroy () { if (!this.isDestroyed()) this.#do('destroy') }
  isDestroyed () { return this.#gone || (native.windowState(this.#id)?.destroyed ?? true) }

  show () { this.#do('show') }
  showInactive () { this.#do('show') }
  hide () { this.#do('hide') }
  focus () { this.#do('focus') }
  isVisible () { return this.#state().visible }
  isFocused () { return this.#state().focused }

  setTitle (title) {
    this.#state()
    native.windowSetTitle(this.#id, String(title))
  }

  getTitle () { return this.#state().title }

  setSize (width, height) {
    const state = this.#state()
    native.windowResize(this.#id, whole(width, state.width), whole(height, state.height))
  }

  setContentSize (width, height) { this.setSize(width, height) }

  getSize () {
    const { width, height } = this.#state()
    return [width, height]
  }

  getContentSize () { return this.getSize() }
}

refuse(BrowserWindow, 'BrowserWindow')

/** An event whose default a listener may prevent. */
function preventable (fields = {}) {
  let prevented = false
  return { ...fields, preventDefault () { prevented = true }, get defaultPrevented () { return prevented } }
}

const reports = {
  window (id, name) {
    const window = all.get(id)
    if (window === undefined) return
    if (name === 'closed') {
      all.delete(id)
      setGone(window)
    }
    const { app } = require('strait:app')
    const event = { sender: window }
    window.emit(name, event)
    if (name === 'focus' || name === 'blur') app.emit(`browser-window-${name}`, event, window)
  },
  'window-close' (id) {
    const window = all.get(id)
    const event = preventable({ sender: window })
    window?.emit('close', event)
    return event.defaultPrevented
  },
  title (id, title) {
    const window = all.get(id)
    if (window === undefined) return
    window.webContents.emit('page-title-updated', preventable({ sender: window.webContents }), title, true)
    window.emit('page-title-updated', preventable({ sender: window }), title, true)
  }
}

module.exports = { BrowserWindow, reports, preventable }
