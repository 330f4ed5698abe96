// The worker: a hidden window in a process of its own, so that long work holds up nobody.
const { ipcRenderer } = require('electron')

/** @param {number} below */
const countPrimes = (below) => {
  const composite = new Uint8Array(below)
  let count = 0
  for (let n = 2; n < below; n++) {
    if (composite[n]) continue
    count += 1
    for (let multiple = n * n; multiple < below; multiple += n) composite[multiple] = 1
  }
  return count
}

ipcRenderer.on('client', ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    const below = Math.min(Math.max(0, Math.floor(data)), 10_000_000)
    port.postMessage({ below, count: countPrimes(below) })
  }
})
