// `process` of preloads, and of pages that may `require`. Node, "process"; Electron, "process".
(function makeProcess(p, natives, contextIsolated) {
  'use strict'

  const { arguments: given, cwd, ...said } = p.jsonParse(natives.process())
  const argv = p.list()
  argv[0] = said.execPath
  for (let i = 0; i < given.length; i++) argv[i + 1] = given[i]
  let env
  return {
    ...said,
    type: 'renderer',
    platform: 'linux',
    contextIsolated,
    argv: p.array(argv),
    versions: { strait: natives.version() },
    /** A copy of the environment: a change affects only this document. */
    get env() {
      return (env ??= p.jsonParse(natives.environment()))
    },
    cwd: () => cwd,
    nextTick(/** @type {any} */ callback, /** @type {any[]} */ ...args) {
      if (typeof callback !== 'function') throw new p.TypeError('The "callback" argument must be of type function')
      p.queueMicrotask(() => p.apply(callback, undefined, args))
    },
  }
})
