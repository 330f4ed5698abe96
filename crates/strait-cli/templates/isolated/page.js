// The page: an ordinary web page, without `require`. All it gets is a port, in a message from its own window.
const words = /** @type {HTMLElement} */ (document.getElementById('words'))

addEventListener('message', (event) => {
  // Other windows and frames can post messages here too.
  if (event.source !== window || event.data !== 'words') return
  const [port] = event.ports
  port.onmessage = ({ data: word }) => {
    const backwards = [...word].reverse().join('')
    words.append(Object.assign(document.createElement('li'), { textContent: `${word} → ${backwards}` }))
    console.log('page:', word, backwards)
    port.postMessage({ word, backwards })
  }
})
