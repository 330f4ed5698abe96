'use strict'
// Objects for open files and folders: FileHandle (https://nodejs.org/api/fs.html#class-filehandle)
// and Dir (https://nodejs.org/api/fs.html#class-fsdir).

const EventEmitter = require('events')
const { coded, wrongType, refusals } = require('strait:errors')
const { p } = require('strait:natives')

/**
 * The constructor requires this key. A page without context isolation may obtain an object or its
 * class, but cannot construct further objects.
 */
const KEY = Symbol('ours')

const disposal = /** @type {any} */ (Symbol).asyncDispose

/**
 * Makes the class from the functions that take a descriptor and return a promise.
 * @param {Record<string, (...args: any[]) => Promise<any>>} on
 */
const makeFileHandle = (on) => {
  /** The error of a closed handle. @param {string} syscall */
  const closed = (syscall) => Object.assign(coded(Error, 'EBADF', 'file closed'), { syscall })

  class FileHandle {
    #fd

    /** @param {symbol} key @param {number} fd */
    constructor(key, fd) {
      if (key !== KEY) throw new p.TypeError('Illegal constructor')
      this.#fd = fd
    }

    get fd() { return this.#fd }

    /** The descriptor, for the function with this name. @param {string} syscall */
    #open(syscall) {
      if (this.#fd < 0) throw closed(syscall)
      return this.#fd
    }

    /** @param {any} buffer @param {any[]} rest */
    async read(buffer, ...rest) {
      const target = ArrayBuffer.isView(buffer) ? buffer : buffer?.buffer ?? require('buffer').Buffer.alloc(16384)
      // If the buffer is in the options, the result contains that buffer.
      const bytesRead = await on.read(this.#open('read'), ...(target === buffer ? [buffer, ...rest] : [{ ...buffer, buffer: target }]))
      return { bytesRead, buffer: target }
    }

    /** @param {any} buffer @param {any[]} rest */
    async write(buffer, ...rest) {
      return { bytesWritten: await on.write(this.#open('write'), buffer, ...rest), buffer }
    }

    /** @param {any} buffers @param {any} [position] */
    async readv(buffers, position) {
      return { bytesRead: await on.readv(this.#open('readv'), buffers, position), buffers }
    }

    /** @param {any} buffers @param {any} [position] */
    async writev(buffers, position) {
      return { bytesWritten: await on.writev(this.#open('writev'), buffers, position), buffers }
    }

    async readFile(/** @type {any} */ options) { return on.readFile(this.#open('readFile'), options) }
    async writeFile(/** @type {any} */ data, /** @type {any} */ options) { return on.writeFile(this.#open('writeFile'), data, options) }
    async appendFile(/** @type {any} */ data, /** @type {any} */ options) { return on.writeFile(this.#open('appendFile'), data, options) }
    async stat(/** @type {any} */ options) { return on.fstat(this.#open('fstat'), options) }
    async truncate(/** @type {any} */ length) { return on.ftruncate(this.#open('ftruncate'), length) }
    async sync() { return on.fsync(this.#open('fsync')) }
    async datasync() { return on.fdatasync(this.#open('fdatasync')) }
    async chmod(/** @type {any} */ mode) { return on.fchmod(this.#open('fchmod'), mode) }
    async chown(/** @type {any} */ user, /** @type {any} */ group) { return on.fchown(this.#open('fchown'), user, group) }
    async utimes(/** @type {any} */ read, /** @type {any} */ changed) { return on.futimes(this.#open('futimes'), read, changed) }

    async close() {
      const fd = this.#fd
      if (fd < 0) return
      this.#fd = -1
      await on.close(fd)
      const self = /** @type {any} */ (this)
      self.emit('close')
    }
  }
  // Inherits without `extends` and without calling the emitter's constructor, which is not needed.
  // So no function that a page has replaced is called.
  p.setPrototypeOf(FileHandle.prototype, EventEmitter.prototype)
  const add = (/** @type {any} */ name, /** @type {Function} */ value) => p.defineProperty(FileHandle.prototype, name, { __proto__: null, value, writable: true, configurable: true })
  if (disposal !== undefined) add(disposal, function () { return this.close() })
  const missing = refusals('fs/promises', 'createReadStream createWriteStream readLines readableWebStream')
  for (const name in missing) add(name, missing[name])
  return { is: (/** @type {any} */ value) => value instanceof FileHandle, make: (/** @type {number} */ fd) => new FileHandle(KEY, fd) }
}

/** A folder's entries at the time it was opened, which are read one by one. */
class Dir {
  #path
  #entries
  #at = 0
  #isClosed = false

  /** @param {string} path @param {any[]} entries */
  constructor(path, entries) {
    this.#path = path
    this.#entries = entries
  }

  get path() { return this.#path }

  #check() {
    if (this.#isClosed) throw coded(Error, 'ERR_DIR_CLOSED', 'Directory handle was closed')
  }

  readSync() {
    this.#check()
    return this.#entries[this.#at++] ?? null
  }

  /** @param {any} [callback] */
  read(callback) { return this.#told(() => this.readSync(), callback) }

  closeSync() {
    this.#check()
    this.#isClosed = true
    this.#entries = []
  }

  /** @param {any} [callback] */
  close(callback) { return this.#told(() => this.closeSync(), callback) }

  /**
   * Returns the result by a promise or by the callback.
   * @param {() => any} action @param {any} callback
   */
  #told(action, callback) {
    const done = Promise.resolve().then(action)
    if (callback === undefined) return done
    if (typeof callback !== 'function') throw wrongType('callback', 'of type function', callback)
    done.then((value) => queueMicrotask(() => callback(null, value)), (error) => queueMicrotask(() => callback(error)))
    return undefined
  }

  async* entries() {
    try {
      for (let entry = this.readSync(); entry !== null; entry = this.readSync()) yield entry
    } finally {
      if (!this.#isClosed) this.closeSync()
    }
  }

  [Symbol.asyncIterator]() { return this.entries() }
}

module.exports = { makeFileHandle, makeDir: (/** @type {string} */ path, /** @type {any[]} */ entries) => new Dir(path, entries), Dir }
