import { appendFileSync } from 'node:fs'
import type { TestEvent } from './messages.ts'

/** Takes over the report of this test file; made once, before anything else. */
export function openReport(): Report {
  const path = process.env.FERNLAB_TEST_REPORT
  delete process.env.FERNLAB_TEST_REPORT
  return new Report(path)
}

/** The outcomes of a test file without suites of its own; its process ends with 1 when one has failed. */
export class Report {
  readonly #path: string | undefined

  constructor(path: string | undefined) {
    this.#path = path
  }

  /** Lets the runner wait this long for the file. */
  allow(fileTimeoutMs: number): void {
    this.#write({ event: 'suite', suite: '', fileTimeoutMs })
  }

  pass(suite: string, test: string): void {
    process.stdout.write(`passed  ${suite}: ${test}\n`)
    this.#write({ event: 'pass', suite, test: `${suite}: ${test}` })
  }

  skip(suite: string, test: string, reason: string): void {
    process.stdout.write(`skipped ${suite}: ${test}: ${reason}\n`)
    this.#write({ event: 'skip', suite, test: `${suite}: ${test}`, reason })
  }

  /**
   * Leaves the whole machine out, or what is named, which with CI=true is a failure; the reason is in
   * `test/support/skips.json`.
   */
  cannotRun(reason: string, why: string, test = '(machine)'): void {
    if (process.env.CI === 'true') this.#failed('', test, `skipped with CI=true: ${reason}: ${why}`)
    else {
      process.stdout.write(`skipped: ${test}: ${reason}: ${why}\n`)
      this.#write({ event: 'skip', suite: '', test, reason })
    }
  }

  fail(suite: string, test: string, error: string): void {
    this.#failed(suite, `${suite}: ${test}`, error)
  }

  #failed(suite: string, test: string, error: string): void {
    process.stdout.write(`FAILED  ${test}\n${error}\n`)
    this.#write({ event: 'fail', suite, test, error })
    process.exitCode = 1
  }

  #write(event: TestEvent): void {
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(event)}\n`)
  }
}
