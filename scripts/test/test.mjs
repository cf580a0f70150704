// npm test [-- filter…] [--long]: the static checks and all tests; with filters, only the test files that match.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../install/install.mjs'
import { nodeVersionProblem } from '../install/node-version.mjs'
import { prepareDebian } from './debian.mjs'
import { runFile } from './run-file.mjs'
import { findFiles } from './stages.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const say = (line) => process.stdout.write(`${line}\n`)
const strict = process.env.CI === 'true'

async function main(args) {
  const long = args.includes('--long')
  const filters = args.filter((arg) => !arg.startsWith('-'))
  const totals = { passed: 0, skips: [], failures: [], times: [] }
  const problem = nodeVersionProblem(process.versions.node)
  if (problem !== undefined) totals.failures.push({ file: 'node', test: '(version)', error: problem })
  else if (!installPackages(root, say)) totals.failures.push({ file: 'npm', test: '(install)', error: 'npm failed' })
  else await runEverything({ filters, long, totals })
  return summarise(totals)
}

async function runEverything({ filters, long, totals }) {
  const found = findFiles(root, filters)
  const cannotRun = prepareDebian(
    found.flatMap((stage) => stage.files),
    say,
  )
  if (filters.length === 0) runScript({ stage: 'check', script: 'scripts/check/check.mjs', totals })
  const reportFolder = mkdtempSync(join(tmpdir(), 'fernlab-test-'))
  let built = false
  try {
    for (const stage of found) {
      if (stage.built && !built) {
        runScript({ stage: 'build', script: 'scripts/build/build.mjs', totals })
        built = true
      }
      await runStage({ stage, reportFolder, long, filters, cannotRun, totals })
    }
  } finally {
    rmSync(reportFolder, { recursive: true, force: true })
  }
}

function runScript({ stage, script, totals }) {
  const startedAt = performance.now()
  const result = spawnSync(process.execPath, [script], { cwd: root, stdio: 'inherit' })
  totals.times.push([stage, performance.now() - startedAt])
  if (result.status !== 0) totals.failures.push({ file: script, test: `(${stage})`, error: `npm run ${stage} failed` })
}

async function runStage({ stage, reportFolder, long, filters, cannotRun, totals }) {
  const startedAt = performance.now()
  const waiting = [...stage.files]
  const limitMs = long ? stage.limitMs * 10 : stage.limitMs
  // The guest files among what the filters name are run alone: test/support/kernel/guest-files.ts.
  const guests = filters.length === 0 ? {} : { FERNLAB_GUESTS: filters.join(',') }
  const env = long ? { FERNLAB_TEST_LONG: '1', FERNLAB_SEED: 'random' } : {}
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const reason = cannotRun(file)
      if (reason === undefined)
        add(totals, await runFile({ root, file, reportFolder, limitMs, env: { ...env, ...guests } }))
      else if (strict) totals.failures.push({ file, test: '(file)', error: `skipped with CI=true: ${reason}` })
      else totals.skips.push({ file, test: '(file)', reason })
    }
  }
  say(`\n${stage.name}`)
  await Promise.all(Array.from({ length: stage.width }, worker))
  totals.times.push([stage.name, performance.now() - startedAt])
}

function add(totals, { file, passed, skips, failures, output, ms }) {
  totals.passed += passed
  totals.skips.push(...skips.map((skip) => ({ file, ...skip })))
  totals.failures.push(...failures.map((failure) => ({ file, ...failure })))
  const mark = failures.length > 0 ? 'FAIL' : 'ok  '
  say(`  ${mark} ${file}  ${passed} passed${failures.length > 0 ? `, ${failures.length} failed` : ''}  ${seconds(ms)}`)
  if (failures.length > 0) say(indent(lastLines(output, 120)))
}

function summarise({ passed, skips, failures, times }) {
  say('')
  for (const { file, test, reason } of skips) say(`skipped ${file}: ${test}: ${reason}`)
  for (const { file, test, error } of failures) say(`FAILED ${file}: ${test}\n${indent(lastLines(error, 30))}`)
  if (passed + failures.length === 0) say('nothing was run')
  say(times.map(([name, ms]) => `${name} ${seconds(ms)}`).join(', '))
  say(`${passed} passed, ${failures.length} failed, ${skips.length} skipped`)
  return failures.length > 0 || passed === 0 ? 1 : 0
}

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
const indent = (text) => text.replace(/^/gm, '    ')
const lastLines = (text, count) => text.trimEnd().split('\n').slice(-count).join('\n')

process.exitCode = await main(process.argv.slice(2))
