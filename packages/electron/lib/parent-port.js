'use strict'
// process.parentPort (https://www.electronjs.org/docs/latest/api/parent-port): the way to who has forked this process.

const EventEmitter = require('events')
const { native } = require('./native')
const alive = require('./alive')
const ports = require('./ports')
const { whenListened, whenListenersChange } = require('./listening')
const { refuse } = require('./unsupported')

/** Set by the static block: access to private state for this file only. */
let portOf

class ParentPort extends EventEmitter {
  #port = ports.adopt(native.parentPort())

  constructor () {
    super()
    ports.uncloneable(this)
    for (const name of ['message', 'messageerror', 'close']) this.#port.on(name, (event) => { this.emit(name, event) })
    // The port itself always has a listener; whether somebody waits for messages is to be seen here.
    alive.listenersAt(this.#port, this)
  }

  static { portOf = (parentPort) => parentPort.#port }

  postMessage (message, transfer) { this.#port.postMessage(message, transfer) }
  /** Messages wait until then; the first listener does it too. */
  start () { this.#port.start() }
  close () { this.#port.close() }
}

whenListened(ParentPort, 'message', (parentPort) => parentPort.start())
whenListenersChange(ParentPort, (parentPort) => alive.look(portOf(parentPort)))
refuse(ParentPort, 'parentPort')

module.exports = { parentPort: new ParentPort() }
