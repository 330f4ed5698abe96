// structuredClone, taught about stamped ports: their DOM ports are cloned natively, and what comes out gets their handles.
(function patchClone(p, natives, ports, global) {
  'use strict'

  const { stateOf } = ports
  const { structuredClone: nativeClone } = global
  const isObject = (/** @type {any} */ value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  const methods = {
    structuredClone(/** @type {any} */ value, /** @type {any} */ options) {
      // A list may be gone once it has been read: from here on only the result is used.
      const entries = isObject(options) ? ports.transferList({ __proto__: null, transfer: options.transfer }) : undefined
      const travelling = p.list()
      for (let i = 0; entries !== undefined && i < entries.length; i++) {
        if (stateOf(entries[i]) === undefined) {
          // A port that another document stamped.
          const handle = ports.isPort(entries[i]) ? natives.foreignHandle(entries[i]) : -1
          if (handle < 0) continue
          if (handle === 0) throw ports.cloneError(`Port at index ${i} is already neutered.`)
        }
        travelling[travelling.length] = entries[i]
      }
      if (travelling.length === 0) {
        if (arguments.length === 0) return nativeClone()
        return nativeClone(value, entries === undefined ? options : { __proto__: null, transfer: p.sequence(entries) })
      }
      const cloned = nativeClone([value, travelling], { __proto__: null, transfer: p.sequence(entries) })
      const arrived = cloned[1]
      // A new handle has never been started, whatever its port was before.
      for (let i = 0; i < travelling.length; i++) {
        if (stateOf(travelling[i]) === undefined) ports.stamp(arrived[i], natives.rehome(travelling[i]))
        else ports.reseat(travelling[i], arrived[i])
      }
      return cloned[0]
    },
  }
  const { structuredClone } = methods
  p.defineProperty(structuredClone, 'length', { __proto__: null, value: 1 })
  p.defineProperty(global, 'structuredClone', {
    __proto__: null,
    value: structuredClone,
    writable: true,
    enumerable: true,
    configurable: true,
  })
})
