/** A program in TypeScript that runs experiments, with a hub that is killed meanwhile. */
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { connect } from '@fernlab/shared/clients/typescript/node'
import type { Run } from '@fernlab/shared/clients/typescript/run'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { type DiodeLab, startDiodeLab } from '../../support/clients/diode-lab.ts'
import { putLab, putSlowLab } from '../../support/clients/slow-lab.ts'
import { guides } from '../../support/doc-blocks.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('runs by a program in TypeScript', { timeoutMs: 90_000, hookTimeoutMs: 120_000 })
const command = promisify(execFile)

let lab: DiodeLab
test.before(async () => {
  lab = await startDiodeLab()
  const diode = join(root, 'shared/labs/diode-iv')
  const files: { path: string; text: string }[] = []
  for (const entry of await readdir(diode, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files.push({ path: relative(diode, path), text: await readFile(path, 'utf8') })
  }
  await putLab(lab.hub, 'diode-iv', files)
  await putSlowLab(lab.hub)
})
test.after(() => lab?.close())

const open = () => connect({ hub: lab.hub.http, token: lab.hub.token })

const stored = async (run: Run) => {
  const documents = []
  for await (const document of run.documents({ follow: false })) documents.push(document)
  return documents
}

test('documents come while the run goes on, each once, through a hub that is killed and started again', async () => {
  await lab.untilUp()
  await using program = open()
  const run = await program.run('slow', 'steps', { points: 60, highest: { value: 3000, unit: 'mV' } })
  const documents = []
  const events: string[] = []
  const listening = (async () => {
    for await (const { name } of run.events()) events.push(name)
  })()
  let restarting: Promise<void> | undefined
  let isFirstLive = false
  for await (const document of run.documents()) {
    documents.push(document)
    if (document.name !== 'event_page' || restarting !== undefined) continue
    isFirstLive = (await run.get()).state === 'running'
    restarting = lab.hub.stop('SIGKILL').then(() => lab.restartHub())
  }
  await restarting
  await listening
  assert.ok(isFirstLive, 'the first came before the end')
  assert.equal(documents, await stored(run))
  assert.is(documents[0]?.name, 'start')
  const last = documents.at(-1)
  assert.ok(last?.name === 'stop')
  assert.equal(
    [last.doc.exit_status, last.doc.fernlab_state, last.doc.outputs.last?.value],
    ['success', 'succeeded', 3],
  )
  const rows = documents.flatMap((document) => (document.name === 'event_page' ? document.doc.seq_num : []))
  assert.equal(
    rows,
    Array.from({ length: 60 }, (_, i) => i + 1),
  )
  // A run that still waits in the queue when its events are opened is told its place first.
  const happened = events.filter((name) => name !== 'wait')
  assert.equal(
    [happened[0], happened.at(-1), happened.filter((name) => name === 'streams').length],
    ['state', 'end', 1],
  )
  const { state, outputs } = await run.wait()
  assert.equal([state, outputs.last?.unit], ['succeeded', 'V'])
  const { rows: count, columns } = await run.data()
  assert.equal([count, columns['psu.voltage']?.at(-1) ?? Object.values(columns)[0]?.at(-1)], [60, 3])
})

test('a run is cancelled, a run that is there is followed by its id, and what is wrong is told with its path', async () => {
  await lab.untilUp()
  await using program = open()
  const run = await program.run('slow', 'steps', { points: 500 }, { bench: 'demo.diode-1', note: 'to be stopped' })
  for await (const { name } of program.runOf(run.id).documents()) if (name === 'start') break
  await run.cancel()
  const { state, note } = await run.wait({ signal: AbortSignal.timeout(30_000) })
  assert.equal([state, note], ['cancelled', 'to be stopped'])
  const last = (await stored(run)).at(-1)
  assert.is(last?.name === 'stop' ? last.doc.exit_status : '', 'abort')
  const refused = (work: Promise<unknown>) =>
    work.then(
      () => assert.unreachable() as never,
      (error: LabError) => error,
    )
  const wrong = await refused(program.run('slow', 'steps', { highest: 12 }))
  assert.equal(
    [wrong.name, wrong.kind, wrong.issues.map(({ path }) => path)],
    ['LabError', 'caller', ['parameters.highest']],
  )
  assert.is((await refused(program.run('slow', 'none'))).code, 'protocol-unknown')
  const stranger = connect({ hub: lab.hub.http, token: 'x'.repeat(40) })
  assert.is((await refused(stranger.runOf(run.id).wait())).kind, 'caller')
})

test('the guide’s script runs an experiment and has its documents', async ({ signal }) => {
  await lab.untilUp()
  const blocks = guides().find(({ path }) => path === 'docs/services.md')?.blocks ?? []
  const here = await mkdtemp(join(root, 'node_modules/.cache/run-'))
  try {
    await writeFile(join(here, 'run.mts'), blocks.find(({ file }) => file === 'run.mts')?.text ?? '')
    const { stdout } = await command(process.execPath, ['--import', 'tsx', '--conditions=source', 'run.mts'], {
      cwd: here,
      env: { ...process.env, FERNLAB_HUB: lab.hub.http, FERNLAB_TOKEN: lab.hub.token },
      signal,
    })
    const lines = stdout.trimEnd().split('\n')
    assert.match(lines[0] ?? '', /^start demo\.diode-1$/)
    assert.ok(
      lines.some((line) => /^event_page \d+ rows$/.test(line)),
      stdout,
    )
    assert.match(lines.at(-2) ?? '', /^stop success$/)
    assert.match(lines.at(-1) ?? '', /^ideality [\d.]+/)
  } finally {
    rmSync(here, { recursive: true })
  }
})

test.run()
