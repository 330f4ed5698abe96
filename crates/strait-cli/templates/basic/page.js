// The page: has one end of a channel, main has the other.
const { ipcRenderer } = require('electron')

const greeting = /** @type {HTMLElement} */ (document.getElementById('greeting'))
const name = /** @type {HTMLInputElement} */ (document.getElementById('name'))

const { port1: greeter, port2 } = new MessageChannel()
ipcRenderer.postMessage('greeter', null, [port2])

greeter.onmessage = ({ data }) => {
  greeting.textContent = data
  console.log('page:', data)
}
greeter.onclose = ({ reason }) => { greeting.textContent = `The greeter is gone: ${reason}.` }

name.oninput = () => greeter.postMessage(name.value)
greeter.postMessage('you')
