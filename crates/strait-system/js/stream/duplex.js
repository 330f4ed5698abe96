'use strict'
// Streams for reading and writing
// (https://nodejs.org/api/stream.html#duplex-and-transform-streams).

const { coded, refusals } = require('strait:errors')

/** @this {any} @param {any} [options] */
function Duplex(options) {
  if (!(this instanceof Duplex)) return new /** @type {any} */ (Duplex)(options)
  const self = /** @type {any} */ (this)
  Readable.call(self, options)
  Writable.call(self, options)
  self.allowHalfOpen = options?.allowHalfOpen !== false
  if (options?.readable === false) {
    Object.assign(self._readableState, { readable: false, ended: true, endEmitted: true })
  }
  if (options?.writable === false) {
    Object.assign(self._writableState, { writable: false, ending: true, ended: true, finished: true })
  }
}
// Exported before the other modules are loaded, because they require the class Duplex.
module.exports = { Duplex, Transform, PassThrough }

const { Readable } = require('strait:stream/readable')
const { Writable, members } = require('strait:stream/writable')
const { addMembers, inherit, destroy, nop, notImplemented } = require('strait:stream/base')

inherit(Duplex, Readable)
const { pipe, destroyed, errored, closed, destroy: _, ...own } = Object.getOwnPropertyDescriptors(members)
delete own._destroy
for (const [name, description] of Object.entries(own)) Object.defineProperty(Duplex.prototype, name, { ...description, enumerable: false })
addMembers(Duplex.prototype, {
  /** @this {any} */
  destroy(/** @type {any} */ error, /** @type {any} */ callback) { return members.destroy.call(this, error, callback) },
  get destroyed() {
    const { _readableState: reading, _writableState: writing } = /** @type {any} */ (this)
    return Boolean(reading && writing && reading.destroyed && writing.destroyed)
  },
  set destroyed(value) {
    const { _readableState: reading, _writableState: writing } = /** @type {any} */ (this)
    if (reading && writing) reading.destroyed = writing.destroyed = value
  },
})
Object.assign(Duplex, refusals('stream', 'from fromWeb toWeb'))

/** @this {any} @param {any} [options] */
function Transform(options) {
  if (!(this instanceof Transform)) return new /** @type {any} */ (Transform)(options)
  const self = /** @type {any} */ (this)
  // With a mark of 0 for reading, the default mark for writing is 0 too, so neither side buffers.
  const marks = options?.readableHighWaterMark === 0 ? { highWaterMark: null, readableHighWaterMark: 0, writableHighWaterMark: options.writableHighWaterMark || 0 } : {}
  Duplex.call(self, { ...options, ...marks })
  self._readableState.sync = false
  self[waiting] = null
  if (typeof options?.transform === 'function') self._transform = options.transform
  if (typeof options?.flush === 'function') self._flush = options.flush
  // For a class with a different `_final`, this runs at the end.
  self.on('prefinish', function (/** @type {any} */ event) {
    if (self._final !== final) final.call(self, nop)
  })
}
/** The callback to call when there is room again. */
const waiting = Symbol('callback')
inherit(Transform, Duplex)

/** @this {any} @param {(error?: any) => void} callback */
function final(callback) {
  if (typeof this._flush !== 'function' || this.destroyed) {
    this.push(null)
    callback()
    return
  }
  this._flush((/** @type {any} */ error, /** @type {any} */ data) => {
    if (error) {
      if (callback === nop) this.destroy(error)
      else callback(error)
      return
    }
    if (data !== undefined && data !== null) this.push(data)
    this.push(null)
    callback()
  })
}

addMembers(Transform.prototype, {
  _final: final,
  _transform() { throw notImplemented('_transform()') },
  /** @this {any} */
  _write(/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) {
    const reading = this._readableState
    const writing = this._writableState
    const before = reading.length
    this._transform(chunk, encoding, (/** @type {any} */ error, /** @type {any} */ value) => {
      if (error) {
        callback(error)
        return
      }
      if (value !== undefined && value !== null) this.push(value)
      if (writing.ended || before === reading.length || reading.length < reading.highWaterMark) callback()
      else this[waiting] = callback
    })
  },
  /** @this {any} */
  _read() {
    const callback = this[waiting]
    if (!callback) return
    this[waiting] = null
    callback()
  },
})

/** @this {any} @param {any} [options] */
function PassThrough(options) {
  if (!(this instanceof PassThrough)) return new /** @type {any} */ (PassThrough)(options)
  Transform.call(/** @type {any} */ (this), options)
}
inherit(PassThrough, Transform)
addMembers(PassThrough.prototype, { _transform(/** @type {any} */ chunk, /** @type {any} */ _encoding, /** @type {any} */ callback) { callback(null, chunk) } })
