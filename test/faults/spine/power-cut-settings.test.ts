/** Power cuts while a settings file is written: it, or its .bak, holds what was last said to be on disk, or what came next. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@fernlab/shared/primitives/log'
import { openSettingsFile } from '@fernlab/shared/storage/settings-file'
import * as assert from 'uvu/assert'
import { pause } from '../../support/faults/hub-client.ts'
import { LoopDisk, loopDiskProblem } from '../../support/faults/loop-disk.ts'
import { untilStopped } from '../../support/faults/own-process.ts'
import { counterSchema } from '../../support/faults/settings-counter.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('power cuts on a settings file', { timeoutMs: 120_000 })
const problem = loopDiskProblem()

async function writeAndCut(disk: LoopDisk, path: string, ms: number): Promise<number> {
  const writer = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', join(root, 'test/support/faults/settings-writer.ts'), path],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let told = 0
  writer.stdout.on('data', (chunk: Buffer) => {
    told = Number(chunk.toString().trim().split('\n').at(-1))
  })
  await once(writer.stdout, 'data')
  await pause(ms)
  writer.kill('SIGSTOP')
  await untilStopped(writer.pid ?? -1)
  await pause(20) // what it said before it stopped arrives
  const image = await disk.copyImage()
  const ended = once(writer, 'exit')
  writer.kill('SIGKILL')
  await ended
  await disk.replaceBy(image)
  return told
}

if (problem === undefined) {
  test('20 cuts', async () => {
    const disk = await LoopDisk.make(mkdtempSync(join(tmpdir(), 'fernlab-settings-disk-')), 16)
    const path = join(disk.path, 'settings.json')
    try {
      for (let cut = 0; cut < 20; cut++) {
        const told = await writeAndCut(disk, path, 5 + ((cut * 37) % 150))
        const { data } = await openSettingsFile({
          path,
          schema: counterSchema,
          initial: { count: 0, filler: '' },
          log: silentLog,
        })
        assert.ok(told > 0)
        assert.ok(
          data.count === told || data.count === told + 1,
          `cut ${cut}: ${told} was on disk, ${data.count} is there`,
        )
      }
    } finally {
      await disk.remove()
    }
  })
} else {
  test.skip('20 cuts', problem)
}

test.run()
