/** The first `npm start` in a fresh clone, as README.md has it: it installs and builds everything. */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import * as assert from 'uvu/assert'
import { killAll, startProgram, untilGone, untilPrinted } from '../../support/programs.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the first npm start', { timeoutMs: 240_000 })
const folder = mkdtempSync(join(tmpdir(), 'fernlab-fresh-'))
const clone = join(folder, 'fernlab')
const data = join(clone, 'data')
const tools = join(folder, 'tools')
const calls = join(folder, 'calls')
const name = 'is up within two minutes, without a compiler'

test.after(() => {
  killAll(data)
  rmSync(folder, { recursive: true, force: true })
})

/** What npm is told from outside about where packages come from. */
const npmSettings = Object.fromEntries(
  Object.entries(process.env).flatMap(([key, value]) =>
    /^npm_config_(registry|cache|userconfig|proxy|https_proxy|noproxy|cafile)$/i.test(key) && value
      ? [[key, value]]
      : [],
  ),
)

function registryAnswers(): boolean {
  const args = ['view', 'uvu', 'version', '--fetch-retries=0', '--fetch-timeout=15000']
  return spawnSync('npm', args, { cwd: root, stdio: 'ignore' }).status === 0
}

/** Compilers that note that they were called, and fail. */
function fakeCompilers(): void {
  mkdirSync(tools)
  for (const tool of ['cc', 'gcc', 'c++', 'g++', 'clang', 'make', 'cmake', 'node-gyp']) {
    const path = join(tools, tool)
    writeFileSync(path, `#!/bin/sh\necho "${tool} $*" >> '${calls}'\nexit 1\n`)
    chmodSync(path, 0o755)
  }
}

/** A clone; of an unpacked archive, which has no history, a copy without what is installed and built. */
function cloneHead(): void {
  if (!existsSync(join(root, '.git'))) {
    const never = new Set(['node_modules', 'dist', 'dist-types', 'data'])
    cpSync(root, clone, { recursive: true, filter: (path) => path === root || !never.has(basename(path)) })
    return
  }
  // The working copy may belong to somebody else than who runs the tests.
  writeFileSync(join(folder, 'gitconfig'), '[safe]\n\tdirectory = *\n')
  const env = { ...process.env, GIT_CONFIG_GLOBAL: join(folder, 'gitconfig') }
  const { status, stderr } = spawnSync('git', ['clone', '--quiet', root, clone], { env, encoding: 'utf8' })
  assert.is(status, 0, stderr)
}

if (process.env.CI !== 'true' && !registryAnswers()) test.skip(name, 'needs the npm registry')
else {
  test(name, async () => {
    fakeCompilers()
    const startedAt = performance.now()
    cloneHead()
    assert.not(existsSync(join(clone, 'node_modules')))
    const path = `${tools}:${process.env.PATH}`
    const env = { ...npmSettings, npm_config_prefer_offline: 'true', PATH: path, FERNLAB_DATA: data }
    const started = startProgram('npm', ['start'], env, clone)
    const [, page = ''] = await untilPrinted(started, /page +(http\S+)/, 200_000)
    const seconds = (performance.now() - startedAt) / 1000
    const [, setUp = ''] = await untilPrinted(started, /set up +(http\S+)/)
    assert.ok(seconds < 120, `it took ${seconds} s\n${started.output()}`)
    assert.is(existsSync(calls) ? readFileSync(calls, 'utf8') : '', '')

    for (const address of [page, setUp]) {
      const answer = await fetch(address)
      assert.is(answer.status, 200, address)
      assert.match(await answer.text(), /<script type="module"/)
    }

    // As Ctrl-C does: to npm and to what it started.
    process.kill(-started.pid, 'SIGINT')
    await untilGone(data, 10_000)
    assert.not(existsSync(join(data, 'endpoints.json')), 'it went without stopping')
  })
}

test.run()
