/**
 * Lends an instrument's port to a tool that knows nothing of Fernlab, over TCP at this machine.
 *
 * INVARIANTS: either the driver or the tool has the port, never both; the tool gets none of a bench in use; the driver's
 * connection ends with a reason, and it gets the port back once the tool has disconnected.
 */
import { type ForwardedPort, forwardPort } from '@fernlab/firmware-bridge/forwarding/forward-port'
import type { OpenTransport, Transport, TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'

export interface LentPortOptions {
  /** The TCP port; 0 is any free one. */
  readonly port: number
  readonly openTransport: OpenTransport
  /** The bare port, whatever the driver's connection is made of. */
  readonly openForTool: OpenTransport
  /** Why the port can not be lent now. */
  readonly inUse: () => string | undefined
  readonly clock: Clock
  readonly log: Log
}

export interface LentPort {
  /** As the one below it; rejects with `port-lent` while a tool has the port. */
  readonly openTransport: OpenTransport
  /** Begins to listen. */
  start(): Promise<ForwardedPort>
  close(): Promise<void>
}

export function lendPort({ port, openTransport, openForTool, inUse, clock, log }: LentPortOptions): LentPort {
  let config: TransportConfig | undefined
  let driverHas: { readonly transport: Transport; end(reason: Error): void } | undefined
  let lent = false
  /** Openings for the driver that are under way; they may have the port already, as to flash the board. */
  let opening = 0
  let forwarded: ForwardedPort | undefined

  const forDriver: OpenTransport = async (wanted, signal) => {
    config = wanted
    if (lent) throw portLent(port)
    opening += 1
    const transport = await openTransport(wanted, signal).finally(() => {
      opening -= 1
    })
    const listeners: ((reason: Error | undefined) => void)[] = []
    let over = false
    const end = (reason: Error | undefined) => {
      if (over) return
      over = true
      if (driverHas?.transport === transport) driverHas = undefined
      for (const listener of listeners) listener(reason)
    }
    driverHas = { transport, end }
    transport.onClose(end)
    return { ...transport, onClose: (listener) => void listeners.push(listener) }
  }

  const forTool = async (signal: AbortSignal): Promise<Transport> => {
    const reason =
      config === undefined
        ? 'the node has not opened it yet'
        : opening > 0
          ? 'the node is just opening it; try again in a moment'
          : inUse()
    if (reason !== undefined || config === undefined) throw notLent(reason ?? '')
    lent = true
    try {
      const { transport, end } = driverHas ?? {}
      end?.(portLent(port))
      await transport?.close()
      const opened = await openForTool(config, signal)
      log.info({ port }, 'a port is lent to a tool')
      return {
        ...opened,
        close: async () => {
          await opened.close()
          lent = false
        },
      }
    } catch (thrown) {
      lent = false
      throw thrown
    }
  }

  return {
    openTransport: forDriver,
    start: async () => {
      forwarded = await forwardPort({ open: forTool, port, clock, log })
      return forwarded
    },
    close: async () => await forwarded?.close(),
  }
}

function portLent(port: number): LabError {
  return new LabError({
    code: 'port-lent',
    kind: 'link',
    retry: 'later',
    message: `its port is lent to a tool that is connected to 127.0.0.1:${port}`,
  })
}

function notLent(reason: string): LabError {
  return new LabError({
    code: 'port-not-lent',
    kind: 'caller',
    retry: 'later',
    message: `the port is not lent: ${reason}`,
  })
}
