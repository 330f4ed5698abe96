'use strict'
// Node's `os` (https://nodejs.org/api/os.html).

const { coded, checkInteger, refusals } = require('strait:errors')
const system = require('strait:system')

const ask = () => system.now({ name: 'machine' })

/** @param {string} name */
const said = (name) => () => ask()[name]

/** Makes Node's error for a failed system call. @param {any} call */
const priority = (call) => {
  try {
    return system.now(call)
  } catch (error) {
    const { errno, code, syscall, message } = /** @type {any} */ (error)
    const info = { errno, code, message: message.slice(code.length + 2, -syscall.length - 2), syscall }
    const said = coded(Error, 'ERR_SYSTEM_ERROR', `A system error occurred: ${syscall} returned ${code} (${info.message})`)
    throw Object.assign(said, { name: 'SystemError', info, errno, syscall })
  }
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGIOT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGCHLD: 17, SIGSTKFLT: 16, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22, SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29, SIGPOLL: 29, SIGPWR: 30, SIGSYS: 31 }

const withoutEndSlash = (/** @type {string} */ path) => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)

const os = {
  EOL: '\n',
  devNull: '/dev/null',
  constants: { UV_UDP_REUSEADDR: 4, signals: SIGNALS, priority: { PRIORITY_LOW: 19, PRIORITY_BELOW_NORMAL: 10, PRIORITY_NORMAL: 0, PRIORITY_ABOVE_NORMAL: -7, PRIORITY_HIGH: -14, PRIORITY_HIGHEST: -20 } },
  arch: () => process.arch,
  platform: () => process.platform,
  endianness: () => (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'LE' : 'BE'),
  homedir: () => process.env.HOME || ask().user.homedir,
  tmpdir: () => withoutEndSlash(process.env.TMPDIR || process.env.TMP || process.env.TEMP || '/tmp'),
  hostname: said('hostname'),
  type: said('type'),
  release: said('release'),
  version: said('version'),
  machine: said('machine'),
  totalmem: said('totalmem'),
  freemem: said('freemem'),
  uptime: said('uptime'),
  loadavg: said('loadavg'),
  cpus: said('cpus'),
  availableParallelism: () => ask().parallelism,

  /** @param {any} [options] */
  userInfo(options) {
    const { uid, gid, username, homedir, shell } = ask().user
    if (username === null) {
      throw Object.assign(coded(Error, 'ERR_SYSTEM_ERROR', 'A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)'), { name: 'SystemError' })
    }
    const given = (/** @type {string} */ text) => (options?.encoding === 'buffer' ? require('buffer').Buffer.from(text) : text)
    return { uid, gid, username: given(username), homedir: given(homedir), shell: given(shell) }
  },

  /** @param {any} [pid] */
  getPriority(pid = 0) {
    checkInteger(pid, 'pid', -(2 ** 31), 2 ** 31 - 1)
    return priority({ name: 'getPriority', number: pid })
  },

  /** @param {any} pid @param {any} [given] */
  setPriority(pid, given) {
    if (given === undefined) [pid, given] = [0, pid]
    checkInteger(pid, 'pid', -(2 ** 31), 2 ** 31 - 1)
    checkInteger(given, 'priority', -20, 19)
    priority({ name: 'setPriority', number: pid, other: given })
  },

  ...refusals('os', 'networkInterfaces'),
}
module.exports = os
