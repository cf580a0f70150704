// INVARIANTS: a file's process runs in its own group; when it ends, or its time is up, nothing of the group is left.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const leftoverGraceMs = 5_000

/**
 * Runs one test file in its own process and returns its outcomes, counted from the report that the process writes:
 * `{file, passed, skips: [{test, reason}], failures: [{test, error}], output, ms}`.
 */
export async function runFile({ root, file, reportFolder, limitMs, env = {} }) {
  const reportPath = join(reportFolder, `${file.replaceAll('/', '_')}.jsonl`)
  const startedAt = performance.now()
  // Property tests try the same cases on every run, so that a red run means a change.
  const seeded = readFileSync(join(root, file), 'utf8').includes("'fast-check'")
  const seed = seeded ? ['--import', join(root, 'test/support/fixed-seed.ts')] : []
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', ...seed, file], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FERNLAB_TEST_REPORT: reportPath, ...env },
  })
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.stderr.on('data', (chunk) => chunks.push(chunk))
  const limit = watchLimit(child, () => fileLimit(reportPath, limitMs), startedAt)
  const { code, signal } = await new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: error.message }))
    child.once('exit', (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }))
  })
  limit.stop()
  const left = await endGroup(child.pid)
  child.stdout.destroy()
  child.stderr.destroy()
  const outcome = judge(readEvents(reportPath), { code, signal, timedOut: limit.timedOut(), left })
  return { file, ...outcome, output: Buffer.concat(chunks).toString('utf8'), ms: performance.now() - startedAt }
}

function watchLimit(child, currentLimitMs, startedAt) {
  let timedOut
  const timer = setInterval(() => {
    const limitMs = currentLimitMs()
    if (performance.now() - startedAt < limitMs) return
    timedOut = limitMs
    clearInterval(timer)
    killGroup(child.pid)
  }, 500)
  return { stop: () => clearInterval(timer), timedOut: () => timedOut }
}

function fileLimit(reportPath, limitMs) {
  return Math.max(limitMs, ...readEvents(reportPath).map((event) => event.fileTimeoutMs ?? 0))
}

function readEvents(path) {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line, index) => line !== '' && index < lines.length - 1).map((line) => JSON.parse(line))
}

/** Outcomes from a file's events and how its process ended; a process that ended badly without saying why is a failure. */
export function judge(events, { code, signal, timedOut, left }) {
  const of = (name) => events.filter((event) => event.event === name)
  const failures = of('fail').map(({ test, error }) => ({ test, error }))
  const skips = of('skip').map(({ test, reason }) => ({ test, reason }))
  const passed = of('pass').length
  const fail = (error, test = '(file)') => failures.push({ test, error })
  const ended = new Set([...of('pass'), ...of('fail')].map((event) => `${event.suite}\n${event.test}`))
  const cut = of('start').filter((event) => !ended.has(`${event.suite}\n${event.test}`))

  for (const { test } of of('only')) fail(`test.only("${test}") leaves the other tests out`)
  if (timedOut !== undefined) fail(`killed: did not finish within ${timedOut / 1000} s`, cut.at(-1)?.test)
  else if (code !== 0 && failures.length === 0)
    fail(`the process ended with ${signal ?? `exit code ${code}`}`, cut.at(-1)?.test)
  if (failures.length === 0 && passed + skips.length === 0) fail('the file runs no test')
  if (left) fail('the file left a process running')
  return { passed, skips, failures }
}

async function endGroup(pid) {
  if (pid === undefined || !groupLives(pid)) return false
  const deadline = performance.now() + leftoverGraceMs
  while (performance.now() < deadline) {
    await sleep(50)
    if (!groupLives(pid)) return false
  }
  killGroup(pid)
  return true
}

function groupLives(pid) {
  try {
    process.kill(-pid, 0)
  } catch {
    return false
  }
  // A process that has ended counts until its new parent, the system's first process, has taken note of it.
  return process.platform !== 'linux' || readdirSync('/proc').some((name) => /^\d+$/.test(name) && runsIn(name, pid))
}

function runsIn(name, group) {
  let stat
  try {
    stat = readFileSync(`/proc/${name}/stat`, 'utf8')
  } catch {
    return false // it has just ended
  }
  const [state, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(itsGroup) === group && state !== 'Z' && state !== 'X'
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
