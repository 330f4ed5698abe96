const { app } = require('electron')
const crypto = require('crypto')
const assert = require('assert')

assert.match(crypto.randomUUID(), /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
assert.notEqual?.(crypto.randomUUID(), crypto.randomUUID())
console.log('bytes', crypto.randomBytes(100000).length, Buffer.isBuffer(crypto.randomBytes(1)), globalThis.crypto.getRandomValues(new Uint32Array(4)).some((value) => value > 0))
assert.throws(() => crypto.randomBytes(-1), { code: 'ERR_OUT_OF_RANGE' })
assert.throws(() => crypto.createCipheriv('aes-128-cbc', '', ''), /crypto\.createCipheriv is not supported by Strait \(docs\/node-modules\.md#crypto\)/)
const drawn = new Set(Array.from({ length: 500 }, () => crypto.randomInt(3, 6)))
console.log('numbers', [...drawn].sort().join(), crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a')), crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('b')))

console.log('process', process.type, typeof process.versions.strait, process.versions.electron, process.contextIsolated, process.defaultApp, process.sandboxed, require('fs').existsSync(process.resourcesPath))
const { total, free } = process.getSystemMemoryInfo()
console.log('system', total > free, free > 0, process.getSystemVersion() !== '', Math.abs(process.getCreationTime() - Date.now()) < 60e3)
const { rss, heapUsed } = process.memoryUsage()
console.log('memory', rss > heapUsed, heapUsed > 0, process.getHeapStatistics().usedHeapSize > 0)
console.log('processor', process.cpuUsage().user >= 0, process.getCPUUsage().percentCPUUsage >= 0, process.getIOCounters().readTransferCount > 0)
console.log('kill', process.kill(process.pid, 0), typeof gc)
try { process.kill(2 ** 22 + 1, 0) } catch (error) { console.log(error.code, error.message) }
for (const name of ['dgram', 'node:vm', 'worker_threads']) {
  try { require(name) } catch (error) { console.log(name, error.code, error.message.split('\n')[0].replace(/ has .*/, ' has …')) }
}
// What is not here, and is loaded all the same: it says so where it is used.
const http = require('http')
const { createGzip, constants } = require('node:zlib')
class Own extends http.Agent {}
console.log('loads', typeof http.request, http.STATUS_CODES[404], http.METHODS.includes('GET'), constants.Z_FINISH, Object.keys(require('https')).join())
for (const use of [() => http.get('http://localhost'), () => new Own(), () => http.globalAgent.maxSockets, () => createGzip(), () => { require('readline').createInterface({}) }]) {
  try { use() } catch (error) { console.log(error.code, error.message) }
}
import('node:https').then(({ default: https, request }) => {
  console.log('imported', https.request === request)
  const { Readable, finished } = require('stream')
  const from = Readable.from(['through ', Buffer.from('a pipe\n')])
  from.pipe(process.stdout)
  return new Promise((resolve) => finished(from, resolve))
}).then(() => process.getProcessMemoryInfo()).then(({ residentSet, private: own, shared }) => {
  console.log('own', residentSet > 0, own > 0, residentSet === own + shared)
  app.quit()
})
