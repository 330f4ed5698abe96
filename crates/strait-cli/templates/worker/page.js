// The page: asks the worker directly. Main has only introduced the two.
const { ipcRenderer } = require('electron')

const below = /** @type {HTMLInputElement} */ (document.getElementById('below'))
const answer = /** @type {HTMLElement} */ (document.getElementById('answer'))

/** @type {MessagePort | undefined} */
let worker

const ask = () => worker?.postMessage(Number(below.value))

ipcRenderer.on('worker', ({ ports: [port] }) => {
  worker = port
  port.onmessage = ({ data: { below, count } }) => {
    answer.textContent = `There are ${count} primes below ${below}.`
    console.log('page:', answer.textContent)
  }
  port.onclose = ({ reason }) => { answer.textContent = `The worker is gone (${reason}); a new one is on its way…` }
  ask()
})

below.oninput = ask
