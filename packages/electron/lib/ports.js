'use strict'
// MessageChannelMain and MessagePortMain
// (https://www.electronjs.org/docs/latest/api/message-port-main) over the port engine. Each object
// refers to its port by the engine's number, which becomes 0 when the port is closed or
// transferred.

const { native } = require('./native')
const EventEmitter = require('events')
const { MessageChannel, MessagePort } = require('worker_threads')
const { blobBytes } = require('./blob')
const { Collectable } = require('./collect')
const { report } = require('./report')
const { CLONE_ERROR } = require('./errors')
const { Writer, pull, take } = require('./large')

/**
 * @type {Map<number, MessagePortMain>} started ports, which are kept alive while they are entangled
 */
const started = new Map()
/**
 * Ports that are not started may be collected, which closes them. The program at the other end may
 * wait for that.
 */
const unstarted = new Collectable((id) => native.portDrop(id))

/** Set by the static block: access to private state for this file only. */
let idOf, wrap, deliver, ended, release, relay, relayOf, isStarted

/** Called with each port that has been started, closed or transferred. */
let changed = () => {}

class MessagePortMain extends EventEmitter {
  #id = 0
  #started = false
  /**
   * The MessagePort of Node's that receives the messages instead of listeners.
   * @type {MessagePort | null}
   */
  #relay = null

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
      changed(port)
      return id
    }
    isStarted = (port) => port.#started && port.#id !== 0
    deliver = (port, event) => { port.emit('message', event) }
    ended = (port, reason) => {
      release(port)
      port.#relay?.close()
      port.emit('close', { reason })
    }
    relayOf = (port) => port.#relay
    relay = (port, node) => {
      port.#relay = node
      node.addEventListener('message', ({ data, ports }) => fromNode(port, data, ports))
      node.addEventListener('close', () => port.close())
      // The thread that has the other MessagePort decides whether it keeps the process alive.
      node.unref()
      port.start()
    }
  }

  start () {
    if (this.#id === 0 || this.#started) return
    this.#started = true
    unstarted.forget(this.#id)
    started.set(this.#id, this)
    native.portStart(this.#id)
    changed(this)
  }

  close () {
    if (this.#id === 0) return
    native.portClose(release(this))
    this.emit('close', { reason: 'closed' })
  }

  postMessage (message, transfer) {
    if (this.#id === 0) return
    const given = sort(transfer)
    const writer = new Writer(this.#id)
    try {
      // The value is written before the list is checked, because the value's error takes
      // precedence.
      const length = codec.write(message, given.ports, given.buffers, false, writer)
      if (!given.isArray) throw new TypeError('transferables must be an array of MessagePorts')
      if (given.invalid >= 0) throw new TypeError(`Port at index ${given.invalid} is not a valid port`)
      const self = given.list.indexOf(this)
      if (self >= 0) throw new Error(`Port at index ${self} contains the source port.`)
      checkUsable(given)
      send(given, (ids) => writer.post(codec.buffer, length - codec.sunk, ids))
    } finally {
      writer.end()
    }
  }

  /**
   * Replaces this port by a MessagePort of Node's (`worker_threads`), which can be transferred to a
   * worker thread or given to any library that takes a standard port. This object is neutered.
   * Ports inside messages become ports of the other kind.
   * @returns {MessagePort}
   */
  toMessagePort () {
    if (this.#id === 0) throw new Error('The port is closed or has been transferred.')
    const { port1, port2 } = new MessageChannel()
    relay(wrap(release(this)), port1)
    return port2
  }

  /**
   * The reverse of `toMessagePort`: replaces a MessagePort of Node's by a port of Strait's. The
   * caller must not use `port` afterwards.
   * @param {MessagePort} port
   * @returns {MessagePortMain}
   */
  static from (port) {
    if (!(port instanceof MessagePort)) throw new TypeError('The port must be a MessagePort of worker_threads.')
    const { port1, port2 } = new MessageChannelMain()
    relay(port1, port)
    return port2
  }
}

/** Passes a message from a port of Node's on to the other end of `port`. */
function fromNode (port, data, nodePorts) {
  const ends = nodePorts.map(MessagePortMain.from)
  if (idOf(port) === 0) return
  try {
    const writer = new Writer(idOf(port))
    try {
      const length = codec.write(data, nodePorts, [], false, writer)
      writer.post(codec.buffer, length - codec.sunk, ends.map(idOf))
    } finally {
      writer.end()
    }
    ends.forEach(release)
  } catch (error) {
    report('A message of a MessagePort was not passed on:', error)
    for (const end of ends) end.close()
  }
}

/** Passes a message on to a port of Node's. */
function toNode (node, data, nodePorts) {
  try {
    node.postMessage(data, nodePorts)
  } catch (error) {
    report('A message for a MessagePort was not passed on:', error)
    for (const port of nodePorts) port.close()
  }
}

const kMake = Symbol('make')

const isPort = (value) => idOf(value) !== null
/** For Node before 21, whose ArrayBuffers have no `transfer` and no `detached`. */
const detach = (buffer) => { structuredClone(buffer, { transfer: [buffer] }) }
const isDetached = (buffer) => buffer.detached ?? (buffer.byteLength === 0 && !isAttached(buffer))
function isAttached (buffer) {
  try {
    return new Uint8Array(buffer).length === 0
  } catch {
    return false
  }
}

/** Objects that represent something of the host and have no clone. */
const platform = new WeakSet()
/**
 * The buffer through which messages arrive: all of a small message, the beginning of a longer one.
 */
const { stage } = native
const codec = native.codec({ cloneError: () => new Error(CLONE_ERROR), isPort, isPlatform: (value) => platform.has(value), detach, blobBytes })

/**
 * Splits a transfer list by type without checking it.
 * @returns {{list: unknown[], isArray: boolean, ports: MessagePortMain[], buffers: ArrayBuffer[],
 *   invalid: number}}
 */
function sort (transfer) {
  const isArray = transfer === undefined || Array.isArray(transfer)
  // A copy that is read once, because a getter could give different entries to the check and to the
  // transfer.
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

/** Throws for duplicates, and for ports and buffers that are closed, transferred or detached. */
function checkUsable ({ list }) {
  for (const [index, item] of list.entries()) {
    const what = isPort(item) ? 'Port' : 'ArrayBuffer'
    if (isPort(item) ? idOf(item) === 0 : isDetached(item)) throw new Error(`${what} at index ${index} is already neutered.`)
    if (list.indexOf(item) !== index) throw new Error(`${what} at index ${index} is a duplicate.`)
  }
}

/**
 * Sends the checked message: passes the ports' numbers to `post(ids)`, and releases the ports and
 * detaches the buffers once `post` has succeeded. If `post` throws, nothing is consumed.
 */
function send (given, post) {
  post(given.ports.map(idOf))
  for (const port of given.ports) release(port)
  codec.detach(given.buffers)
}

/** Reads a received value, with the ports received with it. */
function read (bytes, ids) {
  const ports = ids.map(wrap)
  const { buffer, byteOffset } = bytes
  // A slice is copied once. A new array would be cleared before it is filled.
  const slice = (start, size) => buffer.slice(byteOffset + start, byteOffset + start + size)
  return { data: codec.read(bytes, bytes.length, ports, undefined, undefined, slice), ports }
}

/**
 * Delivers a message of `length` bytes for port `id`, with the ports of these numbers. The stage
 * holds the beginning of the message.
 */
function message (id, length, ids) {
  const port = started.get(id)
  if (port === undefined) {
    for (const id of ids) native.portDrop(id)
    return
  }
  const node = relayOf(port)
  const ports = ids.map(node === null ? wrap : (id) => wrap(id).toMessagePort())
  let data
  try {
    data = codec.read(stage, length, ports, pull, undefined, take)
    if (length > stage.length) native.readDone()
  } catch (error) {
    if (node === null) port.emit('messageerror', { error, ports })
    else toNode(node, undefined, ports)
    return
  }
  if (node === null) deliver(port, { data, ports })
  else toNode(node, data, ports)
}

class MessageChannelMain {
  constructor () {
    const [first, second] = native.portChannel()
    this.port1 = wrap(first)
    this.port2 = wrap(second)
  }
}

module.exports = {
  MessageChannelMain,
  MessagePortMain,
  sort,
  write,
  checkUsable,
  send,
  read,
  /** Makes the object for a port by its number. */
  adopt: (id) => wrap(id),
  /** Transfers the port by `give(id)`; if that throws, the port stays usable. */
  handOver (port, give) {
    const given = give(idOf(port))
    release(port)
    return given
  },
  /** Whether the port is neither closed nor transferred. */
  isOpen: (port) => idOf(port) !== 0,
  /**
   * Whether the port's messages are delivered: it is started, and neither closed nor transferred.
   */
  isStarted,
  /** Makes `observer` be called with each port that has been started, closed or transferred. */
  observe (observer) { changed = observer },
  /** Marks an object as having no clone. */
  uncloneable: (object) => platform.add(object),
  /** The buffer that holds the bytes of the last `write`. */
  written: () => codec.buffer,
  reports: {
    /** Handles a message without ports that is not longer than the stage. */
    'port-small': (id, length) => message(id, length, []),
    'port-message': message,
    /** Handles the end of the channel of port `id`. */
    'port-close' (id, reason) {
      const port = started.get(id) ?? unstarted.get(id)
      if (port !== undefined) ended(port, reason)
    }
  }
}
