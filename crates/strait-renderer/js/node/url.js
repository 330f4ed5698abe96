'use strict'
// The page's own URL classes, and file URLs to paths and back as Node has them (https://nodejs.org/api/url.html).

const path = require('path')

const fail = (/** @type {string} */ code, /** @type {string} */ message) => {
  throw Object.assign(new TypeError(message), { code })
}

/** The path of a file URL. */
const fileURLToPath = (/** @type {string | URL} */ given) => {
  const url = typeof given === 'string' ? new URL(given) : given
  if (typeof url?.href !== 'string') fail('ERR_INVALID_ARG_TYPE', 'The "path" argument must be of type string or an instance of URL')
  if (url.protocol !== 'file:') fail('ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file')
  if (url.hostname !== '') fail('ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux')
  if (/%2f/i.test(url.pathname)) fail('ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters')
  return decodeURIComponent(url.pathname)
}

/** The file URL of a path; a slash at its end stays. */
const pathToFileURL = (/** @type {string} */ given) => {
  const whole = path.resolve(given)
  const text = given.endsWith('/') && whole !== '/' ? `${whole}/` : whole
  // What a URL would take for something else than a character of the path.
  const escaped = text.replace(/[%\\\n\r\t?#]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
  return new URL(`file://${escaped}`)
}

module.exports = { URL, URLSearchParams, fileURLToPath, pathToFileURL }
