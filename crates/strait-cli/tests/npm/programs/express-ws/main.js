// A web server in main, which serves the window's page and talks to it over a WebSocket.
const { app, BrowserWindow } = require('electron')
const express = require('express')
const { WebSocketServer } = require('ws')

const site = express()
site.use(express.json())
site.use(express.static(__dirname))
site.post('/sum', (request, response) => response.json({ sum: request.body.reduce((sum, number) => sum + number, 0) }))

const server = site.listen(0, '127.0.0.1', async () => {
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => {
    socket.on('message', (text) => socket.send(String(text).toUpperCase()))
    socket.on('close', () => {
      console.log('main: the page has closed its socket')
      app.quit()
    })
  })
  await app.whenReady()
  new BrowserWindow({ show: false }).loadURL(`http://127.0.0.1:${server.address().port}/page.html`)
})
