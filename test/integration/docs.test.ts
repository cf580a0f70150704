import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { runCommand } from '../support/command.ts'
import { guides } from '../support/doc-blocks.ts'
import { docTables } from '../support/doc-tables.ts'
import { type RunningFernlab, startFernlab } from '../support/running-fernlab.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('the commands in the guides run', { timeoutMs: 180_000, hookTimeoutMs: 120_000 })
let hub: RunningFernlab
let scratch = ''

test.before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'fernlab-docs-'))
  const shim = join(scratch, 'bin/fernlab')
  mkdirSync(dirname(shim))
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'scripts/cli/fernlab.mjs')}" "$@"\n`)
  chmodSync(shim, 0o755)
  hub = await startFernlab()
})
test.after(async () => {
  await hub.cleanUp()
  rmSync(scratch, { recursive: true, force: true })
})

// The blocks of a guide are one session: a later one may use what an earlier one set.
for (const { path, blocks } of guides().filter((guide) => guide.blocks.some((block) => block.run))) {
  test(path, async () => {
    const folder = join(scratch, path.replaceAll('/', '_'))
    mkdirSync(folder)
    for (const { file, text } of blocks) {
      if (file === undefined) continue
      mkdirSync(join(folder, dirname(file)), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
    const commands = blocks.filter((block) => block.run)
    const script = commands.map(({ line, text }) => `at=${line}\n${text}`).join('\n')
    const { hostname, port } = new URL(hub.mqtt)
    const { code, out, err } = await runCommand(
      'bash',
      ['-euo', 'pipefail', '-c', `trap 'echo "${path}:$at failed" >&2' ERR\n${script}`],
      {
        cwd: folder,
        env: {
          ...hub.clientEnv,
          PATH: `${join(scratch, 'bin')}:${process.env.PATH}`,
          FERNLAB_MQTT_HOST: hostname,
          FERNLAB_MQTT_PORT: port,
        },
      },
    )
    assert.is(code, 0, `${out}\n${err}`)
  })
}

// The guides before have made a course and uses.
test('docs/tables.md names the columns of every file of the hub, as they come', async () => {
  const document = JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8')) as {
    paths: Record<string, { get?: { responses: Record<string, { content?: object }> } }>
  }
  const routes = Object.entries(document.paths).flatMap(([path, { get }]) =>
    'text/csv' in (get?.responses['200']?.content ?? {}) ? [path] : [],
  )
  const sections = docTables()
  assert.equal(sections.map(({ path }) => path).sort(), routes.sort())
  const ask = async (path: string, method = 'GET') => {
    const headers = { authorization: `Bearer ${hub.token}` }
    const answer = await fetch(`${hub.http}${path}`, { method, headers })
    assert.is(answer.status, 200, path)
    return await answer.text()
  }
  const benches = async () =>
    (JSON.parse(await ask('/api/v1/benches')) as { items: { id: string; state: string }[] }).items
  let free: string | undefined
  while (free === undefined) free = (await benches()).find(({ state }) => state === 'free')?.id
  for (const method of ['POST', 'DELETE']) await ask(`/api/v1/benches/${free}/lease`, method)
  const [direct] = (JSON.parse(await ask('/api/v1/usage/direct')) as { items: { id: string }[] }).items
  const [use] = (JSON.parse(await ask('/api/v1/usage/uses?limit=1')) as { items: { id: string }[] }).items
  const ids = {
    '/direct/{id}': `/direct/${direct?.id}`,
    '/uses/{id}': `/uses/${use?.id}`,
    '/courses/{id}': '/courses/mechanics',
    '{bench}': 'demo.rc-1',
  }
  for (const { path, columns } of sections) {
    if (path === '/api/v1/runs/{id}/data.csv') continue // its columns are those of the lab
    if (path.includes('/recording/')) continue // no session here is filmed: integration/hub/recordings looks
    const asked = Object.entries(ids).reduce((at, [from, to]) => at.replace(from, to), path)
    const [header = ''] = (await ask(asked)).split('\r\n')
    assert.equal(header.replaceAll('"', '').split(','), columns, path)
  }
})

test.run()
