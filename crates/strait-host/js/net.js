'use strict'
// net (https://nodejs.org/api/net.html): TCP and Unix sockets.

const EventEmitter = require('strait:events')
const { Readable } = require('strait:streams')
const { Writer, systemError } = require('strait:writable')
const work = require('strait:work')

const familyOf = (address) => address.includes(':') ? 'IPv6' : 'IPv4'

/** `(port, host?)`, `(path)` or `({ port, host, path })`, and a listener behind. */
function target (args, hostByDefault) {
  const list = [...args]
  const listener = typeof list.at(-1) === 'function' ? list.pop() : undefined
  const [first, second] = list
  let options
  if (typeof first === 'object' && first !== null) options = { ...first }
  else if (typeof first === 'string' && !/^\d+$/.test(first)) options = { path: first }
  else options = { port: first ?? 0, host: typeof second === 'string' ? second : undefined }
  const { path = '' } = options
  const port = Number(options.port ?? 0)
  if (path === '' && (!Number.isInteger(port) || port < 0 || port > 65535)) {
    throw Object.assign(new RangeError(`options.port should be >= 0 and < 65536. Received ${options.port}.`), { code: 'ERR_SOCKET_BAD_PORT' })
  }
  return { host: options.host ?? hostByDefault, port, path, options, listener }
}

const placeOf = ({ host, port, path }) => path === '' ? `${host}:${port}` : path

/** Set by the static block: access to private state for this file only. */
let open

class Socket extends Readable {
  #begun = Promise.withResolvers()
  #reader = 0
  #writerId = 0
  #writer
  #done = () => {}
  #timer
  #idle = 0
  #halfOpen
  #over = { read: false, written: false }
  connecting = false
  pending = true
  bytesRead = 0
  bytesWritten = 0

