'use strict'
// Reads the bytes of a Blob synchronously, because `postMessage` must clone its argument before it
// returns and Node reads Blobs only asynchronously. A worker thread reads them while this thread
// waits.

const { Worker, MessageChannel, receiveMessageOnPort } = require('worker_threads')

const READER = `
  const { workerData: { port, done } } = require('worker_threads')
  port.on('message', async (blob) => {
    let answer
    try {
      answer = new Uint8Array(await blob.arrayBuffer())
    } catch (error) {
      answer = String(error)
    }
    port.postMessage(answer)
    Atomics.add(done, 0, 1)
    Atomics.notify(done, 0)
  })`

/**
 * @type {{port: import('worker_threads').MessagePort, done: Int32Array} | undefined} started on
 * first use
 */
let reader

function start () {
  const { port1, port2 } = new MessageChannel()
  const done = new Int32Array(new SharedArrayBuffer(4))
  new Worker(READER, { eval: true, execArgv: [], workerData: { port: port2, done }, transferList: [port2] }).unref()
  port1.unref()
  return { port: port1, done }
}

module.exports = {
  /**
   * @param {Blob} blob
   * @returns {Uint8Array} a copy of its bytes
   * @throws if the Blob cannot be read, for example because its file has changed
   */
  blobBytes (blob) {
    reader ??= start()
    const { port, done } = reader
    const before = Atomics.load(done, 0)
    port.postMessage(blob)
    Atomics.wait(done, 0, before)
    const { message } = receiveMessageOnPort(port)
    if (typeof message === 'string') throw new Error(message)
    return message
  }
}
