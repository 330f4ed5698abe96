'use strict'
// WebFrameMain (https://www.electronjs.org/docs/latest/api/web-frame-main): one object for each
// frame.

const { native } = require('./native')
const { report } = require('./report')
const EventEmitter = require('events')
const ports = require('./ports')
const { IpcMain } = require('./ipc')
const { start } = require('./tokens')

const GONE = 'Render frame was disposed before WebFrameMain could be accessed'

/** @type {Map<number, WebFrameMain>} */
const frames = new Map()

const kMake = Symbol('make')

class WebFrameMain extends EventEmitter {
  #key
  #ipc

  constructor (secret, key) {
    if (secret !== kMake) throw new TypeError('Illegal constructor')
    super()
    this.#key = key
    ports.uncloneable(this)
  }

  #state () {
    const state = native.frameState(this.#key)
    if (state === undefined || state === null) throw new Error(GONE)
    return state
  }

  get routingId () { return this.#key }
  get frameTreeNodeId () { return this.#key }
  get frameToken () { return this.#key.toString(16).padStart(32, '0') }
  get ipc () { return (this.#ipc ??= new IpcMain()) }
  get url () { return this.#state().url }
  get origin () { return this.#state().origin }
  get name () { return this.#state().name }
  get processId () { return this.#state().processId }
  get osProcessId () { return this.#state().osProcessId }
  get parent () { return of(this.#state().parent) }
  get top () { return of(this.#state().top) }
  get frames () { return this.#state().frames.map(of) }
  get framesInSubtree () { return [this, ...this.frames.flatMap((frame) => frame.framesInSubtree)] }
  get detached () { return native.frameState(this.#key)?.detached ?? true }
  get visibilityState () { return this.#state().visible ? 'visible' : 'hidden' }

  isDestroyed () {
    const state = native.frameState(this.#key)
    return state === undefined || state === null
  }

  send (channel, ...args) { sendArguments(channel, args, (...message) => native.frameSend(this.#key, ...message)) }

  postMessage (...args) { postMessage(args, (...message) => native.framePost(this.#key, ...message)) }

  executeJavaScript (code) {
    return start((token) => native.frameEval(this.#key, false, String(code), token))
  }

  reload () {
    const state = native.frameState(this.#key)
    if (state?.parent !== undefined && state?.parent !== null) this.executeJavaScript('location.reload()').catch(() => {})
    else if (state?.contents) start((token) => native.contentsLoad(state.contents, 'reload', '', [], token)).catch(() => {})
    return state !== undefined && state !== null
  }
}

/** The object of frame `key`, made on first use. */
function of (key) {
  if (key === undefined || key === null) return null
  let frame = frames.get(key)
  if (frame === undefined) frames.set(key, frame = new WebFrameMain(kMake, key))
  return frame
}

/**
 * `send`: posts all arguments as one array, without ports. If the frame is gone, this prints a line
 * on the terminal.
 */
function sendArguments (channel, args, send) {
  if (typeof channel !== 'string') throw new TypeError('Missing required channel argument')
  const length = ports.write(args, ports.sort(undefined))
  try {
    send(channel, ports.written(), length)
  } catch (error) {
    // The frame or its process has ended, which is not an error of the sender.
    report(`Error sending from webFrameMain: ${error}`)
  }
}

/**
 * Whether the message is for `ipcRenderer`. It is, unless the options name the page's own world.
 */
function isForIpcRenderer (options) {
  if (options === undefined || options === null) return true
  if (typeof options !== 'object') throw new TypeError('The options of postMessage must be an object')
  const { world } = options
  if (world === undefined) return true
  if (world !== 'main') throw new TypeError(`Unknown world ${typeof world === 'string' ? `'${world}'` : typeof world}: it can only be 'main'`)
  return false
}

/**
 * `postMessage(channel, message, [transfer], [options])`. Nothing is consumed unless all arguments
 * are valid.
 */
function postMessage (args, post) {
  if (args.length < 2) throw new TypeError('Insufficient number of arguments')
  const [channel, message, transfer, options] = args
  if (typeof channel !== 'string') throw new TypeError('Error processing argument at index 0')
  const isolated = isForIpcRenderer(options)
  const given = ports.sort(transfer)
  const length = ports.write(message, given)
  if (!given.isArray || given.invalid >= 0) throw new TypeError('Invalid value for transfer')
  ports.checkUsable(given)
  ports.send(given, (ids) => post(channel, ports.written(), length, ids, isolated))
}

module.exports = {
  WebFrameMain,
  of,
  sendArguments,
  postMessage,
  /** Removes the frame, which sends no further messages. */
  forget (key) { frames.delete(key) },
  known: () => [...frames.values()].filter((frame) => !frame.isDestroyed())
}
