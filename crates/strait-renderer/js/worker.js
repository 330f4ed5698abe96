// The owner's side of dedicated workers. `new Worker(…)` makes a worker whose realm has the glue;
// the owner's realm keeps its ports.
//
// The worker's entry is a blob that runs `js/worker-scope.js` and then the requested script. The
// two glues exchange ordinary messages of the worker, `[nonce, op, id, data, length, words]`. The
// glue's listener is the first at either end and removes them. A port of the worker is a port of
// this realm that is *relayed*: raw bytes pass in both directions under an id. If such an entry
// would behave differently from the script's own URL, the worker is WebKit's own, and its ports are
// linked as foreign ports. `scriptBase` is the base URL of a worker's own workers.
(function makeWorkers(p, natives, codec, ports, foreignPorts, makeRelays, global, scopeText, scriptBase) {
  'use strict'

  // Realms of contexts that may have no workers (and of engines that have none inside workers).
  if (typeof global.Worker !== 'function') return { __proto__: null, takes: () => false, deliver() {}, closed: () => false }

  const NativeWorker = global.Worker
  const { prototype } = NativeWorker
  const nativePost = p.uncurry(prototype.postMessage)
  const nativeTerminate = p.uncurry(prototype.terminate)
  const { URL, Blob, crypto, ErrorEvent, document, location } = global
  const { createObjectURL, revokeObjectURL } = URL
  const urlGetter = (/** @type {string} */ name) => p.getter(URL.prototype, name)
  const getHref = urlGetter('href')
  const getProtocol = urlGetter('protocol')
  const getOrigin = urlGetter('origin')
  const { stringify } = JSON
  const fillRandom = p.uncurry(crypto.getRandomValues)
  const documentBase = document === undefined ? undefined : p.getter(global.Node.prototype, 'baseURI')
  const ownerOrigin = global.origin
  const errorFilename = p.getter(ErrorEvent.prototype, 'filename')
  const errorMessage = p.getter(ErrorEvent.prototype, 'message')
  const errorLine = p.getter(ErrorEvent.prototype, 'lineno')
  const errorColumn = p.getter(ErrorEvent.prototype, 'colno')
  const isPrevented = p.getter(p.Event.prototype, 'defaultPrevented')
  const prevent = p.uncurry(p.Event.prototype.preventDefault)
  const frameElement = document === undefined ? undefined : p.getter(global, 'frameElement')
  const parentOf = document === undefined ? undefined : p.getter(global, 'parent')

  const identity = function (/** @type {any} */ worker) {
    return worker
  }
  class Link extends identity {
    #connection
    constructor(worker, connection) {
      super(worker)
      this.#connection = connection
    }
    static of(value) {
      return #connection in value ? value.#connection : undefined
    }
  }
  const relays = makeRelays(p, natives, ports, nativePost, (/** @type {any} */ connection) => retire(connection))
  const connectionOf = (/** @type {any} */ value) => (typeof value === 'object' && value !== null ? Link.of(value) : undefined)

  const listen = (/** @type {any} */ connection) => {
    p.addEventListener(
      connection.worker,
      'message',
      (/** @type {MessageEvent} */ event) => {
        const said = p.eventData(event)
        if (!p.isArray(said) || said.length !== 6 || said[0] !== connection.nonce || !p.isTrusted(event)) return
        p.stopImmediatePropagation(event)
        relays.hear(connection, said, event)
      },
      true,
    )
    p.addEventListener(
      connection.worker,
      'error',
      (/** @type {any} */ event) => {
        if (!p.isTrusted(event)) return
        let filename
        try {
          filename = errorFilename(event)
        } catch {
          // The event is not an ErrorEvent: the script of a module could not be loaded.
          relays.end(connection)
          return
        }
        if (filename !== connection.alias && filename !== connection.entry) return
        p.stopImmediatePropagation(event)
        const told = new ErrorEvent('error', {
          __proto__: null,
          cancelable: true,
          message: errorMessage(event),
          filename: connection.href,
          lineno: errorLine(event),
          colno: errorColumn(event),
        })
        p.dispatchEvent(connection.worker, told)
        if (isPrevented(told)) prevent(event)
      },
      true,
    )
  }

  // ---- Making workers -----------------------------------------------------------------------------------------------------------

  /**
   * The blobs behind the page's blob URLs, because a page may revoke a worker's script as soon as
   * the worker exists.
   */
  const blobs = { __proto__: null }
  const blobSize = p.getter(Blob.prototype, 'size')
  const remember = {
    createObjectURL(/** @type {any} */ source) {
      const url = p.apply(createObjectURL, URL, arguments)
      try {
        blobSize(source)
        blobs[url] = source
      } catch {
        // The source is a media source.
      }
      return url
    },
    revokeObjectURL(/** @type {any} */ url) {
      const text = arguments.length === 0 ? undefined : p.String(url)
      if (text === undefined) return p.apply(revokeObjectURL, URL, [])
      delete blobs[text]
      return revoke(text)
    },
  }
  const create = (/** @type {any} */ blob) => p.apply(createObjectURL, URL, [blob])
  const revoke = (/** @type {string} */ url) => p.apply(revokeObjectURL, URL, [url])
  const expose = (/** @type {object} */ on, /** @type {string} */ name, /** @type {any} */ value, /** @type {boolean} */ enumerable) =>
    p.defineProperty(on, name, { __proto__: null, value, writable: true, enumerable, configurable: true })
  expose(URL, 'createObjectURL', remember.createObjectURL, true)
  expose(URL, 'revokeObjectURL', remember.revokeObjectURL, true)

  /** Revokes the blob URLs of a worker, which are no longer needed. */
  const retire = (/** @type {any} */ connection) => {
    for (let i = 0; i < connection.urls.length; i++) revoke(connection.urls[i])
    connection.urls = p.list()
  }

  const HEX = '0123456789abcdef'
  const makeNonce = () => {
    const bytes = new p.Uint8Array(16)
    fillRandom(crypto, bytes)
    let text = ''
    for (let i = 0; i < 16; i++) text += HEX[bytes[i] >> 4] + HEX[bytes[i] & 15]
    return text
  }

  // The glue's text is long, so workers share one blob of it.
  let scopeBlob
  const script = (/** @type {any[]} */ items) => new Blob(p.sequence(items), { __proto__: null, type: 'text/javascript' })
  const pieces = (/** @type {any[]} */ ...items) => {
    const made = p.list()
    for (let i = 0; i < items.length; i++) made[i] = items[i]
    return made
  }

  /**
   * Whether files share their origin with this realm. A sandboxed frame has an origin of its own,
   * and no frame element.
   */
  const ownsFiles = () => {
    if (document === undefined) return p.stringSlice(scriptBase, 0, 5) === 'file:'
    return location.protocol === 'file:' && (parentOf(global) === global || frameElement(global) !== null)
  }

  /** The URL from which the entry loads the script, or undefined if WebKit must make the worker. */
  const sourceOf = (/** @type {string} */ href, /** @type {any} */ url, /** @type {boolean} */ isModule) => {
    const protocol = getProtocol(url)
    if (protocol === 'blob:') {
      if (blobs[href] === undefined) return undefined
      // A worker's script may be a blob of any type. An imported script or a module needs a
      // script's type.
      return create(isModule ? blobs[href] : script(pieces(blobs[href])))
    }
    if (protocol === 'file:') return ownsFiles() ? href : undefined
    return (protocol === 'http:' || protocol === 'https:') && getOrigin(url) === ownerOrigin ? href : undefined
  }

  /** Everything that a worker with the glue needs, or undefined. */
  const plan = (/** @type {string} */ text, /** @type {string} */ type) => {
    let url
    try {
      url = new URL(text, documentBase === undefined ? scriptBase : documentBase(document))
    } catch {
      return undefined
    }
    const href = getHref(url)
    const isModule = type === 'module'
    const source = sourceOf(href, url, isModule)
    if (source === undefined) return undefined
    const connection = relays.begin({ __proto__: null, worker: null, nonce: makeNonce() })
    connection.href = href
    connection.alias = source
    connection.urls = p.list()
    if (source !== href) connection.urls[0] = source
    if (scopeBlob === undefined) scopeBlob = script(pieces('(', scopeText(), ')'))
    const names = `nonce:${stringify(connection.nonce)},href:${stringify(href)},source:${stringify(source)}`
    const init = `({${names},isModule:${isModule},maximum:${ports.maximum}})`
    connection.entry = create(script(pieces(scopeBlob, init)))
    connection.urls[connection.urls.length] = connection.entry
    if (isModule) {
      connection.entry = create(script(pieces(`import ${stringify(connection.entry)};import ${stringify(source)}`)))
      connection.urls[connection.urls.length] = connection.entry
    }
    return connection
  }

  const isObject = (/** @type {any} */ value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  const Worker = function Worker(/** @type {any} */ scriptURL, /** @type {any} */ options) {
    if (new.target === undefined) throw new p.TypeError("Constructor Worker requires 'new'")
    if (arguments.length === 0) return p.construct(NativeWorker, [], new.target)
    const text = p.String(scriptURL)
    let chosen = options
    if (isObject(options)) {
      // Each option is read once, in the order of WebIDL.
      const { credentials, name, type } = options
      chosen = { __proto__: null }
      if (credentials !== undefined) chosen.credentials = p.String(credentials)
      if (name !== undefined) chosen.name = p.String(name)
      if (type !== undefined) chosen.type = p.String(type)
    }
    const known = chosen === undefined || chosen === null || isObject(chosen)
    const type = isObject(chosen) && chosen.type !== undefined ? chosen.type : 'classic'
    const connection = known && (type === 'classic' || type === 'module') ? plan(text, type) : undefined
    if (connection !== undefined) {
      try {
        const worker = p.construct(NativeWorker, [connection.entry, chosen], new.target)
        connection.worker = worker
        new Link(worker, connection)
        listen(connection)
        return worker
      } catch {
        // A policy of the page forbids such scripts. (Or the arguments are wrong, and the call
        // below throws.)
        retire(connection)
      }
    }
    return p.construct(NativeWorker, [text, chosen], new.target)
  }
  p.defineProperty(Worker, 'length', { __proto__: null, value: 1 })
  p.defineProperty(Worker, 'prototype', { __proto__: null, value: prototype, writable: false })
  expose(prototype, 'constructor', Worker, false)
  expose(global, 'Worker', Worker, false)

  // ---- Messages of the page to the worker
  // ---------------------------------------------------------

  /**
   * Posts to a worker with the glue. The DOM ports go natively, and their handles become relays.
   */
  const deliver = (/** @type {any} */ connection, /** @type {any} */ message, /** @type {any[]} */ entries) => {
    const travelling = p.list()
    let foreign = false
    for (let i = 0; i < entries.length; i++) {
      if (!ports.isPort(entries[i])) continue
      const ours = ports.isOurs(entries[i])
      if (ours && ports.isDetached(entries[i])) throw ports.cloneError(`Port at index ${i} is already neutered.`)
      foreign = foreign || (ours && ports.stateOf(entries[i]) === undefined)
      travelling[travelling.length] = entries[i]
    }
    let value = message
    let list = entries
    let sorted
    if (foreign) {
      // Objects that another document stamped cannot be transferred from here. The message is
      // cloned, so that it refers to other ports in their place.
      sorted = ports.sortTransfer(entries, undefined)
      const length = codec.write(message, sorted.ports, sorted.buffers, true)
      for (let i = 0; i < travelling.length; i++) {
        const port = travelling[i]
        if (ports.stateOf(port) === undefined && ports.isOurs(port)) travelling[i] = ports.adopt(natives.rehome(port))
      }
      value = codec.read(codec.buffer, length, travelling, undefined, codec.blobs)
      list = travelling
    }
    const ids = p.list()
    for (let i = 0; i < travelling.length; i++) ids[i] = ports.stateOf(travelling[i]) === undefined ? 0 : connection.nextId++
    relays.say(connection, 'message', 0, value, 0, p.array(ids), { __proto__: null, transfer: p.sequence(list) })
    for (let i = 0; i < travelling.length; i++) {
      if (ids[i] === 0) continue
      const handle = natives.move(ports.release(travelling[i]))
      relays.relay(connection, ids[i], handle === 0 ? relays.orphan('dropped') : handle)
    }
    if (foreign) codec.detach(sorted.buffers)
  }

  const methods = {
    postMessage(/** @type {any} */ message, /** @type {any} */ options) {
      const connection = connectionOf(this)
      if (connection === undefined || connection.ended || arguments.length < 2) {
        foreignPorts.post(nativePost, this, message, options, arguments.length)
        return
      }
      const entries = ports.transferList(options)
      let ours = false
      for (let i = 0; i < entries.length; i++) ours = ours || (ports.isPort(entries[i]) && ports.isOurs(entries[i]))
      if (ours) deliver(connection, message, entries)
      else nativePost(this, message, { __proto__: null, transfer: p.sequence(entries) })
    },
    terminate() {
      nativeTerminate(this)
      const connection = connectionOf(this)
      if (connection !== undefined) relays.end(connection)
    },
  }
  expose(prototype, 'postMessage', methods.postMessage, true)
  expose(prototype, 'terminate', methods.terminate, true)

  return relays.intercept
})
