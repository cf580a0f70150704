/** What usbtmc.py does that no emulated USB can have it do; all else is in test/kernel/guest/usbtmc.guest.ts. */
import { openUsbtmc } from '@fernlab/firmware-bridge/transports/usbtmc/usbtmc'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { type MachineTree, machineTree } from '../../support/machine-tree.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the program for USB instruments', { timeoutMs: 30_000 })
let tree: MachineTree

test.before.each(() => {
  tree = machineTree()
})
test.after.each(() => tree.end())

test('an opening that is given up while its program starts ends by that alone', async () => {
  const device = '/sys/devices/usb1/1-1'
  tree.file(`${device}/serial`, 'MY1\n')
  tree.link(`${device}/1-1:1.0/usbmisc/usbtmc0/device`, `${device}/1-1:1.0`)
  tree.link('/sys/class/usbmisc/usbtmc0', `${device}/1-1:1.0/usbmisc/usbtmc0`)
  const unseen: unknown[] = []
  const note = (reason: unknown) => void unseen.push(reason)
  process.on('unhandledRejection', note)
  try {
    const enough = new AbortController()
    const places = { sys: `${tree.folder}/sys`, dev: `${tree.folder}/dev` }
    const options = { clock: systemClock, log: silentLog, places }
    const opening = openUsbtmc({ kind: 'usbtmc', serial: 'MY1' }, enough.signal, options)
    enough.abort(new Error('enough'))
    assert.is(String(await opening.catch((thrown: unknown) => thrown)), 'Error: enough')
    // What nobody has seen to by then is told before this.
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(unseen, [])
  } finally {
    process.off('unhandledRejection', note)
  }
})

test.run()
