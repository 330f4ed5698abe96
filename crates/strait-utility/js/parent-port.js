'use strict'
// process.parentPort (https://www.electronjs.org/docs/latest/api/parent-port): the way to who has forked this process.

const EventEmitter = require('strait:events')
const ports = require('strait:ports')
const alive = require('strait:alive')
const { whenListened } = require('strait:listening')
const { refuse } = require('strait:unsupported')

class ParentPort extends EventEmitter {
  #port = ports.adopt(native.parentPort())

  constructor () {
    super()
    ports.uncloneable(this)
    this.#port.on('message', (event) => { this.emit('message', event) })
    this.#port.on('messageerror', (event) => { this.emit('messageerror', event) })
    this.#port.on('close', (event) => { this.emit('close', event) })
    // The port itself always has a listener; whether somebody waits for messages is to be seen here.
    alive.disregard(this.#port)
    alive.watch(() => ports.isOpen(this.#port) && this.listenerCount('message') > 0)
  }

  postMessage (message, transfer) { this.#port.postMessage(message, transfer) }
  /** Messages wait until then; the first listener does it too. */
  start () { this.#port.start() }
  close () { this.#port.close() }
}

whenListened(ParentPort, 'message', (parentPort) => parentPort.start())
refuse(ParentPort, 'parentPort')

module.exports = { parentPort: new ParentPort() }
