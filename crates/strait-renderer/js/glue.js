// The glue's main function: assembles a realm before any script of the page, and returns the
// functions that the agent calls.
(function makeGlue(p, parts, global, natives, isMainWorld, hasIpc, contextIsolated, preload, mayRequire) {
  'use strict'

  const dress = parts.makeNativeLook(p, global)
  let ports
  const codec = parts.makeCodec({
    cloneError: (/** @type {string} */ message) => ports.cloneError(message),
    isPort: (/** @type {any} */ value) => ports.isPort(value),
  })
  ports = parts.makePorts(p, natives, codec, parts.makeTransferList(p), parts.makeOutbox, global)
  p.defineProperty(global, 'MessageChannel', { __proto__: null, value: ports.MessageChannel, writable: true, configurable: true })
  parts.patchConsole(p, global.console)
  parts.patchDocumentOpen(p, natives, global)
  const foreignPorts = parts.makeForeignPorts(p, natives, codec, ports)
  ports.useForeignPorts(foreignPorts)
  const untracked = parts.makeUntrackedPorts(p, natives, ports, foreignPorts, codec, global)
  ports.useUntracked(untracked)
  const workers = parts.makeWorkers(p, natives, codec, ports, foreignPorts, parts.makeRelays, global, natives.workerScope)
  parts.patchServiceWorkers(p, foreignPorts, global)
  parts.patchClone(p, natives, ports, global)
  const transfer = parts.patchWindowPostMessage(p, natives, ports, untracked, global, isMainWorld)
  parts.patchWindowOpen(p, natives, global)
  if (isMainWorld && parts.exposeHostile !== undefined) parts.exposeHostile(p, natives, ports, global)
  dress()

  // Pages can dispatch events of these names themselves; only the browser's own count.
  const onReady = (/** @type {Event} */ event) => {
    if (p.isTrusted(event)) natives.ready()
  }
  const onLoad = (/** @type {Event} */ event) => {
    if (p.isTrusted(event)) natives.loaded()
  }
  const onGone = (/** @type {Event} */ event) => {
    if (p.isTrusted(event)) natives.gone()
  }
  // Adding a listener that is present has no effect, so this function may be called whenever
  // listeners may have been erased.
  const arm = () => {
    transfer.arm()
    if (isMainWorld) return
    p.addEventListener(global, 'DOMContentLoaded', onReady, true)
    p.addEventListener(global, 'load', onLoad, true)
    p.addEventListener(global, 'pagehide', onGone, true)
  }
  // Pages can replace the window's properties. These getters are captured first, so they return the
  // true values.
  const windowGetter = (/** @type {string} */ name) => p.getter(global, name)
  const getParent = windowGetter('parent')
  const getOrigin = windowGetter('origin')
  const getName = windowGetter('name')
  const { location } = global
  const report = () => {
    if (!isMainWorld) return
    const parent = getParent(global)
    natives.created(location.href, getOrigin(global), getName(global), parent === global ? undefined : parent)
  }
  arm()
  report()

  // Work from the agent that runs code of the page enters through an event. So microtasks run when
  // the listener returns, and exceptions reach `window.onerror`. The page can read the event's
  // target in `window.event`, so each target serves once.
  const enter = (/** @type {() => void} */ todo) => {
    const door = new p.EventTarget()
    p.addEventListener(door, 'enter', () => todo(), { __proto__: null, once: true })
    p.dispatchEvent(door, new p.Event('enter'))
  }

  const print = (/** @type {any} */ error) => {
    try {
      return p.String(error)
    } catch {
      return 'Error: an error that cannot be printed'
    }
  }
  /** The place of an error, and its stack at that time, both in WebKit's form. */
  const whence = (/** @type {any} */ error) => {
    try {
      if (typeof error === 'object' && error !== null) {
        const { stack, sourceURL, line, column } = error
        const place = typeof sourceURL === 'string' && typeof line === 'number' ? `${sourceURL}:${line}:${column}` : ''
        return { __proto__: null, place, stack: typeof stack === 'string' ? stack : '' }
      }
    } catch {
      // A getter threw: the error is reported by its text alone.
    }
    return { __proto__: null, place: '', stack: '' }
  }

  const none = p.list()
  let inbox = new p.Uint8Array(65536)
  let inboxSize = 65536
  const resize = (/** @type {number} */ size) => {
    inbox = new p.Uint8Array(size)
    inboxSize = size
    natives.inboxIs(inbox, ports.outgoing, size)
  }
  resize(inboxSize)
  /**
   * A part of the message that is being delivered. `size` 0 means that the message has been read.
   */
  const pull = (/** @type {number} */ start, /** @type {number} */ size) => {
    if (size > inboxSize) resize(size)
    natives.pull(start, size)
    return inbox
  }
  /** An ArrayBuffer with a part of that message, if the agent makes one. */
  const take = (/** @type {number} */ start, /** @type {number} */ size) => {
    const made = natives.buffer(start, size)
    if (typeof made !== 'number') return made
    let room
    try {
      room = new p.ArrayBuffer(0, { __proto__: null, maxByteLength: made })
    } catch {
      // There is no room. `reserve` without a buffer reports that to the agent.
    }
    natives.reserve(room)
    return natives.buffer(start, size)
  }

  const across = parts.makeContextBridge(p, natives, codec, ports, parts.makeWorldChannel, dress, () => inbox, isMainWorld, global)

  if (natives.collects()) {
    const value = () => {
      natives.collect()
    }
    p.defineProperty(global, 'gc', { __proto__: null, value, writable: true, configurable: true, enumerable: false })
  }

  let ipc = null
  let systemDone
  if (hasIpc) {
    const { electron, add, refuse } = parts.makeExports(p, p.jsonParse(natives.documented()))
    const modules = parts.makeModules(p, natives, parts.makeEsModules, parts.makeProcess, electron, contextIsolated, () => inbox)
    systemDone = modules.systemDone
    ipc = parts.makeIpcRenderer(p, natives, codec, ports, modules.EventEmitter, refuse, () => inbox)
    add('contextBridge', parts.makeExpose(p, across, contextIsolated, p.functionToString, global))
    add('ipcRenderer', ipc.ipcRenderer)
    const expose = (/** @type {string} */ name, /** @type {any} */ value) =>
      p.defineProperty(global, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false })
    // Node's globals. Each is made when a program first uses it.
    const GLOBALS = ['Buffer', 'setImmediate', 'clearImmediate']
    const lend = () => {
      expose('global', global)
      for (let i = 0; i < GLOBALS.length; i++) {
        const name = GLOBALS[i]
        p.defineProperty(global, name, {
          __proto__: null,
          get: () => {
            const value = modules.nodeGlobal(name)
            expose(name, value)
            return value
          },
          set: (/** @type {any} */ value) => expose(name, value),
          configurable: true,
          enumerable: false,
        })
      }
    }
    const takeBack = () => {
      delete global.global
      for (let i = 0; i < GLOBALS.length; i++) delete global[GLOBALS[i]]
    }
    if (mayRequire || contextIsolated) lend()
    if (mayRequire) {
      const folder = natives.pageFolder(global.location.href)
      expose('require', modules.makeRequire(`${folder}/page`))
      expose('__dirname', folder)
      expose('__filename', natives.pageFile(global.location.href))
      expose('module', { exports: {} })
      expose('process', modules.process)
    }
    ipc.runPreload = () =>
      enter(() => {
        const failed = (/** @type {any} */ error) => {
          const { place, stack } = whence(error)
          natives.preloadError(print(error), place, stack)
        }
        // A main world without Node integration has these globals only while the preload runs.
        const isGuest = !mayRequire && !contextIsolated
        if (isGuest) lend()
        try {
          const waits = modules.preload(preload)
          if (waits !== undefined) p.then(waits, undefined, failed)
        } catch (error) {
          failed(error)
        }
        if (isGuest) takeBack()
        modules.loaded()
      })
  }

  return {
    __proto__: null,
    deliver(/** @type {number} */ handle, /** @type {number} */ length, /** @type {number} */ count) {
      const more = length > inboxSize ? pull : undefined
      if (!workers.takes(handle)) {
        ports.deliver(handle, inbox, length, count, more, more === undefined ? undefined : take)
      } else {
        workers.deliver(handle, more === undefined ? inbox : pull(0, length), length, count)
      }
    },
    closed(/** @type {number} */ handle, /** @type {string} */ reason, /** @type {boolean} */ speaks) {
      if (!workers.closed(handle, reason)) ports.closed(handle, reason, speaks)
    },
    /** Replaces the receive buffer by a larger or smaller one. */
    resize,
    /** Restores the glue's listeners, because the window's may have been erased. */
    arm,
    /** The window has passed to a new document. */
    renew() {
      // The former document's timers have ended.
      untracked.renew()
      arm()
      report()
    },
    /** The handle of a port that is stamped here (0 once it is detached), or -1. */
    handleOf(/** @type {any} */ value) {
      const state = ports.stateOf(value)
      return state === undefined ? -1 : state.handle
    },
    release: ports.release,
    look: untracked.look,
    /**
     * Relays for a port that has left another realm, and whose twin is kept here under `key`. If
     * `length` is not negative, the receive buffer has a message for it.
     */
    relay(/** @type {number} */ key, /** @type {number} */ handle, /** @type {number} */ length, /** @type {number} */ count) {
      if (length < 0) {
        untracked.relay(key, handle, undefined)
        return
      }
      const arrived = p.list()
      for (let i = 0; i < count; i++) arrived[i] = ports.adopt(ports.outgoing[i])
      untracked.relay(key, handle, p.messageEvent(codec.read(inbox, length, arrived), arrived))
    },
    forgetTwin: untracked.forget,
    invoke: ports.invoke,
    /** Sends a window message with ports of this realm, for another realm's `postMessage`. */
    send: transfer.send,
    /** Whether the frame itself went; valid after `pagehide`. */
    isFrameGone: () => getParent(global) === null,
    runPreload() {
      if (ipc !== null && preload !== '') ipc.runPreload()
    },
    emit(/** @type {string} */ channel, /** @type {boolean} */ isArguments, /** @type {number} */ length, /** @type {number} */ count) {
      let taken = false
      enter(() => {
        if (ipc !== null && ipc.hears(channel)) {
          taken = true
          ipc.emit(channel, isArguments, inbox, length, count)
        }
      })
      return taken
    },
    /** Posts a message from main to the page's own window. */
    speak(/** @type {string} */ channel, /** @type {number} */ length, /** @type {number} */ count) {
      const arrived = p.list()
      for (let i = 0; i < count; i++) arrived[i] = ports.adopt(ports.outgoing[i])
      return transfer.speak(channel, () => codec.read(inbox, length, arrived), arrived)
    },
    /**
     * The other world of the document calls a function, has settled a promise, or has dropped a
     * function.
     */
    cross: across.invoke,
    settle: across.settle,
    releaseFunction: across.release,
    reply(/** @type {number} */ request, /** @type {string} */ error, /** @type {number} */ length) {
      enter(() => {
        if (ipc !== null) ipc.reply(request, error, inbox, length)
      })
    },
    /** An operation of the system that a module has started is over. */
    systemDone(/** @type {number} */ request, /** @type {string} */ answer) {
      if (systemDone !== undefined) enter(() => systemDone(request, answer))
    },
    /**
     * `executeJavaScript`: `natives.evaluate()` runs the waiting script. Its value is awaited and
     * written back.
     */
    evaluate(/** @type {number} */ request) {
      const fail = (/** @type {any} */ error) => natives.evalFailed(request, print(error))
      const done = (/** @type {any} */ value) => {
        try {
          const length = codec.write(value, none, none)
          natives.evalDone(request, codec.buffer, length)
        } catch (error) {
          fail(error)
        }
      }
      enter(() => {
        try {
          p.then(p.resolved(natives.evaluate(request)), done, fail)
        } catch (error) {
          fail(error)
        }
      })
    },
  }
})
