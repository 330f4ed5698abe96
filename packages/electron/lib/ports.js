'use strict'
// MessageChannelMain and MessagePortMain (https://www.electronjs.org/docs/latest/api/message-port-main) over the port engine.
// The engine's end of a port is a number here; it is 0 once the port was closed or transferred away.

const { native } = require('./native')
const EventEmitter = require('events')
const { blobBytes } = require('./blob')
const { Collectable } = require('./collect')

const CLONE_ERROR = 'An object could not be cloned.'

/** @type {Map<number, MessagePortMain>} started ports live while they are entangled */
const started = new Map()
/** The others may be collected, which closes them: the program with the other end waits for that. */
const unstarted = new Collectable((id) => native.portDrop(id))

/** Set by the static block: access to private state for this file only. */
let idOf, wrap, deliver, ended, release

class MessagePortMain extends EventEmitter {
  #id = 0
  #started = false

  constructor (key) {
    if (key !== kMake) throw new TypeError('Illegal constructor')
    super()
  }

  static {
    idOf = (value) => typeof value === 'object' && value !== null && #id in value ? value.#id : null
    wrap = (id) => {
      const port = new MessagePortMain(kMake)
      port.#id = id
      unstarted.watch(port, id)
      return port
    }
    release = (port) => {
      const id = port.#id
      started.delete(id)
      unstarted.forget(id)
      port.#id = 0
      return id
    }
    deliver = (port, event) => { port.emit('message', event) }
    ended = (port, reason) => {
      release(port)
      port.emit('close', { reason })
    }
  }

  start () {
    if (this.#id === 0 || this.#started) return
    this.#started = true
    unstarted.forget(this.#id)
    started.set(this.#id, this)
    native.portStart(this.#id)
  }

  close () {
    if (this.#id === 0) return
    native.portClose(release(this))
    this.emit('close', { reason: 'closed' })
  }

  postMessage (message, transfer) {
    if (this.#id === 0) return
    const given = sort(transfer)
    // The value comes first: its error wins over the list's.
    const length = write(message, given)
    if (!given.isArray) throw new TypeError('transferables must be an array of MessagePorts')
    if (given.invalid >= 0) throw new TypeError(`Port at index ${given.invalid} is not a valid port`)
    const self = given.list.indexOf(this)
    if (self >= 0) throw new Error(`Port at index ${self} contains the source port.`)
    checkUsable(given)
    send(given, (ids) => native.portPost(this.#id, codec.buffer, length, ids))
  }
}

const kMake = Symbol('make')

const isPort = (value) => idOf(value) !== null
/** For Node before 21, whose buffers have no `transfer` and no `detached`. */
const detach = (buffer) => { structuredClone(buffer, { transfer: [buffer] }) }
const isDetached = (buffer) => buffer.detached ?? (buffer.byteLength === 0 && !isAttached(buffer))
function isAttached (buffer) {
  try {
    return new Uint8Array(buffer).length === 0
  } catch {
    return false
  }
}

/** Objects that stand for something of the host: they have no clone. */
const platform = new WeakSet()
const codec = native.codec({ cloneError: () => new Error(CLONE_ERROR), isPort, isPlatform: (value) => platform.has(value), detach, blobBytes })

/**
 * Takes a transfer list apart without judging it.
 * @returns {{list: unknown[], isArray: boolean, ports: MessagePortMain[], buffers: ArrayBuffer[], invalid: number}}
 */
function sort (transfer) {
  const isArray = transfer === undefined || Array.isArray(transfer)
  // An own copy, read once: getters must not give one thing to the check and another to the transfer.
  const list = isArray && transfer !== undefined ? Array.from(transfer) : []
  const ports = []
  const buffers = []
  let invalid = -1
  for (const [index, item] of list.entries()) {
    if (isPort(item)) ports.push(item)
    else if (item instanceof ArrayBuffer) buffers.push(item)
    else if (invalid < 0) invalid = index
  }
  return { list, isArray, ports, buffers, invalid }
}

/** Serialises into `codec.buffer`; throws the clone error. */
function write (value, given) {
  return codec.write(value, given.ports, given.buffers)
}

/** Duplicates, and ports and buffers that are not the caller's any more. */
function checkUsable ({ list }) {
  for (const [index, item] of list.entries()) {
    const what = isPort(item) ? 'Port' : 'ArrayBuffer'
    if (isPort(item) ? idOf(item) === 0 : isDetached(item)) throw new Error(`${what} at index ${index} is already neutered.`)
    if (list.indexOf(item) !== index) throw new Error(`${what} at index ${index} is a duplicate.`)
  }
}

/**
 * Everything was checked: hands the ports over with `post(ids)`, and detaches what was transferred once that has succeeded. If `post`
 * throws, nothing is consumed.
 */
function send (given, post) {
  post(given.ports.map(idOf))
  for (const port of given.ports) release(port)
  codec.detach(given.buffers)
}

/** A value that came from elsewhere, with the ports that came with it. */
function read (bytes, ids) {
  const ports = ids.map(wrap)
  return { data: codec.read(bytes, bytes.length, ports), ports }
}

/** A message for port `id`. */
function message (id, bytes, length, ports) {
  const port = started.get(id)
  if (port === undefined) return
  let data
  try {
    data = codec.read(bytes, length, ports)
  } catch (error) {
    port.emit('messageerror', { error, ports })
    return
  }
  deliver(port, { data, ports })
}

class MessageChannelMain {
  constructor () {
    const [first, second] = native.portChannel()
    this.port1 = wrap(first)
    this.port2 = wrap(second)
  }
}

module.exports = {
  CLONE_ERROR,
  MessageChannelMain,
  MessagePortMain,
  sort,
  write,
  checkUsable,
  send,
  read,
  /** The port for an end that the host has given a number. */
  adopt: (id) => wrap(id),
  /** Gives the port's end away by `give(id)`; if that throws, it stays. */
  handOver (port, give) {
    const given = give(idOf(port))
    release(port)
    return given
  },
  /** Neither closed nor transferred. */
  isOpen: (port) => idOf(port) !== 0,
  /** Marks an object as having no clone. */
  uncloneable: (object) => platform.add(object),
  /** The bytes of the last `write`. */
  written: () => codec.buffer,
  reports: {
    /** A message without ports, which lies at the beginning of the buffer for small messages. */
    'port-small': (id, length) => message(id, native.stage, length, []),
    'port-message': (id, bytes, ids) => message(id, bytes, bytes.length, ids.map(wrap)),
    /** The other end of port `id` is gone. */
    'port-close' (id, reason) {
      const port = started.get(id) ?? unstarted.get(id)
      if (port !== undefined) ended(port, reason)
    }
  }
}
