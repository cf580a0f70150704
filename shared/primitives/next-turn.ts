/** Resolves after the machine had time for whatever else waits: timers, sockets. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    // Timers would wait for a millisecond or more, and browsers have nothing else that is sooner.
    const { port1, port2 } = new MessageChannel()
    const done = () => {
      port1.close()
      resolve()
    }
    port1.addEventListener('message', done)
    port1.start()
    port2.postMessage(undefined)
  })
}
