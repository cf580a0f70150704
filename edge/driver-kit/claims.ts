/** What a driver must, and what it says when it does not. */
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** The driver breaks the contract. */
export const broken = (message: string): LabError =>
  new LabError({ code: 'contract-broken', kind: 'configuration', message })

/** Throws unless it holds. */
export function must(holds: boolean, message: string): void {
  if (!holds) throw broken(message)
}

/** The LabError that the promise rejects with; throws what else it rejects with, and where it resolves. */
export async function refusal(what: string, promise: Promise<unknown>): Promise<LabError> {
  try {
    await promise
  } catch (thrown) {
    if (thrown instanceof LabError) return thrown
    throw broken(`a ${what} rejects with ${String(thrown)}; a refusal is a LabError`)
  }
  throw broken(`a ${what} is not refused`)
}
