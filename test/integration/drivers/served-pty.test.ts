/** An emulated bench of its own process, told to end while it makes a hung-up pty anew. */
import { lstat, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServedBench, serveBench } from '../../contract/drivers/served-bench.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a served pty', { timeoutMs: 60_000 })
const ROUNDS = 4

test('ends when it is told to, also while it is made anew', async ({ signal }) => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-served-'))
  const path = join(folder, 'psu')
  let bench: ServedBench | undefined
  try {
    // The moment is met in most rounds, not in each.
    for (let round = 0; round < ROUNDS; round++) {
      bench = await serveBench('rc', { psu: `pty:${path}` })
      const first = await madeAt(path)
      bench.hangUp('psu')
      while ((await madeAt(path)) === first) signal.throwIfAborted()
      await bench.stop()
      bench = undefined
    }
  } finally {
    void bench?.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

/** In ns, of the link to the pty; undefined while there is none. Its inode's number may come again. */
async function madeAt(path: string): Promise<bigint | undefined> {
  const link = await lstat(path, { bigint: true }).catch(() => undefined)
  return link?.ctimeNs
}

test.run()
