'use strict'
// Files as streams (https://nodejs.org/api/fs.html#class-fsreadstream). Functions rather than classes, because programs call them on their own objects.

const { outOfRange, checkInteger } = require('strait:errors')
const fs = require('fs')
const { Buffer } = require('buffer')
const { Readable, Writable, finished } = require('stream')
const { destroyed, fail, addMembers, inherit } = require('strait:stream/base')
const { pathOf, optionsOf, modeOf, descriptorOf } = require('strait:fs-arguments')

/** An operation is over, which the file is not closed before. */
const ioDone = Symbol('done')

/** What both begin with. @param {any} stream @param {any} file @param {any} options @param {string} flags @param {number} highWaterMark */
const prepare = (stream, file, options, flags, highWaterMark) => {
  options.highWaterMark ??= highWaterMark
  options.autoDestroy = options.autoClose ?? options.autoDestroy ?? true
  stream.busy = false
  Object.defineProperty(stream, 'busy', { enumerable: false })
  if (options.fd === undefined || options.fd === null) {
    stream.fd = null
    stream.path = file instanceof URL ? pathOf(file) : (pathOf(file), file)
    stream.flags = options.flags ?? flags
    stream.mode = modeOf(options.mode, 0o666)
  } else if (typeof options.fd === 'object') {
    // A FileHandle: it closes its file itself, and what is done with it is over when it is.
    const handle = options.fd
    stream.fd = descriptorOf(handle.fd)
    stream.handle = handle
    handle.on('close', () => stream.destroy())
  } else {
    stream.fd = descriptorOf(options.fd)
  }
}

/** @this {any} @param {(error?: any) => void} callback */
function construct(callback) {
  if (typeof this.fd === 'number') {
    callback()
    return
  }
  fs.open(this.path, this.flags, this.mode, (/** @type {any} */ error, /** @type {number} */ fd) => {
    if (error) {
      callback(error)
      return
    }
    this.fd = fd
    callback()
    this.emit('open', fd)
    this.emit('ready')
  })
}

/** @this {any} @param {any} error @param {(error?: any) => void} callback */
function close(error, callback) {
  const { fd, handle } = this
  if (this.busy) {
    this.once(ioDone, (/** @type {any} */ failure) => close.call(this, failure ?? error, callback))
    return
  }
  this.fd = null
  if (handle !== undefined) handle.close().then(() => callback(error), callback)
  else if (typeof fd === 'number') fs.close(fd, (/** @type {any} */ failure) => callback(failure ?? error))
  else callback(error)
}

/** An operation is over. @param {any} stream @param {any} error whether that is the stream's affair any more */
const over = (stream, error) => {
  stream.busy = false
  if (!stream.destroyed) return true
  stream.emit(ioDone, error)
  return false
}

/** @this {any} @param {any} file @param {any} [given] */
function ReadStream(file, given) {
  if (!(this instanceof ReadStream)) return new /** @type {any} */ (ReadStream)(file, given)
  const self = /** @type {any} */ (this)
  const options = optionsOf(given)
  prepare(self, file, options, 'r', 64 * 1024)
  self.start = options.start
  self.end = options.end ?? Infinity
  self.bytesRead = 0
  if (self.start !== undefined) {
    checkInteger(self.start, 'start', 0)
    self.pos = self.start
  }
  if (self.end !== Infinity) {
    checkInteger(self.end, 'end', 0)
    if (self.start > self.end) throw outOfRange('start', `<= "end" (here: ${self.end})`, self.start)
  }
  Readable.call(self, options)
}
inherit(ReadStream, Readable)

addMembers(ReadStream.prototype, {
  _construct: construct,
  _destroy: close,
  /** @this {any} */
  _read(/** @type {number} */ wanted) {
    const size = Math.min(this.end - (this.pos ?? this.bytesRead) + 1, wanted)
    if (size <= 0) {
      this.push(null)
      return
    }
    const room = Buffer.alloc(size)
    this.busy = true
    fs.read(this.fd, room, 0, size, this.pos, (/** @type {any} */ error, /** @type {number} */ length) => {
      if (!over(this, error)) return
      if (error) {
        fail(this, error)
        return
      }
      if (this.pos !== undefined) this.pos += length
      this.bytesRead += length
      this.push(length > 0 ? room.subarray(0, length) : null)
    })
  },
  /** @this {any} */
  close(/** @type {any} */ callback) {
    if (typeof callback === 'function') finished(this, callback)
    this.destroy()
  },
  get pending() { return /** @type {any} */ (this).fd === null },
  get autoClose() { return /** @type {any} */ (this)._readableState.autoDestroy },
  set autoClose(value) { /** @type {any} */ (this)._readableState.autoDestroy = value },
})

/** @this {any} @param {any} file @param {any} [given] */
function WriteStream(file, given) {
  if (!(this instanceof WriteStream)) return new /** @type {any} */ (WriteStream)(file, given)
  const self = /** @type {any} */ (this)
  const options = optionsOf(given)
  options.decodeStrings = true
  prepare(self, file, options, options.start === undefined ? 'w' : 'r+', 16 * 1024)
  self.start = options.start
  self.bytesWritten = 0
  if (self.start !== undefined) {
    checkInteger(self.start, 'start', 0)
    self.pos = self.start
  }
  Writable.call(self, options)
  if (options.encoding) self.setDefaultEncoding(options.encoding)
}
inherit(WriteStream, Writable)

/** Until all is written: the system may take less at once. @param {any} stream @param {Uint8Array} bytes @param {(error?: any) => void} callback */
const writeAll = (stream, bytes, callback) => {
  stream.busy = true
  fs.write(stream.fd, bytes, 0, bytes.length, stream.pos, (/** @type {any} */ error, /** @type {number} */ length) => {
    if (!over(stream, error)) {
      callback(error ?? destroyed('write'))
      return
    }
    if (error) {
      callback(error)
      return
    }
    stream.bytesWritten += length
    if (stream.pos !== undefined) stream.pos += length
    if (length < bytes.length) writeAll(stream, bytes.subarray(length), callback)
    else callback()
  })
}

addMembers(WriteStream.prototype, {
  _construct: construct,
  _destroy: close,
  _write(/** @type {any} */ chunk, /** @type {any} */ _encoding, /** @type {any} */ callback) { writeAll(this, chunk, callback) },
  _writev(/** @type {any[]} */ all, /** @type {any} */ callback) { writeAll(this, Buffer.concat(all.map(({ chunk }) => chunk)), callback) },
  /** @this {any} */
  close(/** @type {any} */ callback) {
    if (typeof callback === 'function') {
      if (this.closed) {
        process.nextTick(callback)
        return
      }
      this.once('close', () => callback())
    }
    // If it is not closed at its end by itself, it is now.
    if (!this.autoClose) this.on('finish', this.destroy)
    this.end()
  },
  /** @this {any} */
  destroySoon(/** @type {any[]} */ ...given) { return this.end(...given) },
  get pending() { return /** @type {any} */ (this).fd === null },
  get autoClose() { return /** @type {any} */ (this)._writableState.autoDestroy },
  set autoClose(value) { /** @type {any} */ (this)._writableState.autoDestroy = value },
})

module.exports = { ReadStream, WriteStream }
