/** What usbtmc.py does that no emulated USB can have it do; all else is in test/kernel/guest/usbtmc.guest.ts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createFrames } from '@fernlab/firmware-bridge/transports/usbtmc/frames'
import { openUsbtmc } from '@fernlab/firmware-bridge/transports/usbtmc/usbtmc'
import { ManualClock, systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
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

/** In place of python3: the first has opened the device and does not end before it may, any other finds it taken. */
const holding = (folder: string) => `#!/bin/sh
if [ -e ${folder}/held ]; then printf 'X\\000\\000\\000\\013EAGAIN busy'; exit; fi
: > ${folder}/held
printf 'O\\000\\000\\000\\000'
while [ ! -e ${folder}/go ]; do sleep 0.02; done
`

test('a device that one which does not end still has is not said to be in use by others', async ({ signal }) => {
  const device = '/sys/devices/usb1/1-1'
  tree.file(`${device}/serial`, 'MY1\n')
  tree.link(`${device}/1-1:1.0/usbmisc/usbtmc0/device`, `${device}/1-1:1.0`)
  tree.link('/sys/class/usbmisc/usbtmc0', `${device}/1-1:1.0/usbmisc/usbtmc0`)
  tree.file('/bin/python3', holding(tree.folder))
  chmodSync(`${tree.folder}/bin/python3`, 0o755)
  const path = process.env.PATH
  process.env.PATH = `${tree.folder}/bin:${path}`
  // Of a clock that stands no program is killed.
  const options = {
    clock: new ManualClock(),
    log: silentLog,
    places: { sys: `${tree.folder}/sys`, dev: `${tree.folder}/dev` },
  }
  const open = () => openUsbtmc({ kind: 'usbtmc', serial: 'MY1' }, signal, options)
  try {
    const first = await open()
    assert.match((await rejection(open())).message, /another instrument of node.yaml, or another program, has it/)
    const closed = first.close()
    assert.match((await rejection(open())).message, /given up as silent, and the kernel still waits for it, for 5 s/)
    tree.file('/go', '')
    await closed
    assert.match((await rejection(open())).message, /another instrument of node.yaml, or another program, has it/)
  } finally {
    process.env.PATH = path
    tree.file('/go', '')
  }
})

/** What may take 20 s. */
function frameOf(kind: string, message: string): Buffer {
  const head = Buffer.alloc(9)
  head.write(kind)
  head.writeUInt32BE(4 + message.length, 1)
  head.writeUInt32BE(20_000, 5)
  return Buffer.concat([head, Buffer.from(message)])
}

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

/** As `endless`; silent, also when it is told to clear, until it is asked `*IDN?`, which it answers once. */
const deaf = `
import ctypes, errno, fcntl, os, runpy, struct, sys
state = {"tag": 0, "answers": False, "clears": 0}
def ioctl(_, code, message=None):
    number = code & 255
    if number == 2:
        state["clears"] += 1
        os.write(2, b"clear\\n")
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    if number not in (13, 14):
        return 0
    size = struct.unpack_from("=I", message, 0)[0]
    address = struct.unpack_from("P", message, 12)[0]
    if number == 13:
        struct.pack_into("=I", message, 4, size)
        kind, state["tag"] = ctypes.string_at(address, 2)
        if kind == 1:
            state["answers"] = b"*IDN?" in ctypes.string_at(address, size)
        return 0
    if not state["answers"]:
        raise BlockingIOError(errno.EAGAIN, "not yet")
    tag = state["tag"]
    answer = struct.pack("<BBBxIB3x", 2, tag, tag ^ 255, 4, 1) + b"Fern"
    ctypes.memmove(address, answer, len(answer))
    struct.pack_into("=I", message, 4, len(answer))
    return 1
fcntl.ioctl = ioctl
fcntl.flock = lambda *_: None
# No answer is ready, though any message is taken: what waits for one has waited long enough.
import select
poll = select.poll
class Poll:
    def __init__(self):
        self.real, self.masks = poll(), {}
    def register(self, fd, mask):
        self.masks[fd] = mask
        if fd == 0:
            self.real.register(fd, mask)
    def poll(self, left=None):
        device = [(fd, mask) for fd, mask in self.masks.items() if fd and mask == select.POLLOUT]
        if device:
            return device
        return self.real.poll(0 if any(fd and mask for fd, mask in self.masks.items()) else None)
select.poll = Poll
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
`

test('what is to be sent does not wait for the end of an answer that has none', async ({ signal }) => {
  const child = spawn('python3', ['-c', endless, program, '/dev/zero'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  const send = (kind: string, message: string) => child.stdin.write(frameOf(kind, message))
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

test('an instrument that does not react to a clear is told so once, and again after it has answered', async ({
  signal,
}) => {
  const child = spawn('python3', ['-c', deaf, program, '/dev/zero'], { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  let clears = ''
  child.stderr.on('data', (piece: Buffer) => {
    clears += piece.toString()
  })
  const questions = ['VOLT?\n', 'CURR?\n', '*IDN?\n', 'VOLT?\n', 'CURR?\n']
  const send = () => {
    const message = questions.shift()
    if (message === undefined) child.stdin.end()
    else child.stdin.write(frameOf('A', message))
  }
  const heard: string[] = []
  const take = createFrames((kind, payload) => {
    heard.push(kind === 'S' || kind === 'O' ? `${kind} ${payload}` : kind)
    if ('OSE'.includes(kind)) send()
  })
  child.stdout.on('data', take)
  await ended
  const refused = 'it refuses to be cleared: Connection timed out'
  const [first, later] = [`S it did not answer; ${refused}`, 'S it did not answer; it took no clear before']
  // It did not react as it was opened.
  assert.equal(heard, [`O ${refused}`, 'W', later, 'W', later, 'W', 'D', 'E', 'W', first, 'W', later])
  assert.is(clears, 'clear\nclear\n')
})

test.run()
