const { parentPort } = require('worker_threads')
const Comlink = require('comlink')
const nodeEndpoint = require('comlink/dist/umd/node-adapter')

const api = {
  square: (number) => number * number,
  /** Calls the caller back for each number. */
  async count (to, report) {
    for (let number = 1; number <= to; number++) await report(number)
    return 'counted'
  }
}

parentPort.on('message', (port) => Comlink.expose(api, nodeEndpoint(port)))
