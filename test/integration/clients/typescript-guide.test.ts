/** The scripts of the guide of services, as they stand there. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { type DiodeLab, startDiodeLab } from '../../support/clients/diode-lab.ts'
import { guides } from '../../support/doc-blocks.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('the scripts of the guide of services', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })
const run = promisify(execFile)

let lab: DiodeLab
test.before(async () => {
  lab = await startDiodeLab()
})
test.after(() => lab?.close())

test('the guide’s scripts write and read files of a folder, in Python and in TypeScript', async ({ signal }) => {
  const blocks = guides().find(({ path }) => path === 'docs/services.md')?.blocks ?? []
  const here = await mkdtemp(join(root, 'node_modules/.cache/files-'))
  try {
    for (const file of ['files.py', 'files.mts'])
      await writeFile(join(here, file), blocks.find((block) => block.file === file)?.text ?? '')
    const env = { FERNLAB_HUB: lab.hub.http, FERNLAB_TOKEN: lab.hub.token }
    const python = await runPython(join(here, 'files.py'), [], { env: { ...pythonEnv, ...env }, cwd: here, signal })
    assert.equal([python.err, python.out], ['', 'curve.csv 24\n'])
    assert.is(await readFile(join(here, 'copy.csv'), 'utf8'), 'voltage,current\n0.0,0.0\n')
    const command = [process.execPath, '--import', 'tsx', '--conditions=source', 'files.mts'] as const
    const { stdout } = await run(command[0], command.slice(1), { cwd: here, env: { ...process.env, ...env }, signal })
    assert.match(stdout, /name: 'trace\.f64'/)
    assert.is((await stat(join(lab.folder, 'results/trace.f64'))).size, 4_000_000)
  } finally {
    rmSync(here, { recursive: true })
  }
})

test('the guide’s script sweeps a diode, with the hub stopped half way', async () => {
  await lab.untilUp()
  const blocks = guides().find(({ path }) => path === 'docs/services.md')?.blocks ?? []
  const script = blocks.find(({ file }) => file === 'diode.mts')?.text ?? ''
  const loop = '  for (let step = 0; step <= 10; step++) {\n'
  assert.ok(script.includes(loop))
  // It waits in the middle until the hub is gone.
  const pause = `    if (step === 5) console.log('half')
    while (step === 5 && !existsSync('gone')) await new Promise((resolve) => setTimeout(resolve, 10))\n`
  const here = await mkdtemp(join(root, 'node_modules/.cache/diode-'))
  try {
    await writeFile(
      join(here, 'diode.mts'),
      `import { existsSync } from 'node:fs'\n${script.replace(loop, `${loop}${pause}`)}`,
    )
    const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', 'diode.mts'], {
      cwd: here,
      env: { ...process.env, FERNLAB_HUB: lab.hub.http, FERNLAB_TOKEN: lab.hub.token },
    })
    let [out, err] = ['', '']
    let stopping: Promise<unknown> | undefined
    child.stdout.on('data', (text) => {
      out += text
      if (out.includes('half')) stopping ??= lab.hub.stop('SIGKILL').then(() => writeFile(join(here, 'gone'), ''))
    })
    child.stderr.on('data', (text) => {
      err += text
    })
    const [code] = await once(child, 'close')
    await stopping
    assert.is(code, 0, err)
    const curve = [...out.matchAll(/^(-?[\d.]+) V (-?[\d.]+) mA/gm)].map(([, , amperes]) => Number(amperes))
    assert.is(curve.length, 11, out)
    assert.ok(Math.abs(curve[0] ?? 1) < 0.1 && (curve.at(-1) ?? 0) > 1, out)
  } finally {
    rmSync(here, { recursive: true })
  }
})

test.run()
