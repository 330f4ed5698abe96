'use strict'
// What Electron's `process` knows of the system and itself (https://www.electronjs.org/docs/latest/api/process).

const path = native.builtin('path')
const { process } = require('strait:process')

const { signalNumber } = require('strait:child-process')

const read = (file) => {
  try {
    return native.readText(file)
  } catch {
    return ''
  }
}

/** Kilobytes by name, as in /proc/meminfo. */
function kilobytes (file) {
  const values = {}
  for (const [, name, value] of read(file).matchAll(/^([\w()]+):\s+(\d+) kB$/gm)) values[name] = Number(value)
  return values
}

/** Seconds of processor time that this process has used, in user mode and in the kernel. */
function processorTime () {
  const fields = read('/proc/self/stat').replace(/^.*\) /s, '').split(' ')
  return { user: Number(fields[11]) / 100, system: Number(fields[12]) / 100, start: Number(fields[19]) / 100 }
}

let measured = { at: native.now(), time: 0 }

Object.assign(process, {
  resourcesPath: path.dirname(native.executable),
  sandboxed: false,
  mas: undefined,
  windowsStore: undefined,

  kill (pid, signal = 'SIGTERM') {
    if (!Number.isInteger(pid)) throw Object.assign(new TypeError(`The "pid" argument must be of type number. Received ${String(pid)}`), { code: 'ERR_INVALID_ARG_TYPE' })
    const failed = native.killPid(pid, signalNumber(signal))
    if (failed !== '') throw Object.assign(new Error(`kill ${failed}`), { code: failed, syscall: 'kill' })
    return true
  },

  memoryUsage () {
    const { VmRSS = 0 } = kilobytes('/proc/self/status')
    const heap = native.heapUsed()
    return { rss: VmRSS * 1024, heapTotal: heap, heapUsed: heap, external: 0, arrayBuffers: 0 }
  },

  cpuUsage (previous = { user: 0, system: 0 }) {
    const { user, system } = processorTime()
    return { user: Math.round(user * 1e6) - previous.user, system: Math.round(system * 1e6) - previous.system }
  },

  async getProcessMemoryInfo () {
    const { Rss = 0, Private_Clean = 0, Private_Dirty = 0 } = kilobytes('/proc/self/smaps_rollup')
    return { residentSet: Rss, private: Private_Clean + Private_Dirty, shared: Rss - Private_Clean - Private_Dirty }
  },

  getSystemMemoryInfo () {
    const { MemTotal = 0, MemFree = 0, SwapTotal = 0, SwapFree = 0 } = kilobytes('/proc/meminfo')
    return { total: MemTotal, free: MemFree, swapTotal: SwapTotal, swapFree: SwapFree }
  },

  getSystemVersion: () => read('/proc/sys/kernel/osrelease').trim(),

  /** Milliseconds since 1970. */
  getCreationTime () {
    const since = Number(/^btime (\d+)$/m.exec(read('/proc/stat'))?.[1] ?? NaN)
    return Number.isNaN(since) ? null : (since + processorTime().start) * 1000
  },

  /** Of the time since the last call. */
  getCPUUsage () {
    const { user, system } = processorTime()
    const now = { at: native.now(), time: user + system }
    const passed = (now.at - measured.at) / 1000
    const used = now.time - measured.time
    measured = now
    return { percentCPUUsage: passed > 0 ? used / passed * 100 : 0, cumulativeCPUUsage: now.time, idleWakeupsPerSecond: 0 }
  },

  getIOCounters () {
    const values = {}
    for (const [, name, value] of read('/proc/self/io').matchAll(/^(\w+): (\d+)$/gm)) values[name] = Number(value)
    const { rchar = 0, wchar = 0, syscr = 0, syscw = 0 } = values
    return { readOperationCount: syscr, writeOperationCount: syscw, otherOperationCount: 0, readTransferCount: rchar, writeTransferCount: wchar, otherTransferCount: 0 }
  },

  getHeapStatistics () {
    const used = Math.round(native.heapUsed() / 1024)
    return { totalHeapSize: used, totalHeapSizeExecutable: 0, totalPhysicalSize: used, totalAvailableSize: 0, usedHeapSize: used, heapSizeLimit: 0, mallocedMemory: used, peakMallocedMemory: used, doesZapGarbage: false }
  }
})

// A child says only later what it is.
Object.defineProperty(process, 'defaultApp', { get: () => process.type === 'browser' ? true : undefined, configurable: true, enumerable: true })
