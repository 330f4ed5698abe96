'use strict'
// The members of `process` that Electron adds to Node's
// (https://www.electronjs.org/docs/latest/api/process).

const fs = require('fs')
const os = require('os')
const v8 = require('v8')
const { performance } = require('perf_hooks')
const { native } = require('./native')

/** The version of Electron whose API the compatibility tables describe. */
const ELECTRON = require('./table')[0].electron

/** The numbers in a file of /proc with lines such as `MemTotal:  16 kB`. */
function numbersOf (file) {
  const values = {}
  for (const [, name, value] of fs.readFileSync(file, 'utf8').matchAll(/^([\w()]+):\s+(\d+)/gm)) values[name] = Number(value)
  return values
}

const kibibytes = (bytes) => Math.round(bytes / 1024)

/**
 * The last measurement of the processor time: its date in milliseconds, and the time used until
 * then in seconds.
 */
let measured = { at: 0, time: 0 }

const measurements = {
  /** In KiB. */
  async getProcessMemoryInfo () {
    const { Rss, Private_Clean, Private_Dirty } = numbersOf('/proc/self/smaps_rollup')
    const own = Private_Clean + Private_Dirty
    return { residentSet: Rss, private: own, shared: Rss - own }
  },

  /** In KiB. */
  getSystemMemoryInfo () {
    const { MemTotal, MemFree, SwapTotal, SwapFree } = numbersOf('/proc/meminfo')
    return { total: MemTotal, free: MemFree, swapTotal: SwapTotal, swapFree: SwapFree }
  },

  getSystemVersion: () => os.release(),

  /** In milliseconds since 1970 UTC. */
  getCreationTime: () => performance.timeOrigin,

  /** The processor time in per cent since the last call, and in seconds since the process began. */
  getCPUUsage () {
    const { user, system } = process.cpuUsage()
    const now = { at: performance.now(), time: (user + system) / 1e6 }
    const passed = (now.at - measured.at) / 1000
    const used = now.time - measured.time
    measured = now
    return { percentCPUUsage: passed > 0 ? used / passed * 100 : 0, cumulativeCPUUsage: now.time, idleWakeupsPerSecond: 0 }
  },

  getIOCounters () {
    const { rchar, wchar, syscr, syscw } = numbersOf('/proc/self/io')
    return { readOperationCount: syscr, writeOperationCount: syscw, otherOperationCount: 0, readTransferCount: rchar, writeTransferCount: wchar, otherTransferCount: 0 }
  },

  /** In KiB. */
  getHeapStatistics () {
    const heap = v8.getHeapStatistics()
    return {
      totalHeapSize: kibibytes(heap.total_heap_size),
      totalHeapSizeExecutable: kibibytes(heap.total_heap_size_executable),
      totalPhysicalSize: kibibytes(heap.total_physical_size),
      totalAvailableSize: kibibytes(heap.total_available_size),
      usedHeapSize: kibibytes(heap.used_heap_size),
      heapSizeLimit: kibibytes(heap.heap_size_limit),
      mallocedMemory: kibibytes(heap.malloced_memory),
      peakMallocedMemory: kibibytes(heap.peak_malloced_memory),
      doesZapGarbage: heap.does_zap_garbage === 1
    }
  }
}

module.exports = {
  /** @param {Record<string, unknown>} facts properties that depend on the kind of this process */
  complete (facts) {
    for (const [name, value] of [['strait', native.version], ['electron', `${ELECTRON}.0.0`]]) {
      Object.defineProperty(process.versions, name, { value, enumerable: true })
    }
    for (const [name, value] of Object.entries({ ...facts, ...measurements })) {
      Object.defineProperty(process, name, { value, writable: true, enumerable: true, configurable: true })
    }
  }
}
