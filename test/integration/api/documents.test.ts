import { readFile, writeFile } from 'node:fs/promises'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { serveHub } from './served-hub.ts'

const test = suite('the API’s documents in docs/', { timeoutMs: 30_000 })

/** With FERNLAB_UPDATE=1 the files are written instead of compared. */
test('are what the hub serves', async () => {
  const hub = await serveHub()
  try {
    for (const name of ['openapi.json', 'asyncapi.json']) {
      const served = `${JSON.stringify(await (await fetch(`${hub.url}/${name}`)).json(), null, 2)}\n`
      const path = new URL(`../../../docs/${name}`, import.meta.url)
      if (process.env.FERNLAB_UPDATE === '1') await writeFile(path, served)
      const written = await readFile(path, 'utf8').catch(() => '')
      assert.ok(written === served, `docs/${name} is stale; run this file with FERNLAB_UPDATE=1`)
    }
  } finally {
    await hub.close()
  }
})

test.run()
