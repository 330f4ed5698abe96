'use strict'
// Iterates over streams, and makes streams of iterables
// (https://nodejs.org/api/stream.html#consuming-readable-streams-with-async-iterators).

const { coded, wrongType } = require('strait:errors')
const { Buffer } = require('buffer')
const { nop, both } = require('strait:stream/base')

/** @param {any} stream @param {any} options */
async function* iterate(stream, options) {
  const { finished } = require('strait:stream/finished')
  let wake = nop
  /** @type {any} undefined while the stream goes on; null at its end */
  let over
  const onReadable = () => wake()
  stream.on('readable', onReadable)
  const cleanUp = finished(stream, { writable: false }, (/** @type {any} */ error) => {
    over = error ? both(over, error) : null
    wake()
  })
  try {
    for (;;) {
      const chunk = stream.destroyed ? null : stream.read()
      if (chunk !== null) yield chunk
      else if (over) throw over
      else if (over === null) return
      else {
        await new Promise((resolve) => { wake = () => resolve(undefined) })
        wake = nop
      }
    }
  } catch (error) {
    over = both(over, error)
    throw over
  } finally {
    if ((over || options?.destroyOnReturn !== false) && (over === undefined || stream._readableState.autoDestroy)) {
      stream.destroy(null)
    } else {
      stream.off('readable', onReadable)
      cleanUp()
    }
  }
}

/**
 * Makes a stream of an iterable.
 * @param {any} Readable @param {any} source @param {any} [options]
 */
const from = (Readable, source, options) => {
  if (typeof source === 'string' || source instanceof Buffer) {
    return new Readable({ objectMode: true, ...options, read() { this.push(source); this.push(null) } })
  }
  const iterator = source?.[Symbol.asyncIterator]?.() ?? source?.[Symbol.iterator]?.()
  if (iterator === undefined) throw wrongType('iterable', 'an instance of Iterable', source)
  const stream = new Readable({ objectMode: true, highWaterMark: 1, ...options })
  let isReading = false
  const next = async () => {
    try {
      for (;;) {
        const { value, done } = await iterator.next()
        if (done) {
          stream.push(null)
          return
        }
        const chunk = await value
        if (chunk === null) throw coded(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream')
        if (!stream.push(chunk)) break
      }
      isReading = false
    } catch (error) {
      stream.destroy(error)
    }
  }
  stream._read = () => {
    if (isReading) return
    isReading = true
    next()
  }
  stream._destroy = (/** @type {any} */ error, /** @type {any} */ callback) => {
    const stop = async () => {
      if (error !== null && error !== undefined && typeof iterator.throw === 'function') {
        const { value, done } = await iterator.throw(error)
        await value
        if (done) return
      }
      if (typeof iterator.return === 'function') await (await iterator.return()).value
    }
    stop().then(() => process.nextTick(callback, error), (failure) => process.nextTick(callback, failure ?? error))
  }
  return stream
}

/** @param {any} Readable */
const addFrom = (Readable) => { Readable.from = (/** @type {any} */ source, /** @type {any} */ options) => from(Readable, source, options) }

module.exports = { iterate, addFrom }
