import { readFile } from 'node:fs/promises'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { serveHub } from './served-hub.ts'

const test = suite('the API’s documents in docs/', { timeoutMs: 30_000 })

test('are what the hub serves', async () => {
  const hub = await serveHub()
  try {
    for (const name of ['openapi.json', 'asyncapi.json']) {
      const served = `${JSON.stringify(await (await fetch(`${hub.url}/${name}`)).json(), null, 2)}\n`
      const path = new URL(`../../../docs/${name}`, import.meta.url)
      assert.ok((await readFile(path, 'utf8')) === served, `docs/${name} is another: npm run generate`)
    }
  } finally {
    await hub.close()
  }
})

test.run()
