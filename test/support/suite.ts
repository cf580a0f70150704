/**
 * INVARIANTS:
 * - A test ends passed or failed, once; what runs past its limit fails by name, whatever its body still does.
 * - A hook that throws fails a test or the file; uvu alone would swallow it.
 * - A file whose tests were not all run exits non-zero, and so does one that leaves something open.
 * - Each outcome is written, as it happens, to the file named by FERNLAB_TEST_REPORT (one JSON object a line), so a
 *   runner counts from facts, also when it had to kill this process.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite as uvuSuite } from 'uvu'
import { limit } from './long.ts'

/** What a test body receives. */
export interface TestContext {
  /** Aborts when the test's time limit is reached. */
  readonly signal: AbortSignal
}

export type TestBody = (context: TestContext) => Promise<void> | void
export type HookBody = () => Promise<void> | void

export interface SuiteOptions {
  /** Limit of each test; 30 s unless given, ten times that in the long run. */
  readonly timeoutMs?: number
  /** Limit of each hook; 120 s unless given. */
  readonly hookTimeoutMs?: number
  /** Raises the runner's limit for the whole file. */
  readonly fileTimeoutMs?: number
}

interface Hook {
  (body: HookBody): void
  each(body: HookBody): void
}

export interface Test {
  (name: string, body: TestBody): void
  /** Runs this test alone; for the keyboard only: the runner fails a file that holds one. */
  only(name: string, body: TestBody): void
  /** Leaves a test out for a reason, which must be listed in `test/support/skips.json`. */
  skip(name: string, reason: string): void
  before: Hook
  after: Hook
  run(): void
}

interface ListedSkip {
  readonly file: string
  readonly test: string
  readonly reason: string
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const thisFile = relative(root, process.argv[1] ?? '')
const openHandleGraceMs = 3_000

class Outcomes {
  readonly #path = process.env.FERNLAB_TEST_REPORT
  readonly #waiting = new Set<string>()
  #suites = 0
  #unfinished = 0
  #ran = 0
  #failed = false

