'use strict'
// require('electron') in a worker thread: channels over MessagePorts of Node's. The process's own
// ports are in its main thread and reach a worker by `toMessagePort()`. Ports made in a worker
// reach the main thread the same way.

const EventEmitter = require('events')
const { MessageChannel, MessagePort } = require('worker_threads')
const { CLONE_ERROR } = require('./errors')

/** Set by the static block: access to private state for this file only. */
let nodePortOf

class MessagePortMain extends EventEmitter {
  /** @type {MessagePort | null} null once the port was closed or transferred */
  #port
  #started = false

  constructor (key, port) {
    if (key !== kMake) throw new TypeError('Illegal constructor')
    super()
    this.#port = port
    // An object with a function as its own property has no clone, so a port outside of transfer
    // lists is refused.
    Object.defineProperty(this, 'close', { value: this.close, enumerable: true })
    port.addEventListener('close', this.#ended)
  }

  static {
    nodePortOf = (value) => typeof value === 'object' && value !== null && #port in value ? value.#port : undefined
  }

  #ended = () => {
    if (this.#port === null) return
    this.#port = null
    this.emit('close', { reason: 'closed' })
  }

  #received = ({ data, ports }) => { this.emit('message', { data, ports: ports.map(MessagePortMain.from) }) }

  start () {
    if (this.#port === null || this.#started) return
    this.#started = true
    this.#port.addEventListener('message', this.#received)
    this.#port.start()
  }

  close () {
    this.#port?.close()
    this.#ended()
  }

  postMessage (message, transfer = []) {
    if (this.#port === null) return
    if (!Array.isArray(transfer)) throw new TypeError('transferables must be an array of MessagePorts')
    const list = transfer.map((item, index) => {
      if (item === this) throw new Error(`Port at index ${index} contains the source port.`)
      const port = nodePortOf(item)
      if (port === null) throw new Error(`Port at index ${index} is already neutered.`)
      if (port === undefined && !(item instanceof ArrayBuffer)) throw new TypeError(`Port at index ${index} is not a valid port`)
      return port ?? item
    })
    try {
      this.#port.postMessage(message, list)
    } catch (error) {
      if (error.name === 'DataCloneError') throw new Error(CLONE_ERROR, { cause: error })
      throw error
    }
    for (const item of transfer) if (nodePortOf(item) !== undefined) item.#port = null
  }

  /** The MessagePort of Node's behind this port. This object is neutered. */
  toMessagePort () {
    const port = this.#port
    if (port === null) throw new Error('The port is closed or has been transferred.')
    port.removeEventListener('message', this.#received)
    port.removeEventListener('close', this.#ended)
    this.#port = null
    return port
  }

  /** @param {MessagePort} port the caller must not use it afterwards */
  static from (port) {
    if (!(port instanceof MessagePort)) throw new TypeError('The port must be a MessagePort of worker_threads.')
    return new MessagePortMain(kMake, port)
  }
}

const kMake = Symbol('make')

class MessageChannelMain {
  constructor () {
    const { port1, port2 } = new MessageChannel()
    this.port1 = MessagePortMain.from(port1)
    this.port2 = MessagePortMain.from(port2)
  }
}

module.exports = { MessageChannelMain, MessagePortMain }
