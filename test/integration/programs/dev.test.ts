/** npm run dev, in a copy of the project, so that its build of the page is nobody else's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cloneProject } from '../../support/clone.ts'
import { killAll, startProgram, untilGone, untilPrinted } from '../../support/programs.ts'
import { suite } from '../../support/suite.ts'

const test = suite('npm run dev', { timeoutMs: 180_000 })
const folder = mkdtempSync(join(tmpdir(), 'fernlab-dev-'))
const data = join(folder, 'data')
const clone = join(folder, 'clone')

test.after(() => {
  killAll(data)
  rmSync(folder, { recursive: true, force: true })
})

test('starts from the sources, starts again as one changes, and is gone within 5 s of a SIGTERM to npm', async () => {
  cloneProject(clone)
  const dev = startProgram('npm', ['run', 'dev'], { FERNLAB_DATA: data, FERNLAB_DEMO: '0' }, clone)
  await untilPrinted(dev, /page {4}http/, 120_000)
  const source = join(clone, 'hub/hub-process.ts')
  writeFileSync(source, readFileSync(source, 'utf8').replace('Ctrl-C stops it.', 'Ctrl-C stops it, changed.'))
  await untilPrinted(dev, /stops it, changed/, 60_000)
  process.kill(dev.pid, 'SIGTERM')
  await untilGone(data, 5_000)
  assert.is((dev.output().match(/another hub runs on/g) ?? []).length, 0, dev.output())
})

test.run()
