import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeNewFolder } from '@fernlab/shared/storage/new-folder'
import { checkLab } from 'fernlab/cli/lab-files'
import { newLabFiles } from 'fernlab/cli/new-lab'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a new lab')
let scratch = ''

test.before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fernlab-new-'))
})
test.after(() => rmSync(scratch, { recursive: true, force: true }))

const awkward = 'Ohm’s "law": 50 % \\ # {no}, [list] & *more*'

for (const session of [true, false]) {
  test(`passes the check as it is, ${session ? 'with' : 'without'} live sessions, whatever it is called`, async () => {
    const folder = join(scratch, `lab-${session}`)
    await writeNewFolder(folder, newLabFiles({ title: awkward, summary: awkward, session }))
    const { lab } = await checkLab(folder)
    assert.equal([lab.lab.title, lab.lab.summary], [awkward, awkward])
    assert.equal(Object.keys(lab.protocols), ['sweep'])
    assert.is(lab.session !== undefined, session)
    assert.is(lab.lab.panel !== undefined, session)
  })
}

test('a folder that is there already is left as it is', async () => {
  const folder = join(scratch, 'there')
  mkdirSync(folder)
  const error = await writeNewFolder(folder, newLabFiles({ title: 'X', summary: 'Y', session: true })).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  assert.match(error?.message ?? '', /is there already/)
  assert.equal(readdirSync(folder), [])
})

test.run()
