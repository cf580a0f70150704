import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { runCommand } from '../../support/command.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a driver of one’s own on a node that has nothing else of Fernlab', {
  timeoutMs: 240_000,
  hookTimeoutMs: 240_000,
  fileTimeoutMs: 900_000,
})
const run = promisify(execFile)
let scratch = ''

test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'fernlab-node-alone-'))
  // What `install-edge` puts on a machine.
  await run(process.execPath, [join(root, 'scripts/deploy/stage-edge.mjs'), join(scratch, 'edge')], { cwd: root })
})
test.after(() => rm(scratch, { recursive: true, force: true }))

const fernlab = (...args: string[]) =>
  runCommand(process.execPath, [join(scratch, 'edge/bundle/node-command.js'), ...args], {
    cwd: scratch,
    env: { PATH: process.env.PATH },
  })

const languages = {
  python: async () => {},
  typescript: async () => {},
  c: async (folder: string) => void (await run('make', ['-C', folder])),
}

for (const [language, build] of Object.entries(languages)) {
  test(`is made in ${language}, and passes its test`, async () => {
    assert.not.ok(existsSync(join(scratch, 'edge/edge')))
    const folder = `in-${language}`
    const made = await fernlab('driver', 'new', folder, '--language', language)
    assert.is(made.code, 0, made.err)
    assert.match(made.out, new RegExp(`^${folder}/.*\n[\\s\\S]*${folder}/driver-test\\.yaml\n`))
    assert.match(made.err, /fernlab driver test in-/)
    await build(join(scratch, folder))
    const { code, out, err } = await fernlab('driver', 'test', folder)
    assert.is(code, 0, `${out}${err}`)
    assert.match(out, /signal power: W, number, read-set, 0 to 40\n {2}signal temperature: Cel, number, read\n/)
    assert.match(out, /\n10 passed, 0 failed, 2 not for this one\nnot tried: bench; --on bench does that\n$/)
  })
}

test('is left alone where its folder is there, and one that is wrong is told with its place', async () => {
  const again = await fernlab('driver', 'new', 'in-typescript')
  assert.equal([again.code, again.out], [1, ''])
  assert.match(again.err, /^fernlab: in-typescript is there already/)
  const file = join(scratch, 'in-typescript/driver.ts')
  await writeFile(file, `${await readFile(file, 'utf8')}\nconst x: = 1\n`)
  const broken = await fernlab('driver', 'test', 'in-typescript')
  assert.is(broken.code, 1)
  assert.match(broken.err, /driver\.ts:\d+:\d+: Unexpected "="/)
})

test.run()
