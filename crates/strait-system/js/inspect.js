'use strict'
// Values as text for the terminal: util.inspect and util.format in Node's notation
// (https://nodejs.org/api/util.html). Supported are nesting, cycles, class names, Map, Set, errors
// with causes, typed arrays, accessors and symbols.

const LINE = 80
const custom = Symbol.for('nodejs.util.inspect.custom')
const TypedArray = Object.getPrototypeOf(Uint8Array)
const getTag = Object.getOwnPropertyDescriptor(TypedArray.prototype, Symbol.toStringTag).get

const COLORS = { number: 33, bigint: 33, boolean: 33, string: 32, symbol: 32, undefined: 90, null: 1, special: 36, date: 35, regexp: 31 }

function inspect (value, options, ...legacy) {
  if (typeof options === 'boolean') options = { showHidden: options, depth: legacy[0], colors: legacy[1] }
  const { depth = 2, colors = false, showHidden = false, breakLength = LINE, compact = 3, maxArrayLength = 100 } = options ?? {}
  const state = { depth: depth ?? Infinity, colors, showHidden, breakLength, compact, maxArrayLength: maxArrayLength ?? Infinity, seen: [], cycles: new Map(), deepest: 0 }
  return render(state, value, 0, false)
}

function paint (state, text, style) {
  if (!state.colors || COLORS[style] === undefined) return text
  return `\u001b[${COLORS[style]}m${text}\u001b[${style === 'null' ? 22 : 39}m`
}

