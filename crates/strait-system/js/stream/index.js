'use strict'
// Node's `stream` (https://nodejs.org/api/stream.html).

const { refusals } = require('strait:errors')
const Stream = require('strait:stream/legacy')
const { Duplex, Transform, PassThrough } = require('strait:stream/duplex')
const { Readable } = require('strait:stream/readable')
const { Writable } = require('strait:stream/writable')
const { finished, addAbortSignal } = require('strait:stream/finished')
const { pipeline, promised } = require('strait:stream/pipeline')
const { defaults } = require('strait:stream/base')

/** @type {any} */
const custom = Symbol.for('nodejs.util.promisify.custom')

/** @param {any} stream @param {any} [options] */
const awaited = (stream, options) => new Promise((resolve, reject) => {
  const stop = finished(stream, options, (/** @type {any} */ error) => {
    if (options?.cleanup) stop()
    if (error) reject(error)
    else resolve(undefined)
  })
})
Object.defineProperty(finished, custom, { value: awaited, configurable: true })
Object.defineProperty(pipeline, custom, { value: promised, configurable: true })
const promises = { finished: awaited, pipeline: promised }
Object.defineProperty(promised, 'name', { value: 'pipeline', configurable: true })
Object.defineProperty(awaited, 'name', { value: 'finished', configurable: true })

module.exports = Object.assign(Stream, {
  Stream,
  Readable,
  Writable,
  Duplex,
  Transform,
  PassThrough,
  finished,
  pipeline,
  addAbortSignal,
  promises,
  isReadable: (/** @type {any} */ stream) => (typeof stream?.readable === 'boolean' ? stream.readable : null),
  isErrored: (/** @type {any} */ stream) => Boolean(stream && (stream._readableState?.errored || stream._writableState?.errored)),
  isDisturbed: (/** @type {any} */ stream) => Boolean(stream && (stream.readableDidRead || stream.readableAborted)),
  getDefaultHighWaterMark: (/** @type {boolean} */ isOfObjects) => defaults[isOfObjects ? 1 : 0],
  setDefaultHighWaterMark(/** @type {boolean} */ isOfObjects, /** @type {number} */ value) { defaults[isOfObjects ? 1 : 0] = value },
  _uint8ArrayToBuffer: (/** @type {Uint8Array} */ bytes) => require('buffer').Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  _isUint8Array: (/** @type {any} */ value) => value instanceof Uint8Array,
  ...refusals('stream', 'compose destroy'),
})
