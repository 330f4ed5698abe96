// Shows the album. After a reload it asks for everything again.
const { ipcRenderer } = require('electron')

const TOTAL = 40
const shown = new Set()

ipcRenderer.on('album', ({ ports: [album] }) => {
  album.onmessage = ({ data: { picture: { number, image } } }) => {
    if (shown.has(number)) return
    shown.add(number)
    document.getElementById('pictures').append(Object.assign(new Image(32, 32), { src: image }))
    if (shown.size < TOTAL) return
    const times = performance.getEntriesByType('navigation')[0]?.type === 'reload' ? ' after a reload' : ''
    console.log(`gallery: ${shown.size} pictures${times}`)
    ipcRenderer.send('done', 'gallery')
  }
})
