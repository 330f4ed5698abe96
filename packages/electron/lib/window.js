'use strict'
// BrowserWindow (https://www.electronjs.org/docs/latest/api/browser-window).

const { native } = require('./native')
const EventEmitter = require('events')
const path = require('path')
const ports = require('./ports')
const contents = require('./contents')
const { refuse, checkOptions } = require('./unsupported')

/** @type {Map<number, BrowserWindow>} in the order in which they were made */
const all = new Map()

/**
 * The text of the error. The host reports the last state of a closed window, because programs must
 * be able to read it while 'closed' is emitted.
 */
const DESTROYED = 'Object has been destroyed'

const whole = (value, fallback) => Number.isFinite(value) ? Math.max(1, Math.round(value)) : fallback
const place = (value) => Number.isFinite(value) ? Math.round(value) : null
const flag = (value) => typeof value === 'boolean' ? value : null

/**
 * Checks the types of the options, and converts them to the host's form. An option that is missing
 * or of a wrong type is null.
 */
function plan (options) {
  if (options === undefined || options === null) options = {}
  if (typeof options !== 'object') throw new TypeError('BrowserWindow: options must be an object')
  const preferences = options.webPreferences ?? {}
  checkOptions('BrowserWindowOptions', options)
  checkOptions('webPreferences', preferences)
  const { preload, nodeIntegration, contextIsolation, devTools, webSecurity, backgroundThrottling, partition, additionalArguments } = preferences
  if (partition !== undefined && typeof partition !== 'string') throw new TypeError('BrowserWindow: webPreferences.partition must be a string')
  if (additionalArguments !== undefined && !(Array.isArray(additionalArguments) && additionalArguments.every((argument) => typeof argument === 'string'))) {
    throw new TypeError('BrowserWindow: webPreferences.additionalArguments must be an array of strings')
  }
  if (preload !== undefined && typeof preload !== 'string') throw new TypeError('BrowserWindow: webPreferences.preload must be a string')
  if (preload !== undefined && !path.isAbsolute(preload)) {
    console.warn(`BrowserWindow: webPreferences.preload should be an absolute path: '${preload}' is taken relative to ${native.program.root}`)
  }
  const id = options.parent?.id
  return {
    width: whole(options.width, null),
    height: whole(options.height, null),
    x: place(options.x),
    y: place(options.y),
    show: flag(options.show),
    resizable: flag(options.resizable),
    title: options.title === undefined ? null : String(options.title),
    parent: id ?? null,
    preload: preload === undefined || preload === '' ? null : preload,
    nodeIntegration: flag(nodeIntegration),
    contextIsolation: flag(contextIsolation),
    nodeIntegrationInSubFrames: flag(preferences.nodeIntegrationInSubFrames),
    sandbox: flag(preferences.sandbox),
    additionalArguments: additionalArguments ?? null,
    devTools: flag(devTools),
    webSecurity: flag(webSecurity),
    backgroundThrottling: flag(backgroundThrottling),
    partition: partition === undefined || partition === '' ? null : partition
  }
}

/** Set by the static block: access to private state for this file only. */
let setGone

/** The key that constructs an object for an existing window, which a page has opened. */
const kAdopt = Symbol('adopt')

class BrowserWindow extends EventEmitter {
  #id
  #webContents
  #gone = false
  #parent = 0