  constructor() {
    delete process.env.FERNLAB_TEST_REPORT // not for the processes that a test starts
    process.on('exit', (code) => this.#atExit(code))
  }

  write(event: object): void {
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(event)}\n`)
  }

  opened(suite: string, fileTimeoutMs: number | undefined): void {
    this.#suites += 1
    this.#waiting.add(suite)
    this.write({ event: 'suite', suite, ...(fileTimeoutMs === undefined ? {} : { fileTimeoutMs }) })
  }

  runCalled(suite: string): void {
    this.#waiting.delete(suite)
    this.#unfinished += 1
  }

  started(suite: string, test: string): void {
    this.#ran += 1
    this.write({ event: 'start', suite, test })
  }

  skipped(): void {
    this.#ran += 1
  }

  fail(suite: string, test: string, error: unknown): void {
    this.#failed = true
    this.write({ event: 'fail', suite, test, error: describe(error) })
  }

  ended(): void {
    this.#unfinished -= 1
    if (this.#unfinished > 0 || this.#waiting.size > 0) return
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().filter((name) => !/^(TTYWrap|PipeWrap|Timeout)$/.test(name))
      const what = open.length === 0 ? 'a timer or a pipe' : [...new Set(open)].join(', ')
      this.#failFile(`the file does not exit after its last test: it left ${what} open`)
      process.exit(1)
    }, openHandleGraceMs).unref()
  }

  #failFile(message: string): void {
    process.stderr.write(`${thisFile}: ${message}\n`)
    this.write({ event: 'fail', suite: '', test: '(file)', error: message })
    process.exitCode = 1
  }

  #atExit(code: number): void {
    if (this.#waiting.size > 0) this.#failFile(`run() was not called for: ${[...this.#waiting].join(', ')}`)
    else if (this.#unfinished > 0 && code === 0) this.#failFile('the process ended before its tests did')
    else if (this.#suites > 0 && this.#ran === 0) this.#failFile('the file runs no test')
    // uvu may have set another status since.
    if (this.#failed && code === 0) process.exitCode = 1
    this.write({ event: 'exit', ran: this.#ran })
  }
}

const outcomes = new Outcomes()

/** Opens a suite with uvu's shape, per-test time limits, strict hooks and reasons for skips; `run()` must follow. */
export function suite(name: string, options: SuiteOptions = {}): Test {
  const inner = uvuSuite(name)
  const timeoutMs = limit(options.timeoutMs ?? 30_000)
  const hookTimeoutMs = options.hookTimeoutMs ?? 120_000
  const before: HookBody[] = []
  const beforeEach: HookBody[] = []
  const afterEach: HookBody[] = []
  const after: HookBody[] = []
  let setUp: Promise<void> | undefined
  outcomes.opened(name, options.fileTimeoutMs)

  const runHooks = async (hooks: readonly HookBody[], what: string) => {
    for (const hook of hooks) await limited(what, hookTimeoutMs, () => hook())
  }

  const wrap = (test: string, body: TestBody) => async () => {
    outcomes.started(name, test)
    const startedAt = performance.now()
    try {
      setUp ??= runHooks(before, 'before()')
      await setUp
      try {
        await runHooks(beforeEach, 'before.each()')
        await limited(`"${test}"`, timeoutMs, (signal) => body({ signal }))
      } finally {
        await runHooks(afterEach, 'after.each()')
      }
    } catch (error) {
      outcomes.fail(name, test, error)
      throw showable(error)
    }
    outcomes.write({ event: 'pass', suite: name, test, ms: Math.round(performance.now() - startedAt) })
  }

  const test = ((title: string, body: TestBody) => inner(title, wrap(title, body))) as Test
  test.only = (title, body) => {
    outcomes.write({ event: 'only', suite: name, test: title })
    inner.only(title, wrap(title, body))
  }
  test.skip = (title, reason) => {
    outcomes.skipped()
    inner.skip(title)
    if (isListed(title, reason)) outcomes.write({ event: 'skip', suite: name, test: title, reason })
    else {
      const error = new Error(`the skip "${title}" (${reason || 'no reason'}) is not in test/support/skips.json`)
      inner(title, () => {
        throw error
      })
      outcomes.fail(name, title, error)
    }
    process.stdout.write(`skipped "${title}": ${reason}\n`)
  }
  test.before = hookList(before, beforeEach)
  test.after = hookList(after, afterEach)
  test.run = () => {
    outcomes.runCalled(name)
    inner.after(async () => {
      try {
        await runHooks(after, 'after()')
      } catch (error) {
        process.stderr.write(`${name}: after() failed: ${describe(error)}\n`)
        outcomes.fail(name, '(after)', error)
      }
      outcomes.ended()
    })
    inner.run()
  }
  return test
}

/** The error as uvu can show it: `details` of its own are text, and of another kind it dies of them. */
function showable(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(`a test threw ${String(error)}`)
  if (!('details' in error) || typeof error.details === 'string') return error
  const shown = new Error(error.message, { cause: error })
  if (error.stack !== undefined) shown.stack = error.stack
  return shown
}

function hookList(once: HookBody[], each: HookBody[]): Hook {
  const hook = ((body: HookBody) => once.push(body)) as unknown as Hook
  hook.each = (body) => {
    each.push(body)
  }
  return hook
}

async function limited(what: string, ms: number, body: (signal: AbortSignal) => Promise<void> | void): Promise<void> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`${what} did not finish within ${ms} ms`)
      controller.abort(error)
      reject(error)
    }, ms)
  })
  try {
    await Promise.race([body(controller.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

function isListed(test: string, reason: string): boolean {
  if (reason.trim() === '') return false
  const listed = JSON.parse(readFileSync(new URL('./skips.json', import.meta.url), 'utf8')) as readonly ListedSkip[]
  return listed.some((entry) => entry.file === thisFile && entry.test === test && entry.reason === reason)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const difference = 'details' in error && typeof error.details === 'string' ? `\n${error.details}` : ''
  return `${error.stack ?? `${error.name}: ${error.message}`}${difference}`
}
