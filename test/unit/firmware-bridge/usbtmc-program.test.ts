/** What usbtmc.py does that no emulated USB can have it do; all else is in test/kernel/guest/usbtmc.guest.ts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createFrames } from '@fernlab/firmware-bridge/transports/usbtmc/frames'
import { openUsbtmc } from '@fernlab/firmware-bridge/transports/usbtmc/usbtmc'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { type MachineTree, machineTree } from '../../support/machine-tree.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the program for USB instruments', { timeoutMs: 30_000 })
const program = fileURLToPath(new URL('../../../firmware-bridge/transports/usbtmc/usbtmc.py', import.meta.url))
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

/**
 * In place of the kernel: an instrument that is ready at any moment, and whose first answer goes on until it is cleared.
 * Of the numbers 13 and 14 are a write and a read, 2 is the clear.
 */
const endless = `
import ctypes, fcntl, runpy, struct, sys
state = {"tag": 0, "begun": False}
def ioctl(_, code, message=None):
    number = code & 255
    if number == 2:
        state["begun"] = False
    if number not in (13, 14):
        return 0
    size = struct.unpack_from("=I", message, 0)[0]
    address = struct.unpack_from("P", message, 12)[0]
    struct.pack_into("=I", message, 4, size)
    if number == 13:
        kind, state["tag"] = ctypes.string_at(address, 2)
    elif not state["begun"]:
        state["begun"] = True
        tag = state["tag"]
        ctypes.memmove(address, struct.pack("<BBBxIB3x", 2, tag, tag ^ 255, 4084, 0), 12)
    return 0
fcntl.ioctl = ioctl
fcntl.flock = lambda *_: None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
`

test('what is to be sent does not wait for the end of an answer that has none', async ({ signal }) => {
  const child = spawn('python3', ['-c', endless, program, '/dev/zero'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  const send = (kind: string, message: string) => {
    const head = Buffer.alloc(9)
    head.write(kind)
    head.writeUInt32BE(4 + message.length, 1)
    head.writeUInt32BE(20_000, 5)
    child.stdin.write(Buffer.concat([head, Buffer.from(message)]))
  }
  const heard: string[] = []
  const take = createFrames((kind) => {
    if (kind === 'D') send('T', 'OUTP OFF\n')
    heard.push(kind)
    if (heard.filter((each) => each === 'W').length === 2) child.stdin.end()
  })
  child.stdout.on('data', take)
  send('A', 'CURV?\n')
  await ended
  assert.equal(heard, ['O', 'W', 'D', 'S', 'W'])
})

test.run()
