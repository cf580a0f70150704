import * as assert from 'uvu/assert'
import { importBreaches } from '../support/import-direction.ts'
import { sourceFiles } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('imports point one way')

test('in every workspace', () => {
  const files = ['shared', 'firmware-bridge', 'edge', 'hub', 'scripts'].flatMap(sourceFiles)
  assert.ok(files.length > 20, `only ${files.length} files were found`)
  assert.equal(importBreaches(files), [])
})

const planted: readonly (readonly [string, string])[] = [
  ['shared/contracts/run.ts', "import { readFile } from 'node:fs/promises'"],
  ['shared/contracts/run.ts', "import net from 'net'"],
  ['shared/protocol/expand.ts', "import { openDatabase } from '../storage/database.ts'"],
  ['shared/links/mqtt-link.ts', "import type { Hub } from '@fernlab/hub/main'"],
  ['firmware-bridge/scpi/session.ts', "export { startEdge } from '@fernlab/edge/main'"],
  ['edge/main.ts', "const hub = await import('@fernlab/hub/main')"],
  ['edge/main.ts', "import {\n  a,\n  b,\n} from '../hub/main.ts'"],
  ['hub/main.ts', "import '../edge/main.ts'"],
  ['hub/web/src/main.tsx', "import { openDatabase } from '@fernlab/shared/storage/database'"],
  ['hub/web/src/main.tsx', "import { startHub } from '../../main.ts'"],
  ['scripts/cli/main.ts', "import { startEdge } from '@fernlab/edge/main'"],
  ['scripts/cli/board/board-verbs.ts', "import { startEdge } from '@fernlab/edge/main'"],
  ['scripts/cli/main.ts', "import { flash } from '@fernlab/firmware-bridge/flashing/flash'"],
]

for (const [path, text] of planted) {
  test(`refuses ${text.replace(/\s+/g, ' ')} in ${path}`, () => {
    assert.is(importBreaches([{ path, text }]).length, 1)
  })
}

test('allows what the direction allows', () => {
  const allowed = [
    { path: 'hub/main.ts', text: "import { openDatabase } from '@fernlab/shared/storage/database'" },
    {
      path: 'scripts/cli/commands/doctor.ts',
      text: "import { lookAround } from '@fernlab/edge/discovery/look-around'",
    },
    {
      path: 'scripts/cli/commands/driver.ts',
      text: "import { testDriver } from '@fernlab/edge/driver-kit/test-driver'",
    },
    {
      path: 'scripts/cli/board/board-verbs.ts',
      text: "import { flash } from '@fernlab/firmware-bridge/flashing/flash'",
    },
    { path: 'scripts/start/main.ts', text: "import { startEdge } from '@fernlab/edge/main'" },
    { path: 'shared/links/mqtt-link.ts', text: "import { createServer } from 'node:net'" },
  ]
  assert.equal(importBreaches(allowed), [])
})

test.run()
