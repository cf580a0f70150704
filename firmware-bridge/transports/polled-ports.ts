/** The ports of node-serialport's binding that are descriptors of which a poller says when they can be read and written. */
import type { SerialPort } from 'serialport'

export type Binding = (typeof SerialPort)['binding']
type Port = Awaited<ReturnType<Binding['open']>>
export type PolledPort = Extract<Port, { poller: unknown }>

/** The same binding, each of whose ports is changed before it is used; where nothing is polled (Windows) it is left as it is. */
export function changingPorts(binding: Binding, change: (port: PolledPort) => void): Binding {
  const open = binding.open.bind(binding) as (options: Parameters<Binding['open']>[0]) => Promise<Port>
  return {
    list: () => binding.list(),
    open: async (options: Parameters<Binding['open']>[0]) => {
      const port = await open(options)
      if ('poller' in port) change(port)
      return port
    },
  } as Binding
}
