'use strict'
// What keeps a utility process alive besides what keeps every Node process: ports that are started, for whose messages somebody listens.

const { native } = require('./native')
const ports = require('./ports')
const { whenListenersChange } = require('./listening')

/** The ports that keep the process alive now. */
const holding = new Set()
/** Who has the listeners for a port's messages, if that is not the port itself. @type {WeakMap<object, import('events').EventEmitter>} */
const fronts = new WeakMap()

/** Looks again whether this port keeps the process alive. */
function look (port) {
  const before = holding.size
  const listens = (fronts.get(port) ?? port).listenerCount('message') > 0
  if (listens && ports.isStarted(port)) holding.add(port)
  else holding.delete(port)
  if ((before > 0) !== (holding.size > 0)) native.keepAlive(holding.size > 0)
}

ports.observe(look)
whenListenersChange(ports.MessagePortMain, look)

module.exports = {
  look,
  /** Listeners for the messages of `port` are those of `front`. */
  listenersAt (port, front) {
    fronts.set(port, front)
    look(port)
  }
}
