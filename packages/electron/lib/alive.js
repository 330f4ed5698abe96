'use strict'
// Started ports with a listener for messages. They keep a utility process alive, in addition to
// Node's own reasons.

const { native } = require('./native')
const ports = require('./ports')
const { whenListenersChange } = require('./listening')

/** The ports that keep the process alive at present. */
const holding = new Set()
/**
 * The emitters that have the listeners for a port's messages, for ports that do not have them
 * themselves.
 * @type {WeakMap<object, import('events').EventEmitter>}
 */
const fronts = new WeakMap()

/** Updates whether this port keeps the process alive. */
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
  /** Counts the listeners of `front` as the listeners for the messages of `port`. */
  listenersAt (port, front) {
    fronts.set(port, front)
    look(port)
  }
}
