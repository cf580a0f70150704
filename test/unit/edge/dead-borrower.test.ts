/** A port that was lent to a tool which dies: the driver has it again, and so has the next tool. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lendPort } from '@fernlab/edge/instruments/lent-port'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { banner, hearing, hello } from '../../support/boards/hello.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a lent port whose borrower dies', { timeoutMs: 60_000 })
const TRANSPORT = { kind: 'emulated', world: 'uno', device: 'board' } as const

/** A program that connects, and says what it hears. */
function tool(port: number): ChildProcess {
  const source = `require('node:net').connect(${port}, '127.0.0.1').pipe(process.stdout)`
  return spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
}

const says = async (child: ChildProcess, wanted: string) => {
  let said = ''
  for await (const bytes of child.stdout ?? []) {
    said += bytes
    if (said.endsWith(wanted)) return
  }
  throw new Error(`it ended after ${JSON.stringify(said)}`)
}

test('it is given back when the tool is killed, whatever the tool was at', async ({ signal }) => {
  const worlds = createWorlds({ clock: systemClock, uno: { firmware: hello } })
  const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  const lent = lendPort({
    port: 0,
    openTransport,
    openForTool: openTransport,
    inUse: () => undefined,
    clock: systemClock,
    log: silentLog,
  })
  const { port } = await lent.start()
  for (let time = 0; time < 2; time++) {
    const driver = await lent.openTransport(TRANSPORT, signal)
    await hearing(driver)(banner(), signal)
    const taken = new Promise<Error | undefined>((resolve) => driver.onClose(resolve))
    const borrower = tool(port)
    assert.is(asLabError(await taken).code, 'port-lent')
    await says(borrower, banner())
    const refused = await lent.openTransport(TRANSPORT, signal).catch(asLabError)
    assert.is((refused as { code?: string }).code, 'port-lent')
    const gone = once(borrower, 'close')
    borrower.kill('SIGKILL')
    await gone
    const mine = await backAgain(() => lent.openTransport(TRANSPORT, signal))
    await hearing(mine)(banner(), signal)
    await mine.close()
  }
  await lent.close()
})

/** The kernel tells of a dead program's socket a moment after the program is gone; until then the port is lent. */
async function backAgain<T>(open: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await open()
    } catch (thrown) {
      if (asLabError(thrown).code !== 'port-lent') throw thrown
      await systemClock.sleep(10)
    }
  }
}

test.run()
