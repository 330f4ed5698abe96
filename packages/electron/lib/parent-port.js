'use strict'
// process.parentPort (https://www.electronjs.org/docs/latest/api/parent-port): the port to the
// process that forked this one.

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
    // The port itself always has a listener, so the listeners of this object count instead.
    alive.listenersAt(this.#port, this)
  }

  static { portOf = (parentPort) => parentPort.#port }

  postMessage (message, transfer) { this.#port.postMessage(message, transfer) }
  /**
   * Starts the delivery of messages, which wait until then. The first listener for them starts it
   * too.
   */
  start () { this.#port.start() }
  close () { this.#port.close() }
}

whenListened(ParentPort, 'message', (parentPort) => parentPort.start())
whenListenersChange(ParentPort, (parentPort) => alive.look(portOf(parentPort)))
refuse(ParentPort, 'parentPort')

module.exports = { parentPort: new ParentPort() }
