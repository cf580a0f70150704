/** Set by `npm run test:long`: fuzz tests try more cases, soak tests go on for minutes. */
export const long = process.env.FERNLAB_TEST_LONG === '1'

const factor = long ? 10 : 1

/** So many cases of a property, ten times as many in the long run. */
export const cases = (count: number): number => count * factor

/** So long a test may take, ten times as long in the long run. */
export const limit = (ms: number): number => ms * factor
