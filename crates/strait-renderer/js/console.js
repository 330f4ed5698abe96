// The page's console, for the terminal. WebKit gives extensions only the first argument of a call,
// so all arguments become one text.
(function patchConsole(p, console) {
  'use strict'

  const DEPTH = 3
  const MOST = 100

  const key = (/** @type {any} */ name) =>
    typeof name === 'symbol' ? `[${p.symbolToString(name)}]` : p.isIdentifier(name) ? name : `'${name}'`

  /** The text of a value inside another one. Runs no getter; a proxy's traps may run. */
  const inspect = (/** @type {any} */ value, /** @type {any[]} */ above) => {
    if (typeof value === 'string') return `'${value}'`
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'symbol') return p.symbolToString(value)
    if (typeof value === 'function') {
      const name = p.getOwnPropertyDescriptor(value, 'name')
      return name !== undefined && typeof name.value === 'string' && name.value !== '' ? `[Function: ${name.value}]` : '[Function (anonymous)]'
    }
    if (typeof value !== 'object' || value === null) return value === 0 && 1 / value < 0 ? '-0' : `${value}`
    for (let i = 0; i < above.length; i++) if (above[i] === value) return '[Circular]'
    const tag = p.objectToString(value)
    if (tag === '[object Error]' || tag === '[object DOMException]' || tag === '[object Date]' || tag === '[object RegExp]') return p.String(value)
    const isArray = p.isArray(value)
    if (above.length >= DEPTH) return isArray ? '[Array]' : '[Object]'
    const inner = p.list()
    for (let i = 0; i < above.length; i++) inner[i] = above[i]
    inner[above.length] = value
    const names = p.ownKeys(value)
    let text = ''
    let shown = 0
    for (let i = 0; i < names.length && shown < MOST; i++) {
      const own = p.getOwnPropertyDescriptor(value, names[i])
      if (own === undefined || !own.enumerable) continue
      const item = 'value' in own ? inspect(own.value, inner) : '[Getter/Setter]'
      const isIndex = isArray && typeof names[i] === 'string' && p.isIndex(names[i])
      text += `${shown++ === 0 ? '' : ', '}${isIndex ? '' : `${key(names[i])}: `}${item}`
    }
    if (isArray) return shown === 0 ? '[]' : `[ ${text} ]`
    const prefix = tag === '[object Object]' ? '' : `${p.stringSlice(tag, 8, -1)} `
    return shown === 0 ? `${prefix}{}` : `${prefix}{ ${text} }`
  }

  /** The text of a call: Node's `util.format` with the common placeholders. */
  const format = (/** @type {any[]} */ args) => {
    let text = ''
    let next = 0
    if (typeof args[0] === 'string') {
      const template = args[0]
      next = 1
      let from = 0
      for (let at = 0; at < template.length - 1; at++) {
        if (template[at] !== '%') continue
        const what = template[at + 1]
        let piece
        if (what === '%') piece = '%'
        else if (next >= args.length) continue
        else if (what === 's') piece = typeof args[next] === 'string' ? args[next++] : inspect(args[next++], p.list())
        else if (what === 'd' || what === 'i' || what === 'f') piece = typeof args[next] === 'number' ? `${args[next++]}` : inspect(args[next++], p.list())
        else if (what === 'o' || what === 'O' || what === 'j') piece = inspect(args[next++], p.list())
        else if (what === 'c') piece = (next++, '')
        else continue
        text += p.stringSlice(template, from, at) + piece
        at++
        from = at + 1
      }
      text += p.stringSlice(template, from)
    }
    for (; next < args.length; next++) {
      const piece = typeof args[next] === 'string' ? args[next] : inspect(args[next], p.list())
      text += next === 0 ? piece : ` ${piece}`
    }
    return text
  }

  const patch = (/** @type {string} */ name) => {
    const native = console[name]
    if (typeof native !== 'function') return
    // In tail position the native function finds the caller's frame and takes the message's file
    // and line from it.
    p.defineProperty(native, 'call', { __proto__: null, value: p.call })
    const patched = {
      [name](/** @type {any[]} */ ...args) {
        if (args.length === 0) return native.call(console)
        if (args.length === 1 && typeof args[0] === 'string') return native.call(console, args[0])
        let text
        try {
          text = format(args)
        } catch {
          text = 'something that cannot be printed'
        }
        return native.call(console, text)
      },
    }[name]
    p.defineProperty(console, name, { __proto__: null, value: patched, writable: true, enumerable: true, configurable: true })
  }
  patch('log')
  patch('info')
  patch('warn')
  patch('error')
  patch('debug')
})
