/** A USB serial adapter of a machine, with an emulated device on its wire, outside the machine. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { WireDevice } from '@fernlab/firmware-bridge/emulated/wire-device'
import type { RunningMachine } from './machine.ts'

export interface UsbAdapter {
  /** Pulls the adapter out; resolves when the machine has lost it. */
  unplug(): Promise<void>
  /** Puts the adapter in; resolves when the machine has it, before its kernel has noticed. */
  plug(): Promise<void>
  close(): Promise<void>
}

/**
 * Puts an adapter with an FTDI chip into the machine's USB, where udev calls it
 * `usb-QEMU_QEMU_USB_SERIAL_<serialNumber>-if00-port0`; every opened port is a connection to the device.
 */
export async function usbAdapter(
  machine: RunningMachine,
  { serialNumber, device }: { readonly serialNumber: string; readonly device: WireDevice },
): Promise<UsbAdapter> {
  const path = machine.socketPath(`usb-${serialNumber}`)
  const server = createServer((socket: Socket) => {
    const wire = device.connect({ data: (bytes) => socket.write(bytes), hangUp: () => socket.destroy() })
    socket.on('data', (bytes) => wire.receive(bytes))
    // The machine's end, which its process reports, breaks it off.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => wire.close())
  })
  server.listen(path)
  await once(server, 'listening')
  const { execute } = machine.qmp
  const wireId = `wire-${serialNumber}`
  const deviceId = `usb-${serialNumber}`
  let plugged = false
  const plug = async () => {
    if (plugged) return
    const data = { server: false, addr: { type: 'unix', data: { path } } }
    await execute('chardev-add', { id: wireId, backend: { type: 'socket', data } })
    const id = { id: deviceId, serial: serialNumber }
    await execute('device_add', { driver: 'usb-serial', bus: 'usb.0', chardev: wireId, 'always-plugged': true, ...id })
    plugged = true
  }
  const unplug = async () => {
    if (!plugged) return
    const gone = machine.qmp.event('DEVICE_DELETED')
    await execute('device_del', { id: deviceId })
    await gone
    await execute('chardev-remove', { id: wireId })
    plugged = false
  }
  await plug()
  return {
    plug,
    unplug,
    close: async () => {
      await unplug()
      server.close()
    },
  }
}
