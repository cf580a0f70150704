/** A pty whose other end dies while nobody waits for bytes, as happens beside a busy event loop: its reads give 0 from then on. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSerial } from '@fernlab/firmware-bridge/transports/serial'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a serial line that is hung up')

test('ends with a reason, also when nothing was being awaited as it ended', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-serial-'))
  const path = join(folder, 'port')
  const socat = spawn('socat', ['STDIO', `pty,raw,echo=0,link=${path}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    while (!existsSync(path)) await sleep(10)
    const config = {
      kind: 'serial',
      path,
      baudRate: 9600,
      dataBits: 8,
      parity: 'none',
      stopBits: 1,
      flowControl: 'none',
    } as const
    const port = await openSerial(config, new AbortController().signal)
    const exited = once(socat, 'exit')
    execFileSync('sh', ['-c', `kill -9 ${socat.pid}; sleep 0.2`])
    const ended = new Promise<Error | undefined>((resolve) => port.onClose(resolve))
    port.onData(() => {})
    assert.match((await ended)?.message ?? '', /hung up/)
    await exited
    await port.close()
  } finally {
    socat.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
})

test.run()
