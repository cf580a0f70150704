/** The client on the oldest Python that it is for, 3.9, which Debian has as PyPy. */
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { runCommand } from '../../support/command.ts'
import { suite } from '../../support/suite.ts'
import { pythonEnv, runPython } from './python/run-python.ts'
import { type PythonServer, servePython, TOKEN } from './python/server.ts'

const test = suite('the client in Python 3.9', { timeoutMs: 120_000, fileTimeoutMs: 300_000 })
const python = 'pypy3'
let server: PythonServer
/** What the client imports, and nothing else of Debian's Python. */
let modules = ''

test.before(async () => {
  server = await servePython()
  modules = await mkdtemp(join(tmpdir(), 'fernlab-pypy-'))
  for (const name of ['websockets', 'cbor2'])
    await symlink(join('/usr/lib/python3/dist-packages', name), join(modules, name))
})
test.after(async () => {
  await server.close()
  await rm(modules, { recursive: true })
})

const env = () => ({
  ...pythonEnv,
  PYTHONPATH: `${pythonEnv.PYTHONPATH}:${modules}`,
  FERNLAB_URL: server.url,
  FERNLAB_SOCKET: server.path,
  FERNLAB_TOKEN: TOKEN,
})

test('it is 3.9', async ({ signal }) => {
  const said = await runCommand(python, ['-c', 'import platform; print(platform.python_version())'], { signal })
  assert.match(said.out, /^3\.9\./, said.err)
})

/** What takes longest is left to the Python of the machine. */
const ofHub = [
  'test_a_search_takes_all_pages',
  'test_refusals_are_errors_with_their_codes',
  'test_a_proxy_asks_for_a_token_of_all_that_is_used',
  'test_a_lock_holds_the_bench_once_and_gives_it_back',
  'test_a_lock_is_all_or_nothing',
  'test_a_run_is_submitted_once_followed_and_read',
  'test_a_further_attempt_follows_and_one_that_is_named_is_followed_alone',
  'test_all_that_the_route_takes_is_submitted',
  'test_runs_that_say_nothing_hold_nothing_up_and_are_left_at_once',
  'test_a_run_whose_submission_was_given_up_is_cancelled',
].map((name) => `ByHub.${name}`)

for (const [file, what, args] of [
  ['test_proxy.py', 'proxies, streams and batches, plain and in asyncio, over links that break', []],
  ['test_hub.py', 'a hub’s directory, locks, runs and their documents', ofHub],
] as const) {
  test(`${what}: ${file} passes`, async ({ signal }) => {
    const { code, err } = await runPython(file, args, { env: env(), signal, python })
    assert.is(code, 0, err)
    assert.match(err, /^Ran [1-9]\d* tests/m)
  })
}

test.run()
