/** An emulated power supply as a USB instrument, with questions of its own that have long answers. */
import type { Wire, WireDevice } from '@fernlab/firmware-bridge/emulated/wire-device'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { GuestNeed } from '../../support/kernel/need.ts'
import { redirectUsb } from '../../support/kernel/usb-redirect.ts'
import { UsbtmcDevice } from '../../support/kernel/usbtmc-device.ts'

/** `TEST:LINE? n` and `TEST:BLOCK? n`: answers of n bytes; all else is the supply's. */
function withLongAnswers(supply: WireDevice): WireDevice {
  const connect: WireDevice['connect'] = (end) => {
    const wire = supply.connect(end)
    const receive: Wire['receive'] = (bytes) => {
      const [, kind, count] = /^TEST:(LINE|BLOCK)\? (\d+)/.exec(Buffer.from(bytes).toString('latin1')) ?? []
      if (kind === undefined) {
        wire.receive(bytes)
        return
      }
      const payload = Buffer.from(Array.from({ length: Number(count) }, (_, i) => i % 251))
      if (kind === 'BLOCK')
        end.data(Buffer.concat([Buffer.from(`#6${count?.padStart(6, '0')}`), payload, Buffer.from('\n')]))
      else end.data(Buffer.from(`${'x'.repeat(Number(count) - 1)}\n`))
    }
    return { receive, close: () => wire.close() }
  }
  return { name: supply.name, connect, setFault: (fault) => supply.setFault(fault), hangUp: () => supply.hangUp() }
}

export const need: GuestNeed = {
  modules: ['xhci-pci', 'usbtmc'],
  files: ['edge/drivers/scpi/models/fern-psu.yaml', 'firmware-bridge/transports/usbtmc/usbtmc.py'],
  host: async (machine) => {
    const supply = createWorlds({ clock: systemClock, latencyMs: 0 }).world('rc-tmc').device('psu')
    const device = new UsbtmcDevice({
      vendor: 0x0957,
      product: 0x0607,
      strings: { maker: 'Fernlab', model: 'FERN-PSU', serial: 'FL0815' },
      device: withLongAnswers(supply),
    })
    const usb = await redirectUsb(machine, 'tmc', device)
    return {
      operations: {
        plug: () => usb.plug(),
        unplug: () => usb.unplug(),
        replug: () => {
          usb.unplug()
          usb.plug()
        },
        answer: () => supply.setFault(undefined),
        'keep silent': () => supply.setFault({ kind: 'silent' }),
        'be stubborn': () => {
          device.isStubborn = true
        },
        'put at most into a transfer': (bytes: number | null) => {
          device.pieceBytes = bytes ?? Number.POSITIVE_INFINITY
        },
        seen: () => device.seen,
      },
      close: () => usb.close(),
    }
  },
}