  static {
    setGone = (window) => { window.#gone = true }
  }

  constructor (options, adopted) {
    super()
    const { app } = require('./app')
    if (!app.isReady()) throw new Error('Cannot create BrowserWindow before app is ready')
    this.#id = options === kAdopt ? adopted : native.windowCreate(plan(options))
    if (options !== kAdopt) this.#parent = options?.parent?.id ?? 0
    this.#webContents = contents.of(this.#id)
    if (options?.alwaysOnTop === true) this.setAlwaysOnTop(true)
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

  loadURL (url, options) { return this.#webContents.loadURL(url, options) }
  loadFile (file, options) { return this.#webContents.loadFile(file, options) }
  reload () { this.#webContents.reload() }

  close () { this.#do('close') }
  destroy () { if (!this.isDestroyed()) this.#do('destroy') }
  isDestroyed () { return this.#gone || (native.windowState(this.#id)?.destroyed ?? true) }

  show () { this.#do('show') }
  showInactive () { this.#do('show-inactive') }
  hide () { this.#do('hide') }
  focus () { this.#do('focus') }
  minimize () { this.#do('minimize') }
  restore () { this.#do('restore') }
  isMinimized () { return this.#state().minimized }
  maximize () { this.#do('maximize') }
  unmaximize () { this.#do('unmaximize') }
  isMaximized () { return this.#state().maximized }
  isNormal () {
    const { minimized, maximized } = this.#state()
    return !minimized && !maximized
  }

  setAlwaysOnTop (flag) { this.#do(flag ? 'on-top' : 'not-on-top') }
  isAlwaysOnTop () { return this.#state().onTop }
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

  setPosition (x, y) {
    const state = this.#state()
    native.windowMove(this.#id, place(x) ?? state.x, place(y) ?? state.y)
  }

  getPosition () {
    const { x, y } = this.#state()
    return [x, y]
  }

  center () { this.#do('center') }

  setBounds (bounds) {
    const state = this.#state()
    if (typeof bounds !== 'object' || bounds === null) throw new TypeError('setBounds: bounds must be an object')
    const { x, y, width, height } = bounds
    if (place(x) !== null || place(y) !== null) this.setPosition(place(x) ?? state.x, place(y) ?? state.y)
    if (Number.isFinite(width) || Number.isFinite(height)) this.setSize(whole(width, state.width), whole(height, state.height))
  }

  getBounds () {
    const { x, y, width, height } = this.#state()
    return { x, y, width, height }
  }

  setContentBounds (bounds) { this.setBounds(bounds) }
  getContentBounds () { return this.getBounds() }
  getNormalBounds () { return this.getBounds() }

  setResizable (resizable) {
    this.#state()
    native.windowResizable(this.#id, Boolean(resizable))
  }

  isResizable () { return this.#state().resizable }
  get resizable () { return this.isResizable() }
  set resizable (resizable) { this.setResizable(resizable) }

  getParentWindow () {
    this.#state()
    return all.get(this.#parent) ?? null
  }

  getChildWindows () {
    this.#state()
    return BrowserWindow.getAllWindows().filter((window) => window !== this && window.getParentWindow() === this)
  }
}

refuse(BrowserWindow, 'BrowserWindow')

/** An event whose default a listener may prevent. */
function preventable (fields = {}) {
  let prevented = false
  return { ...fields, preventDefault () { prevented = true }, get defaultPrevented () { return prevented } }
}

/**
 * The options that the handler gave for windows that pages open, until these are announced.
 * @type {Map<number, object>}
 */
const overrides = new Map()

/** Carries out the decision of a handler of `setWindowOpenHandler`. An invalid decision denies. */
function decide (response, features = '') {
  const type = response === null ? 'null' : typeof response
  if (type !== 'object') {
    console.error(`The window open handler response must be an object, but was instead of type '${type}'.`)
    return
  }
  const { action, overrideBrowserWindowOptions: options, outlivesOpener, createWindow } = response
  if (action === 'deny') return
  if (action !== 'allow') {
    console.error('The window open handler response must be an object with an \'action\' property of \'allow\' or \'deny\'.')
    return
  }
  if (createWindow !== undefined) throw new Error('createWindow is not supported by Strait: describe the window by overrideBrowserWindowOptions')
  // If the program gives only one half of the size, the other comes from the page.
  const { width, height } = optionsOf(features)
  const half = (options?.width === undefined) !== (options?.height === undefined)
  const id = native.windowOpenAllow(plan(half ? { ...options, width: options.width ?? width, height: options.height ?? height } : options), outlivesOpener === true)
  if (id !== 0) overrides.set(id, options ?? {})
}

/** The features as options. Features that the host does not support are passed to the program. */
function optionsOf (features) {
  const options = {}
  for (const feature of features.split(',')) {
    const [name, value = 'yes'] = feature.split('=', 2).map((part) => part.trim())
    if (name === '' || name === '__proto__') continue
    options[name] = value === 'yes' || value === 'true' ? true : value === 'no' || value === 'false' ? false : value !== '' && Number.isFinite(+value) ? +value : value
  }
  return options
}

const reports = {
  'window-open' (id, details) {
    const handler = contents.openHandler(id)
    // The program may have removed the handler since the page's request.
    if (handler === null) decide({ action: 'allow' })
    else decide(handler(details), details.features)
  },
  'window-created' (id, openerId, { features, ...details }) {
    const window = new BrowserWindow(kAdopt, id)
    const options = overrides.get(id)
    overrides.delete(id)
    const opener = contents.known(openerId)
    if (opener === undefined) return
    const [width, height] = window.isDestroyed() ? [] : window.getSize()
    opener.emit('did-create-window', window, { ...details, options: { ...optionsOf(features), width, height, ...options } })
  },
  window (id, name, ...args) {
    const window = all.get(id)
    if (window === undefined) return
    if (name === 'closed') {
      all.delete(id)
      setGone(window)
    }
    const { app } = require('./app')
    const event = { sender: window }
    window.emit(name, event, ...args)
    if (name === 'focus' || name === 'blur') app.emit(`browser-window-${name}`, event, window)
  },
  'window-close' (id) {
    const window = all.get(id)
    const event = preventable({ sender: window })
    window?.emit('close', event)
    return event.defaultPrevented
  },
  /** Emits the page's own event, which has no default to prevent. */
  title (id, title) {
    const window = all.get(id)
    window?.webContents.emit('page-title-updated', { sender: window.webContents }, title, true)
  },
  'window-title' (id, title) {
    const window = all.get(id)
    const event = preventable({ sender: window })
    window?.emit('page-title-updated', event, title, true)
    return event.defaultPrevented
  }
}

module.exports = { BrowserWindow, reports, preventable }