  constructor (options = {}) {
    super(() => this.#read())
    this.#halfOpen = Boolean(options.allowHalfOpen)
    this.#writer = new Writer(this, async (bytes) => {
      await this.#begun.promise
      this.#touch()
      this.bytesWritten += bytes.length
      return native.ioWrite(this.#writerId, bytes)
    }, async () => {
      await this.#begun.promise
      return native.ioEnd(this.#writerId)
    })
    this.once('end', () => {
      this.#over.read = true
      if (!this.#halfOpen) this.end()
    })
    this.once('finish', () => {
      this.#over.written = true
      this.#closeIfOver()
    })
  }

  static {
    open = (socket, [reader, writer, localAddress, localPort, remoteAddress, remotePort]) => {
      socket.#reader = reader
      socket.#writerId = writer
      socket.#done = work.begin('lasting')
      socket.connecting = socket.pending = false
      if (localAddress !== '') Object.assign(socket, { localAddress, localPort, localFamily: familyOf(localAddress), remoteAddress, remotePort, remoteFamily: familyOf(remoteAddress) })
      socket.#begun.resolve()
      // An end that nobody reads up to is an end all the same, if nothing comes before it.
      socket.#ahead = socket.#fetch()
      socket.#ahead.then((chunk) => { if (chunk === null && socket.readableFlowing === null) socket.resume() }, (error) => socket.destroy(error))
    }
  }

  get readyState () { return this.connecting ? 'opening' : this.destroyed || this.pending ? 'closed' : this.#writer.ended ? 'readOnly' : this.#over.read ? 'writeOnly' : 'open' }
  get writable () { return !this.destroyed && !this.#writer.ended }
  get writableLength () { return this.#writer.length }
  get writableEnded () { return this.#writer.ended }
  get bufferSize () { return this.#writer.length }

  // Both halves make the socket's end.
  _over () { this.#closeIfOver() }
  _closed (failed) { this.emit('close', failed) }

  #closeIfOver () {
    if (this.#over.read && this.#over.written) this.destroy()
  }

  connect (...args) {
    const to = target(args, 'localhost')
    if (to.listener !== undefined) this.once('connect', to.listener)
    this.connecting = true
    const done = work.begin()
    native.netConnect(to.host, to.port, to.path).then((connected) => globalThis.setImmediate(() => {
      done()
      if (this.destroyed) {
        if (typeof connected !== 'string') connected.slice(0, 2).forEach(native.ioDrop)
        return
      }
      if (typeof connected === 'string') {
        this.connecting = false
        const name = connected === 'ENOTFOUND' ? 'getaddrinfo' : 'connect'
        const error = systemError(connected, name, to.path === '' ? { address: to.host, port: to.port } : { address: to.path })
        error.message += ` ${name === 'connect' ? placeOf(to) : to.host}`
        this.destroy(error)
        return
      }
      open(this, connected)
      this.emit('connect')
      this.emit('ready')
    }))
    return this
  }

  write (chunk, encoding, callback) { return this.#writer.write(chunk, encoding, callback) }

  end (chunk, encoding, callback) {
    this.#writer.end(chunk, encoding, callback)
    return this
  }

  destroySoon () { this.end() }
  resetAndDestroy () { return this.destroy() }

  destroy (error) {
    if (this.destroyed) return this
    globalThis.clearTimeout(this.#timer)
    this.#writer.destroy()
    native.ioDrop(this.#reader)
    native.ioDrop(this.#writerId)
    this.connecting = false
    this.#begun.resolve()
    this.#done()
    const ended = this.readableEnded
    super.destroy(error)
    if (ended) globalThis.process.nextTick(() => this._closed(error !== undefined && error !== null))
    return this
  }

  address () { return this.localAddress === undefined ? {} : { address: this.localAddress, family: this.localFamily, port: this.localPort } }
  setNoDelay () { return this }
  setKeepAlive () { return this }
  ref () { return this }

  unref () {
    this.#done()
    return this
  }

  setTimeout (milliseconds, listener) {
    this.#idle = milliseconds
    if (typeof listener === 'function') this.once('timeout', listener)
    this.#touch()
    return this
  }

  #touch () {
    globalThis.clearTimeout(this.#timer)
    if (this.#idle > 0 && !this.destroyed) this.#timer = globalThis.setTimeout(() => this.emit('timeout'), this.#idle)
  }

  #ahead

  async #read () {
    await this.#begun.promise
    const ahead = this.#ahead ?? this.#fetch()
    this.#ahead = undefined
    return ahead
  }

  async #fetch () {
    const chunk = await native.ioRead(this.#reader)
    if (typeof chunk === 'string') throw systemError(chunk, 'read')
    this.#touch()
    this.bytesRead += chunk?.length ?? 0
    return chunk
  }
}

class Server extends EventEmitter {
  #id = 0
  #done = () => {}
  #address = null
  #options
  #connections = new Set()
  #closing = false
  listening = false

  constructor (options, listener) {
    super()
    if (typeof options === 'function') [options, listener] = [{}, options]
    this.#options = { ...options }
    if (listener !== undefined) this.on('connection', listener)
  }

  listen (...args) {
    if (this.listening) throw Object.assign(new Error('Listen method has been called more than once without closing.'), { code: 'ERR_SERVER_ALREADY_LISTEN' })
    const at = target(args, '::')
    if (at.listener !== undefined) this.once('listening', at.listener)
    this.#closing = false
    this.#done = work.begin('lasting')
    const everywhere = at.path === '' && at.host === '::'
    const begin = async () => {
      let answer = await native.netListen(at.host, at.port, at.path)
      // Without IPv6.
      if (everywhere && (answer === 'EAFNOSUPPORT' || answer === 'EADDRNOTAVAIL')) answer = await native.netListen('0.0.0.0', at.port, '')
      globalThis.setImmediate(() => this.#began(answer, at))
    }
    begin()
    return this
  }

  #began (answer, at) {
    if (typeof answer === 'string') {
      this.#done()
      const error = systemError(answer, 'listen', at.path === '' ? { address: at.host, port: at.port } : { address: at.path })
      error.message = answer === 'EADDRINUSE' ? `listen EADDRINUSE: address already in use ${placeOf(at)}` : `listen ${answer} ${placeOf(at)}`
      this.emit('error', error)
      return
    }
    const [id, address, port] = answer
    this.#id = id
    if (this.#closing) {
      this.#stop()
      return
    }
    this.#address = at.path === '' ? { address, family: familyOf(address), port } : at.path
    this.listening = true
    this.emit('listening')
    this.#accept(id)
  }

  async #accept (id) {
    while (this.#id === id) {
      const accepted = await native.netAccept(id)
      if (accepted === undefined || accepted === null) return
      globalThis.setImmediate(() => {
        if (typeof accepted === 'string') {
          this.emit('error', systemError(accepted, 'accept'))
          return
        }
        const socket = new Socket(this.#options)
        open(socket, accepted)
        this.#connections.add(socket)
        socket.once('close', () => {
          this.#connections.delete(socket)
          this.#closeIfOver()
        })
        this.emit('connection', socket)
      })
      if (typeof accepted === 'string') return
    }
  }

  close (callback) {
    if (typeof callback === 'function') {
      if (this.#id === 0 && !this.#closing && !this.listening) globalThis.process.nextTick(() => callback(Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' })))
      else this.once('close', callback)
    }
    if (this.#closing) return this
    this.#closing = true
    if (this.#id !== 0) this.#stop()
    return this
  }

  #stop () {
    native.ioDrop(this.#id)
    if (typeof this.#address === 'string') native.removeSocket(this.#address)
    this.#id = 0
    this.listening = false
    this.#address = null
    this.#done()
    this.#closeIfOver()
  }

  #closeIfOver () {
    if (this.#closing && this.#id === 0 && this.#connections.size === 0) globalThis.process.nextTick(() => this.emit('close'))
  }

  address () { return this.#address }
  getConnections (callback) { globalThis.process.nextTick(() => callback(null, this.#connections.size)) }
  ref () { return this }

  unref () {
    this.#done()
    return this
  }

  async [Symbol.asyncDispose ?? Symbol('asyncDispose')] () { await new Promise((resolve) => this.close(resolve)) }
}

const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/

function isIP (text) {
  if (IPV4.test(text)) return 4
  try {
    return /^[\da-f:.]+$/i.test(text) && text.includes(':') && new URL(`http://[${text}]/`).hostname !== '' ? 6 : 0
  } catch {
    return 0
  }
}

const connect = (...args) => new Socket(typeof args[0] === 'object' ? args[0] : {}).connect(...args)

module.exports = {
  Socket,
  Stream: Socket,
  Server,
  connect,
  createConnection: connect,
  createServer: (options, listener) => new Server(options, listener),
  isIP,
  isIPv4: (text) => isIP(text) === 4,
  isIPv6: (text) => isIP(text) === 6
}
