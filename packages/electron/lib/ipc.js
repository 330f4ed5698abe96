'use strict'
// ipcMain, webContents.ipc and frame.ipc (https://www.electronjs.org/docs/latest/api/ipc-main): the
// receivers of a page's messages, and the answers to invoke and sendSync.

const { native } = require('./native')
const { report } = require('./report')
const EventEmitter = require('events')
const { Collectable } = require('./collect')
const ports = require('./ports')

/** In lines for the terminal, longer channel names are cut. */
const MAX_SHOWN = 100
/**
 * Messages with more arguments are refused, because a call of a listener cannot take any number.
 */
const MAX_ARGUMENTS = 10000

class IpcMain extends EventEmitter {
  #handlers = new Map()

  constructor () {
    super()
    ports.uncloneable(this)
  }

  handle (channel, handler) {
    if (this.#handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    if (typeof handler !== 'function') throw new TypeError(`Expected handler to be a function, but found type '${typeof handler}'`)
    this.#handlers.set(channel, handler)
  }

  handleOnce (channel, handler) {
    if (typeof handler !== 'function') throw new TypeError(`Expected handler to be a function, but found type '${typeof handler}'`)
    this.handle(channel, (...args) => {
      this.removeHandler(channel)
      return handler(...args)
    })
  }

  removeHandler (channel) { this.#handlers.delete(channel) }

  /** @returns {Function | undefined} */
  static handlerOf (ipc, channel) { return ipc.#handlers.get(channel) }
}

const ipcMain = new IpcMain()

/** The event that listeners for a page's message receive. */
class IpcMainEvent {
  /**
   * @param from the number of the sending document, its origin, and whether it was being unloaded
   */
  constructor (sender, frame, state, from) {
    this.type = 'frame'
    this.sender = sender
    this.ports = []
    this.processId = state?.processId ?? 0
    this.frameId = frame.routingId
    // Null when the frame is gone or shows a document of another origin. This is checked at each
    // access.
    Object.defineProperty(this, 'senderFrame', { get: () => native.frameShows(frame.routingId, ...from) ? frame : null, enumerable: true, configurable: true })
    this.reply = (channel, ...args) => {
      // Required late, because that module requires this one.
      const { sendArguments } = require('./frame')
      sendArguments(channel, args, (...message) => native.frameReply(frame.routingId, ...from, ...message))
    }
    ports.uncloneable(this)
  }
}

/** The channel name in printable form for the terminal, because a page chooses it. */
const shown = (channel) => native.printable(channel.length > MAX_SHOWN ? `${channel.slice(0, MAX_SHOWN)}…` : channel)

function answer (responder, value) {
  const length = ports.write(value, ports.sort(undefined))
  native.answer(responder, ports.written(), length)
}

/** `String(error)`, also of errors whose toString throws. */
function textOf (error) {
  try { return String(error) } catch { return 'Error' }
}

async function invoke (receivers, channel, event, args, responder) {
  const receiver = receivers.find((ipc) => IpcMain.handlerOf(ipc, channel) !== undefined)
  if (receiver === undefined) {
    native.answerError(responder, `Error: No handler registered for '${channel}'`)
    return
  }
  // Collected with this call if the promise that should settle it can never settle. The page is
  // then notified that no answer will come.
  const call = {}
  unanswered.watch(call, responder)
  const settle = (send) => {
    unanswered.forget(responder, call)
    send()
  }
  try {
    const value = await IpcMain.handlerOf(receiver, channel)(event, ...args)
    settle(() => answer(responder, value))
  } catch (error) {
    settle(() => native.answerError(responder, textOf(error)))
    report(`Error occurred in handler for '${channel}':`, error)
  }
}

/** Calls of `invoke` and events of `sendSync` that have no answer yet. */
const unanswered = new Collectable((responder) => native.answerError(responder, null))

function sendSync (receivers, channel, event, args, responder, sender) {
  let answered = false
  const respond = (value) => {
    if (answered) return
    answer(responder, value)
    answered = true
    unanswered.forget(responder)
  }
  let returnValue
  Object.defineProperty(event, 'returnValue', {
    get: () => returnValue,
    set (value) {
      respond(value)
      returnValue = value
    },
    configurable: true,
    enumerable: true
  })
  sender.emit('ipc-message-sync', event, channel, ...args)
  if (!answered && !receivers.some((ipc) => ipc.listenerCount(channel) > 0)) {
    report(`WebContents #${sender.id} called ipcRenderer.sendSync() with '${shown(channel)}' channel without listeners.`)
    respond(undefined)
    return
  }
  if (!answered) unanswered.watch(event, responder)
  emit(receivers, channel, event, args)
}

function emit (receivers, channel, event, args) {
  for (const ipc of receivers) {
    // A page chooses the channel, so an 'error' without a listener is not an error of the program.
    if (channel !== 'error' || ipc.listenerCount(channel) > 0) ipc.emit(channel, event, ...args)
  }
}

/**
 * Handles a page's message.
 * @param {{sender: object, frame: object, from: [number, string, boolean], kind: string,
 *   channel: string, bytes: Uint8Array, ids: number[], responder: number}} message
 */
function receive ({ sender, frame, from, kind, channel, bytes, ids, responder }) {
  const event = new IpcMainEvent(sender, frame, native.frameState(frame.routingId), from)
  let value
  try {
    const read = ports.read(bytes, ids)
    event.ports = read.ports
    value = read.data
  } catch (error) {
    if (responder !== 0) native.answerError(responder, textOf(error))
    report(`WebContents #${sender.id} sent something on '${shown(channel)}' that cannot be read: ${error.message}`)
    return
  }
  const receivers = [frame.ipc, sender.ipc, ipcMain]
  if (kind === 'post') emit(receivers, channel, event, [value])
  else if (!Array.isArray(value) || value.length > MAX_ARGUMENTS) {
    const text = `TypeError: arguments must be an array of at most ${MAX_ARGUMENTS}`
    if (responder !== 0) native.answerError(responder, text)
    report(`WebContents #${sender.id} sent something on '${shown(channel)}' that cannot be delivered: ${text}`)
  } else if (kind === 'send') {
    sender.emit('ipc-message', event, channel, ...value)
    emit(receivers, channel, event, value)
  } else if (kind === 'invoke') invoke(receivers, channel, event, value, responder)
  else sendSync(receivers, channel, event, value, responder, sender)
}

module.exports = { IpcMain, ipcMain, receive }
