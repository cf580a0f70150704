/**
 * Serial ports that are free when their closing has ended.
 *
 * The binding reads and writes in threads, and closes the descriptor in another one without waiting for them. The kernel
 * keeps the file open, and locked by flock(2), until the last call on it has returned: an opening right after such a
 * closing is told that another program has the port. And a call that its thread has not begun yet would go to whatever
 * has the number of the descriptor by then.
 */
import type { PolledPort } from './polled-ports.ts'

/** Lets the port's descriptor be closed only after each read, write, change of rate and of lines has settled. */
export function closeWhenIdle(port: PolledPort): void {
  const underWay = new Set<Promise<unknown>>()
  const counted = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => {
      const result = call.apply(port, args)
      const settled = () => underWay.delete(result)
      underWay.add(result)
      result.then(settled, settled)
      return result
    }
  }
  const close = port.close.bind(port)
  port.read = counted(port.read)
  port.write = counted(port.write)
  port.update = counted(port.update)
  port.set = counted(port.set)
  port.close = async () => {
    const { fd } = port
    if (fd !== null) {
      // Without a descriptor it counts as closed: nothing begins on it any more, and what waits for its turn ends here.
      port.fd = null
      port.poller.stop()
      await Promise.allSettled(underWay)
      port.fd = fd
    }
    await close()
  }
}