/** @param {string} text quoted as Node does: single quotes unless that needs escapes */
function quote (text) {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') && !text.includes('${') ? '`' : "'"
  let out = ''
  for (const char of text) {
    const code = char.codePointAt(0)
    if (char === mark || char === '\\') out += '\\' + char
    else if (char === '\n') out += '\\n'
    else if (char === '\t') out += '\\t'
    else if (char === '\r') out += '\\r'
    else if (char === '\b') out += '\\b'
    else if (char === '\f') out += '\\f'
    else if (char === '\v') out += '\\v'
    else if (code < 32 || code === 127) out += '\\x' + code.toString(16).toUpperCase().padStart(2, '0')
    else if (code >= 0xd800 && code <= 0xdfff) out += '\\u' + code.toString(16).toUpperCase()
    else out += char
  }
  return mark + out + mark
}

function primitive (state, value) {
  switch (typeof value) {
    case 'string': return paint(state, quote(value), 'string')
    case 'number': return paint(state, Object.is(value, -0) ? '-0' : String(value), 'number')
    case 'bigint': return paint(state, `${value}n`, 'bigint')
    case 'symbol': return paint(state, value.toString(), 'symbol')
    case 'undefined': return paint(state, 'undefined', 'undefined')
    default: return paint(state, String(value), value === null ? 'null' : typeof value)
  }
}

function className (value) {
  for (let object = value; object !== null; object = Object.getPrototypeOf(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, 'constructor')
    if (descriptor !== undefined && typeof descriptor.value === 'function' && descriptor.value.name !== '') return descriptor.value.name
  }
  return null
}

/**
 * The prefix before the brackets: empty for plain objects and arrays, otherwise class, size and
 * tag.
 */
function prefix (value, base, size = '') {
  const name = className(value)
  let tag = ''
  try { tag = value[Symbol.toStringTag] } catch {}
  if (typeof tag !== 'string' || tag === name || tag === base) tag = ''
  const shown = name === null ? `[${base}${size}: null prototype]` : name + size
  if (tag === '' && size === '' && (name === 'Object' || name === 'Array') && name === base) return ''
  if (tag === '' && name === 'Array' && base === 'Array') return ''
  return shown + (tag === '' ? '' : ` [${tag}]`) + ' '
}

function render (state, value, level, inKey) {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return primitive(state, value)
  const method = value[custom]
  if (typeof method === 'function' && method !== inspect && !isProxyLike(value)) {
    const shown = method.call(value, state.depth - level, { depth: state.depth, colors: state.colors, stylize: (text) => text }, inspect)
    if (shown !== value) return typeof shown === 'string' ? shown.replaceAll('\n', '\n' + ' '.repeat(2 * level)) : render(state, shown, level, false)
  }
  if (state.seen.includes(value)) {
    if (!state.cycles.has(value)) state.cycles.set(value, state.cycles.size + 1)
    return paint(state, `[Circular *${state.cycles.get(value)}]`, 'special')
  }
  state.seen.push(value)
  const text = renderObject(state, value, level)
  state.seen.pop()
  const cycle = state.cycles.get(value)
  return cycle === undefined ? text : `${paint(state, `<ref *${cycle}>`, 'special')} ${text}`
}

// Objects whose getters throw for unknown names (the electron module) must be printable too.
function isProxyLike (value) {
  try { return value[custom] === undefined } catch { return true }
}

function renderObject (state, value, level) {
  const shape = describe(state, value, level)
  if (shape.plain !== undefined && shape.keys.length === 0) return shape.plain
  if (level > state.depth) return paint(state, `[${shape.plain ?? (Array.isArray(value) ? 'Array' : className(value) ?? 'Object: null prototype')}]`, 'special')
  state.deepest = level
  const entries = shape.entries(level + 1)
  for (const key of shape.keys) entries.push(property(state, value, key, level + 1))
  const [open, close] = shape.brackets
  const head = shape.plain !== undefined ? `${shape.plain} ${open}` : shape.prefix + open
  if (entries.length === 0) return shape.prefix + open + close
  return join(state, entries, head, close, level, shape)
}

/**
 * Describes the kind of an object: its text without properties, its brackets, and its own entries.
 */
function describe (state, value, level) {
  const own = Reflect.ownKeys(value).filter((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(value, key)
    return descriptor !== undefined && (descriptor.enumerable || (state.showHidden && typeof key === 'string'))
  })
  const none = () => []
  const shape = { keys: own, brackets: ['{', '}'], prefix: '', entries: none, plain: undefined, list: false }
  if (Array.isArray(value)) {
    shape.keys = own.filter((key) => typeof key === 'symbol' || !isIndex(key))
    shape.brackets = ['[', ']']
    shape.prefix = prefix(value, 'Array', className(value) === 'Array' ? '' : `(${value.length})`)
    shape.entries = (inner) => elements(state, value, inner)
    shape.list = true
  } else if (value instanceof TypedArray && getTag.call(value) !== undefined) {
    shape.keys = own.filter((key) => typeof key === 'symbol' || !isIndex(key))
    if (className(value) === 'Buffer') {
      const bytes = [...value.subarray(0, 50)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
      shape.plain = `<Buffer ${bytes}${value.length > 50 ? ` ... ${value.length - 50} more byte${value.length > 51 ? 's' : ''}` : ''}>`
      shape.keys = []
    }
    shape.brackets = ['[', ']']
    shape.prefix = prefix(value, getTag.call(value), `(${value.length})`)
    shape.entries = (inner) => elements(state, value, inner)
    shape.list = true
  } else if (value instanceof Map) {
    shape.prefix = prefix(value, 'Map', `(${value.size})`)
    shape.entries = (inner) => [...value].map(([key, item]) => `${render(state, key, inner)} => ${render(state, item, inner)}`)
  } else if (value instanceof Set) {
    shape.prefix = prefix(value, 'Set', `(${value.size})`)
    shape.entries = (inner) => [...value].map((item) => render(state, item, inner))
  } else if (value instanceof Error) {
    const stack = typeof value.stack === 'string' && value.stack !== '' ? value.stack : Error.prototype.toString.call(value)
    shape.plain = errorText(value, stack).trimEnd().replaceAll('\n', '\n' + ' '.repeat(2 * level))
    shape.keys = own.filter((key) => key !== 'stack' && key !== 'message')
    if (Object.hasOwn(value, 'cause') && !shape.keys.includes('cause')) shape.keys.push('cause')
    if (Object.hasOwn(value, 'errors') && !shape.keys.includes('errors')) shape.keys.push('errors')
  } else if (value instanceof Date) {
    shape.plain = paint(state, Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString(), 'date')
  } else if (value instanceof RegExp) {
    shape.plain = paint(state, RegExp.prototype.toString.call(value), 'regexp')
  } else if (typeof value === 'function') {
    const isClass = /^class\b/.test(Function.prototype.toString.call(value))
    const parent = isClass ? Object.getPrototypeOf(value) : null
    const kind = isClass ? 'class' : className(value) ?? 'Function'
    const name = isClass ? ` ${value.name || '(anonymous)'}` : value.name === '' ? ' (anonymous)' : `: ${value.name}`
    shape.plain = paint(state, `[${kind}${name}${parent?.name ? ` extends ${parent.name}` : ''}]`, 'special')
  } else if (value instanceof ArrayBuffer) {
    const bytes = new Uint8Array(value.detached ? 0 : value)
    shape.prefix = prefix(value, 'ArrayBuffer')
    shape.entries = () => [
      value.detached ? '(detached)' : `[Uint8Contents]: <${[...bytes.subarray(0, 50)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}${bytes.length > 50 ? ` ... ${bytes.length - 50} more bytes` : ''}>`,
      `byteLength: ${primitive(state, value.byteLength)}`
    ]
  } else if (value instanceof Promise) {
    shape.prefix = prefix(value, 'Promise')
    // A program cannot read the state of a promise synchronously.
    shape.entries = () => ['<state unknown>']
  } else if (value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    shape.prefix = prefix(value, className(value))
    shape.entries = () => [paint(state, '<items unknown>', 'special')]
  } else if (value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt || value instanceof Symbol) {
    shape.plain = `[${className(value)}: ${primitive(state, value.valueOf())}]`
    shape.keys = own.filter((key) => typeof key === 'symbol' || !isIndex(key))
  } else if (Object.prototype.toString.call(value) === '[object Arguments]') {
    shape.keys = own.filter((key) => typeof key === 'symbol' || !isIndex(key))
    shape.brackets = ['[', ']']
    shape.prefix = '[Arguments] '
    shape.entries = (inner) => elements(state, value, inner)
    shape.list = true
  } else {
    shape.prefix = prefix(value, 'Object')
  }
  return shape
}

function isIndex (key) {
  return /^(0|[1-9]\d*)$/.test(key)
}

/** The stack, after "Name: message" if it consists of frames only. */
function errorText (error, stack) {
  const header = Error.prototype.toString.call(error)
  if (stack.includes(header)) return stack
  const frames = stack.search(/^ {4}at /m)
  if (frames === 0) return `${header}\n${stack}`
  return stack
}

function elements (state, list, level) {
  const out = []
  let index = 0
  for (; index < list.length && out.length < state.maxArrayLength; index++) {
    if (index in list) {
      out.push(render(state, list[index], level))
      continue
    }
    const start = index
    while (index + 1 < list.length && !(index + 1 in list)) index++
    const count = index - start + 1
    out.push(paint(state, `<${count} empty item${count > 1 ? 's' : ''}>`, 'undefined'))
  }
  if (index < list.length) out.push(`... ${list.length - index} more item${list.length - index > 1 ? 's' : ''}`)
  return out
}

function property (state, object, key, level) {
  const descriptor = Object.getOwnPropertyDescriptor(object, key)
  let shown
  if (descriptor.get !== undefined) shown = paint(state, descriptor.set !== undefined ? '[Getter/Setter]' : '[Getter]', 'special')
  else if (descriptor.set !== undefined) shown = paint(state, '[Setter]', 'special')
  else shown = render(state, descriptor.value, level)
  let name = typeof key === 'symbol' ? `[${paint(state, key.toString(), 'symbol')}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : paint(state, quote(key), 'string')
  if (!descriptor.enumerable) name = `[${String(key)}]`
  return `${name}: ${shown}`
}

function join (state, entries, head, close, level, shape) {
  const width = state.colors ? (text) => text.replace(/\u001b\[\d+m/g, '').length : (text) => text.length
  const indent = ' '.repeat(2 * (level + 1))
  let output = entries
  if (shape.list && entries.length > 6 && state.compact >= 1) output = columns(state, entries, width, level)
  // One line if it is short and the value nests no deeper than `compact` levels below this one.
  if (output === entries && state.deepest - level < state.compact && !head.includes('\n') && !entries.some((entry) => entry.includes('\n'))) {
    const total = entries.reduce((sum, entry) => sum + width(entry) + 2, width(head) + 10 + level * 2)
    if (total <= state.breakLength) return `${head} ${entries.join(', ')} ${close}`
  }
  return `${head}\n${indent}${output.join(`,\n${indent}`)}\n${' '.repeat(2 * level)}${close}`
}

/** Arranges long lists of short items in columns, as Node does. */
function columns (state, entries, width, level) {
  const extra = state.maxArrayLength < Infinity && entries.at(-1)?.startsWith('... ') ? 1 : 0
  const count = entries.length - extra
  const lengths = entries.slice(0, count).map((entry) => width(entry) + 2)
  const longest = Math.max(...lengths)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  if (longest * 3 + level * 2 >= state.breakLength || (total / longest <= 5 && longest > 8) || entries.some((entry) => entry.includes('\n'))) return entries
  const bias = Math.sqrt(longest - total / entries.length)
  const across = Math.max(1, Math.min(Math.round(Math.sqrt(2.5 * Math.max(longest - 3 - bias, 1) * count) / Math.max(longest - 3 - bias, 1)),
    Math.floor((80 - level * 2) / longest), state.compact * 4, 15))
  if (across <= 1) return entries
  const widths = Array.from({ length: across }, (_, column) => Math.max(...lengths.filter((_, index) => index % across === column)))
  const right = entries.slice(0, count).every((entry) => /^-?[\d.]+n?$|^-?\d.*e[+-]\d+$|^NaN$|^-?Infinity$/.test(entry.replace(/\u001b\[\d+m/g, '')))
  const lines = []
  for (let start = 0; start < count; start += across) {
    const end = Math.min(start + across, count)
    let line = ''
    for (let index = start; index < end; index++) {
      const last = index === end - 1
      const text = entries[index] + (last ? '' : ', ')
      const pad = ' '.repeat(Math.max(0, widths[index - start] - (last ? 2 : 0) - width(text)))
      line += right ? pad + text : last ? text : text + pad
    }
    lines.push(line)
  }
  if (extra) lines.push(entries.at(-1))
  return lines
}

inspect.custom = custom
inspect.defaultOptions = { depth: 2 }

/** printf of the console: %s %d %i %f %j %o %O %c %%, with the remaining arguments appended. */
function formatWith (options, first, ...rest) {
  const show = (value) => typeof value === 'string' ? value : inspect(value, options)
  if (typeof first !== 'string') return [first, ...rest].map(show).join(' ')
  if (rest.length === 0) return first
  let next = 0
  const text = first.replace(/%([sdifjoOc%])/g, (whole, letter) => {
    if (letter === '%') return '%'
    if (next >= rest.length) return whole
    const value = rest[next++]
    switch (letter) {
      case 's': return typeof value === 'string' ? value : typeof value === 'bigint' ? `${value}n` : typeof value === 'object' && value !== null && !(value instanceof Error) && value.toString === Object.prototype.toString ? inspect(value, { ...options, depth: 0 }) : Object.is(value, -0) ? '-0' : String(value)
      case 'd': return typeof value === 'bigint' ? `${value}n` : typeof value === 'symbol' ? 'NaN' : String(Number(value))
      case 'i': return typeof value === 'bigint' ? `${value}n` : typeof value === 'symbol' ? 'NaN' : String(Number.parseInt(value, 10))
      case 'f': return typeof value === 'symbol' ? 'NaN' : String(Number.parseFloat(value))
      case 'j': try { return JSON.stringify(value) } catch { return '[Circular]' }
      case 'o': return inspect(value, { ...options, showHidden: true, depth: 4 })
      case 'O': return inspect(value, options)
      default: return ''
    }
  })
  return [text, ...rest.slice(next).map(show)].join(' ')
}

module.exports = { inspect, format: (...args) => formatWith({}, ...args), formatWith }
