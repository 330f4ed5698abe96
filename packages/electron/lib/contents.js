'use strict'
// WebContents (https://www.electronjs.org/docs/latest/api/web-contents): the page in a window.

const { native } = require('./native')
const EventEmitter = require('events')
const ports = require('./ports')
const frames = require('./frame')
const { IpcMain } = require('./ipc')
const { start } = require('./tokens')
const { errorOf } = require('./errors')
const { refuse, warn } = require('./unsupported')

/** @type {Map<number, WebContents>} */
const all = new Map()

const kMake = Symbol('make')

/** Set by the static block: access to private state for this file only. */
let setGone, setLoading, openHandler

/** The numbers of the worlds. */
const MAIN_WORLD = 0
const PRELOAD_WORLD = 999

const DESTROYED = 'Object has been destroyed'

class WebContents extends EventEmitter {
  #id
  #ipc = new IpcMain()
  #destroyed = false
  #mainFrame
  /** The number of loads under way. */
  #loading = 0
  /** Loads that the program has requested and that have neither begun nor ended. */
  #asked = new Set()
  /** The handler that decides about windows opened by the page. */
  #openHandler = null

  static {
    openHandler = (contents) => contents.#openHandler
    setGone = (contents) => { contents.#destroyed = true }
    setLoading = (contents, change) => {
      contents.#loading = Math.max(0, contents.#loading + change)
      if (change > 0) contents.#asked.clear()
    }
  }

  constructor (secret, id) {
    if (secret !== kMake) throw new TypeError('Illegal constructor')
    super()
    this.#id = id
    this.#mainFrame = frames.of(native.contentsState(id)?.mainFrame)
    all.set(id, this)
    ports.uncloneable(this)
  }

  #state () {
    const state = this.#destroyed ? undefined : native.contentsState(this.#id)
    if (state === undefined || state === null || state.destroyed) throw new TypeError(DESTROYED)
    return state
  }

