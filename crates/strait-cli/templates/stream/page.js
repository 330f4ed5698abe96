// The page: one request, many answers. Each job has a channel: the answers come through it, and `close` says that there are no more.
const { ipcRenderer } = require('electron')

const progress = /** @type {HTMLProgressElement} */ (document.getElementById('progress'))
const state = /** @type {HTMLElement} */ (document.getElementById('state'))
const start = /** @type {HTMLButtonElement} */ (document.getElementById('start'))
const cancel = /** @type {HTMLButtonElement} */ (document.getElementById('cancel'))

/** @type {MessagePort | undefined} */
let job

const show = (/** @type {string} */ text) => {
  state.textContent = text
  console.log('page:', text)
}

start.onclick = () => {
  job?.close()
  const { port1, port2 } = new MessageChannel()
  job = port1
  job.onmessage = ({ data: { done, of } }) => {
    progress.value = done / of
    if (done % 25 === 0) show(`${done} of ${of}`)
  }
  // `closed`: the job is over. Any other reason: main could not finish it.
  job.onclose = ({ reason }) => show(reason === 'closed' ? 'finished' : `failed: ${reason}`)
  job.postMessage({ steps: 100 })
  ipcRenderer.postMessage('job', null, [port2])
}

// Main hears the close and stops working.
cancel.onclick = () => {
  job?.close()
  show('cancelled')
}

start.click()
