import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { pythonEnv, runPython } from './python/run-python.ts'
import { type PythonServer, servePython, TOKEN } from './python/server.ts'

const test = suite('the client in Python', { timeoutMs: 120_000, fileTimeoutMs: 300_000 })
let server: PythonServer

test.before(async () => {
  server = await servePython()
})
test.after(() => server.close())

const runs = [
  ['test_peer.py'],
  ['test_hostile.py'],
  ['test_hostile.py', '--without-numpy'],
  ['test_typed_lists.py'],
  ['test_typed_lists.py', '--without-numpy'],
  ['test_proxy.py'],
  ['test_ways.py'],
  ['test_hub.py'],
  ['test_stubs.py'],
] as const
for (const [name, ...args] of runs) {
  test(`${[name, ...args].join(' ')} passes`, async ({ signal }) => {
    const env = { ...pythonEnv, FERNLAB_URL: server.url, FERNLAB_SOCKET: server.path, FERNLAB_TOKEN: TOKEN }
    const { code, err } = await runPython(name, args, { env, signal })
    assert.is(code, 0, err)
    assert.match(err, /^Ran [1-9]\d* tests/m)
  })
}

test.run()
