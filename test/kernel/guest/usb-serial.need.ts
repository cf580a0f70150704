/** An emulated power supply behind a USB serial adapter, which can be pulled out and put in again. */
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { GuestNeed } from '../../support/kernel/need.ts'
import { usbAdapter } from '../../support/kernel/usb-adapter.ts'

export const need: GuestNeed = {
  modules: ['xhci-pci', 'ftdi_sio'],
  files: ['edge/drivers/scpi/models/fern-psu.yaml'],
  host: async (machine) => {
    const supply = createWorlds({ clock: systemClock, latencyMs: 0, instant: true }).world('rc-usb').device('psu')
    const { plug, unplug, close } = await usbAdapter(machine, { serialNumber: 'FL0042', device: supply })
    return {
      operations: {
        plug,
        unplug,
        replug: async () => {
          await unplug()
          await plug()
        },
        answer: () => supply.setFault(undefined),
        'keep silent': () => supply.setFault({ kind: 'silent' }),
      },
      close,
    }
  },
}
