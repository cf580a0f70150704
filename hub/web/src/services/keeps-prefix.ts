/** The value by whose size the unit of another is prefixed: zero has none of its own, and stays in that of what was there before. */
export const sizedBy = (value: number, before: number): number => (value === 0 ? before : value)
