// ES modules for an engine without them, or without an interface for hosts. The linker loads, links
// and evaluates the output of Rust's `module()` (ECMA-262, "Cyclic Module Records"). As in Node,
// the modules can import CommonJS, JSON and the host's own modules.
//
// `p` holds the intrinsics that the linker uses. `host` holds the functions that differ between
// hosts:
//     resolve(name, from, isImport)  -> { builtin } or { path, format, suffix }, or throws;
//                                       format is 'commonjs', 'module' or 'json'
//     compile(path, url)             -> the value of the module's expression, or throws
//     names(path)                    -> { names, from }: the exports of a CommonJS file, and the
//                                       modules whose names it re-exports
//     commonJs(path)                 -> the file's module.exports
//     json(path)                     -> the file's value
//     builtin(name)                  -> the host's module
//     url(path)                      -> the file's URL
//     global(name)                   -> the value of a name that every module can use
//     place(error, path, line)       -> the error, with this position in its stack
//
// A module's expression has the value { run, waits, names, globals, requests, imports, indirect,
// stars }:
//     run(api, ...namespaces)  a generator: its first step passes the exports to `api.exports`, its
//                              second step runs the module's code; an async function that does
//                              both if the module `waits`
//     waits     whether the module has a top-level await
//     names     the names of its own exports
//     globals   the names of the host that `run` receives after the namespaces
//     requests  [specifier, [[attribute, value]…]]…
//     imports   [request, name, line]…  names that must exist
//     indirect  [exported, request, name or null]…  re-exported names; null is the namespace
//     stars     the requests of `export *`
(function makeEsModules (p, host) {
  'use strict'

  const [LINKED, EVALUATING, WAITING, EVALUATED, FAILED] = [1, 2, 3, 4, 5]
  const nothing = () => {}
  const prototypeOf = p.getPrototypeOf
  const step = p.uncurry(prototypeOf(prototypeOf((function * () {})())).next)
  const { toStringTag } = p

  /** The modules by file and suffix; those of the host by `node:` and name. */
  const modules = { __proto__: null }

  const coded = (/** @type {any} */ Class, /** @type {string} */ code, /** @type {string} */ message) => {
    const error = new Class(message)
    p.defineProperty(error, 'code', { __proto__: null, value: code, writable: true, configurable: true, enumerable: true })
    return error
  }

  const push = (/** @type {any[]} */ list, /** @type {any} */ item) => { list[list.length] = item }

  /** Adds a name to a list that stays sorted. */
  const insert = (/** @type {string[]} */ sorted, /** @type {string} */ name) => {
    let at = sorted.length
    while (at > 0 && sorted[at - 1] > name) {
      sorted[at] = sorted[at - 1]
      at--
    }
    sorted[at] = name
  }

  const newRecord = (/** @type {string} */ kind, /** @type {string} */ key, /** @type {string} */ path) => ({
    __proto__: null,
    kind,
    key,
    path,
    ns: { __proto__: null },
    /** The modules that it imports, by request. */
    needs: p.list(),
    /** Its own exports: functions that read them. */
    own: { __proto__: null },
    text: undefined,
    /** The arguments of `run`, and the generator that it returned. */
    parameters: undefined,
    generator: undefined,
    /** Makes the exports of CommonJS, JSON and the host's modules. */
    make: nothing,
    status: 0,
    error: undefined,
    promise: undefined
  })

  // Loading

  const typeOf = (/** @type {any[]} */ attributes) => {
    let type
    for (let i = 0; i < attributes.length; i++) {
      const key = attributes[i][0]
      const value = attributes[i][1]
      if (key !== 'type' || value !== 'json') {
        throw coded(p.TypeError, 'ERR_IMPORT_ATTRIBUTE_UNSUPPORTED', `Import attribute "${key}" with value "${value}" is not supported`)
      }
      type = value
    }
    return type
  }

  const checkType = (/** @type {any} */ found, /** @type {string | undefined} */ type) => {
    if (found.builtin === undefined && found.format === 'json') {
      if (type !== 'json') throw coded(p.TypeError, 'ERR_IMPORT_ATTRIBUTE_MISSING', `Module "${host.url(found.path)}" needs an import attribute of "type: json"`)
    } else if (type === 'json') {
      throw coded(p.TypeError, 'ERR_IMPORT_ATTRIBUTE_TYPE_INCOMPATIBLE', `Module "${found.builtin === undefined ? host.url(found.path) : 'node:' + found.builtin}" is not of type "json"`)
    }
  }

  /** The names that a CommonJS file exports, those that it re-exports included. */
  const namesOf = (/** @type {string} */ path, /** @type {any} */ seen) => {
    const names = p.list()
    if (seen[path] === true) return names
    seen[path] = true
    let found
    try {
      found = host.names(path)
    } catch {
      return names
    }
    for (let i = 0; i < found.names.length; i++) push(names, found.names[i])
    for (let i = 0; i < found.from.length; i++) {
      let next
      try {
        next = host.resolve(found.from[i], path, false)
      } catch {
        continue
      }
      if (next.builtin === undefined && next.format === 'commonjs') {
        const more = namesOf(next.path, seen)
        for (let j = 0; j < more.length; j++) push(names, more[j])
      }
    }
    return names
  }

  const addOwn = (/** @type {any} */ record, /** @type {string} */ name, /** @type {() => any} */ read) => {
    if (record.own[name] === undefined) record.own[name] = read
  }

  const newCommonJs = (/** @type {string} */ key, /** @type {string} */ path) => {
    const record = newRecord('commonjs', key, path)
    let exports
    const values = { __proto__: null }
    const names = namesOf(path, { __proto__: null })
    addOwn(record, 'default', () => exports)
    for (let i = 0; i < names.length; i++) {
      const name = names[i]
      if (name !== 'default') addOwn(record, name, () => values[name])
    }
    record.make = () => {
      exports = host.commonJs(path)
      if (exports === null || (typeof exports !== 'object' && typeof exports !== 'function')) return
      // As in Node, the names have the values from the end of the file's evaluation.
      for (let i = 0; i < names.length; i++) {
        try {
          values[names[i]] = exports[names[i]]
        } catch {
          // A getter threw, so the name stays undefined.
        }
      }
    }
    return record
  }

  const newBuiltin = (/** @type {string} */ name) => {
    const record = newRecord('builtin', `node:${name}`, '')
    const value = host.builtin(name)
    record.text = value
    addOwn(record, 'default', () => value)
    const keys = p.ownKeys(value)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      const found = typeof key === 'string' && p.getOwnPropertyDescriptor(value, key)
      if (found && found.enumerable) addOwn(record, key, () => value[key])
    }
    return record
  }

  const newJson = (/** @type {string} */ key, /** @type {string} */ path) => {
    const record = newRecord('json', key, path)
    let value
    addOwn(record, 'default', () => value)
    record.make = () => { value = host.json(path) }
    return record
  }

  const newModule = (/** @type {string} */ key, /** @type {string} */ path, /** @type {string} */ suffix) => {
    const record = newRecord('module', key, path)
    record.text = host.compile(path, host.url(path) + suffix)
    record.meta = metaOf(path, suffix)
    const { names, waits } = record.text
    if (waits) for (let i = 0; i < names.length; i++) addOwn(record, names[i], () => { throw new p.ReferenceError(`Cannot access '${names[i]}' before initialization`) })
    return record
  }

  const metaOf = (/** @type {string} */ path, /** @type {string} */ suffix) => {
    const slash = p.lastIndexOf(path, '/')
    return {
      __proto__: null,
      dirname: slash === 0 ? '/' : p.stringSlice(path, 0, slash),
      filename: path,
      resolve (/** @type {any} */ name) {
        const found = host.resolve(p.String(name), path, true)
        return found.builtin === undefined ? host.url(found.path) + found.suffix : found.name
      },
      url: host.url(path) + suffix
    }
  }

  /**
   * Returns the module's record, after loading all modules that it imports. New records are added
   * to `fresh`.
   */
  const load = (/** @type {any} */ found, /** @type {any[]} */ fresh) => {
    const isBuiltin = found.builtin !== undefined
    const key = isBuiltin ? `node:${found.builtin}` : found.path + found.suffix
    const known = modules[key]
    if (known !== undefined) return known
    const record = isBuiltin ? newBuiltin(found.builtin)
      : found.format === 'json' ? newJson(key, found.path)
        : found.format === 'commonjs' ? newCommonJs(key, found.path)
          : newModule(key, found.path, found.suffix)
    modules[key] = record
    push(fresh, record)
    if (record.kind !== 'module') return record
    const { requests } = record.text
    for (let i = 0; i < requests.length; i++) {
      const type = typeOf(requests[i][1])
      const next = host.resolve(requests[i][0], record.path, true)
      checkType(next, type)
      record.needs[i] = load(next, fresh)
    }
    return record
  }

  // Linking

  const AMBIGUOUS = { __proto__: null }

  /**
   * The origin of an exported name: `{ record, name }` (without `name` for a namespace), `null`, or
   * AMBIGUOUS.
   */
  const find = (/** @type {any} */ record, /** @type {string} */ name, /** @type {any} */ seen) => {
    const mark = `${record.key}\n${name}`
    if (seen[mark] === true) return null
    seen[mark] = true
    if (record.own[name] !== undefined) return { __proto__: null, record, name }
    // A host's module that refuses missing members throws here.
    if (record.kind === 'builtin' && (record.text[name] !== undefined || name in record.text)) {
      addOwn(record, name, () => record.text[name])
      expose(record, name, record.own[name])
      return { __proto__: null, record, name }
    }
    if (record.kind !== 'module') return null
    const { indirect, stars } = record.text
    for (let i = 0; i < indirect.length; i++) {
      if (indirect[i][0] !== name) continue
      const from = record.needs[indirect[i][1]]
      return indirect[i][2] === null ? { __proto__: null, record: from, name: undefined } : find(from, indirect[i][2], seen)
    }
    if (name === 'default') return null
    let result = null
    for (let i = 0; i < stars.length; i++) {
      const from = find(record.needs[stars[i]], name, seen)
      if (from === AMBIGUOUS) return from
      if (from === null) continue
      if (result === null) result = from
      else if (result.record !== from.record || result.name !== from.name) return AMBIGUOUS
    }
    return result
  }

  const exportedNames = (/** @type {any} */ record, /** @type {any} */ seen, /** @type {any} */ names, /** @type {boolean} */ isStar) => {
    if (seen[record.key] === true) return
    seen[record.key] = true
    const own = p.ownKeys(record.own)
    for (let i = 0; i < own.length; i++) if (!isStar || own[i] !== 'default') names[own[i]] = true
    if (record.kind !== 'module') return
    const { indirect, stars } = record.text
    for (let i = 0; i < indirect.length; i++) if (!isStar || indirect[i][0] !== 'default') names[indirect[i][0]] = true
    for (let i = 0; i < stars.length; i++) exportedNames(record.needs[stars[i]], seen, names, true)
  }

  const expose = (/** @type {any} */ record, /** @type {string} */ name, /** @type {() => any} */ get) =>
    p.defineProperty(record.ns, name, { __proto__: null, get, enumerable: true, configurable: false })

  const missing = (/** @type {any} */ record, /** @type {any[]} */ wanted, /** @type {boolean} */ isAmbiguous) => {
    const specifier = record.text.requests[wanted[0]][0]
    const name = wanted[1]
    const from = record.needs[wanted[0]]
    let message = `The requested module '${specifier}' does not provide an export named '${name}'`
    if (isAmbiguous) message = `The requested module '${specifier}' contains conflicting star exports for name '${name}'`
    else if (from.kind === 'commonjs') {
      message = `Named export '${name}' not found. The requested module '${specifier}' is a CommonJS module, which may not support all module.exports as named exports.\nCommonJS modules can always be imported via the default export, for example using:\n\nimport pkg from '${specifier}';\n`
    }
    return host.place(new p.SyntaxError(message), record.path, wanted[2])
  }

  const link = (/** @type {any[]} */ fresh) => {
    for (let i = 0; i < fresh.length; i++) {
      const record = fresh[i]
      if (record.kind !== 'module') continue
      const parameters = p.list()
      push(parameters, {
        __proto__: null,
        meta: record.meta,
        import: importer(record.path),
        exports (/** @type {any} */ own) { record.own = own },
        name (/** @type {any} */ of) { p.defineProperty(of, 'name', { __proto__: null, value: 'default', configurable: true }) }
      })
      for (let j = 0; j < record.needs.length; j++) push(parameters, record.needs[j].ns)
      const { globals } = record.text
      for (let j = 0; j < globals.length; j++) push(parameters, host.global(globals[j]))
      record.parameters = parameters
      if (record.text.waits) continue
      record.generator = p.apply(record.text.run, undefined, parameters)
      // Runs up to the exports, before any code of the module.
      step(record.generator)
    }
    for (let i = 0; i < fresh.length; i++) {
      const record = fresh[i]
      if (record.kind !== 'module') continue
      const { imports } = record.text
      for (let j = 0; j < imports.length; j++) {
        let origin
        try {
          origin = find(record.needs[imports[j][0]], imports[j][1], { __proto__: null })
        } catch (error) {
          throw host.place(error, record.path, imports[j][2])
        }
        if (origin === null || origin === AMBIGUOUS) throw missing(record, imports[j], origin === AMBIGUOUS)
      }
    }
    for (let i = 0; i < fresh.length; i++) {
      const record = fresh[i]
      const names = { __proto__: null }
      exportedNames(record, { __proto__: null }, names, false)
      const sorted = p.list()
      const keys = p.ownKeys(names)
      for (let j = 0; j < keys.length; j++) insert(sorted, keys[j])
      for (let j = 0; j < sorted.length; j++) {
        const origin = find(record, sorted[j], { __proto__: null })
        if (origin === null || origin === AMBIGUOUS || p.getOwnPropertyDescriptor(record.ns, sorted[j]) !== undefined) continue
        const from = origin.record
        const { name } = origin
        const isLate = from.kind === 'module' && from.text.waits
        expose(record, sorted[j], name === undefined ? () => from.ns : isLate ? () => from.own[name]() : from.own[name])
      }
      p.defineProperty(record.ns, toStringTag, { __proto__: null, value: 'Module' })
      // Members of a host's module may be added later.
      if (record.kind !== 'builtin') p.freeze(record.ns)
      record.status = LINKED
    }
  }

  /** Loads and links a module. If that throws, all new records are removed. */
  const prepare = (/** @type {any} */ found) => {
    const fresh = p.list()
    try {
      const record = load(found, fresh)
      link(fresh)
      return record
    } catch (error) {
      for (let i = 0; i < fresh.length; i++) delete modules[fresh[i].key]
      throw error
    }
  }

  // Evaluation

  const fail = (/** @type {any} */ record, /** @type {any} */ error) => {
    record.status = FAILED
    record.error = error
    throw error
  }

  const finish = async (/** @type {any} */ record, /** @type {any[]} */ pending) => {
    try {
      for (let i = 0; i < pending.length; i++) await pending[i]
      if (record.text.waits) await p.apply(record.text.run, undefined, record.parameters)
      else step(record.generator)
    } catch (error) {
      fail(record, error)
    }
    record.status = EVALUATED
  }

  /**
   * Evaluates the modules that a module imports, then the module itself. Returns a promise if that
   * is asynchronous.
   */
  const evaluate = (/** @type {any} */ record) => {
    if (record.status === EVALUATED || record.status === EVALUATING) return undefined
    if (record.status === FAILED) throw record.error
    if (record.status === WAITING) return record.promise
    record.status = EVALUATING
    if (record.kind !== 'module') {
      try {
        record.make()
      } catch (error) {
        // CommonJS files and JSON can be evaluated again.
        record.status = LINKED
        throw error
      }
      record.status = EVALUATED
      return undefined
    }
    const pending = p.list()
    try {
      for (let i = 0; i < record.needs.length; i++) {
        const promise = evaluate(record.needs[i])
        if (promise !== undefined) push(pending, promise)
      }
      if (pending.length === 0 && !record.text.waits) {
        step(record.generator)
        record.status = EVALUATED
        return undefined
      }
    } catch (error) {
      fail(record, error)
    }
    record.status = WAITING
    record.promise = finish(record, pending)
    // The importing code handles a rejection; for other promises it is ignored.
    p.then(record.promise, nothing, nothing)
    return record.promise
  }

  /** Makes `import()` for the file at `path`. */
  const importer = (/** @type {string} */ path) => (/** @type {any} */ name, /** @type {any} */ options) => {
    let text
    let type
    try {
      text = p.String(name)
      const attributes = p.list()
      const given = options === undefined ? undefined : options.with
      if (given !== undefined) {
        const keys = p.ownKeys(given)
        for (let i = 0; i < keys.length; i++) push(attributes, [keys[i], given[keys[i]]])
      }
      type = typeOf(attributes)
    } catch (error) {
      return new p.Promise((/** @type {any} */ _, /** @type {any} */ reject) => reject(error))
    }
    return p.then(p.resolved(undefined), () => {
      const found = host.resolve(text, path, true)
      checkType(found, type)
      const record = prepare(found)
      const promise = evaluate(record)
      return promise === undefined ? record.ns : p.then(promise, () => record.ns)
    })
  }

  /** Whether the module, or a module that it imports, satisfies the condition. */
  const any = (/** @type {any} */ record, /** @type {(record: any) => boolean} */ condition, /** @type {any} */ seen) => {
    if (seen[record.key] === true) return false
    seen[record.key] = true
    if (condition(record)) return true
    for (let i = 0; i < record.needs.length; i++) if (any(record.needs[i], condition, seen)) return true
    return false
  }

  return {
    __proto__: null,
    importer,

    /** Evaluates the module in a file. Returns a promise if that is asynchronous. */
    run (/** @type {string} */ path) {
      return evaluate(prepare({ __proto__: null, path, format: 'module', suffix: '' }))
    },

    /** The result of `require` for the ES module in a file. */
    require (/** @type {string} */ path, /** @type {string} */ from) {
      const record = prepare({ __proto__: null, path, format: 'module', suffix: '' })
      if (record.status !== EVALUATED) {
        if (any(record, (needed) => needed.kind === 'module' && needed.status === EVALUATING, { __proto__: null })) {
          throw coded(p.Error, 'ERR_REQUIRE_CYCLE_MODULE', `Cannot require() ES Module ${path} in a cycle. (from ${from})`)
        }
        if (any(record, (needed) => needed.status === WAITING || (needed.status === LINKED && needed.text !== undefined && needed.text.waits === true), { __proto__: null })) {
          throw coded(p.Error, 'ERR_REQUIRE_ASYNC_MODULE', `require() cannot be used on an ESM graph with top-level await. Use import() instead: ${path}`)
        }
        evaluate(record)
      }
      const { ns } = record
      if ('module.exports' in ns) return ns['module.exports']
      if (!('default' in ns) || '__esModule' in ns) return ns
      // Compiled programs check `__esModule` before they read `default`.
      if (record.marked === undefined) {
        const marked = { __proto__: null }
        const names = p.ownKeys(ns)
        p.defineProperty(marked, '__esModule', { __proto__: null, value: true, enumerable: true })
        for (let i = 0; i < names.length; i++) p.defineProperty(marked, names[i], p.getOwnPropertyDescriptor(ns, names[i]))
        record.marked = p.freeze(marked)
      }
      return record.marked
    }
  }
})
