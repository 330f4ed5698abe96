'use strict'
// `util.parseArgs` (https://nodejs.org/api/util.html#utilparseargsconfig).

const { coded, wrongType, wrongValue } = require('strait:errors')

/** @typedef {{ type?: string, short?: string, multiple?: boolean, default?: any }} Option */
/** @typedef {{ kind: string, index: number, name?: string, rawName?: string, value?: any, inlineValue?: boolean }} Token */

/** @param {any} value @param {string} name @param {string} type */
const check = (value, name, type) => {
  if (typeof value !== type || value === null || (type === 'object' && Array.isArray(value))) throw wrongType(name, `of type ${type}`, value)
}

/** @param {any} value @param {string} name @param {Option} option */
const checkDefault = (value, name, { type = '', multiple }) => {
  if (!multiple) {
    check(value, name, type)
    return
  }
  if (!Array.isArray(value)) throw wrongType(name, 'an instance of Array', value)
  value.forEach((item, at) => check(item, `${name}[${at}]`, type))
}

/** @param {Record<string, any>} options */
const checkOptions = (options) => {
  check(options, 'options', 'object')
  for (const [name, option] of Object.entries(options)) {
    const place = `options.${name}`
    check(option, place, 'object')
    if (option.type !== 'string' && option.type !== 'boolean') throw wrongType(`${place}.type`, "('string|boolean')", option.type)
    if (Object.hasOwn(option, 'short')) {
      check(option.short, `${place}.short`, 'string')
      if (option.short.length !== 1) throw wrongValue(`${place}.short`, option.short, 'must be a single character')
    }
    if (Object.hasOwn(option, 'multiple')) check(option.multiple, `${place}.multiple`, 'boolean')
    if (option.default !== undefined) checkDefault(option.default, `${place}.default`, option)
  }
}

/** @param {Record<string, Option>} options */
const finders = (options) => {
  const long = (/** @type {string} */ name) => (Object.hasOwn(options, name) ? options[name] : undefined)
  const named = (/** @type {string} */ short) => Object.entries(options).find(([, option]) => option.short === short)?.[0] ?? short
  const takesValue = (/** @type {string} */ name) => long(name)?.type === 'string'
  return { long, named, takesValue }
}

/**
 * Splits the arguments into tokens.
 * @param {any[]} args @param {Record<string, Option>} options @returns {Token[]}
 */
const tokensOf = (args, options) => {
  const { named, takesValue } = finders(options)
  /** @type {Token[]} */
  const tokens = []
  /**
   * Adds an option whose value may be the next argument, and returns the number of arguments used.
   */
  const put = (/** @type {string} */ name, /** @type {string} */ rawName, /** @type {number} */ index) => {
    const hasNext = takesValue(name) && index + 1 < args.length && args[index + 1] !== undefined
    tokens.push({ kind: 'option', name, rawName, index, ...(hasNext ? { value: args[index + 1], inlineValue: false } : { value: undefined, inlineValue: undefined }) })
    return hasNext ? 2 : 1
  }
  for (let index = 0; index < args.length;) {
    const arg = args[index]
    const text = String(arg)
    if (text === '--') {
      tokens.push({ kind: 'option-terminator', index })
      args.slice(index + 1).forEach((value, at) => tokens.push({ kind: 'positional', index: index + 1 + at, value }))
      break
    }
    if (text.length < 2 || !text.startsWith('-')) {
      tokens.push({ kind: 'positional', index, value: arg })
      index++
      continue
    }
    if (text.startsWith('--')) {
      const equals = text.indexOf('=', 3)
      if (equals < 0) {
        index += put(text.slice(2), text, index)
        continue
      }
      const name = text.slice(2, equals)
      tokens.push({ kind: 'option', name, rawName: `--${name}`, index, value: text.slice(equals + 1), inlineValue: true })
      index++
      continue
    }
    // A group of letters: the last one, or the first that takes a value, receives the rest.
    let taken = 1
    for (let at = 1; at < text.length; at++) {
      const letter = text[at]
      const name = named(letter)
      const rest = text.slice(at + 1)
      if (rest === '') taken = put(name, `-${letter}`, index)
      else if (takesValue(name)) {
        tokens.push({ kind: 'option', name, rawName: `-${letter}`, index, value: rest, inlineValue: true })
        break
      } else tokens.push({ kind: 'option', name, rawName: `-${letter}`, index, value: undefined, inlineValue: undefined })
    }
    index += taken
  }
  return tokens
}

/**
 * @param {Token} token @param {string} name the option that it sets
 * @param {Record<string, Option>} options @param {boolean} allowPositionals
 */
const checkStrictly = (token, name, options, allowPositionals) => {
  const { rawName = '', value, inlineValue } = token
  const { long } = finders(options)
  const option = long(name)
  const refuse = (/** @type {string} */ message) => coded(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', message)
  if (option === undefined) {
    const hint = allowPositionals ? ". After '--', arguments that begin with a dash are positional" : ''
    throw coded(TypeError, 'ERR_PARSE_ARGS_UNKNOWN_OPTION', `Unknown option '${rawName}'${hint}`)
  }
  const shown = `${option.short ? `-${option.short}, ` : ''}--${name}`
  if (option.type === 'string' && typeof value !== 'string') throw refuse(`Option '${shown} <value>' argument missing`)
  if (option.type === 'boolean' && value !== undefined) throw refuse(`Option '${shown}' does not take an argument`)
  if (inlineValue === false && value.length > 1 && value.startsWith('-')) {
    const forms = rawName.startsWith('--') ? `${rawName}=VALUE` : `--${name}=VALUE or ${rawName}VALUE`
    throw refuse(`Option '${rawName}' is followed by '${value}', which looks like an option. Write ${forms} for a value that begins with a dash`)
  }
}

module.exports = (/** @type {any} */ config = {}) => {
  const { args = process.argv.slice(2), options = {}, strict = true, allowPositionals = !strict, allowNegative = false, tokens: wantsTokens = false } = config
  if (!Array.isArray(args)) throw wrongType('args', 'an instance of Array', args)
  for (const [name, value] of Object.entries({ strict, allowPositionals, tokens: wantsTokens, allowNegative })) check(value, name, 'boolean')
  checkOptions(options)

  const { long } = finders(options)
  const tokens = tokensOf(args, options)
  const values = Object.create(null)
  /** @type {any[]} */
  const positionals = []
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (!allowPositionals) {
        throw coded(TypeError, 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', `Unexpected argument '${token.value}': positional arguments need allowPositionals`)
      }
      positionals.push(token.value)
    }
    if (token.kind !== 'option') continue
    let { name = '' } = token
    // `--no-x` negates `--x`.
    const isNegative = allowNegative && token.rawName?.startsWith('--no-') === true
    if (strict) checkStrictly(token, isNegative && long(name) === undefined ? name.slice(3) : name, options, allowPositionals)
    const isNegated = isNegative && token.value === undefined
    if (isNegated) {
      name = name.slice(3)
      token.name = name
    }
    if (name === '__proto__') continue
    const value = token.value ?? !isNegated
    if (long(name)?.multiple) (values[name] ??= []).push(value)
    else values[name] = value
  }
  for (const [name, option] of Object.entries(options)) {
    if (option.default !== undefined && values[name] === undefined) values[name] = option.default
  }
  return wantsTokens ? { values, positionals, tokens } : { values, positionals }
}
