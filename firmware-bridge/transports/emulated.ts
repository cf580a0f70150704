/** Bytes to an emulated device in this process; the device keeps its state between connections, as a real one does. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { WireDevice } from '../emulated/wire-device.ts'
import type { Transport } from './transport.ts'

/** Connects to the device; pieces arrive in later turns of the event loop, as from a wire. */
export function openEmulated(device: WireDevice, clock: Clock): Transport {
  const dataListeners: ((bytes: Uint8Array) => void)[] = []
  const closeListeners: ((reason: Error | undefined) => void)[] = []
  let open = true
  const end = (reason: Error | undefined) => {
    if (!open) return
    open = false
    wire.close()
    for (const listener of closeListeners) listener(reason)
  }
  const wire = device.connect({
    data: (bytes) => {
      clock.after(0, () => {
        if (open) for (const listener of dataListeners) listener(bytes)
      })
    },
    hangUp: () => {
      end(
        new LabError({
          code: 'transport-closed',
          kind: 'link',
          retry: 'later',
          message: 'the emulated device hung up',
        }),
      )
    },
  })
  return {
    write: async (bytes) => {
      if (!open)
        throw new LabError({
          code: 'transport-closed',
          kind: 'link',
          retry: 'later',
          message: 'the connection is closed',
        })
      wire.receive(bytes)
    },
    onData: (listener) => {
      dataListeners.push(listener)
    },
    onClose: (listener) => {
      closeListeners.push(listener)
    },
    ...(wire.setLines === undefined ? {} : { setLines: async (lines) => wire.setLines?.(lines) }),
    ...(wire.setBaudRate === undefined ? {} : { setBaudRate: async (baudRate) => wire.setBaudRate?.(baudRate) }),
    close: async () => end(undefined),
  }
}
