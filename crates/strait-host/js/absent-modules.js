'use strict'
// Modules of Node's that are not here, but that packages load which may never use them: what they export is there, and says so when it is used.
// What programs look for to learn where they are (`worker_threads`, `vm`, `cluster`, ...) is not among them: that is not found.

/** By module: functions and classes, and objects. */
const NAMES = {
  dns: 'getServers lookup lookupService promises resolve resolve4 resolve6 resolveAny resolveCname resolveMx resolveNs resolvePtr resolveSoa resolveSrv resolveTxt Resolver reverse setDefaultResultOrder getDefaultResultOrder setServers',
  http: 'Agent ClientRequest IncomingMessage OutgoingMessage Server ServerResponse createServer get globalAgent request setMaxIdleHTTPParsers validateHeaderName validateHeaderValue',
  http2: 'connect createSecureServer createServer getDefaultSettings getPackedSettings getUnpackedSettings Http2ServerRequest Http2ServerResponse',
  https: 'Agent Server createServer get globalAgent request',
  readline: 'Interface Readline clearLine clearScreenDown createInterface cursorTo emitKeypressEvents moveCursor promises',
  tls: 'SecureContext Server TLSSocket checkServerIdentity connect createSecureContext createServer getCiphers rootCertificates',
  zlib: 'BrotliCompress BrotliDecompress Deflate DeflateRaw Gunzip Gzip Inflate InflateRaw Unzip brotliCompress brotliCompressSync brotliDecompress brotliDecompressSync createBrotliCompress createBrotliDecompress createDeflate createDeflateRaw createGunzip createGzip createInflate createInflateRaw createUnzip deflate deflateRaw deflateRawSync deflateSync gunzip gunzipSync gzip gzipSync inflate inflateRaw inflateRawSync inflateSync unzip unzipSync'
}

const STATUS_CODES = {
  100: 'Continue', 101: 'Switching Protocols', 102: 'Processing', 103: 'Early Hints', 200: 'OK', 201: 'Created', 202: 'Accepted', 203: 'Non-Authoritative Information', 204: 'No Content', 205: 'Reset Content', 206: 'Partial Content', 207: 'Multi-Status', 208: 'Already Reported', 226: 'IM Used',
  300: 'Multiple Choices', 301: 'Moved Permanently', 302: 'Found', 303: 'See Other', 304: 'Not Modified', 305: 'Use Proxy', 307: 'Temporary Redirect', 308: 'Permanent Redirect',
  400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required', 412: 'Precondition Failed', 413: 'Payload Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type', 416: 'Range Not Satisfiable', 417: 'Expectation Failed', 418: "I'm a Teapot", 421: 'Misdirected Request', 422: 'Unprocessable Entity', 423: 'Locked', 424: 'Failed Dependency', 425: 'Too Early', 426: 'Upgrade Required', 428: 'Precondition Required', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported', 506: 'Variant Also Negotiates', 507: 'Insufficient Storage', 508: 'Loop Detected', 509: 'Bandwidth Limit Exceeded', 510: 'Not Extended', 511: 'Network Authentication Required'
}
const METHODS = 'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE'.split(' ')

/** What is a table in Node is one here. */
const TABLES = {
  http: { METHODS, STATUS_CODES, maxHeaderSize: 16384 },
  zlib: {
    constants: {
      Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6,
      Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1, Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2, Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0,
      BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2, BROTLI_OPERATION_EMIT_METADATA: 3, BROTLI_PARAM_MODE: 0, BROTLI_PARAM_QUALITY: 1, BROTLI_PARAM_LGWIN: 2, BROTLI_PARAM_SIZE_HINT: 5
    }
  }
}

/** What every object is asked for, by whoever looks whether it is a promise, a module, or how it is shown. */
const ASKED_OF_ALL = new Set(['then', 'toJSON', 'constructor', 'toString', 'valueOf', 'inspect', '__esModule', '$$typeof', 'nodeType', 'name', 'length'])

function stand (module, name) {
  const fail = () => {
    throw Object.assign(new Error(`${module}.${name} is not supported by Strait (docs/node-modules.md#modules-that-only-load)`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' })
  }
  // A class can be derived from it: to make an object of that is to use it.
  const target = { [name]: function () {} }[name]
  return new Proxy(target, {
    get: (_, member) => member === 'prototype' || typeof member === 'symbol' || ASKED_OF_ALL.has(member) ? target[member] : fail(),
    set: fail,
    apply: fail,
    construct: fail
  })
}

/** The module's exports. */
function make (module) {
  const names = NAMES[module].split(' ')
  return Object.assign(Object.fromEntries(names.map((name) => [name, stand(module, name)])), TABLES[module])
}

module.exports = { names: Object.keys(NAMES), make }
