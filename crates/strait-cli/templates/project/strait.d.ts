/// <reference types="electron" />

// What Strait adds to Electron's types.

declare namespace Strait {
  /** Why the other end of a port is gone. */
  type CloseReason = 'closed' | 'dropped' | 'unloaded' | 'unreachable' | 'exited' | 'crashed'

  /** The event of `port.onclose` in a page. It always comes, once, after the last message. */
  interface MessagePortCloseEvent extends Event {
    readonly reason: CloseReason
  }

  // What a listener for `close` of a `MessagePortMain` gets. Electron's types know one without parameters, so its type must be named:
  // port.on('close', (/** @type {Strait.PortMainClose} */ { reason }) => …)
  interface PortMainClose {
    readonly reason: CloseReason
  }

  interface PostOptions {
    /** `'main'` delivers a `message` event on the page's own `window`, where `contextIsolation` keeps `ipcRenderer` away. */
    world?: 'isolated' | 'main'
  }
}

interface MessagePort {
  onclose: ((this: MessagePort, event: Strait.MessagePortCloseEvent) => unknown) | null
}

interface MessagePortEventMap {
  close: Strait.MessagePortCloseEvent
}

declare namespace Electron {
  interface MessagePortMain {
    on(event: 'close', listener: (event: Strait.PortMainClose) => void): this
    once(event: 'close', listener: (event: Strait.PortMainClose) => void): this
  }

  interface WebContents {
    postMessage(channel: string, message: unknown, transfer: MessagePortMain[] | undefined, options: Strait.PostOptions): void
  }

  interface WebFrameMain {
    postMessage(channel: string, message: unknown, transfer: MessagePortMain[] | undefined, options: Strait.PostOptions): void
  }
}

declare namespace NodeJS {
  interface ProcessVersions {
    readonly strait: string
  }
}
