// Takes negatives from the catalogue, gives them to the lab, puts pictures into the album. The lab may go at any time: what it has not answered
// is given to the next one.
const { ipcRenderer } = require('electron')

const progress = document.getElementById('progress')
const state = document.getElementById('state')
const say = (text) => {
  state.textContent = text
  console.log('desk:', text)
}

/** The first port that comes on a channel. */
const given = (channel) => new Promise((resolve) => ipcRenderer.once(channel, ({ ports: [port] }) => resolve(port)))

/** Turns a port into questions and answers. */
const client = (port) => {
  const open = new Map()
  let last = 0
  port.onmessage = ({ data: { id, answer } }) => {
    open.get(id)(answer)
    open.delete(id)
  }
  return (ask, about) => new Promise((resolve) => {
    open.set(++last, resolve)
    port.postMessage({ id: last, ask, about })
  })
}

const work = async () => {
  const [catalogue, album] = await Promise.all([given('catalogue'), given('album')])
  const ask = client(catalogue)
  const count = await ask('count')
  progress.max = count
  say(`the catalogue has ${count} negatives`)

  // A stream, of which five are enough.
  const { port1: arrivals, port2 } = new MessageChannel()
  arrivals.onmessage = ({ data: number }) => {
    if (number < 5) return
    arrivals.close()
    say('five arrivals are enough')
  }
  catalogue.postMessage({ ask: 'arrivals' }, [port2])

  /** What the lab has not answered yet. */
  const inLab = new Map()
  let developed = 0
  let lab
  const use = (port) => {
    lab = port
    port.onmessage = ({ data: picture }) => {
      // One that a lab had finished and could not say comes twice: the second is not in the books any more.
      if (!inLab.delete(picture.number)) return
      album.postMessage({ put: picture })
      progress.value = ++developed
      if (developed === count / 2) ipcRenderer.send('half-way')
      if (developed === count) album.postMessage({ ask: 'report' })
    }
    port.onclose = ({ reason }) => say(`the lab is gone (${reason})`)
    for (const negative of inLab.values()) port.postMessage(negative)
  }
  ipcRenderer.on('lab', ({ ports: [port] }) => use(port))

  album.onmessage = ({ data: { report } }) => {
    if (report === undefined) return
    say(`${report.pictures} pictures in the album, ${report.twice} twice`)
    ipcRenderer.send('done', 'desk')
  }

  for (let number = 0; number < count; number++) {
    const negative = await ask('negative', number)
    inLab.set(number, negative)
    lab?.postMessage(negative)
  }
}
work()
