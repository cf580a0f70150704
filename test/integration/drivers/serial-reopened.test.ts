/** A serial port that is closed while a read on it is under way in a thread, and opened again at once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSerial } from '@fernlab/firmware-bridge/transports/serial'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { serialPort } from './serial-port.ts'

const test = suite('a serial port that is closed and opened again')
const never = new AbortController().signal

test('is free when its closing has ended, also while a read was under way', async ({ signal }) => {
  const { path, config, other, remove } = await serialPort(signal)
  let holder: FileHandle | undefined
  try {
    const port = await openSerial(config, never)
    const descriptor = await descriptorOf(path)
    await letReadsWait(descriptor)
    // socat ends when nobody has the pty any more.
    holder = await open(path, constants.O_RDWR | constants.O_NOCTTY)
    const heard = new Promise<void>((resolve) => port.onData(() => resolve()))
    other.stdin.write('a')
    await heard
    // The next read follows of itself; nothing is there for it.
    while (!(await isInCall(descriptor))) await sleep(10, undefined, { signal })

    const reopened = port.close().then(() => openSerial(config, never))
    // A closing that waits for nothing has the time to show it; one that waits must not be over however long this takes.
    const early = await Promise.race([reopened.then(() => 'opened').catch(String), sleep(300, 'waits', { signal })])
    other.stdin.write('b')
    assert.is(early, 'waits')
    await (await reopened).close()
  } finally {
    await holder?.close()
    await remove()
  }
})

/** Of this process, of the file that the path leads to. */
async function descriptorOf(path: string): Promise<number> {
  const target = await realpath(path)
  for (const name of await readdir('/proc/self/fd')) {
    const to = await readlink(`/proc/self/fd/${name}`).catch(() => undefined)
    if (to === target) return Number(name)
  }
  throw new Error(`nothing has ${target} open`)
}

/** Lets reads wait in the kernel for bytes, which otherwise lasts too short to meet: the flag is the open file's, whoever sets it. */
async function letReadsWait(descriptor: number): Promise<void> {
  const setter = spawn('socat', ['-u', '/dev/null', 'FD:3,nonblock=0'], {
    stdio: ['ignore', 'ignore', 'inherit', descriptor],
  })
  const [code] = await once(setter, 'exit')
  assert.is(code, 0)
}

/** Whether a thread of this process is in a system call whose first argument is the descriptor. */
async function isInCall(descriptor: number): Promise<boolean> {
  const wanted = `0x${descriptor.toString(16)}`
  for (const thread of await readdir('/proc/self/task')) {
    const call = await readFile(`/proc/self/task/${thread}/syscall`, 'utf8').catch(() => '')
    if (call.split(' ')[1] === wanted) return true
  }
  return false
}

test.run()
