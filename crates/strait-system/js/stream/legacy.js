'use strict'
// The base class of all streams, which is also the value of `require('stream')`.

const EventEmitter = require('events')
const { inherit } = require('strait:stream/base')

/** @this {any} @param {any} options */
function Stream(options) {
  EventEmitter.call(this, options)
}
inherit(Stream, EventEmitter)

/**
 * `pipe` for streams without states, as it was originally. Streams with states have their own.
 * @this {any} @param {any} target @param {any} [options]
 */
Stream.prototype.pipe = function pipe(target, options) {
  const onData = (/** @type {any} */ chunk) => { if (target.writable && target.write(chunk) === false) this.pause?.() }
  const onDrain = () => { if (this.readable) this.resume?.() }
  const onEnd = () => { target.end() }
  const onError = (/** @type {any} */ error) => {
    cleanUp()
    if (this.listenerCount('error') === 0) this.emit('error', error)
  }
  const cleanUp = () => {
    this.removeListener('data', onData)
    target.removeListener('drain', onDrain)
    this.removeListener('end', onEnd)
    this.removeListener('error', onError)
    target.removeListener('error', onError)
  }
  this.on('data', onData)
  target.on('drain', onDrain)
  if (options?.end !== false) this.once('end', onEnd)
  this.on('error', onError)
  target.on('error', onError)
  this.once('end', cleanUp)
  this.once('close', cleanUp)
  target.once('close', cleanUp)
  target.emit('pipe', this)
  return target
}

module.exports = Stream
