/** What every driver must do, as a suite to run on each: see edge/driver-kit/contract.ts. */
import { contractCases, type DriverUnderTest } from '@fernlab/edge/driver-kit/contract'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { suite } from '../support/suite.ts'

export type { DriverUnderTest }

/** For instruments that take their time to be made. */
export interface SuiteLimits {
  readonly timeoutMs: number
  readonly fileTimeoutMs?: number
}

/** Runs the contract; `make` prepares an instrument, `after` frees what all of them shared. */
export function driverContract(
  name: string,
  make: () => Promise<DriverUnderTest>,
  after: () => Promise<void> = async () => {},
  limits: SuiteLimits = { timeoutMs: 15_000 },
): void {
  const test = suite(`driver contract: ${name}`, limits)
  for (const { name: what, run } of contractCases(make)) test(what, async ({ signal }) => void (await run(signal)))
  test.after(after)
  test.run()
}

/** The LabError that the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<LabError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof LabError) return error
    throw error
  }
  throw new LabError({ code: 'no-rejection', kind: 'bug', message: 'the promise resolved; a rejection was expected' })
}