  #check () {
    if (this.isDestroyed()) throw new TypeError(DESTROYED)
  }

  get id () { return this.#id }
  get ipc () { return this.#ipc }
  get mainFrame () { return this.#mainFrame }
  get hostWebContents () { return null }

  isDestroyed () { return this.#destroyed || (native.contentsState(this.#id)?.destroyed ?? true) }
  isCrashed () { return this.#state().crashed }
  isLoading () {
    this.#check()
    return this.#loading > 0 || this.#asked.size > 0
  }

  isLoadingMainFrame () { return this.isLoading() }
  getURL () { return this.#state().url }
  getTitle () { return this.#state().title }
  getOSProcessId () { return this.#state().osProcessId }
  getProcessId () { return this.mainFrame.processId }
  getType () { return 'window' }

  send (channel, ...args) {
    this.#check()
    frames.sendArguments(channel, args, (...message) => native.contentsSend(this.#id, ...message))
  }

  postMessage (...args) {
    this.#check()
    frames.postMessage(args, (...message) => native.contentsPost(this.#id, ...message))
  }

  sendToFrame (frame, channel, ...args) {
    this.#check()
    const [processId, key] = Array.isArray(frame) ? frame : [undefined, frame]
    if (typeof key !== 'number') throw new Error('Missing required frameId (must be number)')
    const found = this.#mainFrame.framesInSubtree.find((candidate) => candidate.routingId === key)
    if (found === undefined || (processId !== undefined && found.processId !== processId)) return false
    found.send(channel, ...args)
    return true
  }

  loadURL (url, options = {}) {
    this.#check()
    for (const name of Object.keys(options ?? {})) {
      if (!LOAD_OPTIONS.includes(name)) warn(`webContents.loadURL: the option '${name}' is not supported by Strait and has no effect (docs/electron-compatibility.md#webcontents)`)
    }
    if (options?.userAgent !== undefined) this.setUserAgent(options.userAgent)
    return this.#load('url', String(url), headersOf(options ?? {}))
  }

  loadFile (file, options = {}) {
    this.#check()
    if (typeof file !== 'string') throw new TypeError('Must pass filePath as a string')
    if (options.query === undefined && options.search === undefined && options.hash === undefined) return this.#load('file', file)
    const url = require('url').pathToFileURL(require('path').resolve(native.program.root, file))
    if (options.query !== undefined) url.search = new URLSearchParams(options.query).toString()
    if (options.search !== undefined) url.search = options.search
    if (options.hash !== undefined) url.hash = options.hash
    return this.#load('url', url.href)
  }

  reload () { ignore(this.#load('reload', '')) }
  reloadIgnoringCache () { this.reload() }
  stop () {
    this.#check()
    native.contentsStop(this.#id)
  }

  /** The caller may ignore the promise, because a failed load is reported by an event too. */
  #load (how, what, headers = []) {
    this.#check()
    const load = {}
    this.#asked.add(load)
    const promise = start((token) => native.contentsLoad(this.#id, how, what, headers, token))
    const settled = () => { this.#asked.delete(load) }
    promise.then(settled, settled)
    return promise
  }

  executeJavaScript (code) {
    this.#check()
    return start((token) => native.contentsEval(this.#id, false, String(code), token))
  }

  /** The page's world is 0, the preload's is 999. Other worlds do not exist. */
  executeJavaScriptInIsolatedWorld (world, scripts) {
    this.#check()
    if (world !== MAIN_WORLD && world !== PRELOAD_WORLD) {
      throw new Error(`webContents.executeJavaScriptInIsolatedWorld: world ${String(world)} is not supported by Strait, which has ${MAIN_WORLD} (the page's) and ${PRELOAD_WORLD} (the preload's) (docs/electron-compatibility.md#webcontents)`)
    }
    if (!Array.isArray(scripts)) throw new TypeError('executeJavaScriptInIsolatedWorld: scripts must be an array')
    const source = scripts.map(({ code }) => String(code)).join('\n;')
    return start((token) => native.contentsEval(this.#id, world === PRELOAD_WORLD, source, token))
  }

  /**
   * Resolves with the sheet's key once the sheet is in force. The sheet is removed with the
   * document.
   */
  insertCSS (css, options = {}) {
    this.#check()
    const origin = options?.cssOrigin ?? 'author'
    if (origin !== 'author' && origin !== 'user') throw new TypeError(`insertCSS: cssOrigin must be 'author' or 'user', not '${String(origin)}'`)
    return start((token) => native.pageInsertStyle(this.#id, String(css), origin === 'user', token))
  }

  removeInsertedCSS (key) {
    this.#check()
    return start((token) => native.pageRemoveStyle(this.#id, String(key), token))
  }

  openDevTools (options = {}) {
    this.#check()
    const mode = options?.mode ?? 'right'
    native.pageDo(this.#id, mode === 'detach' || mode === 'undocked' ? 'devtools-detached' : 'devtools')
  }

  closeDevTools () {
    this.#check()
    native.pageDo(this.#id, 'devtools-close')
  }

  toggleDevTools () {
    this.#check()
    native.pageDo(this.#id, 'devtools-toggle')
  }

  isDevToolsOpened () {
    this.#check()
    return native.pageDevTools(this.#id)
  }

  forcefullyCrashRenderer () {
    this.#check()
    native.pageDo(this.#id, 'crash')
  }

  setUserAgent (userAgent) {
    this.#check()
    native.pageUserAgent(this.#id, String(userAgent))
  }

  setWindowOpenHandler (handler) {
    this.#check()
    handler ??= null
    if (handler !== null && typeof handler !== 'function') throw new TypeError('setWindowOpenHandler: the handler must be a function')
    this.#openHandler = handler
    native.contentsAskOpen(this.#id, handler !== null)
  }

  close () {
    this.#check()
    native.windowDo(this.#id, 'close')
  }

  focus () {
    this.#check()
    native.windowDo(this.#id, 'focus')
  }
}

const LOAD_OPTIONS = ['userAgent', 'extraHeaders', 'httpReferrer']

/** The request headers that the options describe, as pairs. */
function headersOf ({ extraHeaders, httpReferrer }) {
  const headers = []
  for (const line of String(extraHeaders ?? '').split(/\r?\n/)) {
    const [, name, value] = /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line) ?? []
    if (name !== undefined) headers.push([name, value])
  }
  const referrer = typeof httpReferrer === 'object' ? httpReferrer?.url : httpReferrer
  if (referrer !== undefined && referrer !== '') headers.push(['Referer', String(referrer)])
  return headers
}

/**
 * The number of the page's process, for events. An event may arrive just after the window was
 * destroyed, when the frame's own `processId` throws.
 */
const processOf = ({ mainFrame }) => {
  try { return mainFrame.processId } catch { return -1 }
}

/** @returns an event that also carries the details of a navigation */
const navigation = (contents, url, isSameDocument) => ({ sender: contents, url, isSameDocument, isMainFrame: true, frame: contents.mainFrame })

function ignore (promise) {
  promise.catch(() => {})
}

/**
 * The object of page `id`, made on first use. The caller that makes it emits
 * `web-contents-created`.
 */
function of (id) {
  return all.get(id) ?? new WebContents(kMake, id)
}

/**
 * The reason phrases of the usual statuses, because the web engine does not report the server's
 * own.
 */
const STATUS_TEXTS = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  206: 'Partial Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  410: 'Gone',
  418: "I'm a teapot",
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout'
}

const LEVELS = ['debug', 'info', 'info', 'warning', 'error']

/** Reports of the host about a page. */
const reports = {
  contents (id, name) {
    const contents = all.get(id)
    if (contents === undefined) return
    if (name === 'did-start-loading') setLoading(contents, 1)
    if (name === 'did-stop-loading') setLoading(contents, -1)
    if (name === 'destroyed') {
      setGone(contents)
      all.delete(id)
    }
    contents.emit(name, { sender: contents })
  },
  'did-navigate' (id, url, sameDocument, status) {
    const contents = all.get(id)
    if (contents === undefined) return
    const where = [true, processOf(contents), contents.mainFrame.routingId]
    if (sameDocument) {
      reports['did-start-navigation'](id, url, true)
      contents.emit('did-navigate-in-page', { sender: contents }, url, ...where)
      return
    }
    const answer = [url, status ?? -1, STATUS_TEXTS[status] ?? '']
    contents.emit('did-frame-navigate', { sender: contents }, ...answer, ...where)
    contents.emit('did-navigate', { sender: contents }, ...answer)
  },
  'did-start-navigation' (id, url, sameDocument) {
    const contents = all.get(id)
    if (contents === undefined) return
    // The arguments of Electron's older form follow the event's own fields.
    contents.emit('did-start-navigation', navigation(contents, url, sameDocument), url, sameDocument, true, processOf(contents), contents.mainFrame.routingId)
  },
  'did-fail-load' (id, code, description, url) {
    const contents = all.get(id)
    contents?.emit('did-fail-load', { sender: contents }, code, description, url, true, processOf(contents), contents.mainFrame.routingId)
  },
  console (id, level, message, sourceId, lineNumber) {
    const contents = all.get(id)
    if (contents === undefined) return
    // The arguments of Electron's older form follow the event's own fields.
    const number = [0, 1, 1, 2, 3][level]
    contents.emit('console-message', { sender: contents, level: LEVELS[level], message, lineNumber, sourceId, frame: contents.mainFrame }, number, message, lineNumber, sourceId)
  },
  responsiveness (id, name) {
    const contents = all.get(id)
    if (contents === undefined) return
    contents.emit(name, { sender: contents })
    require('./window').BrowserWindow.fromId(id)?.emit(name, { sender: contents })
  },
  'preload-error' (id, path, message) {
    const contents = all.get(id)
    if (contents === undefined) return
    const error = errorOf(message.split('\n')[0])
    error.stack = message
    contents.emit('preload-error', { sender: contents }, path, error)
  },
  'render-process-gone' (id, reason, exitCode) {
    const contents = all.get(id)
    if (contents === undefined) return
    const { app } = require('./app')
    contents.emit('render-process-gone', { sender: contents }, { reason, exitCode })
    app.emit('render-process-gone', { sender: contents }, contents, { reason, exitCode })
  },
  'frame-created' (key, id) {
    const contents = all.get(id)
    const frame = frames.of(key)
    contents?.emit('frame-created', { sender: contents }, { frame })
  },
  'frame-navigated' (key, id, url) {
    const contents = all.get(id)
    const frame = frames.of(key)
    // WebKit reports the main frame with more details. The blank document in which a frame begins
    // is not a navigation.
    if (contents === undefined || frame === contents.mainFrame || url === 'about:blank') return
    contents.emit('did-frame-navigate', { sender: contents }, url, -1, '', false, processOf(contents), frame.routingId)
  },
  'frame-loaded' (key, id) {
    const contents = all.get(id)
    const frame = frames.of(key)
    contents?.emit('did-frame-finish-load', { sender: contents }, frame === contents.mainFrame, processOf(contents), frame.routingId)
  },
  'frame-dom-ready' (key) {
    frames.of(key).emit('dom-ready')
  },
  'frame-gone' (key) {
    frames.forget(key)
  }
}

/** The module's functions besides the class. */
const webContents = {
  getAllWebContents: () => [...all.values()],
  fromId: (id) => all.get(id),
  fromFrame: (frame) => all.get(native.frameState(frame?.routingId)?.contents),
  getFocusedWebContents: () => [...all.values()].find((contents) => native.windowState(contents.id)?.focused) ?? null
}
refuse(WebContents, 'webContents', webContents)

module.exports = {
  WebContents,
  webContents,
  of,
  known: (id) => all.get(id),
  openHandler: (id) => {
    const contents = all.get(id)
    return contents === undefined ? null : openHandler(contents)
  },
  reports
}
