import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { runCommand } from '../support/command.ts'
import { guides } from '../support/doc-blocks.ts'
import { type RunningFernlab, startFernlab } from '../support/running-fernlab.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('the commands in the guides run', { timeoutMs: 180_000, hookTimeoutMs: 90_000 })
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

test.run()
