// `structuredClone` with stamped ports: WebKit clones their DOM ports, and the new DOM ports get
// their handles.
(function patchClone(p, natives, ports, global) {
  'use strict'

  const { stateOf } = ports
  const { structuredClone: nativeClone } = global
  const isObject = (/** @type {any} */ value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  const methods = {
    structuredClone(/** @type {any} */ value, /** @type {any} */ options) {
      // An iterator can be read only once, so all later code uses the result.
      const entries = isObject(options) ? ports.transferList({ __proto__: null, transfer: options.transfer }) : undefined
      const travelling = p.list()
      for (let i = 0; entries !== undefined && i < entries.length; i++) {
        if (stateOf(entries[i]) === undefined) {
          // Another document may have stamped the port.
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
      // The new handle was never started, even if the old one was.
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
