/** A pty whose other end dies while nobody waits for bytes, as happens beside a busy event loop: its reads give 0 from then on. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { openSerial } from '@fernlab/firmware-bridge/transports/serial'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { serialPort } from './serial-port.ts'

const test = suite('a serial line that is hung up')

test('ends with a reason, also when nothing was being awaited as it ended', async ({ signal }) => {
  const { config, other, remove } = await serialPort(signal)
  try {
    const port = await openSerial(config, new AbortController().signal)
    const exited = once(other, 'exit')
    execFileSync('sh', ['-c', `kill -9 ${other.pid}; sleep 0.2`])
    const ended = new Promise<Error | undefined>((resolve) => port.onClose(resolve))
    port.onData(() => {})
    assert.match((await ended)?.message ?? '', /hung up/)
    await exited
    await port.close()
  } finally {
    await remove()
  }
})

test.run()
