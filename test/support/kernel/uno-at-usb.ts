/** The emulated Uno behind a USB serial adapter that can be pulled out, and a hub outside with a lab for it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBoardDevice } from '@fernlab/firmware-bridge/boards/board-device'
import { thermalControl } from '../boards/thermal-control.ts'
import type { GuestNeed } from './need.ts'
import { outsideHub } from './outside-hub.ts'
import { usbAdapter } from './usb-adapter.ts'

const lab = `
title: Warm up
summary: Warms a block and watches it.
subject: Heat
level: beginner
parts:
  block:
    title: The block
    signals:
      heater: { unit: "%", access: read-set }
      temperature: { unit: Cel, access: read }
`
const protocol = `
title: Warm
version: 1
restart: never
parameters:
  duration: { type: number, unit: s, minimum: 1, maximum: 600, default: 1, title: Time }
steps:
  - set: { block.heater: 30 }
  - record: { signals: [block.temperature, block.heater], rate: 10, stream: warming, for: duration }
  - set: { block.heater: 0 }
`

/** What a guest needs for it; the adapter has that serial number. */
export const unoAtUsb = (serialNumber: string): GuestNeed => ({
  modules: ['virtio_pci', 'virtio_net', 'xhci-pci', 'ftdi_sio'],
  files: ['shared/labs/demo-node/thermal-control.json'],
  edge: true,
  host: async (machine) => {
    const folder = mkdtempSync(join(tmpdir(), 'fernlab-warm-'))
    mkdirSync(join(folder, 'warm/protocols'), { recursive: true })
    writeFileSync(join(folder, 'warm/lab.yaml'), lab)
    writeFileSync(join(folder, 'warm/README.md'), '# Warm up\n')
    writeFileSync(join(folder, 'warm/protocols/warm.yaml'), protocol)
    const hub = await outsideHub([join(folder, 'warm')]).finally(() => rmSync(folder, { recursive: true }))
    const device = createBoardDevice('uno', { seed: 'uno', speed: 'real-time', firmware: thermalControl })
    const { plug, unplug, close } = await usbAdapter(machine, { serialNumber, device })
    return {
      operations: { ...hub.operations, plug, unplug },
      close: async () => {
        await close()
        await hub.close()
      },
    }
  },
})
