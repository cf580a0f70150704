/** What an address says after one or more of its choices were changed; a choice of nothing is not in it. */
export const withChoice = <Choice extends object>(
  choice: Choice,
  change: Partial<Record<keyof Choice, string>>,
): Choice => Object.fromEntries(Object.entries({ ...choice, ...change }).filter(([, value]) => value !== '')) as Choice
