// Develops negatives, one after another: a hidden window has a canvas and a processor of its own.
const { ipcRenderer } = require('electron')

const canvas = Object.assign(document.createElement('canvas'), { width: 48, height: 48 })
const pen = canvas.getContext('2d')

const develop = ({ number, seed }) => {
  for (let y = 0; y < 48; y += 6) {
    for (let x = 0; x < 48; x += 6) {
      pen.fillStyle = `hsl(${(seed * 5 + x * y) % 360} 60% ${35 + (x + y + seed) % 40}%)`
      pen.fillRect(x, y, 6, 6)
    }
  }
  return { number, image: canvas.toDataURL() }
}

ipcRenderer.on('lab', ({ ports: [port] }) => {
  const waiting = []
  // One at a time, so that there is always something to be lost.
  const next = () => {
    port.postMessage(develop(waiting.shift()))
    if (waiting.length > 0) setTimeout(next, 15)
  }
  port.onmessage = ({ data: negative }) => {
    if (waiting.push(negative) === 1) setTimeout(next, 15)
  }
})
